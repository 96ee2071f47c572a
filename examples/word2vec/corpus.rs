//! From texts to sentences of word numbers.

use crate::lists::Lists;
use anyhow::{Context, Result, ensure};
use common::{books, flags};
use nn::text::{Vocabulary, VocabularyOptions, sentences, words};
use std::collections::HashMap;
use std::fs;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

/// Where the text comes from
#[derive(clap::Args, Clone, Debug, Default)]
pub struct Source {
    /// A text file, or a folder of .txt files, instead of the King James Bible that comes with the example
    #[arg(long, global = true, value_name = "PATH", value_parser = flags::existing)]
    pub data: Option<PathBuf>,

    /// All four translations of the Bible; beside --data, if that is given
    #[arg(long, global = true)]
    pub translations: bool,

    /// Words that occur less often are left out
    #[arg(long, global = true, default_value_t = 5, value_name = "N")]
    pub min_count: u64,
}

/// Sentences, as words.
pub struct Text {
    /// In lower case, the words separated by spaces.
    sentences: Vec<String>,
}

impl Source {
    /// What it is, for a person.
    pub fn name(&self) -> String {
        match (&self.data, self.translations) {
            (Some(path), false) => path.display().to_string(),
            (Some(path), true) => format!("{} and the Bible", path.display()),
            (None, _) => "the Bible".to_string(),
        }
    }
}

impl Text {
    /// Reads it: verses and the sentences of books, in lower case and without punctuation.
    pub fn read(source: &Source, quick: bool) -> Result<Text> {
        let mut raw = Vec::new();
        if source.translations {
            for translation in books::translations() {
                raw.extend(books::verses(translation)?);
            }
        } else if source.data.is_none() {
            raw.extend(books::verses(books::KING_JAMES)?);
        }
        if let Some(path) = &source.data {
            for text in books::texts(path)? {
                raw.extend(sentences(&text).into_iter().map(str::to_string));
            }
        }
        if quick {
            raw.truncate(3_000);
        }
        let text = Text::of(&raw);
        ensure!(!text.sentences.is_empty(), "{}: there is no word in it", source.name());
        Ok(text)
    }

    /// These sentences, but for those without words.
    pub fn of(raw: &[String]) -> Text {
        let clean = |sentence: &String| words(&sentence.to_lowercase()).collect::<Vec<_>>().join(" ");
        Text { sentences: raw.iter().map(clean).filter(|sentence| !sentence.is_empty()).collect() }
    }

    /// Writes one sentence a line, words separated by spaces, as gensim's `LineSentence` reads it.
    pub fn write(&self, path: &Path) -> Result<()> {
        let place = || format!("cannot write {}", path.display());
        let mut file = BufWriter::new(fs::File::create(path).with_context(place)?);
        for sentence in &self.sentences {
            writeln!(file, "{sentence}").with_context(place)?;
        }
        file.flush().with_context(place)
    }
}

/// Sentences, as numbers of words.
pub struct Corpus {
    /// The words that occur often enough, most frequent first.
    pub vocabulary: Vocabulary,
    /// Each sentence, without the words that are not in the vocabulary.
    pub sentences: Lists,
    /// All words of the text, those left out too: what speed is measured in.
    pub words: u64,
}

impl Corpus {
    /// Counts the words of `text` and numbers them.
    pub fn new(text: &Text, min_count: u64) -> Result<Corpus> {
        let words = || text.sentences.iter().flat_map(|sentence| sentence.split(' '));
        let vocabulary = Vocabulary::build(words(), VocabularyOptions { min_count, ..Default::default() });
        let enough = vocabulary.len();
        ensure!(enough > 1, "{enough} words occur at least {min_count} times (--min-count); two are wanted at least");
        let ids: HashMap<&str, u32> = (0..).zip(vocabulary.words()).map(|(id, word)| (word.as_str(), id)).collect();
        let mut sentences = Lists::with_capacity(text.sentences.len(), 0);
        for sentence in &text.sentences {
            sentences.extend(sentence.split(' ').filter_map(|word| ids.get(word).copied()));
            sentences.finish();
        }
        Ok(Corpus { words: words().count() as u64, sentences, vocabulary })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rare_words_are_left_out_and_counted_as_words() {
        let raw = ["The cat, the dog!", "...", "A cat; a CAT."].map(String::from);
        let corpus = Corpus::new(&Text::of(&raw), 2).unwrap();
        assert_eq!(corpus.vocabulary.words(), ["cat", "a", "the"]);
        assert_eq!(corpus.words, 8);
        assert_eq!(corpus.sentences, Lists::from([&[2, 0, 2][..], &[1, 0, 1, 0]]));
    }
}
