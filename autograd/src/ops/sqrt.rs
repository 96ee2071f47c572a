//! The square root and its reciprocal.
//!
//! ```text
//! y = √x         dx = dy / 2y
//! y = 1 / √x     dx = −½·y³·dy
//! ```
//!
//! Both derivatives are cheapest from the output, so y is what is saved. At 0 the slope of √x is
//! infinite: where 0 can occur, add a small number first.

use super::unary::{Function, Saves};
use crate::kernels::element::Float;
use crate::kernels::elementwise::Unary;
use crate::tensor::Tensor;

#[derive(Clone, Copy)]
struct Sqrt;

impl<T: Float> Unary<T> for Sqrt {
    #[inline(always)]
    fn eval(self, x: T) -> T {
        T::sqrt(x)
    }
}

impl<T: Float> Function<T> for Sqrt {
    const NAME: &'static str = "sqrt";
    const SAVES: Saves = Saves::Output;

    #[inline(always)]
    fn derivative(self, y: T, dy: T) -> T {
        dy / (y + y)
    }

    fn backward(self, y: &Tensor<T>, dy: &Tensor<T>) -> Tensor<T> {
        dy / (y + y)
    }
}

#[derive(Clone, Copy)]
struct Rsqrt;

impl<T: Float> Unary<T> for Rsqrt {
    #[inline(always)]
    fn eval(self, x: T) -> T {
        T::ONE / T::sqrt(x)
    }
}

impl<T: Float> Function<T> for Rsqrt {
    const NAME: &'static str = "rsqrt";
    const SAVES: Saves = Saves::Output;

    #[inline(always)]
    fn derivative(self, y: T, dy: T) -> T {
        T::from_f64(-0.5) * dy * (y * y * y)
    }

    fn backward(self, y: &Tensor<T>, dy: &Tensor<T>) -> Tensor<T> {
        dy * T::from_f64(-0.5) * (y * y * y)
    }
}

impl<T: Float> Tensor<T> {
    /// √x, element by element, as `torch.sqrt`: NaN below 0. Any shape; the result has the same.
    ///
    /// ```
    /// use autograd::Tensor;
    /// assert_eq!(Tensor::from([4.0, 0.25]).sqrt().to_vec(), [2.0, 0.5]);
    /// ```
    #[track_caller]
    pub fn sqrt(&self) -> Tensor<T> {
        Sqrt.apply(self)
    }

    /// 1 / √x, element by element, as `torch.rsqrt`: NaN below 0. Any shape; the result has the same.
    ///
    /// ```
    /// use autograd::Tensor;
    /// assert_eq!(Tensor::from([4.0, 0.25]).rsqrt().to_vec(), [0.5, 2.0]);
    /// ```
    #[track_caller]
    pub fn rsqrt(&self) -> Tensor<T> {
        Rsqrt.apply(self)
    }
}

#[cfg(test)]
mod tests {
    use crate::gradcheck::check_elementwise;
    use crate::ops::testing::{INF, NAN, assert_like_pytorch};

    #[test]
    fn gradients() {
        check_elementwise(0.5..3.0, |x| x.sqrt());
        check_elementwise(0.5..3.0, |x| x.rsqrt());
    }

    #[test]
    fn edges() {
        let below = [[-1., NAN, NAN], [-INF, NAN, NAN], [NAN, NAN, NAN]];
        assert_like_pytorch!(|x| x.sqrt(), [[0., 0., INF], [-0., -0., -INF], [1., 1., 0.5], [INF, INF, 0.]]);
        assert_like_pytorch!(|x| x.sqrt(), below);
        assert_like_pytorch!(|x| x.rsqrt(), [[0., INF, -INF], [-0., -INF, INF], [1., 1., -0.5], [INF, 0., -0.]]);
        assert_like_pytorch!(|x| x.rsqrt(), below);
    }
}
