//! Images laid out so that neighbouring windows see neighbouring elements.
//!
//! With a stride of 2, windows that are neighbours see every second pixel. So the padded image is dealt out into two
//! *planes*, by whether a pixel's column is even or odd. A tap sees pixels of one plane only, and in it, from window to
//! window, the next one:
//!
//! ```text
//! a padded row    p0 p1 p2 p3 p4 p5 p6        tap 0 sees p0 p2 p4   from plane 0 on
//! its planes      p0 p2 p4 p6 │ p1 p3 p5 ·    tap 1 sees p1 p3 p5   from plane 1 on
//!                                             tap 2 sees p2 p4 p6   from plane 0 on, one later
//! ```
//!
//! Rows stay together: the next row of windows is simply two rows of pixels further on. Without padding and with
//! windows at every column there is one plane, the image, and nothing to copy.

use super::Conv;
use crate::kernels::element::Float;
use crate::kernels::gemm::WIDEST_PANEL;
use crate::kernels::simd::{Loop, vectorised};
use crate::kernels::strided::copy_row;
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

/// The columns of a plane.
struct Columns {
    /// Those that show pixels. The others are padding.
    shown: Range<usize>,
    /// The column of the image that the first of them shows. The following ones are a stride apart.
    pixel: usize,
}

impl Planes {
    pub fn of(conv: &Conv) -> Planes {
        let in_place = conv.stride[1] == 1 && conv.padding == [0, 0];
        // What windows see, which is less than the padded image if the last of it is too short for one more stride.
        let seen = |axis: usize| {
            let taps = conv.dilation[axis] * conv.kernel[axis].saturating_sub(1) + 1;
            conv.output[axis].saturating_sub(1) * conv.stride[axis] + taps
        };
        let size = if in_place { conv.input } else { [seen(0), seen(1).div_ceil(conv.stride[1])] };
        Planes { conv: *conv, size, in_place }
    }

    /// Elements of a channel, all its planes together.
    pub fn channel(&self) -> usize {
        self.conv.stride[1] * self.size[0] * self.size[1]
    }

    /// Elements from a sample to the next.
    fn sample(&self) -> usize {
        let Conv { groups, in_channels, input: [height, width], .. } = self.conv;
        if self.in_place { groups * in_channels * height * width } else { in_channels * self.channel() }
    }

    /// Elements from a row of windows to the next.
    pub fn row(&self) -> usize {
        self.conv.stride[0] * self.size[1]
    }

    /// Where the first window's tap (ky, kx) is in a channel.
    pub fn tap(&self, ky: usize, kx: usize) -> usize {
        let [y, x] = [ky * self.conv.dilation[0], kx * self.conv.dilation[1]];
        let (plane, column) = (x % self.conv.stride[1], x / self.conv.stride[1]);
        (plane * self.size[0] + y) * self.size[1] + column
    }

    /// Where every tap of so many channels is.
    pub fn taps(&self, channels: usize) -> Vec<usize> {
        let [height, width] = self.conv.kernel;
        let tap = |i: usize| i / (height * width) * self.channel() + self.tap(i / width % height, i % width);
        (0..channels * height * width).map(tap).collect()
    }

    /// Where every row of windows of so many samples begins.
    pub fn rows(&self, samples: usize) -> Vec<usize> {
        let height = self.conv.output[0];
        (0..samples * height).map(|i| i / height * self.sample() + i % height * self.row()).collect()
    }

    #[inline(always)]
    fn columns(&self, plane: usize) -> Columns {
        let Conv { input: [_, width], stride: [_, stride], padding: [_, left], .. } = self.conv;
        // Columns q with a pixel: 0 ≤ q·stride + plane − left < width.
        let first = left.saturating_sub(plane).div_ceil(stride).min(self.size[1]);
        let end = (width + left).saturating_sub(plane).div_ceil(stride).clamp(first, self.size[1]);
        let pixel = if first < end { first * stride + plane - left } else { 0 };
        Columns { shown: first..end, pixel }
    }

    /// Whether all rows of the planes together show as many rows of the image, without anything beside them, so that
    /// they may be dealt out as if they were one.
    #[inline(always)]
    fn are_whole(&self) -> bool {
        let Conv { input, stride, padding, .. } = self.conv;
        padding == [0, 0] && input[1] == stride[1] * self.size[1] && input[0] >= self.size[0]
    }

