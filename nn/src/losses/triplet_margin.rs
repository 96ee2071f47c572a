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
    use autograd::Rng;
    use autograd::gradcheck::gradcheck_to_order;

    /// Three vectors, every two of them at least ½ apart in every coordinate. Where a coordinate of d is 0, ‖d‖ₚ
    /// has no second derivative for p < 2 (for p = 1 the first jumps, beyond that the second is infinite) and no
    /// third one for 2 < p < 4, and near to it differences are no measure of what grows without bound.
    fn vectors(shape: &[usize], swap: bool) -> [Tensor<f64>; 3] {
        let mut rng = Rng::seeded(8);
        let mut around = |centre: f64| {
            // Signs that differ from coordinate to coordinate.
            let sign = Tensor::from_fn(shape, |i| if i % 3 == 1 { -1.0 } else { 1.0 });
            sign * centre + (Tensor::rand_of::<f64>(shape, &mut rng) * 0.5 - 0.25)
        };
        // The negative is farther from the anchor than the positive, or, to be swapped, nearer to the positive.
        [around(0.0), around(1.0), around(if swap { 2.0 } else { -1.5 })]
    }

    #[test]
    fn gradients() {
        for (p, swap) in [(2.0, false), (2.0, true), (1.0, false), (1.5, false), (3.0, true)] {
            for shape in [&[4][..], &[2, 3]] {
                let inputs = vectors(shape, swap);
                for reduction in [Reduction::None, Reduction::Mean, Reduction::Sum] {
                    // A margin that none has reached, and one that all have: there the loss is 0, and so is its slope.
                    for (margin, open) in [(8.0, true), (-8.0, false)] {
                        let loss = TripletMarginLoss { margin, p, swap, reduction, ..Default::default() };
                        let f = |x: &[Tensor<f64>]| loss.forward(&x[0], &x[1], &x[2]);
                        assert_eq!(f(&inputs).iter().all(|loss| loss > 0.0), open);
                        gradcheck_to_order(&f, &inputs, 3).unwrap();
                    }
                }
            }
        }
    }

    /// Where the negative is nearer to the positive than to the anchor, its distance from that counts.
    #[test]
    fn swapping_takes_the_nearer_one() {
        let [anchor, positive, negative] = vectors(&[2, 3], true);
        let loss = TripletMarginLoss { margin: 8.0, reduction: Reduction::None, ..Default::default() };
        let swapped = TripletMarginLoss { swap: true, ..loss }.forward(&anchor, &positive, &negative);
        // d(a, p) − d(p, n): the anchor and the negative change places, and signs.
        let other = loss.forward(&positive, &anchor, &negative);
        for (a, b) in swapped.iter().zip(other.iter()) {
            // Apart from ε, which is on the other side of the first distance.
            assert!((a - b).abs() < 8.0 * loss.eps, "{a} and {b}");
        }
    }
}
