//! Initial values scaled by how many inputs or outputs a weight connects.
//!
//! A sum of fan_in products of independent inputs and weights has fan_in times the variance of one. So
//!
//! ```text
//! Kaiming   std = gain / √fan                        keeps the variance of activations (fan_in) or gradients (fan_out)
//! Xavier    std = gain·√(2 / (fan_in + fan_out))     a compromise between the two
//! ```
//!
//! where the gain makes up for what the nonlinearity behind the weight takes away. A uniform distribution
//! in ±√3·std has the standard deviation std.

use super::{normal, uniform};
use autograd::{Dims, Rng, Tensor};

/// (fan_in, fan_out): how many inputs each output of a weight `[out, in, k…]` has, and how many outputs
/// each input: in·∏k and out·∏k.
///
/// # Panics
/// If the shape has fewer than two axes.
#[track_caller]
pub fn fans(shape: impl Into<Dims>) -> (usize, usize) {
    let shape = shape.into();
    assert!(shape.len() >= 2, "fans: a weight of shape {shape}; [out, in] or [out, in, k…] is wanted");
    let kernel: usize = shape[2..].iter().product();
    (shape[1] * kernel, shape[0] * kernel)
}

/// Which variance Kaiming initialisation keeps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fan {
    /// That of the activations, forward: `fan_in`.
    #[default]
    In,
    /// That of the gradients, backward: `fan_out`.
    Out,
}

/// What follows the weight, for [`calculate_gain`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Nonlinearity {
    /// Nothing, or a convolution.
    Linear,
    /// sigmoid
    Sigmoid,
    /// tanh
    Tanh,
    /// max(0, x)
    Relu,
    /// x, or slope·x where that is negative. PyTorch calls the slope `a`; its default is 0.01.
    LeakyRelu(f32),
    /// The self-normalising unit of Klambauer et al. 2017.
    Selu,
}

/// By how much to widen a weight that is followed by this nonlinearity, as `torch.nn.init.calculate_gain`.
///
/// | linear, sigmoid | tanh | relu | leaky relu | selu |
/// |---|---|---|---|---|
/// | 1 | 5/3 | √2 | √(2 / (1 + slope²)) | 3/4 |
///
/// ```
/// use nn::init::{Nonlinearity, calculate_gain};
/// assert_eq!(calculate_gain(Nonlinearity::Relu), 2.0_f32.sqrt());
/// ```
pub fn calculate_gain(nonlinearity: Nonlinearity) -> f32 {
    match nonlinearity {
        Nonlinearity::Linear | Nonlinearity::Sigmoid => 1.0,
        Nonlinearity::Tanh => 5.0 / 3.0,
        Nonlinearity::Relu => 2.0_f32.sqrt(),
        Nonlinearity::LeakyRelu(slope) => (2.0 / (1.0 + slope * slope)).sqrt(),
        Nonlinearity::Selu => 0.75,
    }
}

/// Uniform in ±gain·√(6 / (fan_in + fan_out)), as `torch.nn.init.xavier_uniform_` (Glorot & Bengio 2010).
///
/// # Panics
/// If the shape has fewer than two axes.
#[track_caller]
pub fn xavier_uniform(shape: impl Into<Dims>, gain: f32, rng: &mut Rng) -> Tensor {
    let shape = shape.into();
    within(shape, 3.0_f64.sqrt() * xavier_std(shape, gain), rng)
}

/// Normal with the standard deviation gain·√(2 / (fan_in + fan_out)), as `torch.nn.init.xavier_normal_`
/// (Glorot & Bengio 2010).
///
/// # Panics
/// If the shape has fewer than two axes.
#[track_caller]
pub fn xavier_normal(shape: impl Into<Dims>, gain: f32, rng: &mut Rng) -> Tensor {
    let shape = shape.into();
    normal(shape, 0.0, xavier_std(shape, gain) as f32, rng)
}

/// Uniform in ±gain·√(3 / fan), as `torch.nn.init.kaiming_uniform_` (He et al. 2015).
///
/// ```
/// use autograd::Rng;
/// use nn::init::{Fan, Nonlinearity, kaiming_uniform};
/// let weight = kaiming_uniform([64, 150], Fan::In, Nonlinearity::Relu, &mut Rng::seeded(0));
/// assert!(weight.iter().all(|w| w.abs() <= 0.2)); // √2·√(3 / 150)
/// ```
///
/// # Panics
/// If the shape has fewer than two axes.
#[track_caller]
pub fn kaiming_uniform(shape: impl Into<Dims>, fan: Fan, nonlinearity: Nonlinearity, rng: &mut Rng) -> Tensor {
    let shape = shape.into();
    within(shape, 3.0_f64.sqrt() * kaiming_std(shape, fan, nonlinearity), rng)
}

