//! CIFAR-10 and CIFAR-100 in their binary version: files of records without a header. A record is the label (of
//! CIFAR-100 the coarse one and the fine one), and 3 planes of 32 rows of 32 bytes: red, green, blue. See
//! <https://www.cs.toronto.edu/~kriz/cifar.html>.

use super::error::DataError;
use super::labelled::{LabelledImages, Splits, check_label, images_of};
use super::source::Source;
use autograd::Tensor;
use std::path::{Path, PathBuf};

/// The pixels of an image.
const PIXELS: usize = 3 * 32 * 32;

/// The images of CIFAR-100, whose labels are of two kinds.
#[derive(Clone, Debug)]
pub struct Cifar100 {
    /// `[N, 3, 32, 32]`, with values from 0 to 1.
    pub images: Tensor,
    /// `[N]`, from 0 to 19.
    pub coarse: Tensor<i64>,
    /// `[N]`, from 0 to 99.
    pub fine: Tensor<i64>,
}

/// Reads CIFAR-10 from its folder, or the one that this is in: `data_batch_1.bin` to `data_batch_5.bin` and
/// `test_batch.bin`. Images are `[N, 3, 32, 32]`, their values from 0 to 1.
///
/// # Errors
/// If a file is not there or not what it should be; see [`read_cifar10_batch`].
pub fn read_cifar10(folder: impl AsRef<Path>) -> Result<Splits, DataError> {
    let folder = inner(folder.as_ref(), "cifar-10-batches-bin");
    let parts: [PathBuf; 5] = std::array::from_fn(|i| folder.join(format!("data_batch_{}.bin", i + 1)));
    Ok(Splits { train: cifar10(&parts)?, test: cifar10(&[folder.join("test_batch.bin")])? })
}

/// Reads one file of CIFAR-10.
///
/// # Errors
/// If the file cannot be read, does not end with a record, or has a label above 9.
pub fn read_cifar10_batch(path: impl AsRef<Path>) -> Result<LabelledImages, DataError> {
    cifar10(&[path.as_ref().to_path_buf()])
}

/// Reads CIFAR-100 from its folder, or the one that this is in: `train.bin` and `test.bin`.
///
/// # Errors
/// If a file is not there or not what it should be; see [`read_cifar100_batch`].
pub fn read_cifar100(folder: impl AsRef<Path>) -> Result<Splits<Cifar100>, DataError> {
    let folder = inner(folder.as_ref(), "cifar-100-binary");
    Ok(Splits {
        train: read_cifar100_batch(folder.join("train.bin"))?,
        test: read_cifar100_batch(folder.join("test.bin"))?,
    })
}

/// Reads one file of CIFAR-100.
///
/// # Errors
/// If the file cannot be read, does not end with a record, or has a coarse label above 19 or a fine one above 99.
pub fn read_cifar100_batch(path: impl AsRef<Path>) -> Result<Cifar100, DataError> {
    let records = Records::read(&[path.as_ref().to_path_buf()], [20, 100])?;
    Ok(Cifar100 { images: records.images(), coarse: records.labels(0), fine: records.labels(1) })
}

fn cifar10(paths: &[PathBuf]) -> Result<LabelledImages, DataError> {
    let records = Records::read(paths, [10])?;
    Ok(LabelledImages { images: records.images(), labels: records.labels(0) })
}

/// The folder that the archive unpacks to, if it is there, else `folder` itself.
fn inner(folder: &Path, name: &str) -> PathBuf {
    let inner = folder.join(name);
    if inner.is_dir() { inner } else { folder.to_path_buf() }
}

/// Records with `L` labels each, checked.
struct Records<const L: usize> {
    bytes: Vec<u8>,
}

impl<const L: usize> Records<L> {
    const LEN: usize = L + PIXELS;

    /// Reads files of records whose labels are below `classes`.
    fn read(paths: &[PathBuf], classes: [usize; L]) -> Result<Records<L>, DataError> {
        let mut bytes = Vec::new();
        for path in paths {
            let mut source = Source::open(path)?;
            let start = bytes.len();
            source.append_rest("records", &mut bytes)?;
            let (records, rest) = (bytes[start..].chunks_exact(Self::LEN), (bytes.len() - start) % Self::LEN);
            if rest != 0 || records.len() == 0 {
                let expected = format!("whole records of {} bytes", Self::LEN);
                return Err(source.truncated((bytes.len() - start) as u64, expected));
            }
            for (i, record) in records.enumerate() {
                for (j, (&label, classes)) in record.iter().zip(classes).enumerate() {
                    check_label(&source, (i * Self::LEN + j) as u64, label, classes)?;
                }
            }
        }
        Ok(Records { bytes })
    }

    fn len(&self) -> usize {
        self.bytes.len() / Self::LEN
    }

    /// `[N, 3, 32, 32]`
    fn images(&self) -> Tensor {
        images_of([self.len(), 3, 32, 32], |row| {
            let start = row * 32 / PIXELS * Self::LEN + L + row * 32 % PIXELS;
            self.bytes[start..][..32].iter().copied()
        })
    }

    /// `[N]`
    fn labels(&self, which: usize) -> Tensor<i64> {
        Tensor::from_fn([self.len()], |i| i64::from(self.bytes[i * Self::LEN + which]))
    }
}
