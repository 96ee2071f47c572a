//! The exponential function, and eˣ − 1.
//!
//! ```text
//! y = eˣ          dx = y·dy
//! y = eˣ − 1      dx = (y + 1)·dy
//! ```
//!
//! Both derivatives are cheapest from the output, so y is what is saved. Where x is small, eˣ − 1
//! calculated as such would lose the digits that the 1 covers; `expm1` keeps them.

use super::unary::{Function, Saves};
use crate::kernels::element::Float;
use crate::kernels::elementwise::Unary;
use crate::tensor::Tensor;

#[derive(Clone, Copy)]
struct Exp;

impl<T: Float> Unary<T> for Exp {
    #[inline(always)]
    fn eval(self, x: T) -> T {
        T::exp(x)
    }
}

impl<T: Float> Function<T> for Exp {
    const NAME: &'static str = "exp";
    const SAVES: Saves = Saves::Output;

    #[inline(always)]
    fn derivative(self, y: T, dy: T) -> T {
        y * dy
    }

    fn backward(self, y: &Tensor<T>, dy: &Tensor<T>) -> Tensor<T> {
        y * dy
    }
}

#[derive(Clone, Copy)]
struct Expm1;

impl<T: Float> Unary<T> for Expm1 {
    #[inline(always)]
    fn eval(self, x: T) -> T {
        T::exp_m1(x)
    }
}

impl<T: Float> Function<T> for Expm1 {
    const NAME: &'static str = "expm1";
    const SAVES: Saves = Saves::Output;

    #[inline(always)]
    fn derivative(self, y: T, dy: T) -> T {
        (y + T::ONE) * dy
    }

    fn backward(self, y: &Tensor<T>, dy: &Tensor<T>) -> Tensor<T> {
        (y + T::ONE) * dy
    }
}

impl<T: Float> Tensor<T> {
    /// eˣ, element by element, as `torch.exp`. Any shape; the result has the same.
    ///
    /// ```
    /// use autograd::Tensor;
    /// let y = Tensor::from([0.0, f32::NEG_INFINITY]).exp();
    /// assert_eq!(y.to_vec(), [1.0, 0.0]);
    /// ```
    #[track_caller]
    pub fn exp(&self) -> Tensor<T> {
        Exp.apply(self)
    }

    /// eˣ − 1, accurate for small x too, as `torch.expm1`. Any shape; the result has the same.
    ///
    /// ```
    /// use autograd::Tensor;
    /// assert_eq!(Tensor::from(1e-20).expm1().item(), 1e-20);
    /// ```
    #[track_caller]
    pub fn expm1(&self) -> Tensor<T> {
        Expm1.apply(self)
    }
}

#[cfg(test)]
mod tests {
    use crate::gradcheck::check_elementwise;
    use crate::ops::testing::{INF, NAN, assert_like_pytorch};

    #[test]
    fn gradients() {
        check_elementwise(-2.0..2.0, |x| x.exp());
        check_elementwise(-2.0..2.0, |x| x.expm1());
    }

    #[test]
    fn edges() {
        let e = std::f64::consts::E;
        let cases = [[0., 1., 1.], [-0., 1., 1.], [1., e, e], [INF, INF, INF], [-INF, 0., 0.], [NAN, NAN, NAN]];
        assert_like_pytorch!(|x| x.exp(), cases);
        let below = [-1., -0.632_120_558_828_557_7, 0.367_879_441_171_442_33];
        let cases = [[0., 0., 1.], [-0., -0., 1.], below, [INF, INF, INF], [-INF, -1., 0.], [NAN, NAN, NAN]];
        assert_like_pytorch!(|x| x.expm1(), cases);
    }
}
