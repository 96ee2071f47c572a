//! dW = Σ over samples of dY·colsᵀ.
//!
//! Here the sum is over windows, and taps are what a panel has side by side. In the image they are not: a tap of the
//! next channel is a whole channel further on. So the planes are copied with the channels of a pixel side by side (each
//! pixel once, where `cols` repeats it for each tap that sees it), and the columns of the product are ordered by tap,
//! then channel: now neighbours in memory. Taps and windows have changed their parts, and the same copying fills the
//! panels.

use super::planes::{Planes, by_pixel};
use super::windows::Windows;
use super::{Conv, Tasks, Way};
use crate::kernels::element::Float;
use crate::kernels::gemm::{Gemm, Isa, MatMut, MatRef, PackSource};
use crate::kernels::parallel;
use crate::memory::Buffer;

/// The most parts of the batch whose sums are kept apart, and the most elements that all these sums may have.
const PARTS: usize = 8;
pub(super) const LARGEST: usize = 1 << 22;

impl Conv {
    /// dW, [`weight_shape`](Conv::weight_shape): the gradient of the weight.
    pub fn weight_grad<T: Float>(&self, x: &[T], dy: &[T], dw: &mut [T]) {
        self.weight_grad_by(&self.way_of_weight_grad(), Isa::best(), x, dy, dw);
    }

    /// In one of the ways that there are.
    pub(super) fn weight_grad_by<T: Float>(&self, way: &Way, isa: Isa, x: &[T], dy: &[T], dw: &mut [T]) {
        match way {
            Way::Single(single) => single.weight_grad(isa, x, dy, dw),
            Way::Winograd(winograd) => winograd.weight_grad(isa, x, dy, dw),
            Way::Windows => self.weight_grad_by_windows(isa, x, dy, dw),
        }
    }

    #[inline(never)]
    fn weight_grad_by_windows<T: Float>(&self, isa: Isa, x: &[T], dy: &[T], dw: &mut [T]) {
        self.check(x.len(), dw.len(), dy.len());
        if dw.is_empty() || x.is_empty() || dy.is_empty() {
            return dw.fill(T::ZERO);
        }
        let of_part = SumOfWindows::new(self, isa);
        // Of each part [groups · O, taps, C].
        let (whole, row, taps) = (dw.len(), self.depth(), self.taps());
        let sums = sum_over_batch(self.tasks(), self.batch, whole, [x, dy], |part, sum| of_part.write(part, sum));
        parallel::for_each_rows(dw, row, |first, dw| {
            let mut total = Buffer::<T>::recycled(row);
            for (o, dw) in dw.chunks_exact_mut(row).enumerate() {
                add_up(sums.chunks_exact(whole).map(|part| &part[(first + o) * row..][..row]), &mut total);
                for (c, dw) in dw.chunks_exact_mut(taps).enumerate() {
                    for (tap, dw) in dw.iter_mut().enumerate() {
                        *dw = total[tap * self.in_channels + c];
                    }
                }
            }
        });
    }
}

/// Some samples.
pub(super) struct Part<'a, T> {
    x: &'a [T],
    dy: &'a [T],
    /// Elements of a sample of each.
    pub image: usize,
    sample: usize,
    /// Samples of a task.
    together: usize,
}

impl<'a, T> Part<'a, T> {
    /// So many samples at a time as go through a product together.
    pub fn tasks(&self) -> impl Iterator<Item = [&'a [T]; 2]> {
        let of = |samples: usize, data: &'a [T]| data.chunks(samples * self.together);
        of(self.image, self.x).zip(of(self.sample, self.dy)).map(|(x, dy)| [x, dy])
    }
}

