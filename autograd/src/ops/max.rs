//! The largest and the smallest element over axes.
//!
//! ```text
//! y = max x        dx = dy, shared evenly among the elements that equal y; 0 elsewhere
//! ```
//!
//! and for `min` likewise. Input and output are saved. A NaN wins, and then every dx is NaN, as 0/0.
//! To give the whole of dy to one of several equal elements, take it by its position: `topk(1, ..)`.

use super::binary::zip;
use super::reduce::fold;
use crate::graph::{Grads, Op};
use crate::kernels::element::Number;
use crate::kernels::elementwise::Binary;
use crate::kernels::reduce::{Fold, Max, Min};
use crate::tensor::{Axes, Dims, Tensor};

/// A maximum, or a minimum.
#[derive(Clone)]
struct Extreme<T: Number, const MAX: bool> {
    x: Tensor<T>,
    axes: Dims,
}

impl<T: Number, const MAX: bool> Op<T> for Extreme<T, MAX> {
    const NAME: &'static str = if MAX { "max" } else { "min" };
    const SAVES_OUTPUT: bool = true;

    fn backward(self, dy: Tensor<T>, grads: &mut Grads<'_, T>) {
        let Extreme { x, axes } = self;
        let kept = x.shape().replaced(&axes, 1);
        let y = grads.output().reshape(kept);
        grads.set(0, || {
            let winners = zip(OneWhereEqual, *x.shape(), &x, &y);
            let count = winners.sum_keepdim(axes);
            winners * (dy.reshape(kept) / count)
        });
    }
}

/// 1 where a = b, 0 elsewhere.
#[derive(Clone, Copy)]
struct OneWhereEqual;

impl<T: Number> Binary<T> for OneWhereEqual {
    #[inline(always)]
    fn eval(self, a: T, b: T) -> T {
        if a == b { T::ONE } else { T::ZERO }
    }
}

/// Refuses to look for the largest of no elements.
#[track_caller]
pub(crate) fn refuse_nothing(op: &str, shape: &Dims, axes: &Dims) {
    let size = axes.iter().map(|&axis| shape[axis]).product::<usize>();
    assert!(size > 0, "{op}: over axes {axes} of shape {shape}: there is no element");
}

impl<T: Number> Tensor<T> {
    /// The largest element over `axes`, which disappear, as `torch.amax`: NaN if there is one. Elements that
    /// are equally large share the gradient.
    ///
    /// ```
    /// use autograd::Tensor;
    /// let x = Tensor::from([[1.0, 5.0], [7.0, 2.0]]);
    /// assert_eq!(x.max(-1).to_vec(), [5.0, 7.0]);
    /// assert_eq!(x.max(..).item(), 7.0);
    /// ```
    ///
    /// # Panics
    /// If there is no such axis, one is named twice, or one has size 0.
    #[track_caller]
    pub fn max(&self, axes: impl Axes) -> Tensor<T> {
        let axes = axes.resolve("max", self.rank());
        self.extreme::<_, true>(Max, axes, self.shape().without(&axes))
    }

    /// [`max`](Tensor::max) over `axes`, which stay with size 1.
    ///
    /// # Panics
    /// As [`max`](Tensor::max).
    #[track_caller]
    pub fn max_keepdim(&self, axes: impl Axes) -> Tensor<T> {
        let axes = axes.resolve("max", self.rank());
        self.extreme::<_, true>(Max, axes, self.shape().replaced(&axes, 1))
    }

    /// The smallest element over `axes`, which disappear, as `torch.amin`: NaN if there is one. Elements that
    /// are equally small share the gradient.
    ///
    /// # Panics
    /// If there is no such axis, one is named twice, or one has size 0.
    #[track_caller]
    pub fn min(&self, axes: impl Axes) -> Tensor<T> {
        let axes = axes.resolve("min", self.rank());
        self.extreme::<_, false>(Min, axes, self.shape().without(&axes))
    }

    /// [`min`](Tensor::min) over `axes`, which stay with size 1.
    ///
    /// # Panics
    /// As [`min`](Tensor::min).
    #[track_caller]
    pub fn min_keepdim(&self, axes: impl Axes) -> Tensor<T> {
        let axes = axes.resolve("min", self.rank());
        self.extreme::<_, false>(Min, axes, self.shape().replaced(&axes, 1))
    }

    #[track_caller]
    fn extreme<F: Fold<T>, const MAX: bool>(&self, extreme: F, axes: Dims, shape: Dims) -> Tensor<T> {
        refuse_nothing(<Extreme<T, MAX> as Op<T>>::NAME, self.shape(), &axes);
        let y = fold(extreme, self, &axes).with_shape(shape);
        y.recorded([self], || Extreme::<T, MAX> { x: self.clone(), axes })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gradcheck::check_unary;
    use crate::graph::{GradOptions, grad};

    #[test]
    fn gradients() {
        check_unary(|x| (x * x).max(..));
        check_unary(|x| x.max(-1) * x.min(..));
        check_unary(|x| x.min_keepdim(0) * x);
    }

    /// Values from PyTorch 2.15.
    #[test]
    fn ties_and_nan_as_pytorch() {
        let nan = f32::NAN;
        let gradient = |x: [f32; 3], f: fn(&Tensor) -> Tensor, create_graph| {
            let x = Tensor::from(x).requires_grad();
            grad(&[&f(&x)], &[&x], GradOptions { create_graph, ..Default::default() }).remove(0).to_vec()
        };
        for create_graph in [false, true] {
            assert_eq!(gradient([2.0, 2.0, 1.0], |x| x.max(0), create_graph), [0.5, 0.5, 0.0]);
            assert_eq!(gradient([2.0, 1.0, 1.0], |x| x.min(0), create_graph), [0.0, 0.5, 0.5]);
            assert!(gradient([2.0, nan, nan], |x| x.max(0), create_graph).iter().all(|dx| dx.is_nan()));
        }
        let x = Tensor::from([1.0, nan, 3.0, nan]);
        assert!(x.max(0).item().is_nan() && x.min(0).item().is_nan());
    }

    #[test]
    fn integers_and_shapes() {
        let x = Tensor::of([[[3_i64, 9], [5, 1]], [[9, 0], [2, 5]]]);
        assert_eq!(x.max([0, 2]).to_vec(), [9, 5]);
        assert_eq!(*x.min_keepdim([0, 2]).shape(), [1, 2, 1]);
        assert_eq!(*Tensor::zeros([0, 2]).max(1).shape(), [0]);
    }

    #[test]
    #[should_panic(expected = "max: over axes [1] of shape [2, 0]: there is no element")]
    fn the_largest_of_no_elements_is_refused() {
        Tensor::zeros([2, 0]).max(1);
    }
}
