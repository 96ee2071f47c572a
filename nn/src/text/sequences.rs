//! Sequences of indices, brought into the shape that a model takes.

use autograd::Tensor;

/// An end of a sequence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The beginning.
    Pre,
    /// The end.
    Post,
}

/// How [`pad_sequences`] brings sequences to one length. The defaults are Keras's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PadOptions {
    /// The length; without it, that of the longest.
    pub len: Option<usize>,
    /// Where a short one is filled up. At the beginning, by default: a recurrent network then reads the words last.
    pub padding: Side,
    /// Where a long one is cut off. At the beginning, by default.
    pub truncating: Side,
    /// What it is filled up with: the number of [`PAD`](super::PAD).
    pub value: u32,
}

impl Default for PadOptions {
    fn default() -> PadOptions {
        PadOptions { len: None, padding: Side::Pre, truncating: Side::Pre, value: 0 }
    }
}

/// Sequences of different lengths as one tensor `[sequences, length]`, as Keras's `pad_sequences`.
///
/// ```
/// use nn::text::{PadOptions, Side, ngram_prefixes, pad_sequences};
/// let padded = pad_sequences(&[vec![1, 2, 3], vec![4]], PadOptions::default());
/// assert_eq!(padded.to_vec(), [1, 2, 3, 0, 0, 4]);
/// let options = PadOptions { len: Some(2), padding: Side::Post, ..Default::default() };
/// assert_eq!(pad_sequences(&[vec![1, 2, 3], vec![4]], options).to_vec(), [2, 3, 4, 0]);
///
/// // All the beginnings of a sentence, each with the word that comes next at its end, and one-hot, if one must.
/// let prefixes: Vec<_> = ngram_prefixes(&[5, 6, 7]).collect();
/// assert_eq!(prefixes, [&[5, 6][..], &[5, 6, 7]]);
/// assert_eq!(*pad_sequences(&prefixes, PadOptions::default()).one_hot(8).shape(), [2, 3, 8]);
/// ```
pub fn pad_sequences<S: AsRef<[u32]>>(sequences: &[S], options: PadOptions) -> Tensor<i64> {
    let PadOptions { len, padding, truncating, value } = options;
    let longest = || sequences.iter().map(|sequence| sequence.as_ref().len()).max().unwrap_or(0);
    let len = len.unwrap_or_else(longest);
    let mut out = vec![i64::from(value); sequences.len() * len];
    for (sequence, out) in sequences.iter().zip(out.chunks_exact_mut(len.max(1))) {
        let sequence = sequence.as_ref();
        let kept = match truncating {
            Side::Pre => &sequence[sequence.len().saturating_sub(len)..],
            Side::Post => &sequence[..sequence.len().min(len)],
        };
        let start = if padding == Side::Pre { len - kept.len() } else { 0 };
        for (out, &id) in out[start..].iter_mut().zip(kept) {
            *out = i64::from(id);
        }
    }
    Tensor::from_slice(&out, [sequences.len(), len])
}

/// All beginnings of a sequence that have two or more elements: what a language model learns from, each as the words
/// so far and the next one.
pub fn ngram_prefixes(sequence: &[u32]) -> impl Iterator<Item = &[u32]> {
    (2..=sequence.len()).map(|len| &sequence[..len])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Keras 3's answers for `[[1, 2, 3], [4], []]`.
    #[test]
    fn all_ways_are_those_of_keras() {
        let sequences = [vec![1, 2, 3], vec![4], vec![]];
        let pad = |len, padding, truncating| {
            let tensor = pad_sequences(&sequences, PadOptions { len, padding, truncating, value: 9 });
            assert_eq!(tensor.shape().to_vec(), [3, len.unwrap_or(3)]);
            tensor.to_vec()
        };
        assert_eq!(pad(None, Side::Pre, Side::Pre), [1, 2, 3, 9, 9, 4, 9, 9, 9]);
        assert_eq!(pad(None, Side::Post, Side::Pre), [1, 2, 3, 4, 9, 9, 9, 9, 9]);
        assert_eq!(pad(Some(2), Side::Pre, Side::Pre), [2, 3, 9, 4, 9, 9]);
        assert_eq!(pad(Some(2), Side::Pre, Side::Post), [1, 2, 9, 4, 9, 9]);
        assert_eq!(pad(Some(2), Side::Post, Side::Post), [1, 2, 4, 9, 9, 9]);
        assert_eq!(pad(Some(4), Side::Pre, Side::Post), [9, 1, 2, 3, 9, 9, 9, 4, 9, 9, 9, 9]);
        assert!(pad(Some(0), Side::Pre, Side::Pre).is_empty());
        assert_eq!(*pad_sequences::<Vec<u32>>(&[], PadOptions::default()).shape(), [0, 0]);
        assert_eq!(ngram_prefixes(&[1]).count() + ngram_prefixes(&[]).count(), 0);
    }
}
