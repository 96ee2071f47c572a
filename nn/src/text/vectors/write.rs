//! Writing word vectors.

use super::{Format, WordVectors};
use crate::files::write_at_one_stroke;
use crate::text::TextError;
use std::path::Path;

impl WordVectors {
    /// Writes the vectors to a file, which gensim, word2vec and GloVe's tools read. Text has as many digits as it
    /// takes to read the same numbers again.
    ///
    /// # Errors
    /// If a word is empty or has a space or the end of a line in it, where no reader could tell where it ends, or
    /// the file cannot be written; then the old one, if any, is as it was.
    pub fn write(&self, path: &Path, format: Format) -> Result<(), TextError> {
        if let Some(word) = self.words.iter().find(|word| word.is_empty() || word.contains([' ', '\n'])) {
            let reason = "it is empty or has a space or the end of a line in it".to_string();
            return Err(TextError::Word { path: path.to_path_buf(), word: word.clone(), reason });
        }
        write_at_one_stroke(path, |file| {
            if format != Format::TextWithoutHeader {
                writeln!(file, "{} {}", self.len(), self.width())?;
            }
            for (id, word) in (0..).zip(&self.words) {
                write!(file, "{word}")?;
                match format {
                    Format::Text | Format::TextWithoutHeader => {
                        for x in self.row(id) {
                            write!(file, " {x:?}")?;
                        }
                        writeln!(file)?;
                    }
                    Format::Binary => {
                        write!(file, " ")?;
                        for x in self.row(id) {
                            file.write_all(&x.to_le_bytes())?;
                        }
                    }
                }
            }
            Ok(())
        })
        .map_err(TextError::io(path))
    }
}
