//! Several images side by side.

use autograd::Tensor;

/// How images stand in a grid.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Grid {
    /// Images in a row.
    pub columns: usize,
    /// Pixels between images, and around them all.
    pub padding: usize,
    /// The value of those pixels.
    pub background: f32,
}

impl Default for Grid {
    /// `torchvision`'s.
    fn default() -> Grid {
        Grid { columns: 8, padding: 2, background: 0.0 }
    }
}

impl Grid {
    /// The images `[N, C, H, W]` as one `[C, rows·(H + padding) + padding, columns·(W + padding) + padding]`, row by
    /// row; with fewer images than columns there are as many columns as images. As `torchvision.utils.make_grid`,
    /// which also makes three channels of one, and gives a single image without padding. The picture is data:
    /// without history.
    ///
    /// # Panics
    /// If the images are not of four axes, or there are none, or no columns.
    #[track_caller]
    pub fn of(&self, images: &Tensor) -> Tensor {
        let shape = images.shape();
        assert!(
            shape.len() == 4 && shape[0] > 0 && self.columns > 0,
            "Grid: images of shape {shape} in {} columns; [N, C, H, W] with N above 0 in at least 1 would fit",
            self.columns
        );
        let [count, channels, height, width] = [shape[0], shape[1], shape[2], shape[3]];
        let (columns, gap) = (self.columns.min(count), self.padding);
        let rows = count.div_ceil(columns);
        let (all_height, all_width) = (rows * (height + gap) + gap, columns * (width + gap) + gap);
        let mut grid = vec![self.background; channels * all_height * all_width];
        let values = images.to_vec();
        if width > 0 {
            for (line, from) in values.chunks_exact(width).enumerate() {
                let (image, channel, y) = (line / (height * channels), line / height % channels, line % height);
                let top = gap + image / columns * (height + gap) + y;
                let left = gap + image % columns * (width + gap);
                let start = (channel * all_height + top) * all_width + left;
                grid[start..start + width].copy_from_slice(from);
            }
        }
        Tensor::from_slice(&grid, [channels, all_height, all_width])
    }
}

/// The images `[N, C, H, W]` as one `[C, H', W']`, `columns` in a row, with so many pixels of value 0 between them: see
/// [`Grid::of`].
///
/// ```
/// use autograd::Tensor;
/// use nn::data::grid;
/// let images = Tensor::arange(1.0, 4.0, 1.0).reshape([3, 1, 1, 1]);
/// let picture = grid(&images, 2, 1);
/// assert_eq!(*picture.shape(), [1, 5, 5]);
/// #[rustfmt::skip]
/// assert_eq!(picture.to_vec(), [
///     0.0, 0.0, 0.0, 0.0, 0.0,
///     0.0, 1.0, 0.0, 2.0, 0.0,
///     0.0, 0.0, 0.0, 0.0, 0.0,
///     0.0, 3.0, 0.0, 0.0, 0.0,
///     0.0, 0.0, 0.0, 0.0, 0.0,
/// ]);
/// ```
///
/// # Panics
/// If the images are not of four axes, or there are none, or no columns.
#[track_caller]
pub fn grid(images: &Tensor, columns: usize, padding: usize) -> Tensor {
    Grid { columns, padding, ..Default::default() }.of(images)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Where `make_grid(x, nrow=3, padding=1, pad_value=-1)` of torchvision puts them, by its source.
    #[test]
    fn images_stand_row_by_row() {
        let images = Tensor::arange(0.0, 48.0, 1.0).reshape([4, 2, 2, 3]);
        let grid = Grid { columns: 3, padding: 1, background: -1.0 }.of(&images);
        assert_eq!(*grid.shape(), [2, 7, 13]);
        for channel in 0..2 {
            for (image, [top, left]) in [[1, 1], [1, 5], [1, 9], [4, 1]].into_iter().enumerate() {
                let part = grid.narrow(0, channel, 1).narrow(1, top, 2).narrow(2, left, 3);
                assert_eq!(part.to_vec(), images.narrow(0, image, 1).narrow(1, channel, 1).to_vec());
            }
        }
        assert_eq!(grid.eq(-1.0).count_true(), 2 * 7 * 13 - 48);
        assert_eq!(*super::grid(&images, 8, 0).shape(), [2, 2, 12]);
    }

    #[test]
    #[should_panic(expected = "Grid: images of shape [2, 28, 28] in 8 columns; [N, C, H, W]")]
    fn a_batch_without_channels_is_refused() {
        grid(&Tensor::zeros([2, 28, 28]), 8, 2);
    }
}
