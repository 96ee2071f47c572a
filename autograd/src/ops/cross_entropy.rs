//! Cross-entropy of logits with classes or with distributions over classes.
//!
//! ```text
//! loss = Σ q·(l − x) = −Σ q·ln softmax(x)      l = ln Σ e^x
//! dx   = (Q·softmax(x) − q)·dy                 Q = Σ q
//! ```
//!
//! q is the target of a row of logits. For a class t it is 1 there and 0 elsewhere; label smoothing moves
//! ε of that to all C classes alike; class weights w scale it class by class:
//!
//! ```text
//! q = w·((1 − ε)·onehot(t) + ε/C)
//! ```
//!
//! The gradient needs the same exponentials as the loss. So the forward pass, if it is recorded, writes
//! dx for dy = 1 as it goes, and that is what is saved: backward only has to multiply it by dy, and for
//! the usual dy = 1 hands it over as it is. Under `create_graph` dx is calculated from the saved logits by
//! the formula above, in tensor operations.

use super::classes::{Target, along_classes, check_weight, column, reduced};
use super::reduction::Reduction;
use super::rows::RowsAlong;
use crate::graph::{Grads, Op, grad_enabled};
use crate::kernels::cross_entropy as kernel;
use crate::kernels::element::Float;
use crate::tensor::Tensor;

/// The options of [`Tensor::cross_entropy_with`], as those of `torch.nn.functional.cross_entropy`.
#[derive(Clone)]
pub struct CrossEntropy<T: Float = f32> {
    /// How much each class counts, `[C]`. The mean is then weighted by that, too.
    pub weight: Option<Tensor<T>>,
    /// Rows whose target is this class have no loss, no gradient and no part in the mean. -100 by default.
    pub ignore_index: i64,
    /// How much of the target is spread over all classes alike, from 0 to 1.
    pub label_smoothing: f64,
    /// What becomes of the losses of the rows.
    pub reduction: Reduction,
}

impl<T: Float> Default for CrossEntropy<T> {
    fn default() -> Self {
        CrossEntropy { weight: None, ignore_index: -100, label_smoothing: 0.0, reduction: Reduction::Mean }
    }
}

impl<T: Float> CrossEntropy<T> {
    /// [`Tensor::cross_entropy_with`] these options, as other losses are written.
    ///
    /// # Panics
    /// As [`Tensor::cross_entropy_with`].
    #[track_caller]
    pub fn forward<'a>(&self, logits: &Tensor<T>, targets: impl Into<Targets<'a, T>>) -> Tensor<T> {
        logits.cross_entropy_with(targets, self)
    }
}

/// What logits are compared with; a reference to either kind of tensor turns into it.
#[derive(Clone, Copy)]
pub enum Targets<'a, T: Float = f32> {
    /// The index of the right class: the logits' shape without the axis of classes.
    Classes(&'a Tensor<i64>),
    /// The probability of each class: the logits' shape.
    Probabilities(&'a Tensor<T>),
}

impl<'a, T: Float> From<&'a Tensor<i64>> for Targets<'a, T> {
    fn from(classes: &'a Tensor<i64>) -> Self {
        Targets::Classes(classes)
    }
}

impl<'a, T: Float> From<&'a Tensor<T>> for Targets<'a, T> {
    fn from(probabilities: &'a Tensor<T>) -> Self {
        Targets::Probabilities(probabilities)
    }
}

