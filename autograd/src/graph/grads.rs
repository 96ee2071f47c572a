//! What an operation's backward hands its gradients to.

use super::backward::Pass;
use super::gradient::{Gradient, Incoming, SparseRows};
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
    pub(super) sink: &'a mut dyn Sink<T>,
}

/// Takes the gradients of one operation's inputs.
pub(super) trait Sink<T: Element> {
    /// Adds to the gradient that has reached an input.
    fn add(&mut self, input: usize, gradient: Incoming<T>);
    /// The gradient that has reached an input, to be added to in place, if that can be done.
    fn reached(&mut self, input: usize) -> Option<&mut [T]>;
}

impl<T: Element> Grads<'_, T> {
    /// Whether anybody wants the gradient of this input.
    ///
    /// # Panics
    /// If the operation was recorded with fewer inputs.
    #[inline]
    #[track_caller]
    pub fn wants(&self, input: usize) -> bool {
        match self.node.inputs().get(input) {
            Some(history) => self.pass.wants(history),
            None => self.no_such_input(input),
        }
    }

    #[cold]
    #[track_caller]
    fn no_such_input(&self, input: usize) -> ! {
        let (name, count) = (self.node.name(), self.node.inputs().len());
        panic!("backward: {name} was recorded with {count} inputs; there is no input {input}, they count from 0")
    }

    /// Sets the gradient of an input to `dx()`, which is called only if it is wanted.
    ///
    /// `dx` may have the shape that the input was broadcast to: it is then summed over the axes that
    /// broadcasting repeated, here, once, for every operation.
    ///
    /// # Panics
    /// As [`wants`](Grads::wants).
    #[inline]
    #[track_caller]
    pub fn set(&mut self, input: usize, dx: impl FnOnce() -> Tensor<T>) {
        if self.wants(input) {
            self.sink.add(input, Incoming::Gradient(Gradient::Dense(dx())));
        }
    }

    /// What has reached a wanted input from operations that used it after this one, in row-major order: who asks for it
    /// must add its own gradient to it, and is spared the tensor that [`set`](Grads::set) would be given, and a pass over
    /// both. `None` if nothing has, or somebody else holds it, or this backward is itself recorded or watched.
    #[inline]
    pub(crate) fn reached(&mut self, input: usize) -> Option<&mut [T]> {
        if self.create_graph() || !self.wants(input) {
            return None;
        }
        self.sink.reached(input)
    }

    /// Sets the gradient of an input that is a table to some rows of it.
    ///
    /// # Panics
    /// As [`wants`](Grads::wants).
    #[inline]
    #[track_caller]
    pub fn set_rows(&mut self, input: usize, rows: impl FnOnce() -> SparseRows<T>) {
        if self.wants(input) {
            self.sink.add(input, Incoming::Gradient(Gradient::Sparse(Box::new(rows()))));
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
    /// If the operation does not declare [`SAVES_OUTPUT`](super::Op::SAVES_OUTPUT), or asks twice.
    #[track_caller]
    pub fn output(&mut self) -> Tensor<T> {
        let Some(mut y) = self.output.take() else {
            panic!("backward: {} has no output saved; it must declare SAVES_OUTPUT, and ask once", self.node.name())
        };
        if self.pass.create_graph {
            y.history = History::at(self.node);
        }
        y
    }

    /// The shape of an input whose gradient is wanted.
    ///
    /// # Panics
    /// If the operation was recorded with fewer inputs, or the input has no history.
    #[track_caller]
    pub fn shape(&self, input: usize) -> Dims {
        let Some(history) = self.node.inputs().get(input) else { self.no_such_input(input) };
        match history.node() {
            Some(node) => node.head().shape,
            None => panic!("backward: input {input} of {} has no history; ask `wants` first", self.node.name()),
        }
    }
}
