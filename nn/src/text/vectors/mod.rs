//! Vectors for words: which are near to which, and what they are worth.

mod evaluate;
mod read;
mod write;

pub use evaluate::{
    Analogies, AnalogyScore, AnalogySection, EvaluationOptions, PairScore, SectionScore, WordPair, WordPairs,
};
pub use read::ReadOptions;

use autograd::{Rng, Tensor};
use std::collections::HashMap;
use std::sync::OnceLock;

/// How word vectors stand in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// A line `words width`, then a line for each word: the word and its numbers, with a space between them. It is
    /// what word2vec and gensim write as text, and fastText as `.vec`. A file without the first line, as GloVe's, is
    /// read too: the first line is taken for a header if it is two whole numbers.
    Text,
    /// Text without a header, as GloVe writes it; gensim reads it with `no_header=True`.
    TextWithoutHeader,
    /// word2vec's binary form: the line `words width`, then for each word its bytes, a space, and its numbers as
    /// little-endian `f32`.
    Binary,
}

/// There is no vector for a word.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no vector for the word {0:?}")]
pub struct UnknownWord(pub String);

/// Words and a vector for each.
///
/// ```
/// use autograd::Tensor;
/// use nn::text::{Format, WordVectors};
///
/// let words = ["man", "woman", "king", "queen", "apple"].map(String::from).to_vec();
/// let table = Tensor::from([[1.0, 0.1, 0.0], [1.0, 1.0, 0.0], [0.1, 0.1, 1.0], [0.1, 1.0, 1.0], [-1.0, 0.0, 0.1]]);
/// let vectors = WordVectors::new(words, table);
///
/// let path = std::env::temp_dir().join(format!("chainrule-doc-{}.vec", std::process::id()));
/// vectors.write(&path, Format::Text)?;
/// let vectors = WordVectors::read(&path, Format::Text)?;
/// assert_eq!(vectors.neighbours("king", 1)?[0].0, "queen");
/// // King is to man as what is to woman? king - man + woman
/// assert_eq!(vectors.analogy(&["king", "woman"], &["man"], 1)?[0].0, "queen");
///
/// // As the weights of a model:
/// let embedding = nn::Embedding::from_table(vectors.vectors().clone());
/// # assert_eq!(embedding.weight.shape()[0], 5);
/// # std::fs::remove_file(&path)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct WordVectors {
    words: Vec<String>,
    /// `[V, D]`, packed.
    vectors: Tensor,
    ids: HashMap<String, u32>,
    /// The vectors at length one, made when they are first asked for.
    unit: OnceLock<Tensor>,
}

impl WordVectors {
    /// These words, each with its row of `vectors` `[V, D]`.
    ///
    /// # Panics
    /// If there are not as many words as rows, or a word stands there twice.
    #[track_caller]
    pub fn new(words: Vec<String>, vectors: Tensor) -> WordVectors {
        assert!(
            vectors.rank() == 2 && vectors.shape()[0] == words.len(),
            "WordVectors: {} words and vectors of shape {}; [words, width] is wanted",
            words.len(),
            vectors.shape()
        );
        let mut ids = HashMap::with_capacity(words.len());
        for (id, word) in words.iter().enumerate() {
            let first = ids.insert(word.clone(), id as u32);
            assert!(first.is_none(), "WordVectors: the word {word:?} stands there twice");
        }
        WordVectors::indexed(words, vectors, ids)
    }

    fn indexed(words: Vec<String>, vectors: Tensor, ids: HashMap<String, u32>) -> WordVectors {
        WordVectors { words, vectors: vectors.detach().contiguous(), ids, unit: OnceLock::new() }
    }

    /// How many words there are.
    pub fn len(&self) -> usize {
        self.words.len()
    }

    /// Whether there is no word.
    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// How many numbers a vector has.
    pub fn width(&self) -> usize {
        self.vectors.shape()[1]
    }

    /// All words, in the order of the rows.
    pub fn words(&self) -> &[String] {
        &self.words
    }

