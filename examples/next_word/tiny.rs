//! Five sentences: small enough to print every step.

use crate::write_vectors;
use anyhow::Result;
use autograd::{Rng, Tensor, no_grad};
use common::profile;
use nn::layers::RecurrentOptions;
use nn::optim::{Adam, AdamOptions, Optimizer};
use nn::text::{PAD, PadOptions, Vocabulary, VocabularyOptions, ngram_prefixes, pad_sequences, words};
use nn::{Embedding, Linear, Lstm, Module, impl_module};
use std::collections::HashMap;
use std::path::Path;

const SENTENCES: [&str; 5] = [
    "I love machine learning",
    "I love deep learning",
    "Deep learning is a subfield of machine learning",
    "AI is fascinating",
    "Machine learning is fascinating",
];

// ANCHOR: model
/// Embedding(12, 10), LSTM, and a dense layer whose softmax says which word comes next.
struct Tiny {
    embedding: Embedding,
    lstm: Lstm,
    output: Linear,
}
impl_module!(Tiny { embedding, lstm, output });

impl Tiny {
    /// Padded prefixes `[B, T]` to the logits of the next word `[B, V]`.
    fn forward(&self, x: &Tensor<i64>) -> Tensor {
        let e = self.embedding.forward(x); // [B, T, 10]
        let (_, state) = self.lstm.forward(&e); // [1, B, H]
        self.output.forward(&state.hidden.squeeze(0)) // [B, H] -> [B, V]
    }
}
// ANCHOR_END: model

/// Prefixes of sentences, and the word that follows each.
struct Prefixes {
    /// `[N, T]`, zeros before the words
    x: Tensor<i64>,
    /// `[N]`
    y: Tensor<i64>,
}

// ANCHOR: prefixes
/// Every beginning of a sentence and the word that follows it, zeros before them: as long as the longest.
fn prefixes(sentences: &[Vec<u32>]) -> Prefixes {
    let all: Vec<&[u32]> = sentences.iter().flat_map(|sentence| ngram_prefixes(sentence)).collect();
    let padded = pad_sequences(&all, PadOptions::default()); // [N, T + 1]
    let t = padded.size(1) - 1;
    Prefixes { x: padded.narrow(1, 0, t), y: padded.narrow(1, t, 1).squeeze(1) }
}
// ANCHOR_END: prefixes

/// Trains for so many epochs, prints each step, and returns the share of right words.
pub fn run(epochs: usize, seed: u64, out: &Path) -> Result<f64> {
    println!("1. Five sentences\n");
    let lower = SENTENCES.map(str::to_lowercase);
    let special = vec![PAD.to_string()]; // 0 is no word: it fills up what is too short
    let vocabulary =
        Vocabulary::build(lower.iter().flat_map(|s| words(s)), VocabularyOptions { special, ..Default::default() });
    let sentences: Vec<Vec<u32>> = lower.iter().map(|sentence| vocabulary.encode(words(sentence))).collect();
    let Prefixes { x, y } = prefixes(&sentences);
    println!(
        "In lower case, so that \"Machine\" and \"machine\" are one word. {} words, each with a number, and 0 for padding, so\n\
         V = {}: {}.\n",
        vocabulary.len() - 1,
        vocabulary.len(),
        (0..).zip(vocabulary.words()).skip(1).map(|(id, word)| format!("{id} {word}")).collect::<Vec<_>>().join(", ")
    );
    println!(
        "Every beginning of a sentence is an example, {} in all. A batch is a matrix, so all get the same length, {}; the\n\
         zeros stand before the words, because the prediction is made from the LSTM's state after the last step, and that\n\
         should come right after the last word. The five from the third sentence's first words:\n",
        y.count(),
        x.size(1)
    );
    let first = sentences[..2].iter().map(|sentence| sentence.len() - 1).sum::<usize>();
    for row in first..first + 5 {
        let target = y.value_at([row]) as u32;
        println!("    {:?} -> {target} {}", x.narrow(0, row, 1).to_vec(), vocabulary.word(target));
    }

    let mut rng = Rng::seeded(seed);
    let options = RecurrentOptions { batch_first: true, ..Default::default() };
    let model = Tiny {
        embedding: Embedding::with_padding(vocabulary.len(), 10, 0, &mut rng),
        lstm: Lstm::with_options(10, 50, options, &mut rng),
        output: Linear::new(50, vocabulary.len(), &mut rng),
    };
    println!("\n{}\n", model.summary());
    let mut adam = Adam::new(model.named_parameters(), AdamOptions { lr: 0.01, ..Default::default() });
    for epoch in 1..=epochs {
        profile::unmeasured_step();
        let logits = model.forward(&x); // [18, 7] -> [18, 12]
        let loss = logits.cross_entropy(&y);
        adam.zero_grad();
        loss.backward();
        adam.step();
        if [1, 10, 50, 100, 200].contains(&epoch) {
            let right = nn::metrics::accuracy(&logits, &y) * 100.0;
            println!("    epoch {epoch:3}: loss {:.4}, {right:5.1} % right", loss.item());
        }
    }
    let accuracy = no_grad(|| nn::metrics::accuracy(&model.forward(&x), &y));
    println!(
        "\nNo model can get more than {} of the {} right: some prefixes are followed by one word here and another there.\n\
         There is nothing to hold out of five sentences; this is learning by heart, and shows that the parts fit together.\n",
        possible(&x, &y),
        y.count()
    );
    for prompt in ["deep learning", "machine learning", "I love robots and machine"] {
        continue_from(&model, &vocabulary, prompt, x.size(1));
    }
    write_vectors(&model.embedding, vocabulary.words(), &out.join("tiny_vectors.txt"))?;
    println!(
        "\n{} is the dictionary from words to vectors: a word, and the ten numbers of its row.",
        out.join("tiny_vectors.txt").display()
    );
    Ok(accuracy)
}

