//! Sine and cosine, of radians.
//!
//! ```text
//! y = sin x     dx = cos x·dy
//! y = cos x     dx = −sin x·dy
//! ```
//!
//! The sign of the derivative is lost in y, so x is what is saved.

use super::unary::{Function, Saves};
use crate::kernels::element::Float;
use crate::kernels::elementwise::Unary;
use crate::tensor::Tensor;

#[derive(Clone, Copy)]
struct Sin;

impl<T: Float> Unary<T> for Sin {
    #[inline(always)]
    fn eval(self, x: T) -> T {
        T::sin(x)
    }
}

impl<T: Float> Function<T> for Sin {
    const NAME: &'static str = "sin";
    const SAVES: Saves = Saves::Input;

    #[inline(always)]
    fn derivative(self, x: T, dy: T) -> T {
        T::cos(x) * dy
    }

    fn backward(self, x: &Tensor<T>, dy: &Tensor<T>) -> Tensor<T> {
        x.cos() * dy
    }
}

#[derive(Clone, Copy)]
struct Cos;

impl<T: Float> Unary<T> for Cos {
    #[inline(always)]
    fn eval(self, x: T) -> T {
        T::cos(x)
    }
}

impl<T: Float> Function<T> for Cos {
    const NAME: &'static str = "cos";
    const SAVES: Saves = Saves::Input;

    #[inline(always)]
    fn derivative(self, x: T, dy: T) -> T {
        -T::sin(x) * dy
    }

    fn backward(self, x: &Tensor<T>, dy: &Tensor<T>) -> Tensor<T> {
        -x.sin() * dy
    }
}

impl<T: Float> Tensor<T> {
    /// sin x, element by element, as `torch.sin`. Any shape; the result has the same.
    ///
    /// ```
    /// use autograd::Tensor;
    /// assert_eq!(Tensor::from([0.0, std::f32::consts::FRAC_PI_2]).sin().to_vec(), [0.0, 1.0]);
    /// ```
    #[track_caller]
    pub fn sin(&self) -> Tensor<T> {
        Sin.apply(self)
    }

    /// cos x, element by element, as `torch.cos`. Any shape; the result has the same.
    ///
    /// ```
    /// use autograd::Tensor;
    /// assert_eq!(Tensor::from([0.0, std::f32::consts::PI]).cos().to_vec(), [1.0, -1.0]);
    /// ```
    #[track_caller]
    pub fn cos(&self) -> Tensor<T> {
        Cos.apply(self)
    }
}

#[cfg(test)]
mod tests {
    use crate::gradcheck::check_elementwise;
    use crate::ops::testing::{INF, NAN, assert_like_pytorch};

    #[test]
    fn gradients() {
        check_elementwise(-4.0..4.0, |x| x.sin());
        check_elementwise(-4.0..4.0, |x| x.cos());
    }

    #[test]
    fn edges() {
        let (sin1, cos1) = (0.841_470_984_807_896_5, 0.540_302_305_868_139_8);
        let nowhere = [[INF, NAN, NAN], [-INF, NAN, NAN], [NAN, NAN, NAN]];
        assert_like_pytorch!(|x| x.sin(), [[0., 0., 1.], [-0., -0., 1.], [1., sin1, cos1], [-1., -sin1, cos1]]);
        assert_like_pytorch!(|x| x.sin(), nowhere);
        assert_like_pytorch!(|x| x.cos(), [[0., 1., -0.], [-0., 1., 0.], [1., cos1, -sin1], [-1., cos1, sin1]]);
        assert_like_pytorch!(|x| x.cos(), nowhere);
    }
}
