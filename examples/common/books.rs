//! Texts to learn language from: the Bible's translations that come with the examples, and files of one's own.

use anyhow::{Result, ensure};
use bible_lib::{Bible, Translation};
use nn::text::{read_texts, strip_gutenberg};
use std::path::Path;

/// The King James translation.
pub const KING_JAMES: Translation = Translation::KingJames;

/// All translations that the examples have: those of 1611, 1885, 1901 and 1999.
pub fn translations() -> [Translation; 4] {
    [KING_JAMES, Translation::EnglishRevised, Translation::AmericanStandard, Translation::AmericanKingJames]
}

/// The verses of a translation, in order. (bible-lib 1.2 ends a verse at its first colon; what follows is lost.)
pub fn verses(translation: Translation) -> Result<Vec<String>> {
    let bible = Bible::new(translation).map_err(|error| anyhow::anyhow!("bible-lib: {error}"))?;
    let mut all = Vec::with_capacity(31_102);
    for book in bible.get_sorted_books() {
        let mut chapters: Vec<_> = bible.verses[&book].iter().collect();
        chapters.sort_unstable_by_key(|(number, _)| **number);
        for (_, chapter) in chapters {
            let mut verses: Vec<_> = chapter.iter().collect();
            verses.sort_unstable_by_key(|(number, _)| **number);
            all.extend(verses.into_iter().map(|(_, verse)| verse.clone()));
        }
    }
    Ok(all)
}

/// The text of a file, or of each `.txt` file in a folder, in the order of their paths; without Project Gutenberg's
/// licence before and after it. An error if there is not a word in all of them.
pub fn texts(path: &Path) -> Result<Vec<String>> {
    let texts: Vec<String> = read_texts(path)?.iter().map(|(_, text)| strip_gutenberg(text).to_string()).collect();
    let words = texts.iter().any(|text| text.chars().any(char::is_alphabetic));
    ensure!(words, "{}: there is no word in it; expected a text file, or a folder of .txt files", path.display());
    Ok(texts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bible_begins_with_the_beginning() {
        let verses = verses(KING_JAMES).unwrap();
        assert_eq!(verses.len(), 31_102);
        assert_eq!(verses[0], "In the beginning God created the heaven and the earth.");
    }

    #[test]
    fn a_file_without_a_word_is_named() {
        let path = std::env::temp_dir().join(format!("chainrule-empty-{}.txt", std::process::id()));
        for nothing in ["", "\n\n", "1 2 3 ..."] {
            std::fs::write(&path, nothing).unwrap();
            let error = texts(&path).unwrap_err().to_string();
            assert!(error.contains(path.to_str().unwrap()) && error.contains("expected a text file"), "{error}");
        }
        std::fs::write(&path, "a word").unwrap();
        assert_eq!(texts(&path).unwrap(), ["a word"]);
        std::fs::remove_file(&path).unwrap();
    }
}
