//! Leaves: where gradients gather.
//!
//! A leaf's slot holds values only, never a history. The history of a gradient leads back to the leaf
//! that it is the gradient of, and a leaf that held that would hold itself: nothing would ever free
//! it. Gradients that can be differentiated come from [`grad`](super::grad) under `create_graph`,
//! which gives them to the caller.

use super::gradient::Gradient;
use super::node::{Head, History, Leaf, lock};
use crate::kernels::element::Float;
use crate::tensor::Tensor;
use std::panic::Location;
use std::sync::Mutex;

impl<T: Float> Tensor<T> {
    /// The same values as a leaf: a new start of history, with a slot that [`grad`](Tensor::grad) reads.
    #[track_caller]
    pub fn requires_grad(&self) -> Tensor<T> {
        let mut leaf = self.detach();
        let head = Head::new(*self.shape(), Location::caller());
        leaf.history = History::of(Leaf { head, gradient: Mutex::new(None) });
        leaf
    }

    /// Whether this is a leaf that gradients gather in.
    pub fn is_leaf(&self) -> bool {
        self.slot().is_some()
    }

    /// The gradient that has gathered in this leaf; `None` before the first backward, and always for
    /// tensors that are not leaves (see [`retain_grad`](Tensor::retain_grad)).
    pub fn grad(&self) -> Option<Tensor<T>> {
        self.gradient().map(Gradient::into_dense)
    }

    /// The gradient that has gathered in this leaf, as it is: dense, or rows of a table.
    pub fn gradient(&self) -> Option<Gradient<T>> {
        lock(self.slot()?).clone()
    }

    /// Takes the gradient out of this leaf, leaving none.
    pub fn take_gradient(&self) -> Option<Gradient<T>> {
        lock(self.slot()?).take()
    }

    /// Puts a gradient into this leaf in place of the one there. Its history, if it has one, stays behind.
    ///
    /// # Panics
    /// If this is not a leaf, or the gradient is of another shape.
    #[track_caller]
    pub fn set_gradient(&self, mut gradient: Option<Gradient<T>>) {
        let shape = match &gradient {
            Some(Gradient::Dense(gradient)) => *gradient.shape(),
            Some(Gradient::Sparse(rows)) => rows.shape,
            None => *self.shape(),
        };
        assert!(
            shape == *self.shape(),
            "set_gradient: a gradient of shape {shape} for a leaf of shape {}",
            self.shape()
        );
        let slot = self.slot().expect("set_gradient: a leaf that requires a gradient");
        if let Some(gradient) = &mut gradient {
            gradient.forget_history();
        }
        *lock(slot) = gradient;
    }

    fn slot(&self) -> Option<&Mutex<Option<Gradient<T>>>> {
        self.history.node()?.slot()
    }
}

/// Adds a gradient to what has gathered in a slot.
pub(super) fn gather<T: Float>(slot: &Mutex<Option<Gradient<T>>>, gradient: Gradient<T>) {
    // The sum is calculated while the slot is empty, not while it is locked: an addition that waits for
    // other threads may be handed a job of the user's that wants this very slot.
    let mut sum = gradient;
    loop {
        let mut slot = lock(slot);
        let Some(mut earlier) = slot.take() else {
            *slot = Some(sum);
            return;
        };
        drop(slot);
        earlier.add(sum);
        sum = earlier;
    }
}
