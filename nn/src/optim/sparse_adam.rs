//! Adam for the rows that were used. For each row in the gradient, with t the number of steps of the table:
//!
//! ```text
//! m ← m + (1 - β₁)·(g - m)
//! v ← v + (1 - β₂)·(g² - v)
//! x ← x - lr·√(1 - β₂ᵗ)/(1 - β₁ᵗ) · m/(√v + ε)
//! ```
//!
//! A dense Adam moves every row at every step, since the means of unused rows are not 0; this one leaves
//! them, and their means, as they are. And ε is added to √v as it is, not to the corrected √(v/(1 - β₂ᵗ)).

use super::groups::{Change, Groups, Rule};
use super::options::{fractions, learning_rate, not_negative};
use autograd::kernels::update::Update;

/// Adam for sparse gradients, as `torch.optim.SparseAdam`. It takes no dense ones.
pub type SparseAdam = Groups<SparseAdamOptions>;

/// Options of [`SparseAdam`].
#[derive(Clone, Debug, PartialEq)]
pub struct SparseAdamOptions {
    /// The learning rate.
    pub lr: f64,
    /// β₁ and β₂: how much of the means of gradients and of their squares stays at each step.
    pub betas: (f64, f64),
    /// ε, which keeps the division from 0.
    pub eps: f64,
}

impl Default for SparseAdamOptions {
    fn default() -> Self {
        SparseAdamOptions { lr: 1e-3, betas: (0.9, 0.999), eps: 1e-8 }
    }
}

impl Rule for SparseAdamOptions {
    const NAME: &'static str = "SparseAdam";
    type Step = Step;

    #[track_caller]
    fn check(&self) {
        let &SparseAdamOptions { lr, betas, eps } = self;
        not_negative(Self::NAME, [("lr", lr), ("eps", eps)]);
        fractions(Self::NAME, [("betas.0", betas.0), ("betas.1", betas.1)]);
    }

    learning_rate!();

    fn set_momentum(&mut self, momentum: f64) -> bool {
        self.betas.0 = momentum;
        true
    }

    fn state(&self) -> &'static [&'static str] {
        &["exp_avg", "exp_avg_sq"]
    }

    fn refusal(&self, sparse: bool) -> Option<&'static str> {
        (!sparse).then_some("takes no dense gradients; use Adam for them, or make the embedding sparse")
    }

    fn at_step(&self, step: u64) -> Step {
        let (beta1, beta2) = self.betas;
        let correction1 = 1.0 - beta1.powf(step as f64);
        let correction2 = 1.0 - beta2.powf(step as f64);
        Step {
            new1: (1.0 - beta1) as f32,
            new2: (1.0 - beta2) as f32,
            size: (self.lr * correction2.sqrt() / correction1) as f32,
            eps: self.eps as f32,
        }
    }

    fn apply(&self, step: Step, change: Change<'_>) {
        change.by(step);
    }
}

/// The coefficients of one step.
#[derive(Clone, Copy)]
pub struct Step {
    /// 1 - β₁
    new1: f32,
    /// 1 - β₂
    new2: f32,
    size: f32,
    eps: f32,
}

impl Update<2> for Step {
    #[inline(always)]
    fn eval(self, value: f32, gradient: f32, [mean, square]: [f32; 2]) -> (f32, [f32; 2]) {
        let mean = mean + self.new1 * (gradient - mean);
        let square = square + self.new2 * (gradient * gradient - square);
        (value - self.size * mean / (square.sqrt() + self.eps), [mean, square])
    }
}
