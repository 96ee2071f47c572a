//! One layer of a plain recurrent network over a sequence (Elman 1990).
//!
//! ```text
//! h ← f(W_ih·x + b_ih + W_hh·h + b_hh)        f = tanh or relu
//! ```
//!
//! Made of tensor operations, whose backward is its backward; the input's share of all steps is one product.

use super::recurrent::{RecurrentWeights, SequenceOptions, step};
use crate::kernels::element::Float;
use crate::tensor::Tensor;

/// What a plain recurrent layer applies to its sums.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RnnNonlinearity {
    /// The hyperbolic tangent.
    #[default]
    Tanh,
    /// The positive part.
    Relu,
}

impl<T: Float> Tensor<T> {
    /// One plain recurrent layer in one direction over sequences `[B, T, I]`, from the state h `[B, H]`. Returns the
    /// hidden state after each step, `[B, T, H]`, and the final one. As one layer of `torch.nn.RNN` with `batch_first`.
    ///
    /// # Panics
    /// If the shapes are others, or the lengths of the sequences are not one for each, at most T.
    #[track_caller]
    pub fn rnn(
        &self,
        initial: &Tensor<T>,
        weights: &RecurrentWeights<T>,
        nonlinearity: RnnNonlinearity,
        options: &SequenceOptions,
    ) -> [Tensor<T>; 2] {
        weights.check("rnn", 1, self, &[initial], options);
        let from_input = self.linear(&weights.weight_ih, weights.bias_ih()); // [B, T, H]
        let (y, [h]) = options.walk(self.shape()[1], [initial.clone()], |t, [h]| {
            let sum = step(&from_input, t) + h.linear(&weights.weight_hh, weights.bias_hh());
            [match nonlinearity {
                RnnNonlinearity::Tanh => sum.tanh(),
                RnnNonlinearity::Relu => sum.relu(),
            }]
        });
        [y, h]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::recurrent::testing::check_gradients;

    #[test]
    fn gradients() {
        for nonlinearity in [RnnNonlinearity::Tanh, RnnNonlinearity::Relu] {
            check_gradients(1, |x, [h, _], weights, options| x.rnn(h, weights, nonlinearity, options).to_vec());
        }
    }
}
