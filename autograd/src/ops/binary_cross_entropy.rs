//! Binary cross-entropy: of probabilities, and of the logits they come from.
//!
//! ```text
//! of p        l = −(t·ln p + (1 − t)·ln(1 − p)), each logarithm at least −100
//!             dp = (p − t) / max(p·(1 − p), 10⁻¹²)·dl        dt = (ln(1 − p) − ln p)·dl
//! of x        the same of p = σ(x):  l = max(x, 0) − t·x + ln(1 + e^−|x|)
//!             dx = (σ(x) − t)·dl                             dt = −x·dl
//! ```
//!
//! The bounds of the first form are PyTorch's: a probability of exactly 0 or 1 gives a large loss and not an
//! infinite one. The second needs none, and stays accurate where p would round to 0 or 1; prefer it. Both save
//! what they are given, and are one pass forward and one backward for each gradient that is wanted.

use super::function2::Function2;
use super::reduction::Reduction;
use crate::kernels::element::Float;
use crate::kernels::elementwise::Binary;
use crate::tensor::Tensor;

/// What p·(1 − p) is at least, in a slope: 10⁻¹² as an `f32`, which is what PyTorch takes for every type.
const LEAST_VARIANCE: f64 = 1e-12_f32 as f64;

/// The loss of a probability.
#[derive(Clone, Copy)]
struct OfProbability;

impl<T: Float> Binary<T> for OfProbability {
    #[inline(always)]
    fn eval(self, p: T, t: T) -> T {
        let least = T::from_f64(-100.0);
        -(t * T::ln(p).maximum(least) + (T::ONE - t) * T::ln_1p(-p).maximum(least))
    }
}

impl<T: Float> Function2<T> for OfProbability {
    const NAME: &'static str = "binary_cross_entropy";

    #[inline(always)]
    fn da(self, p: T, t: T, dl: T) -> T {
        (p - t) / (p * (T::ONE - p)).maximum(T::from_f64(LEAST_VARIANCE)) * dl
    }
    #[inline(always)]
    fn db(self, p: T, _: T, dl: T) -> T {
        (T::ln_1p(-p) - T::ln(p)) * dl
    }

    fn backward_a(self, p: &Tensor<T>, t: &Tensor<T>, dl: &Tensor<T>) -> Tensor<T> {
        (p - t) / (p * (-p + T::ONE)).clamp_min(T::from_f64(LEAST_VARIANCE)) * dl
    }
    fn backward_b(self, p: &Tensor<T>, _: &Tensor<T>, dl: &Tensor<T>) -> Tensor<T> {
        ((-p).log1p() - p.log()) * dl
    }
}

/// The loss of a logit.
#[derive(Clone, Copy)]
struct OfLogit;

impl<T: Float> Binary<T> for OfLogit {
    #[inline(always)]
    fn eval(self, x: T, t: T) -> T {
        (x.maximum(T::ZERO) - t * x) + T::softplus(-x.abs())
    }
}

impl<T: Float> Function2<T> for OfLogit {
    const NAME: &'static str = "bce_with_logits";

    #[inline(always)]
    fn da(self, x: T, t: T, dl: T) -> T {
        (T::sigmoid(x) - t) * dl
    }
    #[inline(always)]
    fn db(self, x: T, _: T, dl: T) -> T {
        -(x * dl)
    }

    fn backward_a(self, x: &Tensor<T>, t: &Tensor<T>, dl: &Tensor<T>) -> Tensor<T> {
        (x.sigmoid() - t) * dl
    }
    fn backward_b(self, x: &Tensor<T>, _: &Tensor<T>, dl: &Tensor<T>) -> Tensor<T> {
        -(x * dl)
    }
}

/// The options of [`Tensor::binary_cross_entropy`], as those of `torch.nn.BCELoss`.
#[derive(Clone)]
pub struct BinaryCrossEntropy<T: Float = f32> {
    /// How much each element counts; broadcast to the shape of the input. The mean is not weighted.
    pub weight: Option<Tensor<T>>,
    /// What becomes of the losses of the elements.
    pub reduction: Reduction,
}

impl<T: Float> Default for BinaryCrossEntropy<T> {
    fn default() -> Self {
        BinaryCrossEntropy { weight: None, reduction: Reduction::Mean }
    }
}

