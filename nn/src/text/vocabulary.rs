//! Words and their numbers.

use super::error::TextError;
use crate::files::write_at_one_stroke;
use serde_json::Value;
use std::collections::HashMap;
use std::fs;
use std::path::Path;

/// The token that fills a short sequence up.
pub const PAD: &str = "<pad>";
/// The token that stands for every word that the vocabulary does not have.
pub const UNK: &str = "<unk>";
/// The token before the first of a sequence.
pub const BOS: &str = "<bos>";
/// The token after the last of a sequence.
pub const EOS: &str = "<eos>";

/// Which words a [`Vocabulary`] takes in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VocabularyOptions {
    /// Words that occur less often are left out.
    pub min_count: u64,
    /// How many words there are at most, special tokens included; the most frequent ones are kept.
    pub max_size: Option<usize>,
    /// Tokens that come first, whether the text has them or not: [`PAD`] as 0, [`UNK`] as 1, and so on.
    pub special: Vec<String>,
}

impl Default for VocabularyOptions {
    /// Every word, and no special token.
    fn default() -> VocabularyOptions {
        VocabularyOptions { min_count: 1, max_size: None, special: Vec::new() }
    }
}

/// Words and their numbers: first the special tokens in the order they were given in, then all others by how often
/// they occur, the most frequent first. Words that occur equally often stand in the order of their code points.
///
/// A word that it does not have is [`UNK`], where that is a special token; otherwise [`encode`](Vocabulary::encode)
/// leaves it out, as word2vec does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vocabulary {
    words: Vec<String>,
    counts: Vec<u64>,
    /// How many of the words are special tokens.
    special: usize,
    ids: HashMap<String, u32>,
}

impl Vocabulary {
    /// Counts the tokens of a text.
    ///
    /// # Panics
    /// If a special token is given twice, or `max_size` does not hold the special tokens.
    #[track_caller]
    pub fn build<W: AsRef<str>>(tokens: impl IntoIterator<Item = W>, options: VocabularyOptions) -> Vocabulary {
        let mut counts: HashMap<String, u64> = HashMap::new();
        for token in tokens {
            // Most tokens have been seen: only a new one is copied.
            match counts.get_mut(token.as_ref()) {
                Some(count) => *count += 1,
                None => drop(counts.insert(token.as_ref().to_string(), 1)),
            }
        }
        Vocabulary::from_counts(counts, options)
    }

    /// A vocabulary of words that have been counted. What stands there twice is added up. The count of [`UNK`], if it
    /// is special, includes all the words that are left out.
    ///
    /// # Panics
    /// As [`build`](Vocabulary::build).
    #[track_caller]
    pub fn from_counts(counts: impl IntoIterator<Item = (String, u64)>, options: VocabularyOptions) -> Vocabulary {
        let VocabularyOptions { min_count, max_size, special } = options;
        let room = max_size.unwrap_or(usize::MAX);
        assert!(special.len() <= room, "Vocabulary: max_size {room} for {} special tokens", special.len());
        let mut all: HashMap<String, u64> = HashMap::new();
        for (word, count) in counts {
            *all.entry(word).or_default() += count;
        }
        let first = special.iter().map(|token| all.remove(token).unwrap_or(0)).collect();
        let mut rest: Vec<(String, u64)> = all.into_iter().collect();
        rest.sort_unstable_by(|(a, a_count), (b, b_count)| b_count.cmp(a_count).then_with(|| a.cmp(b)));
        let kept = rest.partition_point(|&(_, count)| count >= min_count).min(room - special.len());
        let left_out: u64 = rest.drain(kept..).map(|(_, count)| count).sum();
        let (words, counts): (Vec<_>, Vec<_>) = rest.into_iter().unzip();
        let special_count = special.len();
        let numbered = Vocabulary::numbered([special, words].concat(), [first, counts].concat(), special_count);
        let mut vocabulary = match numbered {
            Ok(vocabulary) => vocabulary,
            Err(twice) => panic!("Vocabulary: the special token {twice:?} is given twice"),
        };
        if let Some(unknown) = vocabulary.unknown() {
            vocabulary.counts[unknown as usize] += left_out;
        }
        vocabulary
    }