/// How many of the labels a model could get right that knew them all: for each prefix, the most frequent one.
fn possible(x: &Tensor<i64>, y: &Tensor<i64>) -> usize {
    let mut counts: HashMap<Vec<i64>, HashMap<i64, usize>> = HashMap::new();
    for (row, label) in x.to_vec().chunks(x.size(1)).zip(y.iter()) {
        *counts.entry(row.to_vec()).or_default().entry(label).or_default() += 1;
    }
    counts.values().map(|labels| labels.values().max().copied().unwrap_or(0)).sum()
}

/// Three words more, each the likeliest.
fn continue_from(model: &Tiny, vocabulary: &Vocabulary, prompt: &str, length: usize) {
    let lower = prompt.to_lowercase();
    let unknown: Vec<&str> = words(&lower).filter(|word| vocabulary.id(word).is_none()).collect();
    let mut ids = vocabulary.encode(words(&lower)); // leaves unknown words out
    let known = ids.len();
    for _ in 0..3 {
        let x = pad_sequences(&[&ids], PadOptions { len: Some(length), ..Default::default() }); // [1, T]
        ids.push(no_grad(|| model.forward(&x).argmax(-1)).item() as u32);
    }
    let note = match &unknown[..] {
        [] => String::new(),
        words => format!("   (left out, since they have no number: {})", words.join(", ")),
    };
    println!("    {prompt} … {}{note}", vocabulary.decode(&ids[known..]).join(" "));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn eighteen_prefixes_of_seven_and_a_label() {
        let lower = SENTENCES.map(str::to_lowercase);
        let special = vec![PAD.to_string()];
        let options = VocabularyOptions { special, ..Default::default() };
        let vocabulary = Vocabulary::build(lower.iter().flat_map(|s| words(s)), options);
        assert_eq!(vocabulary.len(), 12);
        let sentences: Vec<Vec<u32>> = lower.iter().map(|sentence| vocabulary.encode(words(sentence))).collect();
        let Prefixes { x, y } = prefixes(&sentences);
        assert_eq!((x.shape().to_vec(), y.count()), (vec![18, 7], 18));
        let row: Vec<u32> = x.narrow(0, 1, 1).iter().map(|id| id as u32).collect();
        assert_eq!(vocabulary.decode(&row), [PAD, PAD, PAD, PAD, PAD, "i", "love"]);
        assert_eq!(vocabulary.word(y.value_at([1]) as u32), "machine");
        // "i love" is followed by "machine" and by "deep".
        assert_eq!(possible(&x, &y), 17);
    }
}
