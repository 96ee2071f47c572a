//! What can go wrong with a file of text, a vocabulary or word vectors.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// What can go wrong with a file of text, a vocabulary or word vectors.
///
/// The message says all of it, also what the system said; there is no `source` to be printed after it.
#[derive(Debug, thiserror::Error)]
pub enum TextError {
    /// The file cannot be read or written.
    #[error("{path}: {cause}")]
    Io {
        /// Which file.
        path: PathBuf,
        /// What the system says.
        cause: io::Error,
    },
    /// The file is not what it should be.
    #[error("{path}, {place}: {reason}")]
    Malformed {
        /// Which file.
        path: PathBuf,
        /// Where in it.
        place: Place,
        /// What stands there, and what was expected.
        reason: String,
    },
    /// A word cannot be written in the form that was asked for.
    #[error("{path}: the word {word:?} cannot be written: {reason}")]
    Word {
        /// Which file.
        path: PathBuf,
        /// Which word.
        word: String,
        /// Why.
        reason: String,
    },
}

/// A place in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// A line, the first of which is line 1.
    Line(usize),
    /// A byte of a binary file, the first of which is byte 0, in a record, the first of which is record 1.
    Record {
        /// Which record.
        record: usize,
        /// Where the record begins.
        byte: u64,
    },
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Line(line) => write!(f, "line {line}"),
            Place::Record { record, byte } => write!(f, "record {record} at byte {byte}"),
        }
    }
}

impl TextError {
    pub(super) fn io(path: &Path) -> impl FnOnce(io::Error) -> TextError {
        move |cause| TextError::Io { path: path.to_path_buf(), cause }
    }

    pub(super) fn line(path: &Path, line: usize, reason: impl Into<String>) -> TextError {
        TextError::Malformed { path: path.to_path_buf(), place: Place::Line(line), reason: reason.into() }
    }
}
