//! Subwords (Bojanowski et al. 2017, "Enriching Word Vectors with Subword Information", known as fastText): a word is
//! the mean of a row of its own and one row for each of its character n-grams.
//!
//! ```text
//! where = <where>, <wh, whe, her, ere, re>, <whe, wher, here, ere>, …        n from 3 to 6
//! h     = 1/n · (table[word] + Σ table[V + hash(n-gram) mod buckets])
//! ```
//!
//! Words that look alike share rows, so that rare ones learn from frequent ones, and a word that was never seen has a
//! vector too: the mean of its n-grams.

use crate::lists::Lists;
use autograd::Tensor;
use nn::text::{Vocabulary, subword_ids};

/// How long n-grams are.
const SHORTEST: usize = 3;
const LONGEST: usize = 6;

/// What each word is made of: rows of the input table.
pub struct Parts {
    rows: Lists,
    buckets: u32,
}

impl Parts {
    /// Words, with n-grams that share `buckets` rows.
    pub fn new(vocabulary: &Vocabulary, buckets: u32) -> Parts {
        let words = vocabulary.len();
        let mut rows = Lists::with_capacity(words, 20 * words);
        for (id, word) in (0..).zip(vocabulary.words()) {
            rows.push(id);
            rows.extend(subword_ids(word, SHORTEST, LONGEST, buckets).into_iter().map(|bucket| words as u32 + bucket));
            rows.finish();
        }
        Parts { rows, buckets }
    }

    /// The rows whose mean is the vector of a word.
    #[inline]
    pub fn of(&self, word: u32) -> &[u32] {
        self.rows.get(word as usize)
    }

    /// The rows that the input table has: one for each word and each bucket.
    pub fn table_len(&self) -> usize {
        self.rows.len() + self.buckets as usize
    }

    /// How many rows an occurrence of a word has in the mean.
    pub fn mean_len(&self, vocabulary: &Vocabulary) -> f64 {
        let counts = vocabulary.counts();
        let rows: f64 = self.rows.iter().zip(counts).map(|(rows, &count)| rows.len() as f64 * count as f64).sum();
        rows / counts.iter().sum::<u64>() as f64
    }

    /// The vector of a word that the table `[V + buckets, D]` has no row for; `None` if it is too short for n-grams.
    pub fn unseen(&self, word: &str, table: &Tensor) -> Option<Tensor> {
        let words = self.rows.len() as i64;
        let buckets = subword_ids(word, SHORTEST, LONGEST, self.buckets);
        let rows: Vec<i64> = buckets.into_iter().map(|bucket| words + i64::from(bucket)).collect();
        let count = rows.len();
        (count > 0).then(|| table.embedding(&Tensor::from_slice(&rows, count)).mean(0)) // [D]
    }
}
