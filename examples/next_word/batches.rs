//! Sentences as matrices.

use autograd::{Rng, Tensor};
use nn::text::{PadOptions, Side, pad_sequences};

/// Some sentences, side by side.
pub struct Batch {
    /// `[B, T]`: all words but the last of each, zeros behind
    pub x: Tensor<i64>,
    /// How many words each has in `x`.
    pub lengths: Vec<usize>,
    /// `[N]`: where in `B·T` there are words
    pub rows: Tensor<i64>,
    /// `[N]`: the word that follows each
    pub y: Tensor<i64>,
}

// ANCHOR: batch
impl Batch {
    pub fn new(sentences: &[&Vec<u32>]) -> Batch {
        let lengths: Vec<usize> = sentences.iter().map(|sentence| sentence.len() - 1).collect();
        let words: Vec<&[u32]> = sentences.iter().map(|sentence| &sentence[..sentence.len() - 1]).collect();
        let x = pad_sequences(&words, PadOptions { padding: Side::Post, ..Default::default() }); // [B, T]
        let longest = x.size(1);
        let (mut rows, mut y) = (Vec::new(), Vec::new());
        for (b, sentence) in sentences.iter().enumerate() {
            for (t, &next) in sentence[1..].iter().enumerate() {
                rows.push((b * longest + t) as i64);
                y.push(i64::from(next));
            }
        }
        Batch { x, lengths, rows: Tensor::from_slice(&rows, rows.len()), y: Tensor::from_slice(&y, y.len()) }
    }
}
// ANCHOR_END: batch

/// All sentences in batches of similar lengths, so that there is little padding; in random order, if there is an `rng`.
pub fn batches(sentences: &[Vec<u32>], size: usize, rng: Option<&mut Rng>) -> Vec<Batch> {
    let mut order: Vec<&Vec<u32>> = sentences.iter().collect();
    match rng {
        Some(rng) => {
            rng.shuffle(&mut order);
            order.sort_by_key(|sentence| sentence.len());
            let mut batches: Vec<_> = order.chunks(size).map(Batch::new).collect();
            rng.shuffle(&mut batches);
            batches
        }
        None => {
            order.sort_by_key(|sentence| sentence.len());
            order.chunks(size).map(Batch::new).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_what_follows_them() {
        let Batch { x, lengths, rows, y } = Batch::new(&[&vec![1, 5, 2], &vec![1, 6, 7, 2]]);
        assert_eq!((x.to_vec(), lengths), (vec![1, 5, 0, 1, 6, 7], vec![2, 3]));
        assert_eq!((rows.to_vec(), y.to_vec()), (vec![0, 1, 3, 4, 5], vec![5, 2, 6, 7, 2]));
    }
}
