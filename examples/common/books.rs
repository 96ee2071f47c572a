//! Texts to learn language from: the Bible's translations that come with the examples, and files of one's own.

use anyhow::{Context, Result, ensure};
use bible_lib::{Bible, Translation};
use std::fs;
use std::path::{Path, PathBuf};

/// The King James translation.
pub const KING_JAMES: Translation = Translation::KingJames;

/// All translations that the examples have: those of 1611, 1885, 1901 and 1999.
pub fn translations() -> [Translation; 4] {
    [KING_JAMES, Translation::EnglishRevised, Translation::AmericanStandard, Translation::AmericanKingJames]
}

/// The verses of a translation, in order. (bible-lib 1.2 ends a verse at its first colon; what follows is lost.)
pub fn verses(translation: Translation) -> Result<Vec<String>> {
    let bible = Bible::new(translation).map_err(|error| anyhow::anyhow!("bible-lib: {error}"))?;
    let mut all = Vec::with_capacity(31_103);
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

/// The text of a file, or of each `.txt` file in a folder, in the order of their names; without Project Gutenberg's
/// licence before and after it.
pub fn texts(path: &Path) -> Result<Vec<String>> {
    let mut files: Vec<PathBuf> = if path.is_dir() {
        let entries = fs::read_dir(path).with_context(|| format!("cannot read the folder {}", path.display()))?;
        let files: std::io::Result<Vec<_>> = entries.map(|entry| Ok(entry?.path())).collect();
        files?.into_iter().filter(|file| file.extension().is_some_and(|extension| extension == "txt")).collect()
    } else {
        vec![path.to_path_buf()]
    };
    ensure!(!files.is_empty(), "{} has no .txt file", path.display());
    files.sort();
    let text = |file: &PathBuf| {
        let text = fs::read_to_string(file).with_context(|| format!("cannot read {} as UTF-8 text", file.display()))?;
        Ok(without_licence(&text).to_string())
    };
    files.iter().map(text).collect()
}

/// What stands between the lines `*** START OF …` and `*** END OF …` of a Gutenberg text.
fn without_licence(text: &str) -> &str {
    let body = match text.find("*** START OF") {
        Some(start) => text[start..].split_once('\n').map_or("", |(_, body)| body),
        None => text,
    };
    body.find("*** END OF").map_or(body, |end| &body[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_licence_is_no_text() {
        let book =
            "The Project Gutenberg eBook\n*** START OF THE PROJECT ***\nIt was *** dark.\n*** END OF THE\nLicence";
        assert_eq!(without_licence(book), "It was *** dark.\n");
        assert_eq!(without_licence("Plain text"), "Plain text");
    }

    #[test]
    fn the_bible_begins_with_the_beginning() {
        let verses = verses(KING_JAMES).unwrap();
        assert_eq!(verses.len(), 31_103);
        assert_eq!(verses[0], "In the beginning God created the heaven and the earth.");
    }
}