    /// The vectors, `[V, D]`.
    pub fn vectors(&self) -> &Tensor {
        &self.vectors
    }

    /// The row of a word.
    pub fn id(&self, word: &str) -> Option<u32> {
        self.ids.get(word).copied()
    }

    /// The vector of a word.
    pub fn vector(&self, word: &str) -> Option<&[f32]> {
        self.id(word).map(|id| self.row(id))
    }

    fn row(&self, id: u32) -> &[f32] {
        row(&self.vectors, id)
    }

    fn known(&self, word: &str) -> Result<u32, UnknownWord> {
        self.id(word).ok_or_else(|| UnknownWord(word.to_string()))
    }

    /// The rows at length one; a row of zeros stays one.
    fn unit(&self) -> &Tensor {
        self.unit.get_or_init(|| {
            let mut unit = self.vectors.clone();
            for row in unit.slice_mut().chunks_exact_mut(self.width().max(1)) {
                let length = dot(row, row).sqrt();
                if length > 0.0 {
                    row.iter_mut().for_each(|x| *x = (f64::from(*x) / length) as f32);
                }
            }
            unit
        })
    }

    /// The cosine of the angle between the vectors of two words.
    ///
    /// # Errors
    /// If one of them has no vector.
    pub fn similarity(&self, a: &str, b: &str) -> Result<f32, UnknownWord> {
        Ok(self.cosine(self.known(a)?, self.known(b)?) as f32)
    }

    fn cosine(&self, a: u32, b: u32) -> f64 {
        let (a, b) = (self.row(a), self.row(b));
        let lengths = (dot(a, a) * dot(b, b)).sqrt();
        if lengths > 0.0 { dot(a, b) / lengths } else { 0.0 }
    }

    /// The words nearest to a word by the cosine, the nearest first, without the word itself.
    ///
    /// # Errors
    /// If it has no vector.
    pub fn neighbours(&self, word: &str, count: usize) -> Result<Vec<(&str, f32)>, UnknownWord> {
        self.analogy(&[word], &[], count)
    }

    /// The words nearest to a sum of words, less others, each at length one, as gensim's `most_similar`. The words
    /// given are left out. With `["king", "woman"]` less `["man"]` it is 3CosAdd (Mikolov et al. 2013): what is to
    /// woman as king is to man.
    ///
    /// # Errors
    /// If one of the words has no vector.
    pub fn analogy(&self, plus: &[&str], minus: &[&str], count: usize) -> Result<Vec<(&str, f32)>, UnknownWord> {
        let (mut query, mut given) = (vec![0.0; self.width()], Vec::new());
        for (words, sign) in [(plus, 1.0), (minus, -1.0)] {
            for word in words {
                let id = self.known(word)?;
                given.push(id);
                query.iter_mut().zip(row(self.unit(), id)).for_each(|(sum, x)| *sum += sign * x);
            }
        }
        Ok(self.nearest(&query, &given, count))
    }

    /// The words nearest to any vector by the cosine, without the rows of `exclude`.
    ///
    /// # Panics
    /// If the vector has another width.
    #[track_caller]
    pub fn nearest(&self, vector: &[f32], exclude: &[u32], count: usize) -> Vec<(&str, f32)> {
        assert!(
            vector.len() == self.width(),
            "nearest: a vector of {} numbers among vectors of {}",
            vector.len(),
            self.width()
        );
        let length = dot(vector, vector).sqrt();
        let scale = if length > 0.0 { 1.0 / length } else { 0.0 };
        let query = Tensor::from_fn([vector.len()], |i| (f64::from(vector[i]) * scale) as f32);
        let cosines = self.unit().matmul(&query).to_vec(); // [V]
        let mut best: Vec<u32> = (0..self.len() as u32).filter(|id| !exclude.contains(id)).collect();
        // What is no number is near to nothing; of equals the first.
        let cosine = |id: u32| Some(cosines[id as usize]).filter(|cosine| !cosine.is_nan()).unwrap_or(-2.0);
        let order = |&a: &u32, &b: &u32| cosine(b).total_cmp(&cosine(a)).then(a.cmp(&b));
        if count < best.len() {
            best.select_nth_unstable_by(count, order);
            best.truncate(count);
        }
        best.sort_unstable_by(order);
        best.into_iter().map(|id| (self.words[id as usize].as_str(), cosines[id as usize])).collect()
    }

