//! From a text to numbers and back: by words that were counted, or by the tokens of a file.

use anyhow::Result;
use nn::text::{BOS, EOS, Normalizer, PAD, UNK, Vocabulary, VocabularyOptions};
use std::path::Path;

// ANCHOR: tokenizer
/// What cuts a text up and puts it together again.
pub trait Tokenizer {
    /// The numbers of a text, without those of its begin and end.
    fn encode(&self, text: &str) -> Result<Vec<u32>>;
    /// The text of numbers.
    fn decode(&self, ids: &[u32]) -> Result<String>;
    /// Leaves in a folder what it takes to do this again.
    fn save(&self, folder: &Path) -> Result<()>;
}
// ANCHOR_END: tokenizer

/// A tokeniser, and what the example has to know about its tokens.
pub struct Tokens {
    /// Every token, at its number. None is empty or has a space in it.
    pub names: Vec<String>,
    /// What to call them.
    pub unit: &'static str,
    /// What a text goes through before it is encoded.
    pub normalizer: Normalizer,
    /// The number before the first of a sentence.
    pub begin: u32,
    /// The number after the last of a sentence.
    pub end: u32,
    /// The number of whatever has none, if there is one.
    pub unknown: Option<u32>,
    /// Numbers that are no text and end none: they are never written.
    pub never: Vec<u32>,
    /// Why the tokens are what they are.
    pub reasons: String,
    pub tokenizer: Box<dyn Tokenizer>,
}

impl Tokens {
    /// The most frequent of the words between the spaces of some texts, `most` with the four special ones.
    pub fn count<'a>(texts: impl IntoIterator<Item = &'a str>, most: usize) -> Tokens {
        let special = [PAD, UNK, BOS, EOS].map(String::from).to_vec();
        let options = VocabularyOptions { max_size: Some(most), special, min_count: 2 };
        let vocabulary = Vocabulary::build(texts.into_iter().flat_map(|text| text.split(' ')), options);
        let id = |token| vocabulary.id(token).expect("one of the special tokens");
        let reasons = format!(
            "\
             \x20   cleaning     lower case, no accents, no punctuation: \"The\", \"the\" and \"the,\" are one word, seen more often\n\
             \x20   vocabulary   the {} most frequent words of the first part only: what is to be predicted may not have a say",
            vocabulary.len()
        );
        Tokens {
            names: vocabulary.words().to_vec(),
            unit: "words",
            normalizer: Normalizer::default(),
            begin: id(BOS),
            end: id(EOS),
            unknown: Some(id(UNK)),
            never: [PAD, UNK, BOS].map(id).to_vec(),
            reasons,
            tokenizer: Box::new(vocabulary),
        }
    }

    /// The tokens of a file `tokenizer.json`.
    #[cfg(feature = "tokenizers")]
    pub fn read(path: &Path) -> Result<Tokens> {
        crate::hugging_face::read(path)
    }

    /// Says how to build what can read such a file.
    #[cfg(not(feature = "tokenizers"))]
    pub fn read(path: &Path) -> Result<Tokens> {
        anyhow::bail!(
            "this program was built without what reads {}: cargo run --features tokenizers --example next_word -- \
             --tokenizer {0}",
            path.display()
        )
    }

    /// The words of a clean text that have no number of their own.
    pub fn lacking<'a>(&self, text: &'a str) -> Result<Vec<&'a str>> {
        let mut lacking = Vec::new();
        for word in text.split_whitespace() {
            let ids = self.tokenizer.encode(word)?;
            if ids.is_empty() || ids.iter().any(|&id| Some(id) == self.unknown) {
                lacking.push(word);
            }
        }
        Ok(lacking)
    }

    /// What `added` says after `prompt`, with the space between them, if there is one: a token may go on with a word.
    pub fn continuation(&self, prompt: &[u32], added: &[u32]) -> Result<String> {
        let before = self.tokenizer.decode(prompt)?;
        let text = self.tokenizer.decode(&[prompt, added].concat())?;
        match text.strip_prefix(&before) {
            Some(after) => Ok(after.to_string()),
            None => self.tokenizer.decode(added),
        }
    }
}

impl Tokenizer for Vocabulary {
    fn encode(&self, text: &str) -> Result<Vec<u32>> {
        Ok(Vocabulary::encode(self, text.split_whitespace()))
    }

    fn decode(&self, ids: &[u32]) -> Result<String> {
        Ok(Vocabulary::decode(self, ids).join(" "))
    }

    fn save(&self, folder: &Path) -> Result<()> {
        Ok(Vocabulary::save(self, &folder.join("vocabulary.json"))?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_that_were_counted() {
        let tokens = Tokens::count(["in the beginning", "the end the end"], 6);
        assert_eq!(tokens.names, [PAD, UNK, BOS, EOS, "the", "end"]);
        assert_eq!((tokens.begin, tokens.end, tokens.unknown, &tokens.never[..]), (2, 3, Some(1), &[0, 1, 2][..]));
        let ids = tokens.tokenizer.encode("the bitter end").unwrap();
        assert_eq!(ids, [4, 1, 5]);
        assert_eq!(tokens.lacking("the bitter end").unwrap(), ["bitter"]);
        assert_eq!(tokens.continuation(&ids, &[4, 5]).unwrap(), " the end");
    }

    #[cfg(not(feature = "tokenizers"))]
    #[test]
    fn a_file_of_tokens_without_what_reads_it() {
        let error = Tokens::read(Path::new("bpe.json")).err().expect("it cannot be read").to_string();
        let command = "cargo run --features tokenizers --example next_word -- --tokenizer bpe.json";
        assert!(error.ends_with(command), "{error}");
    }
}
