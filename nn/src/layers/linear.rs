//! A fully connected layer.

use crate::init;
use crate::module::{Layer, Module, Walk};
use crate::parameter::{Parameter, value_of};
use crate::summary::python;
use autograd::{Rng, Tensor};

/// y = x·Wᵀ + b, as `torch.nn.Linear`: `[…, in]` to `[…, out]`.
///
/// Parameters: `weight` `[out, in]`, `bias` `[out]`, both uniform in ±1/√in at the start.
pub struct Linear {
    /// `[out, in]`
    pub weight: Parameter,
    /// `[out]`
    pub bias: Option<Parameter>,
}

impl Linear {
    /// A layer from `in_features` to `out_features`, with a bias.
    pub fn new(in_features: usize, out_features: usize, rng: &mut Rng) -> Linear {
        let weight = Parameter::new(init::default_uniform([out_features, in_features], in_features, rng));
        let bias = Parameter::new(init::default_uniform([out_features], in_features, rng));
        Linear { weight, bias: Some(bias) }
    }

    /// A layer from `in_features` to `out_features`, without a bias.
    pub fn without_bias(in_features: usize, out_features: usize, rng: &mut Rng) -> Linear {
        Linear { bias: None, ..Linear::new(in_features, out_features, rng) }
    }

    /// The layer's output.
    ///
    /// # Panics
    /// If the last axis of `x` is not the layer's number of inputs.
    #[track_caller]
    pub fn forward(&self, x: &Tensor) -> Tensor {
        let weight = self.weight.value();
        assert!(
            x.rank() > 0 && x.size(-1) == weight.size(1),
            "Linear: an input of shape {} for a layer of {} inputs, which must be its last axis",
            x.shape(),
            weight.size(1)
        );
        x.linear(&weight, value_of(&self.bias).as_ref())
    }
}

impl Module for Linear {
    fn visit(&self, walk: &mut Walk<'_>) {
        let Linear { weight, bias } = self;
        walk.child("weight", weight);
        walk.child("bias", bias);
    }

    fn describe(&self) -> String {
        let shape = self.weight.shape();
        let bias = python(self.bias.is_some());
        format!("Linear(in_features={}, out_features={}, bias={bias})", shape[1], shape[0])
    }
}

impl Layer for Linear {
    #[track_caller]
    fn forward(&self, x: &Tensor) -> Tensor {
        self.forward(x)
    }
}
