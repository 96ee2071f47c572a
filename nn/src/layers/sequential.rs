//! Layers one behind the other.

use crate::module::{Layer, Module, Walk};
use autograd::Tensor;
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

/// Layers one behind the other, as `torch.nn.Sequential`; their parameters are named by position: `0.weight`.
///
/// ```
/// use autograd::{Rng, Tensor};
/// use nn::{Layer, Linear, Module, Sequential, layers::Relu};
/// let mut rng = Rng::seeded(0);
/// let model = Sequential::new().then(Linear::new(4, 8, &mut rng)).then(Relu).then(Linear::new(8, 1, &mut rng));
/// assert_eq!(*model.forward(&Tensor::zeros([3, 4])).shape(), [3, 1]);
/// assert_eq!(model.named_parameters()[2].0, "2.weight");
/// ```
#[derive(Default)]
pub struct Sequential {
    layers: Vec<Box<dyn Layer>>,
}

impl Sequential {
    /// No layers yet: the identity.
    pub fn new() -> Sequential {
        Sequential::default()
    }

    /// With one more layer.
    pub fn then(mut self, layer: impl Layer + 'static) -> Sequential {
        self.layers.push(Box::new(layer));
        self
    }

    /// The layers in order.
    pub fn layers(&self) -> &[Box<dyn Layer>] {
        &self.layers
    }
}

impl Module for Sequential {
    fn visit(&self, walk: &mut Walk<'_>) {
        let Sequential { layers } = self;
        layers.visit(walk);
    }
}

impl Layer for Sequential {
    #[track_caller]
    fn forward(&self, x: &Tensor) -> Tensor {
        let mut x = x.clone();
        for (position, layer) in self.layers.iter().enumerate() {
            // The caller's line does not reach a layer behind `dyn`, so its panic is raised anew from here.
            match catch_unwind(AssertUnwindSafe(|| layer.forward(&x))) {
                Ok(y) => x = y,
                Err(panic) => failed(position, &**layer, &x, panic),
            }
        }
        x
    }
}

/// Panics as the layer did, and says which layer it was.
#[cold]
#[track_caller]
fn failed(position: usize, layer: &dyn Layer, x: &Tensor, panic: Box<dyn Any + Send>) -> ! {
    let message = match (panic.downcast_ref::<String>(), panic.downcast_ref::<&str>()) {
        (Some(message), _) => message,
        (_, Some(message)) => *message,
        _ => resume_unwind(panic),
    };
    panic!(
        "{message}\n  in layer {position} of a Sequential, {}, for an input of shape {}",
        layer.describe(),
        x.shape()
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::{Linear, Tanh};
    use autograd::Rng;

    #[test]
    fn layers_run_in_order() {
        let mut rng = Rng::seeded(0);
        let (first, second) = (Linear::new(3, 5, &mut rng), Linear::new(5, 2, &mut rng));
        let x = Tensor::randn([4, 3], &mut rng);
        let expected = second.forward(&first.forward(&x).tanh()).to_vec();
        let model = Sequential::new().then(first).then(Tanh).then(second);
        assert_eq!(model.forward(&x).to_vec(), expected);
        assert_eq!(Sequential::new().forward(&x).to_vec(), x.to_vec());
    }

    #[test]
    fn a_mistake_names_the_layer() {
        let mut rng = Rng::seeded(0);
        let inner = Sequential::new().then(Tanh).then(Linear::new(3, 5, &mut rng));
        let model = Sequential::new().then(inner);
        let panic = catch_unwind(AssertUnwindSafe(|| model.forward(&Tensor::zeros([2, 4])))).err().unwrap();
        let message = panic.downcast_ref::<String>().unwrap();
        assert_eq!(
            message,
            "Linear: an input of shape [2, 4] for a layer of 3 inputs, which must be its last axis\n  \
             in layer 1 of a Sequential, Linear(in_features=3, out_features=5, bias=True), for an input of shape [2, 4]\n  \
             in layer 0 of a Sequential, Sequential, for an input of shape [2, 4]"
        );
    }
}
