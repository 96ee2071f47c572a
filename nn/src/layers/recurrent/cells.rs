//! Cells: one step of a recurrent layer, for loops of one's own.

use super::{Direction, LstmState};
use crate::module::{Module, Walk};
use autograd::{Rng, RnnNonlinearity, SequenceOptions, Tensor};

/// What the cells share.
macro_rules! cell {
    ($cell:ident, $gates:literal, $torch:literal) => {
        impl $cell {
            /// A cell of `hidden_size` units, with biases; everything uniform in ±1/√H.
            pub fn new(input_size: usize, hidden_size: usize, rng: &mut Rng) -> $cell {
                $cell { direction: Direction::new($gates, input_size, hidden_size, true, rng) }
            }

            /// `x` `[B, I]` as a sequence of one step, and a state of zeros.
            #[track_caller]
            fn begin(&self, x: &Tensor) -> (Tensor, Tensor) {
                let [_, inputs] = self.sizes();
                assert!(
                    x.rank() == 2 && x.size(1) == inputs,
                    "{}: an input of shape {}; [B, {inputs}] is wanted",
                    stringify!($cell),
                    x.shape()
                );
                (x.unsqueeze(1), Tensor::zeros([x.size(0), self.sizes()[0]]))
            }

            /// H and I.
            fn sizes(&self) -> [usize; 2] {
                [self.direction.weight_hh.shape()[1], self.direction.weight_ih.shape()[1]]
            }
        }

        impl Module for $cell {
            fn visit(&self, walk: &mut Walk<'_>) {
                self.direction.visit(walk, "");
            }

            fn describe(&self) -> String {
                let [hidden, inputs] = self.sizes();
                format!("{}({inputs}, {hidden})", $torch)
            }
        }
    };
}

/// One step of an [`Lstm`](super::Lstm), as `torch.nn.LSTMCell`: parameters `weight_ih` `[4H, I]`, `weight_hh`
/// `[4H, H]`, `bias_ih` and `bias_hh` `[4H]`.
pub struct LstmCell {
    direction: Direction,
}
cell!(LstmCell, 4, "LSTMCell");

impl LstmCell {
    /// The states, each `[B, H]`, after one step with `x` `[B, I]`, from `state` or from zeros.
    ///
    /// # Panics
    /// If the shapes are others.
    #[track_caller]
    pub fn forward(&self, x: &Tensor, state: Option<&LstmState>) -> LstmState {
        let (x, zeros) = self.begin(x);
        let initial = state.map_or([&zeros, &zeros], |LstmState { hidden, cell }| [hidden, cell]);
        let [_, hidden, cell] = x.lstm(initial, &self.direction.weights(), &SequenceOptions::default());
        LstmState { hidden, cell }
    }
}

/// One step of a [`Gru`](super::Gru), as `torch.nn.GRUCell`: parameters `weight_ih` `[3H, I]`, `weight_hh` `[3H, H]`,
/// `bias_ih` and `bias_hh` `[3H]`.
pub struct GruCell {
    direction: Direction,
}
cell!(GruCell, 3, "GRUCell");

impl GruCell {
    /// The state `[B, H]` after one step with `x` `[B, I]`, from `state` or from zeros.
    ///
    /// # Panics
    /// If the shapes are others.
    #[track_caller]
    pub fn forward(&self, x: &Tensor, state: Option<&Tensor>) -> Tensor {
        let (x, zeros) = self.begin(x);
        let [_, h] = x.gru(state.unwrap_or(&zeros), &self.direction.weights(), &SequenceOptions::default());
        h
    }
}

/// One step of an [`Rnn`](super::Rnn) with tanh, as `torch.nn.RNNCell`: parameters `weight_ih` `[H, I]`, `weight_hh`
/// `[H, H]`, `bias_ih` and `bias_hh` `[H]`.
pub struct RnnCell {
    direction: Direction,
}
cell!(RnnCell, 1, "RNNCell");

impl RnnCell {
    /// The state `[B, H]` after one step with `x` `[B, I]`, from `state` or from zeros.
    ///
    /// # Panics
    /// If the shapes are others.
    #[track_caller]
    pub fn forward(&self, x: &Tensor, state: Option<&Tensor>) -> Tensor {
        let (x, zeros) = self.begin(x);
        let weights = self.direction.weights();
        let [_, h] = x.rnn(state.unwrap_or(&zeros), &weights, RnnNonlinearity::Tanh, &SequenceOptions::default());
        h
    }
}
