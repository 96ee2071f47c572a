//! The larger and the smaller of two tensors.
//!
//! ```text
//! y = max(a, b)     da = dy where a > b, ½dy where a = b, 0 where a < b; db the other way round
//! y = min(a, b)     the same with < and > exchanged
//! ```
//!
//! At a tie both share the gradient, as in PyTorch. NaN in either makes y NaN, and gives dy to both.

use super::function2::Function2;
use crate::kernels::element::Number;
use crate::kernels::elementwise::Binary;
use crate::tensor::Tensor;

#[derive(Clone, Copy)]
struct Maximum;

impl<T: Number> Binary<T> for Maximum {
    #[inline(always)]
    fn eval(self, a: T, b: T) -> T {
        a.maximum(b)
    }
}

#[derive(Clone, Copy)]
struct Minimum;

impl<T: Number> Binary<T> for Minimum {
    #[inline(always)]
    fn eval(self, a: T, b: T) -> T {
        a.minimum(b)
    }
}

/// What the operand that lost, drew or won gets of dy. Neither lost or drew if one is NaN.
#[inline(always)]
fn share<T: Number>(lost: bool, drew: bool, dy: T) -> T {
    let unless_lost = if drew { dy / T::from_f64(2.0) } else { dy };
    if lost { T::ZERO } else { unless_lost }
}

/// [`share`] in tensor operations.
fn shares<T: Number>(lost: &Tensor<bool>, drew: &Tensor<bool>, dy: &Tensor<T>) -> Tensor<T> {
    Tensor::where_(drew, &(dy / T::from_f64(2.0)), dy).masked_fill(lost, T::ZERO)
}

impl<T: Number> Function2<T> for Maximum {
    const NAME: &'static str = "maximum";

    #[inline(always)]
    fn da(self, a: T, b: T, dy: T) -> T {
        share(a < b, a == b, dy)
    }

    #[inline(always)]
    fn db(self, a: T, b: T, dy: T) -> T {
        share(b < a, a == b, dy)
    }

    fn backward_a(self, a: &Tensor<T>, b: &Tensor<T>, dy: &Tensor<T>) -> Tensor<T> {
        shares(&a.lt(b), &a.eq(b), dy)
    }

    fn backward_b(self, a: &Tensor<T>, b: &Tensor<T>, dy: &Tensor<T>) -> Tensor<T> {
        shares(&b.lt(a), &a.eq(b), dy)
    }
}

impl<T: Number> Function2<T> for Minimum {
    const NAME: &'static str = "minimum";

    #[inline(always)]
    fn da(self, a: T, b: T, dy: T) -> T {
        share(a > b, a == b, dy)
    }

    #[inline(always)]
    fn db(self, a: T, b: T, dy: T) -> T {
        share(b > a, a == b, dy)
    }

    fn backward_a(self, a: &Tensor<T>, b: &Tensor<T>, dy: &Tensor<T>) -> Tensor<T> {
        shares(&a.gt(b), &a.eq(b), dy)
    }

    fn backward_b(self, a: &Tensor<T>, b: &Tensor<T>, dy: &Tensor<T>) -> Tensor<T> {
        shares(&b.gt(a), &a.eq(b), dy)
    }
}

impl<T: Number> Tensor<T> {
    /// The larger of each two elements, NaN if either is, as `torch.maximum`. The shapes are broadcast.
    /// For a fixed bound see [`clamp_min`](Tensor::clamp_min).
    ///
    /// ```
    /// use autograd::Tensor;
    /// let (a, b) = (Tensor::from([1.0, 5.0]), Tensor::from([[2.0], [4.0]]));
    /// assert_eq!(a.maximum(&b).to_vec(), [2.0, 5.0, 4.0, 5.0]);
    /// ```
    ///
    /// # Panics
    /// If the shapes do not broadcast.
    #[track_caller]
    pub fn maximum(&self, other: &Tensor<T>) -> Tensor<T> {
        Maximum.apply(self, other)
    }

    /// The smaller of each two elements, NaN if either is, as `torch.minimum`. The shapes are broadcast.
    /// For a fixed bound see [`clamp_max`](Tensor::clamp_max).
    ///
    /// ```
    /// use autograd::Tensor;
    /// let (a, b) = (Tensor::from([1.0, 5.0]), Tensor::from([[2.0], [4.0]]));
    /// assert_eq!(a.minimum(&b).to_vec(), [1.0, 2.0, 1.0, 4.0]);
    /// ```
    ///
    /// # Panics
    /// If the shapes do not broadcast.
    #[track_caller]
    pub fn minimum(&self, other: &Tensor<T>) -> Tensor<T> {
        Minimum.apply(self, other)
    }
}

#[cfg(test)]
mod tests {
    use crate::Tensor;
    use crate::gradcheck::check_binary;
    use crate::ops::testing::{INF, NAN, assert_like_pytorch};

    #[test]
    fn gradients() {
        check_binary(|a, b| a.maximum(b));
        check_binary(|a, b| a.minimum(b));
        check_binary(|a, b| a.maximum(b) * a.minimum(b) * a);
    }

    #[test]
    fn edges() {
        let nans = [[NAN, 1., NAN, 1., 1.], [1., NAN, NAN, 1., 1.], [NAN, NAN, NAN, 1., 1.]];
        let ties =
            [[1., 1., 1., 0.5, 0.5], [INF, INF, INF, 0.5, 0.5], [0., -0., 0., 0.5, 0.5], [-0., 0., -0., 0.5, 0.5]];
        assert_like_pytorch!(|a, b| a.maximum(b), nans);
        assert_like_pytorch!(|a, b| a.maximum(b), ties);
        assert_like_pytorch!(
            |a, b| a.maximum(b),
            [[1., 2., 2., 0., 1.], [2., 1., 2., 1., 0.], [-INF, INF, INF, 0., 1.]]
        );
        assert_like_pytorch!(|a, b| a.minimum(b), nans);
        assert_like_pytorch!(|a, b| a.minimum(b), ties);
        assert_like_pytorch!(
            |a, b| a.minimum(b),
            [[1., 2., 1., 1., 0.], [2., 1., 1., 0., 1.], [-INF, INF, -INF, 1., 0.]]
        );
        assert_eq!(Tensor::of([1_i64, 5]).maximum(&Tensor::of([3_i64])).to_vec(), [3, 5]);
    }

    #[test]
    #[should_panic(expected = "maximum: shapes [2] and [3] do not broadcast")]
    fn other_shapes() {
        let _ = Tensor::zeros([2]).maximum(&Tensor::zeros([3]));
    }
}
