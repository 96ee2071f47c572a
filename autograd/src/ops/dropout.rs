//! Dropout: each element is dropped with probability p, and the others are scaled up in return.
//!
//! ```text
//! y  = x·m / (1 − p)       m = 1 with probability 1 − p, else 0
//! dx = dy·m / (1 − p)
//! ```
//!
//! The expectation of y is x, so evaluation needs no scaling ("inverted" dropout). The mask is saved, a byte
//! an element. Backward is forward with the same mask, applied to dy, and so is every further derivative.
//!
//! As in PyTorch the mask is a factor: what is dropped becomes 0·x, which stays NaN for a NaN or an infinity.

use super::binary::{zip, zip_into};
use crate::graph::{Grads, Op, grad_enabled};
use crate::kernels::element::Float;
use crate::kernels::elementwise::Binary;
use crate::kernels::parallel;
use crate::rng::Rng;
use crate::tensor::{Dims, Tensor};
use rand_chacha::rand_core::Rng as _;

/// x, or dy, times the mask and `scale`.
#[derive(Clone, Copy)]
struct Masked<T> {
    scale: T,
}

impl<T: Float> Binary<T, bool> for Masked<T> {
    #[inline(always)]
    fn eval(self, x: T, kept: bool) -> T {
        x * if kept { self.scale } else { T::ZERO }
    }
}

/// A dropout with this mask.
#[derive(Clone)]
struct Dropout<T: Float> {
    mask: Tensor<bool>,
    scale: T,
}

impl<T: Float> Dropout<T> {
    #[track_caller]
    fn apply(self, mut x: Tensor<T>) -> Tensor<T> {
        let masked = Masked { scale: self.scale };
        if grad_enabled() && x.has_history() {
            return zip(masked, *x.shape(), &x, &self.mask).recorded([&x], || self);
        }
        zip_into(masked, &mut x, &self.mask);
        x.unrecorded("dropout")
    }
}

impl<T: Float> Op<T> for Dropout<T> {
    const NAME: &'static str = "dropout";
    fn backward(self, dy: Tensor<T>, grads: &mut Grads<'_, T>) {
        grads.set(0, || self.apply(dy));
    }
}

/// True with probability 1 − `p`, to within 2⁻³³, for each element: one 32-bit word of `rng` each, in order,
/// whatever the number of threads.
fn keep_mask(shape: Dims, p: f64, rng: &mut Rng) -> Tensor<bool> {
    const BLOCK: usize = 256;
    let threshold = (p * 2.0_f64.powi(32)).round() as u64;
    let start = rng.clone();
    rng.skip(shape.count());
    Tensor::build(shape, |mask| {
        parallel::for_each_chunk(mask, |first, mask| {
            let mut rng = start.clone();
            rng.skip(first);
            let mut words = [0; 4 * BLOCK];
            for mask in mask.chunks_mut(BLOCK) {
                let words = &mut words[..4 * mask.len()];
                rng.fill_bytes(words);
                for (kept, word) in mask.iter_mut().zip(words.as_chunks().0) {
                    *kept = u64::from(u32::from_le_bytes(*word)) >= threshold;
                }
            }
        });
    })
}

impl<T: Float> Tensor<T> {
    /// Each element is 0 with probability `p`, and divided by 1 − `p` otherwise, as
    /// `torch.nn.functional.dropout`. Any shape.
    ///
    /// ```
    /// use autograd::{Rng, Tensor};
    /// let y = Tensor::ones([1000]).dropout(0.75, &mut Rng::seeded(0));
    /// assert!(y.iter().all(|y| y == 0.0 || y == 4.0));
    /// ```
    ///
    /// # Panics
    /// If `p` is not from 0 to 1.
    #[track_caller]
    pub fn dropout(&self, p: f64, rng: &mut Rng) -> Tensor<T> {
        assert!((0.0..=1.0).contains(&p), "dropout: a probability of {p}; it must be from 0 to 1");
        if p == 0.0 {
            return self.clone();
        }
        // With p = 1 nothing is left to scale.
        let scale = if p == 1.0 { T::ZERO } else { T::from_f64(1.0 / (1.0 - p)) };
        Dropout { mask: keep_mask(*self.shape(), p, rng), scale }.apply(self.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gradcheck::check_unary;

    #[test]
    fn gradients() {
        // The same mask each time.
        check_unary(|x| (x * x).dropout(0.4, &mut Rng::seeded(3)));
        check_unary(|x| x.dropout(1.0, &mut Rng::seeded(3)) + x);
    }

    #[test]
    fn as_many_are_dropped_as_asked_for() {
        let n = 200_000;
        for p in [0.1, 0.5, 0.9] {
            let y = Tensor::ones([n]).dropout(p, &mut Rng::seeded(5));
            let kept = y.iter().filter(|&y| y != 0.0).count() as f64;
            // Five standard deviations of a binomial distribution.
            let bound = 5.0 * (n as f64 * p * (1.0 - p)).sqrt();
            assert!((kept - n as f64 * (1.0 - p)).abs() < bound, "{kept} of {n} kept with p = {p}");
            assert!(y.iter().all(|y| y == 0.0 || y == (1.0 / (1.0 - p)) as f32));
        }
    }

    #[test]
    fn nothing_and_everything() {
        let x = Tensor::from([1.0, -2.0, f32::NAN]);
        let mut rng = Rng::seeded(6);
        assert_eq!(x.dropout(0.0, &mut rng).to_vec()[..2], [1.0, -2.0]);
        let y = x.dropout(1.0, &mut rng).to_vec();
        assert_eq!(y[..2], [0.0, 0.0]);
        assert!(y[2].is_nan());
        assert_eq!(Tensor::zeros([0]).dropout(0.5, &mut rng).count(), 0);
    }

    /// The mask is made in chunks; it is what one thread would draw in order, and the generator stands behind it.
    #[test]
    fn chunks_draw_what_one_loop_would() {
        let n = 3 * parallel::ELEMENTS + 7;
        let (mut rng, mut plain) = (Rng::seeded(7), Rng::seeded(7));
        rng.uniform();
        plain.uniform();
        let mask = keep_mask(Dims::from([n]), 0.3, &mut rng);
        let threshold = (0.3 * 4_294_967_296.0_f64).round() as u32;
        assert!(mask.iter().all(|kept| kept == (plain.next_u32() >= threshold)));
        assert_eq!(rng.state(), plain.state());
    }

    #[test]
    #[should_panic(expected = "dropout: a probability of 1.5; it must be from 0 to 1")]
    fn an_impossible_probability_is_refused() {
        Tensor::ones([2]).dropout(1.5, &mut Rng::seeded(0));
    }
}