/// Normal with the standard deviation gain / √fan, as `torch.nn.init.kaiming_normal_` (He et al. 2015).
///
/// # Panics
/// If the shape has fewer than two axes.
#[track_caller]
pub fn kaiming_normal(shape: impl Into<Dims>, fan: Fan, nonlinearity: Nonlinearity, rng: &mut Rng) -> Tensor {
    let shape = shape.into();
    normal(shape, 0.0, kaiming_std(shape, fan, nonlinearity) as f32, rng)
}

/// Uniform in ±1/√fan_in: how PyTorch's linear, convolution and recurrent layers start, weights and biases
/// alike. (PyTorch writes it as Kaiming's for a leaky ReLU of slope √5, which comes to the same.)
pub fn default_uniform(shape: impl Into<Dims>, fan_in: usize, rng: &mut Rng) -> Tensor {
    within(shape.into(), one_over_sqrt(fan_in), rng)
}

#[track_caller]
fn xavier_std(shape: Dims, gain: f32) -> f64 {
    let (fan_in, fan_out) = fans(shape);
    f64::from(gain) * 2.0_f64.sqrt() * one_over_sqrt(fan_in + fan_out)
}

#[track_caller]
fn kaiming_std(shape: Dims, fan: Fan, nonlinearity: Nonlinearity) -> f64 {
    let (fan_in, fan_out) = fans(shape);
    let fan = match fan {
        Fan::In => fan_in,
        Fan::Out => fan_out,
    };
    f64::from(calculate_gain(nonlinearity)) * one_over_sqrt(fan)
}

/// 1/√fan; 0 for a fan of 0, whose weight has no elements (a bias may, and starts at 0 as PyTorch's does).
fn one_over_sqrt(fan: usize) -> f64 {
    if fan == 0 { 0.0 } else { 1.0 / (fan as f64).sqrt() }
}

/// Uniform in ±bound.
#[track_caller]
fn within(shape: Dims, bound: f64, rng: &mut Rng) -> Tensor {
    uniform(shape, -bound as f32, bound as f32, rng)
}

#[cfg(test)]
mod tests {
    use super::super::testing::Moments;
    use super::*;

    #[test]
    fn fans_count_the_kernel() {
        assert_eq!(fans([3, 5]), (5, 3));
        assert_eq!(fans([8, 4, 3, 3]), (36, 72));
    }

    #[test]
    #[should_panic(expected = "fans: a weight of shape [7]; [out, in] or [out, in, k…] is wanted")]
    fn a_vector_has_no_fans() {
        xavier_normal(7, 1.0, &mut Rng::seeded(0));
    }

    /// The numbers of `torch.nn.init.calculate_gain` (torch 2.15.0), rounded to f32.
    #[test]
    fn gains_are_those_of_pytorch() {
        use Nonlinearity::*;
        for (nonlinearity, gain) in [
            (Linear, 1.0),
            (Sigmoid, 1.0),
            (Tanh, 1.6666666666666667),
            (Relu, std::f64::consts::SQRT_2),
            (LeakyRelu(0.01), 1.4141428569978354),
            (LeakyRelu(0.2), 1.3867504905630728),
            (Selu, 0.75),
        ] {
            // Three roundings: slope², the quotient, the root.
            let error = (f64::from(calculate_gain(nonlinearity)) - gain).abs() / gain;
            assert!(error <= 1.5 * f64::from(f32::EPSILON), "{nonlinearity:?}: {error}");
        }
    }

    #[test]
    fn variances_are_those_of_the_papers() {
        let shape = [200, 50, 3, 3]; // fan_in 450, fan_out 1800
        let mut rng = Rng::seeded(6);
        let uniform = |variance| Moments { mean: 0.0, variance, kurtosis: 1.8 };
        let normal = |variance| Moments { mean: 0.0, variance, kurtosis: 3.0 };
        uniform(4.0 * 2.0 / 2250.0).check(&xavier_uniform(shape, 2.0, &mut rng));
        normal(4.0 * 2.0 / 2250.0).check(&xavier_normal(shape, 2.0, &mut rng));
        uniform(2.0 / 450.0).check(&kaiming_uniform(shape, Fan::In, Nonlinearity::Relu, &mut rng));
        normal(2.0 / 1800.0).check(&kaiming_normal(shape, Fan::Out, Nonlinearity::Relu, &mut rng));
        normal(2.0 / 1.25 / 450.0).check(&kaiming_normal(shape, Fan::In, Nonlinearity::LeakyRelu(0.5), &mut rng));
        uniform(1.0 / 3.0 / 450.0).check(&default_uniform(shape, 450, &mut rng));
    }

    #[test]
    fn no_inputs_are_no_trouble() {
        assert_eq!(default_uniform(2, 0, &mut Rng::seeded(0)).to_vec(), [0.0, 0.0]);
        assert_eq!(kaiming_normal([2, 0], Fan::In, Nonlinearity::Relu, &mut Rng::seeded(0)).count(), 0);
    }
}
