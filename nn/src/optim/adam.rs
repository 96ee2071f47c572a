//! Adam and AdamW (Kingma and Ba 2015; Loshchilov and Hutter 2019).
//!
//! At step t, with the gradient g:
//!
//! ```text
//! Adam:   g ← g + λ·x             AdamW:  x ← x - lr·λ·x       (weight decay, if any)
//! m ← m + (1 - β₁)·(g - m)                                     the mean of gradients
//! v ← β₂·v + (1 - β₂)·g²                                       the mean of their squares
//! x ← x - lr · m/(1 - β₁ᵗ) / (√(v/(1 - β₂ᵗ)) + ε)
//! ```
//!
//! Both means start at 0; dividing by 1 - βᵗ takes out what that start still weighs. With `amsgrad`
//! (Reddi et al. 2018) the largest v so far stands in place of v in the last line.
//!
//! The last line is computed as `x - (lr·c/(1 - β₁ᵗ))·m / (√v + ε·c)` with c = √(1 - β₂ᵗ): the same, with
//! one division a number fewer.

use super::groups::{Change, Groups, Rule};
use super::options::{decayed, fractions, learning_rate, not_negative};
use autograd::Number;
use autograd::kernels::update::Update;

/// Adam, as `torch.optim.Adam`: weight decay is part of the gradient.
///
/// It takes dense gradients only; [`SparseAdam`](super::SparseAdam) takes sparse ones.
pub type Adam = Groups<AdamOptions>;

/// Adam with decoupled weight decay, as `torch.optim.AdamW`: decay shrinks the values themselves, however
/// large their gradients are.
pub type AdamW = Groups<AdamWOptions>;

/// Options of [`Adam`].
#[derive(Clone, Debug, PartialEq)]
pub struct AdamOptions {
    /// The learning rate.
    pub lr: f64,
    /// β₁ and β₂: how much of the means of gradients and of their squares stays at each step.
    pub betas: (f64, f64),
    /// ε, which keeps the division from 0.
    pub eps: f64,
    /// λ: the penalty is λ/2·x².
    pub weight_decay: f64,
    /// Whether to divide by the largest mean of squares so far.
    pub amsgrad: bool,
}

/// Options of [`AdamW`].
#[derive(Clone, Debug, PartialEq)]
pub struct AdamWOptions {
    /// The learning rate.
    pub lr: f64,
    /// β₁ and β₂: how much of the means of gradients and of their squares stays at each step.
    pub betas: (f64, f64),
    /// ε, which keeps the division from 0.
    pub eps: f64,
    /// λ: each step takes lr·λ of every value.
    pub weight_decay: f64,
    /// Whether to divide by the largest mean of squares so far.
    pub amsgrad: bool,
}

impl Default for AdamOptions {
    fn default() -> Self {
        AdamOptions { lr: 1e-3, betas: (0.9, 0.999), eps: 1e-8, weight_decay: 0.0, amsgrad: false }
    }
}

impl Default for AdamWOptions {
    fn default() -> Self {
        AdamWOptions { lr: 1e-3, betas: (0.9, 0.999), eps: 1e-8, weight_decay: 1e-2, amsgrad: false }
    }
}

macro_rules! rule {
    ($options:ident, $name:literal, |$lr:ident, $decay:ident| $decays:expr) => {
        impl Rule for $options {
            const NAME: &'static str = $name;
            type Step = Step;

            #[track_caller]
            fn check(&self) {
                let &$options { lr, betas, eps, weight_decay, amsgrad: _ } = self;
                not_negative($name, [("lr", lr), ("eps", eps), ("weight_decay", weight_decay)]);
                fractions($name, [("betas.0", betas.0), ("betas.1", betas.1)]);
            }

            learning_rate!();

            fn set_momentum(&mut self, momentum: f64) -> bool {
                self.betas.0 = momentum;
                true
            }

            fn state(&self) -> &'static [&'static str] {
                let all = &["exp_avg", "exp_avg_sq", "max_exp_avg_sq"];
                if self.amsgrad { all } else { &all[..2] }
            }

            fn at_step(&self, step: u64) -> Step {
                let $options { lr: $lr, betas, eps, weight_decay: $decay, .. } = *self;
                let (coupled_decay, shrink) = $decays;
                Step { coupled_decay, shrink: shrink as f32, ..Step::new($lr, betas, eps, step) }
            }

            fn apply(&self, step: Step, change: Change<'_>) {
                if self.amsgrad { change.by::<3, _>(step) } else { change.by::<2, _>(step) }
            }
        }
    };
}
rule!(AdamOptions, "Adam", |lr, weight_decay| (weight_decay as f32, 1.0));
rule!(AdamWOptions, "AdamW", |lr, weight_decay| (0.0, 1.0 - lr * weight_decay));

/// The coefficients of one step.
#[derive(Clone, Copy)]
pub struct Step {
    coupled_decay: f32,
    /// What decoupled decay leaves of the value.
    shrink: f32,
    /// 1 - β₁
    new1: f32,
    beta2: f32,
    /// 1 - β₂
    new2: f32,
    /// lr·c/(1 - β₁ᵗ)
    size: f32,
    /// ε·c
    eps: f32,
}

impl Step {
    fn new(lr: f64, (beta1, beta2): (f64, f64), eps: f64, step: u64) -> Step {
        let correction1 = 1.0 - beta1.powf(step as f64);
        let c = (1.0 - beta2.powf(step as f64)).sqrt();
        Step {
            coupled_decay: 0.0,
            shrink: 1.0,
            new1: (1.0 - beta1) as f32,
            beta2: beta2 as f32,
            new2: (1.0 - beta2) as f32,
            size: (lr * c / correction1) as f32,
            eps: (eps * c) as f32,
        }
    }

    /// The new value without the division, and the new means.
    #[inline(always)]
    fn means(self, value: f32, gradient: f32, mean: f32, square: f32) -> (f32, f32, f32) {
        let gradient = decayed(gradient, value, self.coupled_decay);
        let mean = mean + self.new1 * (gradient - mean);
        let square = self.beta2 * square + self.new2 * gradient * gradient;
        (value * self.shrink, mean, square)
    }

    #[inline(always)]
    fn moved(self, value: f32, mean: f32, square: f32) -> f32 {
        value - self.size * mean / (square.sqrt() + self.eps)
    }
}

impl Update<2> for Step {
    #[inline(always)]
    fn eval(self, value: f32, gradient: f32, [mean, square]: [f32; 2]) -> (f32, [f32; 2]) {
        let (value, mean, square) = self.means(value, gradient, mean, square);
        (self.moved(value, mean, square), [mean, square])
    }
}

impl Update<3> for Step {
    #[inline(always)]
    fn eval(self, value: f32, gradient: f32, [mean, square, largest]: [f32; 3]) -> (f32, [f32; 3]) {
        let (value, mean, square) = self.means(value, gradient, mean, square);
        let largest = Number::maximum(largest, square);
        (self.moved(value, mean, largest), [mean, square, largest])
    }
}
