//! A gradient on its way back: a tensor, or some rows of a table.

use super::node::History;
use crate::kernels::element::{Element, Number};
use crate::kernels::rows::{self, Rows};
use crate::ops::arithmetic::add_to;
use crate::tensor::{Dims, Tensor};

/// dL/dx for some tensor `x`.
#[derive(Clone)]
pub enum Gradient<T: Element = f32> {
    /// Of the shape of `x`.
    Dense(Tensor<T>),
    /// Of the rows of `x` that were used; the others are zero. Only `embedding` makes these, and only
    /// if told to.
    Sparse(Box<SparseRows<T>>),
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
        let rows = Rows { indices: indices.slice(), n: self.shape[0], width, skip: None };
        Tensor::build_on_zeros(self.shape, |out| rows::add(rows, values.slice(), out))
    }

    /// The same table with each row at most once, in ascending order. Copies nothing if it is so already.
    pub fn coalesced(&self) -> SparseRows<T> {
        let (indices, values) = (self.indices.packed(), self.values.packed());
        if indices.slice().is_sorted_by(|a, b| a < b) {
            return SparseRows { indices, values, shape: self.shape };
        }
        let width = self.shape[1..].iter().product::<usize>();
        let mut order: Vec<usize> = (0..indices.count()).collect();
        // Stable, so that rows add up in the order they were used in.
        order.sort_by_key(|&i| indices.slice()[i]);
        let mut rows: Vec<i64> = order.iter().map(|&i| indices.slice()[i]).collect();
        rows.dedup();
        let sums = Tensor::build(self.shape.replaced(&[0], rows.len()), |out| {
            let (mut begun, mut latest) = (0, None);
            for i in order {
                let row = &values.slice()[i * width..(i + 1) * width];
                let index = Some(indices.slice()[i]);
                if latest == index {
                    let start = (begun - 1) * width;
                    for (sum, &x) in out[start..start + width].iter_mut().zip(row) {
                        *sum += x;
                    }
                } else {
                    out[begun * width..(begun + 1) * width].copy_from_slice(row);
                    (begun, latest) = (begun + 1, index);
                }
            }
        });
        SparseRows { indices: Tensor::from_slice(&rows, rows.len()), values: sums, shape: self.shape }
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

    /// The same as a tensor, in its place.
    pub(crate) fn make_dense(&mut self) -> &mut Tensor<T> {
        if let Gradient::Sparse(rows) = self {
            *self = Gradient::Dense(rows.to_dense());
        }
        match self {
            Gradient::Dense(gradient) => gradient,
            Gradient::Sparse(_) => unreachable!("it is dense now"),
        }
    }

    /// Adds a later gradient: in place, if nobody else looks at one of the two.
    pub(crate) fn add(&mut self, later: Gradient<T>) {
        match (self, later) {
            (Gradient::Sparse(a), Gradient::Sparse(b)) => **a = a.joined(&b),
            (a, b) => add_dense(a.make_dense(), b.into_dense()),
        }
    }

    /// Keeps the values; gradients do not flow back through them any more.
    pub(crate) fn forget_history(&mut self) {
        match self {
            Gradient::Dense(gradient) => gradient.history = History::NONE,
            Gradient::Sparse(rows) => rows.values.history = History::NONE,
        }
    }
}

/// a ← a + b, over the values of either, if no other handle holds them.
fn add_dense<T: Number>(a: &mut Tensor<T>, mut b: Tensor<T>) {
    if a.slice_mut_if_unique().is_none() {
        std::mem::swap(a, &mut b);
    }
    add_to(a, &b);
}

/// What reaches a node: the gradient of what it made.
#[derive(Clone)]
pub(crate) enum Incoming<T: Element> {
    /// Of its one output.
    Gradient(Gradient<T>),
    /// Of each of its several outputs, if the loss depends on that one.
    OfOutputs(Vec<Option<Tensor<T>>>),
}

impl<T: Number> Incoming<T> {
    /// That of a node with one output.
    pub fn into_gradient(self) -> Gradient<T> {
        match self {
            Incoming::Gradient(gradient) => gradient,
            Incoming::OfOutputs(_) => unreachable!("the node has several outputs, and its backward takes them all"),
        }
    }

    /// Does something to each of them.
    pub fn for_each(&mut self, f: impl Fn(&mut Gradient<T>)) {
        match self {
            Incoming::Gradient(gradient) => f(gradient),
            Incoming::OfOutputs(parts) => {
                for part in parts {
                    *part = part.take().map(|part| {
                        let mut part = Gradient::Dense(part);
                        f(&mut part);
                        part.into_dense()
                    });
                }
            }
        }
    }

    /// Adds what reaches the same node later.
    pub fn add(&mut self, later: Incoming<T>) {
        match (self, later) {
            (Incoming::OfOutputs(a), Incoming::OfOutputs(b)) => {
                for (a, b) in a.iter_mut().zip(b) {
                    match (a, b) {
                        (Some(a), Some(b)) => add_dense(a, b),
                        (a @ None, b) => *a = b,
                        (Some(_), None) => {}
                    }
                }
            }
            (Incoming::Gradient(a), b) => a.add(b.into_gradient()),
            (Incoming::OfOutputs(_), Incoming::Gradient(_)) => unreachable!("a node has one output or several"),
        }
    }

    /// The tensors that it is made of.
    pub fn dense(&self) -> Vec<Tensor<T>> {
        match self {
            Incoming::Gradient(gradient) => vec![gradient.clone().into_dense()],
            Incoming::OfOutputs(parts) => parts.iter().flatten().cloned().collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coalesced_rows_are_the_same_table() {
        let rows = SparseRows {
            indices: Tensor::of([3_i64, 0, 3, 1, 3]),
            values: Tensor::from([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0], [7.0, 8.0], [9.0, 10.0]]),
            shape: Dims::from([5, 2]),
        };
        let coalesced = rows.coalesced();
        assert_eq!(coalesced.indices.to_vec(), [0, 1, 3]);
        assert_eq!(coalesced.values.to_vec(), [3.0, 4.0, 7.0, 8.0, 15.0, 18.0]);
        assert_eq!(coalesced.to_dense().to_vec(), rows.to_dense().to_vec());
        assert!(coalesced.coalesced().values.shares_storage(&coalesced.values));
    }
}
