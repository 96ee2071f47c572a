//! Whole rows (or columns, or slices along any axis) picked by index, and the reverse.
//!
//! ```text
//! y = index_select(x, i)     y[j] = x[i[j]]              dx = zeros, to which dx[i[j]] += dy[j]
//! y = index_add(x, i, v)     y = x, then y[i[j]] += v[j]   dx = dy     dv[j] = dy[i[j]]
//! ```
//!
//! Each is the other's backward. Only the indices are saved. An index that occurs several times gives
//! its row the sum of the gradients.

use crate::graph::{Grads, Op};
use crate::kernels::element::Element;
use crate::kernels::{parallel, rows};
use crate::tensor::axes::resolve_axis;
use crate::tensor::{Dims, Tensor};

/// Which slices along which axis.
#[derive(Clone)]
pub(crate) struct Selection {
    pub axis: usize,
    /// `[k]`, packed, in range.
    pub indices: Tensor<i64>,
    /// An index that reads as zeros and is never added to.
    pub skip: Option<i64>,
}

impl Selection {
    /// The kernel's arguments for a table of shape `table`.
    fn rows(&self, table: &Dims) -> rows::Rows<'_> {
        let width = table[self.axis + 1..].iter().product();
        rows::Rows { indices: self.indices.slice(), n: table[self.axis], width, skip: self.skip }
    }
}

/// Refuses indices outside `0..n`; `of` says what they are into. As PyTorch here, and unlike slicing,
/// negative ones are not counted from the end.
#[track_caller]
pub(crate) fn check_indices(op: &str, indices: &Tensor<i64>, n: usize, of: impl FnOnce() -> String) {
    let packed = indices.packed();
    let Some((position, index)) = rows::first_outside(packed.slice(), n) else { return };
    let mut rest = position;
    let mut place = *indices.shape();
    for (axis, &size) in indices.shape().iter().enumerate().rev() {
        place[axis] = rest % size;
        rest /= size;
    }
    let fit = if n == 0 { "no index fits".to_string() } else { format!("indices go from 0 to {}", n - 1) };
    panic!("{op}: index {index}, at {place} of the indices, is outside {}; {fit}", of())
}

// ---- picking ----

/// y = the slices that a selection names.
#[derive(Clone)]
struct Select {
    selection: Selection,
    /// The size of x along the axis.
    size: usize,
}

impl<T: Element> Op<T> for Select {
    const NAME: &'static str = "index_select";
    fn backward(self, dy: Tensor<T>, grads: &mut Grads<'_, T>) {
        grads.set(0, || dy.scattered(self.selection, self.size));
    }
}

/// y = zeros, with slices added where a selection names them.
#[derive(Clone)]
struct Scatter {
    selection: Selection,
}

impl<T: Element> Op<T> for Scatter {
    const NAME: &'static str = "index_add";
    fn backward(self, dy: Tensor<T>, grads: &mut Grads<'_, T>) {
        grads.set(0, || dy.selected(self.selection));
    }
}

impl<T: Element> Tensor<T> {
    /// The slices that `selection` names, without history.
    pub(crate) fn pick(&self, selection: &Selection) -> Tensor<T> {
        let x = self.packed();
        let shape = x.shape().replaced(&[selection.axis], selection.indices.count());
        Tensor::build(shape, |out| rows::take(selection.rows(x.shape()), x.slice(), out))
    }

    /// The slices that `selection` names.
    #[track_caller]
    pub(crate) fn selected(&self, selection: Selection) -> Tensor<T> {
        let size = self.shape()[selection.axis];
        self.pick(&selection).recorded([self], || Select { selection, size })
    }

    /// Zeros, of `size` along the axis, to which these slices are added where `selection` says.
    #[track_caller]
    pub(crate) fn scattered(&self, selection: Selection, size: usize) -> Tensor<T> {
        let values = self.packed();
        let shape = self.shape().replaced(&[selection.axis], size);
        let y = Tensor::build(shape, |out| {
            parallel::for_each_chunk(out, |_, out| out.fill(T::default()));
            rows::add(selection.rows(&shape), values.slice(), out);
        });
        y.recorded([self], || Scatter { selection })
    }

    /// The slices at `indices` (`[k]`) along `axis`, in that order, as `torch.index_select`: along axis
    /// 1, `[a, n, b]` becomes `[a, k, b]`. Indices may repeat.
    ///
    /// ```
    /// use autograd::Tensor;
    /// let x = Tensor::from([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]);
    /// let y = x.index_select(1, &Tensor::of([2_i64, 0]));
    /// assert_eq!(y.to_vec(), [3.0, 1.0, 6.0, 4.0]);
    /// ```
    ///
    /// # Panics
    /// If there is no such axis, `indices` is not a vector, or an index is negative or too large.
    #[track_caller]
    pub fn index_select(&self, axis: isize, indices: &Tensor<i64>) -> Tensor<T> {
        let axis = resolve_axis("index_select", axis, self.rank());
        self.selected(self.selection("index_select", axis, indices))
    }

