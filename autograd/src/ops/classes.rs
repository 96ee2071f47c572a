//! What losses over classes share: where the classes are, what is right, what is checked.
//!
//! Scores are `[N, C]` for a batch of N over C classes, or `[C]`, or `[N, C, d₁, …]`; a loss has their shape
//! without the axis of classes, as have the classes it is compared with.

use super::reduction::Reduction;
use super::rows::RowsAlong;
use crate::graph::grad_enabled;
use crate::kernels::cross_entropy as kernel;
use crate::kernels::element::Float;
use crate::kernels::reduce::{Sum, fold_all};
use crate::tensor::{Dims, Tensor};

/// The rows of scores, along the classes.
#[track_caller]
pub(crate) fn along_classes<T: Float>(op: &str, scores: &Tensor<T>) -> RowsAlong {
    let rank = scores.rank();
    assert!(rank > 0, "{op}: scores without axes; [C], [N, C] or [N, C, d1, …] is wanted");
    RowsAlong::new(scores.shape(), [usize::from(rank > 1)].into())
}

/// Refuses class weights of the wrong shape, and those that want a gradient, which there is none of.
#[track_caller]
pub(crate) fn check_weight<T: Float>(op: &str, weight: Option<&Tensor<T>>, scores: &Tensor<T>, classes: usize) {
    let Some(weight) = weight else { return };
    assert!(
        *weight.shape() == [classes],
        "{op}: class weights of shape {} for scores of shape {}; [{classes}] would fit",
        weight.shape(),
        scores.shape()
    );
    assert!(
        !(grad_enabled() && weight.has_history()),
        "{op}: there is no gradient with respect to the class weights; detach them"
    );
}

/// The losses, or their sum or mean, without history.
pub(crate) fn reduced<T: Float>(losses: Tensor<T>, reduction: Reduction, divisor: T) -> Tensor<T> {
    let sum = |losses: &Tensor<T>| fold_all(Sum, losses.slice());
    match reduction {
        Reduction::None => losses,
        Reduction::Sum => Tensor::scalar(sum(&losses)),
        Reduction::Mean => Tensor::scalar(sum(&losses) / divisor),
    }
}

/// The gradient of a loss as a factor to each row: `[rows, 1]`, or `[1, 1]` after a mean or a sum.
pub(crate) fn column<T: Float>(dy: &Tensor<T>) -> Tensor<T> {
    dy.reshape([dy.count(), 1])
}

/// The target distributions: [`kernel::Targets`] that owns what it refers to.
#[derive(Clone)]
pub(crate) struct Target<T: Float> {
    pub classes: Option<Tensor<i64>>,
    pub ignore_index: i64,
    pub confidence: T,
    pub weight: Option<Tensor<T>>,
    pub rest: Option<Tensor<T>>,
}

impl<T: Float> Target<T> {
    pub fn view(&self) -> kernel::Targets<'_, T> {
        kernel::Targets {
            classes: self.classes.as_ref().map_or(&[], |classes| classes.slice()),
            ignore_index: self.ignore_index,
            confidence: self.confidence,
            weight: self.weight.as_ref().map(|weight| weight.slice()),
            rest: self.rest.as_ref().map_or(&[], |rest| rest.slice()),
        }
    }

    /// Checks the classes against the scores. Returns what the sum of the losses is divided by for their
    /// mean: the weights of the rows' classes.
    #[track_caller]
    pub fn check(&self, op: &str, scores: &Tensor<T>, along: RowsAlong) -> T {
        let Some(classes) = &self.classes else { return T::from_f64(along.kept.count() as f64) };
        assert!(
            *classes.shape() == along.kept,
            "{op}: classes of shape {} for scores of shape {}; {} would fit",
            classes.shape(),
            scores.shape(),
            along.kept
        );
        let weight = self.weight.as_ref().map(|weight| weight.slice());
        let mut total = 0.0;
        for (position, &class) in classes.slice().iter().enumerate() {
            if class == self.ignore_index {
                continue;
            }
            if class as u64 >= along.n as u64 {
                not_a_class(op, class, position, along);
            }
            total += weight.map_or(1.0, |weight| weight[class as usize].to_f64());
        }
        T::from_f64(total)
    }
}

#[cold]
#[track_caller]
fn not_a_class(op: &str, class: i64, position: usize, along: RowsAlong) -> ! {
    let (shape, strides) = (along.kept, along.kept.row_major_strides());
    let index: Dims = (0..shape.len()).map(|axis| position / strides[axis] % shape[axis]).collect();
    match along.n {
        0 => panic!("{op}: target {class} at {index}, of no classes"),
        n => panic!("{op}: target {class} at {index} is none of {n} classes, 0 to {}", n - 1),
    }
}
