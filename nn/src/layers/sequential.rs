//! Layers one behind the other.

use crate::module::{Layer, Module, Walk};
use autograd::Tensor;

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
        for layer in &self.layers {
            x = layer.forward(&x);
        }
        x
    }
}
