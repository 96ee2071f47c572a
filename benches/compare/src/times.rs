//! What the programs measured, and its ratios.

use anyhow::{Context, Result};

/// One turn of a program: many steps of one workload.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Turn {
    /// Of the times of its steps, in milliseconds.
    pub median: f64,
    /// The time of the fastest, in milliseconds.
    pub least: f64,
}

impl Turn {
    /// Finds the line `NAME median_ms min_ms` of a workload.
    pub fn parse(printed: &str, workload: &str) -> Result<Option<Turn>> {
        let Some(line) = printed.lines().find(|line| line.split_whitespace().next() == Some(workload)) else {
            return Ok(None);
        };
        let numbers: Option<Vec<f64>> = line.split_whitespace().skip(1).map(|word| word.parse().ok()).collect();
        match numbers.as_deref() {
            Some(&[median, least]) if least > 0.0 && median >= least => Ok(Some(Turn { median, least })),
            _ => None.with_context(|| format!("{line:?}; expected NAME median_ms min_ms")),
        }
    }
}

/// All turns of a program at one workload, round by round; none, if it does not have it.
#[derive(Clone, Debug, Default)]
pub struct Times {
    pub turns: Vec<Turn>,
}

impl Times {
    /// The median of the turns' medians.
    pub fn median(&self) -> Option<f64> {
        median(self.turns.iter().map(|turn| turn.median).collect())
    }

    /// The fastest step of all.
    pub fn least(&self) -> Option<f64> {
        self.turns.iter().map(|turn| turn.least).min_by(f64::total_cmp)
    }

    /// The time of this as a share of another's.
    pub fn against(&self, other: &Times) -> Option<Ratio> {
        let pairs = self.turns.iter().zip(&other.turns);
        let ratios: Vec<f64> = pairs.map(|(ours, theirs)| ours.median / theirs.median).collect();
        let (low, high) = ratios.iter().fold((f64::MAX, 0.0_f64), |(low, high), &x| (low.min(x), high.max(x)));
        Some(Ratio { median: median(ratios)?, low, high, of_least: self.least()? / other.least()? })
    }
}

/// How the times of two programs compare, below 1 if the first is faster.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ratio {
    /// The median over the rounds; in each, median time by median time.
    pub median: f64,
    /// The round that was best for the first.
    pub low: f64,
    /// The round that was worst for it.
    pub high: f64,
    /// The fastest step of the one by the fastest of the other.
    pub of_least: f64,
}

/// The middle one, or half-way between the two in the middle.
fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => None,
        n if n % 2 == 1 => Some(values[middle]),
        _ => Some(f64::midpoint(values[middle - 1], values[middle])),
    }
}

/// The geometric mean: twice as fast here and half as fast there come to 1.
pub fn geometric_mean(ratios: &[f64]) -> Option<f64> {
    if ratios.is_empty() {
        return None;
    }
    Some((ratios.iter().map(|ratio| ratio.ln()).sum::<f64>() / ratios.len() as f64).exp())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::Wanted;

    #[test]
    fn the_line_of_a_workload_is_found() {
        let printed = "threads 2 isa Avx2\nvowel_lstm_64  2.5000  2.0000\nvowel_lstm_1 0.25 0.125\n";
        assert_eq!(Turn::parse(printed, "vowel_lstm_1").unwrap(), Some(Turn { median: 0.25, least: 0.125 }));
        assert_eq!(Turn::parse(printed, "char_lm").unwrap(), None);
        for wrong in ["char_lm", "char_lm 1", "char_lm 1 2", "char_lm nan 1", "char_lm 1 0", "char_lm 2 1 1"] {
            let error = format!("{:#}", Turn::parse(wrong, "char_lm").unwrap_err());
            assert!(error.contains("expected NAME median_ms min_ms"), "{wrong}: {error}");
        }
    }

    #[test]
    fn what_a_program_prints_is_understood() {
        let asked = |arguments: &[&str]| Wanted::parse(arguments.iter().map(|argument| argument.to_string()), 4.0);
        let workloads = ["vowel_lstm_1", "char_lm", "cdcgan_128"].map(|name| (name, ()));
        let wanted = asked(&["--seconds=0", "char_lm", "cdcgan_128"]).unwrap();
        assert_eq!(wanted.of(workloads), workloads[1..]);
        assert_eq!(asked(&[]).unwrap().of(workloads), workloads);

        let mut steps = 0;
        let times = wanted.measure(|| {
            steps += 1;
            std::thread::sleep(std::time::Duration::from_millis(1));
        });
        assert_eq!(steps, 10, "five that do not count, and five");
        let turn = Turn::parse(&format!("char_lm {times}"), "char_lm").unwrap().expect("the line of char_lm");
        assert!(turn.least >= 1.0 && turn.median >= turn.least, "{turn:?}");

        for wrong in ["--seconds=", "--seconds=-1", "--seconds=inf", "--seconds", "-h"] {
            let error = asked(&[wrong]).unwrap_err();
            assert!(error.starts_with(wrong) && error.contains("expected"), "{error}");
        }
    }

    #[test]
    fn ratios_are_taken_in_each_round() {
        let times = |medians: [f64; 3]| Times {
            turns: medians.iter().map(|&median| Turn { median, least: median / 2.0 }).collect(),
        };
        // The machine was slower from round to round, for both alike.
        let (ours, theirs) = (times([1.0, 2.0, 4.0]), times([4.0, 4.0, 16.0]));
        assert_eq!((ours.median(), ours.least()), (Some(2.0), Some(0.5)));
        let ratio = ours.against(&theirs).unwrap();
        assert_eq!(ratio, Ratio { median: 0.25, low: 0.25, high: 0.5, of_least: 0.25 });
        assert_eq!(ours.against(&Times::default()), None);
        assert_eq!(median(vec![4.0, 1.0, 3.0, 2.0]), Some(2.5));
    }

    #[test]
    fn half_and_twice_come_to_one() {
        assert!((geometric_mean(&[0.5, 2.0]).unwrap() - 1.0).abs() < 1e-15);
        assert_eq!(geometric_mean(&[]), None);
    }
}
