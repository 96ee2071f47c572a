//! The model: an LSTM between an embedding and the logits of the next character.

use crate::language_model::LanguageModel;
use crate::train::Recipe;
use autograd::{Rng, Tensor, no_grad};
use common::{draw, letters};
use nn::layers::{LstmState, RecurrentOptions};
use nn::{Dropout, Embedding, Linear, Lstm, impl_module};

/// Embedding, LSTM, linear layer.
pub struct CharLstm {
    pub embedding: Embedding,
    pub lstm: Lstm,
    pub dropout: Dropout,
    pub head: Linear,
}
impl_module!(CharLstm { embedding, lstm, dropout, head });

impl CharLstm {
    pub fn new(recipe: &Recipe, rng: &mut Rng) -> CharLstm {
        let options = RecurrentOptions { batch_first: true, ..Default::default() };
        CharLstm {
            embedding: Embedding::new(letters::COUNT, recipe.embedding, rng),
            lstm: Lstm::with_options(recipe.embedding, recipe.hidden, options, rng),
            dropout: Dropout::new(recipe.dropout, rng),
            head: Linear::new(recipe.hidden, letters::COUNT, rng),
        }
    }

    /// Hidden states after each character of `x` `[B, T]`, and where the LSTM stands after the last.
    pub fn hidden(&self, x: &Tensor<i64>, state: Option<&LstmState>) -> (Tensor, LstmState) {
        let e = self.dropout.forward(&self.embedding.forward(x)); // [B, T, E]
        self.lstm.forward_with(&e, state, None) // [B, T, H]
    }

    /// Logits of the character after each, `[B, T, 27]`.
    pub fn forward(&self, x: &Tensor<i64>, state: Option<&LstmState>) -> (Tensor, LstmState) {
        let (h, state) = self.hidden(x, state);
        (self.head.forward(&self.dropout.forward(&h)), state)
    }

    /// Goes on with a text, in evaluation mode. Each character is drawn from softmax(logits / temperature).
    pub fn sample(&self, prompt: &str, length: usize, temperature: f64, rng: &mut Rng) -> String {
        let mut text = prompt.to_string();
        no_grad(|| {
            let mut input = [&[letters::SPACE][..], &letters::encode(prompt)].concat();
            let mut state = None;
            for _ in 0..length {
                let (logits, next) = self.forward(&letters::as_batch(&input), state.as_ref()); // [1, T, 27]
                let last = logits.narrow(1, input.len() - 1, 1).reshape([letters::COUNT]);
                let letter = draw(&(last * (1.0 / temperature as f32)).softmax(0), rng) as i64;
                text.push(letters::decode_one(letter));
                (input, state) = (vec![letter], Some(next));
            }
        });
        text
    }
}

/// Call these in evaluation mode. A text begins as if a space stood before it.
impl LanguageModel for CharLstm {
    fn next_char_log_probs(&self, context: &[i64]) -> Vec<f64> {
        let input = [&[letters::SPACE][..], context].concat();
        no_grad(|| {
            let (logits, _) = self.forward(&letters::as_batch(&input), None); // [1, T, 27]
            let last = logits.narrow(1, input.len() - 1, 1).log_softmax(2);
            last.iter().map(f64::from).collect()
        })
    }

    /// In one pass over the text, piece by piece, so that a long one does not take its length in memory.
    fn each_log_prob(&self, next: &[i64], context: &[i64]) -> Vec<f64> {
        const PIECE: usize = 4096;
        let text = [&[letters::SPACE][..], context, next].concat();
        let mut terms = Vec::with_capacity(text.len());
        no_grad(|| {
            let mut state = None;
            for start in (0..text.len() - 1).step_by(PIECE) {
                let end = (start + PIECE).min(text.len() - 1);
                let (logits, last) = self.forward(&letters::as_batch(&text[start..end]), state.as_ref()); // [1, T, 27]
                let log_probs = logits.log_softmax(2).to_vec();
                let rows = log_probs.chunks(letters::COUNT).zip(&text[start + 1..=end]);
                terms.extend(rows.map(|(row, &token)| f64::from(row[token as usize])));
                state = Some(last);
            }
        });
        terms.split_off(context.len())
    }
}
