//! What a program takes, and what it prints: `[--seconds=S] NAME ...`, and a line `NAME median_ms min_ms` for each workload.

use std::time::{Duration, Instant};

/// What was asked for.
#[derive(Debug, PartialEq)]
pub struct Wanted {
    /// How long each workload is timed.
    seconds: f64,
    /// Only these workloads; all, if none is named.
    names: Vec<String>,
}

impl Wanted {
    /// Reads the arguments after the program's name.
    pub fn parse(arguments: impl Iterator<Item = String>) -> Result<Wanted, String> {
        let mut wanted = Wanted { seconds: 4.0, names: Vec::new() };
        for argument in arguments {
            if let Some(text) = argument.strip_prefix("--seconds=") {
                let seconds = text.parse().ok().filter(|seconds: &f64| *seconds >= 0.0 && seconds.is_finite());
                wanted.seconds = seconds.ok_or_else(|| format!("{argument}: expected a number of seconds"))?;
            } else if argument.starts_with('-') {
                return Err(format!("{argument}: expected [--seconds=S] [NAME ...]"));
            } else {
                wanted.names.push(argument);
            }
        }
        Ok(wanted)
    }

    /// Whether a workload was asked for.
    pub fn has(&self, name: &str) -> bool {
        self.names.is_empty() || self.names.iter().any(|wanted| wanted == name)
    }

    /// The line of a workload: the median and the least time of a step, in milliseconds.
    pub fn measure(&self, name: &str, mut step: impl FnMut()) -> String {
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
        format!("{name:24} {:9.4} {:9.4}", times[times.len() / 2], times[0])
    }
}
