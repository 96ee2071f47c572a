//! The squared error.
//!
//! ```text
//! loss = (x − t)²        dx = 2·(x − t)·dy        dt = −dx
//! ```

use super::pointwise::{Error, OfError, pointwise};
use autograd::{Float, Reduction, Tensor};

/// The squared error of an input and a target of one shape, as `torch.nn.MSELoss`.
#[derive(Clone, Copy, Debug, Default)]
pub struct MseLoss {
    /// What becomes of the losses of the elements.
    pub reduction: Reduction,
}

impl MseLoss {
    /// The loss.
    ///
    /// # Panics
    /// If the shapes differ.
    #[track_caller]
    pub fn forward<T: Float>(&self, input: &Tensor<T>, target: &Tensor<T>) -> Tensor<T> {
        pointwise(Error(SquaredError), input, target, self.reduction)
    }
}

/// The mean squared error, as `torch.nn.functional.mse_loss`.
///
/// # Panics
/// If the shapes differ.
#[track_caller]
pub fn mse_loss<T: Float>(input: &Tensor<T>, target: &Tensor<T>) -> Tensor<T> {
    MseLoss::default().forward(input, target)
}

#[derive(Clone, Copy)]
struct SquaredError;

impl<T: Float> OfError<T> for SquaredError {
    const NAME: &'static str = "mse_loss";

    #[inline(always)]
    fn loss(self, e: T) -> T {
        e * e
    }
    #[inline(always)]
    fn slope(self, e: T) -> T {
        e + e
    }
    fn slopes(self, e: Tensor<T>) -> Tensor<T> {
        e * T::from_f64(2.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::losses::testing::check;

    #[test]
    fn gradients() {
        check(3, |reduction, x, t| MseLoss { reduction }.forward(x, t));
    }

    #[test]
    #[should_panic(expected = "mse_loss: a target of shape [3] for an input of shape [3, 1]; [3, 1] would fit")]
    fn a_target_that_would_be_broadcast_is_refused() {
        mse_loss(&Tensor::zeros([3, 1]), &Tensor::zeros([3]));
    }
}
