//! What word vectors are worth: do they agree with people on which words are alike, and do they solve analogies?
//! Both follow gensim's `evaluate_word_pairs` and `evaluate_word_analogies`, to give the same figures.

use super::{WordVectors, row};
use crate::metrics::{pearson, spearman};
use crate::text::TextError;
use autograd::{Tensor, no_grad};
use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

/// Which words take part in an evaluation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EvaluationOptions {
    /// The first so many words only, as gensim's `restrict_vocab`. Pairs and questions with others are left out, and
    /// only these are answers.
    pub restrict: usize,
    /// Whether case is ignored. Of words that differ in nothing else the first counts.
    pub ignore_case: bool,
}

impl Default for EvaluationOptions {
    /// The first 300,000 words, whatever their case.
    fn default() -> EvaluationOptions {
        EvaluationOptions { restrict: 300_000, ignore_case: true }
    }
}

impl EvaluationOptions {
    fn fold(&self, word: &str) -> String {
        if self.ignore_case { word.to_uppercase() } else { word.to_string() }
    }
}

/// Two words, and how alike people say they are.
#[derive(Clone, Debug, PartialEq)]
pub struct WordPair {
    /// One word.
    pub a: String,
    /// The other.
    pub b: String,
    /// How alike they are, on any scale.
    pub likeness: f64,
}

/// Pairs of words with people's judgements, as WordSim-353 and SimLex-999 are.
#[derive(Clone, Debug, PartialEq)]
pub struct WordPairs {
    /// The pairs.
    pub pairs: Vec<WordPair>,
}

/// How far vectors and people agree.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PairScore {
    /// The correlation of the cosines with people's judgements, by rank. No number for fewer than two pairs.
    pub spearman: f64,
    /// The same by Pearson.
    pub pearson: f64,
    /// How many pairs took part.
    pub pairs: usize,
    /// How many pairs were left out because a word has no vector.
    pub unknown: usize,
}

/// The lines of a file, each with its number, without the ends.
fn lines(path: &Path) -> Result<impl Iterator<Item = Result<(usize, String), TextError>>, TextError> {
    let file = BufReader::new(File::open(path).map_err(TextError::io(path))?);
    let path = path.to_path_buf();
    Ok((1..).zip(file.split(b'\n')).map(move |(number, line)| {
        let line = String::from_utf8(line.map_err(TextError::io(&path))?)
            .map_err(|_| TextError::line(&path, number, "no UTF-8"))?;
        Ok((number, line))
    }))
}

impl WordPairs {
    /// Reads a file with two words and a number on each line, with tabs between them, as gensim ships WordSim-353
    /// (`wordsim353.tsv`) and SimLex-999 (`simlex999.txt`). Lines that start with `#` are comments.
    ///
    /// # Errors
    /// If the file cannot be read, or a line is neither (gensim passes over such a line).
    pub fn read(path: &Path) -> Result<WordPairs, TextError> {
        let mut pairs = Vec::new();
        for line in lines(path)? {
            let (number, line) = line?;
            if line.starts_with('#') || line.trim().is_empty() {
                continue;
            }
            let fields: Vec<&str> = line.trim_end().split('\t').collect();
            let likeness = fields.last().and_then(|field| field.parse::<f64>().ok()).filter(|x| x.is_finite());
            let (&[a, b, _], Some(likeness)) = (&fields[..], likeness) else {
                let reason = format!("{line:?}; expected two words and a number with tabs between them");
                return Err(TextError::line(path, number, reason));
            };
            pairs.push(WordPair { a: a.to_string(), b: b.to_string(), likeness });
        }
        Ok(WordPairs { pairs })
    }

    /// How far the cosines of the vectors agree with people.
    pub fn evaluate(&self, vectors: &WordVectors, options: EvaluationOptions) -> PairScore {
        let folded = Folded::new(vectors, options);
        let (mut people, mut cosines) = (Vec::new(), Vec::new());
        for WordPair { a, b, likeness } in &self.pairs {
            if let (Some(a), Some(b)) = (folded.id(a), folded.id(b)) {
                people.push(*likeness);
                cosines.push(vectors.cosine(a, b));
            }
        }
        PairScore {
            spearman: spearman(&people, &cosines),
            pearson: pearson(&people, &cosines),
            pairs: people.len(),
            unknown: self.pairs.len() - people.len(),
        }
    }
}

/// Analogies in sections: a is to b as c is to the fourth word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Analogies {
    /// The sections.
    pub sections: Vec<AnalogySection>,
}

/// Analogies of one kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnalogySection {
    /// Of which kind, as `capital-common-countries`.
    pub name: String,
    /// The analogies.
    pub questions: Vec<[String; 4]>,
}

/// How many analogies vectors solve.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnalogyScore {
    /// By sections.
    pub sections: Vec<SectionScore>,
    /// In all.
    pub total: SectionScore,
}

/// How many analogies of a section vectors solve.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SectionScore {
    /// The section's name.
    pub name: String,
    /// How many were solved.
    pub correct: usize,
    /// How many were asked: those whose four words all have vectors.
    pub asked: usize,
    /// How many were not, because a word has none.
    pub unknown: usize,
}

