//! Binary cross-entropy: of probabilities, and of the logits they come from.
//!
//! ```text
//! of p:       l = −(t·log p + (1 − t)·log(1 − p)),  each log at least −100
//!             dp = (p − t) / max(p·(1 − p), 10⁻¹²)·dl
//! of x:       p = σ(x):  l = max(x, 0) − t·x + log(1 + e^−|x|)
//!             dx = (σ(x) − t)·dl
//! ```
//!
//! The bounds are PyTorch's: a probability of exactly 0 or 1 gives a large loss and not an infinite one.
//! The second form needs none; prefer it. Targets t are constants: a gradient by them is refused.

use super::binary::{broadcast, zip};
use crate::graph::{Grads, Op};
use crate::kernels::element::Float;
use crate::kernels::elementwise::Binary;
use crate::tensor::Tensor;

/// The two forms of the loss, on one element.
#[derive(Clone, Copy)]
struct OfProbability;
#[derive(Clone, Copy)]
struct OfLogit;

impl<T: Float> Binary<T> for OfProbability {
    #[inline(always)]
    fn eval(self, p: T, t: T) -> T {
        let least = T::from_f64(-100.0);
        -(t * p.ln().maximum(least) + (T::ONE - t) * (T::ONE - p).ln().maximum(least))
    }
}

impl<T: Float> Binary<T> for OfLogit {
    #[inline(always)]
    fn eval(self, x: T, t: T) -> T {
        x.softplus() - t * x
    }
}

/// The mean over the elements of one form.
#[derive(Clone)]
struct MeanLoss<T: Float, F> {
    form: F,
    x: Tensor<T>,
    t: Tensor<T>,
}

/// d loss / d x of one element.
trait Form<T: Float>: Binary<T> + 'static {
    const NAME: &'static str;
    fn slope(self, x: Tensor<T>, t: Tensor<T>) -> Tensor<T>;
}

impl<T: Float> Form<T> for OfProbability {
    const NAME: &'static str = "binary_cross_entropy";
    fn slope(self, p: Tensor<T>, t: Tensor<T>) -> Tensor<T> {
        let variance = (&p - &p * &p).maximum(&Tensor::full_of([], T::from_f64(1e-12)));
        (p - t) / variance
    }
}

impl<T: Float> Form<T> for OfLogit {
    const NAME: &'static str = "bce_with_logits";
    fn slope(self, x: Tensor<T>, t: Tensor<T>) -> Tensor<T> {
        x.sigmoid() - t
    }
}

impl<T: Float, F: Form<T>> Op<T> for MeanLoss<T, F> {
    const NAME: &'static str = F::NAME;
    fn backward(self, dy: Tensor<T>, grads: &mut Grads<'_, T>) {
        let count = T::from_f64(self.x.count() as f64);
        grads.set(0, || self.form.slope(self.x, self.t) * (dy / count));
    }
}

impl<T: Float> Tensor<T> {
    #[track_caller]
    fn mean_loss<F: Form<T>>(&self, form: F, targets: &Tensor<T>) -> Tensor<T> {
        assert!(
            self.shape() == targets.shape(),
            "{}: an input of shape {} and targets of shape {}; they must be the same",
            F::NAME,
            self.shape(),
            targets.shape()
        );
        assert!(!targets.has_history(), "{}: a gradient by the targets is not defined here; detach them", F::NAME);
        let losses: Tensor<T> = zip(form, broadcast(F::NAME, self, targets), &self.detach(), targets);
        losses.mean(..).recorded([self], || MeanLoss { form, x: self.clone(), t: targets.clone() })
    }

    /// The mean binary cross-entropy of these probabilities against `targets` from 0 to 1, both of the same
    /// shape, as `torch.nn.functional.binary_cross_entropy`.
    ///
    /// ```
    /// use autograd::Tensor;
    /// let loss = Tensor::from([0.5, 0.5]).binary_cross_entropy(&Tensor::from([0.0, 1.0]));
    /// assert!((loss.item() - 2.0_f32.ln()).abs() < 1e-6);
    /// ```
    ///
    /// # Panics
    /// If the shapes differ, or the targets have a history.
    #[track_caller]
    pub fn binary_cross_entropy(&self, targets: &Tensor<T>) -> Tensor<T> {
        self.mean_loss(OfProbability, targets)
    }

    /// The mean binary cross-entropy of the probabilities σ(x) against `targets`, as
    /// `torch.nn.functional.binary_cross_entropy_with_logits`: accurate for logits of any size.
    ///
    /// # Panics
    /// If the shapes differ, or the targets have a history.
    #[track_caller]
    pub fn bce_with_logits(&self, targets: &Tensor<T>) -> Tensor<T> {
        self.mean_loss(OfLogit, targets)
    }
}

#[cfg(test)]
mod tests {
    use crate::gradcheck::check_elementwise;
    use crate::tensor::Tensor;

    fn targets(x: &Tensor<f64>) -> Tensor<f64> {
        Tensor::from_fn(*x.shape(), |i| (i * 7 % 5) as f64 / 4.0)
    }

    #[test]
    fn gradients() {
        // Away from 0 and 1, where the seventh derivative, the error of the differences, explodes.
        check_elementwise(0.3..0.7, |p| p.binary_cross_entropy(&targets(p)));
        check_elementwise(-3.0..3.0, |x| x.bce_with_logits(&targets(x)));
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
    }
}