impl<T: Float> BinaryCrossEntropy<T> {
    /// The loss of probabilities and targets from 0 to 1, of one shape.
    ///
    /// # Panics
    /// If the shapes differ, or the weight does not broadcast to them, or a probability is not from 0 to 1.
    #[track_caller]
    pub fn forward(&self, p: &Tensor<T>, targets: &Tensor<T>) -> Tensor<T> {
        let name = "binary_cross_entropy";
        check_shapes(name, p, targets);
        // A NaN passes, and shows in the loss.
        let packed = p.packed();
        if let Some(position) = packed.slice().iter().position(|&p| p < T::ZERO || p > T::ONE) {
            let p = packed.slice()[position];
            panic!("{name}: {p}, element {position}, is no probability; a sigmoid is missing?");
        }
        let losses = weighted(name, OfProbability.apply(p, targets), self.weight.as_ref());
        self.reduction.apply(&losses)
    }
}

/// The options of [`Tensor::bce_with_logits`], as those of `torch.nn.BCEWithLogitsLoss`.
#[derive(Clone)]
pub struct BceWithLogits<T: Float = f32> {
    /// How much each element counts; broadcast to the shape of the input. The mean is not weighted.
    pub weight: Option<Tensor<T>>,
    /// How much a positive counts for each negative, to even out a rare class; broadcast likewise, `[C]` for
    /// logits `[N, C]`.
    pub pos_weight: Option<Tensor<T>>,
    /// What becomes of the losses of the elements.
    pub reduction: Reduction,
}

impl<T: Float> Default for BceWithLogits<T> {
    fn default() -> Self {
        BceWithLogits { weight: None, pos_weight: None, reduction: Reduction::Mean }
    }
}

impl<T: Float> BceWithLogits<T> {
    /// The loss of logits and targets from 0 to 1, of one shape.
    ///
    /// ```
    /// use autograd::{BceWithLogits, Tensor};
    /// let loss = BceWithLogits { pos_weight: Some(Tensor::from(3.0)), ..Default::default() };
    /// let of = |target: f32| loss.forward(&Tensor::from([0.0]), &Tensor::from([target])).item();
    /// assert_eq!(of(1.0), 3.0 * of(0.0));
    /// ```
    ///
    /// # Panics
    /// If the shapes differ, or a weight does not broadcast to them.
    #[track_caller]
    pub fn forward(&self, x: &Tensor<T>, targets: &Tensor<T>) -> Tensor<T> {
        let name = "bce_with_logits";
        check_shapes(name, x, targets);
        let losses = match &self.pos_weight {
            None => OfLogit.apply(x, targets),
            Some(pos_weight) => {
                // (1 − t)·x + (1 + (w − 1)·t)·ln(1 + e^−x)
                let positives = (pos_weight - T::ONE) * targets + T::ONE;
                (-targets + T::ONE) * x - positives * x.log_sigmoid()
            }
        };
        check_weight(name, "pos_weight", x, self.pos_weight.as_ref(), &losses);
        self.reduction.apply(&weighted(name, losses, self.weight.as_ref()))
    }
}

#[track_caller]
fn check_shapes<T: Float>(name: &str, input: &Tensor<T>, targets: &Tensor<T>) {
    assert!(
        input.shape() == targets.shape(),
        "{name}: an input of shape {} and targets of shape {}; they must be the same",
        input.shape(),
        targets.shape()
    );
}

/// The losses times the weight, if there is one.
#[track_caller]
fn weighted<T: Float>(name: &str, losses: Tensor<T>, weight: Option<&Tensor<T>>) -> Tensor<T> {
    let Some(weight) = weight else { return losses };
    let product = &losses * weight;
    check_weight(name, "weight", &losses, Some(weight), &product);
    product
}

/// Refuses a weight that has made `result` larger than the input.
#[track_caller]
fn check_weight<T: Float>(name: &str, what: &str, input: &Tensor<T>, weight: Option<&Tensor<T>>, result: &Tensor<T>) {
    if let Some(weight) = weight {
        assert!(
            result.shape() == input.shape(),
            "{name}: a {what} of shape {} for an input of shape {}; it must broadcast to that",
            weight.shape(),
            input.shape()
        );
    }
}

