//! Words and sentences, cut where Unicode Annex 29 says they end.

use unicode_segmentation::UnicodeSegmentation;

/// The words of a text, without punctuation and spaces. What Unicode calls a word keeps its inner apostrophes and
/// points: "can't" and "3.14" are one word each, "well-known" is two.
///
/// ```
/// use nn::text::{sentences, words, words_and_punctuation};
/// assert!(words("Don't pay 3.14 €, naïve fool!").eq(["Don't", "pay", "3.14", "naïve", "fool"]));
/// assert!(words_and_punctuation("Don't pay 3.14 €!").eq(["Don't", "pay", "3.14", "€", "!"]));
/// assert_eq!(sentences("It was dark\nand cold. And then?\n\nCHAPTER II"), ["It was dark\nand cold.", "And then?", "CHAPTER II"]);
/// ```
pub fn words(text: &str) -> impl DoubleEndedIterator<Item = &str> {
    text.unicode_words()
}

/// The words of a text and what stands between them but spaces: each mark of punctuation is a token of its own.
pub fn words_and_punctuation(text: &str) -> impl DoubleEndedIterator<Item = &str> {
    text.split_word_bounds().filter(|token| !token.trim().is_empty())
}

/// The characters of a text as a person counts them: a letter with its accents is one, and so is an emoji with its
/// parts. (`str::chars` gives Unicode's code points, which is what models of characters mostly read.)
pub fn characters(text: &str) -> impl DoubleEndedIterator<Item = &str> {
    text.graphemes(true)
}

/// The sentences of a text, without the spaces around them.
///
/// The end of a line ends no sentence, since most texts are wrapped, but an empty line does. It is a rule without a
/// dictionary: a capital after an abbreviation starts a new sentence, so that "Mr. Hyde" is two, and so does anything
/// after "!" and "?".
pub fn sentences(text: &str) -> Vec<&str> {
    // Unicode's rule ends a sentence with each line; so it is asked about the text with its lines joined, which has
    // the same bytes in the same places.
    let joined = joined_lines(text);
    let spans = joined.unicode_sentences().map(|sentence| {
        let start = sentence.as_ptr() as usize - joined.as_ptr() as usize;
        text[start..start + sentence.len()].trim()
    });
    spans.collect()
}

/// The text with a space for each end of a line that no empty line follows.
fn joined_lines(text: &str) -> String {
    let mut joined = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let rest = &text[joined.len() + line.len()..];
        let next = rest.split('\n').next().unwrap_or(rest);
        let (body, end) = line.split_at(line.trim_end_matches(['\n', '\r']).len());
        joined.push_str(body);
        let ends_paragraph = body.trim().is_empty() || next.trim().is_empty();
        if ends_paragraph { joined.push_str(end) } else { joined.extend(end.chars().map(|_| ' ')) }
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_go_over_the_ends_of_lines_and_not_over_empty_lines() {
        let text =
            "The Time\r\nTraveller (for so it will be\r\nconvenient). “Yes.” he\nsaid.  No!\r\n \r\nII\n\n\nThe end";
        let expected =
            ["The Time\r\nTraveller (for so it will be\r\nconvenient).", "“Yes.” he\nsaid.", "No!", "II", "The end"];
        assert_eq!(sentences(text), expected);
        assert_eq!(sentences("  \n\n ... "), [""; 0]);
    }

    #[test]
    fn a_word_is_what_unicode_says() {
        assert!(words("").eq([""; 0]));
        assert!(words("L'été, Οδυσσεύς; e-mail_me 1,000.5 字").eq([
            "L'été",
            "Οδυσσεύς",
            "e",
            "mail_me",
            "1,000.5",
            "字"
        ]));
        assert!(characters("e\u{301}a👩‍🚀\n").eq(["e\u{301}", "a", "👩‍🚀", "\n"]));
        assert!(words_and_punctuation("“No,”\n\the said…").eq(["“", "No", ",", "”", "he", "said", "…"]));
    }
}
