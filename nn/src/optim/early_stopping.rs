//! Stopping when a metric no longer improves, with the model as it was at its best.

use super::progress::{Goal, Threshold};
use super::state::{Reader, State, StateError};
use crate::module::{Module, Part, Walk};
use autograd::Tensor;
use std::collections::BTreeMap;

/// Options of [`EarlyStopping`].
#[derive(Clone, Debug, PartialEq)]
pub struct EarlyStoppingOptions {
    /// Whether less of the metric is better, or more.
    pub goal: Goal,
    /// How many metrics in a row without improvement end the training.
    pub patience: usize,
    /// How much the metric must improve by to count: more than this.
    pub min_delta: f64,
}

impl Default for EarlyStoppingOptions {
    fn default() -> Self {
        EarlyStoppingOptions { goal: Goal::Min, patience: 10, min_delta: 0.0 }
    }
}

/// Watches a metric, keeps the model's best state, and says when to stop.
///
/// ```
/// use autograd::{Rng, Tensor};
/// use nn::Linear;
/// use nn::optim::{EarlyStopping, EarlyStoppingOptions};
///
/// let model = Linear::new(1, 1, &mut Rng::seeded(0));
/// let mut stopping = EarlyStopping::new(EarlyStoppingOptions { patience: 2, ..Default::default() });
/// let losses = [3.0, 1.0, 1.5, f64::NAN, 0.5];
/// let mut epochs = 0;
/// for loss in losses {
///     model.weight.set(&Tensor::from([[loss as f32]])); // … an epoch of training …
///     epochs += 1;
///     if stopping.observe(loss, &model) {
///         break;
///     }
/// }
/// assert_eq!((epochs, stopping.best()), (4, Some(1.0)));
/// stopping.restore(&model);
/// assert_eq!(model.weight.value().item(), 1.0);
/// ```
#[derive(Clone)]
pub struct EarlyStopping {
    options: EarlyStoppingOptions,
    best: f64,
    /// The metrics seen, and the number of the best one, counted from 1; 0 if there is none.
    seen: u64,
    best_at: u64,
    kept: BTreeMap<String, Tensor>,
}

impl EarlyStopping {
    /// One that has seen nothing.
    pub fn new(options: EarlyStoppingOptions) -> EarlyStopping {
        let best = options.goal.worst();
        EarlyStopping { options, best, seen: 0, best_at: 0, kept: BTreeMap::new() }
    }

    /// Takes the next metric, keeps the state of `module` if it is the best one, and returns whether it is
    /// time to stop. A NaN is no improvement.
    ///
    /// The state shares the module's memory until the next update, which moves on to a copy.
    pub fn observe<M: Module + ?Sized>(&mut self, metric: f64, module: &M) -> bool {
        self.seen += 1;
        if self.options.goal.improves(metric, self.best, Threshold::Absolute(self.options.min_delta)) {
            (self.best, self.best_at) = (metric, self.seen);
            self.kept = module.state().into_iter().collect();
        }
        self.should_stop()
    }

    /// Whether the last metrics, as many as there is patience, were no improvement.
    pub fn should_stop(&self) -> bool {
        self.seen > 0 && self.seen.saturating_sub(self.best_at) >= self.options.patience as u64
    }

    /// The best metric; `None` before the first.
    pub fn best(&self) -> Option<f64> {
        (self.best_at > 0).then_some(self.best)
    }

    /// Which metric was the best one, counted from 0; `None` before the first.
    pub fn best_at(&self) -> Option<u64> {
        self.best_at.checked_sub(1)
    }

    /// Puts the parameters and buffers of `module` back to what they were at the best metric. Before the
    /// first metric, nothing happens.
    ///
    /// # Panics
    /// If the module has other parameters than the one that was observed.
    #[track_caller]
    pub fn restore<M: Module + ?Sized>(&self, module: &M) {
        if self.best_at == 0 {
            return;
        }
        let shapes: BTreeMap<_, _> = module.state().into_iter().map(|(name, value)| (name, *value.shape())).collect();
        let fits = |(name, value): (&String, &Tensor)| shapes.get(name) == Some(value.shape());
        assert!(
            shapes.len() == self.kept.len() && self.kept.iter().all(fits),
            "restore: the module has other parameters than the one that was observed"
        );
        Walk::over(module, &mut |name, part| match part {
            Part::Parameter(parameter) => parameter.set(&self.kept[name]),
            Part::Buffer(buffer) => buffer.set(&self.kept[name]),
            _ => {}
        });
    }

    /// The metrics' record, and the best state (as `model.fc1.weight`).
    pub fn state(&self) -> State {
        let mut state = State::default();
        for (name, value) in [("best", self.best), ("best_at", self.best_at as f64), ("seen", self.seen as f64)] {
            state.scalars.insert(name.to_string(), value);
        }
        state.tensors = self.kept.iter().map(|(name, value)| (format!("model.{name}"), value.clone())).collect();
        state
    }

    /// Continues where `state` stood.
    ///
    /// # Errors
    /// If anything is missing or unexpected. The error lists it all, and nothing changes.
    pub fn load_state(&mut self, state: &State) -> Result<(), StateError> {
        let mut reader = Reader::new(state);
        let best = reader.scalar("best".to_string(), |best| !best.is_nan());
        let seen = reader.count("seen".to_string());
        let best_at = reader.count("best_at".to_string());
        let kept = reader.inside("model.");
        reader.finish()?;
        self.best = best.unwrap_or_default();
        self.seen = seen.unwrap_or_default();
        self.best_at = best_at.unwrap_or_default();
        self.kept = kept;
        Ok(())
    }
}
