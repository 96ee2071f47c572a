//! MNIST, and what comes in the same files: Fashion-MNIST, KMNIST, EMNIST.

use super::error::DataError;
use super::idx::{Header, Kind};
use super::labelled::{LabelledImages, Splits, check_label, images_of};
use super::source::Source;
use autograd::Tensor;
use std::path::{Path, PathBuf};

/// Reads MNIST from its folder: `train-images-idx3-ubyte`, `train-labels-idx1-ubyte`, `t10k-images-idx3-ubyte` and
/// `t10k-labels-idx1-ubyte`, plain or packed with `.gz` behind the name. Images are `[N, 1, 28, 28]`, the digits
/// light (1) on dark (0).
///
/// ```no_run
/// let mnist = nn::data::read_mnist("data/mnist")?;
/// assert_eq!(*mnist.train.images.shape(), [60_000, 1, 28, 28]);
/// # Ok::<(), nn::data::DataError>(())
/// ```
///
/// # Errors
/// If a file is not there or not what it should be; see [`read_mnist_pair`].
pub fn read_mnist(folder: impl AsRef<Path>) -> Result<Splits, DataError> {
    let folder = folder.as_ref();
    let part = |name: &str| {
        let file = |kind: &str| plain_or_packed(folder, &format!("{name}-{kind}-ubyte"));
        read_mnist_pair(file("images-idx3"), file("labels-idx1"), 10)
    };
    // Unpacking takes most of the time, and goes on beside the other part's.
    std::thread::scope(|scope| {
        let test = scope.spawn(|| part("t10k"));
        let train = part("train")?;
        Ok(Splits { train, test: test.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))? })
    })
}

/// The file of this name, or with `.gz` behind it if only that is there.
fn plain_or_packed(folder: &Path, name: &str) -> PathBuf {
    let plain = folder.join(name);
    let packed = folder.join(format!("{name}.gz"));
    if !plain.exists() && packed.exists() { packed } else { plain }
}

/// Reads an IDX file of images `[N, H, W]` and one of their labels `[N]`, both of bytes, plain or packed by gzip. The
/// images are given as `[N, 1, H, W]`.
///
/// # Errors
/// If a file cannot be read, is no such file, or promises more or less than it has; if a label is not below
/// `classes`; if there are not as many labels as images.
pub fn read_mnist_pair(
    images: impl AsRef<Path>,
    labels: impl AsRef<Path>,
    classes: usize,
) -> Result<LabelledImages, DataError> {
    let mut pixels = Source::open(images.as_ref())?;
    let mut classified = Source::open(labels.as_ref())?;
    let of_images = header(&mut pixels, 3, "images")?;
    let of_labels = header(&mut classified, 1, "labels")?;
    // Before the elements are read: the shorter of two files that do not belong together may be the wrong one.
    if of_images.shape[0] != of_labels.shape[0] {
        return Err(DataError::Unmatched {
            images_path: pixels.path().to_path_buf(),
            images: of_images.shape[0],
            labels_path: classified.path().to_path_buf(),
            labels: of_labels.shape[0],
        });
    }
    let bytes = of_labels.elements(&mut classified)?;
    for (i, &label) in bytes.iter().enumerate() {
        check_label(&classified, of_labels.len() + i as u64, label, classes)?;
    }
    let labels = Tensor::from_fn(of_labels.shape, |i| i64::from(bytes[i]));
    let bytes = of_images.elements(&mut pixels)?;
    let width = of_images.shape[2];
    let images = images_of(of_images.shape.inserted(1, 1), |row| bytes[row * width..][..width].iter().copied());
    Ok(LabelledImages { images, labels })
}

/// The header of a file of bytes with so many axes.
fn header(source: &mut Source, rank: usize, what: &str) -> Result<Header, DataError> {
    let header = Header::read(source)?;
    if header.kind != Kind::U8 || header.shape.len() != rank {
        let found = format!("elements of type {:?} with {} axes", header.kind, header.shape.len());
        return Err(source.malformed(2, found, format!("{what}: U8 with {rank}")));
    }
    Ok(header)
}
