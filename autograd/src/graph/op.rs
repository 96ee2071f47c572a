//! The trait of operations, and how one is recorded.

use super::grads::Grads;
use super::mode;
use super::node::{Head, History, Operation, Saved};
use crate::kernels::element::Element;
use crate::profile::{self, Timer, What};
use crate::tensor::Tensor;
use std::panic::Location;
use std::sync::Mutex;

/// One operation that was run: it holds what its backward needs, and knows its backward.
///
/// Calculate the output, then call [`Tensor::recorded`] on it. This is all it takes to add an
/// operation, inside the engine or outside:
///
/// ```
/// use autograd::{Grads, Op, Tensor};
///
/// /// y = x³
/// #[derive(Clone)]
/// struct Cube {
///     x: Tensor,
/// }
///
/// impl Op<f32> for Cube {
///     const NAME: &'static str = "cube";
///
///     /// dx = 3x²·dy, in tensor operations, so that it can be differentiated again.
///     fn backward(self, dy: Tensor, grads: &mut Grads<f32>) {
///         grads.set(0, || &self.x * &self.x * 3.0 * dy);
///     }
/// }
///
/// fn cube(x: &Tensor) -> Tensor {
///     let y = x.detach() * x.detach() * x.detach();
///     y.recorded([x], || Cube { x: x.clone() })
/// }
///
/// let x = Tensor::from([2.0]).requires_grad();
/// cube(&x).sum(..).backward();
/// assert_eq!(x.grad().unwrap().item(), 12.0);
/// ```
pub trait Op<T: Element>: Clone + Send + Sync + 'static {
    /// The name that errors, drawings and the profiler show.
    const NAME: &'static str;

    /// Whether backward reads the output, by [`Grads::output`]. Save it that way, never in the
    /// operation: the output's history is this operation, and a cycle would never be freed.
    const SAVES_OUTPUT: bool = false;

    /// Given `dy` = dL/dy, sets `dx` = dL/dx for each input that [`Grads`] asks for, zeros included: an
    /// input that is forgotten is an error, not a gradient of zero. (Only the first 64 inputs are watched.)
    ///
    /// `self` is taken by value: what it saved is freed, or reused in place, as it is consumed.
    /// Written in tensor operations, this is itself recorded under `create_graph`. An operation with a
    /// faster backward on slices asks [`Grads::create_graph`] which one is called for.
    fn backward(self, dy: Tensor<T>, grads: &mut Grads<'_, T>);
}

impl<T: Element> Tensor<T> {
    /// Gives this freshly calculated tensor its history: `op`, applied to `inputs`.
    ///
    /// If no input has a history, or under [`no_grad`](super::no_grad), `op` is not even made.
    #[inline]
    #[track_caller]
    pub fn recorded<O: Op<T>, const N: usize>(self, inputs: [&Tensor<T>; N], op: impl FnOnce() -> O) -> Tensor<T> {
        self.with_history(&inputs, || inputs.map(|x| x.history.clone()), op)
    }

    /// [`recorded`](Tensor::recorded) for a number of inputs that is known only at run time.
    #[inline]
    #[track_caller]
    pub fn recorded_from<O: Op<T>>(self, inputs: &[&Tensor<T>], op: impl FnOnce() -> O) -> Tensor<T> {
        self.with_history(inputs, || inputs.iter().map(|x| x.history.clone()).collect::<Vec<_>>(), op)
    }

    #[inline(never)]
    #[track_caller]
    fn with_history<O: Op<T>, I: AsRef<[History<T>]> + Send + Sync + 'static>(
        mut self,
        inputs: &[&Tensor<T>],
        histories: impl FnOnce() -> I,
        op: impl FnOnce() -> O,
    ) -> Tensor<T> {
        let line = Location::caller();
        let _timing = profile::on().then(|| {
            let is_view = inputs.iter().any(|x| x.shares_storage(&self));
            Timer::named(What { name: O::NAME, shape: *self.shape(), line }, !is_view)
        });
        if mode::anomaly_enabled() {
            super::anomaly::check_forward(O::NAME, &self, inputs, line);
        }
        if mode::grad_enabled() && inputs.iter().any(|x| x.has_history()) {
            let saved = Saved { op: op(), output: O::SAVES_OUTPUT.then(|| self.detach()) };
            let head = Head::new(*self.shape(), line);
            self.history = History::of(Operation { head, inputs: histories(), saved: Mutex::new(Some(saved)) });
            if mode::watching() {
                super::draw::remember(&self, inputs);
            }
        }
        self
    }

    /// This output of an operation that has no gradient, which tells a profile its name. (The others do by
    /// [`recorded`](Tensor::recorded).)
    #[inline]
    #[track_caller]
    pub(crate) fn unrecorded(self, name: &'static str) -> Tensor<T> {
        self.note_unrecorded(name);
        self
    }

    /// The same, by reference.
    #[inline]
    #[track_caller]
    pub(crate) fn note_unrecorded(&self, name: &'static str) {
        if profile::on() {
            drop(Timer::named(What { name, shape: *self.shape(), line: Location::caller() }, true));
        }
    }

    /// Whether gradients flow back from here: true of leaves that require a gradient and of all that
    /// was calculated from them.
    #[inline]
    pub fn has_history(&self) -> bool {
        self.history.node().is_some()
    }

    /// The name of the operation that this tensor is the output of, or `leaf`; `None` without history.
    pub fn op_name(&self) -> Option<&'static str> {
        Some(self.history.node()?.name())
    }
}
