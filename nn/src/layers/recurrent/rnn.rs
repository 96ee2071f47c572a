//! The plain recurrent network.

use super::{RecurrentOptions, Stack};
use crate::module::{Module, Walk};
use autograd::RnnNonlinearity;
use autograd::{Rng, Tensor};

/// Layers of a plain recurrent network over sequences, h ← tanh(W_ih·x + b_ih + W_hh·h + b_hh), as `torch.nn.RNN`.
///
/// Shapes are those of an [`Lstm`](super::Lstm), with one state, h. Parameters of layer 0: `weight_ih_l0` `[H, I]`,
/// `weight_hh_l0` `[H, H]`, `bias_ih_l0` and `bias_hh_l0` `[H]`, all uniform in ±1/√H at the start.
pub struct Rnn {
    stack: Stack,
    nonlinearity: RnnNonlinearity,
}

impl Rnn {
    /// One layer in one direction, of `hidden_size` units, with tanh.
    ///
    /// # Panics
    /// If `hidden_size` is 0.
    #[track_caller]
    pub fn new(input_size: usize, hidden_size: usize, rng: &mut Rng) -> Rnn {
        Rnn::with_options(input_size, hidden_size, RecurrentOptions::default(), rng)
    }

    /// Layers of `hidden_size` units.
    ///
    /// # Panics
    /// If there are no layers or no units, or `dropout` is no probability.
    #[track_caller]
    pub fn with_options(input_size: usize, hidden_size: usize, options: RecurrentOptions, rng: &mut Rng) -> Rnn {
        let stack = Stack::new("Rnn", 1, [input_size, hidden_size], options, rng);
        Rnn { stack, nonlinearity: RnnNonlinearity::Tanh }
    }

    /// With relu in the place of tanh.
    pub fn relu(self) -> Rnn {
        Rnn { nonlinearity: RnnNonlinearity::Relu, ..self }
    }

    /// The outputs and the final states, `[L·D, B, H]`, from states of zero.
    ///
    /// # Panics
    /// If `x` has another rank, or another last axis than the input size.
    #[track_caller]
    pub fn forward(&self, x: &Tensor) -> (Tensor, Tensor) {
        self.forward_with(x, None, None)
    }

    /// [`forward`](Rnn::forward) from states of one's own, on sequences of different `lengths`, or both; as
    /// [`Lstm::forward_with`](super::Lstm::forward_with).
    ///
    /// # Panics
    /// As `forward`, and if states or lengths do not fit.
    #[track_caller]
    pub fn forward_with(&self, x: &Tensor, initial: Option<&Tensor>, lengths: Option<&[usize]>) -> (Tensor, Tensor) {
        self.stack.run_one(x, initial, lengths, |x, h, weights, options| x.rnn(h, weights, self.nonlinearity, options))
    }
}

impl Module for Rnn {
    fn visit(&self, walk: &mut Walk<'_>) {
        self.stack.visit(walk);
    }

    fn describe(&self) -> String {
        self.stack.describe()
    }
}
