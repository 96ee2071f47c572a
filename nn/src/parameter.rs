//! What training changes ([`Parameter`]) and what a layer merely keeps ([`Buffer`], [`Mode`]).

use autograd::graph::Gradient;
use autograd::{Dims, Rng, Tensor};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

/// A tensor that training changes: a lock around a leaf.
///
/// [`value`](Parameter::value) hands out the leaf, for a forward pass; gradients gather in it; an
/// optimiser changes it in place by [`update`](Parameter::update). Clones are the same parameter: that
/// is how weights are tied.
#[derive(Clone)]
pub struct Parameter {
    leaf: Arc<RwLock<Tensor>>,
}

impl Parameter {
    /// A parameter with this initial value.
    #[track_caller]
    pub fn new(value: Tensor) -> Parameter {
        Parameter { leaf: Arc::new(RwLock::new(value.requires_grad())) }
    }

    /// The current value, as a leaf whose gradient gathers here (no leaf, if the parameter is frozen).
    pub fn value(&self) -> Tensor {
        self.leaf.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The shape of the value.
    pub fn shape(&self) -> Dims {
        *self.leaf.read().unwrap_or_else(PoisonError::into_inner).shape()
    }

    /// The gradient that has gathered since the last [`zero_grad`](Parameter::zero_grad).
    pub fn grad(&self) -> Option<Tensor> {
        self.value().grad()
    }

    /// [`grad`](Parameter::grad) as it is: dense, or rows of a table.
    pub fn gradient(&self) -> Option<Gradient> {
        self.value().gradient()
    }

    /// Replaces the gradient, as clipping does.
    ///
    /// # Panics
    /// If the parameter is frozen or the gradient has another shape.
    #[track_caller]
    pub fn set_gradient(&self, gradient: Option<Gradient>) {
        self.value().set_gradient(gradient);
    }

    /// Forgets the gradient.
    pub fn zero_grad(&self) {
        self.value().take_gradient();
    }

    /// Changes the values in place, in row-major order. No forward pass that has read the parameter
    /// before sees the change: if one is still held, the values move to a copy first.
    pub fn update<R>(&self, change: impl FnOnce(&mut [f32]) -> R) -> R {
        change(self.leaf.write().unwrap_or_else(PoisonError::into_inner).slice_mut())
    }

    /// [`update`](Parameter::update) by the gradient that has gathered. Without one, nothing happens.
    pub fn update_by_gradient<R>(&self, change: impl FnOnce(&mut [f32], &Gradient) -> R) -> Option<R> {
        let mut leaf = self.leaf.write().unwrap_or_else(PoisonError::into_inner);
        let gradient = leaf.gradient()?;
        Some(change(leaf.slice_mut(), &gradient))
    }

    /// Replaces the value, as loading a checkpoint does. The gradient is forgotten.
    ///
    /// # Panics
    /// If the shape is another one.
    #[track_caller]
    pub fn set(&self, value: &Tensor) {
        let mut leaf = self.leaf.write().unwrap_or_else(PoisonError::into_inner);
        assert!(
            value.shape() == leaf.shape(),
            "set: a value of shape {} for a parameter of shape {}",
            value.shape(),
            leaf.shape()
        );
        *leaf = if leaf.has_history() { value.requires_grad() } else { value.detach() };
    }

    /// Whether gradients gather in it. Frozen parameters are constants in the forward pass, and
    /// optimisers leave them alone.
    pub fn set_trainable(&self, trainable: bool) {
        let mut leaf = self.leaf.write().unwrap_or_else(PoisonError::into_inner);
        if trainable != leaf.has_history() {
            *leaf = if trainable { leaf.requires_grad() } else { leaf.detach() };
        }
    }

    /// Whether gradients gather in it.
    pub fn is_trainable(&self) -> bool {
        self.leaf.read().unwrap_or_else(PoisonError::into_inner).has_history()
    }

    /// Whether two handles are the same parameter.
    pub fn is(&self, other: &Parameter) -> bool {
        Arc::ptr_eq(&self.leaf, &other.leaf)
    }
}

/// The current value of a parameter that a layer can do without.
pub(crate) fn value_of(parameter: &Option<Parameter>) -> Option<Tensor> {
    parameter.as_ref().map(Parameter::value)
}

/// A tensor that a layer keeps but training does not change by gradients, such as a running mean.
/// It is saved with the parameters.
#[derive(Clone)]
pub struct Buffer {
    value: Arc<RwLock<Tensor>>,
}

impl Buffer {
    /// A buffer with this initial value.
    pub fn new(value: Tensor) -> Buffer {
        Buffer { value: Arc::new(RwLock::new(value.detach())) }
    }

    /// The current value.
    pub fn value(&self) -> Tensor {
        self.value.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Replaces the value.
    ///
    /// # Panics
    /// If the shape is another one.
    #[track_caller]
    pub fn set(&self, value: &Tensor) {
        let mut here = self.value.write().unwrap_or_else(PoisonError::into_inner);
        assert!(
            value.shape() == here.shape(),
            "set: a value of shape {} for a buffer of shape {}",
            value.shape(),
            here.shape()
        );
        *here = value.detach();
    }

    /// Changes the values in place, in row-major order. Whoever has read the buffer before does not see the change.
    pub fn update<R>(&self, change: impl FnOnce(&mut [f32]) -> R) -> R {
        change(self.value.write().unwrap_or_else(PoisonError::into_inner).slice_mut())
    }
}

/// Whether a layer is training (dropout drops, batch norm measures) or evaluating. New layers train.
#[derive(Debug)]
pub struct Mode(AtomicBool);

impl Mode {
    /// Training.
    pub fn new() -> Mode {
        Mode(AtomicBool::new(true))
    }

    /// Whether the layer is training.
    pub fn is_training(&self) -> bool {
        self.0.load(Relaxed)
    }

    /// Switches to training or to evaluating.
    pub fn set_training(&self, training: bool) {
        self.0.store(training, Relaxed);
    }
}

impl Default for Mode {
    fn default() -> Mode {
        Mode::new()
    }
}

/// A layer's own random numbers, saved and restored with it, so that resumed training draws the same ones.
#[derive(Debug)]
pub struct LayerRng(Mutex<Rng>);

impl LayerRng {
    /// A generator of its own, seeded by `rng`.
    pub fn new(rng: &mut Rng) -> LayerRng {
        LayerRng(Mutex::new(rng.fork()))
    }

    /// The generator.
    pub fn lock(&self) -> MutexGuard<'_, Rng> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
