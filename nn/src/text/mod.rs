//! Text: from files to the indices that an [`Embedding`](crate::Embedding) takes.
//!
//! - [`words`], [`words_and_punctuation`] and [`sentences`] cut a text up where Unicode says words and sentences end.
//! - A [`Vocabulary`] numbers the words, the frequent ones first, and knows what to do with words that it does not have.
//! - [`Subsampler`] and [`NegativeTable`] are the two kinds of chance that word2vec lives by.
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

mod error;
mod sampling;
mod tokenize;
mod vocabulary;

pub use error::{Place, TextError};
pub use sampling::{NegativeTable, Subsampler};
pub use tokenize::{sentences, words, words_and_punctuation};
pub use vocabulary::{BOS, EOS, PAD, UNK, Vocabulary, VocabularyOptions};
