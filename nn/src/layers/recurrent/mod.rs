//! Recurrent layers: [`Lstm`], [`Gru`], [`Rnn`], and the cells that take one step.
//!
//! What they share is here: several layers, two directions, dropout between layers, padding. What a single layer does
//! in one direction is an operation of the engine ([`autograd::ops::lstm`], [`gru`](autograd::ops::gru),
//! [`rnn`](autograd::ops::rnn)).
//!
//! Glossary: B batch, T steps, I input size, H hidden size, L layers, D directions (1 or 2).

mod cells;
mod gru;
mod lstm;
mod rnn;

pub use cells::{GruCell, LstmCell, RnnCell};
pub use gru::Gru;
pub use lstm::{Lstm, LstmState};
pub use rnn::Rnn;

use crate::init;
use crate::layers::Dropout;
use crate::module::Walk;
use crate::parameter::Parameter;
use autograd::{Dims, RecurrentWeights, Rng, SequenceOptions, Tensor};

/// How a recurrent layer is built; the defaults are PyTorch's.
#[derive(Clone, Copy, Debug)]
pub struct RecurrentOptions {
    /// Layers, each of which reads the outputs of the one below.
    pub num_layers: usize,
    /// With b_ih and b_hh.
    pub bias: bool,
    /// Sequences are `[B, T, …]`, not `[T, B, …]`.
    pub batch_first: bool,
    /// The probability of dropping an output of a layer on its way to the one above.
    pub dropout: f64,
    /// A second direction, from the last step to the first; outputs stand side by side.
    pub bidirectional: bool,
}

impl Default for RecurrentOptions {
    fn default() -> Self {
        RecurrentOptions { num_layers: 1, bias: true, batch_first: false, dropout: 0.0, bidirectional: false }
    }
}

impl RecurrentOptions {
    /// D
    fn directions(&self) -> usize {
        1 + usize::from(self.bidirectional)
    }
}

/// One layer in one direction.
struct Direction {
    weight_ih: Parameter,
    weight_hh: Parameter,
    bias: Option<[Parameter; 2]>,
}

impl Direction {
    /// With weights uniform in ±1/√H.
    fn new(gates: usize, inputs: usize, hidden: usize, bias: bool, rng: &mut Rng) -> Direction {
        let mut uniform = |shape: &[usize]| Parameter::new(init::default_uniform(shape, hidden, rng));
        let rows = gates * hidden;
        Direction {
            weight_ih: uniform(&[rows, inputs]),
            weight_hh: uniform(&[rows, hidden]),
            bias: bias.then(|| [uniform(&[rows]), uniform(&[rows])]),
        }
    }

    fn weights(&self) -> RecurrentWeights {
        RecurrentWeights {
            weight_ih: self.weight_ih.value(),
            weight_hh: self.weight_hh.value(),
            bias: self.bias.as_ref().map(|bias| bias.each_ref().map(Parameter::value)),
        }
    }

    /// Names as PyTorch's, `weight_ih` and so on, each followed by `suffix`.
    fn visit(&self, walk: &mut Walk<'_>, suffix: &str) {
        walk.child(format_args!("weight_ih{suffix}"), &self.weight_ih);
        walk.child(format_args!("weight_hh{suffix}"), &self.weight_hh);
        if let Some([b_ih, b_hh]) = &self.bias {
            walk.child(format_args!("bias_ih{suffix}"), b_ih);
            walk.child(format_args!("bias_hh{suffix}"), b_hh);
        }
    }
}

/// The layers of a recurrent network, whatever its cell.
struct Stack {
    /// What panics call it: `Lstm`. PyTorch writes it in capitals.
    name: &'static str,
    input_size: usize,
    hidden_size: usize,
    options: RecurrentOptions,
    /// Layer by layer, and in each layer forward, then backward.
    directions: Vec<Direction>,
    dropout: Dropout,
}

impl Stack {
    #[track_caller]
    fn new(
        name: &'static str,
        gates: usize,
        [input_size, hidden_size]: [usize; 2],
        options: RecurrentOptions,
        rng: &mut Rng,
    ) -> Stack {
        assert!(options.num_layers > 0 && hidden_size > 0, "{name}: {options:?} with {hidden_size} hidden units");
        let count = options.directions();
        let mut directions = Vec::new();
        for layer in 0..options.num_layers {
            let inputs = if layer == 0 { input_size } else { count * hidden_size };
            for _ in 0..count {
                directions.push(Direction::new(gates, inputs, hidden_size, options.bias, rng));
            }
        }
        Stack { name, input_size, hidden_size, options, directions, dropout: Dropout::new(options.dropout, rng) }
    }

    fn visit(&self, walk: &mut Walk<'_>) {
        let count = self.options.directions();
        for (index, direction) in self.directions.iter().enumerate() {
            let reverse = if index % count == 1 { "_reverse" } else { "" };
            direction.visit(walk, &format!("_l{}{reverse}", index / count));
        }
        walk.child("dropout", &self.dropout);
    }