    /// The vocabulary of these words in this order, or the word that stands there twice.
    fn numbered(words: Vec<String>, counts: Vec<u64>, special: usize) -> Result<Vocabulary, String> {
        let mut ids = HashMap::with_capacity(words.len());
        for (id, word) in words.iter().enumerate() {
            let id = u32::try_from(id).expect("fewer than 2³² words");
            if ids.insert(word.clone(), id).is_some() {
                return Err(word.clone());
            }
        }
        Ok(Vocabulary { words, counts, special, ids })
    }

    /// How many words there are, special tokens included.
    pub fn len(&self) -> usize {
        self.words.len()
    }

    /// Whether there is no word.
    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// All words, each at its number.
    pub fn words(&self) -> &[String] {
        &self.words
    }

    /// How often each word occurred.
    pub fn counts(&self) -> &[u64] {
        &self.counts
    }

    /// The special tokens, which have the first numbers.
    pub fn special(&self) -> &[String] {
        &self.words[..self.special]
    }

    /// The number of a word, or of a special token, if it is here.
    pub fn id(&self, word: &str) -> Option<u32> {
        self.ids.get(word).copied()
    }

    /// The number of [`UNK`], if it is a special token here.
    pub fn unknown(&self) -> Option<u32> {
        self.id(UNK).filter(|&id| (id as usize) < self.special)
    }

    /// The word of a number.
    ///
    /// # Panics
    /// If there is none.
    #[track_caller]
    pub fn word(&self, id: u32) -> &str {
        match self.words.get(id as usize) {
            Some(word) => word,
            None => panic!("Vocabulary: no word has the number {id}; there are {}", self.len()),
        }
    }

    /// The numbers of tokens. Those that are not here become [`UNK`] where that is a special token, and are left out
    /// otherwise.
    pub fn encode<W: AsRef<str>>(&self, tokens: impl IntoIterator<Item = W>) -> Vec<u32> {
        let unknown = self.unknown();
        tokens.into_iter().filter_map(|token| self.id(token.as_ref()).or(unknown)).collect()
    }

    /// The words of numbers.
    ///
    /// # Panics
    /// If one has no word.
    #[track_caller]
    pub fn decode(&self, ids: &[u32]) -> Vec<&str> {
        let mut words = Vec::with_capacity(ids.len());
        for &id in ids {
            words.push(self.word(id));
        }
        words
    }

    /// Writes the vocabulary to a JSON file, a word and its count on each line.
    ///
    /// # Errors
    /// If the file cannot be written; then the old one, if any, is as it was.
    pub fn save(&self, path: &Path) -> Result<(), TextError> {
        write_at_one_stroke(path, |file| {
            write!(file, "{{\"special\": {}, \"words\": [", self.special)?;
            for (i, (word, count)) in self.words.iter().zip(&self.counts).enumerate() {
                let comma = if i == 0 { "" } else { "," };
                write!(file, "{comma}\n[{}, {count}]", Value::from(word.as_str()))?;
            }
            writeln!(file, "\n]}}")
        })
        .map_err(TextError::io(path))
    }

