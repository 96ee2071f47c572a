//! Part 2: a layer is several neurons that look at the same input, written as one matrix product.

use crate::neuron::neuron;
use autograd::Tensor;

/// Neurons side by side.
pub struct Layer {
    /// `[out, in]`: a row of weights for each neuron, as in PyTorch
    pub weight: Tensor,
    /// `[out]`
    pub bias: Tensor,
}

impl Layer {
    // ANCHOR: layer
    /// Inputs `[B, in]` to what each neuron says of each, `[B, out]`.
    pub fn forward(&self, x: &Tensor) -> Tensor {
        x.linear(&self.weight, Some(&self.bias)).tanh() // x·Wᵀ + b, [B, in] -> [B, out]
    }
    // ANCHOR_END: layer
}

/// Prints the lesson; returns its four neurons.
pub fn lesson() -> Layer {
    let weights = [[1.0, 0.0], [0.0, 1.0], [1.0, 1.0], [2.0, -1.0]];
    let biases = [0.0, -1.0, 0.5, 1.0];
    let layer = Layer { weight: Tensor::from(weights), bias: Tensor::from(biases) };
    println!(
        "\n2. A layer\n\n\
         Four neurons look at the same input x = [1, -2]. One after the other, with the function of part 1:\n"
    );
    let x = [1.0, -2.0];
    let mut by_hand = Vec::new();
    for (i, (w, b)) in weights.iter().zip(biases).enumerate() {
        let a = neuron(&x, w, b);
        println!("    neuron {}: tanh({:4.1}·x1 + {:4.1}·x2 + {b:4.1}) = {a:7.4}", i + 1, w[0], w[1]);
        by_hand.push(a);
    }
    let at_once = layer.forward(&Tensor::from([x])); // [1, 2] -> [1, 4]
    let apart = at_once.iter().zip(&by_hand).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    let batch = Tensor::from([[1.0, -2.0], [0.0, 0.0], [-1.0, 3.0]]); // [3, 2]
    println!(
        "\nWritten one below the other, their weights are a matrix W [4, 2], and the layer is one product, tanh(x·Wᵀ + b):\n\
         {:.4?} (at most {apart:.0e} apart: another tanh).\n\
         A batch of inputs is a matrix as well, so all neurons answer to all inputs at once, {} -> {}. Nothing but\n\
         this product makes large networks fast.",
        at_once.to_vec(),
        batch.shape(),
        layer.forward(&batch).shape()
    );
    layer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_layer_is_its_neurons() {
        let layer = lesson();
        let x = [0.3, -0.7];
        let y = layer.forward(&Tensor::from([x]));
        for (i, a) in y.iter().enumerate() {
            let w = layer.weight.narrow(0, i, 1).to_vec();
            // Two roundings a product, and a tanh of a few units in the last place.
            assert!((a - neuron(&x, &w, layer.bias.to_vec()[i])).abs() < 1e-6);
        }
    }
}
