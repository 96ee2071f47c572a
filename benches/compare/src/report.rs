//! The table, and the picture.

use crate::OVERHEAD;
use crate::times::{Times, geometric_mean};
use anyhow::Result;
use plot::{Labels, Panel, save};
use std::path::Path;

/// A workload, and what each program measured; the first is this library.
type Row<'a> = (&'a str, Vec<Times>);

/// Prints the times of a workload, and the ratios.
pub fn print(workload: &str, names: &[&str], times: &[Times]) {
    println!("{workload}");
    let [ours, ..] = times else { return };
    for (name, times) in names.iter().zip(times) {
        let (Some(median), Some(least)) = (times.median(), times.least()) else {
            println!("    {name:<24} does not have it");
            continue;
        };
        print!("    {name:<24} {median:9.3} ms, at least {least:9.3}");
        match ours.against(times).filter(|_| !std::ptr::eq(ours, times)) {
            Some(ratio) => println!(
                "    ours takes {:.2} of that ({:.2} to {:.2}; the fastest steps {:.2})",
                ratio.median, ratio.low, ratio.high, ratio.of_least
            ),
            None => println!(),
        }
    }
}

/// Prints what it comes to over all training steps.
pub fn summary(names: &[&str], rows: &[Row<'_>]) {
    println!();
    for (which, name) in names.iter().enumerate().skip(1) {
        let (steps, mean) = mean(which, rows);
        if let Some(mean) = mean {
            println!("{mean:.2} of the time of {name}, the geometric mean of {steps} training steps");
        }
    }
}

/// Of how many training steps a peer has a ratio, and the geometric mean of these.
fn mean(which: usize, rows: &[Row<'_>]) -> (usize, Option<f64>) {
    let bars = bars(which, rows).into_iter();
    let ratios: Vec<f64> = bars.filter(|(workload, _)| workload != OVERHEAD).map(|(_, ratio)| ratio).collect();
    (ratios.len(), geometric_mean(&ratios))
}

/// Draws the ratios, a panel for each peer.
pub fn draw(path: &Path, names: &[&str], rows: &[Row<'_>]) -> Result<()> {
    let mut panels = Vec::new();
    for (which, name) in names.iter().enumerate().skip(1) {
        let bars = bars(which, rows);
        if !bars.is_empty() {
            let labels = Labels { title: name, x: "", y: "our time / its time" };
            let most = bars.iter().fold(1.0_f64, |most, (_, ratio)| most.max(*ratio));
            panels.push(Panel::bars(labels, &bars).y_range(0.0, 1.1 * most).reference(1.0, "as fast"));
        }
    }
    save(path, "", 2.min(panels.len().max(1)), panels)
}

/// The ratio of each workload that a peer has.
fn bars(which: usize, rows: &[Row<'_>]) -> Vec<(String, f64)> {
    let ratio =
        |(workload, times): &Row<'_>| times[0].against(&times[which]).map(|ratio| (workload.to_string(), ratio.median));
    rows.iter().filter_map(ratio).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::times::Turn;

    #[test]
    fn the_mean_is_of_training_steps() {
        let times = |median: f64| Times { turns: vec![Turn { median, least: median }] };
        let rows = [
            ("makemore_32", vec![times(1.0), times(2.0)]),
            ("char_lm", vec![times(4.0), times(2.0)]),
            ("cdcgan_128", vec![times(4.0), Times::default()]),
            (OVERHEAD, vec![times(1.0), times(8.0)]),
        ];
        let (steps, mean) = mean(1, &rows);
        assert_eq!(steps, 2);
        assert!((mean.unwrap() - 1.0).abs() < 1e-15);
        assert_eq!(super::mean(1, &rows[2..]), (0, None));
    }
}
