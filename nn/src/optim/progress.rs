//! Whether a metric improves.

/// Whether less of a metric is better, or more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Goal {
    /// Less is better, as of a loss.
    #[default]
    Min,
    /// More is better, as of an accuracy.
    Max,
}

/// By how much a metric must improve to count.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Threshold {
    /// By this part of the best one.
    Relative(f64),
    /// By this much.
    Absolute(f64),
}

impl Goal {
    /// A value that everything improves on.
    pub(super) fn worst(self) -> f64 {
        match self {
            Goal::Min => f64::INFINITY,
            Goal::Max => f64::NEG_INFINITY,
        }
    }

    /// Whether `value` improves on `best`. NaN never does.
    pub(super) fn improves(self, value: f64, best: f64, by: Threshold) -> bool {
        match (self, by) {
            (Goal::Min, Threshold::Relative(part)) => value < best * (1.0 - part),
            (Goal::Min, Threshold::Absolute(much)) => value < best - much,
            (Goal::Max, Threshold::Relative(part)) => value > best * (1.0 + part),
            (Goal::Max, Threshold::Absolute(much)) => value > best + much,
        }
    }
}