    /// Whether there is no pixel that no plane shows.
    pub fn show_all(&self) -> bool {
        let Conv { input: [height, width], stride, padding, .. } = self.conv;
        let columns: usize = (0..stride[1]).map(|plane| self.columns(plane).shown.len()).sum();
        columns == width && padding[0] + height <= self.size[0]
    }

    /// A row of a plane.
    #[inline(always)]
    fn row_of<'a, T>(&self, planes: &'a [T], plane: usize, row: usize) -> &'a [T] {
        &planes[(plane * self.size[0] + row) * self.size[1]..][..self.size[1]]
    }

    /// The row of the image that a row of a plane shows, if that is not padding.
    #[inline(always)]
    fn image_row(&self, row: usize) -> Option<usize> {
        row.checked_sub(self.conv.padding[0]).filter(|&y| y < self.conv.input[0])
    }
}

/// Deals an image out into its planes, with zeros for padding.
struct Split<'a, T> {
    planes: &'a Planes,
    image: &'a [T],
    to: &'a mut [T],
}

impl<T: Float> Loop for Split<'_, T> {
    type Out = ();
    #[inline(always)]
    fn run(self) {
        let Split { planes, image, to } = self;
        let ([height, width], stride) = (planes.size, planes.conv.stride[1]);
        if planes.are_whole() {
            for (plane, to) in to.chunks_exact_mut(height * width).enumerate() {
                copy_row(&image[plane..], stride, to);
            }
            return;
        }
        for plane in 0..stride {
            let Columns { shown, pixel } = planes.columns(plane);
            for row in 0..height {
                let to = &mut to[(plane * height + row) * width..][..width];
                let Some(y) = planes.image_row(row) else {
                    to.fill(T::ZERO);
                    continue;
                };
                to[..shown.start].fill(T::ZERO);
                to[shown.end..].fill(T::ZERO);
                copy_row(&image[y * planes.conv.input[1] + pixel..], stride, &mut to[shown.clone()]);
            }
        }
    }
}

/// Puts an image together from its planes. Pixels that no plane shows stay as they are.
pub(super) struct Join<'a, T> {
    pub planes: &'a Planes,
    pub from: &'a [T],
    pub image: &'a mut [T],
}

impl<T: Float> Loop for Join<'_, T> {
    type Out = ();
    #[inline(always)]
    fn run(self) {
        let Join { planes, from, image } = self;
        let ([height, _], stride) = (planes.size, planes.conv.stride[1]);
        // Of two, the one that shows the first pixel.
        let first_plane = planes.conv.padding[1] % 2;
        for row in 0..height {
            let Some(y) = planes.image_row(row) else { continue };
            let image = &mut image[y * planes.conv.input[1]..];
            match stride {
                1 => {
                    let Columns { shown, pixel } = planes.columns(0);
                    let from = &planes.row_of(from, 0, row)[shown];
                    image[pixel..][..from.len()].copy_from_slice(from);
                }
                2 => {
                    let (first, second) = (planes.columns(first_plane), planes.columns(1 - first_plane));
                    let second = &planes.row_of(from, 1 - first_plane, row)[second.shown];
                    let to = &mut image[first.pixel..];
                    alternate(&planes.row_of(from, first_plane, row)[first.shown], second, to);
                }
                _ => {
                    for plane in 0..stride {
                        let Columns { shown, pixel } = planes.columns(plane);
                        for (i, &from) in planes.row_of(from, plane, row)[shown].iter().enumerate() {
                            image[pixel + i * stride] = from;
                        }
                    }
                }
            }
        }
    }
}

/// `to[2·i] = even[i]` and `to[2·i + 1] = odd[i]`, of which there are as many or one less; in blocks of a known length,
/// of which the compiler makes vectors.
#[inline(always)]
fn alternate<T: Copy>(even: &[T], odd: &[T], to: &mut [T]) {
    const N: usize = 4;
    let to = &mut to[..even.len() + odd.len()];
    let whole = odd.len() / N * N;
    for at in (0..whole).step_by(N) {
        let (even, odd, to) = (&even[at..at + N], &odd[at..at + N], &mut to[2 * at..2 * (at + N)]);
        for i in 0..N {
            to[2 * i] = even[i];
            to[2 * i + 1] = odd[i];
        }
    }
    for i in whole..even.len() {
        to[2 * i] = even[i];
        if let Some(&odd) = odd.get(i) {
            to[2 * i + 1] = odd;
        }
    }
}

