//! Embedding, LSTM, and a layer that says which word comes next.

use crate::batches::Batch;
use autograd::{Rng, Tensor};
use common::flags;
use nn::layers::{LstmState, RecurrentOptions};
use nn::{Dropout, Embedding, Linear, Lstm, impl_module};

/// The sizes of the model
#[derive(clap::Args, Clone, Debug)]
pub struct Sizes {
    /// Numbers that stand for a word (those of --vectors, if given)
    #[arg(long, default_value_t = 64, value_parser = flags::count)]
    pub embedding: usize,

    /// Units of the LSTM
    #[arg(long, default_value_t = 128, value_parser = flags::count)]
    pub hidden: usize,

    /// Share of the embedding and of the LSTM's outputs that is dropped in training
    #[arg(long, default_value_t = 0.3, value_parser = flags::share::<f64>)]
    pub dropout: f64,

    /// Passes over the text to learn the quick set of vectors
    #[arg(long, default_value_t = 1, value_parser = flags::count)]
    pub vector_epochs: usize,
}

// ANCHOR: model
pub struct NextWord {
    pub embedding: Embedding,
    dropout: Dropout,
    lstm: Lstm,
    output: Linear,
}
impl_module!(NextWord { embedding, dropout, lstm, output });

impl NextWord {
    pub fn new(vocabulary: usize, width: usize, sizes: &Sizes, rng: &mut Rng) -> NextWord {
        let options = RecurrentOptions { batch_first: true, ..Default::default() };
        NextWord {
            embedding: Embedding::new(vocabulary, width, rng),
            dropout: Dropout::new(sizes.dropout, rng),
            lstm: Lstm::with_options(width, sizes.hidden, options, rng),
            output: Linear::new(sizes.hidden, vocabulary, rng),
        }
    }

    /// The logits of the word after each word of a batch, `[N, V]`.
    pub fn forward(&self, batch: &Batch) -> Tensor {
        let e = self.dropout.forward(&self.embedding.forward(&batch.x)); // [B, T] -> [B, T, E]
        let (h, _) = self.lstm.forward_with(&e, None, Some(&batch.lengths)); // [B, T, H]
        let [b, t, hidden] = [h.size(0), h.size(1), h.size(2)];
        let h = h.reshape([b * t, hidden]).index_select(0, &batch.rows); // [N, H]: no work for padding
        self.output.forward(&self.dropout.forward(&h)) // [N, V]
    }

    /// The logits after more words of one text `[T]`, `[V]`, and the state to go on from.
    pub fn read(&self, words: &Tensor<i64>, state: Option<&LstmState>) -> (Tensor, LstmState) {
        let e = self.embedding.forward(&words.unsqueeze(0)); // [1, T, E]
        let (h, state) = self.lstm.forward_with(&e, state, None); // [1, T, H]
        let last = h.narrow(1, words.count() - 1, 1).reshape([1, h.size(2)]); // [1, H]
        (self.output.forward(&last).squeeze(0), state) // [V]
    }
}
// ANCHOR_END: model