    #[track_caller]
    fn selection(&self, op: &str, axis: usize, indices: &Tensor<i64>) -> Selection {
        assert!(indices.rank() == 1, "{op}: a vector of indices is wanted, not one of shape {}", indices.shape());
        check_indices(op, indices, self.shape()[axis], || format!("axis {axis} of shape {}", self.shape()));
        Selection { axis, indices: indices.packed(), skip: None }
    }
}

// ---- adding ----

/// y = x, with slices of v added where a selection names them.
#[derive(Clone)]
struct IndexAdd {
    selection: Selection,
}

impl<T: Element> Op<T> for IndexAdd {
    const NAME: &'static str = "index_add";
    fn backward(self, dy: Tensor<T>, grads: &mut Grads<'_, T>) {
        grads.set(1, || dy.selected(self.selection));
        grads.set(0, || dy);
    }
}

impl<T: Element> Tensor<T> {
    /// This tensor with the slices of `values` added at `indices` (`[k]`) along `axis`, as
    /// `torch.index_add`: slice `j` of `values` is added to slice `indices[j]`. On masks, adding is or.
    ///
    /// ```
    /// use autograd::Tensor;
    /// let y = Tensor::zeros([3]).index_add(0, &Tensor::of([0_i64, 2, 0]), &Tensor::from([1.0, 2.0, 3.0]));
    /// assert_eq!(y.to_vec(), [4.0, 0.0, 2.0]);
    /// ```
    ///
    /// # Panics
    /// If there is no such axis, `indices` is not a vector, an index is negative or too large, or
    /// `values` has another shape than this tensor with `k` in place of its size along `axis`.
    #[track_caller]
    pub fn index_add(&self, axis: isize, indices: &Tensor<i64>, values: &Tensor<T>) -> Tensor<T> {
        let axis = resolve_axis("index_add", axis, self.rank());
        let selection = self.selection("index_add", axis, indices);
        let fits = self.shape().replaced(&[axis], indices.count());
        assert!(
            *values.shape() == fits,
            "index_add: values of shape {} for {} indices along axis {axis} of shape {}; {fits} would fit",
            values.shape(),
            indices.count(),
            self.shape()
        );
        let packed = values.packed();
        let mut y = self.detach();
        rows::add(selection.rows(self.shape()), packed.slice(), y.slice_mut());
        y.recorded([self, values], || IndexAdd { selection })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gradcheck::{check_unary, gradcheck_to_order};
    use crate::rng::Rng;

    #[test]
    fn gradients() {
        for axis in [0, -1] {
            // Every shape that is checked has sizes of at least 2 at the ends, in every layout.
            check_unary(|x| x.index_select(axis, &Tensor::of([1_i64, 0, 1])));
            check_unary(|x| x.index_select(axis, &Tensor::of([1_i64, 1])) * 2.0);
        }
        let mut rng = Rng::seeded(3);
        let indices = Tensor::of([2_i64, 0, 2, 2]);
        for (x, v, axis) in [(vec![3], vec![4], 0), (vec![3, 2], vec![4, 2], 0), (vec![2, 3, 2], vec![2, 4, 2], 1)] {
            let inputs = [Tensor::randn_of::<f64>(x, &mut rng), Tensor::randn_of::<f64>(v, &mut rng)];
            let f = |x: &[Tensor<f64>]| x[0].index_add(axis, &indices, &(&x[1] * &x[1]));
            gradcheck_to_order(&f, &inputs, 2).unwrap();
            let transposed = |x: &[Tensor<f64>]| {
                let (x, v) = (x[0].transpose(0, -1), x[1].transpose(0, -1));
                x.index_add(x.rank() as isize - 1 - axis, &indices, &v) * 2.0
            };
            gradcheck_to_order(&transposed, &inputs, 2).unwrap();
        }
    }

    #[test]
    fn any_element_type_and_no_rows_at_all() {
        let mask = Tensor::of([[true, false], [false, false]]);
        assert_eq!(mask.index_select(1, &Tensor::of([1_i64, 0])).to_vec(), [false, true, false, false]);
        let ors = mask.index_add(0, &Tensor::of([1_i64, 1]), &mask);
        assert_eq!(ors.to_vec(), [true, false, true, false]);
        let none = Tensor::from_slice::<i64>(&[], [0]);
        assert_eq!(*Tensor::zeros([2, 3]).index_select(1, &none).shape(), [2, 0]);
        assert_eq!(*Tensor::zeros([0, 3]).index_select(0, &none).shape(), [0, 3]);
    }

    #[test]
    #[should_panic(
        expected = "index_select: index 3, at [1] of the indices, is outside axis 1 of shape [2, 3]; indices \
                               go from 0 to 2"
    )]
    fn an_index_outside_is_refused() {
        Tensor::zeros([2, 3]).index_select(1, &Tensor::of([0_i64, 3]));
    }

    #[test]
    #[should_panic(expected = "index_add: values of shape [2, 2] for 3 indices along axis 1 of shape [2, 4]; [2, 3] \
                               would fit")]
    fn values_of_another_shape_are_refused() {
        Tensor::zeros([2, 4]).index_add(1, &Tensor::of([0_i64, 1, 1]), &Tensor::zeros([2, 2]));
    }
}
