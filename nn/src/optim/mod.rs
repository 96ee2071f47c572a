//! Optimisers: how parameters change by their gradients. They compute what PyTorch's do.
//!
//! ```
//! use autograd::{Rng, Tensor};
//! use nn::optim::{Optimizer, Sgd, SgdOptions};
//! use nn::{Linear, Module};
//!
//! let mut rng = Rng::seeded(0);
//! let (model, x) = (Linear::new(3, 1, &mut rng), Tensor::randn([8, 3], &mut rng));
//! let options = SgdOptions { lr: 0.05, momentum: 0.9, ..Default::default() };
//! let mut optimizer = Sgd::new(model.named_parameters(), options);
//! let mut losses = Vec::new();
//! for _ in 0..20 {
//!     let y = model.forward(&x); // [8, 1]
//!     let loss = (&y * &y).mean(..);
//!     optimizer.zero_grad();
//!     loss.backward();
//!     optimizer.step();
//!     losses.push(loss.item());
//! }
//! assert!(losses[19] < 0.1 * losses[0]);
//! ```
//!
//! | optimiser | options | keeps for each number | sparse gradients |
//! |---|---|---|---|
//! | [`Sgd`] | [`SgdOptions`] | nothing, or a momentum | without momentum |
//! | [`Adam`] | [`AdamOptions`] | two means (three for `amsgrad`) | no |
//! | [`AdamW`] | [`AdamWOptions`] | as Adam | no |
//! | [`RmsProp`] | [`RmsPropOptions`] | a mean; one more each for momentum and `centered` | no |
//! | [`Adagrad`] | [`AdagradOptions`] | a sum | yes |
//! | [`SparseAdam`] | [`SparseAdamOptions`] | two means | only |
//!
//! Beside them: learning rates that change as training goes on ([`schedule`]), gradients made smaller
//! ([`clip_grad_norm`], [`clip_grad_value`]), an end when nothing improves ([`EarlyStopping`]), and a moving average of
//! the weights ([`AveragedModel`]).
//!
//! [`groups`] holds what they have in common: parameter groups, the step, state that is saved and loaded.
//! An optimiser's own file holds its formula. One of your own is an implementation of [`Rule`].

mod adagrad;
mod adam;
mod averaged_model;
mod clip;
mod early_stopping;
pub mod groups;
mod options;
mod progress;
mod rmsprop;
pub mod schedule;
mod sgd;
mod sparse_adam;
mod state;

pub use adagrad::{Adagrad, AdagradOptions};
pub use adam::{Adam, AdamOptions, AdamW, AdamWOptions};
pub use averaged_model::AveragedModel;
pub use clip::{ClipOptions, NonFiniteNorm, clip_grad_norm, clip_grad_norm_with, clip_grad_value, grad_norm};
pub use early_stopping::{EarlyStopping, EarlyStoppingOptions};
pub use groups::{Groups, Parameters, Rule};
pub use progress::{Goal, Threshold};
pub use rmsprop::{RmsProp, RmsPropOptions};
pub use schedule::{
    Anneal, CosineAnnealingLr, CosineAnnealingWarmRestarts, ExponentialLr, LambdaLr, LinearLr, MultiStepLr, OneCycleLr,
    PlateauOptions, ReduceLrOnPlateau, Schedule, Scheduler, SequentialLr, StepLr,
};
pub use sgd::{Sgd, SgdOptions};
pub use sparse_adam::{SparseAdam, SparseAdamOptions};
pub(crate) use state::Reader;
pub use state::{Misshapen, State, StateError};

/// What every optimiser can do.
pub trait Optimizer {
    /// Changes every parameter that has a gradient.
    ///
    /// # Panics
    /// If a gradient is sparse and the optimiser takes only dense ones, or the other way round.
    #[track_caller]
    fn step(&mut self);

    /// Forgets the gradients of all parameters.
    fn zero_grad(&self);

    /// The number of parameter groups.
    fn group_count(&self) -> usize;

    /// The learning rate of one group.
    ///
    /// # Panics
    /// If there is no such group.
    #[track_caller]
    fn group_lr(&self, group: usize) -> f64;

    /// Changes the learning rate of one group.
    ///
    /// # Panics
    /// If there is no such group.
    #[track_caller]
    fn set_group_lr(&mut self, group: usize, lr: f64);

    /// The learning rate (of the first group).
    fn lr(&self) -> f64 {
        self.group_lr(0)
    }

    /// Changes the learning rate of all groups.
    fn set_lr(&mut self, lr: f64) {
        (0..self.group_count()).for_each(|group| self.set_group_lr(group, lr));
    }

    /// Changes the momentum of all groups: Adam's is its first beta.
    ///
    /// # Panics
    /// If the optimiser knows no momentum.
    #[track_caller]
    fn set_momentum(&mut self, momentum: f64);

    /// All that it takes to continue where the optimiser stands: for each parameter, the steps it has
    /// seen and what is kept for it (`fc1.weight.step`, `fc1.weight.exp_avg`), and each group's learning
    /// rate (`groups.0.lr`). The other options are not in it: they are given when the optimiser is made.
    ///
    /// It is a snapshot, and cheap: an optimiser that steps on moves to a copy.
    fn state(&self) -> State;

    /// Continues where `state` stood.
    ///
    /// # Errors
    /// If anything is missing, unexpected or of another shape. The error lists it all, and nothing changes.
    fn load_state(&mut self, state: &State) -> Result<(), StateError>;
}
