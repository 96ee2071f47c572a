//! Where the largest and the smallest element stand. Positions are integers: they have no gradient.

use super::max::refuse_nothing;
use super::rows::RowsAlong;
use crate::kernels::element::Number;
use crate::kernels::extreme;
use crate::kernels::reduce::{Fold, Max, Min};
use crate::tensor::{Axes, Dims, Tensor};

impl<T: Number> Tensor<T> {
    /// The position of the largest element over `axes`, which disappear, as `torch.argmax`: of the first,
    /// if there are several; of the first NaN, if there is one. Over several axes, positions count in
    /// row-major order.
    ///
    /// ```
    /// use autograd::Tensor;
    /// let x = Tensor::from([[1.0, 5.0], [7.0, 2.0]]);
    /// assert_eq!(x.argmax(-1).to_vec(), [1, 0]);
    /// assert_eq!(x.argmax(..).item(), 2);
    /// ```
    ///
    /// # Panics
    /// If there is no such axis, one is named twice, or one has size 0.
    #[track_caller]
    pub fn argmax(&self, axes: impl Axes) -> Tensor<i64> {
        self.position_of("argmax", Max, axes.resolve("argmax", self.rank()), false)
    }

    /// [`argmax`](Tensor::argmax) over `axes`, which stay with size 1.
    ///
    /// # Panics
    /// As [`argmax`](Tensor::argmax).
    #[track_caller]
    pub fn argmax_keepdim(&self, axes: impl Axes) -> Tensor<i64> {
        self.position_of("argmax", Max, axes.resolve("argmax", self.rank()), true)
    }

    /// The position of the smallest element over `axes`, as [`argmax`](Tensor::argmax) for the largest.
    ///
    /// # Panics
    /// As [`argmax`](Tensor::argmax).
    #[track_caller]
    pub fn argmin(&self, axes: impl Axes) -> Tensor<i64> {
        self.position_of("argmin", Min, axes.resolve("argmin", self.rank()), false)
    }

    /// [`argmin`](Tensor::argmin) over `axes`, which stay with size 1.
    ///
    /// # Panics
    /// As [`argmax`](Tensor::argmax).
    #[track_caller]
    pub fn argmin_keepdim(&self, axes: impl Axes) -> Tensor<i64> {
        self.position_of("argmin", Min, axes.resolve("argmin", self.rank()), true)
    }

    #[track_caller]
    fn position_of(&self, op: &'static str, extreme: impl Fold<T>, axes: Dims, keepdim: bool) -> Tensor<i64> {
        refuse_nothing(op, self.shape(), &axes);
        let along = RowsAlong::new(self.shape(), axes);
        let x = along.pack(self);
        Tensor::build(along.reduced(keepdim), |out| extreme::positions(extreme, x.slice(), along.n, out)).unrecorded(op)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn along_one_axis_and_several() {
        let x = Tensor::of([[[3_i64, 9], [5, 1]], [[9, 0], [2, 5]]]);
        assert_eq!(x.argmax(..).item(), 1);
        assert_eq!(x.argmin(..).item(), 5);
        assert_eq!(x.argmax(0).to_vec(), [1, 0, 0, 1]);
        assert_eq!(x.argmax([0, 2]).to_vec(), [1, 0]);
        assert_eq!(*x.argmin_keepdim([0, 2]).shape(), [1, 2, 1]);
        assert_eq!(*x.argmax_keepdim(-1).shape(), [2, 2, 1]);
        assert_eq!(Tensor::from(3.0).argmax(..).item(), 0);
    }

    #[test]
    fn nan_wins() {
        let x = Tensor::from([1.0, f32::NAN, 3.0, f32::NAN]);
        assert_eq!((x.argmax(0).item(), x.argmin(0).item()), (1, 1));
    }

    #[test]
    #[should_panic(expected = "argmin: over axes [0] of shape [0]: there is no element")]
    fn the_place_of_no_element_is_refused() {
        Tensor::zeros([0]).argmin(..);
    }
}
