//! What an operation's backward hands its gradients to.

use super::backward::Pass;
use super::gradient::{Gradient, SparseRows};
use super::node::{History, Node};
use crate::kernels::element::Element;
use crate::tensor::{Dims, Tensor};
use std::sync::Arc;

/// The gradients of an operation's inputs, to be set by its [`backward`](super::Op::backward).
pub struct Grads<'a, T: Element> {
    pub(super) node: &'a Arc<dyn Node<T>>,
    pub(super) pass: &'a Pass,
    pub(super) output: Option<Tensor<T>>,
    /// Where a gradient goes from here.
    pub(super) sink: &'a mut dyn FnMut(usize, Gradient<T>),
}

impl<T: Element> Grads<'_, T> {
    /// Whether anybody wants the gradient of this input.
    #[inline]
    pub fn wants(&self, input: usize) -> bool {
        self.pass.wants(&self.node.inputs()[input])
    }

    /// Sets the gradient of an input to `dx()`, which is called only if it is wanted.
    ///
    /// `dx` may have the shape that the input was broadcast to: it is then summed over the axes that
    /// broadcasting repeated, here, once, for every operation.
    #[inline]
    pub fn set(&mut self, input: usize, dx: impl FnOnce() -> Tensor<T>) {
        if self.wants(input) {
            (self.sink)(input, Gradient::Dense(dx()));
        }
    }

    /// Sets the gradient of an input that is a table to some rows of it.
    #[inline]
    pub fn set_rows(&mut self, input: usize, rows: impl FnOnce() -> SparseRows<T>) {
        if self.wants(input) {
            (self.sink)(input, Gradient::Sparse(Box::new(rows())));
        }
    }

    /// Whether this backward is itself recorded, to be differentiated again. Then it must be made of
    /// tensor operations on what was saved; otherwise a kernel on slices may do it faster.
    #[inline]
    pub fn create_graph(&self) -> bool {
        self.pass.create_graph
    }

    /// The operation's output, with its history under `create_graph`.
    ///
    /// # Panics
    /// If the operation does not declare [`SAVES_OUTPUT`](super::Op::SAVES_OUTPUT).
    pub fn output(&mut self) -> Tensor<T> {
        let mut y =
            self.output.take().expect("an operation that declares SAVES_OUTPUT, which asks once for its output");
        if self.pass.create_graph {
            y.history = History::at(self.node);
        }
        y
    }

    /// The shape of an input whose gradient is wanted.
    pub fn shape(&self, input: usize) -> Dims {
        self.node.inputs()[input].node().expect("an input whose gradient is wanted").head().shape
    }
}
