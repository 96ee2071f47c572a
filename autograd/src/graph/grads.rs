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

    /// What has reached a wanted input so far, in row-major order: who asks for it must add its own gradient to it, and
    /// is spared the tensor that [`set`](Grads::set) would be given, and a pass over both. `None` if nothing has, if it
    /// is sparse or lies otherwise in memory, if somebody else holds it, or if this backward is itself recorded, or
    /// looks for anomalies, which it could not tell from those of the others.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::{GradOptions, Op, detect_anomaly, grad};
    use std::sync::Mutex;

    /// y = 2x + 3x. Its backward tells whether the gradient of the second x found that of the first.
    #[derive(Clone)]
    struct TwoAndThree(Arc<Mutex<Vec<bool>>>);

    impl Op<f32> for TwoAndThree {
        const NAME: &'static str = "two_and_three";
        fn backward(self, dy: Tensor, grads: &mut Grads<f32>) {
            grads.set(0, || &dy * 2.0);
            let found = match grads.reached(1) {
                Some(sum) => {
                    sum.iter_mut().zip(dy.to_vec()).for_each(|(sum, dy)| *sum += 3.0 * dy);
                    true
                }
                None => {
                    grads.set(1, || &dy * 3.0);
                    false
                }
            };
            self.0.lock().unwrap().push(found);
        }
    }

    #[test]
    fn what_has_reached_an_input_is_lent_if_nobody_else_looks() {
        let found = Arc::new(Mutex::new(Vec::new()));
        let x = Tensor::from([1.0, 2.0]).requires_grad();
        let y = || (x.detach() * 5.0).recorded([&x, &x], || TwoAndThree(found.clone())).sum(..);
        y().backward();
        assert_eq!(x.grad().unwrap().to_vec(), [5.0, 5.0]);
        let recorded = grad(&[&y()], &[&x], GradOptions::create_graph()).remove(0);
        assert_eq!(recorded.to_vec(), [5.0, 5.0]);
        detect_anomaly(|| y().backward());
        assert_eq!(x.grad().unwrap().to_vec(), [10.0, 10.0]);
        assert_eq!(*found.lock().unwrap(), [true, false, false]);
    }
}
