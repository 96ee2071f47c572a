//! Which of two scores is to be the larger one.
//!
//! ```text
//! loss = max(0, margin − t·(a − b))        t = 1: a is to be larger; t = −1: b is
//! ```

use super::pointwise::same_shape;
use autograd::{Float, Reduction, Tensor};

/// max(0, margin − t·(a − b)) for scores a and b and targets t of ±1, as `torch.nn.MarginRankingLoss`.
#[derive(Clone, Copy, Debug, Default)]
pub struct MarginRankingLoss {
    /// By how much the right one must be larger; 0 by default.
    pub margin: f64,
    /// What becomes of the losses of the elements.
    pub reduction: Reduction,
}

impl MarginRankingLoss {
    /// The loss of three tensors of one shape.
    ///
    /// # Panics
    /// If the shapes differ.
    #[track_caller]
    pub fn forward<T: Float>(&self, a: &Tensor<T>, b: &Tensor<T>, target: &Tensor<T>) -> Tensor<T> {
        assert!(
            a.shape() == b.shape(),
            "margin_ranking_loss: inputs of shapes {} and {}; they must be the same",
            a.shape(),
            b.shape()
        );
        same_shape("margin_ranking_loss", a, target);
        let losses = ((b - a) * target + T::from_f64(self.margin)).clamp_min(T::ZERO);
        self.reduction.apply(&losses)
    }
}

/// The mean of [`MarginRankingLoss`] with a margin of 0, as `torch.nn.functional.margin_ranking_loss`.
///
/// # Panics
/// If the shapes differ.
#[track_caller]
pub fn margin_ranking_loss<T: Float>(a: &Tensor<T>, b: &Tensor<T>, target: &Tensor<T>) -> Tensor<T> {
    MarginRankingLoss::default().forward(a, b, target)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::losses::testing::check;

    #[test]
    fn gradients() {
        check(2, |reduction, a, b| MarginRankingLoss { margin: 0.3, reduction }.forward(a, &a.sin(), b));
    }
}
