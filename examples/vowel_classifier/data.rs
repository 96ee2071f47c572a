//! Strings and what follows them.

use anyhow::{Context, Result, bail, ensure};
use autograd::{Rng, Tensor};
use common::{books, letters};
use std::fs;
use std::path::Path;

/// Characters in a string.
pub const LENGTH: usize = 20;

/// Strings of one length, and whether a vowel (1) or a consonant (0) follows each.
#[derive(Clone)]
pub struct Strings {
    /// `[N, 20]`
    pub tokens: Tensor<i64>,
    /// `[N]`
    pub labels: Tensor<i64>,
}

impl Strings {
    fn new(strings: &[(Vec<i64>, i64)]) -> Strings {
        let tokens: Vec<i64> = strings.iter().flat_map(|(tokens, _)| tokens).copied().collect();
        let labels: Vec<i64> = strings.iter().map(|&(_, label)| label).collect();
        Strings {
            tokens: Tensor::from_slice(&tokens, [labels.len(), LENGTH]),
            labels: Tensor::from_slice(&labels, labels.len()),
        }
    }

    pub fn len(&self) -> usize {
        self.labels.count()
    }

    /// Keeps as many of each label, at most `count` in all.
    pub fn truncate(&mut self, count: usize) {
        let (count, all) = (count.min(self.len()), self.len());
        // Vowels stand first: some from each end.
        let rows: Vec<i64> = (0..count / 2).chain(all - count.div_ceil(2)..all).map(|row| row as i64).collect();
        let rows = Tensor::from_slice(&rows, rows.len());
        *self = Strings { tokens: self.tokens.index_select(0, &rows), labels: self.labels.index_select(0, &rows) };
    }
}

/// What to learn from and what to judge by.
pub struct Data {
    pub train: Strings,
    pub dev: Strings,
    /// Running text to learn the language from, in pieces between which something was cut out.
    pub text: Vec<Vec<i64>>,
    /// Where all this comes from, for a person.
    pub source: String,
}

impl Data {
    /// The files in a folder, or strings cut from the King James text; with running text if asked for.
    pub fn load(folder: Option<&Path>, with_text: bool) -> Result<Data> {
        match folder {
            Some(folder) => Data::from_folder(folder, with_text),
            None => Data::from_king_james(),
        }
    }

    fn from_folder(folder: &Path, with_text: bool) -> Result<Data> {
        let both = |part: &str| -> Result<Vec<(Vec<i64>, i64)>> {
            let mut strings = read_strings(&folder.join(format!("{part}-vowel-examples.txt")), 1)?;
            strings.extend(read_strings(&folder.join(format!("{part}-consonant-examples.txt")), 0)?);
            Ok(strings)
        };
        let (train, dev) = (both("train")?, both("dev")?);
        let mut text = Vec::new();
        if with_text {
            let path = folder.join("text8-100k.txt");
            let raw = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
            let tokens = letters::encode(&letters::clean(&raw));
            text = without(&tokens, &dev);
            let kept: usize = text.iter().map(Vec::len).sum();
            println!(
                "{}: {} of {} characters are left without the development strings and what follows them",
                path.display(),
                kept,
                tokens.len()
            );
        }
        Ok(Data { train: Strings::new(&train), dev: Strings::new(&dev), text, source: folder.display().to_string() })
    }

    /// 5,000 strings of each kind from the first nine tenths of the text, and 500 of each from the last.
    fn from_king_james() -> Result<Data> {
        let tokens = letters::encode(&letters::clean(&books::verses(books::KING_JAMES)?.join(" ")));
        let (first, last) = tokens.split_at(tokens.len() / 10 * 9);
        let mut rng = Rng::seeded(0);
        let (train, dev) = (cut(first, 5000, &mut rng), cut(last, 500, &mut rng));
        let text = vec![first[..first.len().min(100_000)].to_vec()];
        Ok(Data { train: Strings::new(&train), dev: Strings::new(&dev), text, source: "the King James text".into() })
    }
}

/// The lines of a file, each of 20 characters of the alphabet: a space at either end counts.
fn read_strings(path: &Path, label: i64) -> Result<Vec<(Vec<i64>, i64)>> {
    let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut strings = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let place = || format!("{}, line {}", path.display(), number + 1);
        let tokens: Option<Vec<i64>> = line.chars().map(letters::encode_one).collect();
        let Some(tokens) = tokens else { bail!("{}: {line:?} has other characters than a to z and space", place()) };
        ensure!(
            tokens.len() == LENGTH,
            "{}: {line:?} has {} characters where {LENGTH} are wanted",
            place(),
            tokens.len()
        );
        strings.push((tokens, label));
    }
    ensure!(!strings.is_empty(), "{} has no lines", path.display());
    Ok(strings)
}

/// `count` strings that a vowel follows, then as many that a consonant follows, from all over the text.
fn cut(text: &[i64], count: usize, rng: &mut Rng) -> Vec<(Vec<i64>, i64)> {
    let mut strings = Vec::with_capacity(2 * count);
    for vowel in [true, false] {
        let wanted = strings.len() + count;
        while strings.len() < wanted {
            let start = rng.below((text.len() - LENGTH) as u64) as usize;
            let next = text[start + LENGTH];
            if next != letters::SPACE && letters::is_vowel(next) == vowel {
                strings.push((text[start..start + LENGTH].to_vec(), i64::from(vowel)));
            }
        }
    }
    strings
}

/// The text without each place where one of these strings stands, and without the character that follows it: else a
/// model that has read the text has read the answers.
fn without(text: &[i64], strings: &[(Vec<i64>, i64)]) -> Vec<Vec<i64>> {
    let strings: std::collections::HashSet<&[i64]> = strings.iter().map(|(tokens, _)| &tokens[..]).collect();
    let mut keep = vec![true; text.len()];
    for (start, window) in text.windows(LENGTH).enumerate() {
        if strings.contains(window) {
            keep[start..(start + LENGTH + 1).min(text.len())].fill(false);
        }
    }
    let mut pieces = vec![Vec::new()];
    for (&token, keep) in text.iter().zip(keep) {
        match pieces.last_mut() {
            Some(piece) if keep => piece.push(token),
            Some(piece) if !piece.is_empty() => pieces.push(Vec::new()),
            _ => {}
        }
    }
    pieces.retain(|piece| piece.len() > 1);
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_judged_by_is_cut_out() {
        let text = letters::encode("the quick brown fox jumps over the lazy dog again");
        let string = letters::encode("brown fox jumps over");
        assert_eq!(string.len(), LENGTH);
        let pieces = without(&text, &[(string, 1)]);
        assert_eq!(pieces, [letters::encode("the quick "), letters::encode("the lazy dog again")]);
    }

    #[test]
    fn half_of_the_strings_are_followed_by_a_vowel() {
        let text =
            letters::encode(&letters::clean(&"In the beginning God created the heaven and the earth. ".repeat(9)));
        let strings = Strings::new(&cut(&text, 7, &mut Rng::seeded(1)));
        assert_eq!((*strings.tokens.shape(), strings.labels.sum(..).item()), ([14, LENGTH].into(), 7));
    }
}
