//! Errors that are squared where they are small and absolute where they are large, so that outliers pull
//! no harder than others.
//!
//! ```text
//! Huber        loss = ½e² if |e| < δ, else δ·(|e| − ½δ)        dx = clamp(e, −δ, δ)·dy         e = x − t
//! smooth L1    the same with δ = β, divided by β                dx = clamp(e/β, −1, 1)·dy
//! ```

use super::l1::L1Loss;
use super::pointwise::{Error, OfError, pointwise, same_shape};
use autograd::{Float, Reduction, Tensor};

/// Squared up to an error of `delta` and linear beyond, as `torch.nn.HuberLoss`.
#[derive(Clone, Copy, Debug)]
pub struct HuberLoss {
    /// Where it changes; 1 by default.
    pub delta: f64,
    /// What becomes of the losses of the elements.
    pub reduction: Reduction,
}

impl Default for HuberLoss {
    fn default() -> Self {
        HuberLoss { delta: 1.0, reduction: Reduction::Mean }
    }
}

impl HuberLoss {
    /// The loss of an input and a target of one shape.
    ///
    /// # Panics
    /// If the shapes differ, or `delta` is not above 0.
    #[track_caller]
    pub fn forward<T: Float>(&self, input: &Tensor<T>, target: &Tensor<T>) -> Tensor<T> {
        let HuberLoss { delta, reduction } = *self;
        assert!(delta > 0.0, "huber_loss: delta is {delta}; it must be above 0");
        pointwise(Error(Huber { delta: T::from_f64(delta), scale: T::ONE }), input, target, reduction)
    }
}

/// The mean of [`HuberLoss`] with `delta` 1, as `torch.nn.functional.huber_loss`.
///
/// # Panics
/// If the shapes differ.
#[track_caller]
pub fn huber_loss<T: Float>(input: &Tensor<T>, target: &Tensor<T>) -> Tensor<T> {
    HuberLoss::default().forward(input, target)
}

/// Squared up to an error of `beta`, and |e| − ½·beta beyond, as `torch.nn.SmoothL1Loss`. With `beta` 0 it is
/// [`L1Loss`].
#[derive(Clone, Copy, Debug)]
pub struct SmoothL1Loss {
    /// Where it changes; 1 by default.
    pub beta: f64,
    /// What becomes of the losses of the elements.
    pub reduction: Reduction,
}

impl Default for SmoothL1Loss {
    fn default() -> Self {
        SmoothL1Loss { beta: 1.0, reduction: Reduction::Mean }
    }
}

impl SmoothL1Loss {
    /// The loss of an input and a target of one shape.
    ///
    /// # Panics
    /// If the shapes differ, or `beta` is negative.
    #[track_caller]
    pub fn forward<T: Float>(&self, input: &Tensor<T>, target: &Tensor<T>) -> Tensor<T> {
        let SmoothL1Loss { beta, reduction } = *self;
        assert!(beta >= 0.0, "smooth_l1_loss: beta is {beta}; it must not be negative");
        if beta == 0.0 {
            return L1Loss { reduction }.forward(input, target);
        }
        same_shape("smooth_l1_loss", input, target);
        let huber = Huber { delta: T::from_f64(beta), scale: T::from_f64(1.0 / beta) };
        pointwise(Error(huber), input, target, reduction)
    }
}

/// The mean of [`SmoothL1Loss`] with `beta` 1, as `torch.nn.functional.smooth_l1_loss`.
///
/// # Panics
/// If the shapes differ.
#[track_caller]
pub fn smooth_l1_loss<T: Float>(input: &Tensor<T>, target: &Tensor<T>) -> Tensor<T> {
    SmoothL1Loss::default().forward(input, target)
}

/// Huber's loss times a factor.
#[derive(Clone, Copy)]
struct Huber<T> {
    delta: T,
    scale: T,
}

impl<T: Float> OfError<T> for Huber<T> {
    const NAME: &'static str = "huber_loss";

    #[inline(always)]
    fn loss(self, e: T) -> T {
        let (size, half) = (e.abs(), T::from_f64(0.5));
        let (square, line) = (half * size * size, self.delta * (size - half * self.delta));
        self.scale * if size < self.delta { square } else { line }
    }
    #[inline(always)]
    fn slope(self, e: T) -> T {
        e.maximum(-self.delta).minimum(self.delta) * self.scale
    }
    fn slopes(self, e: Tensor<T>) -> Tensor<T> {
        e.clamp(-self.delta, self.delta) * self.scale
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::losses::testing::check;

    #[test]
    fn gradients() {
        for delta in [0.5, 2.0] {
            check(2, |reduction, x, t| HuberLoss { delta, reduction }.forward(x, t));
            check(2, |reduction, x, t| SmoothL1Loss { beta: delta, reduction }.forward(x, t));
        }
    }

    #[test]
    fn smooth_l1_without_a_smooth_part_is_l1() {
        let (x, t) = (Tensor::from([1.0, -2.0]), Tensor::from([1.5, 1.0]));
        assert_eq!(SmoothL1Loss { beta: 0.0, ..Default::default() }.forward(&x, &t).item(), 1.75);
    }
}
