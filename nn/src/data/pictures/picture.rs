//! A picture of bytes, and PNG files of it.

use crate::data::error::DataError;
use crate::files::write_at_one_stroke;
use autograd::Tensor;
use image::codecs::png::PngEncoder;
use image::{ExtendedColorType, ImageEncoder};
use std::io;
use std::path::Path;

/// A picture of bytes, grey or in colour, for people to look at.
///
/// ```
/// use autograd::{Rng, Tensor};
/// use nn::data::{Picture, grid};
/// # let path = std::env::temp_dir().join(format!("chainrule-doc-{}.png", std::process::id()));
/// let images = Tensor::rand([10, 1, 28, 28], &mut Rng::seeded(1)); // from 0 to 1
/// Picture::new(&grid(&images, 5, 2), (0.0, 1.0)).enlarged(2).save_png(&path)?;
/// # std::fs::remove_file(&path).unwrap();
/// # Ok::<(), nn::data::DataError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    pub(super) width: usize,
    pub(super) height: usize,
    /// 1 or 3, next to each other.
    pub(super) channels: usize,
    pub(super) bytes: Vec<u8>,
}

impl Picture {
    /// The picture of an image `[1, H, W]` (grey) or `[3, H, W]` (red, green, blue) whose values reach from the first
    /// of `range`, which is black, to the second: `(0.0, 1.0)`, or `(-1.0, 1.0)` after a tanh. What is beyond is cut
    /// off; what is no number is black.
    ///
    /// # Panics
    /// If the image has another shape, or no pixels, or the range is empty.
    #[track_caller]
    pub fn new(image: &Tensor, range: (f32, f32)) -> Picture {
        let shape = image.shape();
        assert!(
            shape.len() == 3 && matches!(shape[0], 1 | 3) && image.count() > 0,
            "Picture: an image of shape {shape}; [1, H, W] or [3, H, W] would fit"
        );
        let (black, white) = range;
        assert!(black < white, "Picture: values from {black} to {white}");
        let (channels, height, width) = (shape[0], shape[1], shape[2]);
        // As torchvision rounds; what is out of range, `as` cuts off.
        let byte = |value: f32| ((value - black) / (white - black) * 255.0 + 0.5) as u8;
        let bytes = image.permute([1, 2, 0]).iter().map(byte).collect(); // [H, W, C]
        Picture { width, height, channels, bytes }
    }

    /// How many columns of pixels there are.
    pub fn width(&self) -> usize {
        self.width
    }

    /// How many rows of pixels there are.
    pub fn height(&self) -> usize {
        self.height
    }

    /// Each pixel as a square of `factor` times `factor`.
    ///
    /// # Panics
    /// If that is 0.
    #[track_caller]
    pub fn enlarged(&self, factor: usize) -> Picture {
        assert!(factor > 0, "enlarged: by 0");
        let mut bytes = Vec::with_capacity(self.bytes.len() * factor * factor);
        for row in self.bytes.chunks_exact(self.width * self.channels) {
            let start = bytes.len();
            for pixel in row.chunks_exact(self.channels) {
                for _ in 0..factor {
                    bytes.extend_from_slice(pixel);
                }
            }
            let end = bytes.len();
            for _ in 1..factor {
                bytes.extend_from_within(start..end);
            }
        }
        Picture { width: self.width * factor, height: self.height * factor, bytes, ..*self }
    }

    /// Writes a PNG file. Whoever is killed half-way leaves the old file, if any, whole.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn save_png(&self, path: impl AsRef<Path>) -> Result<(), DataError> {
        let kind = if self.channels == 1 { ExtendedColorType::L8 } else { ExtendedColorType::Rgb8 };
        let (width, height) = (self.width as u32, self.height as u32);
        let write = |file: &mut dyn io::Write| {
            PngEncoder::new(file).write_image(&self.bytes, width, height, kind).map_err(io::Error::other)
        };
        write_at_one_stroke(path.as_ref(), write).map_err(DataError::io(path.as_ref()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_reaches_from_black_to_white() {
        let values = Tensor::from([[[-1.0, 1.0, 0.0], [-7.0, 7.0, f32::NAN]]]);
        assert_eq!(Picture::new(&values, (-1.0, 1.0)).bytes, [0, 255, 128, 0, 255, 0]);
        assert_eq!(Picture::new(&values, (0.0, 1.0)).bytes, [0, 255, 0, 0, 255, 0]);
        // Every byte comes back as it was.
        let bytes = Tensor::arange(0.0, 256.0, 1.0).reshape([1, 16, 16]) / 255.0;
        assert_eq!(Picture::new(&bytes, (0.0, 1.0)).bytes, (0..=255).collect::<Vec<u8>>());
    }

    #[test]
    fn channels_lie_next_to_each_other() {
        let colours = Tensor::arange(0.0, 12.0, 1.0).reshape([3, 2, 2]);
        let picture = Picture::new(&colours, (0.0, 255.0));
        assert_eq!(picture.bytes, [0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11]);
        let large = picture.enlarged(2);
        assert_eq!((large.width(), large.height()), (4, 4));
        assert_eq!(large.bytes[..12], [0, 4, 8, 0, 4, 8, 1, 5, 9, 1, 5, 9]);
        assert_eq!(large.bytes[..12], large.bytes[12..24]);
        assert_eq!(large.bytes[36..], [2, 6, 10, 2, 6, 10, 3, 7, 11, 3, 7, 11]);
    }

    #[test]
    #[should_panic(expected = "Picture: an image of shape [2, 4, 4]; [1, H, W] or [3, H, W] would fit")]
    fn two_channels_are_refused() {
        Picture::new(&Tensor::zeros([2, 4, 4]), (0.0, 1.0));
    }
}
