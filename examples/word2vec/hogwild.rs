//! Racing updates (Niu et al. 2011, "HOGWILD!"), as word2vec.c and gensim train: threads read and write the tables
//! whenever they like, without locks, and now and then one overwrites what another has just written.
//!
//! **This bypasses the graph.** Each window's forward, gradients and update are written out here, one after the other,
//! on tables of relaxed atomics. It is here to be compared with: its results differ from run to run.

use crate::bag::Bags;
use crate::lists::Lists;
use crate::logistic::Questions;
use crate::rows::{Term, combine, dots};
use crate::train::{History, Recipe, Word2Vec};
use crate::windows::{Ask, Batch, Sampler, stretches};
use anyhow::{Result, ensure};
use autograd::kernels::math::Math;
use autograd::kernels::simd::{Loop, vectorised};
use autograd::{Rng, Tensor};
use common::progress;
use rayon::prelude::*;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering::Relaxed};
use std::time::Instant;

/// A table whose numbers threads may change at the same time: the bits of an `f32` each.
struct SharedTable {
    bits: Vec<AtomicU32>,
    width: usize,
}

impl SharedTable {
    /// The same numbers.
    fn new(table: &Tensor) -> SharedTable {
        SharedTable { bits: table.iter().map(|x| AtomicU32::new(x.to_bits())).collect(), width: table.size(1) }
    }

    /// What stands there now.
    fn to_tensor(&self) -> Tensor {
        let values: Vec<f32> = self.bits.iter().map(|bits| f32::from_bits(bits.load(Relaxed))).collect();
        Tensor::from_slice(&values, [values.len() / self.width, self.width])
    }

    fn row(&self, row: u32) -> &[AtomicU32] {
        &self.bits[row as usize * self.width..(row as usize + 1) * self.width]
    }

    /// out += factor·table\[row\]
    #[inline(always)]
    fn add_row_to(&self, row: u32, factor: f32, out: &mut [f32]) {
        for (out, bits) in out.iter_mut().zip(self.row(row)) {
            *out += factor * f32::from_bits(bits.load(Relaxed));
        }
    }

    /// table\[row\] += factor·x. Another thread's change in between is lost.
    #[inline(always)]
    fn add_to_row(&self, row: u32, factor: f32, x: &[f32]) {
        for (x, bits) in x.iter().zip(self.row(row)) {
            bits.store((f32::from_bits(bits.load(Relaxed)) + factor * x).to_bits(), Relaxed);
        }
    }
}

/// [`train`](crate::train::train), but racing; without held-out sentences and the loss on the way. The objective must
/// be one of yes-or-no questions.
pub fn train(model: &Word2Vec, sampler: &Sampler, recipe: &Recipe) -> Result<History> {
    ensure!(!matches!(sampler.ask, Ask::Softmax), "--hogwild takes negative sampling or the hierarchical softmax");
    let parameters = [&model.in_embed.weight, &model.out_embed.weight];
    let tables = parameters.map(|parameter| SharedTable::new(&parameter.value()));
    let corpus = sampler.corpus;
    let mut rng = Rng::seeded(recipe.seed);
    let mut order: Vec<u32> = (0..corpus.sentences.len() as u32).collect();
    let total = corpus.sentences.items().len() * recipe.epochs;
    let bar = progress(total, "racing");
    let start = Instant::now();
    let (done, mut history) = (AtomicUsize::new(0), History::default());
    for epoch in 1..=recipe.epochs as u64 {
        rng.shuffle(&mut order);
        let stretches = stretches(&order, corpus, recipe.batch);
        let losses = (0..stretches.len()).into_par_iter().map(|i| {
            let batch = sampler.batch(stretches[i], &mut rng.stream(epoch << 32 | i as u64));
            let rate = recipe.lr * (1.0 - done.fetch_add(batch.words, Relaxed) as f64 / total as f64).max(1e-4);
            let rates = [rate * sampler.input_rate, rate].map(|rate| rate as f32);
            (race(Race { tables: [&tables[0], &tables[1]], rates, batch: &batch }), batch.pairs)
        });
        let (loss, pairs) = losses.reduce(|| (0.0, 0), |a, b| (a.0 + b.0, a.1 + b.1));
        history.loss = loss / pairs.max(1) as f64;
        history.losses.push((epoch as f64, history.loss));
        let (done, seconds) = (done.load(Relaxed), start.elapsed().as_secs_f64());
        history.words_per_second = (corpus.words * epoch) as f64 / seconds;
        bar.set_message(format!("loss {:.4}  {:.0} words/s", history.loss, history.words_per_second));
        bar.set_position(done as u64);
    }
    bar.finish();
    for (parameter, table) in parameters.into_iter().zip(&tables) {
        parameter.set(&table.to_tensor());
    }
    Ok(history)
}

