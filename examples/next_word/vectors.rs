//! A quick set of word vectors: skip-gram with negative sampling, in plain tensor operations. The example word2vec does
//! it in full, and faster; its files are read by `--vectors`.

use crate::corpus::Corpus;
use anyhow::Result;
use autograd::{Rng, Tensor};
use common::progress;
use nn::optim::{Optimizer, SparseAdam, SparseAdamOptions};
use nn::text::{NegativeTable, Subsampler, WordVectors};
use nn::{Embedding, Module};

/// Words on each side that a word is to predict, at the most.
const WINDOW: u64 = 4;
/// Words drawn at random beside each that is there.
const NEGATIVES: usize = 5;
/// Pairs in a step.
const BATCH: usize = 1024;

/// Learns vectors of the words of all sentences that are not held out.
pub fn quick(corpus: &Corpus, width: usize, epochs: usize, seed: u64) -> Result<WordVectors> {
    let mut rng = Rng::seeded(seed);
    let names = &corpus.tokens.names;
    let counts = count(corpus);
    let (subsampler, negatives) = (Subsampler::new(&counts, 1e-3), NegativeTable::new(&counts, 0.75));
    let small = Tensor::randn([names.len(), width], &mut rng) * (1.0 / width as f32);
    let word = Embedding::from_table(small).sparse();
    let context = Embedding::from_table(Tensor::zeros([names.len(), width])).sparse();
    let parameters = vec![word.weight.clone(), context.weight.clone()];
    let mut adam = SparseAdam::new(parameters, SparseAdamOptions { lr: 0.003, ..Default::default() });
    let no_yes: Vec<f32> = (0..=NEGATIVES).map(|i| if i == 0 { 1.0 } else { 0.0 }).collect();
    println!(
        "\nWord vectors from {} sentences that are not held out, where the model sees only {}: what a downstream task has\n\
         little of, and a corpus has much of.",
        corpus.all.len(),
        corpus.train.len()
    );
    for epoch in 1..=epochs {
        let pairs = pairs(corpus, &subsampler, &mut rng);
        let bar = progress(pairs.len().div_ceil(BATCH), &format!("vectors {epoch}/{epochs}"));
        // ANCHOR: skip_gram
        for pairs in pairs.chunks(BATCH) {
            let middle: Vec<i64> = pairs.iter().map(|pair| i64::from(pair[0])).collect();
            let mut asked = Vec::with_capacity(pairs.len() * (1 + NEGATIVES));
            for pair in pairs {
                asked.push(i64::from(pair[1]));
                asked.extend((0..NEGATIVES).map(|_| i64::from(negatives.draw(&mut rng))));
            }
            let b = pairs.len();
            let v = word.forward(&Tensor::from_slice(&middle, [b])).unsqueeze(1); // [B, 1, E]
            let u = context.forward(&Tensor::from_slice(&asked, [b, 1 + NEGATIVES])); // [B, 6, E]
            let logits = (v * u).sum(2); // [B, 6]: was it there?
            let answers = Tensor::from_slice(&no_yes, [1, 1 + NEGATIVES]).expand([b, 1 + NEGATIVES]); // [B, 6]
            // A sum over the pairs: each should move its words by as much, however many others are in the batch.
            let loss = logits.bce_with_logits(&answers) * (b * (1 + NEGATIVES)) as f32;
            adam.zero_grad();
            loss.backward();
            adam.step();
            bar.inc(1);
        }
        // ANCHOR_END: skip_gram
        bar.finish_and_clear();
    }
    word.set_trainable(false);
    let vectors = WordVectors::new(names.clone(), word.weight.value());
    for probe in ["king", "water", "seven", "said"] {
        // A word that is one token, whatever a file calls it ("Ġking").
        let ids = corpus.tokens.tokenizer.encode(probe)?;
        let [id] = ids[..] else { continue };
        if corpus.tokens.unknown != Some(id) {
            let near = vectors.neighbours(&names[id as usize], 5)?;
            let near: Vec<_> = near.iter().map(|(word, _)| *word).collect();
            println!("    near to {probe:>6}: {}", near.join(", "));
        }
    }
    Ok(vectors)
}

/// How often each word occurs in what the vectors learn from.
pub fn count(corpus: &Corpus) -> Vec<u64> {
    let mut counts = vec![0; corpus.tokens.names.len()];
    for &word in corpus.all.iter().flatten() {
        counts[word as usize] += 1;
    }
    counts
}

/// Pairs of a word and one that stands near it, in random order.
fn pairs(corpus: &Corpus, subsampler: &Subsampler, rng: &mut Rng) -> Vec<[u32; 2]> {
    let mut pairs = Vec::new();
    for sentence in &corpus.all {
        let kept = subsampler.sample(sentence, rng);
        for (i, &middle) in kept.iter().enumerate() {
            let reach = 1 + rng.below(WINDOW) as usize;
            let (from, to) = (i.saturating_sub(reach), (i + reach + 1).min(kept.len()));
            pairs.extend((from..to).filter(|&j| j != i).map(|j| [middle, kept[j]]));
        }
    }
    rng.shuffle(&mut pairs);
    pairs
}
