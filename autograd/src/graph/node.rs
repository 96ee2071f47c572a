//! A node of the graph: one operation that was run, or a leaf.
//!
//! A node is one allocation. It holds its inputs and what its operation saved side by side, so its
//! type depends on the operation; the graph sees it through the trait [`Node`].
//!
//! The edges of a node stay as long as the node does. What the operation saved goes as backward
//! consumes it, and that is where the memory is.

use super::gradient::{Gradient, Incoming};
use super::grads::Grads;
use super::hooks::Extras;
use super::op::Op;
use crate::kernels::element::Element;
use crate::kernels::parallel;
use crate::tensor::{Dims, Tensor};
use std::any::Any;
use std::cell::RefCell;
use std::fmt;
use std::mem::ManuallyDrop;
use std::panic::Location;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

/// What the engine asks of a node.
pub(crate) trait Node<T: Element>: Any + Send + Sync {
    fn head(&self) -> &Head<T>;
    /// The operation's name; `leaf` for a leaf.
    fn name(&self) -> &'static str;
    /// Where each input came from; empty for a leaf.
    fn inputs(&self) -> &[History<T>];
    /// Where the gradient of a leaf gathers; `None` for an operation.
    fn slot(&self) -> Option<&Mutex<Option<Gradient<T>>>>;
    /// Runs the operation's backward, which hands the gradients of the inputs to `grads`. `dy` is dense.
    /// Unless `keep`, it consumes what the operation saved; false if that has been consumed before.
    fn backward(&self, dy: Incoming<T>, keep: bool, grads: &mut Grads<'_, T>) -> bool;
}

/// What every node has.
pub(crate) struct Head<T: Element> {
    /// Nodes are numbered as they are made. An operation's inputs exist before its output, so a
    /// smaller number never depends on a larger one: descending numbers are a topological order.
    pub id: u64,
    /// The shape of the tensor, and so of its gradient.
    pub shape: Dims,
    pub origin: Origin,
    /// Hooks and the like, for the few nodes that have any.
    pub extras: OnceLock<Box<Mutex<Extras<T>>>>,
}

impl<T: Element> Head<T> {
    pub fn new(shape: Dims, line: &'static Location<'static>) -> Head<T> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let origin = match parallel::ambient().differentiating {
            Some((op, line)) => Origin { line, backward_of: Some(op) },
            None => Origin { line, backward_of: None },
        };
        Head { id: NEXT.fetch_add(1, Relaxed), shape, origin, extras: OnceLock::new() }
    }
}

/// The line of the caller's code that a node goes back to.
#[derive(Clone, Copy)]
pub(crate) struct Origin {
    pub line: &'static Location<'static>,
    /// For what a backward pass recorded: the operation of the forward pass on that line that it
    /// differentiated.
    pub backward_of: Option<&'static str>,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.backward_of {
            Some(op) => write!(f, "{} (in the backward of {op})", self.line),
            None => self.line.fmt(f),
        }
    }
}

/// A tensor that gradients gather in.
pub(crate) struct Leaf<T: Element> {
    pub head: Head<T>,
    pub gradient: Mutex<Option<Gradient<T>>>,
}

impl<T: Element> Node<T> for Leaf<T> {
    fn head(&self) -> &Head<T> {
        &self.head
    }
    fn name(&self) -> &'static str {
        "leaf"
    }
    fn inputs(&self) -> &[History<T>] {
        &[]
    }
    fn slot(&self) -> Option<&Mutex<Option<Gradient<T>>>> {
        Some(&self.gradient)
    }
    fn backward(&self, _: Incoming<T>, _: bool, _: &mut Grads<'_, T>) -> bool {
        unreachable!("a gradient that arrives at a leaf stays there")
    }
}

/// An operation that was run. `I` is an array of [`History`] where the number of inputs is known.
pub(crate) struct Operation<T: Element, O, I> {
    pub head: Head<T>,
    pub inputs: I,
    pub saved: Mutex<Option<Saved<T, O>>>,
}

