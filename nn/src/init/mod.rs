//! Initial values of weights, as `torch.nn.init`. Each function returns a fresh tensor.
//!
//! A weight has the shape `[out, in]`, a convolution's `[out, in, k…]`; [`fans`] says how many inputs and
//! outputs a weight connects. The aim of all of them: activations that neither vanish nor explode as they
//! pass through many layers forward, and gradients that do not on their way back.

mod fan;
mod orthogonal;
mod truncated_normal;

pub use fan::{
    Fan, Nonlinearity, calculate_gain, default_uniform, fans, kaiming_normal, kaiming_uniform, xavier_normal,
    xavier_uniform,
};
pub use orthogonal::orthogonal;
pub use truncated_normal::{TruncatedNormal, truncated_normal};

use autograd::{Dims, Rng, Tensor};

/// Uniform in [low, high), as `torch.nn.init.uniform_`; if they are equal, that number.
///
/// # Panics
/// If `low` is above `high`, or one of them is not finite.
#[track_caller]
pub fn uniform(shape: impl Into<Dims>, low: f32, high: f32, rng: &mut Rng) -> Tensor {
    assert!(low <= high && (high - low).is_finite(), "uniform: from {low} to {high}");
    let (start, span) = (f64::from(low), f64::from(high) - f64::from(low));
    // Rounded to f32, a number just below `high` could become `high`.
    let last = high.next_down().max(low);
    Tensor::from_fn(shape, |_| ((start + span * rng.uniform()) as f32).min(last))
}

/// Normal with this mean and standard deviation, as `torch.nn.init.normal_`.
///
/// # Panics
/// If `std` is negative or NaN.
#[track_caller]
pub fn normal(shape: impl Into<Dims>, mean: f32, std: f32, rng: &mut Rng) -> Tensor {
    assert!(std >= 0.0, "normal: a standard deviation of {std}");
    Tensor::from_fn(shape, |_| (f64::from(mean) + f64::from(std) * rng.normal()) as f32)
}

/// `value` everywhere, as `torch.nn.init.constant_`.
pub fn constant(shape: impl Into<Dims>, value: f32) -> Tensor {
    Tensor::full(shape, value)
}

#[cfg(test)]
pub(crate) mod testing;

#[cfg(test)]
mod tests {
    use super::testing::Moments;
    use super::*;

    #[test]
    fn uniform_has_the_moments_of_its_interval() {
        let x = uniform([100, 1000], -1.0, 3.0, &mut Rng::seeded(1));
        assert!(x.iter().all(|x| (-1.0..3.0).contains(&x)));
        // Variance (b − a)²/12; the kurtosis of a uniform distribution is 9/5.
        Moments { mean: 1.0, variance: 16.0 / 12.0, kurtosis: 1.8 }.check(&x);
    }

    #[test]
    fn normal_has_the_moments_asked_for() {
        let x = normal([100, 1000], 0.5, 0.02, &mut Rng::seeded(2));
        Moments { mean: 0.5, variance: 0.02 * 0.02, kurtosis: 3.0 }.check(&x);
    }

    #[test]
    fn uniform_never_reaches_its_upper_end() {
        // Only three numbers fit between them, so rounding would reach `high` once in six draws.
        let (low, high) = (1.0, 1.0 + 3.0 * f32::EPSILON);
        let x = uniform(1000, low, high, &mut Rng::seeded(3));
        assert!(x.iter().all(|x| (low..high).contains(&x)));
        assert_eq!(uniform(2, 0.5, 0.5, &mut Rng::seeded(4)).to_vec(), [0.5, 0.5]);
    }

    #[test]
    #[should_panic(expected = "uniform: from 1 to -1")]
    fn an_interval_the_wrong_way_round_is_refused() {
        uniform(1, 1.0, -1.0, &mut Rng::seeded(0));
    }
}
