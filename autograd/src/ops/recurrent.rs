//! What recurrent layers share: the order of the steps, padding, and a walk over a sequence in tensor operations.

use crate::kernels::element::Float;
use crate::kernels::lstm::Order;
use crate::tensor::{Dims, Tensor};

/// In which order a recurrent layer takes the steps, and which of them count.
#[derive(Clone, Debug, Default)]
pub struct SequenceOptions {
    /// From the last step to the first.
    pub reverse: bool,
    /// The length of each sequence of the batch, the steps beyond being padding: there the output is zero, and the
    /// state stays as it is, so that the final one is that after the last real step. As PyTorch's packed sequences, but
    /// that what stands in the padding must be finite.
    pub lengths: Option<Vec<usize>>,
}

/// The weights of one recurrent layer in one direction. H is the hidden size, I that of the input, and G the number of
/// gates: 4 for an LSTM, 3 for a GRU, 1 for a plain layer. The gates stand one below the other.
#[derive(Clone)]
pub struct RecurrentWeights<T: Float = f32> {
    /// W_ih `[G·H, I]`
    pub weight_ih: Tensor<T>,
    /// W_hh `[G·H, H]`
    pub weight_hh: Tensor<T>,
    /// b_ih and b_hh, each `[G·H]`.
    pub bias: Option<[Tensor<T>; 2]>,
}

impl<T: Float> RecurrentWeights<T> {
    /// H
    pub(crate) fn hidden(&self) -> usize {
        self.weight_hh.shape()[1]
    }

    /// All of them: W_ih, W_hh, b_ih, b_hh.
    pub(crate) fn tensors(&self) -> impl Iterator<Item = &Tensor<T>> {
        [&self.weight_ih, &self.weight_hh].into_iter().chain(self.bias.iter().flatten())
    }

    /// With `f` of each of them.
    pub(crate) fn map(&self, f: impl Fn(&Tensor<T>) -> Tensor<T>) -> Self {
        let RecurrentWeights { weight_ih, weight_hh, bias } = self;
        let bias = bias.as_ref().map(|bias| bias.each_ref().map(&f));
        RecurrentWeights { weight_ih: f(weight_ih), weight_hh: f(weight_hh), bias }
    }

    pub(crate) fn bias_ih(&self) -> Option<&Tensor<T>> {
        self.bias.as_ref().map(|[bias, _]| bias)
    }

    pub(crate) fn bias_hh(&self) -> Option<&Tensor<T>> {
        self.bias.as_ref().map(|[_, bias]| bias)
    }

    /// Panics unless the weights of `gates` gates, an input `[B, T, I]` and initial states `[B, H]` go together.
    #[track_caller]
    pub(crate) fn check(
        &self,
        name: &str,
        gates: usize,
        x: &Tensor<T>,
        states: &[&Tensor<T>],
        options: &SequenceOptions,
    ) {
        let shapes = || self.tensors().map(|x| x.shape().to_string()).collect::<Vec<_>>().join(", ");
        let fits = x.rank() == 3 && self.weight_hh.rank() == 2 && {
            let (rows, hidden) = (self.weight_hh.shape()[0], self.hidden());
            rows == gates * hidden
                && *self.weight_ih.shape() == [rows, x.shape()[2]]
                && self.bias.iter().flatten().all(|bias| *bias.shape() == [rows])
        };
        assert!(
            fits,
            "{name}: an input of shape {} and weights of shapes {}; they must be [B, T, I], [{gates}·H, I], [{gates}·H, H] \
             and, if there are biases, [{gates}·H] twice",
            x.shape(),
            shapes()
        );
        let (batch, steps) = (x.shape()[0], x.shape()[1]);
        for state in states {
            assert!(
                *state.shape() == [batch, self.hidden()],
                "{name}: an initial state of shape {} for an input of shape {} and a hidden size of {}; it must be {}",
                state.shape(),
                x.shape(),
                self.hidden(),
                Dims::from([batch, self.hidden()])
            );
        }
        let Some(lengths) = &options.lengths else { return };
        assert!(
            lengths.len() == batch && lengths.iter().all(|&length| length <= steps),
            "{name}: lengths {lengths:?} for a batch of {batch} sequences of {steps} steps; there must be one for each, \
             and none longer than that"
        );
    }
}

