//! SiLU (Elfwing et al. 2017, "Sigmoid-weighted linear units"), also known as swish.
//!
//! ```text
//! y  = x·σ(x)
//! dx = σ(x)·(1 + x·(1 − σ(x)))·dy
//! ```
//!
//! y does not determine x (it falls to −0.28 at x = −1.28 and rises again), so x is what is saved.

use super::unary::{Function, Saves};
use crate::kernels::element::Float;
use crate::kernels::elementwise::Unary;
use crate::tensor::Tensor;

#[derive(Clone, Copy)]
struct Silu;

impl<T: Float> Unary<T> for Silu {
    #[inline(always)]
    fn eval(self, x: T) -> T {
        x * T::sigmoid(x)
    }
}

impl<T: Float> Function<T> for Silu {
    const NAME: &'static str = "silu";
    const SAVES: Saves = Saves::Input;

    #[inline(always)]
    fn derivative(self, x: T, dy: T) -> T {
        let s = T::sigmoid(x);
        s * (T::ONE + x * (T::ONE - s)) * dy
    }

    fn backward(self, x: &Tensor<T>, dy: &Tensor<T>) -> Tensor<T> {
        let s = x.sigmoid();
        (x * (-&s + T::ONE) + T::ONE) * s * dy
    }
}

impl<T: Float> Tensor<T> {
    /// x·σ(x), element by element, as `torch.nn.functional.silu`. Any shape; the result has the same.
    ///
    /// ```
    /// use autograd::Tensor;
    /// assert_eq!(Tensor::from([-1000.0, 0.0, 1000.0]).silu().to_vec(), [0.0, 0.0, 1000.0]);
    /// ```
    #[track_caller]
    pub fn silu(&self) -> Tensor<T> {
        Silu.apply(self)
    }
}

#[cfg(test)]
mod tests {
    use crate::gradcheck::check_elementwise;
    use crate::ops::testing::{INF, NAN, assert_like_pytorch};

    #[test]
    fn gradients() {
        check_elementwise(-3.0..3.0, |x| x.silu());
    }

    #[test]
    fn edges() {
        let cases = [
            [0., 0., 0.5],
            [-0., -0., 0.5],
            [1., 0.731_058_578_630_004_9, 0.927_670_511_871_486_9],
            [-2., -0.238_405_844_044_235_1, -0.090_784_248_784_895_47],
            [-32., -4.052_532_975_710_085e-13, -3.925_891_320_219_093_6e-13],
            [-1000., -0., -0.],
            [1000., 1000., 1.],
            [INF, INF, NAN],
            [-INF, NAN, NAN],
            [NAN, NAN, NAN],
        ];
        assert_like_pytorch!(|x| x.silu(), cases);
    }
}
