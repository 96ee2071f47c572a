//! The training loop.

use crate::bag::{Bags, bag_mean};
use crate::lists::Lists;
use crate::logistic::logistic;
use crate::softmax::softmax_loss;
use crate::windows::{Ask, Batch, Sampler, stretches};
use anyhow::{Result, ensure};
use autograd::{Rng, Tensor, no_grad};
use common::{ProgressBar, profile, progress};
use nn::optim::{Optimizer, Sgd, SgdOptions};
use nn::{Embedding, impl_module, init};
use rayon::prelude::*;
use std::sync::Arc;
use std::time::Instant;

/// How to train.
#[derive(Clone, Debug)]
pub struct Recipe {
    pub epochs: usize,
    /// The learning rate at the start; it falls to nearly nothing in a straight line.
    pub lr: f64,
    /// Words of text for one step.
    pub batch: usize,
    /// The share of the sentences that are not trained on.
    pub held_out: f64,
    pub seed: u64,
}

/// Two vectors for each word.
pub struct Word2Vec {
    /// What a word is as one that predicts: these are kept.
    pub in_embed: Embedding,
    /// What is to be predicted: words, or nodes of a tree.
    pub out_embed: Embedding,
}
impl_module!(Word2Vec { in_embed, out_embed });

impl Word2Vec {
    /// The start of word2vec and gensim: small random numbers on one side, zeros on the other.
    pub fn new(inputs: usize, outputs: usize, dimension: usize, rng: &mut Rng) -> Word2Vec {
        let small = 1.0 / dimension as f32;
        Word2Vec {
            in_embed: Embedding::from_table(init::uniform([inputs, dimension], -small, small, rng)),
            out_embed: Embedding::from_table(Tensor::zeros([outputs, dimension])),
        }
    }

    /// The loss of a mini-batch, added up over its pairs.
    pub fn loss(&self, ask: &Ask, batch: &Batch) -> Tensor {
        let hidden = bag_mean(&self.in_embed.weight.value(), &batch.bags); // [V, D] -> [H, D]
        let table = self.out_embed.weight.value(); // [V, D]
        match ask {
            Ask::Softmax => softmax_loss(&hidden, &table, &batch.questions),
            Ask::Negatives(_) | Ask::Tree(_) => logistic(&hidden, &table, &batch.questions),
        }
    }

    /// The vector of each word `[V, D]`: its row, or the mean of the rows of its parts.
    pub fn vectors(&self, sampler: &Sampler) -> Tensor {
        let table = self.in_embed.weight.value().detach();
        let Some(parts) = &sampler.parts else { return table };
        let words = sampler.corpus.vocabulary.len();
        let mut bags = Lists::with_capacity(words, 0);
        for word in 0..words as u32 {
            bags.extend(parts.of(word).iter().copied());
            bags.finish();
        }
        no_grad(|| bag_mean(&table, &Arc::new(Bags::new(bags)))) // [V, D]
    }
}

/// What happened on the way.
#[derive(Default)]
pub struct History {
    /// (epochs, mean loss of a pair since the last entry)
    pub losses: Vec<(f64, f64)>,
    /// (epochs, mean loss of a pair in the sentences that are not trained on)
    pub held_out: Vec<(f64, f64)>,
    /// Mean loss of a pair in the last epoch.
    pub loss: f64,
    /// Words of the text, rare ones too, for each second of training.
    pub words_per_second: f64,
}

/// Mini-batches that are made at once, before they are trained on one after the other.
const AHEAD: usize = 32;

// ANCHOR: train
/// Trains `model`. `watch` is called after each epoch.
pub fn train(
    model: &Word2Vec,
    sampler: &Sampler,
    recipe: &Recipe,
    mut watch: impl FnMut(&ProgressBar),
) -> Result<History> {
    let &Recipe { epochs, lr, seed, .. } = recipe;
    let mut sgd = Sgd::new([model.in_embed.weight.clone()], SgdOptions { lr, ..Default::default() });
    sgd.add_group([model.out_embed.weight.clone()], SgdOptions { lr, ..Default::default() });

    let corpus = sampler.corpus;
    let mut rng = Rng::seeded(seed);
    let mut order: Vec<u32> = (0..corpus.sentences.len() as u32).collect();
    rng.shuffle(&mut order);
    let held_out = order.split_off(((1.0 - recipe.held_out) * order.len() as f64).ceil() as usize);
    let words_of = |order: &[u32]| order.iter().map(|&i| corpus.sentences.get(i as usize).len()).sum::<usize>();
    let total = words_of(&order) * epochs;
    let bar = progress(total, "training");
    let mut history = History::default();
    let (mut done, mut batches, mut seconds) = (0, 0, 0.0);
    for epoch in 1..=epochs {
        let start = Instant::now();
        rng.shuffle(&mut order);
        let (mut epoch_loss, mut epoch_pairs) = (0.0, 0);
        for ahead in stretches(&order, corpus, recipe.batch).chunks(AHEAD) {
            // Each mini-batch has random numbers of its own, whichever thread makes it.
            let prepared: Vec<Batch> = (0..ahead.len())
                .into_par_iter()
                .map(|i| sampler.batch(ahead[i], &mut rng.stream(1 + batches + i as u64)))
                .collect();
            batches += ahead.len() as u64;

            let (mut sum, mut pairs) = (0.0, 0);
            for batch in &prepared {
                let _step = profile::step();
                let loss = model.loss(&sampler.ask, batch);
                sgd.zero_grad();
                loss.backward();
                let rate = lr * (1.0 - done as f64 / total as f64).max(1e-4);
                sgd.set_group_lr(0, rate * sampler.input_rate);
                sgd.set_group_lr(1, rate);
                sgd.step();
                sum += f64::from(loss.item());
                pairs += batch.pairs;
                done += batch.words;
            }

            let mean = sum / pairs.max(1) as f64;
            ensure!(mean.is_finite(), "the loss is {mean} after {done} words: try a smaller --lr");
            history.losses.push((done as f64 / total as f64 * epochs as f64, mean));
            (epoch_loss, epoch_pairs) = (epoch_loss + sum, epoch_pairs + pairs);
            let speed = done as f64 / (seconds + start.elapsed().as_secs_f64());
            bar.set_message(format!("loss {mean:.4}  {speed:.0} words/s"));
            bar.set_position(done as u64);
        }
        seconds += start.elapsed().as_secs_f64();
        history.loss = epoch_loss / epoch_pairs.max(1) as f64;
        if !held_out.is_empty() {
            history.held_out.push((epoch as f64, evaluate(model, sampler, &held_out)));
        }
        watch(&bar);
    }
    bar.finish();
    history.words_per_second = corpus.words as f64 * done as f64 / corpus.sentences.items().len() as f64 / seconds;
    Ok(history)
}
// ANCHOR_END: train

