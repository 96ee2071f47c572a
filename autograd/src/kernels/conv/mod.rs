//! Convolution as matrix products, without the matrix of windows ever being in memory.
//!
//! A convolution slides a window over an image and multiplies what it sees with a weight. Written out, with X the
//! image, K kernel rows and columns, W one weight for each pair of channels and each *tap* (a place in the window):
//!
//! ```text
//! Y[o, oy, ox] = Σ over c, ky, kx of  W[o, c, ky, kx] · X[c, oy·stride + ky·dilation − padding, ox·… + kx·… − …]
//! ```
//!
//! The sum over (c, ky, kx) is what a matrix product sums over. Let `cols` be the matrix with a row for each tap of
//! each channel and a column for each window; then (O: channels out, CK: channels in times taps, P: windows)
//!
//! ```text
//! forward        Y  [O, P]   =  W  [O, CK] · cols [CK, P]
//! weight_grad    dW [O, CK]  =  dY [O, P]  · colsᵀ [P, CK]       summed over the batch
//! input_grad     d cols      =  Wᵀ [CK, O] · dY   [O, P]         and each element added to the pixel it was read from
//! ```
//!
//! `cols` repeats every pixel as often as it is seen, nine times for a 3 × 3 window. So it is never made: the product
//! asks for a panel of it when it needs one, and the panel is read from the image itself. That is quick because of two
//! things. An element's place in memory is a sum of two numbers, what its tap says and what its window says; and
//! windows that are neighbours in a row of the output see neighbouring pixels, so a panel is filled by copying runs.
//! Where stride or padding would break this, the image is copied once, with its zeros, into planes in which it holds
//! (`planes.rs`). What leaves `input_grad` is added up in the same planes, in the same runs, and cut out of them.
//!
//! A transposed convolution is `input_grad` used forward; its gradients are the other two.
//!
//! The batch is cut into tasks: a sample each, or several where images are so small that one alone
//! would not fill the tiles of a product. Results are the same bits at any number of threads.
//!
//! Where there is one window an image, the batch takes the place of the windows (`single.rs`).
//!
//! Windows of 2, 3 or 4 taps a side at every pixel, or of twice as many at every second one, which most networks have
//! most of, go another way when there are enough channels and images: with a quarter or a third of the multiplications
//! (`winograd/`).
//!
//! To read: this file, `reference.rs` (the definition), `planes.rs`, `windows.rs`, and then `forward.rs`,
//! `input_grad.rs`, `weight_grad.rs`, which are one product each; `single.rs`, and `winograd/` last.

mod forward;
mod input_grad;
mod planes;
pub mod reference;
mod single;
#[cfg(test)]
mod tests;
mod weight_grad;
mod windows;
mod winograd;

use single::Single;
use winograd::Winograd;

/// A convolution's geometry. Axes are height and width, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conv {
    /// N: samples.
    pub batch: usize,
    /// The channels are cut into so many groups, which never meet.
    pub groups: usize,
    /// C: channels of the input, of one group.
    pub in_channels: usize,
    /// O: channels of the output, of one group.
    pub out_channels: usize,
    /// Pixels of an image.
    pub input: [usize; 2],
    /// Taps of a window.
    pub kernel: [usize; 2],
    /// Windows over an image.
    pub output: [usize; 2],
    /// Pixels from a window to the next.
    pub stride: [usize; 2],
    /// Zeros on either side of an image.
    pub padding: [usize; 2],
    /// Pixels from a tap to the next.
    pub dilation: [usize; 2],
}

/// How a convolution, or one of its gradients, is done.
#[derive(Clone, Debug)]
enum Way {
    /// For one window an image: as a product over the batch.
    Single(Single),
    /// In tiles, with fewer multiplications.
    Winograd(Winograd),
    /// As a product with the matrix of windows, which is always possible.
    Windows,
}

