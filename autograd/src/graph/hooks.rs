//! Hooks: functions that see a tensor's gradient, and may replace it, as it passes.

use super::anomaly::first_anomaly;
use super::draw::Seen;
use super::gradient::Gradient;
use super::mode::anomaly_enabled;
use super::node::{Head, Node, lock};
use crate::kernels::element::{Element, Float};
use crate::tensor::Tensor;
use std::sync::{Arc, MutexGuard, Weak};

/// A function from a gradient to its replacement, if any.
type Hook<T> = Arc<dyn Fn(&Tensor<T>) -> Option<Tensor<T>> + Send + Sync>;

/// What a few nodes have beside their operation.
pub(crate) struct Extras<T: Element> {
    /// In the order they were added.
    hooks: Vec<(u64, Hook<T>)>,
    next_hook: u64,
    retained: Retained<T>,
    /// What a drawing will show.
    pub(super) seen: Option<Box<Seen<T>>>,
}

/// Whether [`Tensor::retain_grad`] asked to keep the gradient that passes, and what passed.
enum Retained<T: Element> {
    No,
    Waiting,
    Gradient(Tensor<T>),
}

impl<T: Element> Default for Extras<T> {
    fn default() -> Self {
        Extras { hooks: Vec::new(), next_hook: 0, retained: Retained::No, seen: None }
    }
}

impl<T: Element> Head<T> {
    /// The extras, made now if there were none.
    pub fn extras(&self) -> MutexGuard<'_, Extras<T>> {
        lock(self.extras.get_or_init(Box::default))
    }
}

/// Removes its hook when told to; dropping it leaves the hook in place.
pub struct HookHandle<T: Element = f32> {
    node: Weak<dyn Node<T>>,
    id: u64,
}

impl<T: Element> HookHandle<T> {
    /// Removes the hook.
    pub fn remove(self) {
        if let Some(node) = self.node.upgrade() {
            let mut extras = node.head().extras();
            let at = extras.hooks.iter().position(|(id, _)| *id == self.id);
            let hook = at.map(|at| extras.hooks.remove(at));
            // What the hook holds is dropped when the lock is no longer held.
            drop(extras);
            drop(hook);
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
    /// A hook that holds this tensor, or anything calculated from it, keeps itself alive for ever: let it
    /// hold [`detach`](Tensor::detach)ed tensors.
    ///
    /// # Panics
    /// If the tensor has no history; and, in backward, if the hook returns another shape.
    #[track_caller]
    pub fn register_hook(
        &self,
        hook: impl Fn(&Tensor<T>) -> Option<Tensor<T>> + Send + Sync + 'static,
    ) -> HookHandle<T> {
        let node = self.node_that_gradients_reach("register_hook");
        let mut extras = node.head().extras();
        let id = extras.next_hook;
        extras.next_hook += 1;
        extras.hooks.push((id, Arc::new(hook)));
        HookHandle { node: Arc::downgrade(node), id }
    }

    /// Keeps the gradient of this tensor, which is not a leaf, for [`retained_grad`](Tensor::retained_grad).
    ///
    /// Its values are kept, not its history, for the reason that [`leaf`](super::leaf) gives.
    ///
    /// ```
    /// use autograd::Tensor;
    /// let x = Tensor::from(3.0).requires_grad();
    /// let y = &x * &x;
    /// y.retain_grad();
    /// (&y * 2.0).backward();
    /// assert_eq!(y.retained_grad().unwrap().item(), 2.0);
    /// ```
    ///
    /// # Panics
    /// If the tensor has no history.
    #[track_caller]
    pub fn retain_grad(&self) {
        let node = self.node_that_gradients_reach("retain_grad");
        node.head().extras().wait_for_gradient();
    }

    #[track_caller]
    fn node_that_gradients_reach(&self, caller: &str) -> &Arc<dyn Node<T>> {
        let Some(node) = self.history.node() else {
            panic!(
                "{caller}: a tensor of shape {} that was calculated from no leaf that requires a gradient",
                self.shape()
            )
        };
        node
    }

    /// The gradient that the last backward brought here, if [`retain_grad`](Tensor::retain_grad) asked for it.
    pub fn retained_grad(&self) -> Option<Tensor<T>> {
        self.history.node()?.head().retained_grad()
    }
}

impl<T: Element> Extras<T> {
    /// [`Tensor::retain_grad`]
    pub(super) fn wait_for_gradient(&mut self) {
        if matches!(self.retained, Retained::No) {
            self.retained = Retained::Waiting;
        }
    }
}

impl<T: Element> Head<T> {
    /// [`Tensor::retained_grad`]
    pub(super) fn retained_grad(&self) -> Option<Tensor<T>> {
        match &lock(self.extras.get()?).retained {
            Retained::Gradient(gradient) => Some(gradient.clone()),
            Retained::No | Retained::Waiting => None,
        }
    }
}

/// Shows the gradient to all hooks of `node`, which may replace it.
pub(super) fn pass_hooks<T: Float>(node: &dyn Node<T>, gradient: &mut Gradient<T>) {
    let Some(extras) = node.head().extras.get() else { return };
    // Called without the lock: a hook may add or remove hooks.
    let hooks = lock(extras).hooks.clone();
    if hooks.is_empty() && matches!(lock(extras).retained, Retained::No) {
        return;
    }
    let gradient = gradient.make_dense();
    let Head { shape, origin, .. } = node.head();
    for (_, hook) in hooks {
        if let Some(replacement) = hook(gradient) {
            assert!(
                replacement.shape() == shape,
                "backward: a hook on {} at {origin} returned a gradient of shape {} for one of shape {shape}",
                node.name(),
                replacement.shape(),
            );
            if anomaly_enabled()
                && first_anomaly(gradient).is_none()
                && let Some(found) = first_anomaly(&replacement)
            {
                panic!(
                    "anomaly: a hook on {} at {origin} made {found}; the gradient it was given was finite",
                    node.name()
                );
            }
            *gradient = replacement;
        }
    }
    let mut extras = lock(extras);
    if !matches!(extras.retained, Retained::No) {
        extras.retained = Retained::Gradient(gradient.detach());
    }
}