impl SectionScore {
    /// The share of what was asked that was solved; 0 of nothing is 0, as in gensim.
    pub fn accuracy(&self) -> f64 {
        if self.asked == 0 { 0.0 } else { self.correct as f64 / self.asked as f64 }
    }
}

/// How many numbers the cosines of one batch of questions are: 16 MB.
const BATCH: usize = 1 << 22;

impl Analogies {
    /// Reads a file in the form of word2vec's `questions-words.txt`: lines `: name` start a section, all others have
    /// four words.
    ///
    /// # Errors
    /// If the file cannot be read, a line has not four words (gensim passes over such a line), or stands before the
    /// first section.
    pub fn read(path: &Path) -> Result<Analogies, TextError> {
        let mut sections: Vec<AnalogySection> = Vec::new();
        for line in lines(path)? {
            let (number, line) = line?;
            if let Some(name) = line.strip_prefix(": ") {
                sections.push(AnalogySection { name: name.trim().to_string(), questions: Vec::new() });
                continue;
            }
            let words: Vec<&str> = line.split_whitespace().collect();
            match (&words[..], sections.last_mut()) {
                ([], _) => {}
                (&[a, b, c, d], Some(section)) => section.questions.push([a, b, c, d].map(String::from)),
                (_, None) => {
                    return Err(TextError::line(path, number, "expected a section's name first, as `: family`"));
                }
                (_, Some(_)) => return Err(TextError::line(path, number, format!("{line:?}; expected four words"))),
            }
        }
        Ok(Analogies { sections })
    }

    /// How many of them the vectors solve by 3CosAdd: the word nearest to b − a + c, other than the three, is the
    /// fourth.
    pub fn evaluate(&self, vectors: &WordVectors, options: EvaluationOptions) -> AnalogyScore {
        let folded = Folded::new(vectors, options);
        let sections: Vec<SectionScore> = self.sections.iter().map(|section| folded.solve(section)).collect();
        let sum = |field: fn(&SectionScore) -> usize| sections.iter().map(field).sum();
        let (correct, asked, unknown) = (sum(|s| s.correct), sum(|s| s.asked), sum(|s| s.unknown));
        AnalogyScore { total: SectionScore { name: "total".to_string(), correct, asked, unknown }, sections }
    }
}

/// Word vectors as an evaluation sees them.
struct Folded<'v> {
    vectors: &'v WordVectors,
    options: EvaluationOptions,
    /// The first row of each word that case leaves.
    first: HashMap<String, u32>,
    /// For each row, the first row of the same word.
    same: Vec<u32>,
}

impl Folded<'_> {
    fn new(vectors: &WordVectors, options: EvaluationOptions) -> Folded<'_> {
        let mut first = HashMap::new();
        let same = (0..).zip(vectors.words()).take(options.restrict);
        let same = same.map(|(id, word)| *first.entry(options.fold(word)).or_insert(id)).collect();
        Folded { vectors, options, first, same }
    }

    fn id(&self, word: &str) -> Option<u32> {
        self.first.get(&self.options.fold(word)).copied()
    }

    fn solve(&self, section: &AnalogySection) -> SectionScore {
        let ids = section.questions.iter().filter_map(|question| {
            let mut ids = [0; 4];
            for (id, word) in ids.iter_mut().zip(question) {
                *id = self.id(word)?;
            }
            Some(ids)
        });
        let ids: Vec<[u32; 4]> = ids.collect();
        let (asked, unknown) = (ids.len(), section.questions.len() - ids.len());
        let batch = (BATCH / self.same.len().max(1)).max(1);
        let correct = ids.chunks(batch).map(|questions| no_grad(|| self.solved(questions))).sum();
        SectionScore { name: section.name.clone(), correct, asked, unknown }
    }

    /// How many of these questions are solved.
    fn solved(&self, questions: &[[u32; 4]]) -> usize {
        let (unit, width) = (self.vectors.unit(), self.vectors.width());
        let mut queries = Vec::with_capacity(questions.len() * width);
        for &[a, b, c, _] in questions {
            let (a, b, c) = (row(unit, a), row(unit, b), row(unit, c));
            queries.extend((0..width).map(|i| b[i] - a[i] + c[i]));
        }
        let queries = Tensor::from_slice(&queries, [questions.len(), width]);
        let cosines = queries.matmul(&unit.narrow(0, 0, self.same.len()).t()).to_vec(); // [Q, V]
        let mut solved = 0;
        for (&[a, b, c, d], cosines) in questions.iter().zip(cosines.chunks_exact(self.same.len())) {
            let mut best = (f32::NEG_INFINITY, None);
            for (&cosine, &same) in cosines.iter().zip(&self.same) {
                if cosine > best.0 && same != a && same != b && same != c {
                    best = (cosine, Some(same));
                }
            }
            solved += usize::from(best.1 == Some(d));
        }
        solved
    }
}
