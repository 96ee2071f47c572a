//! The natural logarithm, and ln(1 + x).
//!
//! ```text
//! y = ln x          dx = dy / x
//! y = ln(1 + x)     dx = dy / (1 + x)
//! ```
//!
//! The derivatives need the input, so x is saved. At 0 (at −1 for `log1p`) y is −∞ and so is the slope;
//! below, y is NaN. Where x is small, 1 + x rounds away most of its digits; `log1p` keeps them.

use super::unary::{Function, Saves};
use crate::kernels::element::Float;
use crate::kernels::elementwise::Unary;
use crate::tensor::Tensor;

#[derive(Clone, Copy)]
struct Log;

impl<T: Float> Unary<T> for Log {
    #[inline(always)]
    fn eval(self, x: T) -> T {
        T::ln(x)
    }
}

impl<T: Float> Function<T> for Log {
    const NAME: &'static str = "log";
    const SAVES: Saves = Saves::Input;

    #[inline(always)]
    fn derivative(self, x: T, dy: T) -> T {
        dy / x
    }

    fn backward(self, x: &Tensor<T>, dy: &Tensor<T>) -> Tensor<T> {
        dy / x
    }
}

#[derive(Clone, Copy)]
struct Log1p;

impl<T: Float> Unary<T> for Log1p {
    #[inline(always)]
    fn eval(self, x: T) -> T {
        T::ln_1p(x)
    }
}

impl<T: Float> Function<T> for Log1p {
    const NAME: &'static str = "log1p";
    const SAVES: Saves = Saves::Input;

    #[inline(always)]
    fn derivative(self, x: T, dy: T) -> T {
        dy / (x + T::ONE)
    }

    fn backward(self, x: &Tensor<T>, dy: &Tensor<T>) -> Tensor<T> {
        dy / (x + T::ONE)
    }
}

impl<T: Float> Tensor<T> {
    /// ln x, element by element, as `torch.log`. Any shape; the result has the same.
    ///
    /// ```
    /// use autograd::Tensor;
    /// let y = Tensor::from([1.0, 0.0]).log();
    /// assert_eq!(y.to_vec(), [0.0, f32::NEG_INFINITY]);
    /// ```
    #[track_caller]
    pub fn log(&self) -> Tensor<T> {
        Log.apply(self)
    }

    /// ln(1 + x), accurate for small x too, as `torch.log1p`. Any shape; the result has the same.
    ///
    /// ```
    /// use autograd::Tensor;
    /// assert_eq!(Tensor::from(1e-20).log1p().item(), 1e-20);
    /// ```
    #[track_caller]
    pub fn log1p(&self) -> Tensor<T> {
        Log1p.apply(self)
    }
}

#[cfg(test)]
mod tests {
    use crate::gradcheck::check_elementwise;
    use crate::ops::testing::{INF, NAN, assert_like_pytorch};

    #[test]
    fn gradients() {
        check_elementwise(0.5..3.0, |x| x.log());
        check_elementwise(-0.5..2.0, |x| x.log1p());
    }

    #[test]
    fn edges() {
        let (above, below) = ([1., 0., 1.], [-1., NAN, -1.]);
        let cases = [[0., -INF, INF], [-0., -INF, -INF], above, below, [INF, INF, 0.], [-INF, NAN, -0.]];
        assert_like_pytorch!(|x| x.log(), cases);
        assert_like_pytorch!(|x| x.log(), [[NAN, NAN, NAN]]);
        let above = [1., std::f64::consts::LN_2, 0.5];
        let cases = [[0., 0., 1.], [-0., -0., 1.], above, [-1., -INF, INF], [INF, INF, 0.], [-INF, NAN, -0.]];
        assert_like_pytorch!(|x| x.log1p(), cases);
        assert_like_pytorch!(|x| x.log1p(), [[NAN, NAN, NAN]]);
    }
}
