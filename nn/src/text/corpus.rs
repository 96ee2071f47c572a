//! Texts from files.

use super::error::TextError;
use std::fs;
use std::path::{Path, PathBuf};

/// Reads a file of text, or all files `*.txt` in a folder and the folders in it, in the order of their paths: each
/// with its text, which has no byte order mark, and `\n` alone at the end of each line.
///
/// # Errors
/// If a file cannot be read or is no UTF-8, which is named by its line, or a folder has no such file.
pub fn read_texts(path: &Path) -> Result<Vec<(PathBuf, String)>, TextError> {
    let mut paths = Vec::new();
    if path.is_dir() {
        list(path, &mut paths)?;
        paths.sort();
        if paths.is_empty() {
            let cause = std::io::Error::new(std::io::ErrorKind::NotFound, "no file *.txt in this folder");
            return Err(TextError::Io { path: path.to_path_buf(), cause });
        }
    } else {
        paths.push(path.to_path_buf());
    }
    paths.into_iter().map(|path| read(&path).map(|text| (path, text))).collect()
}

/// The files `*.txt` under a folder.
fn list(folder: &Path, paths: &mut Vec<PathBuf>) -> Result<(), TextError> {
    for entry in fs::read_dir(folder).map_err(TextError::io(folder))? {
        let entry = entry.map_err(TextError::io(folder))?;
        let path = entry.path();
        // Of links, only those to files are followed: one to a folder may lead back here.
        if entry.file_type().map_err(TextError::io(&path))?.is_dir() {
            list(&path, paths)?;
        } else if path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("txt")) && path.is_file() {
            paths.push(path);
        }
    }
    Ok(())
}

fn read(path: &Path) -> Result<String, TextError> {
    let bytes = fs::read(path).map_err(TextError::io(path))?;
    let text = String::from_utf8(bytes).map_err(|error| {
        let good = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = 1 + good.iter().filter(|&&byte| byte == b'\n').count();
        TextError::line(path, line, "no UTF-8")
    })?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    Ok(text.replace("\r\n", "\n"))
}

/// A text of Project Gutenberg without the licence: what stands between the lines `*** START OF …` and
/// `*** END OF …` and is not "End of Project Gutenberg's …", without empty lines at its ends.
///
/// ```
/// use nn::text::strip_gutenberg;
/// let text = "The Project Gutenberg eBook of Emma\n\n*** START OF THE PROJECT GUTENBERG EBOOK EMMA ***\n\nEmma\n\n\
///             *** END OF THE PROJECT GUTENBERG EBOOK EMMA ***\n\nSection 1. General Terms of Use\n";
/// assert_eq!(strip_gutenberg(text), "Emma");
/// ```
pub fn strip_gutenberg(text: &str) -> &str {
    let mark = |line: &str, word: &str| {
        let rest = line.trim().strip_prefix("***").map(str::trim_start).and_then(|line| line.strip_prefix(word));
        rest.is_some_and(|rest| rest.to_uppercase().contains("PROJECT GUTENBERG"))
    };
    let (mut begin, mut end, mut at) = (0, None, 0);
    for line in text.split_inclusive('\n') {
        if begin == 0 && mark(line, "START OF") {
            begin = at + line.len();
        }
        let says_end = ["End of Project Gutenberg", "End of the Project Gutenberg"];
        if mark(line, "END OF") || says_end.iter().any(|words| line.trim_start().starts_with(words)) {
            end = Some(at);
            break;
        }
        at += line.len();
    }
    text[begin..end.unwrap_or(text.len())].trim()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_licence_goes_and_nothing_else() {
        let old = "Header\n***START OF THE PROJECT GUTENBERG EBOOK X***\nProduced by Y\n\nIt began.\n *** \nIt ended.\n\n\
                   End of Project Gutenberg's X, by Z\n\n***END OF THE PROJECT GUTENBERG EBOOK X***\nlicence\n";
        assert_eq!(strip_gutenberg(old), "Produced by Y\n\nIt began.\n *** \nIt ended.");
        for untouched in ["", "A text.\n", " *** START OF LIFE ***\nx"] {
            assert_eq!(strip_gutenberg(untouched), untouched.trim());
        }
        let only_end = "A\n*** END OF THIS PROJECT GUTENBERG EBOOK ***\nB";
        assert_eq!(strip_gutenberg(only_end), "A");
    }

    #[test]
    fn a_file_or_a_folder_is_read() {
        let folder = std::env::temp_dir().join(format!("chainrule-texts-{}", std::process::id()));
        fs::create_dir_all(folder.join("b")).unwrap();
        let error = read_texts(&folder).unwrap_err().to_string();
        assert!(error.ends_with("no file *.txt in this folder"), "{error}");
        fs::write(folder.join("c.TXT"), "\u{feff}one\r\ntwo\n").unwrap();
        fs::write(folder.join("b/a.txt"), "three").unwrap();
        fs::write(folder.join("notes.md"), b"\xff").unwrap();
        let texts = read_texts(&folder).unwrap();
        let expected =
            [(folder.join("b/a.txt"), "three".to_string()), (folder.join("c.TXT"), "one\ntwo\n".to_string())];
        assert_eq!(texts, expected);
        assert_eq!(read_texts(&folder.join("c.TXT")).unwrap(), texts[1..]);
        let error = read_texts(&folder.join("notes.md")).unwrap_err().to_string();
        assert!(error.ends_with("notes.md, line 1: no UTF-8"), "{error}");
        assert!(read_texts(&folder.join("none.txt")).is_err());
        fs::remove_dir_all(&folder).unwrap();
    }
}
