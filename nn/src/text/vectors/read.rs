//! Reading word vectors. A file is trusted in nothing: memory grows with what has been read, not with what a header
//! says, and what is wrong is named by its line, or its record and byte.

use super::{Format, WordVectors};
use crate::text::{Place, TextError};
use autograd::Tensor;
use std::borrow::Cow;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

/// How [`WordVectors::read_with`] reads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReadOptions {
    /// Read the first so many words only: most files have the frequent words first.
    pub limit: Option<usize>,
    /// Forgive what gensim forgives, and files in the wild have: of a word that stands there twice only the first is
    /// taken, and bytes of a word that are no UTF-8 become U+FFFD.
    pub lenient: bool,
}

/// The longest word of a binary file, in bytes: a file without any space would be one word otherwise.
const LONGEST_WORD: u64 = 1 << 16;

impl WordVectors {
    /// Reads a file of word vectors.
    ///
    /// # Errors
    /// If the file cannot be read or is malformed: fewer or more words than its header says, too few or too many
    /// numbers, something that is no finite number, a word that is empty, no UTF-8, or stands there twice. A word of
    /// a text file may have spaces in it (gensim refuses them): the numbers are counted from the end of the line.
    pub fn read(path: &Path, format: Format) -> Result<WordVectors, TextError> {
        WordVectors::read_with(path, format, ReadOptions::default())
    }

    /// [`read`](WordVectors::read) with options.
    ///
    /// # Errors
    /// As [`read`](WordVectors::read), but for what the options forgive. What comes after the limit is not looked at.
    pub fn read_with(path: &Path, format: Format, options: ReadOptions) -> Result<WordVectors, TextError> {
        let file = File::open(path).map_err(TextError::io(path))?;
        let mut reading = Reading { path, options, words: Vec::new(), ids: HashMap::new(), values: Vec::new() };
        let input = BufReader::with_capacity(1 << 18, file);
        let width = match format {
            Format::Binary => reading.binary(input),
            Format::Text => reading.text(input, true),
            Format::TextWithoutHeader => reading.text(input, false),
        }?;
        let Reading { words, ids, values, .. } = reading;
        let vectors = Tensor::from_slice(&values, [words.len(), width]);
        Ok(WordVectors::indexed(words, vectors, ids))
    }
}

/// What has been read of a file.
struct Reading<'p> {
    path: &'p Path,
    options: ReadOptions,
    words: Vec<String>,
    ids: HashMap<String, u32>,
    values: Vec<f32>,
}

/// The numbers of a header: how many words, and how many numbers each.
fn header(line: &[u8]) -> Option<(usize, usize)> {
    let mut fields = std::str::from_utf8(line).ok()?.split_ascii_whitespace();
    let pair = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
    fields.next().is_none().then_some(pair)
}