    /// Reads what [`save`](Vocabulary::save) wrote.
    ///
    /// # Errors
    /// If the file cannot be read or is no such file; the error names the line.
    pub fn load(path: &Path) -> Result<Vocabulary, TextError> {
        let bytes = fs::read(path).map_err(TextError::io(path))?;
        let value: Value =
            serde_json::from_slice(&bytes).map_err(|error| TextError::line(path, error.line(), error.to_string()))?;
        // The words stand on the lines after the first.
        let wrong = |word: usize, reason: String| TextError::line(path, word + 2, reason);
        let (Some(special), Some(entries)) = (value["special"].as_u64(), value.get("words").and_then(Value::as_array))
        else {
            return Err(TextError::line(path, 1, "expected {\"special\": how many, \"words\": [[word, count], …]}"));
        };
        let special = usize::try_from(special).unwrap_or(usize::MAX);
        if special > entries.len() {
            return Err(TextError::line(path, 1, format!("{special} special tokens of {} words", entries.len())));
        }
        let (mut words, mut counts, mut seen) = (Vec::new(), Vec::new(), HashMap::new());
        for (i, entry) in entries.iter().enumerate() {
            let (Some(word), Some(count), Some(2)) =
                (entry[0].as_str(), entry[1].as_u64(), entry.as_array().map(Vec::len))
            else {
                return Err(wrong(i, format!("{entry}; expected [word, count]")));
            };
            if let Some(first) = seen.insert(word, i) {
                return Err(wrong(i, format!("{word:?} stands there twice, first on line {}", first + 2)));
            }
            words.push(word.to_string());
            counts.push(count);
        }
        Ok(Vocabulary::numbered(words, counts, special).expect("no word stands there twice"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(min_count: u64, max_size: Option<usize>, special: &[&str]) -> VocabularyOptions {
        VocabularyOptions { min_count, max_size, special: special.iter().map(|token| token.to_string()).collect() }
    }

    const TEXT: &str = "b a c a b a d <unk>";

    #[test]
    fn the_frequent_words_come_first_and_equals_by_code_points() {
        let vocabulary = Vocabulary::build(TEXT.split(' '), VocabularyOptions::default());
        assert_eq!(vocabulary.words(), ["a", "b", "<unk>", "c", "d"]);
        assert_eq!(vocabulary.counts(), [3, 2, 1, 1, 1]);
        assert_eq!(vocabulary.unknown(), None, "<unk> is a word like any other where it is not special");
        assert_eq!(vocabulary.encode(["d", "x", "a"]), [4, 0]);
    }

    #[test]
    fn special_tokens_come_first_and_what_is_left_out_counts_as_unknown() {
        let vocabulary = Vocabulary::build(TEXT.split(' '), options(2, None, &[PAD, UNK, BOS]));
        assert_eq!(vocabulary.words(), [PAD, UNK, BOS, "a", "b"]);
        assert_eq!(vocabulary.special(), [PAD, UNK, BOS]);
        assert_eq!(vocabulary.counts(), [0, 3, 0, 3, 2]);
        assert_eq!(vocabulary.encode(TEXT.split(' ')), [4, 3, 1, 3, 4, 3, 1, 1]);
        assert_eq!(vocabulary.decode(&[3, 1, 0]), ["a", UNK, PAD]);
        let few = Vocabulary::build(TEXT.split(' '), options(1, Some(2), &[UNK]));
        assert_eq!((few.words(), few.counts()), (&[UNK.to_string(), "a".to_string()][..], &[5, 3][..]));
    }

    #[test]
    #[should_panic(expected = "Vocabulary: no word has the number 5; there are 5")]
    fn a_number_without_a_word_is_refused() {
        Vocabulary::build(TEXT.split(' '), VocabularyOptions::default()).decode(&[4, 5]);
    }

    #[test]
    #[should_panic(expected = "Vocabulary: the special token \"<pad>\" is given twice")]
    fn a_special_token_given_twice_is_refused() {
        Vocabulary::build(TEXT.split(' '), options(1, None, &[PAD, UNK, PAD]));
    }

    #[test]
    fn a_saved_vocabulary_is_loaded() {
        let path = std::env::temp_dir().join(format!("chainrule-vocabulary-{}.json", std::process::id()));
        let words = ["\n", " ", "\"", "字", "a\tb", "a"];
        for special in [&[][..], &[PAD, UNK]] {
            let saved = Vocabulary::build(words, options(1, None, special));
            saved.save(&path).unwrap();
            assert_eq!(Vocabulary::load(&path).unwrap(), saved);
        }
        let refused = |text: &str, words: &str| {
            fs::write(&path, text).unwrap();
            let error = Vocabulary::load(&path).unwrap_err().to_string();
            assert!(error.contains("chainrule-vocabulary") && error.ends_with(words), "{error}\nexpected: {words}");
        };
        refused("{\"special\": 0, \"words\": [\n[\"a\", 1", "line 2: EOF while parsing a list at line 2 column 7");
        refused("[]", "line 1: expected {\"special\": how many, \"words\": [[word, count], …]}");
        refused("{\"special\": 2, \"words\": [\n[\"a\", 1]\n]}", "line 1: 2 special tokens of 1 words");
        refused(
            "{\"special\": 0, \"words\": [\n[\"a\", 1],\n[\"b\", -1]\n]}",
            "line 3: [\"b\",-1]; expected [word, count]",
        );
        refused(
            "{\"special\": 0, \"words\": [\n[\"a\", 1],\n[\"b\", 1],\n[\"a\", 1]\n]}",
            "line 4: \"a\" stands there twice, first on line 2",
        );
        fs::remove_file(&path).unwrap();
    }
}
