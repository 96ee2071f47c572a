//! What counting can do: how often each word follows each other word.

use crate::corpus::Corpus;
use crate::train::Score;
use std::collections::HashMap;

/// Counts of words, and of pairs.
pub struct Counts {
    words: Vec<f64>,
    total: f64,
    /// What follows each word, and how often.
    after: Vec<HashMap<u32, f64>>,
    /// The number that is never right.
    unknown: Option<u32>,
}

/// How much of a probability comes from the pair; the rest is how frequent the word is anywhere.
const FROM_PAIRS: f64 = 0.7;

impl Counts {
    /// Counts the sentences that the model learns from.
    pub fn new(corpus: &Corpus) -> Counts {
        // One more of each than was seen: none is impossible.
        let mut words = vec![1.0; corpus.tokens.names.len()];
        let mut after = vec![HashMap::new(); words.len()];
        for sentence in &corpus.train {
            for pair in sentence.windows(2) {
                words[pair[1] as usize] += 1.0;
                *after[pair[0] as usize].entry(pair[1]).or_insert(0.0) += 1.0;
            }
        }
        Counts { total: words.iter().sum(), words, after, unknown: corpus.tokens.unknown }
    }

    /// p(word | the one before), for all words.
    fn probabilities(&self, before: u32) -> Vec<f64> {
        let after = &self.after[before as usize];
        let seen: f64 = after.values().sum();
        let from_pairs = if seen > 0.0 { FROM_PAIRS } else { 0.0 };
        let mut p: Vec<f64> = self.words.iter().map(|count| (1.0 - from_pairs) * count / self.total).collect();
        for (&word, count) in after {
            p[word as usize] += from_pairs * count / seen;
        }
        p
    }

    /// How well that predicts, as [`evaluate`](crate::train::evaluate) judges the model.
    pub fn score(&self, sentences: &[Vec<u32>]) -> Score {
        let mut known: HashMap<u32, (Vec<f64>, Vec<u32>)> = HashMap::new();
        let (mut loss, mut first, mut five, mut count) = (0.0, 0, 0, 0);
        for pair in sentences.iter().flat_map(|sentence| sentence.windows(2)) {
            let (p, best) = known.entry(pair[0]).or_insert_with(|| {
                let p = self.probabilities(pair[0]);
                let mut best: Vec<u32> = (0..p.len() as u32).collect();
                best.sort_by(|&a, &b| p[b as usize].total_cmp(&p[a as usize]));
                best.truncate(5);
                (p, best)
            });
            loss -= p[pair[1] as usize].ln();
            count += 1;
            if Some(pair[1]) != self.unknown {
                first += usize::from(best[0] == pair[1]);
                five += usize::from(best.contains(&pair[1]));
            }
        }
        let share = |right: usize| right as f64 / f64::from(count);
        Score { loss: loss / f64::from(count), accuracy: share(first), top5: share(five) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tokens::Tokens;

    #[test]
    fn probabilities_sum_to_one_and_frequent_pairs_are_likely() {
        let tokens = Tokens::count(["a b c d e", "a b c d e"], 9);
        let train = vec![vec![4, 5, 6], vec![4, 5, 7]];
        let corpus = Corpus { tokens, all: Vec::new(), train, validation: Vec::new(), test: Vec::new() };
        let counts = Counts::new(&corpus);
        for before in 0..9 {
            let p = counts.probabilities(before);
            assert!((p.iter().sum::<f64>() - 1.0).abs() < 1e-12 && p.iter().all(|&p| p > 0.0), "{p:?}");
        }
        // Of thirteen words (nine of them added), one is there twice more.
        assert!((counts.probabilities(4)[5] - (0.7 + 0.3 * 3.0 / 13.0)).abs() < 1e-12);
    }
}
