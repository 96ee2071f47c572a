//! A margin between the score of the right class and those of all others.
//!
//! ```text
//! loss = (1/C)·Σ max(0, margin − x[t] + x[j])^p · w[t]        over the classes j other than t
//! ```

use super::pointwise::check_target;
use autograd::{Dims, Float, Reduction, Tensor};

/// How far the scores of wrong classes reach above that of the right one, less a margin, as
/// `torch.nn.MultiMarginLoss` (Crammer & Singer 2001).
#[derive(Clone)]
pub struct MultiMarginLoss<T: Float = f32> {
    /// The exponent: 1, or 2.
    pub p: i32,
    /// How much larger the right score must be; 1 by default.
    pub margin: f64,
    /// How much each class counts, `[C]`. The mean is not weighted.
    pub weight: Option<Tensor<T>>,
    /// What becomes of the losses of the rows.
    pub reduction: Reduction,
}

impl<T: Float> Default for MultiMarginLoss<T> {
    fn default() -> Self {
        MultiMarginLoss { p: 1, margin: 1.0, weight: None, reduction: Reduction::Mean }
    }
}

impl<T: Float> MultiMarginLoss<T> {
    /// The loss of scores `[N, C]` with classes `[N]`, or `[C]` with a single one.
    ///
    /// # Panics
    /// If the shapes are others, a target is not one of the classes, or `p` is neither 1 nor 2.
    #[track_caller]
    pub fn forward(&self, scores: &Tensor<T>, classes: &Tensor<i64>) -> Tensor<T> {
        let name = "multi_margin_loss";
        let MultiMarginLoss { p, margin, weight, reduction } = self;
        assert!([1, 2].contains(p), "{name}: p is {p}; it must be 1 or 2");
        let rank = scores.rank();
        assert!([1, 2].contains(&rank), "{name}: scores of shape {}; [C] or [N, C] is wanted", scores.shape());
        check_target(name, scores, classes, Dims::from(&scores.shape()[..rank - 1]));
        let count = scores.size(-1);
        for (row, class) in classes.iter().enumerate() {
            assert!(
                0 <= class && class < count as i64,
                "{name}: target {class} of row {row} is none of {count} classes"
            );
        }
        if let Some(weight) = weight {
            let shape = weight.shape();
            assert!(*shape == [count], "{name}: class weights of shape {shape}; [{count}] would fit");
        }

        let target = classes.reshape([classes.count(), 1]); // [N, 1]
        let x = scores.reshape([classes.count(), count]); // [N, C]
        let excess = (&x - x.gather(1, &target) + T::from_f64(*margin)).clamp_min(T::ZERO);
        let is_target = target.eq(&Tensor::arange_of(0, count as i64, 1)); // [N, C]
        let excess = if *p == 2 { excess.square() } else { excess }.masked_fill(&is_target, T::ZERO);
        let mut losses = excess.sum(-1) * T::from_f64(1.0 / count as f64); // [N]
        if let Some(weight) = weight {
            losses = losses * weight.index_select(0, &target.reshape(classes.count()));
        }
        reduction.apply(&losses.reshape(classes.shape()))
    }
}

/// The mean of [`MultiMarginLoss`] with its defaults, as `torch.nn.functional.multi_margin_loss`.
///
/// # Panics
/// If the shapes are not `[N, C]` and `[N]`, or `[C]` and `[]`, or a target is not one of the classes.
#[track_caller]
pub fn multi_margin_loss<T: Float>(scores: &Tensor<T>, classes: &Tensor<i64>) -> Tensor<T> {
    MultiMarginLoss::default().forward(scores, classes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::losses::testing::check;

    #[test]
    fn gradients() {
        let classes = |x: &Tensor<f64>| if x.rank() == 1 { Tensor::of(2_i64) } else { Tensor::of([0_i64, 2]) };
        for p in [1, 2] {
            check(2, |reduction, x, w| {
                let weight = Some(w.reshape(w.count()).narrow(0, 0, x.size(-1)));
                MultiMarginLoss { p, margin: 0.8, weight, reduction }.forward(x, &classes(x))
            });
        }
    }

    #[test]
    #[should_panic(expected = "multi_margin_loss: target 3 of row 1 is none of 3 classes")]
    fn a_class_too_many_is_refused() {
        multi_margin_loss(&Tensor::zeros([2, 3]), &Tensor::of([0_i64, 3]));
    }
}