impl<T: Float> Tensor<T> {
    /// The mean cross-entropy of these logits with `targets`: how surprised softmax(logits) is by them, in
    /// nats. As `torch.nn.functional.cross_entropy`.
    ///
    /// The logits are `[N, C]` for a batch of N over C classes, or `[C]`, or `[N, C, d₁, …]`. Targets are
    /// either `Tensor<i64>` of classes, `[N]`, or none for `[C]`, or `[N, d₁, …]`; or probabilities in the
    /// logits' own shape.
    ///
    /// ```
    /// use autograd::Tensor;
    /// let logits = Tensor::zeros([2, 4]).requires_grad();
    /// let loss = logits.cross_entropy(&Tensor::of([3_i64, 0]));
    /// assert!((loss.item() - 4.0_f32.ln()).abs() < 1e-6); // a uniform guess
    /// ```
    ///
    /// # Panics
    /// If the shapes do not fit or a target is not one of the classes.
    #[track_caller]
    pub fn cross_entropy<'a>(&self, targets: impl Into<Targets<'a, T>>) -> Tensor<T> {
        self.cross_entropy_with(targets, &CrossEntropy::default())
    }

    /// [`cross_entropy`](Tensor::cross_entropy) with class weights, label smoothing and the like.
    ///
    /// ```
    /// use autograd::{CrossEntropy, Reduction, Tensor};
    /// let logits = Tensor::zeros([3, 2]);
    /// let options = CrossEntropy { reduction: Reduction::None, ignore_index: 0, ..Default::default() };
    /// let losses = logits.cross_entropy_with(&Tensor::of([1_i64, 0, 1]), &options);
    /// assert_eq!(losses.value_at([1]), 0.0);
    /// ```
    ///
    /// # Panics
    /// If the shapes do not fit, a target is neither one of the classes nor `ignore_index`,
    /// `label_smoothing` is not from 0 to 1, or the class weights require a gradient (there is none).
    #[track_caller]
    pub fn cross_entropy_with<'a>(&self, targets: impl Into<Targets<'a, T>>, options: &CrossEntropy<T>) -> Tensor<T> {
        let targets = targets.into();
        let along = along_classes("cross_entropy", self);
        options.check(self, along.n);
        let (target, divisor) = match targets {
            Targets::Classes(classes) => {
                let target = options.of_classes(classes, along.n);
                let divisor = target.check("cross_entropy", self, along);
                (target, divisor)
            }
            Targets::Probabilities(p) => {
                assert!(
                    p.shape() == self.shape(),
                    "cross_entropy: probabilities of shape {} for logits of shape {}; they must be the same, or the \
                     targets classes (i64) of shape {}",
                    p.shape(),
                    self.shape(),
                    along.kept
                );
                if grad_enabled() && p.has_history() {
                    return self.cross_entropy_composed(p, options, along);
                }
                (options.of_probabilities(&along.pack(p)), T::from_f64(along.kept.count() as f64))
            }
        };
        let mean = options.reduction == Reduction::Mean;
        let scale = if mean { T::ONE / divisor } else { T::ONE };

        let rows = along.pack(self);
        let recording = grad_enabled() && self.has_history();
        let mut gradient = recording.then(|| Tensor::build(*rows.shape(), |_| {}));
        let losses = Tensor::build(along.kept, |losses| {
            let gradient = gradient.as_mut().map_or(&mut [][..], |gradient| gradient.slice_mut());
            kernel::forward(rows.slice(), along.n, target.view(), scale, losses, gradient);
        });
        let loss = reduced(losses, options.reduction, divisor);
        loss.recorded([self], || Applied {
            logits: self.clone(),
            target,
            scale,
            gradient: gradient.expect("calculated, because it is recorded"),
            along,
        })
    }

    /// By the definition, in tensor operations: for probabilities that have a gradient themselves.
    #[track_caller]
    fn cross_entropy_composed(&self, p: &Tensor<T>, options: &CrossEntropy<T>, along: RowsAlong) -> Tensor<T> {
        let (keep, spread) = options.smoothing(along.n);
        let mut q = along.split(p) * keep + spread;
        if let Some(weight) = &options.weight {
            q = q * weight;
        }
        let losses = -(along.split(self).log_softmax(-1) * q).sum(-1);
        let losses = losses.reshape(along.kept);
        match options.reduction {
            Reduction::Mean => losses.sum(..) / T::from_f64(along.kept.count() as f64),
            other => other.apply(&losses),
        }
    }
}

impl<T: Float> CrossEntropy<T> {
    #[track_caller]
    fn check(&self, logits: &Tensor<T>, classes: usize) {
        assert!(
            (0.0..=1.0).contains(&self.label_smoothing),
            "cross_entropy: label_smoothing {} is not from 0 to 1",
            self.label_smoothing
        );
        check_weight("cross_entropy", self.weight.as_ref(), logits, classes);
    }

    /// (1 − ε, ε/C)
    fn smoothing(&self, classes: usize) -> (T, T) {
        (T::from_f64(1.0 - self.label_smoothing), T::from_f64(self.label_smoothing / classes as f64))
    }

    fn of_classes(&self, classes: &Tensor<i64>, count: usize) -> Target<T> {
        let (confidence, spread) = self.smoothing(count);
        let weight = self.weight.as_ref().map(Tensor::packed);
        let rest = (self.label_smoothing > 0.0).then(|| match &weight {
            Some(weight) => weight * spread,
            None => Tensor::full_of(count, spread),
        });
        Target { classes: Some(classes.packed()), ignore_index: self.ignore_index, confidence, weight, rest }
    }

