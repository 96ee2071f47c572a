//! Elements in order of size along an axis: all of them, or the first k.
//!
//! ```text
//! y = sort(x)    y[j] = x[i[j]]    dx = zeros, to which dx[i[j]] += dy[j]
//! ```
//!
//! The positions i are all there is to it: they are integers without a gradient, and taking the elements
//! there is a [`gather`](super::gather), which saves them and carries the gradient.

use super::rows::RowsAlong;
use crate::kernels::element::Element;
use crate::kernels::sort;
use crate::tensor::axes::resolve_axis;
use crate::tensor::{Dims, Tensor};

impl<T: Element> Tensor<T> {
    /// The elements along `axis` from small to large (from large to small if `descending`), and the position
    /// that each had, as `torch.sort` with `stable=True`: equal elements stay in the order they have. NaN
    /// counts as larger than every number.
    ///
    /// ```
    /// use autograd::Tensor;
    /// let (values, positions) = Tensor::from([[3.0, 1.0, 2.0]]).sort(-1, false);
    /// assert_eq!(values.to_vec(), [1.0, 2.0, 3.0]);
    /// assert_eq!(positions.to_vec(), [1, 2, 0]);
    /// ```
    ///
    /// # Panics
    /// If there is no such axis.
    #[track_caller]
    pub fn sort(&self, axis: isize, descending: bool) -> (Tensor<T>, Tensor<i64>) {
        let at = resolve_axis("sort", axis, self.rank());
        let positions = self.first_positions(self.shape()[at], at, descending);
        (self.gather(axis, &positions), positions)
    }

    /// The positions that [`sort`](Tensor::sort) takes the elements from, as `torch.argsort` with `stable=True`.
    ///
    /// # Panics
    /// If there is no such axis.
    #[track_caller]
    pub fn argsort(&self, axis: isize, descending: bool) -> Tensor<i64> {
        let axis = resolve_axis("argsort", axis, self.rank());
        self.first_positions(self.shape()[axis], axis, descending)
    }

    /// The `k` largest elements along `axis` (the smallest, if not `largest`), the most extreme first, and
    /// their positions, as `torch.topk`. Of equal elements the first count as the more extreme (PyTorch leaves
    /// open which). NaN counts as larger than every number.
    ///
    /// ```
    /// use autograd::Tensor;
    /// let (values, positions) = Tensor::from([1.0, 5.0, 3.0]).topk(2, -1, true);
    /// assert_eq!(values.to_vec(), [5.0, 3.0]);
    /// assert_eq!(positions.to_vec(), [1, 2]);
    /// ```
    ///
    /// # Panics
    /// If there is no such axis, or it has fewer than `k` elements.
    #[track_caller]
    pub fn topk(&self, k: usize, axis: isize, largest: bool) -> (Tensor<T>, Tensor<i64>) {
        let at = resolve_axis("topk", axis, self.rank());
        assert!(k <= self.shape()[at], "topk: {k} of the elements along axis {axis} of shape {}", self.shape());
        let positions = self.first_positions(k, at, largest);
        (self.gather(axis, &positions), positions)
    }

    /// The positions of the first `k` elements along `axis` in ascending (or descending) order.
    #[track_caller]
    fn first_positions(&self, k: usize, axis: usize, descending: bool) -> Tensor<i64> {
        let axes = Dims::from([axis]);
        let along = RowsAlong::new(self.shape(), axes);
        let x = along.pack(self);
        let rows = Tensor::build(Dims::from([along.kept.count(), k]), |out| {
            sort::positions(x.slice(), along.n, k, descending, out);
        })
        .unrecorded("argsort");
        RowsAlong::new(&self.shape().replaced(&axes, k), axes).join(&rows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gradcheck::check_unary;

    #[test]
    fn gradients() {
        check_unary(|x| x.sort(0, false).0 * x);
        check_unary(|x| (x * x).sort(-1, true).0 * x);
        check_unary(|x| x.topk(2, -1, true).0 * x.topk(2, -1, false).0);
    }

    #[test]
    fn equal_elements_stay_in_order_and_nan_is_largest() {
        let x = Tensor::from([2.0, f32::NAN, 1.0, 2.0, -0.0, 0.0]);
        assert_eq!(x.argsort(0, false).to_vec(), [4, 5, 2, 0, 3, 1]);
        assert_eq!(x.argsort(0, true).to_vec(), [1, 0, 3, 2, 4, 5]);
        assert_eq!(x.topk(3, 0, true).1.to_vec(), [1, 0, 3]);
        assert_eq!(x.topk(3, 0, false).1.to_vec(), [4, 5, 2]);
    }

    #[test]
    fn any_axis_layout_and_element() {
        let x = Tensor::of([[3_i64, 1, 2], [0, 5, 4]]);
        assert_eq!(x.sort(0, false).0.to_vec(), [0, 1, 2, 3, 5, 4]);
        assert_eq!(x.t().sort(0, true).0.to_vec(), [3, 5, 2, 4, 1, 0]);
        let (values, positions) = x.topk(1, 0, true);
        assert_eq!((values.to_vec(), positions.to_vec()), (vec![3, 5, 4], vec![0, 1, 1]));
        assert_eq!(Tensor::of([true, false, true]).sort(-1, false).0.to_vec(), [false, true, true]);
        assert_eq!(*Tensor::zeros([2, 0]).sort(1, false).0.shape(), [2, 0]);
        assert_eq!(*x.topk(0, 1, true).0.shape(), [2, 0]);
    }

    #[test]
    #[should_panic(expected = "topk: 4 of the elements along axis -1 of shape [2, 3]")]
    fn more_than_there_are_is_refused() {
        Tensor::zeros([2, 3]).topk(4, -1, true);
    }
}
