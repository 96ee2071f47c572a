//! The angle between two vectors that are to point in one direction, or not.
//!
//! ```text
//! loss = 1 − cos(a, b) if t = 1        max(0, cos(a, b) − margin) if t = −1
//! cos(a, b) = a·b / √((|a|² + ε)·(|b|² + ε))        ε = 10⁻¹², as in PyTorch
//! ```

use super::pointwise::{check_constant, check_target};
use autograd::{Dims, Float, Reduction, Tensor};

/// 1 − cos for pairs of vectors that are alike (t = 1), max(0, cos − margin) for those that are not (t = −1), as
/// `torch.nn.CosineEmbeddingLoss`.
#[derive(Clone, Copy, Debug, Default)]
pub struct CosineEmbeddingLoss {
    /// The cosine that vectors may have that are not alike, from −1 to 1; 0 by default.
    pub margin: f64,
    /// What becomes of the losses of the pairs.
    pub reduction: Reduction,
}

impl CosineEmbeddingLoss {
    /// The loss of vectors `[N, D]` and `[N, D]` with targets `[N]`, or of `[D]` and `[D]` with a single one.
    ///
    /// # Panics
    /// If the shapes are others, or the target requires a gradient.
    #[track_caller]
    pub fn forward<T: Float>(&self, a: &Tensor<T>, b: &Tensor<T>, target: &Tensor<T>) -> Tensor<T> {
        let name = "cosine_embedding_loss";
        assert!(
            a.shape() == b.shape() && [1, 2].contains(&a.rank()),
            "{name}: vectors of shapes {} and {}; they must be the same, [N, D] or [D]",
            a.shape(),
            b.shape()
        );
        check_target(name, a, target, Dims::from(&a.shape()[..a.rank() - 1]));
        check_constant(name, target);
        let eps = T::from_f64(1e-12);
        let product = (a.square().sum(-1) + eps) * (b.square().sum(-1) + eps);
        let cos = (a * b).sum(-1) / product.sqrt(); // [N]
        let alike = (-&cos + T::ONE).masked_fill(&target.ne(T::ONE), T::ZERO);
        let apart = (cos - T::from_f64(self.margin)).clamp_min(T::ZERO).masked_fill(&target.ne(-T::ONE), T::ZERO);
        self.reduction.apply(&(alike + apart))
    }
}

/// The mean of [`CosineEmbeddingLoss`] with a margin of 0, as `torch.nn.functional.cosine_embedding_loss`.
///
/// # Panics
/// If the shapes are not `[N, D]`, `[N, D]` and `[N]`, or `[D]`, `[D]` and `[]`.
#[track_caller]
pub fn cosine_embedding_loss<T: Float>(a: &Tensor<T>, b: &Tensor<T>, target: &Tensor<T>) -> Tensor<T> {
    CosineEmbeddingLoss::default().forward(a, b, target)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::losses::testing::check;

    #[test]
    fn gradients() {
        for margin in [-0.9, 0.1] {
            check(3, |reduction, a, b| {
                let target = if a.rank() == 1 { Tensor::of(-1.0) } else { Tensor::of([1.0, -1.0]) };
                CosineEmbeddingLoss { margin, reduction }.forward(a, b, &target)
            });
        }
    }
}
