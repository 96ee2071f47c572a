//! The absolute value and the sign.
//!
//! ```text
//! y = |x|        dx = sign(x)·dy
//! y = sign(x)    dx = 0
//! ```
//!
//! Each is constant or linear on either side of 0. At the kink itself the derivative of |x| is taken as
//! 0, as PyTorch does. The sign's is 0 wherever there is one, so its gradient is zeros, not an error.

use super::unary::{Function, Saves};
use crate::kernels::element::Number;
use crate::kernels::elementwise::Unary;
use crate::tensor::Tensor;

#[derive(Clone, Copy)]
struct Abs;

impl<T: Number> Unary<T> for Abs {
    #[inline(always)]
    fn eval(self, x: T) -> T {
        magnitude(x)
    }
}

impl<T: Number> Function<T> for Abs {
    const NAME: &'static str = "abs";
    const SAVES: Saves = Saves::Input;

    #[inline(always)]
    fn derivative(self, x: T, dy: T) -> T {
        sign(x) * dy
    }

    fn backward(self, x: &Tensor<T>, dy: &Tensor<T>) -> Tensor<T> {
        dy * x.sign()
    }
}

#[derive(Clone, Copy)]
struct Sign;

impl<T: Number> Unary<T> for Sign {
    #[inline(always)]
    fn eval(self, x: T) -> T {
        sign(x)
    }
}

impl<T: Number> Function<T> for Sign {
    const NAME: &'static str = "sign";
    const SAVES: Saves = Saves::Input;

    #[inline(always)]
    fn derivative(self, _x: T, _dy: T) -> T {
        T::ZERO
    }

    fn backward(self, _x: &Tensor<T>, dy: &Tensor<T>) -> Tensor<T> {
        dy.zeros_like()
    }
}

/// |x|. The subtraction makes 0 of −0, as no choice between x and −x would.
#[inline(always)]
fn magnitude<T: Number>(x: T) -> T {
    if x <= T::ZERO { T::ZERO - x } else { x }
}

/// −1, 0 or 1; 0 for NaN, as PyTorch has it.
#[inline(always)]
fn sign<T: Number>(x: T) -> T {
    let negative = if x < T::ZERO { -T::ONE } else { T::ZERO };
    if x > T::ZERO { T::ONE } else { negative }
}

impl<T: Number> Tensor<T> {
    /// |x|, element by element, as `torch.abs`. Any shape; the result has the same.
    ///
    /// ```
    /// use autograd::Tensor;
    /// assert_eq!(Tensor::of([-2_i64, 0, 3]).abs().to_vec(), [2, 0, 3]);
    /// ```
    #[track_caller]
    pub fn abs(&self) -> Tensor<T> {
        Abs.apply(self)
    }

    /// −1, 0 or 1, as `torch.sign`: 0 for −0 and for NaN. Any shape; the result has the same.
    ///
    /// ```
    /// use autograd::Tensor;
    /// assert_eq!(Tensor::from([-2.0, 0.0, 0.1]).sign().to_vec(), [-1.0, 0.0, 1.0]);
    /// ```
    #[track_caller]
    pub fn sign(&self) -> Tensor<T> {
        Sign.apply(self)
    }
}

#[cfg(test)]
mod tests {
    use crate::gradcheck::check_elementwise;
    use crate::ops::testing::{INF, NAN, assert_like_pytorch};

    #[test]
    fn gradients() {
        for range in [-2.0..-0.01, 0.01..2.0] {
            check_elementwise(range.clone(), |x| x.abs());
            check_elementwise(range, |x| x.sign() * x);
        }
    }

    #[test]
    fn edges() {
        let cases = [[0., 0., 0.], [-0., 0., 0.], [2., 2., 1.], [-2., 2., -1.], [INF, INF, 1.], [-INF, INF, -1.]];
        assert_like_pytorch!(|x| x.abs(), cases);
        assert_like_pytorch!(|x| x.abs(), [[NAN, NAN, 0.]]);
        let cases = [[0., 0., 0.], [-0., 0., 0.], [2., 1., 0.], [-2., -1., 0.], [INF, 1., 0.], [-INF, -1., 0.]];
        assert_like_pytorch!(|x| x.sign(), cases);
        assert_like_pytorch!(|x| x.sign(), [[NAN, 0., 0.]]);
    }
}
