//! The one-cycle policy (Smith and Topin 2018): the learning rate rises from low to high and falls to far
//! below where it began, while the momentum goes the other way.
//!
//! ```text
//! step                 learning rate                                     momentum
//! 0                    max_lr/div_factor                                 max_momentum
//! pct_start·total - 1  max_lr                                            base_momentum
//! total - 1            max_lr/div_factor/final_div_factor                max_momentum
//! ```
//!
//! With `three_phase` the fall has a corner at step 2·pct_start·total - 2, where it passes the first value.

use super::Schedule;
use std::f64::consts::PI;

/// The path from one value to the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Anneal {
    /// Half a cosine.
    Cos,
    /// A line.
    Linear,
}

/// The one-cycle policy, as `torch.optim.lr_scheduler.OneCycleLR`.
///
/// It has a learning rate of its own, `max_lr`, whatever those of the groups are.
///
/// ```
/// use nn::optim::{OneCycleLr, Schedule};
/// let schedule = OneCycleLr { pct_start: 0.25, ..OneCycleLr::new(0.5, 101) };
/// let lrs: Vec<f64> = (0..101).map(|step| schedule.lr_at(0.1, step)).collect();
/// assert!((lrs[0] - 0.5 / 25.0).abs() < 1e-15 && (lrs[100] - 0.5 / 25.0 / 1e4).abs() < 1e-15);
/// assert!(lrs[..25].is_sorted() && lrs[25..].is_sorted_by(|a, b| a > b));
/// ```
#[derive(Clone, Debug, PartialEq)]
#[doc(alias = "OneCycleLR")]
pub struct OneCycleLr {
    /// The highest learning rate.
    pub max_lr: f64,
    /// The number of steps.
    pub total_steps: usize,
    /// How much of them the rise takes, from 0 to 1.
    pub pct_start: f64,
    /// The path from one value to the next.
    pub anneal: Anneal,
    /// Whether the momentum changes too. The optimiser must have one.
    pub cycle_momentum: bool,
    /// The lowest momentum.
    pub base_momentum: f64,
    /// The highest momentum.
    pub max_momentum: f64,
    /// How many times lower than `max_lr` the first learning rate is.
    pub div_factor: f64,
    /// How many times lower than the first learning rate the last one is.
    pub final_div_factor: f64,
    /// Whether the learning rate falls to its first value as fast as it rose, and goes on from there.
    pub three_phase: bool,
}

impl OneCycleLr {
    /// A cycle of this many steps with PyTorch's defaults.
    pub fn new(max_lr: f64, total_steps: usize) -> OneCycleLr {
        OneCycleLr {
            max_lr,
            total_steps,
            pct_start: 0.3,
            anneal: Anneal::Cos,
            cycle_momentum: true,
            base_momentum: 0.85,
            max_momentum: 0.95,
            div_factor: 25.0,
            final_div_factor: 1e4,
            three_phase: false,
        }
    }

    /// Where a step is on the path from `first` over `peak` (and `first` again) to `last`.
    #[track_caller]
    fn along(&self, step: usize, first: f64, peak: f64, last: f64) -> f64 {
        let &OneCycleLr { total_steps, pct_start, anneal, three_phase, .. } = self;
        assert!(step <= total_steps, "OneCycleLr: step {step} of a cycle of {total_steps} steps");
        assert!((0.0..=1.0).contains(&pct_start), "OneCycleLr: pct_start is {pct_start}, and must be from 0 to 1");
        let (step, total) = (step as f64, total_steps as f64);
        let risen = pct_start * total - 1.0;
        let fallen = 2.0 * risen;
        let (start, end, from, to) = if step <= risen {
            (0.0, risen, first, peak)
        } else if !three_phase {
            (risen, total - 1.0, peak, last)
        } else if step <= fallen {
            (risen, fallen, peak, first)
        } else {
            (fallen, total - 1.0, first, last)
        };
        // Of a phase that is one step long, that step is the end.
        let part = if end == start { 1.0 } else { (step - start) / (end - start) };
        anneal.between(from, to, part)
    }
}

impl Anneal {
    fn between(self, start: f64, end: f64, part: f64) -> f64 {
        match self {
            Anneal::Cos => end + (start - end) / 2.0 * ((PI * part).cos() + 1.0),
            Anneal::Linear => (end - start) * part + start,
        }
    }
}

impl Schedule for OneCycleLr {
    /// # Panics
    /// If `step` is above `total_steps`, or a field makes no sense.
    #[track_caller]
    fn lr_at(&self, _base: f64, step: usize) -> f64 {
        let first = self.max_lr / self.div_factor;
        self.along(step, first, self.max_lr, first / self.final_div_factor)
    }

    #[track_caller]
    fn momentum_at(&self, step: usize) -> Option<f64> {
        let &OneCycleLr { base_momentum: low, max_momentum: high, .. } = self;
        self.cycle_momentum.then(|| self.along(step, high, low, high))
    }
}
