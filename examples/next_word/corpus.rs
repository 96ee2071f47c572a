//! From a text to sentences of word numbers, and why each step is there.

use crate::common::books;
use anyhow::{Result, ensure};
use autograd::Rng;
use nn::text::{BOS, EOS, Normalizer, PAD, UNK, Vocabulary, VocabularyOptions, read_texts, sentences, strip_gutenberg};
use std::path::Path;

/// How a text is read
#[derive(clap::Args, Clone, Debug)]
pub struct Reading {
    /// Words that the model knows, at the most
    #[arg(long, default_value_t = 2000)]
    pub vocabulary: usize,

    /// Sentences that the model learns from; the quick set of vectors learns from all
    #[arg(long, default_value_t = 4000)]
    pub sentences: usize,

    /// Words of a sentence, at the most; longer ones are cut into pieces
    #[arg(long, default_value_t = 30)]
    pub context: usize,
}

impl Reading {
    /// A little of the text.
    pub fn quick(&self) -> Reading {
        Reading { vocabulary: self.vocabulary.min(500), sentences: self.sentences.min(400), ..self.clone() }
    }
}

/// The number of every word that the vocabulary lacks.
pub const UNKNOWN: i64 = 1;

/// Sentences as word numbers, each from <bos> to <eos>.
pub struct Corpus {
    pub vocabulary: Vocabulary,
    /// What the vectors may learn from: all sentences that are not held out.
    pub all: Vec<Vec<u32>>,
    /// What the model learns from: some of these.
    pub train: Vec<Vec<u32>>,
    /// What the training is stopped by.
    pub validation: Vec<Vec<u32>>,
    /// What the result is measured on.
    pub test: Vec<Vec<u32>>,
}

impl Corpus {
    /// Reads a file or folder, or the King James Bible.
    pub fn read(data: Option<&Path>, reading: &Reading, seed: u64) -> Result<Corpus> {
        ensure!(reading.context >= 2, "--context {}: at least two words are needed", reading.context);
        let (raw, what) = match data {
            Some(path) => {
                let texts = read_texts(path)?;
                let bodies = texts.iter().map(|(_, text)| strip_gutenberg(text));
                let all = bodies.flat_map(sentences).map(str::to_string).collect();
                (all, format!("sentences of {}", path.display()))
            }
            None => (books::verses(books::KING_JAMES)?, "verses of the King James Bible".to_string()),
        };
        Corpus::new(raw, &what, reading, seed)
    }

    fn new(raw: Vec<String>, what: &str, reading: &Reading, seed: u64) -> Result<Corpus> {
        let clean: Vec<String> = raw.iter().map(|sentence| Normalizer::default().normalize(sentence)).collect();
        let mut whole: Vec<&str> = clean.iter().map(String::as_str).filter(|sentence| !sentence.is_empty()).collect();
        ensure!(whole.len() >= 40, "{} {what}: at least 40 are needed", whole.len());
        Rng::seeded(seed).shuffle(&mut whole);
        let held_out = (whole.len() / 20).clamp(10, 1000);
        let (held_out, all) = whole.split_at(2 * held_out);
        let (validation, test) = held_out.split_at(held_out.len() / 2);
        // Long ones in pieces, but only now: pieces of one sentence belong on one side.
        let pieces = |sentences: &[&'_ str]| -> Vec<Vec<String>> {
            let words = sentences.iter().map(|sentence| sentence.split(' ').map(str::to_string).collect::<Vec<_>>());
            words.flat_map(|words| words.chunks(reading.context).map(<[String]>::to_vec).collect::<Vec<_>>()).collect()
        };
        let train = &all[..all.len().min(reading.sentences)];
        let [all, train, validation, test] = [all, train, validation, test].map(pieces);

        let special = [PAD, UNK, BOS, EOS].map(String::from).to_vec();
        ensure!(reading.vocabulary > special.len() + 1, "--vocabulary {}: too few words", reading.vocabulary);
        let options = VocabularyOptions { max_size: Some(reading.vocabulary), special, min_count: 2 };
        let vocabulary = Vocabulary::build(train.iter().flatten(), options);
        let encode = |pieces: &[Vec<String>]| -> Vec<Vec<u32>> {
            let around = |piece: &Vec<String>| {
                vocabulary.encode([BOS].into_iter().chain(piece.iter().map(String::as_str)).chain([EOS]))
            };
            pieces.iter().map(around).collect()
        };
        let corpus = Corpus {
            all: encode(&all),
            train: encode(&train),
            validation: encode(&validation),
            test: encode(&test),
            vocabulary,
        };
        corpus.explain(raw.len(), what, reading);
        Ok(corpus)
    }

    fn explain(&self, raw: usize, what: &str, reading: &Reading) {
        let count = |part: &[Vec<u32>]| part.iter().map(|piece| piece.len() - 2).sum::<usize>();
        let missing = self.validation.iter().flatten().filter(|&&id| i64::from(id) == UNKNOWN).count();
        let share = missing as f64 / count(&self.validation).max(1) as f64 * 100.0;
        println!(
            "\n2. Real text: {raw} {what}\n\n\
             \x20   licence      what a publisher adds is not the author's language (Project Gutenberg's is cut off)\n\
             \x20   sentences    the unit of the split: beginnings of one sentence on both sides would give the answers away\n\
             \x20   cleaning     lower case, no accents, no punctuation: \"The\", \"the\" and \"the,\" are one word, seen more often\n\
             \x20   pieces       of at most {} words: the longest sentence decides how long a batch takes\n\
             \x20   split        {} sentences ({} words) to learn from, {} to stop by, {} to test on\n\
             \x20   vocabulary   the {} most frequent words of the first part only: what is to be predicted may not have a say\n\
             \x20   <unk>        stands for all others, {share:.1} % of the words to come; it is trained, so that they can be read\n\
             \x20   <bos>, <eos> before and after each sentence: its first word is predicted from something, and its end is, too\n\n\
             The prefixes need not be written out as in part 1. An LSTM that has read a sentence has read all its beginnings,\n\
             so it predicts after each word: T examples in one pass over T words, in place of T²/2. The zeros go after the\n\
             words now, where the steps before cannot see them, and no loss is taken there.",
            reading.context,
            self.train.len(),
            count(&self.train),
            self.validation.len(),
            self.test.len(),
            self.vocabulary.len(),
        );
    }
}