/// The mean loss of a pair in these sentences.
pub fn evaluate(model: &Word2Vec, sampler: &Sampler, sentences: &[u32]) -> f64 {
    let (mut sum, mut pairs) = (0.0, 0);
    for (stream, part) in stretches(sentences, sampler.corpus, 10_000).into_iter().enumerate() {
        // The same questions each time.
        let batch = sampler.batch(part, &mut Rng::seeded(0).stream(stream as u64));
        sum += f64::from(no_grad(|| model.loss(&sampler.ask, &batch)).item());
        pairs += batch.pairs;
    }
    sum / pairs.max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bag::BLOCK;
    use crate::corpus::{Corpus, Text};
    use crate::hierarchical::Tree;
    use crate::negative::Negatives;
    use crate::subword::Parts;
    use crate::windows::{Architecture, input_rate};
    use common::books;
    use nn::text::{NegativeTable, Subsampler};

    fn corpus(verses: usize) -> Corpus {
        let verses = books::verses(books::KING_JAMES).unwrap()[..verses].to_vec();
        Corpus::new(&Text::of(&verses), 3).unwrap()
    }

    fn sampler(corpus: &Corpus, architecture: Architecture, ask: Ask, parts: Option<Parts>) -> Sampler<'_> {
        let rows = parts.as_ref().map_or(1.0, |parts| parts.mean_len(&corpus.vocabulary));
        let subsampler = Subsampler::new(corpus.vocabulary.counts(), 1e-2);
        let input_rate = input_rate(architecture, 3, rows);
        Sampler { corpus, subsampler, architecture, ask, parts, window: 3, input_rate }
    }

    /// Every form: skip-gram and CBOW, each objective, with and without subwords.
    fn samplers(corpus: &Corpus) -> Vec<Sampler<'_>> {
        let counts = corpus.vocabulary.counts();
        let negatives = || Ask::Negatives(Negatives { table: NegativeTable::new(counts, 0.75), count: 5 });
        let parts = || Some(Parts::new(&corpus.vocabulary, 20_000));
        vec![
            sampler(corpus, Architecture::SkipGram, negatives(), None),
            sampler(corpus, Architecture::SkipGram, negatives(), parts()),
            sampler(corpus, Architecture::SkipGram, Ask::Softmax, None),
            sampler(corpus, Architecture::Cbow, negatives(), None),
            sampler(corpus, Architecture::Cbow, Ask::Tree(Tree::new(counts)), parts()),
        ]
    }

    fn trained(sampler: &Sampler, epochs: usize) -> (Word2Vec, History) {
        let words = sampler.corpus.vocabulary.len();
        let rows = sampler.parts.as_ref().map_or(words, Parts::table_len);
        let model = Word2Vec::new(rows, words, 20, &mut Rng::seeded(7));
        let recipe = Recipe { epochs, lr: 0.02, batch: 200, held_out: 0.1, seed: 7 };
        let history = train(&model, sampler, &recipe, |_| {}).unwrap();
        (model, history)
    }

    #[test]
    fn a_seed_gives_the_same_bits_at_any_number_of_threads() {
        let corpus = corpus(200);
        for sampler in samplers(&corpus) {
            let tables = [1, 2, 3].map(|threads| {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
                let (model, _) = pool.install(|| trained(&sampler, 1));
                [model.in_embed, model.out_embed].map(|table| table.weight.value().to_vec())
            });
            assert!(tables[0] == tables[1] && tables[0] == tables[2]);
            assert!(tables[0].iter().flatten().all(|x| x.is_finite()));
        }
        // Or nothing was done in parallel.
        let batch = samplers(&corpus)[0].batch(&(0..12).collect::<Vec<_>>(), &mut Rng::seeded(1));
        assert!(batch.bags.len() > 2 * BLOCK);
    }

    #[test]
    fn every_objective_learns_something_about_text_that_it_has_not_seen() {
        let corpus = corpus(600);
        for sampler in samplers(&corpus) {
            let (model, history) = trained(&sampler, 6);
            // With zeros in one table every answer is a coin's, whatever is in the other.
            model.out_embed.weight.update(|table| table.fill(0.0));
            let all: Vec<u32> = (0..corpus.sentences.len() as u32).collect();
            let (before, after) = (evaluate(&model, &sampler, &all), history.held_out[5].1);
            assert!(after < before, "{before} {after}");
        }
    }
}
