//! GELU (Hendrycks and Gimpel 2016, "Gaussian error linear units"), exact and by tanh.
//!
//! ```text
//! y  = x·Φ(x),  Φ(x) = ½(1 + erf(x/√2)),  φ(x) = e^(−x²/2) / √2π
//! dx = (Φ(x) + x·φ(x))·dy
//!
//! y  = ½x·(1 + t),  t = tanh u,  u = √(2/π)·(x + 0.044715x³)
//! dx = (½(1 + t) + ½x·(1 − t²)·u')·dy,  u' = √(2/π)·(1 + 3·0.044715x²)
//! ```
//!
//! The second form, from when erf was slow, differs from the first by less than 0.0005. y does not
//! determine x (it falls to −0.17 and rises again), so x is what is saved.

use super::unary::{Function, Saves};
use crate::kernels::element::Float;
use crate::kernels::elementwise::Unary;
use crate::tensor::Tensor;
use std::f64::consts::{FRAC_1_SQRT_2, FRAC_2_SQRT_PI};

#[derive(Clone, Copy)]
struct Gelu;

impl<T: Float> Unary<T> for Gelu {
    #[inline(always)]
    fn eval(self, x: T) -> T {
        x * normal_cdf(x)
    }
}

impl<T: Float> Function<T> for Gelu {
    const NAME: &'static str = "gelu";
    const SAVES: Saves = Saves::Input;

    #[inline(always)]
    fn derivative(self, x: T, dy: T) -> T {
        let density = T::from_f64(FRAC_1_SQRT_2PI) * T::exp(T::from_f64(-0.5) * x * x);
        (normal_cdf(x) + x * density) * dy
    }

    fn backward(self, x: &Tensor<T>, dy: &Tensor<T>) -> Tensor<T> {
        let half = T::from_f64(0.5);
        let cdf = (x * T::from_f64(FRAC_1_SQRT_2)).erf() * half + half;
        let density = (x.square() * -half).exp() * T::from_f64(FRAC_1_SQRT_2PI);
        (cdf + x * density) * dy
    }
}

/// Φ(x), the probability that a standard normal number is below x.
#[inline(always)]
fn normal_cdf<T: Float>(x: T) -> T {
    let half = T::from_f64(0.5);
    half + half * T::erf(x * T::from_f64(FRAC_1_SQRT_2))
}

/// 1/√2π
const FRAC_1_SQRT_2PI: f64 = 0.5 * FRAC_2_SQRT_PI * FRAC_1_SQRT_2;

#[derive(Clone, Copy)]
struct GeluTanh;

impl<T: Float> Unary<T> for GeluTanh {
    #[inline(always)]
    fn eval(self, x: T) -> T {
        T::from_f64(0.5) * x * (T::ONE + T::tanh(x * (T::from_f64(LINEAR) + T::from_f64(CUBIC) * (x * x))))
    }
}

impl<T: Float> Function<T> for GeluTanh {
    const NAME: &'static str = "gelu_tanh";
    const SAVES: Saves = Saves::Input;

    #[inline(always)]
    fn derivative(self, x: T, dy: T) -> T {
        let (half, square) = (T::from_f64(0.5), x * x);
        let t = T::tanh(x * (T::from_f64(LINEAR) + T::from_f64(CUBIC) * square));
        let du = T::from_f64(LINEAR) + T::from_f64(3.0 * CUBIC) * square;
        half * (T::ONE + t + x * (T::ONE - t * t) * du) * dy
    }

    fn backward(self, x: &Tensor<T>, dy: &Tensor<T>) -> Tensor<T> {
        let (half, square) = (T::from_f64(0.5), x.square());
        let t = (x * (&square * T::from_f64(CUBIC) + T::from_f64(LINEAR))).tanh();
        let du = square * T::from_f64(3.0 * CUBIC) + T::from_f64(LINEAR);
        let bend = x * (-t.square() + T::ONE) * du;
        (t + T::ONE + bend) * half * dy
    }
}

/// √(2/π)
const LINEAR: f64 = FRAC_2_SQRT_PI * FRAC_1_SQRT_2;
/// √(2/π)·0.044715
const CUBIC: f64 = LINEAR * 0.044_715;

impl<T: Float> Tensor<T> {
    /// x·Φ(x), element by element, as `torch.nn.functional.gelu`. Any shape; the result has the same.
    ///
    /// ```
    /// use autograd::Tensor;
    /// assert_eq!(Tensor::from([-1000.0, 0.0, 1000.0]).gelu().to_vec(), [0.0, 0.0, 1000.0]);
    /// ```
    #[track_caller]
    pub fn gelu(&self) -> Tensor<T> {
        Gelu.apply(self)
    }

    /// [`gelu`](Tensor::gelu) by way of tanh, as `torch.nn.functional.gelu(x, approximate="tanh")`. Any
    /// shape; the result has the same.
    #[track_caller]
    pub fn gelu_tanh(&self) -> Tensor<T> {
        GeluTanh.apply(self)
    }
}

#[cfg(test)]
mod tests {
    use crate::gradcheck::check_elementwise;
    use crate::ops::testing::{INF, NAN, assert_like_pytorch};

    #[test]
    fn gradients() {
        check_elementwise(-3.0..3.0, |x| x.gelu());
        check_elementwise(-3.0..3.0, |x| x.gelu_tanh());
    }

    #[test]
    fn edges() {
        let cases = [
            [0., 0., 0.5],
            [-0., -0., 0.5],
            [1., 0.841_344_746_068_543, 1.083_315_470_587_686_4],
            [-1., -0.158_655_253_931_457_02, -0.083_315_470_587_686_35],
            [1000., 1000., 1.],
            [INF, INF, NAN],
            [-INF, NAN, NAN],
            [NAN, NAN, NAN],
        ];
        assert_like_pytorch!(|x| x.gelu(), cases);
        let cases = [
            [0., 0., 0.5],
            [-0., -0., 0.5],
            [1., 0.841_191_990_608_276_8, 1.082_964_083_845_782_6],
            [-1., -0.158_808_009_391_723_3, -0.082_964_083_845_782_58],
            [1000., 1000., 1.],
            [INF, INF, NAN],
            [-INF, NAN, NAN],
            [NAN, NAN, NAN],
        ];
        assert_like_pytorch!(|x| x.gelu_tanh(), cases);
    }
}
