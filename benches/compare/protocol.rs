//! What a program that times workloads takes, and what it prints: `[--seconds=S] NAME ...`, and a line
//! `NAME median_ms min_ms` for each of these workloads that it has.

use std::fmt;
use std::time::{Duration, Instant};

/// What was asked for.
#[derive(Debug, PartialEq)]
pub struct Wanted {
    /// How long each workload is timed.
    pub seconds: f64,
    /// Only these workloads; all, if none is named.
    pub names: Vec<String>,
}

impl Wanted {
    /// Reads the arguments after the program's name. `seconds` are those of a program that is not told.
    pub fn parse(arguments: impl Iterator<Item = String>, seconds: f64) -> Result<Wanted, String> {
        let mut wanted = Wanted { seconds, names: Vec::new() };
        for argument in arguments {
            if let Some(text) = argument.strip_prefix("--seconds=") {
                wanted.seconds = seconds_of(text).map_err(|error| format!("{argument}: {error}"))?;
            } else if argument.starts_with('-') {
                return Err(format!("{argument}: expected [--seconds=S] [NAME ...]"));
            } else {
                wanted.names.push(argument);
            }
        }
        Ok(wanted)
    }

    /// Those of a program's workloads that were asked for. A name that none of them has is no error, as not every
    /// library has every workload, but it is said.
    pub fn of<W>(&self, workloads: impl IntoIterator<Item = (&'static str, W)>) -> Vec<(&'static str, W)> {
        let (known, workloads): (Vec<_>, Vec<_>) = workloads.into_iter().map(|workload| (workload.0, workload)).unzip();
        for name in self.names.iter().filter(|name| !known.contains(&name.as_str())) {
            eprintln!("{name}: not here; there are {}", known.join(", "));
        }
        let wanted = |name: &str| self.names.is_empty() || self.names.iter().any(|wanted| wanted == name);
        workloads.into_iter().filter(|(name, _)| wanted(name)).collect()
    }

    /// Times a step: after five that do not count, again and again for the seconds asked for, five times at least.
    pub fn measure(&self, mut step: impl FnMut()) -> Times {
        for _ in 0..5 {
            step();
        }
        let mut times = Vec::new();
        let end = Instant::now() + Duration::from_secs_f64(self.seconds);
        while Instant::now() < end || times.len() < 5 {
            let start = Instant::now();
            step();
            times.push(start.elapsed().as_secs_f64() * 1e3);
        }
        times.sort_by(f64::total_cmp);
        Times { median: times[times.len() / 2], least: times[0] }
    }
}

/// How long a workload is to be timed.
pub fn seconds_of(text: &str) -> Result<f64, String> {
    let seconds = text.parse().ok().filter(|seconds: &f64| *seconds >= 0.0 && seconds.is_finite());
    seconds.ok_or_else(|| "expected a number of seconds".to_string())
}

/// Milliseconds that a step takes.
pub struct Times {
    /// The middle one of all.
    pub median: f64,
    /// The shortest.
    pub least: f64,
}

impl fmt::Display for Times {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{:9.4} {:9.4}", self.median, self.least)
    }
}
