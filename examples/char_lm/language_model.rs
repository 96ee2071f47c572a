//! What a language model of characters is, whatever is inside; and how good one is.

use common::letters;
use std::fmt;

// ANCHOR: trait
/// Says how likely each character is after a text.
pub trait LanguageModel {
    /// ln P(c | context) of each of the 27 characters c, in the alphabet's order. A context of no characters is the
    /// beginning of a text.
    fn next_char_log_probs(&self, context: &[i64]) -> Vec<f64>;

    /// ln P(next | context) of several characters together: by the chain rule the sum of that of each, after all that
    /// stands before it. A model that reads the text once, rather than once for each character, has its own.
    fn log_prob_sequence(&self, next: &[i64], context: &[i64]) -> f64 {
        self.each_log_prob(next, context).iter().sum()
    }

    /// The terms of [`log_prob_sequence`](LanguageModel::log_prob_sequence).
    fn each_log_prob(&self, next: &[i64], context: &[i64]) -> Vec<f64> {
        let text = [context, next].concat();
        let term = |i: usize| self.next_char_log_probs(&text[..i])[text[i] as usize];
        (context.len()..text.len()).map(term).collect()
    }
}
// ANCHOR_END: trait

/// Each character is as likely as any other, always: what a model must be better than.
pub struct Uniform;

impl LanguageModel for Uniform {
    fn next_char_log_probs(&self, _: &[i64]) -> Vec<f64> {
        vec![-(letters::COUNT as f64).ln(); letters::COUNT]
    }
}

/// e to the mean of −ln P of a text's characters: among how many equally likely ones the model has to guess.
#[derive(Clone, Copy, Debug)]
pub struct Perplexity {
    /// Mean of −ln P.
    loss: f64,
    /// Standard error of that mean, as if characters were independent.
    error: f64,
}

impl Perplexity {
    /// Of a model on a text, from its beginning.
    pub fn of(model: &impl LanguageModel, text: &[i64]) -> Perplexity {
        let terms = model.each_log_prob(text, &[]);
        let n = terms.len() as f64;
        let loss = -terms.iter().sum::<f64>() / n;
        let variance = terms.iter().map(|term| (term + loss).powi(2)).sum::<f64>() / (n - 1.0).max(1.0);
        Perplexity { loss, error: (variance / n).sqrt() }
    }

    pub fn value(self) -> f64 {
        self.loss.exp()
    }
}

impl fmt::Display for Perplexity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // d e^x = e^x·dx
        write!(f, "{:.3} ± {:.3}", self.value(), self.value() * self.error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::CharLstm;
    use crate::train::Recipe;
    use autograd::Rng;
    use clap::Parser;

    #[derive(Parser)]
    struct Flags {
        #[command(flatten)]
        recipe: Recipe,
    }

    fn models() -> Vec<Box<dyn LanguageModel>> {
        let Flags { recipe } = Flags::parse_from(["char_lm", "--hidden", "24"]);
        let model = CharLstm::new(&recipe, &mut Rng::seeded(1));
        nn::Module::eval(&model);
        vec![Box::new(Uniform), Box::new(model)]
    }

    #[test]
    fn probabilities_of_the_next_character_add_up_to_one() {
        for model in models() {
            for context in ["", "a", "the quick brown fox"] {
                let log_probs = model.next_char_log_probs(&letters::encode(context));
                assert_eq!(log_probs.len(), letters::COUNT);
                let sum: f64 = log_probs.iter().map(|log_prob| log_prob.exp()).sum();
                // 27 numbers of f32, each good to a few roundings.
                assert!((sum - 1.0).abs() < 27.0 * f64::from(f32::EPSILON), "{sum}");
            }
        }
    }

    #[test]
    fn the_chain_rule_holds() {
        for model in models() {
            for (context, next) in [("", "in the beginning"), ("in the ", "beginning"), ("x", ""), ("", "z")] {
                let (context, next) = (letters::encode(context), letters::encode(next));
                let together = model.log_prob_sequence(&next, &context);
                let text = [&context[..], &next[..]].concat();
                let one_by_one: f64 =
                    (context.len()..text.len()).map(|i| model.next_char_log_probs(&text[..i])[text[i] as usize]).sum();
                // Each term is ln of a number of f32; they are of size 3.3.
                let bound = next.len() as f64 * 8.0 * 3.3 * f64::from(f32::EPSILON);
                assert!((together - one_by_one).abs() <= bound, "{together} and {one_by_one}");
                // P(all) = P(first half)·P(second half | first half)
                let (first, second) = next.split_at(next.len() / 2);
                let halves = model.log_prob_sequence(first, &context)
                    + model.log_prob_sequence(second, &[&context[..], first].concat());
                assert!((together - halves).abs() <= bound, "{together} and {halves}");
            }
        }
    }

    #[test]
    fn the_uniform_model_has_a_perplexity_of_27() {
        let perplexity = Perplexity::of(&Uniform, &letters::encode("any text at all"));
        assert!((perplexity.value() - 27.0).abs() < 1e-9 && perplexity.error < 1e-9);
    }
}
