//! What can go wrong with a file of training data.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// What can go wrong with a file of training data.
///
/// The message says all of it, also what the system said; there is no `source` to be printed after it.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    /// The file cannot be read or written.
    #[error("{path}: {cause}")]
    Io {
        /// Which file or folder.
        path: PathBuf,
        /// What the system says.
        cause: io::Error,
    },
    /// The file ends too early.
    #[error("{path}, {at}: the file ends here; expected {expected}")]
    Truncated {
        /// Which file.
        path: PathBuf,
        /// Where it ends.
        at: Offset,
        /// What should have come.
        expected: String,
    },
    /// The file is not what it should be.
    #[error("{path}, {at}: {found}; expected {expected}")]
    Malformed {
        /// Which file.
        path: PathBuf,
        /// Where in it.
        at: Offset,
        /// What stands there.
        found: String,
        /// What would have fitted.
        expected: String,
    },
    /// One file has more examples than the other has labels, or fewer.
    #[error("{images_path} has {images} images, and {labels_path} has {labels} labels; expected one for each")]
    Unmatched {
        /// The file of images.
        images_path: PathBuf,
        /// How many it has.
        images: usize,
        /// The file of labels.
        labels_path: PathBuf,
        /// How many it has.
        labels: usize,
    },
    /// A picture, or a folder of them, is not what it should be.
    #[error("{path}: {found}; expected {expected}")]
    Picture {
        /// Which file or folder.
        path: PathBuf,
        /// What it is, or what is wrong with it.
        found: String,
        /// What would have fitted.
        expected: String,
    },
}

/// A place in a file, counted in bytes from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Offset {
    /// In the file itself.
    File(u64),
    /// In what a packed file unpacks to.
    Unpacked(u64),
}

impl fmt::Display for Offset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Offset::File(byte) => write!(f, "byte {byte}"),
            Offset::Unpacked(byte) => write!(f, "byte {byte} of what it unpacks to"),
        }
    }
}

impl DataError {
    pub(super) fn io(path: &Path) -> impl FnOnce(io::Error) -> DataError {
        move |cause| DataError::Io { path: path.to_path_buf(), cause }
    }
}
