//! A tensor as rows along some of its axes: the frame of operations whose kernels work on rows.

use crate::kernels::element::Element;
use crate::tensor::{Dims, Tensor};

/// Some axes of a shape, put behind the others and made one: `[rows, n]`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RowsAlong {
    shape: Dims,
    /// The axes along which rows run, ascending.
    axes: Dims,
    /// The sizes of the others.
    pub kept: Dims,
    /// The length of a row.
    pub n: usize,
}

impl RowsAlong {
    /// Rows along `axes`, which are ascending.
    pub fn new(shape: &Dims, axes: Dims) -> RowsAlong {
        RowsAlong { shape: *shape, axes, kept: shape.without(&axes), n: axes.iter().map(|&axis| shape[axis]).product() }
    }

    /// Whether rows run along the last axes, so that they are there already.
    fn are_last(&self) -> bool {
        let first = self.shape.len() - self.axes.len();
        self.axes.iter().enumerate().all(|(i, &axis)| axis == first + i)
    }

    /// The axes in the order that [`split`](RowsAlong::split) has them.
    fn order(&self) -> Dims {
        let all = (0..self.shape.len()).filter(|axis| !self.axes.contains(axis));
        all.chain(self.axes.iter().copied()).collect()
    }

    /// `x`, of the whole shape, as rows; recorded.
    #[track_caller]
    pub fn split<T: Element>(&self, x: &Tensor<T>) -> Tensor<T> {
        let rows = Dims::from([self.kept.count(), self.n]);
        if self.are_last() { x.reshape(rows) } else { x.permuted(self.order()).reshape(rows) }
    }

    /// Rows in the whole shape again; recorded.
    #[track_caller]
    pub fn join<T: Element>(&self, rows: &Tensor<T>) -> Tensor<T> {
        if self.are_last() {
            return rows.reshape(self.shape);
        }
        let order = self.order();
        let mut back = order;
        for (to, &from) in order.iter().enumerate() {
            back[from] = to;
        }
        rows.reshape(order.iter().map(|&axis| self.shape[axis]).collect::<Dims>()).permuted(back)
    }

    /// The rows of `x` one behind the other in memory, without history.
    pub fn pack<T: Element>(&self, x: &Tensor<T>) -> Tensor<T> {
        self.split(&x.detach()).packed()
    }

    /// The shape of a result with one element a row.
    pub fn reduced(&self, keepdim: bool) -> Dims {
        if keepdim { self.shape.replaced(&self.axes, 1) } else { self.kept }
    }

    /// Such a result as a column, `[rows, 1]`; recorded.
    #[track_caller]
    pub fn column<T: Element>(&self, y: &Tensor<T>) -> Tensor<T> {
        y.reshape([self.kept.count(), 1])
    }
}
