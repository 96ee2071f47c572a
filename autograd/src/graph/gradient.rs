//! A gradient on its way back: a tensor, or some rows of a table.

use super::node::History;
use crate::kernels::element::{Element, Number};
use crate::tensor::{Dims, Tensor};

/// dL/dx for some tensor `x`.
#[derive(Clone)]
pub enum Gradient<T: Element = f32> {
    /// Of the shape of `x`.
    Dense(Tensor<T>),
    /// Of the rows of `x` that were used; the others are zero. Only `embedding` makes these, and only
    /// if told to.
    Sparse(SparseRows<T>),
}

/// Some rows of a table of shape `[rows, …]`. The same row may stand here several times: they add up.
#[derive(Clone)]
pub struct SparseRows<T: Element = f32> {
    /// Which rows: `[n]`.
    pub indices: Tensor<i64>,
    /// Their values: `[n, …]`.
    pub values: Tensor<T>,
    /// The shape of the whole table.
    pub shape: Dims,
}

impl<T: Number> SparseRows<T> {
    /// The table with all its zeros.
    pub fn to_dense(&self) -> Tensor<T> {
        let width = self.shape[1..].iter().product::<usize>();
        let (indices, values) = (self.indices.packed(), self.values.packed());
        Tensor::build_on_zeros(self.shape, |out| {
            for (row, &index) in values.slice().chunks_exact(width.max(1)).zip(indices.slice()) {
                let start = index as usize * width;
                for (sum, &x) in out[start..start + width].iter_mut().zip(row) {
                    *sum += x;
                }
            }
        })
    }

    /// The same table with each row at most once, in ascending order.
    pub fn coalesced(&self) -> SparseRows<T> {
        let width = self.shape[1..].iter().product::<usize>();
        let (indices, values) = (self.indices.packed(), self.values.packed());
        let mut order: Vec<usize> = (0..indices.count()).collect();
        // Stable, so that rows add up in the order they were used in.
        order.sort_by_key(|&i| indices.slice()[i]);
        let (mut rows, mut sums): (Vec<i64>, Vec<T>) = (Vec::new(), Vec::new());
        for i in order {
            let index = indices.slice()[i];
            let row = &values.slice()[i * width..(i + 1) * width];
            if rows.last() == Some(&index) {
                let start = sums.len() - width;
                for (sum, &x) in sums[start..].iter_mut().zip(row) {
                    *sum += x;
                }
            } else {
                rows.push(index);
                sums.extend_from_slice(row);
            }
        }
        let shape = self.shape.replaced(&[0], rows.len());
        SparseRows {
            indices: Tensor::from_slice(&rows, rows.len()),
            values: Tensor::from_slice(&sums, shape),
            shape: self.shape,
        }
    }

    /// Both sets of rows.
    fn joined(&self, other: &SparseRows<T>) -> SparseRows<T> {
        SparseRows {
            indices: Tensor::cat(&[&self.indices, &other.indices], 0),
            values: Tensor::cat(&[&self.values, &other.values], 0),
            shape: self.shape,
        }
    }
}

impl<T: Number> Gradient<T> {
    /// As a tensor of the shape of `x`.
    pub fn into_dense(self) -> Tensor<T> {
        match self {
            Gradient::Dense(gradient) => gradient,
            Gradient::Sparse(rows) => rows.to_dense(),
        }
    }

    /// The sum with a later gradient: in place, if nobody else looks at one of the two.
    pub(crate) fn add(self, later: Gradient<T>) -> Gradient<T> {
        match (self, later) {
            (Gradient::Sparse(a), Gradient::Sparse(b)) => Gradient::Sparse(a.joined(&b)),
            (a, b) => {
                let (mut a, b) = (a.into_dense(), b.into_dense());
                // The left operand is the one that an addition writes over.
                Gradient::Dense(if a.slice_mut_if_unique().is_some() { a + b } else { b + a })
            }
        }
    }

    /// The same values, which gradients do not flow back through.
    pub(crate) fn without_history(mut self) -> Gradient<T> {
        match &mut self {
            Gradient::Dense(gradient) => gradient.history = History::NONE,
            Gradient::Sparse(rows) => rows.values.history = History::NONE,
        }
        self
    }
}
