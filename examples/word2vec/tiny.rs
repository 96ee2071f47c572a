//! Two sentences, eleven words, fourteen pairs.

use anyhow::{Result, ensure};
use autograd::{Rng, Tensor, no_grad};
use common::plot::{Labels, Panel, Series, save};
use common::{Common, flags, profile, progress};
use nn::optim::{AdamW, AdamWOptions, Optimizer};
use nn::{Embedding, Module, impl_module};
use std::collections::HashMap;
use std::path::Path;
use std::time::Instant;

/// The two-sentence corpus, in both objectives
#[derive(clap::Args, Clone, Debug)]
pub struct Tiny {
    /// Passes over the 14 pairs, one step each (with --quick 2)
    #[arg(long, default_value_t = 50, default_value_if("quick", "true", "2"), value_parser = flags::count)]
    epochs: usize,

    /// Numbers in a word's vector
    #[arg(long, default_value_t = 10, value_parser = flags::count)]
    dimension: usize,

    /// Learning rate of AdamW
    #[arg(long, default_value_t = 1e-2, value_parser = flags::positive::<f32>)]
    lr: f32,
}

impl Default for Tiny {
    fn default() -> Tiny {
        Tiny { epochs: 50, dimension: 10, lr: 1e-2 }
    }
}

const CORPUS: &str = "I love to learn deep learning. It is fascinating!";

/// Words of each sentence, and the signs that end them. Case is kept: "It" is not "it".
fn sentences(corpus: &str) -> Vec<Vec<String>> {
    let mut all = vec![Vec::new()];
    for word in corpus.split_whitespace() {
        let bare = word.trim_end_matches(['.', '!', '?']);
        let last = all.last_mut().expect("never empty");
        last.push(bare.to_string());
        if bare.len() < word.len() {
            last.push(word[bare.len()..].to_string());
            all.push(Vec::new());
        }
    }
    all.retain(|sentence| !sentence.is_empty());
    all
}

/// From word to index, in order of first appearance.
pub type Stoi = HashMap<String, usize>;

/// Whether this is a word: signs stand in the vocabulary, but in no pair.
fn is_word(token: &str) -> bool {
    token.chars().any(char::is_alphanumeric)
}

/// (word, neighbour) for each word and the words beside it, in order.
fn pairs(sentences: &[Vec<String>], stoi: &Stoi) -> Vec<(usize, usize)> {
    let mut pairs = Vec::new();
    for sentence in sentences {
        let words: Vec<usize> = sentence.iter().filter(|token| is_word(token)).map(|token| stoi[token]).collect();
        for (i, &word) in words.iter().enumerate() {
            // A window of three: one word on each side.
            let beside = [i.checked_sub(1), Some(i + 1)];
            pairs.extend(beside.into_iter().flatten().filter_map(|j| words.get(j)).map(|&other| (word, other)));
        }
    }
    pairs
}

struct SkipGram {
    /// What a word looks like as the one that predicts.
    in_embed: Embedding,
    /// What a word looks like as the one that is predicted.
    out_embed: Embedding,
}
impl_module!(SkipGram { in_embed, out_embed });

/// What a step makes smaller.
#[derive(Clone, Copy, PartialEq)]
enum Objective {
    /// −log softmax(out · in)[neighbour]: the neighbour should be likelier than the other words.
    Softmax,
    /// What the reference runs: `cross_entropy(in[word], out[neighbour])`, which reads the neighbour's raw
    /// vector as if it were probabilities over the 10 dimensions.
    RawVectors,
}

impl SkipGram {
    fn loss(&self, objective: Objective, word: usize, neighbour: usize) -> Tensor {
        let one = |index: usize| Tensor::of([index as i64]);
        let word = self.in_embed.forward(&one(word)); // [1, D]
        match objective {
            Objective::Softmax => {
                let logits = word.matmul(&self.out_embed.weight.value().t()); // [1, D]·[D, V] -> [1, V]
                logits.cross_entropy(&one(neighbour))
            }
            Objective::RawVectors => {
                let targets = self.out_embed.forward(&one(neighbour)); // [1, D]
                -(targets * word.log_softmax(-1)).sum(..)
            }
        }
    }
}

/// The `k` words whose vectors point most nearly where that of `goal` points (cosine), without `goal`.
///
/// # Errors
/// If `goal` is not in the vocabulary, or there are not `k` other words.
pub fn k_most_similar(goal: &str, embeddings: &Tensor, stoi: &Stoi, k: usize) -> Result<Vec<(String, f32)>> {
    let Some(&index) = stoi.get(goal) else { anyhow::bail!("{goal:?} is not among the {} words", stoi.len()) };
    ensure!(k < stoi.len(), "{k} neighbours among {} other words", stoi.len() - 1);
    let lengths = embeddings.square().sum_keepdim(-1).sqrt(); // [V, 1]
    let unit = embeddings / lengths; // [V, D]
    let cosines = unit.matmul(&unit.narrow(0, index, 1).squeeze(0)).to_vec(); // [V]
    let mut found: Vec<(String, f32)> =
        stoi.iter().filter(|(word, _)| *word != goal).map(|(word, &i)| (word.clone(), cosines[i])).collect();
    found.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    found.truncate(k);
    Ok(found)
}

