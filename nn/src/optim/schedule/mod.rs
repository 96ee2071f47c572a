//! Learning rates that change as training goes on.
//!
//! A [`Schedule`] is a formula: from the step, counted from 0, and the learning rate that a group was made
//! with, to the learning rate of that step. It can be called by hand,
//!
//! ```
//! use nn::optim::{CosineAnnealingLr, Schedule};
//! let schedule = CosineAnnealingLr { eta_min: 0.01, ..CosineAnnealingLr::new(100) };
//! assert_eq!(schedule.lr_at(0.1, 0), 0.1);
//! assert!((schedule.lr_at(0.1, 50) - 0.055).abs() < 1e-12);
//! ```
//!
//! or a [`Scheduler`] counts the steps and tells the optimiser, as PyTorch's schedulers do.
//!
//! | schedule | the learning rate |
//! |---|---|
//! | [`StepLr`], [`MultiStepLr`] | falls by a factor every so many steps, or at given steps |
//! | [`ExponentialLr`] | falls by a factor every step |
//! | [`CosineAnnealingLr`], [`CosineAnnealingWarmRestarts`] | falls along half a cosine, once or again and again |
//! | [`LinearLr`] | moves along a line: warm-up |
//! | [`OneCycleLr`] | rises, then falls far below where it began |
//! | [`LambdaLr`] | is what a function says |
//! | [`SequentialLr`] | follows one schedule after the other |
//! | [`ReduceLrOnPlateau`] | falls by a factor when a metric no longer improves |

mod cosine;
mod lambda;
mod linear;
mod one_cycle;
mod plateau;
mod sequential;
mod step;

pub use cosine::{CosineAnnealingLr, CosineAnnealingWarmRestarts};
pub use lambda::LambdaLr;
pub use linear::LinearLr;
pub use one_cycle::{Anneal, OneCycleLr};
pub use plateau::{PlateauOptions, ReduceLrOnPlateau};
pub use sequential::SequentialLr;
pub use step::{ExponentialLr, MultiStepLr, StepLr};

use super::Optimizer;
use super::state::{Reader, State, StateError};

/// A learning rate as a function of the step.
pub trait Schedule {
    /// The learning rate of step `step`, counted from 0, where `base` is the one that the group was made with.
    ///
    /// # Panics
    /// If a field of the schedule makes no sense.
    #[track_caller]
    fn lr_at(&self, base: f64, step: usize) -> f64;

    /// The momentum of step `step`, for the schedules that change it too.
    ///
    /// # Panics
    /// As [`lr_at`](Schedule::lr_at).
    #[track_caller]
    fn momentum_at(&self, _step: usize) -> Option<f64> {
        None
    }
}

impl<S: Schedule + ?Sized> Schedule for Box<S> {
    #[track_caller]
    fn lr_at(&self, base: f64, step: usize) -> f64 {
        (**self).lr_at(base, step)
    }

    #[track_caller]
    fn momentum_at(&self, step: usize) -> Option<f64> {
        (**self).momentum_at(step)
    }
}

/// Counts steps and tells an optimiser the learning rates of its groups.
///
/// ```
/// use autograd::Tensor;
/// use nn::Parameter;
/// use nn::optim::{LinearLr, Optimizer, Scheduler, Sgd, SgdOptions};
///
/// let w = Parameter::new(Tensor::from([1.0]));
/// let mut optimizer = Sgd::new([w.clone()], SgdOptions { lr: 0.8, ..Default::default() });
/// let warm_up = LinearLr { start_factor: 0.25, end_factor: 1.0, total_iters: 3 };
/// let mut scheduler = Scheduler::new(warm_up, &mut optimizer);
/// let mut lrs = Vec::new();
/// for _ in 0..5 {
///     lrs.push(optimizer.lr());
///     // … forward, backward …
///     optimizer.step();
///     scheduler.step(&mut optimizer);
/// }
/// assert_eq!(lrs, [0.2, 0.4, 0.6000000000000001, 0.8, 0.8]);
/// ```
#[derive(Clone, Debug)]
pub struct Scheduler<S: Schedule> {
    schedule: S,
    base_lrs: Vec<f64>,
    step: usize,
}

impl<S: Schedule> Scheduler<S> {
    /// A scheduler at step 0, where the learning rates that the optimiser's groups have now are their own.
    ///
    /// # Panics
    /// If a field of the schedule makes no sense, or it changes the momentum of an optimiser that has none.
    #[track_caller]
    pub fn new(schedule: S, optimizer: &mut dyn Optimizer) -> Scheduler<S> {
        let base_lrs = (0..optimizer.group_count()).map(|group| optimizer.group_lr(group)).collect();
        let scheduler = Scheduler { schedule, base_lrs, step: 0 };
        scheduler.tell(optimizer);
        scheduler
    }

    /// Goes to the next step. Groups added later keep their own learning rate.
    ///
    /// # Panics
    /// As [`new`](Scheduler::new).
    #[track_caller]
    pub fn step(&mut self, optimizer: &mut dyn Optimizer) {
        self.step += 1;
        self.tell(optimizer);
    }

    #[track_caller]
    fn tell(&self, optimizer: &mut dyn Optimizer) {
        for (group, &base) in self.base_lrs.iter().enumerate() {
            optimizer.set_group_lr(group, self.schedule.lr_at(base, self.step));
        }
        if let Some(momentum) = self.schedule.momentum_at(self.step) {
            optimizer.set_momentum(momentum);
        }
    }

    /// The step it is at, and the learning rates that the groups had at the start.
    pub fn state(&self) -> State {
        let mut state = State::default();
        state.scalars.insert("step".to_string(), self.step as f64);
        for (group, &base) in self.base_lrs.iter().enumerate() {
            state.scalars.insert(base_lr_name(group), base);
        }
        state
    }

    /// Continues where `state` stood, and tells the optimiser.
    ///
    /// # Errors
    /// If anything is missing or unexpected. The error lists it all, and nothing changes.
    ///
    /// # Panics
    /// As [`new`](Scheduler::new).
    #[track_caller]
    pub fn load_state(&mut self, state: &State, optimizer: &mut dyn Optimizer) -> Result<(), StateError> {
        let mut reader = Reader::new(state);
        let step = reader.count("step".to_string());
        let base = |group| reader.scalar(base_lr_name(group), |lr| !lr.is_nan());
        let base_lrs: Vec<_> = (0..self.base_lrs.len()).filter_map(base).collect();
        reader.finish()?;
        (self.step, self.base_lrs) = (step.unwrap_or_default() as usize, base_lrs);
        self.tell(optimizer);
        Ok(())
    }
}

fn base_lr_name(group: usize) -> String {
    format!("groups.{group}.base_lr")
}