impl<T: Float> Tensor<T> {
    /// The mean binary cross-entropy of these probabilities against `targets` from 0 to 1, both of the same
    /// shape, as `torch.nn.functional.binary_cross_entropy`. [`BinaryCrossEntropy`] has its options.
    ///
    /// ```
    /// use autograd::Tensor;
    /// let loss = Tensor::from([0.5, 0.5]).binary_cross_entropy(&Tensor::from([0.0, 1.0]));
    /// assert!((loss.item() - 2.0_f32.ln()).abs() < 1e-6);
    /// ```
    ///
    /// # Panics
    /// If the shapes differ, or this tensor has elements below 0 or above 1.
    #[track_caller]
    pub fn binary_cross_entropy(&self, targets: &Tensor<T>) -> Tensor<T> {
        BinaryCrossEntropy::default().forward(self, targets)
    }

    /// The mean binary cross-entropy of the probabilities σ(x) against `targets`, as
    /// `torch.nn.functional.binary_cross_entropy_with_logits`: accurate for logits of any size.
    /// [`BceWithLogits`] has its options.
    ///
    /// # Panics
    /// If the shapes differ.
    #[track_caller]
    pub fn bce_with_logits(&self, targets: &Tensor<T>) -> Tensor<T> {
        BceWithLogits::default().forward(self, targets)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gradcheck::gradcheck_to_order;
    use crate::rng::Rng;

    #[test]
    fn gradients() {
        let mut rng = Rng::seeded(17);
        for shape in [&[4][..], &[2, 3]] {
            // Probabilities away from 0 and 1, where the higher derivatives, the error of the differences, explode.
            let mut random = || Tensor::rand_of::<f64>(shape, &mut rng) * 0.4 + 0.3;
            let inputs = [random(), random()];
            let weight = Some(random());
            let pos_weight = Some(Tensor::of(3.0));
            let logits = [Tensor::rand_of::<f64>(shape, &mut rng) * 6.0 - 3.0, inputs[1].clone()];
            for reduction in [Reduction::None, Reduction::Mean, Reduction::Sum] {
                for weight in [None, weight.clone()] {
                    let loss = BinaryCrossEntropy { weight: weight.clone(), reduction };
                    gradcheck_to_order(&|x| loss.forward(&x[0], &x[1]), &inputs, 2).unwrap();
                    for pos_weight in [None, pos_weight.clone()] {
                        let loss = BceWithLogits { weight: weight.clone(), pos_weight, reduction };
                        gradcheck_to_order(&|x| loss.forward(&x[0], &x[1]), &logits, 3).unwrap();
                    }
                }
            }
        }
    }

    #[test]
    fn certain_and_wrong_is_a_loss_of_a_hundred() {
        // torch.nn.functional.binary_cross_entropy(torch.tensor([0., 1.]), torch.tensor([1., 0.]))
        let p = Tensor::from([0.0, 1.0]).requires_grad();
        let loss = p.binary_cross_entropy(&Tensor::from([1.0, 0.0]));
        assert_eq!(loss.item(), 100.0);
        loss.backward();
        assert_eq!(p.grad().unwrap().to_vec(), [-0.5e12, 0.5e12]);
    }

    #[test]
    fn logits_of_any_size_are_accurate() {
        let x = Tensor::from([1000.0, -1000.0, -1000.0]);
        assert_eq!(x.bce_with_logits(&Tensor::from([0.0, 1.0, 0.0])).item(), 2000.0 / 3.0);
        // ln(1 + e⁻²⁰), where the probability rounds to 1.
        let small = Tensor::from([20.0]).bce_with_logits(&Tensor::from([1.0])).item();
        assert!((small - 2.061_153_6e-9).abs() <= 4.0 * f32::EPSILON * 2.1e-9, "{small}");
    }

    #[test]
    #[should_panic(expected = "binary_cross_entropy: 1.5, element 1, is no probability; a sigmoid is missing?")]
    fn logits_for_probabilities_are_refused() {
        Tensor::from([0.5, 1.5]).binary_cross_entropy(&Tensor::from([0.0, 1.0]));
    }

    #[test]
    #[should_panic(
        expected = "bce_with_logits: a weight of shape [2, 3] for an input of shape [3]; it must broadcast to that"
    )]
    fn a_weight_that_is_too_large_is_refused() {
        let loss = BceWithLogits { weight: Some(Tensor::ones([2, 3])), ..Default::default() };
        loss.forward(&Tensor::zeros([3]), &Tensor::zeros([3]));
    }
}