/// Trains both objectives from the same start, and shows what comes of each.
pub fn run(tiny: &Tiny, common: &Common, out: &Path) -> Result<()> {
    let start = Instant::now();
    let sentences = sentences(CORPUS);
    let mut stoi = Stoi::new();
    for token in sentences.iter().flatten() {
        let next = stoi.len();
        stoi.entry(token.clone()).or_insert(next);
    }
    let pairs = pairs(&sentences, &stoi);
    println!("{CORPUS:?}: {} words in the vocabulary, {} pairs", stoi.len(), pairs.len());
    let epochs = tiny.epochs;

    let mut curves = Vec::new();
    let mut result = (f32::NAN, f32::NAN);
    for (objective, name) in
        [(Objective::RawVectors, "raw vectors as targets"), (Objective::Softmax, "softmax over the vocabulary")]
    {
        let mut rng = Rng::seeded(common.seed);
        let model = SkipGram {
            in_embed: Embedding::new(stoi.len(), tiny.dimension, &mut rng),
            out_embed: Embedding::new(stoi.len(), tiny.dimension, &mut rng),
        };
        let mut adam =
            AdamW::new(model.named_parameters(), AdamWOptions { lr: f64::from(tiny.lr), ..Default::default() });
        let bar = progress(epochs, "training");
        let mut curve = Vec::new();
        for epoch in 1..=epochs {
            let mut total = 0.0;
            for &(word, neighbour) in &pairs {
                let _step = profile::step();
                let loss = model.loss(objective, word, neighbour);
                adam.zero_grad();
                loss.backward();
                adam.step();
                total += loss.item();
            }
            let mean = total / pairs.len() as f32;
            curve.push((epoch as f64, f64::from(mean)));
            bar.set_message(format!("{name}: {mean:.4}"));
            bar.inc(1);
        }
        bar.finish();
        let vectors = no_grad(|| model.in_embed.weight.value().detach());
        println!("\n{name}: loss {:.4}", curve.last().expect("at least one epoch").1);
        for goal in ["learn", "deep"] {
            let near: Vec<String> = k_most_similar(goal, &vectors, &stoi, 3)?
                .into_iter()
                .map(|(word, cosine)| format!("{word} ({cosine:.2})"))
                .collect();
            println!("  nearest to {goal:?}: {}", near.join(", "));
        }
        let last = curve.last().expect("at least one epoch").1 as f32;
        match objective {
            Objective::Softmax => {
                result.0 = last;
                nn::checkpoint::save_module(&model, &out.join("word2vec_tiny.safetensors"))?;
            }
            Objective::RawVectors => result.1 = last,
        }
        curves.push((name, curve));
    }
    println!(
        "\nCross-entropy −Σ p·log q is bounded below only where p are probabilities. A raw vector has negative entries:\n\
         making their log q more negative, and the entries themselves larger, lowers the \"loss\" without end. Softmax\n\
         over the vocabulary asks a question that has an answer: which word stands beside this one?"
    );
    let panels = curves
        .iter()
        .map(|(name, points)| {
            let labels = Labels { title: name, x: "epoch", y: "mean loss of the 14 pairs" };
            Panel::lines(labels, &[Series { label: "", points: points.clone() }])
        })
        .collect();
    save(&out.join("tiny_loss.png"), "Two objectives that look alike", 2, panels)?;
    println!("tiny_loss.png and word2vec_tiny.safetensors are in {}", out.display());
    println!(
        "result loss={:.4} raw_vector_loss={:.4} seconds={:.2}",
        result.0,
        result.1,
        start.elapsed().as_secs_f64()
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_corpus_has_eleven_words_and_fourteen_pairs() {
        let sentences = sentences(CORPUS);
        let mut stoi = Stoi::new();
        for token in sentences.iter().flatten() {
            let next = stoi.len();
            stoi.entry(token.clone()).or_insert(next);
        }
        assert_eq!(stoi.len(), 11);
        let pairs = pairs(&sentences, &stoi);
        assert_eq!(pairs.len(), 14);
        assert_eq!(pairs[..3], [(stoi["I"], stoi["love"]), (stoi["love"], stoi["I"]), (stoi["love"], stoi["to"])]);
    }

    #[test]
    fn an_unknown_word_is_an_error() {
        let stoi = Stoi::from([("a".to_string(), 0), ("b".to_string(), 1)]);
        assert!(k_most_similar("c", &Tensor::ones([2, 3]), &stoi, 1).is_err());
        assert_eq!(k_most_similar("a", &Tensor::ones([2, 3]), &stoi, 1).unwrap()[0].0, "b");
    }
}
