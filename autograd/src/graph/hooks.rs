//! Hooks: functions that see a tensor's gradient, and may replace it, as it passes.

use super::node::{Node, lock};
use crate::kernels::element::{Element, Float};
use crate::tensor::Tensor;
use std::sync::{Arc, Weak};

/// A function from a gradient to its replacement, if any.
type Hook<T> = Arc<dyn Fn(&Tensor<T>) -> Option<Tensor<T>> + Send + Sync>;

/// The hooks of one node, in the order they were added.
pub(crate) struct Hooks<T: Element> {
    hooks: Vec<(u64, Hook<T>)>,
    next: u64,
    /// Whether [`Tensor::retain_grad`] asked to keep the gradient that passes, and what passed.
    retained: Option<Option<Tensor<T>>>,
}

impl<T: Element> Default for Hooks<T> {
    fn default() -> Self {
        Hooks { hooks: Vec::new(), next: 0, retained: None }
    }
}

/// Removes its hook when told to; dropping it leaves the hook in place.
pub struct HookHandle<T: Element = f32> {
    node: Weak<Node<T>>,
    id: u64,
}

impl<T: Element> HookHandle<T> {
    /// Removes the hook.
    pub fn remove(self) {
        if let Some(node) = self.node.upgrade() {
            lock(&node.hooks).hooks.retain(|(id, _)| *id != self.id);
        }
    }
}

impl<T: Float> Tensor<T> {
    /// Calls `hook` with dL/d(this tensor) each time a backward pass has its whole sum. What the hook
    /// returns, if anything, takes the gradient's place.
    ///
    /// ```
    /// use autograd::Tensor;
    /// let x = Tensor::from([3.0]).requires_grad();
    /// let y = &x * 2.0;
    /// y.register_hook(|dy| Some(dy * 10.0));
    /// y.backward();
    /// assert_eq!(x.grad().unwrap().item(), 20.0);
    /// ```
    ///
    /// # Panics
    /// If the tensor has no history; and, in backward, if the hook returns another shape.
    #[track_caller]
    pub fn register_hook(&self, hook: impl Fn(&Tensor<T>) -> Option<Tensor<T>> + Send + Sync + 'static) -> HookHandle<T> {
        let node = self.node.as_ref().expect("register_hook: a tensor that requires a gradient");
        let mut hooks = lock(&node.hooks);
        let id = hooks.next;
        hooks.next += 1;
        hooks.hooks.push((id, Arc::new(hook)));
        HookHandle { node: Arc::downgrade(node), id }
    }

    /// Keeps the gradient of this tensor, which is not a leaf, for [`retained_grad`](Tensor::retained_grad).
    ///
    /// # Panics
    /// If the tensor has no history.
    #[track_caller]
    pub fn retain_grad(&self) {
        let node = self.node.as_ref().expect("retain_grad: a tensor that requires a gradient");
        lock(&node.hooks).retained.get_or_insert(None);
    }

    /// The gradient that the last backward brought here, if [`retain_grad`](Tensor::retain_grad) asked for it.
    pub fn retained_grad(&self) -> Option<Tensor<T>> {
        lock(&self.node.as_ref()?.hooks).retained.clone()?
    }
}

impl<T: Float> Node<T> {
    /// Whether any hook would look at a gradient that passes.
    pub(super) fn has_hooks(&self) -> bool {
        let hooks = lock(&self.hooks);
        hooks.retained.is_some() || !hooks.hooks.is_empty()
    }

    /// The gradient after all hooks have seen it.
    pub(super) fn run_hooks(&self, mut gradient: Tensor<T>) -> Tensor<T> {
        // Called without the lock: a hook may add or remove hooks.
        let hooks = lock(&self.hooks).hooks.clone();
        for (_, hook) in hooks {
            if let Some(replacement) = hook(&gradient) {
                assert!(
                    *replacement.shape() == self.shape,
                    "backward: a hook on {} at {} returned a gradient of shape {} for one of shape {}",
                    self.name(),
                    self.location,
                    replacement.shape(),
                    self.shape
                );
                gradient = replacement;
            }
        }
        if let Some(retained) = &mut lock(&self.hooks).retained {
            *retained = Some(gradient.clone());
        }
        gradient
    }
}
