//! The model: what an LSTM remembers of a string decides.

use crate::Strings;
use crate::letters;
use crate::train::Recipe;
use anyhow::Result;
use autograd::{Rng, Tensor, no_grad};
use nn::layers::RecurrentOptions;
use nn::{Dropout, Embedding, Linear, Lstm, Module, impl_module};
use std::io::BufRead;

/// Embedding, LSTM and two heads.
pub struct Classifier {
    pub embedding: Embedding,
    pub lstm: Lstm,
    pub dropout: Dropout,
    /// Vowel or consonant, from the last hidden state.
    pub head: Linear,
    /// Which character comes next, from any hidden state: only to learn from.
    pub next: Linear,
}
impl_module!(Classifier { embedding, lstm, dropout, head, next });

impl Classifier {
    pub fn new(recipe: &Recipe, rng: &mut Rng) -> Classifier {
        let options = RecurrentOptions { batch_first: true, ..Default::default() };
        Classifier {
            embedding: Embedding::new(letters::COUNT, recipe.embedding, rng),
            lstm: Lstm::with_options(recipe.embedding, recipe.hidden, options, rng),
            dropout: Dropout::new(recipe.dropout, rng),
            head: Linear::new(recipe.hidden, 2, rng),
            next: Linear::new(recipe.hidden, letters::COUNT, rng),
        }
    }

    /// Hidden states after each character of `x` `[B, T]`, from a state of zeros: `[B, T, H]`.
    pub fn hidden(&self, x: &Tensor<i64>) -> Tensor {
        let e = self.dropout.forward(&self.embedding.forward(x)); // [B, T, E]
        let (h, _) = self.lstm.forward(&e); // [B, T, H]
        self.dropout.forward(&h)
    }

    /// Scores of consonant and vowel, from hidden states: `[B, 2]`.
    pub fn logits(&self, hidden: &Tensor) -> Tensor {
        let last = hidden.narrow(1, hidden.size(1) - 1, 1).squeeze(1); // [B, H]
        self.head.forward(&last)
    }

    /// The probability that a vowel follows.
    pub fn probability(&self, context: &[i64]) -> f32 {
        no_grad(|| self.logits(&self.hidden(&letters::as_batch(context))).softmax(1).to_vec()[1])
    }

    /// 1 if a vowel follows `context`, 0 if a consonant does. Call it on a model in evaluation mode.
    pub fn predict(&self, context: &str) -> usize {
        usize::from(self.probability(&letters::encode(&letters::clean(context))) > 0.5)
    }

    /// Which of the strings it is right about, in evaluation mode.
    pub fn judge(&self, strings: &Strings) -> Vec<bool> {
        self.eval();
        let answers = no_grad(|| self.logits(&self.hidden(&strings.tokens)).argmax(1)); // [N]
        self.train();
        answers.iter().zip(strings.labels.iter()).map(|(answer, label)| answer == label).collect()
    }
}

/// Says what follows `text`, or each line of standard input, if it is -.
pub fn predict_lines(model: &Classifier, text: &str) -> Result<()> {
    model.eval();
    let say = |line: &str| {
        let context = letters::encode(&letters::clean(line));
        if context.is_empty() {
            println!("{line:?} has no letters to go by");
            return;
        }
        let answer = ["a consonant (0)", "a vowel (1)"][model.predict(line)];
        println!("{line:?}: {answer}; a vowel with probability {:.2}", model.probability(&context));
    };
    if text == "-" {
        std::io::stdin().lock().lines().try_for_each(|line| line.map(|line| say(&line)))?;
    } else {
        say(text);
    }
    Ok(())
}
