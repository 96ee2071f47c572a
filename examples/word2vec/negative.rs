//! Negative sampling (Mikolov et al. 2013, "Distributed Representations of Words and Phrases"): is this word the
//! neighbour, or was it drawn at random?
//!
//! ```text
//! loss = −ln σ(h·o[word]) − Σ ln σ(−h·o[negative])      for k negatives, drawn with p ∝ count^0.75
//! ```
//!
//! It asks no word to be likelier than all others, only to be told from a few: k + 1 products, not V.

use crate::lists::Lists;
use autograd::Rng;
use nn::text::NegativeTable;

/// Words to be told from the neighbour.
pub struct Negatives {
    pub table: NegativeTable,
    /// How many for each window.
    pub count: usize,
}

impl Negatives {
    // ANCHOR: ask
    /// The questions about `word`: is it the one, and are these?
    pub fn ask(&self, word: u32, rng: &mut Rng, outputs: &mut Lists, answers: &mut Vec<bool>) {
        outputs.push(word);
        answers.push(true);
        for _ in 0..self.count {
            let negative = self.table.draw(rng);
            // Drawn by chance, the neighbour itself is no negative.
            if negative != word {
                outputs.push(negative);
                answers.push(false);
            }
        }
        outputs.finish();
    }
    // ANCHOR_END: ask
}
