//! Adagrad (Duchi et al. 2011): each value's step is divided by the size of all its gradients so far, so
//! that rare features keep learning while frequent ones settle.
//!
//! With the gradient g, to which weight decay adds λ·x, at step t:
//!
//! ```text
//! s ← s + g²
//! x ← x - lr/(1 + (t - 1)·lr_decay) · g/(√s + ε)
//! ```

use super::groups::{Change, Groups, Rule};
use super::options::{decayed, learning_rate, not_negative};
use autograd::kernels::update::Update;

/// Adagrad, as `torch.optim.Adagrad`.
///
/// Without weight decay it takes sparse gradients: only the rows used change.
pub type Adagrad = Groups<AdagradOptions>;

/// Options of [`Adagrad`].
#[derive(Clone, Debug, PartialEq)]
pub struct AdagradOptions {
    /// The learning rate.
    pub lr: f64,
    /// How fast the learning rate falls.
    pub lr_decay: f64,
    /// λ: the penalty is λ/2·x².
    pub weight_decay: f64,
    /// What the sum of squares starts as.
    pub initial_accumulator_value: f64,
    /// ε, which keeps the division from 0.
    pub eps: f64,
}

impl Default for AdagradOptions {
    fn default() -> Self {
        AdagradOptions { lr: 1e-2, lr_decay: 0.0, weight_decay: 0.0, initial_accumulator_value: 0.0, eps: 1e-10 }
    }
}

impl Rule for AdagradOptions {
    const NAME: &'static str = "Adagrad";
    type Step = Step;

    #[track_caller]
    fn check(&self) {
        let &AdagradOptions { lr, lr_decay, weight_decay, initial_accumulator_value, eps } = self;
        not_negative(Self::NAME, [("lr", lr), ("lr_decay", lr_decay), ("weight_decay", weight_decay), ("eps", eps)]);
        not_negative(Self::NAME, [("initial_accumulator_value", initial_accumulator_value)]);
    }

    learning_rate!();

    fn state(&self) -> &'static [&'static str] {
        &["sum"]
    }

    fn initial(&self) -> f32 {
        self.initial_accumulator_value as f32
    }

    fn refusal(&self, sparse: bool) -> Option<&'static str> {
        (sparse && self.weight_decay != 0.0).then_some(
            "takes sparse gradients only without weight decay, which moves unused rows too; set it to 0, or make the \
             embedding dense",
        )
    }

    fn at_step(&self, step: u64) -> Step {
        Step {
            lr: (self.lr / (1.0 + (step - 1) as f64 * self.lr_decay)) as f32,
            eps: self.eps as f32,
            weight_decay: self.weight_decay as f32,
        }
    }

    fn apply(&self, step: Step, change: Change<'_>) {
        change.by(step);
    }
}

/// The coefficients of one step.
#[derive(Clone, Copy)]
pub struct Step {
    lr: f32,
    eps: f32,
    weight_decay: f32,
}

impl Update<1> for Step {
    #[inline(always)]
    fn eval(self, value: f32, gradient: f32, [sum]: [f32; 1]) -> (f32, [f32; 1]) {
        let gradient = decayed(gradient, value, self.weight_decay);
        let sum = sum + gradient * gradient;
        (value - self.lr * gradient / (sum.sqrt() + self.eps), [sum])
    }
}