    /// A table for the words of a vocabulary, `[words, D]`, and how many of them have a vector here. The others get
    /// random ones with the spread of those that are found.
    pub fn table_for(&self, words: &[String], rng: &mut Rng) -> (Tensor, usize) {
        let rows: Vec<Option<u32>> = words.iter().map(|word| self.id(word)).collect();
        let found: Vec<u32> = rows.iter().flatten().copied().collect();
        let squares: f64 = found.iter().map(|&id| dot(self.row(id), self.row(id))).sum();
        let spread = (squares / (found.len() * self.width()).max(1) as f64).sqrt();
        let mut table = Tensor::zeros([words.len(), self.width()]);
        for (row, id) in table.slice_mut().chunks_exact_mut(self.width().max(1)).zip(rows) {
            match id {
                Some(id) => row.copy_from_slice(self.row(id)),
                None => row.iter_mut().for_each(|x| *x = (rng.normal() * spread) as f32),
            }
        }
        (table, found.len())
    }
}

fn row(table: &Tensor, id: u32) -> &[f32] {
    let width = table.shape()[1];
    &table.try_slice().expect("a packed table")[id as usize * width..][..width]
}

fn dot(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vectors() -> WordVectors {
        let words = ["east", "north", "northeast", "far-north", "nowhere"].map(String::from).to_vec();
        let table = Tensor::from([[1.0, 0.0], [0.0, 1.0], [0.5, 0.5], [0.0, 9.0], [0.0, 0.0]]);
        WordVectors::new(words, table)
    }

    #[test]
    fn the_nearest_are_those_in_the_same_direction() {
        let vectors = vectors();
        let half = std::f32::consts::FRAC_1_SQRT_2;
        let near = vectors.neighbours("north", 9).unwrap();
        assert_eq!(near, [("far-north", 1.0), ("northeast", half), ("east", 0.0), ("nowhere", 0.0)]);
        assert_eq!(vectors.neighbours("north", 1).unwrap(), near[..1]);
        assert_eq!(vectors.neighbours("north", 0).unwrap(), []);
        assert_eq!(vectors.nearest(&[0.0, -1.0], &[0, 2], 1), [("nowhere", 0.0)]);
        assert_eq!(vectors.neighbours("west", 1), Err(UnknownWord("west".to_string())));
        assert_eq!(vectors.similarity("north", "northeast"), Ok(half));
        assert_eq!(vectors.similarity("north", "nowhere"), Ok(0.0));
        // Each word at length one, however long its vector is, and none of the given ones.
        assert_eq!(vectors.analogy(&["far-north", "east"], &[], 1).unwrap()[0].0, "northeast");
        assert_eq!(vectors.analogy(&["northeast", "far-north"], &["east"], 1).unwrap()[0].0, "north");
    }

    #[test]
    fn a_table_for_a_vocabulary_has_the_rows_of_its_words() {
        let words = ["<unk>", "north", "east"].map(String::from);
        let (table, found) = vectors().table_for(&words, &mut Rng::seeded(0));
        assert_eq!((found, table.shape().to_vec()), (2, vec![3, 2]));
        assert_eq!(table.narrow(0, 1, 2).to_vec(), [0.0, 1.0, 1.0, 0.0]);
        assert!(table.value_at([0, 0]) != 0.0);
    }

    #[test]
    #[should_panic(expected = "WordVectors: the word \"a\" stands there twice")]
    fn a_word_given_twice_is_refused() {
        WordVectors::new(vec!["a".into(), "a".into()], Tensor::zeros([2, 1]));
    }
}
