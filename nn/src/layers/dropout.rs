//! Dropping activations at random.

use crate::module::{Layer, Module, Walk};
use crate::parameter::{LayerRng, Mode};
use autograd::{Rng, Tensor};

/// In training each element is dropped (set to 0) with probability `p`, and the others are divided by 1 − p;
/// in evaluation x stays as it is. As `torch.nn.Dropout` (Srivastava et al. 2014). Any shape.
///
/// It keeps a network from relying on any one neuron: what is left must do.
///
/// ```
/// use autograd::{Rng, Tensor};
/// use nn::{Dropout, Module};
/// let dropout = Dropout::new(0.5, &mut Rng::seeded(0));
/// let x = Tensor::ones([100]);
/// assert!(dropout.forward(&x).iter().all(|y| y == 0.0 || y == 2.0));
/// dropout.eval();
/// assert!(dropout.forward(&x).iter().all(|y| y == 1.0));
/// ```
#[derive(Debug)]
pub struct Dropout {
    /// The probability of dropping an element.
    pub p: f64,
    /// Its own random numbers, saved with a checkpoint.
    pub rng: LayerRng,
    /// Training or evaluating.
    pub mode: Mode,
}

impl Dropout {
    /// A layer that drops with probability `p`.
    ///
    /// # Panics
    /// If `p` is not from 0 to 1.
    #[track_caller]
    pub fn new(p: f64, rng: &mut Rng) -> Dropout {
        assert!((0.0..=1.0).contains(&p), "Dropout: a probability of {p}; it must be from 0 to 1");
        Dropout { p, rng: LayerRng::new(rng), mode: Mode::new() }
    }

    /// The layer's output, of the shape of `x`.
    #[track_caller]
    pub fn forward(&self, x: &Tensor) -> Tensor {
        if !self.mode.is_training() {
            return x.clone();
        }
        // The lock is let go before any work is done: other threads may be waiting, and the work may wait for them.
        let mut rng = self.rng.lock().fork();
        x.dropout(self.p, &mut rng)
    }
}

impl Module for Dropout {
    fn visit(&self, walk: &mut Walk<'_>) {
        let Dropout { p: _, rng, mode } = self;
        walk.child("rng", rng);
        walk.child("mode", mode);
    }

    fn describe(&self) -> String {
        format!("Dropout(p={})", self.p)
    }
}

impl Layer for Dropout {
    #[track_caller]
    fn forward(&self, x: &Tensor) -> Tensor {
        self.forward(x)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pass_draws_anew_and_a_seed_repeats_all_of_them() {
        let passes = || {
            let dropout = Dropout::new(0.5, &mut Rng::seeded(1));
            [(); 3].map(|()| dropout.forward(&Tensor::ones([64])).to_vec())
        };
        let [a, b, c] = passes();
        assert!(a != b && b != c);
        assert_eq!(passes(), [a, b, c]);
    }

    #[test]
    fn the_gradient_is_that_of_the_mask() {
        let dropout = Dropout::new(0.25, &mut Rng::seeded(2));
        let x = Tensor::ones([1000]).requires_grad();
        let y = dropout.forward(&x);
        y.sum(..).backward();
        assert_eq!(x.grad().unwrap().to_vec(), y.to_vec());
    }

    #[test]
    fn without_dropping_it_is_the_identity() {
        let dropout = Dropout::new(0.0, &mut Rng::seeded(3));
        assert_eq!(dropout.forward(&Tensor::from([1.0, 2.0])).to_vec(), [1.0, 2.0]);
        let everything = Dropout::new(1.0, &mut Rng::seeded(3));
        assert_eq!(everything.forward(&Tensor::from([1.0, 2.0])).to_vec(), [0.0, 0.0]);
    }

    #[test]
    #[should_panic(expected = "Dropout: a probability of -0.1; it must be from 0 to 1")]
    fn an_impossible_probability_is_refused() {
        Dropout::new(-0.1, &mut Rng::seeded(0));
    }
}
