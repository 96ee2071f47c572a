//! The Kullback-Leibler divergence: how surprised one is by samples of t who expects the distribution q.
//!
//! ```text
//!                 loss = t·(ln t − x)          dx = −t·dy            dt = (ln t + 1 − x)·dy         x = ln q
//! log_target      loss = e^t·(t − x)           dx = −e^t·dy          dt = e^t·(t + 1 − x)·dy
//! ```
//!
//! 0·ln 0 is 0.

use super::pointwise::pointwise;
use autograd::kernels::elementwise::Binary;
use autograd::ops::function2::Function2;
use autograd::{Float, Reduction, Tensor};

/// The divergence of targets t from predictions, which are given as log-probabilities, element by element, as
/// `torch.nn.KLDivLoss`.
///
/// The divergence of a distribution is the *sum* over its elements. So is that of a batch with
/// [`batch_mean`](KlDivLoss::batch_mean), divided by the size of the batch; the plain mean, PyTorch's default,
/// divides by the number of elements as well.
#[derive(Clone, Copy, Debug, Default)]
pub struct KlDivLoss {
    /// Whether targets, too, are log-probabilities.
    pub log_target: bool,
    /// With a mean: over the first axis only, PyTorch's `reduction="batchmean"`.
    pub batch_mean: bool,
    /// What becomes of the losses of the elements.
    pub reduction: Reduction,
}

impl KlDivLoss {
    /// The loss.
    ///
    /// ```
    /// use autograd::Tensor;
    /// use nn::losses::KlDivLoss;
    /// let loss = KlDivLoss { batch_mean: true, ..Default::default() };
    /// let (p, q) = (Tensor::from([[0.5, 0.5]]), Tensor::from([[0.25, 0.75]]));
    /// let divergence = loss.forward(&q.log(), &p).item(); // ½ ln 2 + ½ ln ⅔
    /// assert!((divergence - 0.5 * (4.0_f32 / 3.0).ln()).abs() < 1e-6);
    /// ```
    ///
    /// # Panics
    /// If the shapes differ.
    #[track_caller]
    pub fn forward<T: Float>(&self, input: &Tensor<T>, target: &Tensor<T>) -> Tensor<T> {
        let KlDivLoss { log_target, batch_mean, reduction } = *self;
        let batch = (batch_mean && reduction == Reduction::Mean && input.rank() > 0).then(|| input.size(0));
        let reduction = if batch.is_some() { Reduction::Sum } else { reduction };
        let loss = if log_target {
            pointwise(FromLogs, input, target, reduction)
        } else {
            pointwise(FromProbabilities, input, target, reduction)
        };
        match batch {
            Some(size) => loss * T::from_f64(1.0 / size as f64),
            None => loss,
        }
    }
}

/// The divergence's mean over all elements, as `torch.nn.functional.kl_div`; see [`KlDivLoss`] for the mean over the
/// batch.
///
/// # Panics
/// If the shapes differ.
#[track_caller]
pub fn kl_div<T: Float>(input: &Tensor<T>, target: &Tensor<T>) -> Tensor<T> {
    KlDivLoss::default().forward(input, target)
}

#[derive(Clone, Copy)]
struct FromProbabilities;

impl<T: Float> Binary<T> for FromProbabilities {
    #[inline(always)]
    fn eval(self, x: T, t: T) -> T {
        let entropy = if t == T::ZERO { T::ZERO } else { t * T::ln(t) };
        entropy - t * x
    }
}

impl<T: Float> Function2<T> for FromProbabilities {
    const NAME: &'static str = "kl_div";

    #[inline(always)]
    fn da(self, _: T, t: T, dy: T) -> T {
        -(t * dy)
    }
    #[inline(always)]
    fn db(self, x: T, t: T, dy: T) -> T {
        (T::ln(t) + T::ONE - x) * dy
    }

    fn backward_a(self, _: &Tensor<T>, t: &Tensor<T>, dy: &Tensor<T>) -> Tensor<T> {
        -(t * dy)
    }
    fn backward_b(self, x: &Tensor<T>, t: &Tensor<T>, dy: &Tensor<T>) -> Tensor<T> {
        (t.log() + T::ONE - x) * dy
    }
}

#[derive(Clone, Copy)]
struct FromLogs;

impl<T: Float> Binary<T> for FromLogs {
    #[inline(always)]
    fn eval(self, x: T, t: T) -> T {
        T::exp(t) * (t - x)
    }
}

impl<T: Float> Function2<T> for FromLogs {
    const NAME: &'static str = "kl_div";

    #[inline(always)]
    fn da(self, _: T, t: T, dy: T) -> T {
        -(T::exp(t) * dy)
    }
    #[inline(always)]
    fn db(self, x: T, t: T, dy: T) -> T {
        T::exp(t) * (t + T::ONE - x) * dy
    }

    fn backward_a(self, _: &Tensor<T>, t: &Tensor<T>, dy: &Tensor<T>) -> Tensor<T> {
        -(t.exp() * dy)
    }
    fn backward_b(self, x: &Tensor<T>, t: &Tensor<T>, dy: &Tensor<T>) -> Tensor<T> {
        t.exp() * (t + T::ONE - x) * dy
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::losses::testing::{check, check_from};

    #[test]
    fn gradients() {
        let probabilities = |shape: &[usize], rng: &mut autograd::Rng| Tensor::rand_of::<f64>(shape, rng) + 0.1;
        for batch_mean in [false, true] {
            check_from(3, probabilities, |reduction, x, t| {
                KlDivLoss { log_target: false, batch_mean, reduction }.forward(x, t)
            });
            check(3, |reduction, x, t| KlDivLoss { log_target: true, batch_mean, reduction }.forward(x, t));
        }
    }

    #[test]
    fn what_never_happens_costs_nothing() {
        let loss = KlDivLoss { reduction: Reduction::None, ..Default::default() };
        assert_eq!(loss.forward(&Tensor::from([-1.0, 0.0]), &Tensor::from([0.0, 1.0])).to_vec(), [0.0, 0.0]);
    }
}