impl Reading<'_> {
    fn wrong<T>(&self, place: Place, reason: impl Into<String>) -> Result<T, TextError> {
        Err(TextError::Malformed { path: self.path.to_path_buf(), place, reason: reason.into() })
    }

    fn io(&self, error: io::Error) -> TextError {
        TextError::io(self.path)(error)
    }

    /// Whether as many words have been read as are wanted.
    fn full(&self) -> bool {
        self.options.limit.is_some_and(|limit| self.words.len() >= limit)
    }

    /// Takes a word and its numbers. `first` says where an earlier word stands.
    fn take(
        &mut self,
        word: &str,
        numbers: impl Iterator<Item = f32>,
        place: Place,
        first: impl Fn(u32) -> String,
    ) -> Result<(), TextError> {
        if word.is_empty() {
            return self.wrong(place, "expected a word before the numbers");
        }
        let id = u32::try_from(self.words.len()).or_else(|_| self.wrong(place, "expected fewer than 2^32 words"))?;
        match self.ids.entry(word.to_string()) {
            Entry::Occupied(_) if self.options.lenient => {}
            Entry::Occupied(entry) => {
                let first = first(*entry.get());
                return self.wrong(place, format!("the word {word:?} stands there twice, first {first}"));
            }
            Entry::Vacant(entry) => {
                entry.insert(id);
                self.words.push(word.to_string());
                self.values.extend(numbers);
            }
        }
        Ok(())
    }

    fn utf8<'b>(&self, bytes: &'b [u8], place: Place, of: &str) -> Result<Cow<'b, str>, TextError> {
        match std::str::from_utf8(bytes) {
            Ok(text) => Ok(Cow::Borrowed(text)),
            Err(_) if self.options.lenient => Ok(String::from_utf8_lossy(bytes)),
            Err(error) => self.wrong(place, format!("no UTF-8 from byte {} of the {of} on", error.valid_up_to())),
        }
    }

    /// Reads text, and returns the width.
    fn text(&mut self, mut input: impl BufRead, may_have_header: bool) -> Result<usize, TextError> {
        let (mut line, mut numbers) = (Vec::new(), Vec::new());
        let (mut expected, mut width, mut empty) = (None, None, None);
        let (mut number, mut records) = (0, 0);
        while !self.full() {
            line.clear();
            if input.read_until(b'\n', &mut line).map_err(|error| self.io(error))? == 0 {
                break;
            }
            number += 1;
            let place = Place::Line(number);
            // gensim, too, takes ASCII's spaces away at the end, and no others: fastText ends each line with one.
            let text = self.utf8(line.trim_ascii_end(), place, "line")?;
            if text.is_empty() {
                empty.get_or_insert(place);
                continue;
            }
            if let Some(place) = empty {
                return self.wrong(place, "an empty line; expected a word and its numbers");
            }
            if number == 1
                && may_have_header
                && let Some((words, columns)) = header(&line)
            {
                if columns == 0 {
                    return self.wrong(place, "vectors of 0 numbers; expected 1 or more");
                }
                (expected, width) = (Some(words), Some(columns));
                continue;
            }
            if expected == Some(records) {
                return self.wrong(place, format!("expected the end, after the {records} words that line 1 says"));
            }
            let columns = match width {
                Some(columns) => columns,
                None if !text.contains(' ') => return self.wrong(place, "expected a word and its numbers"),
                None => *width.insert(text.matches(' ').count()),
            };
            let word = self.numbers(&text, columns, place, &mut numbers)?;
            let header_lines = usize::from(expected.is_some());
            self.take(word, numbers.iter().rev().copied(), place, |id| {
                format!("on line {}", id as usize + 1 + header_lines)
            })?;
            records += 1;
        }
        match (width, expected) {
            (_, Some(words)) if records < words && !self.full() => self.wrong(
                Place::Line(number + 1),
                format!("the end, after {records} of the {words} words that line 1 says"),
            ),
            (Some(width), _) => Ok(width),
            (None, _) if self.full() => Ok(0),
            (None, _) => self.wrong(Place::Line(1), "nothing; expected a word and its numbers"),
        }
    }

    /// The word of a line, and its last so many fields as numbers, the last one first.
    fn numbers<'l>(
        &self,
        line: &'l str,
        columns: usize,
        place: Place,
        numbers: &mut Vec<f32>,
    ) -> Result<&'l str, TextError> {
        numbers.clear();
        let mut word = line;
        while numbers.len() < columns {
            let Some((rest, field)) = word.rsplit_once(' ') else {
                return self.wrong(place, format!("{} numbers; expected {columns}", numbers.len()));
            };
            match field.parse::<f32>() {
                Ok(x) if x.is_finite() => numbers.push(x),
                _ => return self.wrong(place, format!("{field:?}; expected a finite number")),
            }
            word = rest;
        }
        // The word may have spaces in it, but what ends in a number is a line of too many.
        let more = word.split(' ').skip(1).collect::<Vec<_>>();
        let more = more.iter().rev().take_while(|field| field.parse::<f32>().is_ok()).count();
        if more > 0 {
            return self.wrong(place, format!("{} numbers; expected {columns}", columns + more));
        }
        Ok(word)
    }

    /// Reads the binary form, and returns the width.
    fn binary(&mut self, mut input: impl BufRead) -> Result<usize, TextError> {
        let mut line = Vec::new();
        let mut byte = input.by_ref().take(100).read_until(b'\n', &mut line).map_err(|error| self.io(error))? as u64;
        let Some((words, width)) = header(&line).filter(|&(_, width)| width > 0 && line.ends_with(b"\n")) else {
            return self.wrong(Place::Line(1), "expected two whole numbers: how many words, and the width of a vector");
        };
        let size = width.checked_mul(size_of::<f32>()).map(|size| size as u64);
        let (mut word, mut numbers) = (Vec::new(), Vec::new());
        for record in 1..=words {
            if self.full() {
                return Ok(width);
            }
            let place = Place::Record { record, byte };
            word.clear();
            byte +=
                input.by_ref().take(LONGEST_WORD).read_until(b' ', &mut word).map_err(|error| self.io(error))? as u64;
            // word2vec.c ends each record with the end of a line, which then stands before the next word.
            let ends = word.iter().take_while(|&&byte| byte == b'\n').count();
            let Some(name) = word[ends..].strip_suffix(b" ") else {
                let reason = if word.len() as u64 == LONGEST_WORD {
                    format!("no space in {LONGEST_WORD} bytes; expected a word and a space")
                } else {
                    format!("the end, in record {record} of the {words} that line 1 says; expected a word and a space")
                };
                return self.wrong(place, reason);
            };
            let name = self.utf8(name, place, "word")?.into_owned();
            numbers.clear();
            let limit = size.unwrap_or(u64::MAX);
            let read = input.by_ref().take(limit).read_to_end(&mut numbers).map_err(|error| self.io(error))? as u64;
            byte += read;
            if size != Some(read) {
                return self.wrong(place, format!("the end, after {read} bytes of the {width} numbers of {name:?}"));
            }
            let floats = numbers.as_chunks().0.iter().map(|&bytes| f32::from_le_bytes(bytes));
            if let Some(x) = floats.clone().find(|x| !x.is_finite()) {
                return self.wrong(place, format!("{x} in the vector of {name:?}; expected a finite number"));
            }
            self.take(&name, floats, place, |id| format!("in record {}", id + 1))?;
        }
        let place = Place::Record { record: words.saturating_add(1), byte };
        let mut rest = Vec::new();
        input.take(100).read_to_end(&mut rest).map_err(|error| self.io(error))?;
        if !rest.trim_ascii().is_empty() {
            return self.wrong(place, format!("expected the end, after the {words} words that line 1 says"));
        }
        Ok(width)
    }
}
