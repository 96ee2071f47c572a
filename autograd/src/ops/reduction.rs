//! How the losses of a batch become one number.

use crate::kernels::element::Float;
use crate::tensor::Tensor;

/// What a loss does with the losses of its elements, as PyTorch's `reduction`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Reduction {
    /// Leave them as they are.
    None,
    /// Their mean (for losses with class weights: weighted). Over no elements it is NaN.
    #[default]
    Mean,
    /// Their sum.
    Sum,
}

impl Reduction {
    /// Reduces `losses` in tensor operations.
    ///
    /// ```
    /// use autograd::{Reduction, Tensor};
    /// let losses = Tensor::from([1.0, 2.0]);
    /// assert_eq!(Reduction::Mean.apply(&losses).item(), 1.5);
    /// ```
    #[track_caller]
    pub fn apply<T: Float>(self, losses: &Tensor<T>) -> Tensor<T> {
        match self {
            Reduction::None => losses.clone(),
            Reduction::Mean => losses.mean(..),
            Reduction::Sum => losses.sum(..),
        }
    }
}