/// What an operation keeps until backward consumes it.
#[derive(Clone)]
pub(crate) struct Saved<T: Element, O> {
    pub op: O,
    /// The output, if backward reads it. Without its history, which would be this very node: a cycle
    /// that nothing would ever free. Backward attaches it again.
    pub output: Option<Tensor<T>>,
}

impl<T, O, I> Node<T> for Operation<T, O, I>
where
    T: Element,
    O: Op<T>,
    I: AsRef<[History<T>]> + Send + Sync + 'static,
{
    fn head(&self) -> &Head<T> {
        &self.head
    }
    fn name(&self) -> &'static str {
        O::NAME
    }
    fn inputs(&self) -> &[History<T>] {
        self.inputs.as_ref()
    }
    fn slot(&self) -> Option<&Mutex<Option<Gradient<T>>>> {
        None
    }
    fn backward(&self, dy: Incoming<T>, keep: bool, grads: &mut Grads<'_, T>) -> bool {
        let saved = if keep { lock(&self.saved).clone() } else { lock(&self.saved).take() };
        let Some(Saved { op, output }) = saved else { return false };
        let Incoming::Gradient(Gradient::Dense(dy)) = dy else { unreachable!("the engine makes it dense") };
        grads.output = output;
        op.backward(dy, grads);
        true
    }
}

/// Locks a mutex that guards plain data: a panic elsewhere has not left it half-changed.
pub(crate) fn lock<V>(mutex: &Mutex<V>) -> MutexGuard<'_, V> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The node that a tensor was made by, if it has one.
pub(crate) struct History<T: Element>(Option<Arc<dyn Node<T>>>);

impl<T: Element> History<T> {
    pub const NONE: History<T> = History(None);

    pub fn of(node: impl Node<T>) -> History<T> {
        History(Some(Arc::new(node)))
    }

    /// Another handle on `node`.
    pub fn at(node: &Arc<dyn Node<T>>) -> History<T> {
        History(Some(node.clone()))
    }

    #[inline]
    pub fn node(&self) -> Option<&Arc<dyn Node<T>>> {
        self.0.as_ref()
    }
}

impl<T: Element> Clone for History<T> {
    #[inline]
    fn clone(&self) -> Self {
        History(self.0.clone())
    }
}

/// Dropping the last handle on a node drops its inputs and what its operation saved, which may be the
/// last handles on further nodes, and so on down a graph of any depth. So that this does not recurse,
/// a handle that is dropped while another one is being dropped only goes onto a list, and the outermost
/// drop works through that.
impl<T: Element> Drop for History<T> {
    #[inline]
    fn drop(&mut self) {
        let Some(node) = self.0.take() else { return };
        // Mostly others remain, and there is nothing to do. (Should they go at this very moment, this
        // is the last handle after all, and its inputs begin a list of their own.)
        if Arc::strong_count(&node) == 1 {
            drop_from_the_top(node);
        }
    }
}

fn drop_from_the_top(node: Arc<dyn Any>) {
    type Nodes = Vec<Arc<dyn Any>>;
    thread_local! {
        /// The nodes that wait, if one is being dropped. Without a destructor of its own, it is still
        /// there when the other locals of a thread that ends are dropped, with the tensors in them.
        static WAITING: ManuallyDrop<RefCell<Option<Nodes>>> = const { ManuallyDrop::new(RefCell::new(None)) };
    }
    WAITING.with(|waiting| {
        if let Some(list) = &mut *waiting.borrow_mut() {
            list.push(node);
            return;
        }
        waiting.replace(Some(Vec::new()));
        let mut next = Some(node);
        while let Some(node) = next {
            drop(node);
            next = waiting.borrow_mut().as_mut().and_then(Vec::pop);
        }
        waiting.replace(None);
    });
}
