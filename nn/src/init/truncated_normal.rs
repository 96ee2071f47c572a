//! The normal distribution, cut off on both sides.
//!
//! By rejection, which is exact: propose x from a distribution that is easy to draw from, accept it with a
//! probability proportional to φ(x) over the density it was proposed with. In units of standard deviations,
//! and mirrored so that the interval [low, high] does not lie below 0, three proposals suffice:
//!
//! | interval | proposal | accepted with probability | at least |
//! |---|---|---|---|
//! | in the tail, low > 1 | Rayleigh's density x·e^(−x²/2) | low / x | 0.65 |
//! | else, narrower than 2 | uniform | φ(x) / the largest φ | 0.32 |
//! | else | normal | 1 inside, 0 outside | 0.15 |

use autograd::{Dims, Rng, Tensor};

/// Which normal distribution [`truncated_normal`] draws from, and where it is cut off. By default the
/// standard one, cut off at ±2.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TruncatedNormal {
    /// The mean before cutting.
    pub mean: f32,
    /// The standard deviation before cutting.
    pub std: f32,
    /// The least value (PyTorch's `a`); not in standard deviations.
    pub low: f32,
    /// The greatest value (PyTorch's `b`).
    pub high: f32,
}

impl Default for TruncatedNormal {
    fn default() -> TruncatedNormal {
        TruncatedNormal { mean: 0.0, std: 1.0, low: -2.0, high: 2.0 }
    }
}

/// Normal, with what falls outside [low, high] drawn again, as `torch.nn.init.trunc_normal_`. Exact
/// wherever the interval lies, far tails included.
///
/// ```
/// use autograd::Rng;
/// use nn::init::{TruncatedNormal, truncated_normal};
/// let x = truncated_normal(1000, TruncatedNormal { std: 0.02, low: -0.04, high: 0.04, mean: 0.0 }, &mut Rng::seeded(0));
/// assert!(x.iter().all(|x| x.abs() <= 0.04));
/// ```
///
/// # Panics
/// If `low` is above `high`, `std` is not above 0, or there are no numbers to draw from.
#[track_caller]
pub fn truncated_normal(shape: impl Into<Dims>, of: TruncatedNormal, rng: &mut Rng) -> Tensor {
    let TruncatedNormal { mean, std, low, high } = of;
    let possible = low <= high && low < f32::INFINITY && high > f32::NEG_INFINITY;
    assert!(
        possible && mean.is_finite() && std > 0.0 && std.is_finite(),
        "truncated_normal: from {low} to {high}, with a mean of {mean} and a standard deviation of {std}"
    );
    let standard = |x: f32| (f64::from(x) - f64::from(mean)) / f64::from(std);
    let (from, to) = (standard(low), standard(high));
    Tensor::from_fn(shape, |_| {
        let x = if to < 0.0 { -between(-to, -from, rng) } else { between(from, to, rng) };
        ((f64::from(mean) + f64::from(std) * x) as f32).clamp(low, high)
    })
}

/// A standard normal number from [low, high], where `high` is not negative.
fn between(low: f64, high: f64, rng: &mut Rng) -> f64 {
    // ln φ, but for a constant.
    let log_density = |x: f64| -0.5 * x * x;
    loop {
        let (x, accepted) = if low > 1.0 {
            // Rayleigh's distribution function is 1 − e^(−x²/2); this inverts it between low and high.
            let rest = -(log_density(high) - log_density(low)).exp_m1();
            let x = (low * low - 2.0 * (-rng.uniform() * rest).ln_1p()).sqrt();
            (x, low / x)
        } else if high - low < 2.0 {
            let x = low + (high - low) * rng.uniform();
            (x, (log_density(x) - log_density(low.max(0.0))).exp())
        } else {
            let x = rng.normal();
            (x, f64::from(u8::from((low..=high).contains(&x))))
        };
        if rng.uniform() < accepted {
            return x;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::Moments;
    use super::*;

    /// The moments of the standard normal distribution on [low, high], by Simpson's rule, whose error at this
    /// step is below 10⁻¹².
    fn moments(low: f64, high: f64) -> Moments {
        const STEPS: usize = 10_000;
        let integral = |f: &dyn Fn(f64) -> f64| {
            let at = |i: usize| {
                let x = low + (high - low) * i as f64 / STEPS as f64;
                // Relative to the density at the near end, which may be tiny.
                f(x) * (0.5 * (low * low - x * x)).exp()
            };
            let inner: f64 = (1..STEPS).map(|i| if i % 2 == 1 { 4.0 * at(i) } else { 2.0 * at(i) }).sum();
            (at(0) + inner + at(STEPS)) / 3.0
        };
        let mass = integral(&|_| 1.0);
        let mean = integral(&|x| x) / mass;
        let variance = integral(&|x| (x - mean).powi(2)) / mass;
        let kurtosis = integral(&|x| (x - mean).powi(4)) / mass / variance.powi(2);
        Moments { mean, variance, kurtosis }
    }

    /// Each of the three proposals, on both sides of 0.
    #[test]
    fn moments_are_those_of_the_density() {
        let mut rng = Rng::seeded(7);
        for (low, high) in
            [(-2.0, 2.0), (-0.5, 0.3), (0.9, 2.8), (1.0, 3.5), (1.5, 1.75), (5.0, 9.0), (-9.0, -5.0), (-3.0, -0.5)]
        {
            let of = TruncatedNormal { mean: 0.0, std: 1.0, low, high };
            let x = truncated_normal(50_000, of, &mut rng);
            assert!(x.iter().all(|x| (low..=high).contains(&x)), "{low} to {high}");
            moments(f64::from(low), f64::from(high)).check(&x);
        }
    }

    #[test]
    fn mean_and_standard_deviation_move_and_stretch_it() {
        let of = TruncatedNormal { mean: 3.0, std: 0.5, low: 2.5, high: 5.0 }; // from -1 to 4 deviations
        let Moments { mean, variance, kurtosis } = moments(-1.0, 4.0);
        let x = truncated_normal(50_000, of, &mut Rng::seeded(8));
        Moments { mean: 3.0 + 0.5 * mean, variance: 0.25 * variance, kurtosis }.check(&x);
    }

    #[test]
    fn without_bounds_it_is_the_normal_distribution() {
        let of = TruncatedNormal { low: f32::NEG_INFINITY, high: f32::INFINITY, ..Default::default() };
        Moments { mean: 0.0, variance: 1.0, kurtosis: 3.0 }.check(&truncated_normal(50_000, of, &mut Rng::seeded(9)));
        let tail = TruncatedNormal { low: 6.0, high: f32::INFINITY, ..Default::default() };
        moments(6.0, 16.0).check(&truncated_normal(50_000, tail, &mut Rng::seeded(10)));
        let point = TruncatedNormal { low: 1.5, high: 1.5, ..Default::default() };
        assert_eq!(truncated_normal(2, point, &mut Rng::seeded(11)).to_vec(), [1.5, 1.5]);
    }
}
