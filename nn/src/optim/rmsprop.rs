//! RMSprop (Hinton's lecture 6e, 2012): each value's step is divided by the size that its gradients have had.
//!
//! With the gradient g, to which weight decay adds λ·x:
//!
//! ```text
//! v ← α·v + (1 - α)·g²                       the mean of squares
//! centred:   a ← a + (1 - α)·(g - a)         the mean of gradients
//!            d = √(v - a²) + ε               their standard deviation
//! otherwise: d = √v + ε
//! momentum:  b ← μ·b + g/d,  x ← x - lr·b
//! otherwise: x ← x - lr·g/d
//! ```

use super::groups::{Change, Groups, Rule};
use super::options::{decayed, learning_rate, not_negative};
use autograd::kernels::update::Update;

/// RMSprop, as `torch.optim.RMSprop`.
pub type RmsProp = Groups<RmsPropOptions>;

/// Options of [`RmsProp`].
#[derive(Clone, Debug, PartialEq)]
pub struct RmsPropOptions {
    /// The learning rate.
    pub lr: f64,
    /// α: how much of the means stays at each step.
    pub alpha: f64,
    /// ε, which keeps the division from 0.
    pub eps: f64,
    /// λ: the penalty is λ/2·x².
    pub weight_decay: f64,
    /// μ: how much of the last step's direction goes on.
    pub momentum: f64,
    /// Whether to divide by the standard deviation of gradients (Graves 2013).
    pub centered: bool,
}

impl Default for RmsPropOptions {
    fn default() -> Self {
        RmsPropOptions { lr: 1e-2, alpha: 0.99, eps: 1e-8, weight_decay: 0.0, momentum: 0.0, centered: false }
    }
}

impl Rule for RmsPropOptions {
    const NAME: &'static str = "RmsProp";
    type Step = Step;

    #[track_caller]
    fn check(&self) {
        let &RmsPropOptions { lr, alpha, eps, weight_decay, momentum, centered: _ } = self;
        not_negative(Self::NAME, [("lr", lr), ("alpha", alpha), ("eps", eps)]);
        not_negative(Self::NAME, [("weight_decay", weight_decay), ("momentum", momentum)]);
    }

    learning_rate!();

    fn set_momentum(&mut self, momentum: f64) -> bool {
        self.momentum = momentum;
        true
    }

    fn state(&self) -> &'static [&'static str] {
        match (self.momentum > 0.0, self.centered) {
            (false, false) => &["square_avg"],
            (true, false) => &["square_avg", "momentum_buffer"],
            (false, true) => &["square_avg", "grad_avg"],
            (true, true) => &["square_avg", "momentum_buffer", "grad_avg"],
        }
    }

    fn at_step(&self, _: u64) -> Step {
        Step {
            lr: self.lr as f32,
            alpha: self.alpha as f32,
            new: (1.0 - self.alpha) as f32,
            eps: self.eps as f32,
            weight_decay: self.weight_decay as f32,
            momentum: self.momentum as f32,
        }
    }

    fn apply(&self, step: Step, change: Change<'_>) {
        match (self.momentum > 0.0, self.centered) {
            (false, false) => change.by(Plain(step)),
            (true, false) => change.by(Momentum(step)),
            (false, true) => change.by(Centered(step)),
            (true, true) => change.by(CenteredMomentum(step)),
        }
    }
}

/// The coefficients of one step.
#[derive(Clone, Copy)]
pub struct Step {
    lr: f32,
    alpha: f32,
    /// 1 - α
    new: f32,
    eps: f32,
    weight_decay: f32,
    momentum: f32,
}

impl Step {
    #[inline(always)]
    fn square(self, square: f32, gradient: f32) -> f32 {
        self.alpha * square + self.new * gradient * gradient
    }

    #[inline(always)]
    fn mean(self, mean: f32, gradient: f32) -> f32 {
        mean + self.new * (gradient - mean)
    }
}

#[derive(Clone, Copy)]
struct Plain(Step);
#[derive(Clone, Copy)]
struct Momentum(Step);
#[derive(Clone, Copy)]
struct Centered(Step);
#[derive(Clone, Copy)]
struct CenteredMomentum(Step);

impl Update<1> for Plain {
    #[inline(always)]
    fn eval(self, value: f32, gradient: f32, [square]: [f32; 1]) -> (f32, [f32; 1]) {
        let gradient = decayed(gradient, value, self.0.weight_decay);
        let square = self.0.square(square, gradient);
        (value - self.0.lr * gradient / (square.sqrt() + self.0.eps), [square])
    }
}

impl Update<2> for Momentum {
    #[inline(always)]
    fn eval(self, value: f32, gradient: f32, [square, buffer]: [f32; 2]) -> (f32, [f32; 2]) {
        let gradient = decayed(gradient, value, self.0.weight_decay);
        let square = self.0.square(square, gradient);
        let buffer = self.0.momentum * buffer + gradient / (square.sqrt() + self.0.eps);
        (value - self.0.lr * buffer, [square, buffer])
    }
}

impl Update<2> for Centered {
    #[inline(always)]
    fn eval(self, value: f32, gradient: f32, [square, mean]: [f32; 2]) -> (f32, [f32; 2]) {
        let gradient = decayed(gradient, value, self.0.weight_decay);
        let (square, mean) = (self.0.square(square, gradient), self.0.mean(mean, gradient));
        let deviation = (square - mean * mean).sqrt();
        (value - self.0.lr * gradient / (deviation + self.0.eps), [square, mean])
    }
}

impl Update<3> for CenteredMomentum {
    #[inline(always)]
    fn eval(self, value: f32, gradient: f32, [square, buffer, mean]: [f32; 3]) -> (f32, [f32; 3]) {
        let gradient = decayed(gradient, value, self.0.weight_decay);
        let (square, mean) = (self.0.square(square, gradient), self.0.mean(mean, gradient));
        let deviation = (square - mean * mean).sqrt();
        let buffer = self.0.momentum * buffer + gradient / (deviation + self.0.eps);
        (value - self.0.lr * buffer, [square, buffer, mean])
    }
}