    fn of_probabilities(&self, rows: &Tensor<T>) -> Target<T> {
        let (keep, spread) = self.smoothing(rows.shape()[1]);
        let mut q = rows.clone();
        if self.label_smoothing > 0.0 {
            q = q * keep + spread;
        }
        if let Some(weight) = &self.weight {
            q = q * weight.detach();
        }
        Target { classes: None, ignore_index: self.ignore_index, confidence: keep, weight: None, rest: Some(q) }
    }
}

/// A cross-entropy that was calculated.
#[derive(Clone)]
struct Applied<T: Float> {
    /// For `create_graph`.
    logits: Tensor<T>,
    target: Target<T>,
    /// 1, or for a mean, one over what the sum is divided by.
    scale: T,
    /// scale·d loss / d logits, in rows.
    gradient: Tensor<T>,
    along: RowsAlong,
}

impl<T: Float> Op<T> for Applied<T> {
    const NAME: &'static str = "cross_entropy";

    fn backward(self, dy: Tensor<T>, grads: &mut Grads<'_, T>) {
        let Applied { logits, target, scale, gradient, along } = self;
        let column = || column(&dy);
        if grads.create_graph() {
            grads.set(0, || {
                let x = along.split(&logits);
                let q = Tensor::build(*x.shape(), |q| target.view().write(along.n, q));
                let dx = (x.softmax(-1) * q.sum_keepdim(-1) - q) * (column() * scale);
                along.join(&dx)
            });
        } else if dy.rank() == 0 && dy.item() == T::ONE {
            grads.set(0, || along.join(&gradient));
        } else {
            grads.set(0, || along.join(&(gradient * column())));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gradcheck::gradcheck_to_order;
    use crate::rng::Rng;

    fn weighted(weight: Option<Tensor<f64>>, label_smoothing: f64, reduction: Reduction) -> CrossEntropy<f64> {
        CrossEntropy { weight, label_smoothing, reduction, ..Default::default() }
    }

    #[test]
    fn gradients() {
        let mut rng = Rng::seeded(3);
        let weight = Tensor::of([1.0, 2.0, 0.5]);
        let cases: [(&[usize], Tensor<i64>); 3] = [
            (&[3], Tensor::of(2_i64)),
            (&[4, 3], Tensor::of([2_i64, 0, -100, 1])),
            (&[2, 3, 2, 2], Tensor::of([[[0_i64, 2], [1, 1]], [[2, -100], [0, 0]]])),
        ];
        for (shape, classes) in &cases {
            let x = Tensor::randn_of::<f64>(*shape, &mut rng);
            let p = Tensor::rand_of::<f64>(*shape, &mut rng);
            for weight in [None, Some(weight.clone())] {
                for smoothing in [0.0, 0.1] {
                    for reduction in [Reduction::None, Reduction::Mean, Reduction::Sum] {
                        let options = weighted(weight.clone(), smoothing, reduction);
                        let of_classes = |x: &[Tensor<f64>]| x[0].cross_entropy_with(classes, &options);
                        gradcheck_to_order(&of_classes, std::slice::from_ref(&x), 3).unwrap();
                        let constant = |x: &[Tensor<f64>]| x[0].cross_entropy_with(&p, &options);
                        gradcheck_to_order(&constant, std::slice::from_ref(&x), 3).unwrap();
                        let of_both = |x: &[Tensor<f64>]| x[0].cross_entropy_with(&x[1], &options);
                        gradcheck_to_order(&of_both, &[x.clone(), p.clone()], 2).unwrap();
                    }
                }
            }
        }
    }

    /// Values from PyTorch 2.15: the loss and its gradient.
    #[test]
    fn agrees_with_pytorch() {
        let x = Tensor::of([[0.5, -1.0, 2.0], [1.5, 0.25, -0.5]]).requires_grad();
        let weight = Tensor::of([1.0, 2.0, 0.5]);
        let (classes, one_ignored) = (Tensor::of([2_i64, 1]), Tensor::of([2_i64, -100]));
        let p = Tensor::of([[0.2, 0.3, 0.5], [0.1, 0.0, 0.9]]);
        let check = |targets: Targets<'_, f64>, options: CrossEntropy<f64>, loss: f64, gradient: [f64; 6]| {
            let y = x.cross_entropy_with(targets, &options);
            assert!((y.item() - loss).abs() < 1e-6, "{} instead of {loss}", y.item());
            let dx = crate::grad(&[&y], &[&x], Default::default()).remove(0).to_vec();
            assert!(dx.iter().zip(gradient).all(|(a, b)| (a - b).abs() < 1e-6), "{dx:?} instead of {gradient:?}");
        };
        let (mean, sum, w) = (Reduction::Mean, Reduction::Sum, Some(weight));
        check(
            (&classes).into(),
            weighted(None, 0.0, mean),
            0.921632,
            [0.087645, 0.019556, -0.107201, 0.351657, -0.399249, 0.047592],
        );
        check(
            (&classes).into(),
            weighted(w.clone(), 0.1, mean),
            1.371194,
            [0.026399, -0.017801, -0.008598, 0.525874, -0.592181, 0.066307],
        );
        check(
            (&one_ignored).into(),
            weighted(w.clone(), 0.1, mean),
            0.773486,
            [0.131996, -0.089006, -0.04299, 0.0, 0.0, 0.0],
        );
        check(
            (&p).into(),
            weighted(w.clone(), 0.0, mean),
            1.723475,
            [-0.007973, -0.279466, 0.287438, 0.143411, 0.055413, -0.198825],
        );
        check(
            (&p).into(),
            weighted(w, 0.1, sum),
            3.538136,
            [-0.027233, -0.565142, 0.592376, 0.30686, 0.056586, -0.363446],
        );
    }

    #[test]
    fn large_batches_agree_with_the_definition() {
        let mut rng = Rng::seeded(4);
        for classes in [2, 16, 27, 300] {
            let x = Tensor::randn_of::<f64>([5000, classes], &mut rng).requires_grad();
            let targets = Tensor::randint(0, classes as i64, 5000, &mut rng);
            let one_hot = Tensor::from_fn([5000, classes], |i| {
                f64::from(targets.value_at([i / classes]) == (i % classes) as i64)
            });
            let expected = -(x.log_softmax(-1) * one_hot).sum(..) / 5000.0;
            let loss = x.cross_entropy(&targets);
            // Sums of some 10⁵ terms, each good to a few ε.
            assert!((loss.item() - expected.item()).abs() < 1e-12 * expected.item());
            let [dx, expected] = [loss, expected].map(|y| crate::grad(&[&y], &[&x], Default::default()).remove(0));
            assert!(dx.iter().zip(expected.iter()).all(|(a, b)| (a - b).abs() < 1e-16), "{classes} classes");
        }
    }

    #[test]
    fn no_rows_and_ignored_rows_as_pytorch() {
        let nothing = Tensor::zeros([0, 3]);
        let none = Tensor::zeros_of::<i64>([0]);
        assert!(nothing.cross_entropy(&none).item().is_nan());
        let sum = CrossEntropy { reduction: Reduction::Sum, ..Default::default() };
        assert_eq!(nothing.cross_entropy_with(&none, &sum).item(), 0.0);

        let x = Tensor::from([[f32::NAN, 1.0], [2.0, 1.0]]).requires_grad();
        let loss = x.cross_entropy(&Tensor::of([-100_i64, -100]));
        assert!(loss.item().is_nan());
        loss.backward();
        assert_eq!(x.grad().unwrap().to_vec(), [0.0; 4]);
    }

    #[test]
    fn backward_hands_over_what_was_saved_or_copies_it() {
        let x = Tensor::from([[0.0_f32, 0.0]]).requires_grad();
        let loss = x.cross_entropy(&Tensor::of([0_i64]));
        let first = crate::grad(&[&loss], &[&x], crate::GradOptions { retain_graph: true, ..Default::default() });
        let twice = crate::grad(&[&(&loss * 2.0)], &[&x], Default::default());
        assert_eq!(first[0].to_vec(), [-0.5, 0.5]);
        assert_eq!(twice[0].to_vec(), [-1.0, 1.0]);
    }

    #[test]
    #[should_panic(expected = "cross_entropy: target 3 at [1] is none of 3 classes, 0 to 2")]
    fn a_target_out_of_range_is_refused() {
        Tensor::zeros([2, 3]).cross_entropy(&Tensor::of([0_i64, 3]));
    }

    #[test]
    #[should_panic(expected = "cross_entropy: target -1 at [0, 1] is none of 3 classes, 0 to 2")]
    fn a_negative_target_is_refused() {
        Tensor::zeros([1, 3, 2]).cross_entropy(&Tensor::of([[0_i64, -1]]));
    }

    #[test]
    #[should_panic(expected = "cross_entropy: classes of shape [3] for scores of shape [2, 3]; [2] would fit")]
    fn targets_of_another_shape_are_refused() {
        Tensor::zeros([2, 3]).cross_entropy(&Tensor::of([0_i64, 1, 2]));
    }
}
