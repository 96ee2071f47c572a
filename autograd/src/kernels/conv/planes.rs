//! Images laid out so that neighbouring windows see neighbouring elements.
//!
//! With a stride of 2, windows that are neighbours see every second pixel. So the padded image is dealt out into
//! 2 × 2 *planes*, by whether a pixel's row and column are even or odd. A tap sees pixels of one plane only, and in it,
//! from window to window, the next one:
//!
//! ```text
//! a padded row    p0 p1 p2 p3 p4 p5 p6        tap 0 sees p0 p2 p4   from plane 0 on
//! its planes      p0 p2 p4 p6 │ p1 p3 p5 ·    tap 1 sees p1 p3 p5   from plane 1 on
//!                                             tap 2 sees p2 p4 p6   from plane 0 on, one later
//! ```
//!
//! Without stride and padding there is one plane, the image, and nothing to copy.

use super::Conv;
use crate::kernels::element::Float;
use crate::memory::Buffer;
use std::ops::Range;

/// The planes of one channel.
#[derive(Clone, Copy)]
pub(super) struct Planes {
    conv: Conv,
    /// Rows and columns of a plane.
    size: [usize; 2],
    /// Whether an image is its own plane.
    pub in_place: bool,
}

impl Planes {
    pub fn of(conv: &Conv) -> Planes {
        let in_place = conv.stride == [1, 1] && conv.padding == [0, 0];
        // What windows see, which is less than the padded image if the last of it is too short for one more stride.
        let seen = |axis: usize| {
            let taps = conv.dilation[axis] * conv.kernel[axis].saturating_sub(1) + 1;
            (conv.output[axis].saturating_sub(1) * conv.stride[axis] + taps).div_ceil(conv.stride[axis])
        };
        Planes { conv: *conv, size: if in_place { conv.input } else { [seen(0), seen(1)] }, in_place }
    }

    /// Elements of a channel, all its planes together.
    pub fn channel(&self) -> usize {
        self.conv.stride.iter().chain(&self.size).product()
    }

    /// Elements from a row of windows to the next.
    pub fn row(&self) -> usize {
        self.size[1]
    }

    /// Where the first window's tap (ky, kx) is in a channel.
    pub fn tap(&self, ky: usize, kx: usize) -> usize {
        let ([sy, sx], [dy, dx]) = (self.conv.stride, self.conv.dilation);
        let (y, x) = (ky * dy, kx * dx);
        let plane = y % sy * sx + x % sx;
        (plane * self.size[0] + y / sy) * self.size[1] + x / sx
    }

    /// Where every tap of so many channels is.
    pub fn taps(&self, channels: usize) -> Vec<usize> {
        let [height, width] = self.conv.kernel;
        let tap = |i: usize| i / (height * width) * self.channel() + self.tap(i / width % height, i % width);
        (0..channels * height * width).map(tap).collect()
    }

    /// Calls `f(row of planes, columns, pixel)` for every row of a plane that shows part of an image: where the row
    /// begins, which of its columns show pixels, and where the first of these is in the image. The following ones are
    /// a stride apart.
    #[inline(always)]
    fn for_each_row(&self, mut f: impl FnMut(usize, Range<usize>, usize)) {
        let Conv { input: [height, width], stride: [sy, sx], padding: [pad_y, pad_x], .. } = self.conv;
        for plane in 0..sy * sx {
            let (py, px) = (plane / sx, plane % sx);
            // Columns q with a pixel: 0 ≤ q·sx + px − pad_x < width.
            let first = pad_x.saturating_sub(px).div_ceil(sx).min(self.size[1]);
            let last = (width + pad_x).saturating_sub(px).div_ceil(sx).clamp(first, self.size[1]);
            for row in 0..self.size[0] {
                let pixel_row = (row * sy + py).checked_sub(pad_y).filter(|&y| y < height);
                let at = (plane * self.size[0] + row) * self.size[1];
                match pixel_row {
                    Some(y) if first < last => f(at, first..last, y * width + first * sx + px - pad_x),
                    _ => f(at, 0..0, 0),
                }
            }
        }
    }

    /// Deals an image out into its planes, with zeros for padding.
    pub fn split<T: Copy + Default>(&self, image: &[T], planes: &mut [T]) {
        let (width, stride) = (self.size[1], self.conv.stride[1]);
        self.for_each_row(|at, shown, pixel| {
            let row = &mut planes[at..at + width];
            row[..shown.start].fill(T::default());
            row[shown.end..].fill(T::default());
            let row = &mut row[shown];
            match stride {
                1 => row.copy_from_slice(&image[pixel..pixel + row.len()]),
                _ if row.is_empty() => {}
                _ => row.iter_mut().zip(image[pixel..].iter().step_by(stride)).for_each(|(to, &from)| *to = from),
            }
        });
    }

    /// Puts an image together from its planes. Pixels that no plane shows stay as they are.
    pub fn join<T: Copy>(&self, planes: &[T], image: &mut [T]) {
        let stride = self.conv.stride[1];
        self.for_each_row(|at, shown, pixel| {
            let row = &planes[at + shown.start..at + shown.end];
            match stride {
                1 => image[pixel..pixel + row.len()].copy_from_slice(row),
                _ if row.is_empty() => {}
                _ => image[pixel..].iter_mut().step_by(stride).zip(row).for_each(|(to, &from)| *to = from),
            }
        });
    }
}

/// The planes of one group of channels of some samples: copied, or where the images are.
pub(super) struct PlanesOf<'a, T> {
    pub planes: &'a Planes,
    images: &'a [T],
    copied: Option<Buffer<T>>,
    /// Samples, and elements from one to the next.
    samples: [usize; 2],
}

impl<'a, T: Float> PlanesOf<'a, T> {
    pub fn new(conv: &Conv, planes: &'a Planes, images: &'a [T], group: usize, count: usize) -> Self {
        let pixels = conv.input[0] * conv.input[1];
        let image = conv.groups * conv.in_channels * pixels;
        let images = images.get(group * conv.in_channels * pixels..).unwrap_or(&[]);
        if planes.in_place {
            return PlanesOf { planes, images, copied: None, samples: [count, image] };
        }
        let sample = conv.in_channels * planes.channel();
        let mut copy = Buffer::recycled(count * sample);
        for (i, to) in copy.chunks_exact_mut(planes.channel()).enumerate() {
            let (n, channel) = (i / conv.in_channels, i % conv.in_channels);
            planes.split(&images[n * image + channel * pixels..][..pixels], to);
        }
        PlanesOf { planes, images, copied: Some(copy), samples: [count, sample] }
    }

    pub fn data(&self) -> &[T] {
        self.copied.as_deref().unwrap_or(self.images)
    }

    pub fn samples(&self) -> [usize; 2] {
        self.samples
    }
}
