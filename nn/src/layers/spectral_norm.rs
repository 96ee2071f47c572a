//! Spectral normalisation: a weight divided by its largest singular value.

use super::conv::{Conv1d, Conv2d, ConvTranspose2d};
use super::linear::Linear;
use crate::module::{Layer, Module, Walk};
use crate::parameter::{Buffer, Mode, Parameter, value_of};
use autograd::{Rng, Tensor, no_grad};

/// A layer whose weight another can stand in for.
pub trait Weighted: Module + Send + Sync {
    /// The weight.
    fn weight(&self) -> &Parameter;
    /// The bias, if there is one.
    fn bias(&self) -> Option<&Parameter>;
    /// Which axis of the weight counts the outputs: the first, but of a transposed convolution.
    fn output_axis(&self) -> usize;
    /// The layer's output with this weight in the place of its own.
    #[track_caller]
    fn forward_with(&self, weight: &Tensor, x: &Tensor) -> Tensor;
}

macro_rules! weighted {
    ($layer:ident, $output_axis:literal, |$s:ident, $weight:ident, $bias:ident, $x:ident| $y:expr) => {
        impl Weighted for $layer {
            fn weight(&self) -> &Parameter {
                &self.weight
            }
            fn bias(&self) -> Option<&Parameter> {
                self.bias.as_ref()
            }
            fn output_axis(&self) -> usize {
                $output_axis
            }
            #[track_caller]
            fn forward_with(&$s, $weight: &Tensor, $x: &Tensor) -> Tensor {
                let bias = value_of(&$s.bias);
                let $bias = bias.as_ref();
                $y
            }
        }
    };
}
weighted!(Linear, 0, |self, weight, bias, x| x.linear(weight, bias));
weighted!(Conv1d, 0, |self, weight, bias, x| x.conv1d(weight, bias, &self.options));
weighted!(Conv2d, 0, |self, weight, bias, x| x.conv2d(weight, bias, &self.options));
weighted!(ConvTranspose2d, 1, |self, weight, bias, x| x.conv_transpose2d(weight, bias, &self.options));

/// A layer with W/σ in the place of its weight W, where σ is the largest singular value of W as a matrix
/// `[outputs, rest]`; as `torch.nn.utils.parametrizations.spectral_norm` (Miyato et al. 2018). It keeps a
/// discriminator from changing faster than its input does.
///
/// Power iteration estimates σ: each forward pass in training takes a step
///
/// ```text
/// u ← W·v / |W·v|        v ← Wᵀ·u / |Wᵀ·u|        σ = uᵀ·W·v
/// ```
///
/// and since W changes slowly, a step is enough. Gradients flow through W/σ with u and v as constants.
///
/// Parameters: the layer's bias, and W as `parametrizations.weight.original`; buffers
/// `parametrizations.weight.0._u` and `_v`.
///
/// ```
/// use autograd::{Rng, Tensor};
/// use nn::{Linear, layers::SpectralNorm};
/// let mut rng = Rng::seeded(0);
/// let layer = SpectralNorm::new(Linear::new(5, 3, &mut rng), &mut rng);
/// let x = Tensor::randn([2, 5], &mut rng);
/// assert_eq!(*layer.forward(&x).shape(), [2, 3]);
/// ```
pub struct SpectralNorm<L> {
    /// The layer, with its weight as it is trained.
    pub layer: L,
    /// The left singular vector: `[outputs]`.
    pub u: Buffer,
    /// The right singular vector: `[rest]`.
    pub v: Buffer,
    /// Steps of power iteration in a forward pass; 1 by default.
    pub power_iterations: usize,
    /// The least length that a vector is divided by; 10⁻¹² by default.
    pub eps: f32,
    /// Training or evaluating.
    pub mode: Mode,
}

impl<L: Weighted> SpectralNorm<L> {
    /// Around this layer. It takes 15 steps at once.
    ///
    /// # Panics
    /// If the layer's weight has fewer than two axes.
    #[track_caller]
    pub fn new(layer: L, rng: &mut Rng) -> SpectralNorm<L> {
        let shape = layer.weight().shape();
        assert!(shape.len() >= 2, "SpectralNorm: a weight of shape {shape}; a matrix is wanted, or more axes");
        let outputs = shape[layer.output_axis()];
        let eps = 1e-12;
        let mut start = |size: usize| Buffer::new(normalised(&Tensor::randn([size], rng), eps));
        let (u, v) = (start(outputs), start(shape.count() / outputs.max(1)));
        let norm = SpectralNorm { layer, u, v, power_iterations: 1, eps, mode: Mode::new() };
        norm.iterate(&norm.matrix(&norm.layer.weight().value().detach()), 15);
        norm
    }

