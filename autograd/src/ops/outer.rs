//! Products of two vectors: their inner and their outer product.
//!
//! ```text
//! y = dot(a, b) = Σ aᵢ·bᵢ        da = b·dy      db = a·dy
//! y = outer(a, b)                yᵢⱼ = aᵢ·bⱼ    da = dy·b      db = dyᵀ·a
//! ```
//!
//! Both are made of other operations, which carry the gradients.

use crate::kernels::element::{Float, Number};
use crate::tensor::Tensor;

impl<T: Float> Tensor<T> {
    /// The inner product of two vectors of the same length, as `torch.dot`: a scalar.
    ///
    /// ```
    /// use autograd::Tensor;
    /// assert_eq!(Tensor::from([1.0, 2.0]).dot(&Tensor::from([3.0, 4.0])).item(), 11.0);
    /// ```
    ///
    /// # Panics
    /// If they are not.
    #[track_caller]
    pub fn dot(&self, other: &Tensor<T>) -> Tensor<T> {
        let (a, b) = (self.shape(), other.shape());
        assert!(a.len() == 1 && a == b, "dot: shapes {a} and {b}; two vectors of the same length are wanted");
        self.matmul(other)
    }
}

impl<T: Number> Tensor<T> {
    /// The outer product of two vectors, as `torch.outer`: `[m]` and `[n]` give `[m, n]`.
    ///
    /// ```
    /// use autograd::Tensor;
    /// let y = Tensor::from([1.0, 2.0]).outer(&Tensor::from([3.0, 4.0]));
    /// assert_eq!(y.to_vec(), [3.0, 4.0, 6.0, 8.0]);
    /// ```
    ///
    /// # Panics
    /// If one of them is not a vector.
    #[track_caller]
    pub fn outer(&self, other: &Tensor<T>) -> Tensor<T> {
        let (a, b) = (self.shape(), other.shape());
        assert!(a.len() == 1 && b.len() == 1, "outer: shapes {a} and {b}; two vectors are wanted");
        self.unsqueeze(1) * other
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gradcheck::gradcheck_to_order;
    use crate::rng::Rng;

    #[test]
    fn gradients() {
        let mut rng = Rng::seeded(9);
        let inputs = [Tensor::randn_of::<f64>(4, &mut rng), Tensor::randn_of::<f64>(4, &mut rng)];
        gradcheck_to_order(&|x| x[0].dot(&x[1]), &inputs, 3).unwrap();
        gradcheck_to_order(&|x| x[0].outer(&x[1].sliced(0, 1, 2, 2)), &inputs, 3).unwrap();
    }

    #[test]
    #[should_panic(expected = "dot: shapes [2] and [1]; two vectors of the same length are wanted")]
    fn vectors_of_different_length_are_refused() {
        Tensor::zeros(2).dot(&Tensor::zeros(1));
    }
}