    /// As PyTorch prints it.
    fn describe(&self) -> String {
        let RecurrentOptions { num_layers, bias, batch_first, dropout, bidirectional } = self.options;
        let mut text = format!("{}({}, {}", self.name.to_uppercase(), self.input_size, self.hidden_size);
        if num_layers != 1 {
            text += &format!(", num_layers={num_layers}");
        }
        if !bias {
            text += ", bias=False";
        }
        if batch_first {
            text += ", batch_first=True";
        }
        if dropout != 0.0 {
            text += &format!(", dropout={dropout}");
        }
        if bidirectional {
            text += ", bidirectional=True";
        }
        text + ")"
    }

    /// Runs all layers in all directions. `initial` are states of `[L·D, B, H]`, zeros if they are not given; `layer`
    /// runs one layer in one direction on `[B, T, I]` from states `[B, H]`. Returns the outputs, laid out as `x`, and
    /// the final states `[L·D, B, H]`. Without a batch, `x` is `[T, I]` and states are `[L·D, H]`.
    #[track_caller]
    fn run<const N: usize>(
        &self,
        x: &Tensor,
        initial: Option<[&Tensor; N]>,
        lengths: Option<&[usize]>,
        layer: impl Fn(&Tensor, [&Tensor; N], &RecurrentWeights, &SequenceOptions) -> (Tensor, [Tensor; N]),
    ) -> (Tensor, [Tensor; N]) {
        let Stack { name, input_size, hidden_size, options, .. } = self;
        assert!(
            matches!(x.rank(), 2 | 3) && x.size(-1) == *input_size,
            "{name}: an input of shape {} for a layer of input size {input_size}; it must be [{}, {input_size}], or \
             [T, {input_size}] without a batch",
            x.shape(),
            if options.batch_first { "B, T" } else { "T, B" },
        );
        let batched = x.rank() == 3;
        // From here on [B, T, I].
        let mut sequence = match (batched, options.batch_first) {
            (false, _) => x.unsqueeze(0),
            (true, true) => x.clone(),
            (true, false) => x.transpose(0, 1),
        };
        let (batch, count) = (sequence.size(0), self.directions.len());
        let steps = sequence.size(1);
        if let Some(lengths) = lengths {
            assert!(
                lengths.len() == batch && lengths.iter().all(|&length| length <= steps),
                "{name}: lengths {lengths:?} for an input of shape {}, which is {}; there must be one for each sequence, \
                 and none longer than that",
                x.shape(),
                match batched {
                    true => format!(
                        "a batch of {batch} sequences of {steps} steps, as batch_first is {}",
                        options.batch_first
                    ),
                    false => format!("one sequence of {steps} steps"),
                }
            );
        }
        let state_shape = |states: usize| match batched {
            true => Dims::from([states, batch, *hidden_size]),
            false => Dims::from([states, *hidden_size]),
        };
        for state in initial.iter().flatten() {
            assert!(
                *state.shape() == state_shape(count),
                "{name}: an initial state of shape {} where {} is wanted",
                state.shape(),
                state_shape(count)
            );
        }
        let zeros = Tensor::zeros([batch, *hidden_size]);
        let mut finals: [Vec<Tensor>; N] = std::array::from_fn(|_| Vec::with_capacity(count));
        let directions = options.directions();
        for (index, of_layer) in self.directions.chunks(directions).enumerate() {
            if index > 0 && options.dropout > 0.0 {
                sequence = self.dropout.forward(&sequence);
            }
            let mut outputs = Vec::with_capacity(directions);
            for (side, direction) in of_layer.iter().enumerate() {
                let order = SequenceOptions { reverse: side == 1, lengths: lengths.map(<[usize]>::to_vec) };
                let states: [Tensor; N] = std::array::from_fn(|i| match &initial {
                    Some(initial) => initial[i].narrow(0, index * directions + side, 1).reshape(*zeros.shape()),
                    None => zeros.clone(),
                });
                let (output, last) = layer(&sequence, states.each_ref(), &direction.weights(), &order);
                outputs.push(output); // [B, T, H]
                finals.iter_mut().zip(last).for_each(|(finals, last)| finals.push(last));
            }
            sequence = match &outputs[..] {
                [output] => output.clone(),
                both => Tensor::cat(&both.iter().collect::<Vec<_>>(), 2),
            }; // [B, T, D·H]
        }
        let output = match (batched, options.batch_first) {
            (false, _) => sequence.squeeze(0),
            (true, true) => sequence,
            (true, false) => sequence.transpose(0, 1),
        };
        let stacked = finals.map(|finals| match &finals[..] {
            [only] => only.reshape(state_shape(1)),
            all => Tensor::stack(&all.iter().collect::<Vec<_>>(), 0).reshape(state_shape(count)),
        });
        (output, stacked)
    }

    /// [`run`](Stack::run) for layers of one state.
    #[track_caller]
    fn run_one(
        &self,
        x: &Tensor,
        initial: Option<&Tensor>,
        lengths: Option<&[usize]>,
        layer: impl Fn(&Tensor, &Tensor, &RecurrentWeights, &SequenceOptions) -> [Tensor; 2],
    ) -> (Tensor, Tensor) {
        let (y, [h]) = self.run(x, initial.map(|h| [h]), lengths, |x, [h], weights, options| {
            let [y, h] = layer(x, h, weights, options);
            (y, [h])
        });
        (y, h)
    }
}
