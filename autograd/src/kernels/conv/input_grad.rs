//! dX: what Wᵀ·dY says of every window, added up over the windows that see a pixel.

use super::planes::{Join, Planes};
use super::windows::Windows;
use super::{Conv, Tasks, Way};
use crate::kernels::element::Float;
use crate::kernels::gemm::{Gemm, Isa, MatMut, MatRef, PackSource, PackedA};
use crate::kernels::parallel;
use crate::kernels::simd::{Loop, vectorised};
use crate::memory::Buffer;

/// Some channels of the input and what multiplies with dY to give their windows.
struct Block<T: Float> {
    group: usize,
    channels: usize,
    weight: PackedA<T>,
}

impl Conv {
    /// dX, [`input_shape`](Conv::input_shape): the gradient of the input, plus a bias a channel. It is also what a
    /// transposed convolution computes, which is where the bias comes from.
    pub fn input_grad<T: Float>(&self, dy: &[T], weight: &[T], bias: Option<&[T]>, dx: &mut [T]) {
        self.input_grad_by(&self.way(), Isa::best(), dy, weight, bias, dx);
    }

    /// In one of the ways that there are.
    pub(super) fn input_grad_by<T: Float>(
        &self,
        way: &Way,
        isa: Isa,
        dy: &[T],
        weight: &[T],
        bias: Option<&[T]>,
        dx: &mut [T],
    ) {
        match way {
            Way::Single(single) => single.input_grad(isa, dy, weight, bias, dx),
            Way::Winograd(winograd) => winograd.input_grad(isa, dy, weight, bias, dx),
            Way::Windows => self.input_grad_by_windows(isa, dy, weight, bias, dx),
        }
    }

    #[inline(never)]
    fn input_grad_by_windows<T: Float>(&self, isa: Isa, dy: &[T], weight: &[T], bias: Option<&[T]>, dx: &mut [T]) {
        self.check(dx.len(), weight.len(), dy.len());
        if dx.is_empty() {
            return;
        }
        let (pixels, taps, positions) = (self.input[0] * self.input[1], self.taps(), self.positions());
        let image = self.groups * self.in_channels * pixels;
        let sample = self.groups * self.out_channels * positions;
        let planes = Planes::of(self);
        // dX must hold the bias first: for pixels that no plane shows, or where windows are added to dX itself.
        let fill = planes.in_place || !planes.show_all();
        let Tasks { samples, parallel: share, work, .. } = self.tasks();
        let blocks = self.blocks(isa, weight, samples);
        // Of dY a channel plays the part of a tap, and a sample that of a run of windows.
        let channels_of_y: Vec<usize> = (0..self.out_channels).map(|o| o * positions).collect();
        let samples_of_y: Vec<usize> = (0..samples).map(|n| n * sample).collect();
        let task = |task: usize, dx: &mut [T]| {
            let count = dx.len() / image;
            let dy = &dy[task * samples * sample..][..count * sample];
            let mut first = 0; // channel of the block, over all groups
            for Block { group, channels, weight } in &blocks {
                // The windows of these channels, [channels · taps, count · positions].
                let rows = channels * taps;
                let mut windows = Buffer::recycled(rows * count * positions);
                let dy = dy.get(group * self.out_channels * positions..).unwrap_or(&[]);
                let several =
                    Windows { data: dy, taps: &channels_of_y, starts: &samples_of_y[..count], run: positions };
                let product = match count {
                    // A sample alone is a matrix as it lies, which is read with fewer steps.
                    1 => Gemm::new(weight, MatRef::row_major(dy, self.out_channels, positions)),
                    _ => Gemm::new(weight, &several as &dyn PackSource<T>),
                };
                let product = if share { product.serial() } else { product };
                product.write(MatMut::row_major(&mut windows, rows, count * positions));
                let mut scratch = (!planes.in_place).then(|| Buffer::recycled(planes.channel()));
                for n in 0..count {
                    for channel in 0..*channels {
                        let start = bias.map_or(T::ZERO, |bias| bias[first + channel]);
                        let dx = &mut dx[n * image + (first + channel) * pixels..][..pixels];
                        let add = |to: &mut [T]| {
                            let windows = &windows[channel * taps * count * positions..];
                            let of_tap = count * positions;
                            vectorised(AddWindows { conv: self, planes: &planes, windows, of_tap, n, to });
                        };
                        if fill {
                            dx.fill(start);
                        }
                        match &mut scratch {
                            Some(scratch) => {
                                scratch.fill(start);
                                add(scratch);
                                vectorised(Join { planes: &planes, from: scratch, image: dx });
                            }
                            None => add(dx),
                        }
                    }
                }
                first += channels;
            }
        };
        parallel::for_each_block(dx, samples * image, work, task);
    }

    /// The channels of the input in blocks, so that the windows of a block stay in the second cache.
    fn blocks<T: Float>(&self, isa: Isa, weight: &[T], samples: usize) -> Vec<Block<T>> {
        /// Elements of a block's windows.
        const ELEMENTS: usize = 1 << 16;
        let (taps, depth) = (self.taps(), self.depth());
        let most = (ELEMENTS / (taps * samples * self.positions()).max(1)).max(1);
        let mut blocks = Vec::new();
        for group in 0..self.groups {
            for first in (0..self.in_channels).step_by(most) {
                let channels = most.min(self.in_channels - first);
                let start = group * self.out_channels * depth + first * taps;
                let weight = weight.get(start..).unwrap_or(&[]);
                let rows = MatRef::new(weight, [channels * taps, self.out_channels], [1, depth]);
                blocks.push(Block { group, channels, weight: PackedA::with_isa(rows, isa) });
            }
        }
        blocks
    }
}

/// Adds the windows of one channel of sample `n` to the planes they see.
struct AddWindows<'a, T> {
    conv: &'a Conv,
    planes: &'a Planes,
    /// `[taps, of_tap]`, of which sample `n` has its share.
    windows: &'a [T],
    of_tap: usize,
    n: usize,
    to: &'a mut [T],
}

impl<T: Float> Loop for AddWindows<'_, T> {
    type Out = ();
    #[inline(always)]
    fn run(self) {
        let AddWindows { conv, planes, windows, of_tap, n, to } = self;
        let [height, width] = conv.output;
        // ANCHOR: add
        for ky in 0..conv.kernel[0] {
            for kx in 0..conv.kernel[1] {
                let tap = planes.tap(ky, kx);
                let from = &windows[(ky * conv.kernel[1] + kx) * of_tap + n * height * width..][..height * width];
                for oy in 0..height {
                    let to = &mut to[tap + oy * planes.row()..][..width];
                    for (to, &from) in to.iter_mut().zip(&from[oy * width..][..width]) {
                        *to += from;
                    }
                }
            }
        }
        // ANCHOR_END: add
    }
}
