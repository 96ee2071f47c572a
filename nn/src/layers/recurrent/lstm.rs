//! Long short-term memory.

use super::{RecurrentOptions, Stack};
use crate::module::{Module, Walk};
use autograd::{Rng, Tensor};

/// Layers of long short-term memory over sequences, as `torch.nn.LSTM`; the formulas are at
/// [`Tensor::lstm`](autograd::Tensor::lstm).
///
/// Sequences are `[T, B, I]`, `[B, T, I]` if built with `batch_first`, or `[T, I]` without a batch. The outputs are the
/// hidden states of the last layer, `[T, B, D·H]` or laid out as the input.
///
/// Parameters of layer 0: `weight_ih_l0` `[4H, I]`, `weight_hh_l0` `[4H, H]`, `bias_ih_l0` and `bias_hh_l0` `[4H]`, the
/// gates in the order i, f, g, o; all uniform in ±1/√H at the start. Those of the second direction end in `_reverse`.
///
/// ```
/// use autograd::{Rng, Tensor};
/// use nn::{Lstm, layers::RecurrentOptions};
/// let mut rng = Rng::seeded(0);
/// let options = RecurrentOptions { num_layers: 2, batch_first: true, bidirectional: true, ..Default::default() };
/// let lstm = Lstm::with_options(20, 50, options, &mut rng);
/// let x = Tensor::randn([3, 7, 20], &mut rng);
/// let (y, state) = lstm.forward(&x);
/// assert_eq!(*y.shape(), [3, 7, 100]);
/// assert_eq!(*state.hidden.shape(), [4, 3, 50]);
///
/// // Sequences of different lengths, padded at the end with any finite numbers: they change nothing and give zeros.
/// let (y, _) = lstm.forward_with(&x, None, Some(&[7, 2, 5]));
/// assert!(y.narrow(0, 1, 1).narrow(1, 2, 5).iter().all(|y| y == 0.0));
/// ```
pub struct Lstm {
    stack: Stack,
}

/// What an [`Lstm`] remembers after the last step: for each layer and direction (layer by layer, forward before
/// backward) of each sequence, `[L·D, B, H]`, or `[L·D, H]` without a batch.
#[derive(Clone, Debug)]
pub struct LstmState {
    /// h: also the last output.
    pub hidden: Tensor,
    /// c: what the cells hold, and the gates let in and out.
    pub cell: Tensor,
}

impl LstmState {
    /// The same numbers, which gradients do not flow back through: between pieces of a long sequence.
    pub fn detach(&self) -> LstmState {
        LstmState { hidden: self.hidden.detach(), cell: self.cell.detach() }
    }
}

impl Lstm {
    /// One layer in one direction, of `hidden_size` units.
    ///
    /// # Panics
    /// If `hidden_size` is 0.
    #[track_caller]
    pub fn new(input_size: usize, hidden_size: usize, rng: &mut Rng) -> Lstm {
        Lstm::with_options(input_size, hidden_size, RecurrentOptions::default(), rng)
    }

    /// Layers of `hidden_size` units.
    ///
    /// # Panics
    /// If there are no layers or no units, or `dropout` is no probability.
    #[track_caller]
    pub fn with_options(input_size: usize, hidden_size: usize, options: RecurrentOptions, rng: &mut Rng) -> Lstm {
        Lstm { stack: Stack::new("Lstm", 4, [input_size, hidden_size], options, rng) }
    }

    /// The outputs and the final states, from states of zero.
    ///
    /// # Panics
    /// If `x` has another rank, or another last axis than the input size.
    #[track_caller]
    pub fn forward(&self, x: &Tensor) -> (Tensor, LstmState) {
        self.forward_with(x, None, None)
    }

    /// [`forward`](Lstm::forward) from states of one's own, on sequences of different `lengths` (one for each, in
    /// steps), or both. What is beyond a sequence's length is padding: its outputs are zero and its final state is that
    /// after its last real step, as with PyTorch's packed sequences, in any order of lengths.
    ///
    /// # Panics
    /// As `forward`, and if states or lengths do not fit.
    #[track_caller]
    pub fn forward_with(
        &self,
        x: &Tensor,
        initial: Option<&LstmState>,
        lengths: Option<&[usize]>,
    ) -> (Tensor, LstmState) {
        let initial = initial.map(|LstmState { hidden, cell }| [hidden, cell]);
        let (y, [hidden, cell]) = self.stack.run(x, initial, lengths, |x, states, weights, options| {
            let [y, h, c] = x.lstm(states, weights, options);
            (y, [h, c])
        });
        (y, LstmState { hidden, cell })
    }
}

impl Module for Lstm {
    fn visit(&self, walk: &mut Walk<'_>) {
        self.stack.visit(walk);
    }

    fn describe(&self) -> String {
        self.stack.describe()
    }
}
