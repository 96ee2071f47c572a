//! A binary file, plain or packed by gzip, that is read with suspicion: what it says of itself is held against what
//! is there before memory is asked for.

use super::error::{DataError, Offset};
use flate2::bufread::MultiGzDecoder;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

/// The most that a packed file may unpack to. 10 MB of gzip can be 10 GB of zeros, which nobody means by a data set.
pub const MOST_UNPACKED: u64 = 1 << 30;

/// An open file, and how far it is read.
pub struct Source {
    path: PathBuf,
    reader: Box<dyn Read>,
    position: u64,
    contents: Contents,
}

/// What the bytes come from.
#[derive(Clone, Copy)]
enum Contents {
    /// A plain file of so many bytes.
    File(u64),
    /// A pipe or the like, whose length nobody knows.
    Stream,
    /// A gzip file.
    Packed,
}

impl Source {
    /// Opens a file; one that begins as gzip files do is unpacked.
    pub fn open(path: &Path) -> Result<Source, DataError> {
        Source::open_file(path).map_err(DataError::io(path))
    }

    fn open_file(path: &Path) -> io::Result<Source> {
        let file = File::open(path)?;
        let about = file.metadata()?;
        let mut file = BufReader::with_capacity(1 << 16, file);
        let packed = file.fill_buf()?.starts_with(&[0x1f, 0x8b]);
        let (reader, contents): (Box<dyn Read>, _) = if packed {
            (Box::new(MultiGzDecoder::new(file)), Contents::Packed)
        } else if about.is_file() {
            (Box::new(file), Contents::File(about.len()))
        } else {
            (Box::new(file), Contents::Stream)
        };
        Ok(Source { path: path.to_path_buf(), reader, position: 0, contents })
    }

    /// Which file this is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The next `count` bytes, which are `what`.
    pub fn bytes(&mut self, count: u64, what: &str) -> Result<Vec<u8>, DataError> {
        let mut bytes = Vec::new();
        self.append(count, what, &mut bytes)?;
        Ok(bytes)
    }

    /// Puts the next `count` bytes, which are `what`, behind `bytes`.
    pub fn append(&mut self, count: u64, what: &str, bytes: &mut Vec<u8>) -> Result<(), DataError> {
        let expected = format!("{count} bytes of {what} from {}", self.offset(self.position));
        match self.contents {
            Contents::File(length) if length.saturating_sub(self.position) < count => {
                return Err(self.truncated(length, expected));
            }
            Contents::File(_) => {
                // The file has so many, so they may be asked for at once.
                let room = usize::try_from(count).unwrap_or(usize::MAX);
                bytes.try_reserve_exact(room).map_err(|error| self.io(error.into()))?;
            }
            Contents::Packed if self.position.saturating_add(count) > MOST_UNPACKED => {
                let expected = format!("a packed file to unpack to at most {MOST_UNPACKED} bytes");
                return Err(self.malformed(self.position, format!("{count} bytes of {what}"), expected));
            }
            // The vector grows as bytes come, to twice what was there at most.
            Contents::Stream | Contents::Packed => {}
        }
        if self.read(count, &expected, bytes)? < count {
            return Err(self.truncated(self.position, expected));
        }
        Ok(())
    }

    /// Puts all bytes that are left, which are `what`, behind `bytes`.
    pub fn append_rest(&mut self, what: &str, bytes: &mut Vec<u8>) -> Result<(), DataError> {
        if let Contents::File(length) = self.contents {
            return self.append(length.saturating_sub(self.position), what, bytes);
        }
        self.read(MOST_UNPACKED + 1 - self.position, what, bytes)?;
        if self.position > MOST_UNPACKED {
            let expected = format!("at most {MOST_UNPACKED} bytes");
            return Err(self.malformed(MOST_UNPACKED, format!("more {what}"), expected));
        }
        Ok(())
    }

    /// Makes sure that nothing follows, and that a packed file is whole to its checksum.
    pub fn end(&mut self) -> Result<(), DataError> {
        let end = self.position;
        if self.read(1, "gzip's checksum", &mut Vec::new())? > 0 {
            return Err(self.malformed(end, "more bytes", "the end of the file"));
        }
        Ok(())
    }

    /// Puts up to `count` bytes behind `bytes`, and says how many there were.
    fn read(&mut self, count: u64, expected: &str, bytes: &mut Vec<u8>) -> Result<u64, DataError> {
        let before = bytes.len();
        let result = (&mut self.reader).take(count).read_to_end(bytes);
        let read = (bytes.len() - before) as u64;
        self.position += read;
        let Err(error) = result else { return Ok(read) };
        // Of a packed file, most errors mean that the packing is broken.
        Err(match (self.contents, error.kind()) {
            (Contents::Packed, io::ErrorKind::UnexpectedEof) => self.truncated(self.position, expected.to_string()),
            (Contents::Packed, io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput) => {
                self.malformed(self.position, error.to_string(), format!("{expected}, packed by gzip"))
            }
            _ => self.io(error),
        })
    }

    /// The error that `found` stands at `byte`.
    pub fn malformed(&self, byte: u64, found: impl Into<String>, expected: impl Into<String>) -> DataError {
        let (path, at) = (self.path.clone(), self.offset(byte));
        DataError::Malformed { path, at, found: found.into(), expected: expected.into() }
    }

    /// The error that the file ends at byte `end`.
    pub fn truncated(&self, end: u64, expected: impl Into<String>) -> DataError {
        DataError::Truncated { path: self.path.clone(), at: self.offset(end), expected: expected.into() }
    }

    fn io(&self, cause: io::Error) -> DataError {
        DataError::Io { path: self.path.clone(), cause }
    }

    fn offset(&self, byte: u64) -> Offset {
        if let Contents::Packed = self.contents { Offset::Unpacked(byte) } else { Offset::File(byte) }
    }
}