/// A sum of `len` elements for each part of the batch, which `write` is called with.
pub(super) fn sum_over_batch<T: Float>(
    tasks: Tasks,
    batch: usize,
    len: usize,
    [x, dy]: [&[T]; 2],
    write: impl Fn(&Part<'_, T>, &mut [T]) + Sync,
) -> Buffer<T> {
    let Tasks { samples: together, count, parallel: share, work } = tasks;
    let parts = if share { count.min(PARTS).min(LARGEST / len).max(1) } else { 1 };
    let (image, sample) = (x.len() / batch, dy.len() / batch);
    // Whole tasks, as many to each part.
    let of_part = count.div_ceil(parts) * together;
    let mut sums = Buffer::<T>::recycled(batch.div_ceil(of_part) * len);
    parallel::for_each_block(&mut sums, len, work, |part, sum| {
        let from = part * of_part;
        let count = of_part.min(batch - from);
        let (x, dy) = (&x[from * image..][..count * image], &dy[from * sample..][..count * sample]);
        write(&Part { x, dy, image, sample, together }, sum);
    });
    sums
}

/// The sum of slices, in their order.
pub(super) fn add_up<'a, T: Float>(mut slices: impl Iterator<Item = &'a [T]>, total: &mut [T]) {
    total.copy_from_slice(slices.next().expect("a batch has a part"));
    for slice in slices {
        for (sum, &x) in total.iter_mut().zip(slice) {
            *sum += x;
        }
    }
}

/// The sum over a part of the batch as a product with the matrix of windows.
struct SumOfWindows<'a> {
    conv: &'a Conv,
    planes: Planes,
    isa: Isa,
    /// Whether each product is shared among threads.
    parallel: bool,
    /// Where the first window sees the first tap of each run of neighbouring ones, in planes by pixel.
    taps: Vec<usize>,
    /// Elements of such a run.
    run: usize,
    /// Where each window begins.
    windows: Vec<usize>,
}

impl<'a> SumOfWindows<'a> {
    fn new(conv: &'a Conv, isa: Isa) -> Self {
        let Tasks { samples, parallel: share, .. } = conv.tasks();
        let Conv { in_channels, output: [height, width], kernel, stride, dilation, .. } = *conv;
        let (planes, positions) = (Planes::of(conv), conv.positions());
        // Where neighbouring taps see neighbouring pixels, all taps of a row are neighbours.
        let neighbours = if stride[1] == 1 && dilation[1] == 1 { kernel[1] } else { 1 };
        let taps = (0..conv.taps())
            .step_by(neighbours)
            .map(|i| planes.tap(i / kernel[1], i % kernel[1]) * in_channels)
            .collect();
        let windows = (0..samples * positions)
            .map(|i| (i / positions * planes.channel(), i % positions))
            .map(|(sample, i)| (sample + i / width % height * planes.row() + i % width) * in_channels)
            .collect();
        SumOfWindows { conv, planes, isa, parallel: !share, taps, run: neighbours * in_channels, windows }
    }

    /// Writes `[groups · O, taps, C]`.
    fn write<T: Float>(&self, part: &Part<'_, T>, sum: &mut [T]) {
        let (out_channels, positions, depth) = (self.conv.out_channels, self.conv.positions(), self.conv.depth());
        for (task, [x, dy]) in part.tasks().enumerate() {
            let count = x.len() / part.image;
            for (group, sum) in sum.chunks_exact_mut(out_channels * depth).enumerate() {
                let pixels = by_pixel(&self.planes, x, group, count);
                let windows = &self.windows[..count * positions];
                let seen = Windows { data: &pixels, taps: windows, starts: &self.taps, run: self.run };
                let dy = &dy[group * out_channels * positions..];
                let together = (count > 1).then(|| side_by_side(dy, [out_channels, positions], [count, part.sample]));
                let dy = together.as_deref().unwrap_or(dy);
                let dy = MatRef::row_major(dy, out_channels, count * positions);
                let mut product = Gemm::new(dy, &seen as &dyn PackSource<T>).with_isa(self.isa);
                if task > 0 {
                    product = product.beta(T::ONE);
                }
                if !self.parallel {
                    product = product.serial();
                }
                product.write(MatMut::row_major(sum, out_channels, depth));
            }
        }
    }
}

/// The rows of `count` matrices, each `sample` elements after the one before, side by side.
fn side_by_side<T: Float>(matrices: &[T], [rows, columns]: [usize; 2], [count, sample]: [usize; 2]) -> Buffer<T> {
    let mut out = Buffer::recycled(rows * count * columns);
    for (i, to) in out.chunks_exact_mut(columns).enumerate() {
        let (row, n) = (i / count, i % count);
        to.copy_from_slice(&matrices[n * sample + row * columns..][..columns]);
    }
    out
}
