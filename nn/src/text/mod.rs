//! Text: from files to the indices that an [`Embedding`](crate::Embedding) takes.
//!
//! - [`read_texts`] reads a file or a folder, [`strip_gutenberg`] takes the licence away, and a [`Normalizer`] makes
//!   alike what should count as the same word.
//! - [`words`], [`words_and_punctuation`], [`characters`] and [`sentences`] cut a text up where Unicode says they end.
//! - A [`Vocabulary`] numbers the words, the frequent ones first, and knows what to do with words that it does not
//!   have.
//! - [`pad_sequences`] makes one tensor of sequences, [`ngram_prefixes`] examples for a language model.
//! - [`Subsampler`] and [`NegativeTable`] are the two kinds of chance that word2vec lives by; [`subword_ids`] are the
//!   n-grams of fastText.
//! - [`WordVectors`] read and write the files of word2vec, GloVe and fastText, find neighbours and analogies, and
//!   are judged by [`WordPairs`] and [`Analogies`].
//!
//! ```
//! use nn::text::{PAD, UNK, Vocabulary, VocabularyOptions, words};
//!
//! let text = "I love deep learning. Deep learning is fascinating.".to_lowercase();
//! let options = VocabularyOptions { special: vec![PAD.into(), UNK.into()], ..Default::default() };
//! let vocabulary = Vocabulary::build(words(&text), options);
//! assert_eq!(vocabulary.words()[..4], [PAD, UNK, "deep", "learning"]);
//! let ids = vocabulary.encode(words("deep sleep is fascinating"));
//! assert_eq!(vocabulary.decode(&ids).join(" "), "deep <unk> is fascinating");
//! ```

mod corpus;
mod error;
mod normalize;
mod sampling;
mod sequences;
mod subwords;
mod tokenize;
mod vectors;
mod vocabulary;

pub use corpus::{read_texts, strip_gutenberg};
pub use error::{Place, TextError};
pub use normalize::Normalizer;
pub use sampling::{NegativeTable, Subsampler};
pub use sequences::{PadOptions, Side, ngram_prefixes, pad_sequences};
pub use subwords::{fasttext_hash, ngrams, subword_ids};
pub use tokenize::{characters, sentences, words, words_and_punctuation};
pub use vectors::{
    Analogies, AnalogyScore, AnalogySection, EvaluationOptions, Format, PairScore, ReadOptions, SectionScore,
    UnknownWord, WordPair, WordPairs, WordVectors,
};
pub use vocabulary::{BOS, EOS, PAD, UNK, Vocabulary, VocabularyOptions};
