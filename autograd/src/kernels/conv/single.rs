//! Images of which there is one window: a linear layer of the pixels that it sees, as the last layer of a discriminator
//! is.
//!
//! Of each image the matrix of windows has one column, which is no matrix to multiply with. But there is a batch of
//! images, and with P = 1 it can take the place of the windows (N: samples, O: channels out, CK: channels in times
//! taps):
//!
//! ```text
//! forward        Y [N, O]      = cols [N, CK] · Wᵀ [CK, O]
//! input_grad     d cols        = dY   [N, O]  · W  [O, CK]       each element goes to the one pixel it was read from
//! weight_grad    dW [O, CK]    = dYᵀ  [O, N]  · cols [N, CK]
//! ```
//!
//! `cols` is the batch itself if the window is the whole image, and otherwise a copy of what the windows see.

use super::Conv;
use crate::kernels::element::Float;
use crate::kernels::gemm::{Gemm, Isa, MatMut, MatRef};
use crate::kernels::parallel;
use crate::memory::Buffer;

/// A convolution with one window an image.
#[derive(Clone, Debug)]
pub(super) struct Single {
    conv: Conv,
    /// Of each tap the pixel that it sees, unless that is padding.
    seen: Vec<Option<usize>>,
}

impl Single {
    /// If there is but one window.
    pub fn of(conv: &Conv) -> Option<Single> {
        let Conv { input, kernel: [height, width], padding, dilation, .. } = *conv;
        let pixel = |tap: usize, axis: usize| {
            (tap * dilation[axis]).checked_sub(padding[axis]).filter(|&pixel| pixel < input[axis])
        };
        let seen = || (0..height * width).map(|tap| Some(pixel(tap / width, 0)? * input[1] + pixel(tap % width, 1)?));
        (conv.output == [1, 1]).then(|| Single { conv: *conv, seen: seen().collect() })
    }

    /// Pixels of a channel.
    fn pixels(&self) -> usize {
        self.conv.input[0] * self.conv.input[1]
    }

    /// Whether the window is the whole image.
    fn is_image(&self) -> bool {
        self.seen.iter().copied().eq((0..self.pixels()).map(Some))
    }

    /// cols, of all groups: `[N, groups · CK]`.
    fn windows<'a, T: Float>(&self, x: &'a [T]) -> Seen<'a, T> {
        if self.is_image() {
            return Seen::Images(x);
        }
        let (row, taps, pixels) = (self.row(), self.seen.len(), self.pixels());
        let mut windows = Buffer::recycled(self.conv.batch * row);
        parallel::for_each_rows(&mut windows, row, |first, windows| {
            let first = first * row / taps;
            for (i, window) in windows.chunks_exact_mut(taps).enumerate() {
                let image = &x[(first + i) * pixels..][..pixels];
                for (to, &seen) in window.iter_mut().zip(&self.seen) {
                    *to = seen.map_or(T::ZERO, |pixel| image[pixel]);
                }
            }
        });
        Seen::Copied(windows)
    }

    /// Elements of a row of `cols`, of all groups.
    fn row(&self) -> usize {
        self.conv.groups * self.conv.depth()
    }

    /// The weights of a group, `[O, CK]`.
    fn weights<'a, T: Float>(&self, weight: &'a [T], group: usize) -> MatRef<'a, T> {
        let size = self.conv.out_channels * self.conv.depth();
        MatRef::row_major(&weight[group * size..][..size], self.conv.out_channels, self.conv.depth())
    }

    /// A group's part of the outputs, `[N, O]`.
    fn outputs<'a, T: Float>(&self, y: &'a [T], group: usize) -> MatRef<'a, T> {
        let Conv { batch, groups, out_channels, .. } = self.conv;
        MatRef::new(&y[group * out_channels..], [batch, out_channels], [groups * out_channels, 1])
    }

    /// `conv.forward`
    #[inline(never)]
    pub fn forward<T: Float>(&self, isa: Isa, x: &[T], weight: &[T], bias: Option<&[T]>, y: &mut [T]) {
        self.conv.check(x.len(), weight.len(), y.len());
        if y.is_empty() {
            return;
        }
        let Conv { batch, groups, out_channels, .. } = self.conv;
        let (windows, depth) = (self.windows(x), self.conv.depth());
        for group in 0..groups {
            let windows = MatRef::new(&windows.data()[group * depth..], [batch, depth], [self.row(), 1]);
            let first = group * out_channels;
            let mut product = Gemm::new(windows, self.weights(weight, group).t()).with_isa(isa);
            if let Some(bias) = bias {
                product = product.col_bias(&bias[first..first + out_channels]);
            }
            product.write(MatMut::new(&mut y[first..], [batch, out_channels], [groups * out_channels, 1]));
        }
    }

    /// `conv.input_grad`
    #[inline(never)]
    pub fn input_grad<T: Float>(&self, isa: Isa, dy: &[T], weight: &[T], bias: Option<&[T]>, dx: &mut [T]) {
        self.conv.check(dx.len(), weight.len(), dy.len());
        if dx.is_empty() {
            return;
        }
        let (row, taps, pixels) = (self.row(), self.seen.len(), self.pixels());
        let multiply = |windows: &mut [T]| {
            let Conv { batch, groups, .. } = self.conv;
            for group in 0..groups {
                let depth = self.conv.depth();
                let product = Gemm::new(self.outputs(dy, group), self.weights(weight, group)).with_isa(isa);
                product.write(MatMut::new(&mut windows[group * depth..], [batch, depth], [row, 1]));
            }
        };
        if self.is_image() && bias.is_none() {
            return multiply(dx);
        }
        let mut windows = Buffer::recycled(self.conv.batch * row);
        multiply(&mut windows);
        let channels = self.conv.groups * self.conv.in_channels;
        parallel::for_each_rows(dx, channels * pixels, |first, dx| {
            let windows = windows[first * row..].chunks_exact(taps);
            for (i, (image, window)) in dx.chunks_exact_mut(pixels).zip(windows).enumerate() {
                let start = bias.map_or(T::ZERO, |bias| bias[i % channels]);
                image.fill(start);
                for (&from, &seen) in window.iter().zip(&self.seen) {
                    if let Some(pixel) = seen {
                        image[pixel] = start + from;
                    }
                }
            }
        });
    }

    /// `conv.weight_grad`
    #[inline(never)]
    pub fn weight_grad<T: Float>(&self, isa: Isa, x: &[T], dy: &[T], dw: &mut [T]) {
        self.conv.check(x.len(), dw.len(), dy.len());
        if dw.is_empty() || x.is_empty() || dy.is_empty() {
            return dw.fill(T::ZERO);
        }
        let Conv { batch, out_channels, .. } = self.conv;
        let (windows, depth) = (self.windows(x), self.conv.depth());
        for (group, dw) in dw.chunks_exact_mut(out_channels * depth).enumerate() {
            let windows = MatRef::new(&windows.data()[group * depth..], [batch, depth], [self.row(), 1]);
            let product = Gemm::new(self.outputs(dy, group).t(), windows).with_isa(isa);
            product.write(MatMut::row_major(dw, out_channels, depth));
        }
    }
}

/// What the windows see.
enum Seen<'a, T> {
    /// The images, whole.
    Images(&'a [T]),
    Copied(Buffer<T>),
}

impl<T> Seen<'_, T> {
    fn data(&self) -> &[T] {
        match self {
            Seen::Images(images) => images,
            Seen::Copied(windows) => windows,
        }
    }
}
