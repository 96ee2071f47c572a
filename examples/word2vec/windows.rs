//! From sentences to mini-batches: which words are kept, which stand beside which, and what is asked about them.

use crate::bag::Bags;
use crate::corpus::Corpus;
use crate::hierarchical::Tree;
use crate::lists::Lists;
use crate::logistic::Questions;
use crate::negative::Negatives;
use crate::subword::Parts;
use autograd::Rng;
use nn::text::Subsampler;
use std::sync::Arc;

/// Which words predict which.
#[derive(Clone, Copy, Debug, PartialEq, clap::ValueEnum)]
pub enum Architecture {
    /// Each word of a context predicts the word in its middle
    SkipGram,
    /// The mean of the words of a context predicts the word in its middle
    Cbow,
}

/// What is asked about the word in the middle.
pub enum Ask {
    /// Which of all words is it?
    Softmax,
    /// Is it this one, and are these?
    Negatives(Negatives),
    /// Where does its way through the tree turn?
    Tree(Tree),
}

/// Makes mini-batches.
pub struct Sampler<'a> {
    pub corpus: &'a Corpus,
    pub subsampler: Subsampler,
    pub architecture: Architecture,
    pub ask: Ask,
    /// Of subwords, if words have any.
    pub parts: Option<Parts>,
    /// The most words on each side of a context.
    pub window: usize,
    /// How much faster the input table learns than the output table.
    pub input_rate: f64,
}

/// What [`Sampler::input_rate`] should be.
///
/// The gradient of a mean of n rows goes to each of them as 1/n of it. word2vec and fastText hand all of it to each
/// row, which is the same as n times the learning rate; n here is the mean over the bags.
pub fn input_rate(architecture: Architecture, window: usize, rows_per_word: f64) -> f64 {
    match architecture {
        Architecture::SkipGram => rows_per_word,
        // A reach of 1, …, window on both sides.
        Architecture::Cbow => rows_per_word * (window + 1) as f64,
    }
}

/// A mini-batch.
pub struct Batch {
    /// What each hidden vector is the mean of.
    pub bags: Arc<Bags>,
    /// What they are asked.
    pub questions: Arc<Questions>,
    /// Pairs of a hidden vector and the word that it should predict.
    pub pairs: usize,
    /// Words of the text, those too that were left out by chance.
    pub words: usize,
}

impl Sampler<'_> {
    // ANCHOR: batch
    /// The mini-batch of these sentences. Everything left to chance comes from `rng`.
    pub fn batch(&self, sentences: &[u32], rng: &mut Rng) -> Batch {
        let mut bags = Lists::with_capacity(1024, 1024);
        let (mut inputs, mut outputs) = (Lists::with_capacity(1024, 6 * 1024), Lists::with_capacity(1024, 6 * 1024));
        let mut answers = Vec::with_capacity(6 * 1024);
        let (mut pairs, mut words) = (0, 0);
        for &sentence in sentences {
            let all = self.corpus.sentences.get(sentence as usize);
            words += all.len();
            let kept = self.subsampler.sample(all, rng);
            let first = bags.len();
            if self.architecture == Architecture::SkipGram {
                // One hidden vector for each word; all windows that it stands in use it.
                for &word in &kept {
                    self.push_parts(word, &mut bags);
                    bags.finish();
                }
            }
            for (middle, &word) in kept.iter().enumerate() {
                // Near words are in more contexts than far ones.
                let reach = 1 + rng.below(self.window as u64) as usize;
                let (from, to) = (middle.saturating_sub(reach), (middle + reach + 1).min(kept.len()));
                if to - from < 2 {
                    continue;
                }
                let context = (from..middle).chain(middle + 1..to);
                match self.architecture {
                    Architecture::SkipGram => inputs.extend(context.map(|at| (first + at) as u32)),
                    Architecture::Cbow => {
                        inputs.push(bags.len() as u32);
                        context.for_each(|at| self.push_parts(kept[at], &mut bags));
                        bags.finish();
                    }
                }
                inputs.finish();
                pairs += inputs.get(inputs.len() - 1).len();
                match &self.ask {
                    Ask::Softmax => {
                        outputs.push(word);
                        outputs.finish();
                        answers.push(true);
                    }
                    Ask::Negatives(negatives) => negatives.ask(word, rng, &mut outputs, &mut answers),
                    Ask::Tree(tree) => tree.ask(word, &mut outputs, &mut answers),
                }
            }
        }
        let questions = Questions::new(inputs, outputs, answers, bags.len());
        Batch { bags: Arc::new(Bags::new(bags)), questions: Arc::new(questions), pairs, words }
    }
    // ANCHOR_END: batch

    /// The rows of the input table that make up a word: its own, and those of its subwords.
    fn push_parts(&self, word: u32, bags: &mut Lists) {
        match &self.parts {
            Some(parts) => bags.extend(parts.of(word).iter().copied()),
            None => bags.push(word),
        }
    }
}

/// Cuts `order`, numbers of sentences, into stretches of about `words` words.
pub fn stretches<'o>(order: &'o [u32], corpus: &Corpus, words: usize) -> Vec<&'o [u32]> {
    let mut all = Vec::new();
    let (mut from, mut count) = (0, 0);
    for (i, &sentence) in order.iter().enumerate() {
        count += corpus.sentences.get(sentence as usize).len();
        if count >= words || i + 1 == order.len() {
            all.push(&order[from..=i]);
            (from, count) = (i + 1, 0);
        }
    }
    all
}
