//! Initial values of weights.

use autograd::{Dims, Rng, Tensor};

/// Uniform in [low, high), as `torch.nn.init.uniform_`.
pub fn uniform(shape: impl Into<Dims>, low: f32, high: f32, rng: &mut Rng) -> Tensor {
    Tensor::rand(shape, rng) * (high - low) + low
}
