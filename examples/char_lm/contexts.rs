//! A word in its context: what the model remembers after reading up to a word's end is a vector of the word *there*. A
//! table of embeddings has one vector for "bear"; here each place has its own, and places where it means the same
//! should be near each other.

use crate::model::CharLstm;
use anyhow::Result;
use autograd::{Tensor, no_grad};
use common::letters;
use common::plot::{Labels, Panel, save_map};
use std::path::Path;

/// Characters that are read before the end of a word.
const BEFORE: usize = 60;
/// Of those, so many that the picture names a place by.
const SHOWN: usize = 30;
/// Places that are looked at, and shown.
const PLACES: usize = 40;

/// Prints for each word the pairs of places that are nearest and farthest, and draws all distances of the first.
pub fn show(model: &CharLstm, text: &[i64], words: &[String], out: &Path) -> Result<()> {
    let mut drawn = false;
    let mut rare = Vec::new();
    for word in words {
        let places = places(text, word);
        if places.len() < 4 {
            rare.push(format!("{word:?} ({})", places.len()));
            continue;
        }
        let vectors = vectors(model, text, &places); // [N, H]
        let similarity = no_grad(|| vectors.matmul(&vectors.t())).to_vec();
        let n = places.len();
        let mut pairs: Vec<(usize, usize)> = (0..n).flat_map(|i| (0..i).map(move |j| (i, j))).collect();
        pairs.sort_by(|&(a, b), &(c, d)| similarity[c * n + d].total_cmp(&similarity[a * n + b]));
        println!("\n{word:?} in {n} places, told apart by the hidden state after it (cosine):");
        let context = |i: usize| -> String {
            let end = places[i];
            text[end.saturating_sub(32)..(end + 16).min(text.len())]
                .iter()
                .map(|&token| letters::decode_one(token))
                .collect()
        };
        for (name, chosen) in [("most alike", &pairs[..2]), ("least alike", &pairs[pairs.len() - 2..])] {
            for &(i, j) in chosen {
                println!("  {name:11} {:5.2}  …{}…\n{:22}…{}…", similarity[i * n + j], context(i), "", context(j));
            }
        }
        if !drawn {
            let rows = similarity.chunks(n).map(|row| row.iter().map(|&x| f64::from(x)).collect()).collect();
            let title = format!("\"{word}\" in {n} places");
            let labels = Labels { title: &title, x: "the same places, in the same order", y: "what was read before" };
            // From the beginning of a word.
            let before = |&end: &usize| -> String {
                let letters = text[end - SHOWN..end].iter().map(|&token| letters::decode_one(token));
                letters.skip_while(|&letter| letter != ' ').skip(1).collect()
            };
            let names = places.iter().enumerate().map(|(i, end)| format!("… {} {}", before(end), i + 1)).collect();
            let numbers = (1..=n).map(|i| i.to_string()).collect();
            let panel = Panel::labelled_heat_map(labels, rows, names, numbers, "cosine of the hidden states there");
            save_map(&out.join("contexts.png"), panel)?;
            drawn = true;
        }
    }
    if !rare.is_empty() {
        println!("\nToo rare in this text for their places to be compared: {}", rare.join(", "));
    }
    Ok(())
}

/// Where the word ends in the text.
fn places(text: &[i64], word: &str) -> Vec<usize> {
    let word = letters::encode(&format!(" {} ", letters::clean(word)));
    let starts = text.windows(word.len()).enumerate().filter(|(_, window)| *window == word);
    starts.map(|(start, _)| start + word.len() - 1).filter(|&end| end >= BEFORE).take(PLACES).collect()
}

/// The hidden state at each place, centred and of length 1: `[N, H]`.
fn vectors(model: &CharLstm, text: &[i64], places: &[usize]) -> Tensor {
    no_grad(|| {
        let tokens: Vec<i64> = places.iter().flat_map(|&end| &text[end - BEFORE..end]).copied().collect();
        let x = Tensor::from_slice(&tokens, [places.len(), BEFORE]);
        let h = model.hidden(&x, None).0.narrow(1, BEFORE - 1, 1).squeeze(1); // [N, H]
        // What all places have in common says nothing about any.
        let centred = &h - h.mean_keepdim(0);
        let length = centred.square().sum_keepdim(1).sqrt();
        centred / (length + 1e-6)
    })
}
