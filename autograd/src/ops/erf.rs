//! The error function, from which the normal distribution and the exact GELU are made.
//!
//! ```text
//! y  = erf x = 2/√π ∫₀ˣ e^(−t²) dt
//! dx = 2/√π·e^(−x²)·dy
//! ```
//!
//! Where |x| is large y is ±1 and has forgotten x, so x is what is saved.

use super::unary::{Function, Saves};
use crate::kernels::element::Float;
use crate::kernels::elementwise::Unary;
use crate::tensor::Tensor;
use std::f64::consts::FRAC_2_SQRT_PI;

#[derive(Clone, Copy)]
struct Erf;

impl<T: Float> Unary<T> for Erf {
    #[inline(always)]
    fn eval(self, x: T) -> T {
        T::erf(x)
    }
}

impl<T: Float> Function<T> for Erf {
    const NAME: &'static str = "erf";
    const SAVES: Saves = Saves::Input;

    #[inline(always)]
    fn derivative(self, x: T, dy: T) -> T {
        T::from_f64(FRAC_2_SQRT_PI) * T::exp(-(x * x)) * dy
    }

    fn backward(self, x: &Tensor<T>, dy: &Tensor<T>) -> Tensor<T> {
        (-(x * x)).exp() * T::from_f64(FRAC_2_SQRT_PI) * dy
    }
}

impl<T: Float> Tensor<T> {
    /// erf x, element by element, as `torch.erf`. Any shape; the result has the same.
    ///
    /// ```
    /// use autograd::Tensor;
    /// let x = Tensor::from([-1.0, 0.0, 1.96]);
    /// let probability = ((&x / 2_f32.sqrt()).erf() + 1.0) * 0.5; // of a normal number below x
    /// assert!((probability.value_at([2]) - 0.975).abs() < 1e-5);
    /// ```
    #[track_caller]
    pub fn erf(&self) -> Tensor<T> {
        Erf.apply(self)
    }
}

#[cfg(test)]
mod tests {
    use crate::gradcheck::check_elementwise;
    use crate::ops::testing::{INF, NAN, assert_like_pytorch};

    #[test]
    fn gradients() {
        check_elementwise(-2.5..2.5, |x| x.erf());
    }

    #[test]
    fn edges() {
        let (slope, y, dx) = (std::f64::consts::FRAC_2_SQRT_PI, 0.842_700_792_949_714_9, 0.415_107_497_420_594_7);
        let cases = [[0., 0., slope], [-0., -0., slope], [1., y, dx], [-1., -y, dx], [INF, 1., 0.], [-INF, -1., 0.]];
        assert_like_pytorch!(|x| x.erf(), cases);
        assert_like_pytorch!(|x| x.erf(), [[NAN, NAN, NAN]]);
    }
}