    /// W as a matrix `[outputs, rest]`.
    fn matrix(&self, weight: &Tensor) -> Tensor {
        let outputs = self.layer.output_axis();
        weight.transpose(0, outputs as isize).flatten(1)
    }

    /// Steps of power iteration, from where the vectors stand.
    fn iterate(&self, matrix: &Tensor, steps: usize) {
        no_grad(|| {
            for _ in 0..steps {
                self.u.set(&normalised(&matrix.matmul(&self.v.value()), self.eps));
                self.v.set(&normalised(&matrix.t().matmul(&self.u.value()), self.eps));
            }
        });
    }

    /// W/σ. In training the vectors move first.
    pub fn weight(&self) -> Tensor {
        let weight = self.layer.weight().value();
        let matrix = self.matrix(&weight);
        if self.mode.is_training() {
            self.iterate(&matrix, self.power_iterations);
        }
        let sigma = self.u.value().dot(&matrix.matmul(&self.v.value()));
        weight / sigma
    }

    /// The layer's output, with W/σ for W.
    ///
    /// # Panics
    /// As the layer's own.
    #[track_caller]
    pub fn forward(&self, x: &Tensor) -> Tensor {
        self.layer.forward_with(&self.weight(), x)
    }
}

/// x / |x|
fn normalised(x: &Tensor, eps: f32) -> Tensor {
    x / x.norm(2.0, 0).clamp_min(eps)
}

impl<L: Weighted> Module for SpectralNorm<L> {
    fn visit(&self, walk: &mut Walk<'_>) {
        let SpectralNorm { layer, u, v, power_iterations: _, eps: _, mode } = self;
        if let Some(bias) = layer.bias() {
            walk.child("bias", bias);
        }
        walk.child("parametrizations.weight.original", layer.weight());
        walk.child("parametrizations.weight.0._u", u);
        walk.child("parametrizations.weight.0._v", v);
        walk.child("mode", mode);
    }

    fn describe(&self) -> String {
        format!("SpectralNorm({})", self.layer.describe())
    }
}

impl<L: Weighted> Layer for SpectralNorm<L> {
    #[track_caller]
    fn forward(&self, x: &Tensor) -> Tensor {
        self.forward(x)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_singular_value_becomes_one() {
        let mut rng = Rng::seeded(1);
        // With singular values 5, 2 and 0.5, exactly: a diagonal with its rows and columns exchanged.
        let weight = Tensor::from([[0.0, 5.0, 0.0, 0.0], [0.0, 0.0, 0.0, -2.0], [0.5, 0.0, 0.0, 0.0]]);
        let linear = Linear::without_bias(4, 3, &mut rng);
        linear.weight.set(&weight);
        let norm = SpectralNorm::new(linear, &mut rng);
        // What is not along the first singular vector shrinks by (2/5)² a step: 15 steps leave it below 2⁻³⁹ of what it
        // was, and σ is off by the square of that.
        let largest = norm.weight().to_vec().into_iter().fold(0.0_f32, f32::max);
        assert!((largest - 1.0).abs() <= 8.0 * f32::EPSILON, "{largest}");
        assert_eq!(norm.layer.weight.value().to_vec(), weight.to_vec());
    }

    #[test]
    fn vectors_move_in_training_only() {
        let mut rng = Rng::seeded(2);
        let norm = SpectralNorm::new(Linear::new(6, 5, &mut rng), &mut rng);
        norm.layer.weight.set(&Tensor::randn([5, 6], &mut rng));
        let before = norm.u.value().to_vec();
        norm.eval();
        norm.weight();
        assert_eq!(norm.u.value().to_vec(), before);
        norm.train();
        norm.weight();
        assert!(norm.u.value().to_vec() != before);
    }

    #[test]
    fn names_are_those_of_pytorch() {
        let mut rng = Rng::seeded(3);
        let norm = SpectralNorm::new(Linear::new(2, 3, &mut rng), &mut rng);
        let names: Vec<_> = norm.state().into_iter().map(|(name, _)| name).collect();
        let expected = [
            "bias",
            "parametrizations.weight.original",
            "parametrizations.weight.0._u",
            "parametrizations.weight.0._v",
        ];
        assert_eq!(names, expected);
        assert_eq!(norm.describe(), "SpectralNorm(Linear(in_features=2, out_features=3, bias=True))");
    }
}
