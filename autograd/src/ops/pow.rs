//! Powers whose exponent is a tensor too.
//!
//! ```text
//! y = aᵇ     da = b·aᵇ⁻¹·dy       0 where b = 0, whatever a is
//!            db = aᵇ·ln a·dy      0 where a = 0 and b ≥ 0: the limit from above
//! ```
//!
//! A negative a is fine where b is whole, but aᵇ is not defined for any b nearby: there db is NaN. A fixed
//! exponent is cheaper: see [`power`](super::power).

use super::function2::Function2;
use crate::kernels::element::Float;
use crate::kernels::elementwise::Binary;
use crate::tensor::Tensor;

#[derive(Clone, Copy)]
struct Pow;

impl<T: Float> Binary<T> for Pow {
    #[inline(always)]
    fn eval(self, a: T, b: T) -> T {
        T::powf(a, b)
    }
}

impl<T: Float> Function2<T> for Pow {
    const NAME: &'static str = "pow";

    #[inline(always)]
    fn da(self, a: T, b: T, dy: T) -> T {
        let da = b * T::powf(a, b - T::ONE) * dy;
        if b == T::ZERO { T::ZERO } else { da }
    }

    #[inline(always)]
    fn db(self, a: T, b: T, dy: T) -> T {
        let db = T::powf(a, b) * T::ln(a) * dy;
        if a == T::ZERO && b >= T::ZERO { T::ZERO } else { db }
    }

    fn backward_a(self, a: &Tensor<T>, b: &Tensor<T>, dy: &Tensor<T>) -> Tensor<T> {
        let da = b * a.pow(&(b - T::ONE)) * dy;
        da.masked_fill(&b.eq(T::ZERO), T::ZERO)
    }

    fn backward_b(self, a: &Tensor<T>, b: &Tensor<T>, dy: &Tensor<T>) -> Tensor<T> {
        let db = a.pow(b) * a.log() * dy;
        db.masked_fill(&(a.eq(T::ZERO) & b.ge(T::ZERO)), T::ZERO)
    }
}

impl<T: Float> Tensor<T> {
    /// aᵇ, element by element, as `torch.pow`. The shapes are broadcast.
    ///
    /// ```
    /// use autograd::Tensor;
    /// let powers = Tensor::from(2.0).pow(&Tensor::arange(0.0, 4.0, 1.0));
    /// assert_eq!(powers.to_vec(), [1.0, 2.0, 4.0, 8.0]);
    /// ```
    ///
    /// # Panics
    /// If the shapes do not broadcast.
    #[track_caller]
    pub fn pow(&self, exponent: &Tensor<T>) -> Tensor<T> {
        Pow.apply(self, exponent)
    }
}

#[cfg(test)]
mod tests {
    use crate::Tensor;
    use crate::gradcheck::{check_binary, check_elementwise};
    use crate::ops::testing::{INF, NAN, assert_like_pytorch};

    #[test]
    fn gradients() {
        check_binary(|a, b| (a.square() + 0.5).pow(b));
        check_elementwise(-2.0..-0.5, |a| a.pow(&Tensor::of([3.0, 2.0, -1.0, 1.0, 0.0]).narrow(0, 0, a.size(-1))));
    }

    #[test]
    fn edges() {
        let ln2 = std::f64::consts::LN_2;
        // At a base of 0.
        assert_like_pytorch!(|a, b| a.pow(b), [[0., 0., 1., 0., 0.], [0., 1., 0., 1., 0.], [0., 2., 0., 0., 0.]]);
        assert_like_pytorch!(|a, b| a.pow(b), [[0., 0.5, 0., INF, 0.], [0., -1., INF, -INF, -INF]]);
        assert_like_pytorch!(|a, b| a.pow(b), [[-0., -1., -INF, -INF, INF], [-0., 3., -0., 0., 0.]]);
        // Negative bases.
        assert_like_pytorch!(|a, b| a.pow(b), [[-2., 3., -8., 12., NAN], [-2., 2., 4., -4., NAN]]);
        assert_like_pytorch!(|a, b| a.pow(b), [[-2., 0.5, NAN, NAN, NAN], [-1., INF, 1., INF, NAN]]);
        // An exponent of 0.
        assert_like_pytorch!(|a, b| a.pow(b), [[2., 0., 1., 0., ln2], [NAN, 0., 1., 0., NAN], [INF, 0., 1., 0., INF]]);
        // Infinities and NaN.
        assert_like_pytorch!(|a, b| a.pow(b), [[INF, 2., INF, INF, INF], [INF, -1., 0., -0., NAN]]);
        assert_like_pytorch!(|a, b| a.pow(b), [[2., INF, INF, INF, INF], [2., -INF, 0., NAN, 0.]]);
        assert_like_pytorch!(|a, b| a.pow(b), [[0.5, INF, 0., NAN, -0.], [0., INF, 0., NAN, 0.]]);
        assert_like_pytorch!(|a, b| a.pow(b), [[1., NAN, 1., NAN, 0.], [0., -INF, INF, -INF, -INF]]);
    }
}
