//! Layer normalisation.

use crate::module::{Layer, Module, Walk};
use crate::parameter::{Parameter, value_of};
use crate::summary::python;
use autograd::{Dims, Tensor};

/// Each part of shape `normalized_shape` (the last axes) with the mean 0 and the variance 1, times `weight`, plus
/// `bias`; as `torch.nn.LayerNorm` (Ba, Kiros & Hinton 2016).
///
/// Parameters: `weight`, ones at the start, and `bias`, zeros, both of `normalized_shape`.
///
/// ```
/// use autograd::Tensor;
/// use nn::LayerNorm;
/// let norm = LayerNorm::new(4);
/// let y = norm.forward(&Tensor::from([[1.0, 2.0, 3.0, 4.0], [40.0, 30.0, 20.0, 10.0]]));
/// assert!(y.sum(-1).iter().all(|sum| sum.abs() < 1e-6));
/// ```
pub struct LayerNorm {
    /// `normalized_shape`
    pub weight: Option<Parameter>,
    /// `normalized_shape`
    pub bias: Option<Parameter>,
    /// Added to the variance; 10⁻⁵ by default.
    pub eps: f64,
    normalized_shape: Dims,
}

impl LayerNorm {
    /// A layer over the last axes, which have this shape: a number for the last axis alone.
    pub fn new(normalized_shape: impl Into<Dims>) -> LayerNorm {
        let shape = normalized_shape.into();
        LayerNorm {
            weight: Some(Parameter::new(Tensor::ones(shape))),
            bias: Some(Parameter::new(Tensor::zeros(shape))),
            ..LayerNorm::without_affine(shape)
        }
    }

    /// A layer with a weight but no bias, as `bias=False`.
    pub fn without_bias(normalized_shape: impl Into<Dims>) -> LayerNorm {
        LayerNorm { bias: None, ..LayerNorm::new(normalized_shape) }
    }

    /// A layer that only normalises, as `elementwise_affine=False`.
    pub fn without_affine(normalized_shape: impl Into<Dims>) -> LayerNorm {
        LayerNorm { weight: None, bias: None, eps: 1e-5, normalized_shape: normalized_shape.into() }
    }

    /// The layer's output, of the shape of `x`.
    ///
    /// # Panics
    /// If the last axes of `x` have another shape.
    #[track_caller]
    pub fn forward(&self, x: &Tensor) -> Tensor {
        x.layer_norm(self.normalized_shape, value_of(&self.weight).as_ref(), value_of(&self.bias).as_ref(), self.eps)
    }
}

impl Module for LayerNorm {
    fn visit(&self, walk: &mut Walk<'_>) {
        let LayerNorm { weight, bias, eps: _, normalized_shape: _ } = self;
        walk.child("weight", weight);
        walk.child("bias", bias);
    }

    fn describe(&self) -> String {
        let sizes: Vec<_> = self.normalized_shape.iter().map(ToString::to_string).collect();
        // A tuple of one has a comma in Python.
        let comma = if sizes.len() == 1 { "," } else { "" };
        let (shape, eps) = (sizes.join(", "), self.eps);
        let (affine, bias) = (python(self.weight.is_some()), python(self.bias.is_some()));
        format!("LayerNorm(({shape}{comma}), eps={eps:?}, elementwise_affine={affine}, bias={bias})")
    }
}

impl Layer for LayerNorm {
    #[track_caller]
    fn forward(&self, x: &Tensor) -> Tensor {
        self.forward(x)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_description_are_those_of_pytorch() {
        let norm = LayerNorm::new([3, 4]);
        let names: Vec<_> = norm.named_parameters().into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["weight", "bias"]);
        assert_eq!(norm.describe(), "LayerNorm((3, 4), eps=1e-5, elementwise_affine=True, bias=True)");
        assert_eq!(
            LayerNorm::without_bias(7).describe(),
            "LayerNorm((7,), eps=1e-5, elementwise_affine=True, bias=False)"
        );
        assert_eq!(LayerNorm::without_affine(7).parameter_count(), 0);
    }
}