impl SequenceOptions {
    /// As the kernels have it.
    pub(crate) fn order(&self) -> Order<'_> {
        Order { reverse: self.reverse, lengths: self.lengths.as_deref().unwrap_or(&[]) }
    }

    /// Walks over a sequence: `cell(t, states)` gives the states after step t, the first of which is its output.
    /// Returns the outputs `[B, T, H]` and the final states.
    pub(crate) fn walk<T: Float, const N: usize>(
        &self,
        steps: usize,
        mut states: [Tensor<T>; N],
        cell: impl Fn(usize, &[Tensor<T>; N]) -> [Tensor<T>; N],
    ) -> (Tensor<T>, [Tensor<T>; N]) {
        if steps == 0 {
            let [batch, hidden] = [states[0].shape()[0], states[0].shape()[1]];
            return (Tensor::full_of([batch, 0, hidden], T::ZERO), states);
        }
        let mut outputs = vec![None; steps];
        for step in 0..steps {
            let t = if self.reverse { steps - 1 - step } else { step };
            let next = cell(t, &states);
            outputs[t] = Some(match self.is_real(t) {
                None => next[0].clone(),
                Some(real) => Tensor::where_(&real, &next[0], T::ZERO),
            });
            states = match self.is_real(t) {
                None => next,
                Some(real) => std::array::from_fn(|i| Tensor::where_(&real, &next[i], &states[i])),
            };
        }
        let outputs: Vec<_> = outputs.iter().flatten().collect();
        (Tensor::stack(&outputs, 1), states)
    }

    /// Of which sequences step `t` is not padding: `[B, 1]`; `None` if of all.
    fn is_real(&self, t: usize) -> Option<Tensor<bool>> {
        let lengths = self.lengths.as_ref()?;
        let real: Vec<bool> = lengths.iter().map(|&length| t < length).collect();
        (!real.iter().all(|&real| real)).then(|| Tensor::from_slice(&real, [real.len(), 1]))
    }
}

/// Step `t` of a sequence `[B, T, W]`: `[B, W]`.
pub(crate) fn step<T: Float>(x: &Tensor<T>, t: usize) -> Tensor<T> {
    x.narrow(1, t, 1).squeeze(1)
}

#[cfg(test)]
pub(super) mod testing {
    use super::*;
    use crate::gradcheck::gradcheck_to_order;
    use crate::rng::Rng;

    /// Orders of the steps of 2 sequences of 3 steps.
    pub fn orders() -> Vec<SequenceOptions> {
        let mut orders = Vec::new();
        for reverse in [false, true] {
            for lengths in [None, Some(vec![1, 3]), Some(vec![3, 0])] {
                orders.push(SequenceOptions { reverse, lengths });
            }
        }
        orders
    }

    /// The inputs of a layer: x `[2, 3, 2]`, h and c `[2, 3]`, and the weights of so many gates, H being 3.
    pub fn inputs(gates: usize, bias: bool) -> Vec<Tensor<f64>> {
        let mut rng = Rng::seeded(8);
        let mut random = |shape: &[usize]| Tensor::randn_of::<f64>(shape, &mut rng);
        let rows = gates * 3;
        let mut inputs =
            vec![random(&[2, 3, 2]), random(&[2, 3]), random(&[2, 3]), random(&[rows, 2]), random(&[rows, 3])];
        if bias {
            inputs.extend([random(&[rows]), random(&[rows])]);
        }
        inputs
    }

    /// Weights out of [`inputs`].
    pub fn weights(inputs: &[Tensor<f64>]) -> RecurrentWeights<f64> {
        let bias = inputs.get(5).map(|b_ih| [b_ih.clone(), inputs[6].clone()]);
        RecurrentWeights { weight_ih: inputs[3].clone(), weight_hh: inputs[4].clone(), bias }
    }

    /// Gradients of all outputs together, with respect to all inputs that they depend on, to the second order.
    pub fn check_gradients(
        gates: usize,
        layer: impl Fn(&Tensor<f64>, [&Tensor<f64>; 2], &RecurrentWeights<f64>, &SequenceOptions) -> Vec<Tensor<f64>>,
    ) {
        for options in orders() {
            for bias in [false, true] {
                let f = |inputs: &[Tensor<f64>]| {
                    let outputs = layer(&inputs[0], [&inputs[1], &inputs[2]], &weights(inputs), &options);
                    let flat: Vec<_> = outputs.iter().map(|output| output.flatten(0)).collect();
                    // The second state is no input of layers that have one; here it is, of all of them.
                    Tensor::cat(&[&flat.iter().collect::<Vec<_>>()[..], &[&inputs[2].flatten(0)]].concat(), 0)
                };
                gradcheck_to_order(&f, &inputs(gates, bias), 2).unwrap_or_else(|error| panic!("{options:?}: {error}"));
            }
        }
    }
}
