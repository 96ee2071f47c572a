//! Stochastic gradient descent.
//!
//! With the gradient g, to which weight decay adds λ·x:
//!
//! ```text
//! plain:     x ← x - lr·g
//! momentum:  b ← μ·b + (1 - dampening)·g      (b = g at the first step)
//!            x ← x - lr·b
//! Nesterov:  x ← x - lr·(g + μ·b)
//! ```

use super::groups::{Change, Groups, Rule};
use super::options::{decayed, learning_rate, not_negative};
use autograd::kernels::update::Update;

/// Stochastic gradient descent, as `torch.optim.SGD`.
///
/// Without momentum and weight decay it takes sparse gradients: only the rows used change.
pub type Sgd = Groups<SgdOptions>;

/// Options of [`Sgd`].
#[derive(Clone, Debug, PartialEq)]
pub struct SgdOptions {
    /// The learning rate.
    pub lr: f64,
    /// μ: how much of the last step's direction goes on. Sutskever et al. 2013.
    pub momentum: f64,
    /// How much of the gradient does not enter the momentum.
    pub dampening: f64,
    /// λ: the penalty is λ/2·x².
    pub weight_decay: f64,
    /// Whether the gradient is taken where momentum will lead.
    pub nesterov: bool,
}

impl Default for SgdOptions {
    fn default() -> Self {
        SgdOptions { lr: 1e-3, momentum: 0.0, dampening: 0.0, weight_decay: 0.0, nesterov: false }
    }
}

impl Rule for SgdOptions {
    const NAME: &'static str = "Sgd";
    type Step = Step;

    #[track_caller]
    fn check(&self) {
        let &SgdOptions { lr, momentum, dampening, weight_decay, nesterov } = self;
        not_negative(Self::NAME, [("lr", lr), ("momentum", momentum), ("weight_decay", weight_decay)]);
        assert!(
            !nesterov || (momentum > 0.0 && dampening == 0.0),
            "Sgd: nesterov takes a momentum above 0 and no dampening, not momentum {momentum} and dampening {dampening}"
        );
    }

    learning_rate!();

    fn set_momentum(&mut self, momentum: f64) -> bool {
        self.momentum = momentum;
        true
    }

    fn state(&self) -> &'static [&'static str] {
        if self.momentum == 0.0 { &[] } else { &["momentum_buffer"] }
    }

    fn refusal(&self, sparse: bool) -> Option<&'static str> {
        let dense_only = self.momentum != 0.0 || self.weight_decay != 0.0;
        (sparse && dense_only).then_some(
            "takes sparse gradients only without momentum and weight decay, which move unused rows too; set both to \
             0, use Adagrad or SparseAdam, or make the embedding dense",
        )
    }

    fn at_step(&self, _: u64) -> Step {
        Step {
            lr: self.lr as f32,
            weight_decay: self.weight_decay as f32,
            momentum: self.momentum as f32,
            keep: self.momentum as f32,
            take: (1.0 - self.dampening) as f32,
            nesterov: self.nesterov,
        }
    }

    fn apply(&self, step: Step, change: Change<'_>) {
        if self.momentum == 0.0 {
            change.by::<0, _>(step);
        } else if change.fresh {
            change.by::<1, _>(Step { keep: 0.0, take: 1.0, ..step });
        } else {
            change.by::<1, _>(step);
        }
    }
}

/// The coefficients of one step.
#[derive(Clone, Copy)]
pub struct Step {
    lr: f32,
    weight_decay: f32,
    momentum: f32,
    /// How much of the buffer stays,
    keep: f32,
    /// and how much of the gradient comes in.
    take: f32,
    nesterov: bool,
}

impl Update<0> for Step {
    #[inline(always)]
    fn eval(self, value: f32, gradient: f32, state: [f32; 0]) -> (f32, [f32; 0]) {
        (value - self.lr * decayed(gradient, value, self.weight_decay), state)
    }
}

impl Update<1> for Step {
    #[inline(always)]
    fn eval(self, value: f32, gradient: f32, [buffer]: [f32; 1]) -> (f32, [f32; 1]) {
        let gradient = decayed(gradient, value, self.weight_decay);
        let buffer = self.keep * buffer + self.take * gradient;
        let direction = if self.nesterov { gradient + self.momentum * buffer } else { buffer };
        (value - self.lr * direction, [buffer])
    }
}
