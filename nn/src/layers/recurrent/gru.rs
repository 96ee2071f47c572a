//! Gated recurrent units.

use super::{RecurrentOptions, Stack};
use crate::module::{Module, Walk};
use autograd::{Rng, Tensor};

/// Layers of gated recurrent units over sequences, as `torch.nn.GRU`; the formulas are at
/// [`Tensor::gru`](autograd::Tensor::gru).
///
/// Shapes are those of an [`Lstm`](super::Lstm), with one state, h. Parameters of layer 0: `weight_ih_l0` `[3H, I]`,
/// `weight_hh_l0` `[3H, H]`, `bias_ih_l0` and `bias_hh_l0` `[3H]`, the gates in the order r, z, n; all uniform in ±1/√H
/// at the start.
pub struct Gru {
    stack: Stack,
}

impl Gru {
    /// One layer in one direction, of `hidden_size` units.
    ///
    /// # Panics
    /// If `hidden_size` is 0.
    #[track_caller]
    pub fn new(input_size: usize, hidden_size: usize, rng: &mut Rng) -> Gru {
        Gru::with_options(input_size, hidden_size, RecurrentOptions::default(), rng)
    }

    /// Layers of `hidden_size` units.
    ///
    /// # Panics
    /// If there are no layers or no units, or `dropout` is no probability.
    #[track_caller]
    pub fn with_options(input_size: usize, hidden_size: usize, options: RecurrentOptions, rng: &mut Rng) -> Gru {
        Gru { stack: Stack::new("Gru", 3, [input_size, hidden_size], options, rng) }
    }

    /// The outputs and the final states, `[L·D, B, H]`, from states of zero.
    ///
    /// # Panics
    /// If `x` has another rank, or another last axis than the input size.
    #[track_caller]
    pub fn forward(&self, x: &Tensor) -> (Tensor, Tensor) {
        self.forward_with(x, None, None)
    }

    /// [`forward`](Gru::forward) from states of one's own, on sequences of different `lengths`, or both; as
    /// [`Lstm::forward_with`](super::Lstm::forward_with).
    ///
    /// # Panics
    /// As `forward`, and if states or lengths do not fit.
    #[track_caller]
    pub fn forward_with(&self, x: &Tensor, initial: Option<&Tensor>, lengths: Option<&[usize]>) -> (Tensor, Tensor) {
        self.stack.run_one(x, initial, lengths, Tensor::gru)
    }
}

impl Module for Gru {
    fn visit(&self, walk: &mut Walk<'_>) {
        self.stack.visit(walk);
    }

    fn describe(&self) -> String {
        self.stack.describe()
    }
}