/// The planes of one group of channels of some samples: copied, or where the images are.
pub(super) struct PlanesOf<'a, T> {
    images: &'a [T],
    copied: Option<Buffer<T>>,
}

impl<'a, T: Float> PlanesOf<'a, T> {
    pub fn new(planes: &Planes, images: &'a [T], group: usize, count: usize) -> Self {
        let Images { first, image, pixels } = Images::of(&planes.conv, group);
        let images = images.get(first..).unwrap_or(&[]);
        if planes.in_place {
            return PlanesOf { images, copied: None };
        }
        let channels = planes.conv.in_channels;
        // Whoever reads whole vectors may read beyond the last plane, and takes nothing from there.
        let len = count * planes.sample();
        let mut copy = Buffer::recycled(len + WIDEST_PANEL);
        for (i, to) in copy[..len].chunks_exact_mut(planes.channel()).enumerate() {
            let (n, channel) = (i / channels, i % channels);
            let image = &images[n * image + channel * pixels..][..pixels];
            vectorised(Split { planes, image, to });
        }
        PlanesOf { images, copied: Some(copy) }
    }

    pub fn data(&self) -> &[T] {
        self.copied.as_deref().unwrap_or(self.images)
    }
}

/// Where the images of a group of channels are.
struct Images {
    /// The first.
    first: usize,
    /// Elements from one to the next.
    image: usize,
    /// Pixels of a channel.
    pixels: usize,
}

impl Images {
    fn of(conv: &Conv, group: usize) -> Images {
        let pixels = conv.input[0] * conv.input[1];
        let channels = conv.in_channels * pixels;
        Images { first: group * channels, image: conv.groups * channels, pixels }
    }
}

/// The planes of one group of channels of some samples, with the channels of a pixel side by side: `[samples, pixels of
/// the planes, channels]`.
pub(super) fn by_pixel<T: Float>(planes: &Planes, images: &[T], group: usize, count: usize) -> Buffer<T> {
    let Images { first, image, pixels } = Images::of(&planes.conv, group);
    let sample = planes.conv.in_channels * planes.channel();
    let mut out = Buffer::recycled(count * sample);
    for (n, to) in out.chunks_exact_mut(sample).enumerate() {
        vectorised(ByPixel { planes, images: &images[first + n * image..], pixels, to });
    }
    out
}

struct ByPixel<'a, T> {
    planes: &'a Planes,
    images: &'a [T],
    pixels: usize,
    to: &'a mut [T],
}

impl<T: Float> Loop for ByPixel<'_, T> {
    type Out = ();
    #[inline(always)]
    fn run(self) {
        /// Channels that are read together: so many streams of memory a cache can follow.
        const TOGETHER: usize = 8;
        let ByPixel { planes, images, pixels, to } = self;
        let ([height, width], stride, channels) = (planes.size, planes.conv.stride[1], planes.conv.in_channels);
        for plane in 0..stride {
            let Columns { shown, pixel } = planes.columns(plane);
            for row in 0..height {
                let to = &mut to[(plane * height + row) * width * channels..][..width * channels];
                let Some(y) = planes.image_row(row) else {
                    to.fill(T::ZERO);
                    continue;
                };
                to[..shown.start * channels].fill(T::ZERO);
                to[shown.end * channels..].fill(T::ZERO);
                let to = &mut to[shown.start * channels..shown.end * channels];
                let pixel = y * planes.conv.input[1] + pixel;
                for first in (0..channels).step_by(TOGETHER) {
                    let together = TOGETHER.min(channels - first);
                    for (q, to) in to.chunks_exact_mut(channels).enumerate() {
                        let from = first * pixels + pixel + q * stride;
                        for (c, to) in to[first..first + together].iter_mut().enumerate() {
                            *to = images[from + c * pixels];
                        }
                    }
                }
            }
        }
    }
}
