//! The negative log-likelihood of classes, from log-probabilities.
//!
//! ```text
//! loss = −w·x[t]            dx = −w·dy at t, 0 elsewhere
//! ```
//!
//! x\[t\] is the log-probability of the right class t and w its weight. Only the classes are saved.
//! [`cross_entropy`](super::cross_entropy) is this after `log_softmax`, in one pass.

use super::classes::{Target, along_classes, check_weight, column, reduced};
use super::reduction::Reduction;
use super::rows::RowsAlong;
use crate::graph::{Grads, Op};
use crate::kernels::element::Float;
use crate::tensor::Tensor;

/// The options of [`Tensor::nll_loss_with`], as those of `torch.nn.functional.nll_loss`.
#[derive(Clone)]
pub struct NllLoss<T: Float = f32> {
    /// How much each class counts, `[C]`. The mean is then weighted by that, too.
    pub weight: Option<Tensor<T>>,
    /// Rows whose target is this class have no loss, no gradient and no part in the mean. -100 by default.
    pub ignore_index: i64,
    /// What becomes of the losses of the rows.
    pub reduction: Reduction,
}

impl<T: Float> Default for NllLoss<T> {
    fn default() -> Self {
        NllLoss { weight: None, ignore_index: -100, reduction: Reduction::Mean }
    }
}

impl<T: Float> NllLoss<T> {
    /// [`Tensor::nll_loss_with`] these options, as other losses are written.
    ///
    /// # Panics
    /// As [`Tensor::nll_loss_with`].
    #[track_caller]
    pub fn forward(&self, x: &Tensor<T>, classes: &Tensor<i64>) -> Tensor<T> {
        x.nll_loss_with(classes, self)
    }
}

impl<T: Float> Tensor<T> {
    /// The mean negative log-likelihood of `classes` under these log-probabilities, as
    /// `torch.nn.functional.nll_loss`. They are `[N, C]` or `[C]` or `[N, C, d₁, …]`, the classes their
    /// shape without the axis of classes.
    ///
    /// ```
    /// use autograd::Tensor;
    /// let x = Tensor::from([[0.25, 0.75], [0.5, 0.5]]).log_softmax(-1);
    /// let classes = Tensor::of([1_i64, 0]);
    /// assert_eq!(x.nll_loss(&classes).item(), -(x.value_at([0, 1]) + x.value_at([1, 0])) / 2.0);
    /// ```
    ///
    /// # Panics
    /// If the shapes do not fit or a target is not one of the classes.
    #[track_caller]
    pub fn nll_loss(&self, classes: &Tensor<i64>) -> Tensor<T> {
        self.nll_loss_with(classes, &NllLoss::default())
    }

    /// [`nll_loss`](Tensor::nll_loss) with class weights and the like.
    ///
    /// # Panics
    /// If the shapes do not fit, a target is neither one of the classes nor `ignore_index`, or the class
    /// weights require a gradient (there is none).
    #[track_caller]
    pub fn nll_loss_with(&self, classes: &Tensor<i64>, options: &NllLoss<T>) -> Tensor<T> {
        let along = along_classes("nll_loss", self);
        check_weight("nll_loss", options.weight.as_ref(), self, along.n);
        let target = Target {
            classes: Some(classes.packed()),
            ignore_index: options.ignore_index,
            confidence: T::ONE,
            weight: options.weight.as_ref().map(Tensor::packed),
            rest: None,
        };
        let divisor = target.check("nll_loss", self, along);
        let scale = if options.reduction == Reduction::Mean { T::ONE / divisor } else { T::ONE };
        let x = along.pack(self);
        let losses = Tensor::build(along.kept, |losses| target.view().likelihoods(x.slice(), along.n, losses));
        reduced(losses, options.reduction, divisor).recorded([self], || Applied { target, scale, along })
    }
}

/// A loss that was calculated.
#[derive(Clone)]
struct Applied<T: Float> {
    target: Target<T>,
    /// 1, or for a mean, one over what the sum is divided by.
    scale: T,
    along: RowsAlong,
}

impl<T: Float> Op<T> for Applied<T> {
    const NAME: &'static str = "nll_loss";

    fn backward(self, dy: Tensor<T>, grads: &mut Grads<'_, T>) {
        let Applied { target, scale, along } = self;
        grads.set(0, || {
            let q = Tensor::build([along.kept.count(), along.n].into(), |q| target.view().write(along.n, q));
            along.join(&(q * (column(&dy) * -scale)))
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gradcheck::gradcheck_to_order;
    use crate::ops::cross_entropy::CrossEntropy;
    use crate::rng::Rng;

    #[test]
    fn gradients_and_the_way_by_cross_entropy() {
        let mut rng = Rng::seeded(6);
        let cases: [(&[usize], Tensor<i64>); 3] = [
            (&[3], Tensor::of(2_i64)),
            (&[4, 3], Tensor::of([2_i64, 0, -100, 1])),
            (&[2, 3, 2], Tensor::of([[0_i64, 2], [1, -100]])),
        ];
        for (shape, classes) in &cases {
            let x = Tensor::randn_of::<f64>(*shape, &mut rng);
            for weight in [None, Some(Tensor::of([1.0, 2.0, 0.5]))] {
                for reduction in [Reduction::None, Reduction::Mean, Reduction::Sum] {
                    let options = NllLoss { weight: weight.clone(), reduction, ..Default::default() };
                    let f = |x: &[Tensor<f64>]| x[0].nll_loss_with(classes, &options);
                    gradcheck_to_order(&f, std::slice::from_ref(&x), 3).unwrap();

                    let axis = isize::from(x.rank() > 1);
                    let options = CrossEntropy { weight: weight.clone(), reduction, ..Default::default() };
                    let expected = x.cross_entropy_with(classes, &options);
                    for (a, b) in f(&[x.log_softmax(axis)]).iter().zip(expected.iter()) {
                        // Both are some ten roundings of numbers below 10.
                        assert!((a - b).abs() < 100.0 * f64::EPSILON, "{a} instead of {b}");
                    }
                }
            }
        }
    }

    /// Values from PyTorch 2.15.
    #[test]
    fn ignored_classes_and_infinities_as_pytorch() {
        let (inf, nan) = (f32::INFINITY, f32::NAN);
        let x = Tensor::from([[1.0, -inf, nan], [0.5, -1.0, -2.0]]).requires_grad();
        assert_eq!(x.nll_loss(&Tensor::of([0_i64, 2])).item(), 0.5);
        let weight = Some(Tensor::from([3.0, 1.0, 1.0]));
        let loss = x.nll_loss_with(&Tensor::of([0_i64, -100]), &NllLoss { weight, ..Default::default() });
        loss.backward();
        assert_eq!(x.grad().unwrap().to_vec(), [-1.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
        let sum = NllLoss { ignore_index: 1, reduction: Reduction::Sum, ..Default::default() };
        assert_eq!(Tensor::from([[1.0, 2.0]]).nll_loss_with(&Tensor::of([1_i64]), &sum).item(), 0.0);
    }

    #[test]
    #[should_panic(expected = "nll_loss: target 2 at [] is none of 2 classes, 0 to 1")]
    fn a_target_out_of_range_is_refused() {
        Tensor::zeros([2]).nll_loss(&Tensor::of(2_i64));
    }
}
