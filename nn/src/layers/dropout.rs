//! Dropping activations at random.

use crate::module::{Layer, Module, Walk};
use crate::parameter::{LayerRng, Mode};
use autograd::{Dims, Rng, Tensor};

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

/// [`Dropout`] of whole channels: in training each channel of each sample of `[N, C, …]` is dropped with probability
/// `p`, and the others are divided by 1 − p. As `torch.nn.Dropout2d` (Tompson et al. 2015).
///
/// Neighbours in an image know of each other, so that to drop single places takes away little.
#[derive(Debug)]
pub struct Dropout2d {
    /// What drops: it is asked about channels, not elements.
    pub dropout: Dropout,
}

impl Dropout2d {
    /// A layer that drops with probability `p`.
    ///
    /// # Panics
    /// If `p` is not from 0 to 1.
    #[track_caller]
    pub fn new(p: f64, rng: &mut Rng) -> Dropout2d {
        assert!((0.0..=1.0).contains(&p), "Dropout2d: a probability of {p}; it must be from 0 to 1");
        Dropout2d { dropout: Dropout::new(p, rng) }
    }

    /// The layer's output, of the shape of `x`.
    ///
    /// # Panics
    /// If `x` has fewer than two axes.
    #[track_caller]
    pub fn forward(&self, x: &Tensor) -> Tensor {
        assert!(x.rank() >= 2, "Dropout2d: an input of shape {}; expected [N, C, H, W]", x.shape());
        if !self.dropout.mode.is_training() || self.dropout.p == 0.0 {
            return x.clone();
        }
        let channels = x.shape().iter().enumerate().map(|(axis, &size)| if axis < 2 { size } else { 1 });
        x * self.dropout.forward(&Tensor::ones(channels.collect::<Dims>()))
    }
}

impl Module for Dropout2d {
    fn visit(&self, walk: &mut Walk<'_>) {
        self.dropout.visit(walk);
    }

    fn describe(&self) -> String {
        format!("Dropout2d(p={})", self.dropout.p)
    }
}

impl Layer for Dropout2d {
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
    fn channels_are_dropped_as_a_whole() {
        let dropout = Dropout2d::new(0.5, &mut Rng::seeded(4));
        let x = Tensor::ones([20, 10, 3, 3]).requires_grad();
        let y = dropout.forward(&x);
        y.sum(..).backward();
        assert_eq!(x.grad().unwrap().to_vec(), y.to_vec());
        let y = y.to_vec();
        assert!(y.chunks(9).all(|channel| channel == [0.0; 9] || channel == [2.0; 9]));
        let kept = y.chunks(9).filter(|channel| channel[0] != 0.0).count();
        // Five standard deviations of a binomial distribution of 200.
        assert!(kept.abs_diff(100) < 36, "{kept} of 200 channels kept");
        dropout.eval();
        assert_eq!(dropout.forward(&x).to_vec(), x.to_vec());
        let names: Vec<_> = dropout.state().into_iter().map(|(name, _)| name).collect();
        assert!(names.is_empty());
        assert_eq!(dropout.describe(), "Dropout2d(p=0.5)");
    }

    #[test]
    #[should_panic(expected = "Dropout: a probability of -0.1; it must be from 0 to 1")]
    fn an_impossible_probability_is_refused() {
        Dropout::new(-0.1, &mut Rng::seeded(0));
    }
}
