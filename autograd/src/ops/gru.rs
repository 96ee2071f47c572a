//! One layer of gated recurrent units over a sequence (Cho et al. 2014), with PyTorch's place for the reset gate, which
//! acts on the product with the hidden state and its bias rather than on the state.
//!
//! ```text
//! r = sigmoid(W_ir·x + b_ir + W_hr·h + b_hr)        z = sigmoid(W_iz·x + b_iz + W_hz·h + b_hz)
//! n = tanh(W_in·x + b_in + r·(W_hn·h + b_hn))       h ← n + z·(h − n)
//! ```
//!
//! Made of tensor operations, whose backward is its backward; the input's share of all steps is one product.

use super::recurrent::{RecurrentWeights, SequenceOptions, step};
use crate::kernels::element::Float;
use crate::tensor::Tensor;

impl<T: Float> Tensor<T> {
    /// One layer of a GRU in one direction over sequences `[B, T, I]`, from the state h `[B, H]`. Returns the hidden
    /// state after each step, `[B, T, H]`, and the final one. As one layer of `torch.nn.GRU` with `batch_first`; the
    /// weights have three gates, r, z and n.
    ///
    /// # Panics
    /// If the shapes are others, or the lengths of the sequences are not one for each, at most T.
    #[track_caller]
    pub fn gru(&self, initial: &Tensor<T>, weights: &RecurrentWeights<T>, options: &SequenceOptions) -> [Tensor<T>; 2] {
        weights.check("gru", 3, self, &[initial], options);
        let hidden = weights.hidden();
        let from_input = self.linear(&weights.weight_ih, weights.bias_ih()); // [B, T, 3H]
        let (y, [h]) = options.walk(self.shape()[1], [initial.clone()], |t, [h]| {
            let (x, from_state) = (step(&from_input, t), h.linear(&weights.weight_hh, weights.bias_hh())); // [B, 3H]
            let part = |x: &Tensor<T>, index: usize| x.narrow(1, index * hidden, hidden);
            let [r, z] = [0, 1].map(|gate| (part(&x, gate) + part(&from_state, gate)).sigmoid()); // [B, H]
            let n = (part(&x, 2) + r * part(&from_state, 2)).tanh();
            [&n + z * (h - &n)]
        });
        [y, h]
    }
}

#[cfg(test)]
mod tests {
    use crate::ops::recurrent::testing::check_gradients;

    #[test]
    fn gradients() {
        check_gradients(3, |x, [h, _], weights, options| x.gru(h, weights, options).to_vec());
    }
}
