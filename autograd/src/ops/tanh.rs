//! The hyperbolic tangent.
//!
//! ```text
//! y  = tanh x = (eˣ − e⁻ˣ) / (eˣ + e⁻ˣ)
//! dx = (1 − y²)·dy
//! ```
//!
//! The derivative is cheapest from the output, so y is what is saved. Where |x| is large y is ±1 and
//! dx vanishes: a saturated neuron passes no gradient.

use super::unary::{Function, Saves};
use crate::kernels::element::Float;
use crate::kernels::elementwise::Unary;
use crate::tensor::Tensor;

#[derive(Clone, Copy)]
struct Tanh;

impl<T: Float> Unary<T> for Tanh {
    #[inline(always)]
    fn eval(self, x: T) -> T {
        T::tanh(x)
    }
}

impl<T: Float> Function<T> for Tanh {
    const NAME: &'static str = "tanh";
    const SAVES: Saves = Saves::Output;

    #[inline(always)]
    fn derivative(self, y: T, dy: T) -> T {
        (T::ONE - y * y) * dy
    }

    fn backward(self, y: &Tensor<T>, dy: &Tensor<T>) -> Tensor<T> {
        (-(y * y) + T::ONE) * dy
    }
}

impl<T: Float> Tensor<T> {
    /// tanh x, element by element, as `torch.tanh`. Any shape; the result has the same.
    ///
    /// ```
    /// use autograd::Tensor;
    /// let y = Tensor::from([0.0, 100.0]).tanh();
    /// assert_eq!(y.to_vec(), [0.0, 1.0]);
    /// ```
    #[track_caller]
    pub fn tanh(&self) -> Tensor<T> {
        Tanh.apply(self)
    }
}

#[cfg(test)]
mod tests {
    use crate::gradcheck::check_elementwise;

    #[test]
    fn gradients() {
        check_elementwise(-3.0..3.0, |x| x.tanh());
    }
}
