//! Making alike what should count as the same word.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// What [`normalize`](Normalizer::normalize) does to a text, in this order. By default all of it.
///
/// ```
/// use nn::text::Normalizer;
/// let all = Normalizer::default();
/// assert_eq!(all.normalize("  “Don’t!” said\n the NAÏVE Ångström—twice. "), "don't said the naive angstrom twice");
/// let some = Normalizer { strip_punctuation: false, lowercase: false, ..all };
/// assert_eq!(some.normalize("Cæsar's  café…"), "Cæsar's cafe…");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Normalizer {
    /// Lower case, by Unicode's table.
    pub lowercase: bool,
    /// Takes the marks off letters: "naïve" becomes "naive". Letters of their own stay: "ø", "ß", "æ".
    pub strip_accents: bool,
    /// A space for everything that is no letter, digit, mark or space. An apostrophe between two letters stays, as a
    /// straight one.
    pub strip_punctuation: bool,
    /// One space between words, and none at the ends.
    pub collapse_whitespace: bool,
}

impl Default for Normalizer {
    fn default() -> Normalizer {
        Normalizer { lowercase: true, strip_accents: true, strip_punctuation: true, collapse_whitespace: true }
    }
}

impl Normalizer {
    /// The text after these steps.
    pub fn normalize(&self, text: &str) -> String {
        let mut text = if self.lowercase { text.to_lowercase() } else { text.to_string() };
        if self.strip_accents {
            // Letters and their marks apart, the marks away, and what belongs together (Hangul) together again.
            text = text.nfd().filter(|&c| !is_combining_mark(c)).nfc().collect();
        }
        if self.strip_punctuation {
            text = without_punctuation(&text);
        }
        if self.collapse_whitespace {
            text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        }
        text
    }
}

fn without_punctuation(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut after_letter = false;
    let mut characters = text.chars().peekable();
    while let Some(c) = characters.next() {
        let apostrophe =
            matches!(c, '\'' | '’') && after_letter && characters.peek().is_some_and(|c| c.is_alphabetic());
        let kept = c.is_alphanumeric() || c.is_whitespace() || is_combining_mark(c);
        out.push(if apostrophe {
            '\''
        } else if kept {
            c
        } else {
            ' '
        });
        after_letter = c.is_alphabetic() || (after_letter && is_combining_mark(c));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_step_stands_alone() {
        let none =
            Normalizer { lowercase: false, strip_accents: false, strip_punctuation: false, collapse_whitespace: false };
        let text = "  Ça —\tc'est  ‘L’ÉTÉ’, e\u{301}.\n";
        assert_eq!(none.normalize(text), text);
        assert_eq!(Normalizer { lowercase: true, ..none }.normalize(text), "  ça —\tc'est  ‘l’été’, e\u{301}.\n");
        assert_eq!(Normalizer { strip_accents: true, ..none }.normalize(text), "  Ca —\tc'est  ‘L’ETE’, e.\n");
        let bare = Normalizer { strip_punctuation: true, ..none }.normalize(text);
        assert_eq!(bare, "  Ça  \tc'est   L'ÉTÉ   e\u{301} \n");
        let tight = Normalizer { collapse_whitespace: true, ..none }.normalize(text);
        assert_eq!(tight, "Ça — c'est ‘L’ÉTÉ’, e\u{301}.");
    }

    #[test]
    fn scripts_without_accents_stay_as_they_are() {
        let all = Normalizer::default();
        for text in ["한국어", "漢字 かな", "привет", "straße", "x2"] {
            assert_eq!(all.normalize(text), text);
        }
        assert_eq!(all.normalize("rock 'n' roll's 'end'"), "rock n roll's end");
        assert_eq!(all.normalize(""), "");
    }
}