/// The two tables, and how far a step goes in each.
struct Race<'a> {
    tables: [&'a SharedTable; 2],
    rates: [f32; 2],
    batch: &'a Batch,
}

/// Trains on a mini-batch, window by window. Returns the loss, added up over its pairs.
fn race(of: Race<'_>) -> f64 {
    vectorised(of)
}

impl Loop for Race<'_> {
    type Out = f64;
    #[inline(always)]
    fn run(self) -> f64 {
        let Race { tables: [in_table, out_table], rates, batch } = self;
        let (bags, questions): (&Bags, &Questions) = (&batch.bags, &batch.questions);
        let width = in_table.width;
        let (mut h, mut o, mut g, mut terms, mut sum) =
            (Vec::new(), Vec::new(), Vec::new(), Vec::new(), vec![0.0; width]);
        let mut places: Vec<u32> = Vec::new();
        let mut loss = 0.0;
        for window in 0..questions.inputs().len() {
            let (inputs, outputs) = (questions.inputs().get(window), questions.outputs().get(window));
            gather(in_table, inputs, bags.rows(), &mut h); // [I, D]
            o.clear();
            o.resize(outputs.len() * width, 0.0); // [O, D]
            for (o, &row) in o.chunks_exact_mut(width).zip(outputs) {
                out_table.add_row_to(row, 1.0, o);
            }
            places.clear();
            places.extend(0..outputs.len() as u32);
            g.resize(inputs.len() * outputs.len(), 0.0); // [I, O]
            for (h, g) in h.chunks_exact(width).zip(g.chunks_exact_mut(outputs.len())) {
                dots(h, &places, &o, g);
                for (z, &yes) in g.iter_mut().zip(questions.answers(window)) {
                    loss += f64::from(Math::softplus(if yes { -*z } else { *z }));
                    *z = Math::sigmoid(*z) - if yes { 1.0 } else { 0.0 };
                }
            }
            for (i, &input) in inputs.iter().enumerate() {
                terms.clear();
                for output in 0..outputs.len() {
                    terms.push(Term { factor: g[i * outputs.len() + output], row: output as u32 });
                }
                combine(&terms, &o, &mut sum); // dh
                let rows = bags.rows().get(input as usize);
                for &row in rows {
                    in_table.add_to_row(row, -rates[0] / rows.len() as f32, &sum);
                }
            }
            for (output, &row) in outputs.iter().enumerate() {
                terms.clear();
                for i in 0..inputs.len() {
                    terms.push(Term { factor: g[i * outputs.len() + output], row: i as u32 });
                }
                combine(&terms, &h, &mut sum); // do
                out_table.add_to_row(row, -rates[1], &sum);
            }
        }
        loss
    }
}

/// The hidden vectors of a window: the mean of each bag.
#[inline(always)]
fn gather(table: &SharedTable, inputs: &[u32], bags: &Lists, h: &mut Vec<f32>) {
    h.clear();
    h.resize(inputs.len() * table.width, 0.0);
    for (h, &input) in h.chunks_exact_mut(table.width).zip(inputs) {
        let rows = bags.get(input as usize);
        for &row in rows {
            table.add_row_to(row, 1.0 / rows.len() as f32, h);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bag::bag_mean;
    use crate::logistic::logistic;
    use autograd::{GradOptions, grad};
    use std::sync::Arc;

    /// Of a single window, a race has one runner, and does what a step of the graph does.
    #[test]
    fn a_race_over_one_window_is_a_step() {
        let mut rng = Rng::seeded(3);
        let tables = [7, 9].map(|rows| Tensor::randn([rows, 20], &mut rng).requires_grad());
        let bags = Arc::new(Bags::new(Lists::from([&[0, 4, 5][..], &[2]])));
        let questions =
            Questions::new(Lists::from([&[1, 0][..]]), Lists::from([&[8, 0, 3][..]]), vec![true, false, false], 2);
        let batch = Batch { bags: bags.clone(), questions: Arc::new(questions), pairs: 2, words: 4 };

        let shared = [&tables[0], &tables[1]].map(SharedTable::new);
        let loss = race(Race { tables: [&shared[0], &shared[1]], rates: [0.5, 0.25], batch: &batch });

        let expected = logistic(&bag_mean(&tables[0], &bags), &tables[1], &batch.questions);
        // Sums of at most 20 products of numbers below 5, and steps of at most six such rows.
        assert!((loss - f64::from(expected.item())).abs() < 1e-4, "{loss} {expected}");
        let gradients = grad(&[&expected], &[&tables[0], &tables[1]], GradOptions::default());
        for (i, rate) in [0.5, 0.25].into_iter().enumerate() {
            let stepped = tables[i].detach() - &gradients[i] * rate;
            assert!((stepped - shared[i].to_tensor()).abs().max(..).item() < 1e-4);
            assert!((&tables[i].detach() - shared[i].to_tensor()).abs().max(..).item() > 0.01, "something moved");
        }
    }
}
