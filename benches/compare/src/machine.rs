//! Whether the machine is free to be timed on.

use std::time::Duration;

/// How much of the processor is at work for others now, from 0 to 1; `None`, where the system does not say it in
/// `/proc/stat`.
pub fn busy() -> Option<f64> {
    let read = || Clock::parse(&std::fs::read_to_string("/proc/stat").ok()?);
    let before = read()?;
    std::thread::sleep(Duration::from_secs(1));
    Some(before.busy_until(read()?))
}

/// What all processors have done since the start, in ticks.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Clock {
    idle: u64,
    all: u64,
}

impl Clock {
    /// Reads the first line, `cpu user nice system idle iowait irq softirq steal …`.
    fn parse(text: &str) -> Option<Clock> {
        let line = text.lines().next()?.strip_prefix("cpu ")?;
        // What comes after the eighth is counted in the first two already.
        let ticks: Vec<u64> = line.split_whitespace().take(8).map_while(|word| word.parse().ok()).collect();
        Some(Clock { idle: ticks.get(3)? + ticks.get(4)?, all: ticks.iter().sum() })
    }

    fn busy_until(self, later: Clock) -> f64 {
        let all = later.all.saturating_sub(self.all).max(1);
        1.0 - later.idle.saturating_sub(self.idle).min(all) as f64 / all as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_idle_is_busy() {
        let before = Clock::parse("cpu  10 0 5 80 5 0 0 0 7 7\ncpu0 1 2\n").unwrap();
        assert_eq!(before, Clock { idle: 85, all: 100 });
        let later = Clock::parse("cpu  60 0 5 100 35 0 0 0 7 7\n").unwrap();
        assert_eq!(before.busy_until(later), 0.5);
        assert_eq!((Clock::parse(""), Clock::parse("cpu  1 2")), (None, None));
    }
}
