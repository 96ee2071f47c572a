//! What belongs together nearer to each other than to what does not.
//!
//! ```text
//! loss = max(0, d(a, p) − d(a, n) + margin)        d(x, y) = ‖x − y + ε‖ₚ
//! ```

use autograd::{Float, Reduction, Tensor};

/// max(0, d(anchor, positive) − d(anchor, negative) + margin), as `torch.nn.TripletMarginLoss`.
#[derive(Clone, Copy, Debug)]
pub struct TripletMarginLoss {
    /// How much nearer the positive must be; 1 by default.
    pub margin: f64,
    /// Which norm measures distances; 2 by default.
    pub p: f64,
    /// Added to each difference, so that the norm has a slope everywhere; 10⁻⁶ by default.
    pub eps: f64,
    /// Take the distance of the negative from the positive instead, where that is smaller (Balntas et al. 2016).
    pub swap: bool,
    /// What becomes of the losses of the triplets.
    pub reduction: Reduction,
}

impl Default for TripletMarginLoss {
    fn default() -> Self {
        TripletMarginLoss { margin: 1.0, p: 2.0, eps: 1e-6, swap: false, reduction: Reduction::Mean }
    }
}

impl TripletMarginLoss {
    /// The loss of three tensors of one shape, `[N, D]` or `[D]`: one for each vector.
    ///
    /// # Panics
    /// If the shapes differ, or have no axes.
    #[track_caller]
    pub fn forward<T: Float>(&self, anchor: &Tensor<T>, positive: &Tensor<T>, negative: &Tensor<T>) -> Tensor<T> {
        let TripletMarginLoss { margin, p, eps, swap, reduction } = *self;
        let shape = anchor.shape();
        assert!(
            !shape.is_empty() && positive.shape() == shape && negative.shape() == shape,
            "triplet_margin_loss: an anchor, a positive and a negative of shapes {shape}, {} and {}; they must be the \
             same, [N, D] or [D]",
            positive.shape(),
            negative.shape()
        );
        let distance = |x: &Tensor<T>, y: &Tensor<T>| (x - y + T::from_f64(eps)).norm(p, -1); // [N]
        let near = distance(anchor, positive);
        let mut far = distance(anchor, negative);
        if swap {
            far = far.minimum(&distance(positive, negative));
        }
        reduction.apply(&(near - far + T::from_f64(margin)).clamp_min(T::ZERO))
    }
}

/// The mean of [`TripletMarginLoss`] with its defaults, as `torch.nn.functional.triplet_margin_loss`.
///
/// # Panics
/// If the shapes differ, or have no axes.
#[track_caller]
pub fn triplet_margin_loss<T: Float>(anchor: &Tensor<T>, positive: &Tensor<T>, negative: &Tensor<T>) -> Tensor<T> {
    TripletMarginLoss::default().forward(anchor, positive, negative)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::losses::testing::check;

    #[test]
    fn gradients() {
        for (p, swap) in [(2.0, false), (2.0, true), (1.5, false), (3.0, true)] {
            let loss = TripletMarginLoss { margin: 2.0, p, swap, ..Default::default() };
            // First derivatives: near equal coordinates the differences are no measure of higher ones.
            check(1, |reduction, a, b| TripletMarginLoss { reduction, ..loss }.forward(a, &(a * b), b));
        }
    }
}
