//! A learning rate that falls when a metric no longer improves.

use super::super::progress::{Goal, Threshold};
use super::super::state::{Reader, State, StateError};
use crate::optim::Optimizer;

/// Options of [`ReduceLrOnPlateau`].
#[derive(Clone, Debug, PartialEq)]
pub struct PlateauOptions {
    /// Whether less of the metric is better, or more.
    pub goal: Goal,
    /// What is left of the learning rate after a fall: below 1.
    pub factor: f64,
    /// How many epochs without improvement are let pass.
    pub patience: usize,
    /// By how much the metric must improve to count.
    pub threshold: Threshold,
    /// How many epochs after a fall do not count as being without improvement.
    pub cooldown: usize,
    /// The learning rate falls no lower.
    pub min_lr: f64,
    /// A fall by no more than this is left out.
    pub eps: f64,
}

impl Default for PlateauOptions {
    fn default() -> Self {
        PlateauOptions {
            goal: Goal::Min,
            factor: 0.1,
            patience: 10,
            threshold: Threshold::Relative(1e-4),
            cooldown: 0,
            min_lr: 0.0,
            eps: 1e-8,
        }
    }
}

/// Lowers the learning rates when a metric has not improved for some epochs, as
/// `torch.optim.lr_scheduler.ReduceLROnPlateau`.
///
/// ```
/// use autograd::Tensor;
/// use nn::Parameter;
/// use nn::optim::{Optimizer, PlateauOptions, ReduceLrOnPlateau, Sgd, SgdOptions};
///
/// let w = Parameter::new(Tensor::from([1.0]));
/// let mut optimizer = Sgd::new([w], SgdOptions { lr: 1.0, ..Default::default() });
/// let options = PlateauOptions { factor: 0.5, patience: 1, ..Default::default() };
/// let mut plateau = ReduceLrOnPlateau::new(options);
/// for loss in [3.0, 2.0, 2.5] {
///     assert!(!plateau.step(loss, &mut optimizer));
/// }
/// assert!(plateau.step(2.0, &mut optimizer)); // The second without improvement.
/// assert_eq!(optimizer.lr(), 0.5);
/// ```
#[derive(Clone, Debug)]
#[doc(alias = "ReduceLROnPlateau")]
pub struct ReduceLrOnPlateau {
    options: PlateauOptions,
    best: f64,
    num_bad_epochs: usize,
    cooldown_counter: usize,
}

impl ReduceLrOnPlateau {
    /// One that has seen no metric.
    ///
    /// # Panics
    /// If the factor is not below 1.
    #[track_caller]
    pub fn new(options: PlateauOptions) -> ReduceLrOnPlateau {
        assert!(options.factor < 1.0, "ReduceLrOnPlateau: factor is {}, and must be below 1", options.factor);
        let best = options.goal.worst();
        ReduceLrOnPlateau { options, best, num_bad_epochs: 0, cooldown_counter: 0 }
    }

    /// Takes an epoch's metric and lowers the learning rates, if it is time. Returns whether it was.
    pub fn step(&mut self, metric: f64, optimizer: &mut dyn Optimizer) -> bool {
        let PlateauOptions { goal, patience, threshold, cooldown, .. } = self.options;
        if goal.improves(metric, self.best, threshold) {
            (self.best, self.num_bad_epochs) = (metric, 0);
        } else {
            self.num_bad_epochs += 1;
        }
        if self.cooldown_counter > 0 {
            self.cooldown_counter -= 1;
            self.num_bad_epochs = 0;
        }
        let lower = self.num_bad_epochs > patience;
        if lower {
            self.lower(optimizer);
            (self.cooldown_counter, self.num_bad_epochs) = (cooldown, 0);
        }
        lower
    }

    fn lower(&self, optimizer: &mut dyn Optimizer) {
        let PlateauOptions { factor, min_lr, eps, .. } = self.options;
        for group in 0..optimizer.group_count() {
            let before = optimizer.group_lr(group);
            let lr = (before * factor).max(min_lr);
            if before - lr > eps {
                optimizer.set_group_lr(group, lr);
            }
        }
    }

    /// The best metric so far, and how long ago it was. The learning rates are the optimiser's state.
    pub fn state(&self) -> State {
        let mut state = State::default();
        state.scalars.insert("best".to_string(), self.best);
        state.scalars.insert("num_bad_epochs".to_string(), self.num_bad_epochs as f64);
        state.scalars.insert("cooldown_counter".to_string(), self.cooldown_counter as f64);
        state
    }

    /// Continues where `state` stood.
    ///
    /// # Errors
    /// If anything is missing or unexpected. The error lists it all, and nothing changes.
    pub fn load_state(&mut self, state: &State) -> Result<(), StateError> {
        let mut reader = Reader::new(state);
        let best = reader.scalar("best".to_string(), |best| !best.is_nan());
        let bad = reader.count("num_bad_epochs".to_string());
        let cooldown = reader.count("cooldown_counter".to_string());
        reader.finish()?;
        self.best = best.unwrap_or_default();
        self.num_bad_epochs = bad.unwrap_or_default() as usize;
        self.cooldown_counter = cooldown.unwrap_or_default() as usize;
        Ok(())
    }
}
