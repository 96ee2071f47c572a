//! The full softmax: of all V words, which is the neighbour?
//!
//! ```text
//! p(word | h) = exp(h·o[word]) / Σᵥ exp(h·o[v])
//! loss        = ln Σᵥ exp(h·o[v]) − h·o[word]
//! ```
//!
//! This is the objective that the other two are cheaper stand-ins for. It takes V products for each h, and moves every
//! row of the output table at every step. The sum belongs to h alone, so that an input word which predicts six
//! neighbours needs it only once.

use crate::logistic::Questions;
use autograd::Tensor;

// ANCHOR: loss
/// The loss of all pairs of an input and the word that it should predict: `hidden` `[H, D]`, `table` `[V, D]`.
pub fn softmax_loss(hidden: &Tensor, table: &Tensor, questions: &Questions) -> Tensor {
    let (mut inputs, mut words) = (Vec::new(), Vec::new());
    let mut times = vec![0.0; hidden.size(0)];
    for (asked, about) in questions.inputs().iter().zip(questions.outputs().iter()) {
        for &input in asked {
            inputs.push(i64::from(input));
            words.push(i64::from(about[0]));
            times[input as usize] += 1.0;
        }
    }
    let pairs = inputs.len();
    let [inputs, words] = [inputs, words].map(|rows| Tensor::from_slice(&rows, pairs));
    let times = Tensor::from_slice(&times, times.len()); // [H]

    let logits = hidden.matmul(&table.t()); // [H, D]·[D, V] -> [H, V]
    let totals = logits.logsumexp(-1) * times; // [H]
    let scores = hidden.embedding(&inputs) * table.embedding(&words); // [P, D]
    totals.sum(..) - scores.sum(..)
}
// ANCHOR_END: loss

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lists::Lists;
    use autograd::{Rng, Tensor};

    #[test]
    fn it_is_the_cross_entropy_of_every_pair() {
        let mut rng = Rng::seeded(1);
        let (hidden, table) = (Tensor::randn([3, 4], &mut rng), Tensor::randn([5, 4], &mut rng));
        let (inputs, outputs) = (Lists::from([&[0, 2][..], &[2]]), Lists::from([&[4][..], &[1]]));
        let loss = softmax_loss(&hidden, &table, &Questions::new(inputs, outputs, vec![true; 2], 3)).item();
        let logits = hidden.embedding(&Tensor::of([0_i64, 2, 2])).matmul(&table.t()); // [3, 5]
        let expected = 3.0 * logits.cross_entropy(&Tensor::of([4_i64, 4, 1])).item();
        assert!((loss - expected).abs() <= 100.0 * f32::EPSILON * expected.abs(), "{loss} {expected}");
    }
}
