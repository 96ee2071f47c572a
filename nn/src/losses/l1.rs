//! The absolute error.
//!
//! ```text
//! loss = |x − t|        dx = sign(x − t)·dy        dt = −dx
//! ```
//!
//! The slope is 0 where x = t, and where one of them is NaN, as in PyTorch.

use super::pointwise::{Error, OfError, pointwise};
use autograd::{Float, Reduction, Tensor};

/// The absolute error of an input and a target of one shape, as `torch.nn.L1Loss`.
#[derive(Clone, Copy, Debug, Default)]
pub struct L1Loss {
    /// What becomes of the losses of the elements.
    pub reduction: Reduction,
}

impl L1Loss {
    /// The loss.
    ///
    /// # Panics
    /// If the shapes differ.
    #[track_caller]
    pub fn forward<T: Float>(&self, input: &Tensor<T>, target: &Tensor<T>) -> Tensor<T> {
        pointwise(Error(AbsoluteError), input, target, self.reduction)
    }
}

/// The mean absolute error, as `torch.nn.functional.l1_loss`.
///
/// # Panics
/// If the shapes differ.
#[track_caller]
pub fn l1_loss<T: Float>(input: &Tensor<T>, target: &Tensor<T>) -> Tensor<T> {
    L1Loss::default().forward(input, target)
}

#[derive(Clone, Copy)]
struct AbsoluteError;

impl<T: Float> OfError<T> for AbsoluteError {
    const NAME: &'static str = "l1_loss";

    #[inline(always)]
    fn loss(self, e: T) -> T {
        e.abs()
    }
    #[inline(always)]
    fn slope(self, e: T) -> T {
        let below = if e < T::ZERO { -T::ONE } else { T::ZERO };
        if e > T::ZERO { T::ONE } else { below }
    }
    fn slopes(self, e: Tensor<T>) -> Tensor<T> {
        e.sign()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::losses::testing::check;

    #[test]
    fn gradients() {
        check(2, |reduction, x, t| L1Loss { reduction }.forward(x, t));
    }

    #[test]
    fn the_kink_has_slope_zero() {
        let x = Tensor::from([2.0, 2.0, f32::NAN]).requires_grad();
        L1Loss { reduction: Reduction::Sum }.forward(&x, &Tensor::from([2.0, 1.0, 0.0])).backward();
        assert_eq!(x.grad().unwrap().to_vec(), [0.0, 1.0, 0.0]);
    }
}
