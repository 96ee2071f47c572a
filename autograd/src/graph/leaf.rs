//! Leaves: where gradients gather.

use super::gradient::{Gradient, SparseRows};
use super::node::{Kind, Node, lock};
use crate::kernels::element::Float;
use crate::tensor::Tensor;
use std::panic::Location;
use std::sync::Mutex;

impl<T: Float> Tensor<T> {
    /// The same values as a leaf: a new start of history, with a slot that [`grad`](Tensor::grad) reads.
    #[track_caller]
    pub fn requires_grad(&self) -> Tensor<T> {
        let mut leaf = self.detach();
        let kind = Kind::Leaf { gradient: Mutex::new(None) };
        leaf.node = Some(Node::new(*self.shape(), Location::caller(), kind));
        leaf
    }

    /// Whether this is a leaf that gradients gather in.
    pub fn is_leaf(&self) -> bool {
        self.slot().is_some()
    }

    /// The gradient that has gathered in this leaf; `None` before the first backward, and always for
    /// tensors that are not leaves (see [`retain_grad`](Tensor::retain_grad)).
    pub fn grad(&self) -> Option<Tensor<T>> {
        lock(self.slot()?).as_ref().map(|gradient| gradient.clone().into_dense())
    }

    /// The gradient that has gathered in this leaf, as it is: dense, or rows of a table.
    pub fn gradient(&self) -> Option<Gradient<T>> {
        lock(self.slot()?).clone()
    }

    /// Takes the gradient out of this leaf, leaving none.
    pub fn take_gradient(&self) -> Option<Gradient<T>> {
        lock(self.slot()?).take()
    }

    /// Puts a gradient into this leaf in place of the one there.
    ///
    /// # Panics
    /// If this is not a leaf, or the gradient is of another shape.
    #[track_caller]
    pub fn set_gradient(&self, gradient: Option<Gradient<T>>) {
        let shape = match &gradient {
            Some(Gradient::Dense(gradient)) => *gradient.shape(),
            Some(Gradient::Sparse(SparseRows { shape, .. })) => *shape,
            None => *self.shape(),
        };
        assert!(shape == *self.shape(), "set_gradient: a gradient of shape {shape} for a leaf of shape {}", self.shape());
        *lock(self.slot().expect("set_gradient: a leaf that requires a gradient")) = gradient;
    }

    fn slot(&self) -> Option<&Mutex<Option<Gradient<T>>>> {
        match &self.node.as_ref()?.kind {
            Kind::Leaf { gradient } => Some(gradient),
            Kind::Op { .. } => None,
        }
    }
}
