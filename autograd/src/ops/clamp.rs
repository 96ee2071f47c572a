//! Keeping values within bounds: clamp, from one side or both, and hardtanh.
//!
//! ```text
//! y = min(max(x, low), high)      dx = dy where low < x < high, else 0
//! ```
//!
//! The slope tells where x was, so x is what is saved. On a bound the derivative is 0, as in PyTorch. NaN
//! stays NaN, and gets no gradient. A NaN bound makes everything NaN.

use super::masked::keep_where;
use super::unary::{Function, Saves};
use crate::kernels::element::Number;
use crate::kernels::elementwise::Unary;
use crate::tensor::Tensor;

#[derive(Clone, Copy)]
struct Clamp<T> {
    low: T,
    high: T,
}

impl<T: Number> Unary<T> for Clamp<T> {
    #[inline(always)]
    fn eval(self, x: T) -> T {
        x.maximum(self.low).minimum(self.high)
    }
}

impl<T: Number> Function<T> for Clamp<T> {
    const NAME: &'static str = "clamp";
    const SAVES: Saves = Saves::Input;

    #[inline(always)]
    fn derivative(self, x: T, dy: T) -> T {
        if x > self.low && x < self.high { dy } else { T::ZERO }
    }

    fn backward(self, x: &Tensor<T>, dy: &Tensor<T>) -> Tensor<T> {
        keep_where(dy, &(x.gt(self.low) & x.lt(self.high)))
    }
}

#[derive(Clone, Copy)]
struct ClampMin<T> {
    low: T,
}

impl<T: Number> Unary<T> for ClampMin<T> {
    #[inline(always)]
    fn eval(self, x: T) -> T {
        x.maximum(self.low)
    }
}

impl<T: Number> Function<T> for ClampMin<T> {
    const NAME: &'static str = "clamp_min";
    const SAVES: Saves = Saves::Input;

    #[inline(always)]
    fn derivative(self, x: T, dy: T) -> T {
        if x > self.low { dy } else { T::ZERO }
    }

    fn backward(self, x: &Tensor<T>, dy: &Tensor<T>) -> Tensor<T> {
        keep_where(dy, &x.gt(self.low))
    }
}

#[derive(Clone, Copy)]
struct ClampMax<T> {
    high: T,
}

impl<T: Number> Unary<T> for ClampMax<T> {
    #[inline(always)]
    fn eval(self, x: T) -> T {
        x.minimum(self.high)
    }
}

impl<T: Number> Function<T> for ClampMax<T> {
    const NAME: &'static str = "clamp_max";
    const SAVES: Saves = Saves::Input;

    #[inline(always)]
    fn derivative(self, x: T, dy: T) -> T {
        if x < self.high { dy } else { T::ZERO }
    }

    fn backward(self, x: &Tensor<T>, dy: &Tensor<T>) -> Tensor<T> {
        keep_where(dy, &x.lt(self.high))
    }
}

impl<T: Number> Tensor<T> {
    /// Every element moved into `low..=high`, as `torch.clamp`. If `low` > `high`, all become `high`. Any
    /// shape; the result has the same.
    ///
    /// ```
    /// use autograd::Tensor;
    /// assert_eq!(Tensor::from([-5.0, 0.5, 5.0]).clamp(-1.0, 1.0).to_vec(), [-1.0, 0.5, 1.0]);
    /// ```
    #[track_caller]
    pub fn clamp(&self, low: T, high: T) -> Tensor<T> {
        Clamp { low, high }.apply(self)
    }

    /// Every element raised to at least `low`, as `torch.clamp_min`. Any shape; the result has the same.
    #[track_caller]
    pub fn clamp_min(&self, low: T) -> Tensor<T> {
        ClampMin { low }.apply(self)
    }

    /// Every element lowered to at most `high`, as `torch.clamp_max`. Any shape; the result has the same.
    #[track_caller]
    pub fn clamp_max(&self, high: T) -> Tensor<T> {
        ClampMax { high }.apply(self)
    }

    /// [`clamp`](Tensor::clamp) as an activation, as `torch.nn.functional.hardtanh`, whose bounds are −1
    /// and 1 by default. Any shape; the result has the same.
    ///
    /// # Panics
    /// If `low` > `high`.
    #[track_caller]
    pub fn hardtanh(&self, low: T, high: T) -> Tensor<T> {
        assert!(low <= high, "hardtanh: a lower bound of {low} above an upper one of {high}");
        Clamp { low, high }.apply(self)
    }
}

#[cfg(test)]
mod tests {
    use crate::Tensor;
    use crate::gradcheck::check_elementwise;
    use crate::ops::testing::{INF, NAN, assert_like_pytorch};

    #[test]
    fn gradients() {
        for range in [-2.0..-0.51, -0.49..0.99, 1.01..2.0] {
            check_elementwise(range.clone(), |x| x.clamp(-0.5, 1.0));
            check_elementwise(range.clone(), |x| x.hardtanh(-0.5, 1.0));
            check_elementwise(range.clone(), |x| x.clamp_min(-0.5));
            check_elementwise(range, |x| x.clamp_max(1.0));
        }
    }

    #[test]
    fn edges() {
        let cases = [
            [0., 0., 1.],
            [-0., -0., 1.],
            [1., 1., 1.],
            [-1., -1., 0.],
            [INF, 2., 0.],
            [-INF, -1., 0.],
            [NAN, NAN, 0.],
            [0.5, 0.5, 1.],
            [2., 2., 0.],
            [-3., -1., 0.],
        ];
        assert_like_pytorch!(|x| x.clamp(-1.0, 2.0), cases);
        let cases = [
            [0., 1., 0.],
            [-0., 1., 0.],
            [1., 1., 0.],
            [-1., 1., 0.],
            [INF, INF, 1.],
            [-INF, 1., 0.],
            [NAN, NAN, 0.],
            [2., 2., 1.],
        ];
        assert_like_pytorch!(|x| x.clamp_min(1.0), cases);
        let cases = [
            [0., 0., 1.],
            [-0., -0., 1.],
            [1., 1., 0.],
            [-1., -1., 1.],
            [INF, 1., 0.],
            [-INF, -INF, 1.],
            [NAN, NAN, 0.],
            [2., 1., 0.],
        ];
        assert_like_pytorch!(|x| x.clamp_max(1.0), cases);
        // In a tensor of a few elements PyTorch says 1 for the gradient of hardtanh at NaN, in a longer one 0.
        let cases = [
            [0., 0., 1.],
            [-0., -0., 1.],
            [1., 1., 0.],
            [-1., -1., 0.],
            [INF, 1., 0.],
            [-INF, -1., 0.],
            [NAN, NAN, 0.],
            [0.5, 0.5, 1.],
            [-3., -1., 0.],
        ];
        assert_like_pytorch!(|x| x.hardtanh(-1.0, 1.0), cases);
        assert_like_pytorch!(|x| x.clamp(2.0, -0.5), [[0., -0.5, 0.], [INF, -0.5, 0.], [NAN, NAN, 0.]]);
        assert_like_pytorch!(|x| x.clamp(x.full_like(NAN as _).value_at([0]), 1.0), [[0., NAN, 0.], [INF, NAN, 0.]]);
        assert_eq!(Tensor::of([-7_i64, 3, 7]).clamp(-1, 4).to_vec(), [-1, 3, 4]);
    }

    #[test]
    #[should_panic(expected = "hardtanh: a lower bound of 2 above an upper one of 1")]
    fn crossed_bounds() {
        let _ = Tensor::from([0.0]).hardtanh(2.0, 1.0);
    }
}
