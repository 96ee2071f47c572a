//! From a text to sentences of numbers, and why each step is there.

use crate::tokens::Tokens;
use anyhow::{Result, ensure};
use autograd::Rng;
use common::{books, flags};
use nn::text::{Normalizer, sentences};
use std::path::Path;

/// How a text is read
#[derive(clap::Args, Clone, Debug)]
pub struct Reading {
    /// Words that the model knows, at the most; with --tokenizer the file says which (with --quick 500)
    #[arg(long, default_value_t = 2000, default_value_if("quick", "true", "500"), value_parser = flags::at_least::<6>)]
    pub vocabulary: usize,

    /// Sentences that the model learns from; the quick set of vectors learns from all (with --quick 400)
    #[arg(long, default_value_t = 4000, default_value_if("quick", "true", "400"), value_parser = flags::count)]
    pub sentences: usize,

    /// Words or tokens of a sentence, at the most; longer ones are cut into pieces
    #[arg(long, default_value_t = 30, value_parser = flags::at_least::<2>)]
    pub context: usize,
}

/// Sentences as numbers of words or tokens, each from begin to end.
pub struct Corpus {
    pub tokens: Tokens,
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
    /// Reads a file or folder, or the King James Bible, with the tokens of a file or by words.
    pub fn read(data: Option<&Path>, tokens: Option<Tokens>, reading: &Reading, seed: u64) -> Result<Corpus> {
        let (raw, what) = match data {
            Some(path) => {
                let texts = books::texts(path)?;
                let all = texts.iter().flat_map(|text| sentences(text)).map(str::to_string).collect();
                (all, format!("sentences of {}", path.display()))
            }
            None => (books::verses(books::KING_JAMES)?, "verses of the King James Bible".to_string()),
        };
        Corpus::new(raw, &what, tokens, reading, seed)
    }

    fn new(raw: Vec<String>, what: &str, tokens: Option<Tokens>, reading: &Reading, seed: u64) -> Result<Corpus> {
        let normalizer = tokens.as_ref().map_or_else(Normalizer::default, |tokens| tokens.normalizer);
        let clean: Vec<String> = raw.iter().map(|sentence| normalizer.normalize(sentence)).collect();
        let mut whole: Vec<&str> = clean.iter().map(String::as_str).filter(|sentence| !sentence.is_empty()).collect();
        ensure!(whole.len() >= 40, "{} {what}: at least 40 are needed", whole.len());
        Rng::seeded(seed).shuffle(&mut whole);
        let held_out = (whole.len() / 20).clamp(10, 1000);
        let (held_out, all) = whole.split_at(2 * held_out);
        let (validation, test) = held_out.split_at(held_out.len() / 2);
        let train = &all[..all.len().min(reading.sentences)];
        let tokens = match tokens {
            Some(tokens) => tokens,
            None => Tokens::count(train.iter().copied(), reading.vocabulary),
        };
        // Long ones in pieces, but only now: pieces of one sentence belong on one side.
        let pieces = |sentences: &[&str]| -> Result<Vec<Vec<u32>>> {
            let mut pieces = Vec::new();
            for sentence in sentences {
                let ids = tokens.tokenizer.encode(sentence)?;
                pieces.extend(ids.chunks(reading.context).map(|ids| [&[tokens.begin], ids, &[tokens.end]].concat()));
            }
            Ok(pieces)
        };
        let corpus = Corpus {
            all: pieces(all)?,
            train: pieces(train)?,
            validation: pieces(validation)?,
            test: pieces(test)?,
            tokens,
        };
        corpus.explain(raw.len(), what, reading);
        Ok(corpus)
    }

    fn explain(&self, raw: usize, what: &str, reading: &Reading) {
        let count = |part: &[Vec<u32>]| part.iter().map(|piece| piece.len() - 2).sum::<usize>();
        let missing = self.validation.iter().flatten().filter(|&&id| Some(id) == self.tokens.unknown).count();
        let share = missing as f64 / count(&self.validation).max(1) as f64 * 100.0;
        let Tokens { names, unit, reasons, begin, end, unknown, .. } = &self.tokens;
        let name = |id: u32| names[id as usize].as_str();
        println!(
            "\n2. Real text: {raw} {what}\n\n\
             \x20   licence      what a publisher adds is not the author's language (Project Gutenberg's is cut off)\n\
             \x20   sentences    the unit of the split: beginnings of one sentence on both sides would give the answers away\n\
             {reasons}\n\
             \x20   pieces       of at most {} {unit}: the longest sentence decides how long a batch takes\n\
             \x20   split        {} sentences ({} {unit}) to learn from, {} to stop by, {} to test on",
            reading.context,
            self.train.len(),
            count(&self.train),
            self.validation.len(),
            self.test.len(),
        );
        if let Some(unknown) = unknown {
            println!(
                "    {:<12} stands for all others, {share:.1} % of the {unit} to come; it is trained, so that they can be read",
                name(*unknown)
            );
        }
        println!(
            "    {:<12} before and after each sentence: its first word is predicted from something, and its end is, too\n\n\
             The prefixes need not be written out as in part 1. An LSTM that has read a sentence has read all its beginnings,\n\
             so it predicts after each word: T examples in one pass over T words, in place of T²/2. The zeros go after the\n\
             words now, where the steps before cannot see them, and no loss is taken there.",
            if begin == end { name(*end).to_string() } else { format!("{}, {}", name(*begin), name(*end)) },
        );
    }
}
