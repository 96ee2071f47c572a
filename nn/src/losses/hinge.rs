//! Margins: a loss that is zero once the answer is right by enough.
//!
//! ```text
//! hinge               loss = max(0, margin − t·x)                            t = ±1 and a score x
//! hinge embedding     loss = x if t = 1, max(0, margin − x) if t = −1        a distance x of what is alike (t = 1) or not
//! ```

use super::pointwise::{check_constant, same_shape};
use autograd::{Float, Reduction, Tensor};

/// max(0, margin − t·x) for scores x and targets t of ±1: the loss of support vector machines.
///
/// PyTorch has no such loss; for scores of several classes see [`MultiMarginLoss`](super::MultiMarginLoss).
#[derive(Clone, Copy, Debug)]
pub struct HingeLoss {
    /// By how much an answer must be right; 1 by default.
    pub margin: f64,
    /// What becomes of the losses of the elements.
    pub reduction: Reduction,
}

impl Default for HingeLoss {
    fn default() -> Self {
        HingeLoss { margin: 1.0, reduction: Reduction::Mean }
    }
}

impl HingeLoss {
    /// The loss.
    ///
    /// ```
    /// use autograd::Tensor;
    /// use nn::losses::{HingeLoss, Reduction};
    /// let loss = HingeLoss { reduction: Reduction::None, ..Default::default() };
    /// let losses = loss.forward(&Tensor::from([2.0, 0.25, 0.25]), &Tensor::from([1.0, 1.0, -1.0]));
    /// assert_eq!(losses.to_vec(), [0.0, 0.75, 1.25]);
    /// ```
    ///
    /// # Panics
    /// If the shapes differ.
    #[track_caller]
    pub fn forward<T: Float>(&self, input: &Tensor<T>, target: &Tensor<T>) -> Tensor<T> {
        same_shape("hinge_loss", input, target);
        let losses = (-(input * target) + T::from_f64(self.margin)).clamp_min(T::ZERO);
        self.reduction.apply(&losses)
    }
}

/// The mean of [`HingeLoss`] with a margin of 1.
///
/// # Panics
/// If the shapes differ.
#[track_caller]
pub fn hinge_loss<T: Float>(input: &Tensor<T>, target: &Tensor<T>) -> Tensor<T> {
    HingeLoss::default().forward(input, target)
}

/// Of distances x: x itself where the target is 1, max(0, margin − x) where it is −1, as
/// `torch.nn.HingeEmbeddingLoss`. (Where it is neither, the sum of both, as PyTorch has it.)
#[derive(Clone, Copy, Debug)]
pub struct HingeEmbeddingLoss {
    /// How far apart what is not alike must be; 1 by default.
    pub margin: f64,
    /// What becomes of the losses of the elements.
    pub reduction: Reduction,
}

impl Default for HingeEmbeddingLoss {
    fn default() -> Self {
        HingeEmbeddingLoss { margin: 1.0, reduction: Reduction::Mean }
    }
}

impl HingeEmbeddingLoss {
    /// The loss.
    ///
    /// # Panics
    /// If the shapes differ, or the target requires a gradient.
    #[track_caller]
    pub fn forward<T: Float>(&self, input: &Tensor<T>, target: &Tensor<T>) -> Tensor<T> {
        same_shape("hinge_embedding_loss", input, target);
        check_constant("hinge_embedding_loss", target);
        let apart = (-input + T::from_f64(self.margin)).clamp_min(T::ZERO);
        let losses = apart.masked_fill(&target.eq(T::ONE), T::ZERO) + input.masked_fill(&target.eq(-T::ONE), T::ZERO);
        self.reduction.apply(&losses)
    }
}

/// The mean of [`HingeEmbeddingLoss`] with a margin of 1, as `torch.nn.functional.hinge_embedding_loss`.
///
/// # Panics
/// If the shapes differ, or the target requires a gradient.
#[track_caller]
pub fn hinge_embedding_loss<T: Float>(input: &Tensor<T>, target: &Tensor<T>) -> Tensor<T> {
    HingeEmbeddingLoss::default().forward(input, target)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::losses::testing::check;

    #[test]
    fn gradients() {
        let signs = Tensor::of([[1.0, -1.0, 1.0], [-1.0, -1.0, 1.0]]);
        for margin in [0.5, 1.0] {
            check(2, |reduction, x, t| HingeLoss { margin, reduction }.forward(x, t));
            check(2, |reduction, x, t| {
                let signs = signs.reshape(6).narrow(0, 0, x.count()).reshape(x.shape());
                HingeEmbeddingLoss { margin, reduction }.forward(&(x + t), &signs)
            });
        }
    }

    #[test]
    #[should_panic(expected = "hinge_embedding_loss: there is no gradient with respect to the target; detach it")]
    fn a_target_that_wants_a_gradient_is_refused() {
        hinge_embedding_loss(&Tensor::zeros([2]), &Tensor::ones([2]).requires_grad());
    }
}
