//! Indexing and slicing: views of a part of a tensor. The syntax is in [`tensor::index`](crate::tensor::index).
//!
//! ```text
//! y = x.index(…)     dx = dy put into zeros of x's shape
//! ```
//!
//! It is [`sliced`](mod@super::views) along each axis that is not taken whole, then a reshape that
//! drops the axes of single indices and puts in new ones. Nothing is copied.

use crate::kernels::element::Element;
use crate::tensor::Tensor;
use crate::tensor::index::{AxisPart, Index, resolve};

impl<T: Element> Tensor<T> {
    /// A part of this tensor, as `x[…]` in Python. A view.
    ///
    /// An entry, or a tuple of them, one for each axis: an integer (the axis disappears), a range, `..`
    /// for a whole axis, [`by`](crate::by) for every n-th of a range, [`Ellipsis`](crate::Ellipsis) for the
    /// axes that are left, [`NewAxis`](crate::NewAxis). Axes that are not named are taken whole. Negative
    /// numbers count from the end. Ranges may lead beyond the axis, as in Python; single indices may not.
    ///
    /// ```
    /// use autograd::{Ellipsis, NewAxis, Tensor, by};
    /// let x = Tensor::arange(0.0, 24.0, 1.0).reshape([2, 3, 4]);
    /// assert_eq!(x.index((0, 1)).to_vec(), [4.0, 5.0, 6.0, 7.0]); // x[0, 1]
    /// assert_eq!(x.index((.., 1..3, -1)).to_vec(), [7.0, 11.0, 19.0, 23.0]); // x[:, 1:3, -1]
    /// assert_eq!(x.index((1, 0, by(.., 2))).to_vec(), [12.0, 14.0]); // x[1, 0, ::2]
    /// assert_eq!(*x.index((Ellipsis, 0)).shape(), [2, 3]); // x[..., 0]
    /// assert_eq!(*x.index((.., NewAxis)).shape(), [2, 1, 3, 4]); // x[:, None]
    /// ```
    ///
    /// # Panics
    /// If there are more entries than axes, a single index is out of range, a step is 0, or there are two
    /// ellipses.
    #[track_caller]
    pub fn index(&self, index: impl Index) -> Tensor<T> {
        let (parts, shape) = resolve(&index.picks(), self.shape());
        let mut y = self.clone();
        for (axis, AxisPart { start, step, count }) in parts.into_iter().enumerate() {
            if count != self.shape()[axis] {
                y = y.sliced(axis, start, step, count);
            }
        }
        if *y.shape() == shape { y } else { y.reshape(shape) }
    }

    /// The elements where `mask` is true, in row-major order, as `torch.masked_select`: a vector. Tensor
    /// and mask are broadcast to each other's shape.
    ///
    /// ```
    /// use autograd::Tensor;
    /// let x = Tensor::from([[1.0, 2.0], [3.0, 4.0]]);
    /// assert_eq!(x.masked_select(&Tensor::of([true, false])).to_vec(), [1.0, 3.0]);
    /// ```
    ///
    /// # Panics
    /// If the shapes do not broadcast.
    #[track_caller]
    pub fn masked_select(&self, mask: &Tensor<bool>) -> Tensor<T> {
        let shape = super::binary::broadcast("masked_select", self, mask);
        let places = positions_of_true(&mask.expand(shape));
        self.expand(shape).reshape([-1]).index_select(0, &places)
    }
}

/// The row-major positions of the true elements.
fn positions_of_true(mask: &Tensor<bool>) -> Tensor<i64> {
    let mask = mask.contiguous();
    let positions: Vec<i64> = (0..).zip(mask.slice()).filter(|&(_, &set)| set).map(|(i, _)| i).collect();
    Tensor::from_slice(&positions, positions.len())
}

impl Tensor<bool> {
    /// The index of each true element, in row-major order, as `torch.nonzero`: `[n, rank]`.
    ///
    /// ```
    /// use autograd::Tensor;
    /// let mask = Tensor::of([[false, true], [true, false]]);
    /// assert_eq!(mask.nonzero().to_vec(), [0, 1, 1, 0]);
    /// ```
    pub fn nonzero(&self) -> Tensor<i64> {
        let (positions, strides) = (positions_of_true(self), self.shape().row_major_strides());
        let rank = self.rank();
        Tensor::from_fn([positions.count(), rank], |i| {
            let axis = i % rank;
            positions.slice()[i / rank] / strides[axis] as i64 % self.shape()[axis] as i64
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gradcheck::check_unary;
    use crate::tensor::{Ellipsis, NewAxis, by};

    #[test]
    fn gradients() {
        check_unary(|x| x.index(1) * 2.0);
        check_unary(|x| x.index((Ellipsis, -2)));
        check_unary(|x| x.index((by(.., 2), Ellipsis)) * x.index((..1, Ellipsis)));
        check_unary(|x| x.index((Ellipsis, NewAxis, 1..)));
        check_unary(|x| (x * x).masked_select(&Tensor::of([true])));
    }

    #[test]
    fn a_mask_broadcasts_and_has_a_gradient() {
        let x = Tensor::from([[1.0], [2.0]]).requires_grad();
        let mask = Tensor::of([[true, false, true], [false, true, true]]);
        let y = x.masked_select(&mask);
        assert_eq!(y.to_vec(), [1.0, 1.0, 2.0, 2.0]);
        (y * Tensor::from([1.0, 10.0, 100.0, 1000.0])).sum(..).backward();
        assert_eq!(x.grad().unwrap().to_vec(), [11.0, 1100.0]);
        assert_eq!(mask.nonzero().to_vec(), [0, 0, 0, 2, 1, 1, 1, 2]);
        assert_eq!(*Tensor::of([false]).nonzero().shape(), [0, 1]);
    }

    #[test]
    fn every_index_is_a_view() {
        let x = Tensor::arange(0.0, 60.0, 1.0).reshape([3, 4, 5]).permute([2, 0, 1]); // [5, 3, 4]
        let y = x.index((by(1..-1, 2), NewAxis, -1, ..=2));
        assert!(y.shares_storage(&x));
        assert_eq!(y.to_vec(), [41.0, 46.0, 51.0, 43.0, 48.0, 53.0]);
        assert!(x.index((.., 1, 7..)).count() == 0);
    }

    #[test]
    #[should_panic(expected = "index: -4 along axis 1 of shape [2, 3]; indices go from -3 to 2")]
    fn an_integer_out_of_range_is_refused() {
        Tensor::zeros([2, 3]).index((.., -4));
    }

    #[test]
    #[should_panic(expected = "index: 3 entries for the 2 axes of shape [2, 3]")]
    fn too_many_entries_are_refused() {
        Tensor::zeros([2, 3]).index((0, 0, 0));
    }

    #[test]
    #[should_panic(expected = "index: steps of 0 along axis 0 of shape [2, 3]; they must be positive")]
    fn a_step_of_0_is_refused() {
        Tensor::zeros([2, 3]).index(by(.., 0));
    }
}
