//! Images with a label each.

use super::TensorDataset;
use super::error::DataError;
use super::source::Source;
use autograd::{Dims, Tensor};

/// Images with a label each.
#[derive(Clone, Debug)]
pub struct LabelledImages {
    /// `[N, C, H, W]`, with values from 0 (black) to 1.
    pub images: Tensor,
    /// `[N]`, from 0 on.
    pub labels: Tensor<i64>,
}

impl LabelledImages {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.labels.count()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Keeps the first `count`; all, if there are fewer.
    ///
    /// ```
    /// # use autograd::Tensor;
    /// # use nn::data::LabelledImages;
    /// let mut digits = LabelledImages { images: Tensor::zeros([3, 1, 28, 28]), labels: Tensor::of([7, 2, 1]) };
    /// digits.truncate(2);
    /// assert_eq!(*digits.images.shape(), [2, 1, 28, 28]);
    /// assert_eq!(digits.labels.to_vec(), [7, 2]);
    /// ```
    pub fn truncate(&mut self, count: usize) {
        let count = count.min(self.len());
        self.images = self.images.narrow(0, 0, count);
        self.labels = self.labels.narrow(0, 0, count);
    }

    /// The examples as a set to draw batches from.
    pub fn dataset(&self) -> TensorDataset<f32, i64> {
        TensorDataset::new(self.images.clone(), self.labels.clone())
    }
}

/// What to train on, and what to judge by.
#[derive(Clone, Debug)]
pub struct Splits<S = LabelledImages> {
    /// To train on.
    pub train: S,
    /// To judge by.
    pub test: S,
}

/// Bytes from 0 to 255 as numbers from 0 to 1, given those of each row of the images.
pub(super) fn images_of<R>(shape: impl Into<Dims>, row: impl Fn(usize) -> R + Sync) -> Tensor
where
    R: ExactSizeIterator<Item = u8>,
{
    Tensor::from_rows(shape, |i, to| {
        let row = row(i);
        assert!(row.len() == to.len(), "a row of {} bytes for one of {} elements", row.len(), to.len());
        for (x, byte) in to.iter_mut().zip(row) {
            *x = f32::from(byte) / 255.0;
        }
    })
}

/// Refuses a label that stands at `byte` of the file and is none of the classes.
pub(super) fn check_label(source: &Source, byte: u64, label: u8, classes: usize) -> Result<(), DataError> {
    if usize::from(label) < classes {
        return Ok(());
    }
    let expected = format!("one of the {classes} classes, which are numbered from 0");
    Err(source.malformed(byte, format!("label {label}"), expected))
}