/// How the batch is cut into tasks.
struct Tasks {
    /// How many samples go through a product together.
    samples: usize,
    /// How many tasks there are.
    count: usize,
    /// Whether tasks are shared among threads. If there are few, each product is instead.
    parallel: bool,
    /// Multiply-adds of all of them, in the unit that [`parallel`](super::parallel) counts in; 0 if they are not
    /// shared.
    work: usize,
}

impl Conv {
    /// How many windows fit along an axis: `(input + 2·padding − dilation·(kernel − 1) − 1) / stride + 1`, rounded
    /// down; `None` if not even one does.
    pub fn windows(input: usize, kernel: usize, stride: usize, padding: usize, dilation: usize) -> Option<usize> {
        let extent = dilation.checked_mul(kernel.checked_sub(1)?)?.checked_add(1)?;
        let padded = padding.checked_mul(2)?.checked_add(input)?;
        Some(padded.checked_sub(extent)?.checked_div(stride)? + 1)
    }

    /// `[N, groups · C, height, width]`
    pub fn input_shape(&self) -> [usize; 4] {
        [self.batch, self.groups * self.in_channels, self.input[0], self.input[1]]
    }

    /// `[groups · O, C, kernel height, kernel width]`
    pub fn weight_shape(&self) -> [usize; 4] {
        [self.groups * self.out_channels, self.in_channels, self.kernel[0], self.kernel[1]]
    }

    /// `[N, groups · O, height, width]`
    pub fn output_shape(&self) -> [usize; 4] {
        [self.batch, self.groups * self.out_channels, self.output[0], self.output[1]]
    }

    /// The way of forward and of the input's gradient.
    fn way(&self) -> Way {
        self.way_with(Winograd::of)
    }

    /// The way of the weight's gradient.
    fn way_of_weight_grad(&self) -> Way {
        self.way_with(Winograd::of_weight_grad)
    }

    fn way_with(&self, winograd: fn(&Conv) -> Option<Winograd>) -> Way {
        let tiles = || winograd(self).map(Way::Winograd);
        Single::of(self).map(Way::Single).or_else(tiles).unwrap_or(Way::Windows)
    }

    /// P
    fn positions(&self) -> usize {
        self.output[0] * self.output[1]
    }

    /// Taps of a window in one channel.
    fn taps(&self) -> usize {
        self.kernel[0] * self.kernel[1]
    }

    /// CK
    fn depth(&self) -> usize {
        self.in_channels * self.taps()
    }

    /// Panics unless the slices have the lengths of the shapes.
    fn check(&self, input: usize, weight: usize, output: usize) {
        let elements = |shape: [usize; 4]| shape.iter().product::<usize>();
        assert_eq!(input, elements(self.input_shape()), "conv: the input of {self:?}");
        assert_eq!(weight, elements(self.weight_shape()), "conv: the weight of {self:?}");
        assert_eq!(output, elements(self.output_shape()), "conv: the output of {self:?}");
    }

    /// How the batch is cut. It depends on shapes alone.
    fn tasks(&self) -> Tasks {
        /// Windows that fill the tiles of a product well.
        const WINDOWS: usize = 256;
        /// So few tasks are not shared among threads.
        const FEW: usize = 4;
        let most = (WINDOWS / self.positions().max(1)).clamp(1, self.batch.max(1));
        let count = self.batch.div_ceil(most);
        // Powers of two, so that even numbers of threads share evenly.
        let count = if (FEW..16).contains(&count) { count.next_power_of_two() } else { count };
        let samples = self.batch.div_ceil(count.max(1)).max(1);
        let count = self.batch.div_ceil(samples);
        let work = self.weight_shape().iter().product::<usize>().saturating_mul(self.batch * self.positions());
        // A multiply-add takes about a sixteenth of the time of an element-wise operation.
        let parallel = count >= FEW;
        Tasks { samples, count, parallel, work: if parallel { work / 16 } else { 0 } }
    }
}
