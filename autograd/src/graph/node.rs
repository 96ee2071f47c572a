//! A node of the graph: one operation that was run, or a leaf.

use super::gradient::Gradient;
use super::hooks::Hooks;
use super::op::AnyOp;
use crate::kernels::element::Element;
use crate::tensor::{Dims, Tensor};
use std::any::Any;
use std::cell::RefCell;
use std::panic::Location;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The history of one tensor: the operation that made it and the nodes of its inputs; or, for a leaf,
/// the slot where its gradient gathers.
pub struct Node<T: Element> {
    /// Nodes are numbered as they are made. An operation's inputs exist before its output, so a
    /// smaller number never depends on a larger one: descending numbers are a topological order.
    pub(crate) id: u64,
    /// The shape of the tensor, and so of its gradient.
    pub(crate) shape: Dims,
    /// The line of the caller's code that ran the operation.
    pub(crate) location: &'static Location<'static>,
    pub(crate) hooks: Mutex<Hooks<T>>,
    pub(crate) kind: Kind<T>,
}

pub(crate) enum Kind<T: Element> {
    Leaf { gradient: Mutex<Option<Gradient<T>>> },
    Op { name: &'static str, state: Mutex<Option<Recorded<T>>> },
}

/// What a recorded operation keeps until backward consumes it.
pub(crate) struct Recorded<T: Element> {
    pub op: Box<dyn AnyOp<T>>,
    /// One for each input; `None` where no gradient is wanted.
    pub inputs: Vec<Option<Arc<Node<T>>>>,
    /// The output, if backward reads it. Without its history, which would be this very node: a cycle
    /// that nothing would ever free. Backward attaches it again.
    pub output: Option<Tensor<T>>,
}

impl<T: Element> Node<T> {
    pub(crate) fn new(shape: Dims, location: &'static Location<'static>, kind: Kind<T>) -> Arc<Node<T>> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Arc::new(Node { id: NEXT.fetch_add(1, Relaxed), shape, location, hooks: Mutex::default(), kind })
    }

    /// The operation's name; `leaf` for a leaf.
    pub fn name(&self) -> &'static str {
        match self.kind {
            Kind::Leaf { .. } => "leaf",
            Kind::Op { name, .. } => name,
        }
    }

    /// Where in the caller's code the operation was run, or the leaf made.
    pub fn location(&self) -> &'static Location<'static> {
        self.location
    }

    /// The inputs that have a history; none for a leaf, or once backward has consumed the node.
    pub(crate) fn inputs(&self) -> Vec<Option<Arc<Node<T>>>> {
        match &self.kind {
            Kind::Leaf { .. } => Vec::new(),
            Kind::Op { state, .. } => lock(state).as_ref().map(|recorded| recorded.inputs.clone()).unwrap_or_default(),
        }
    }
}

/// Locks a mutex that guards plain data: a panic elsewhere has not left it half-changed.
pub(crate) fn lock<V>(mutex: &Mutex<V>) -> MutexGuard<'_, V> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Dropping a node drops its inputs, and the tensors its operation saved, which may hold the last
/// handles on further nodes, and so on down a graph of any depth. So that this does not recurse,
/// a node that is dropped while another one is being dropped only leaves its content to that one.
impl<T: Element> Drop for Node<T> {
    fn drop(&mut self) {
        thread_local! {
            static LEFT: RefCell<Vec<Box<dyn Any>>> = const { RefCell::new(Vec::new()) };
            static DROPPING: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
        }
        let Kind::Op { state, .. } = &mut self.kind else { return };
        let Some(recorded) = state.get_mut().unwrap_or_else(PoisonError::into_inner).take() else { return };
        // A thread that is ending has no locals any more: then recursion is all there is.
        let Ok(dropping) = DROPPING.try_with(|flag| flag.replace(true)) else { return };
        if dropping {
            let _ = LEFT.try_with(|left| left.borrow_mut().push(Box::new(recorded)));
            return;
        }
        drop(recorded);
        // Popped before it is dropped: the drop borrows the list again.
        while let Ok(Some(next)) = LEFT.try_with(|left| left.borrow_mut().pop()) {
            drop(next);
        }
        let _ = DROPPING.try_with(|flag| flag.set(false));
    }
}
