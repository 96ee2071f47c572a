//! dW = Σ over samples of dY·colsᵀ.

use super::planes::{Planes, PlanesOf};
use super::windows::{ByTap, Windows};
use super::{Conv, Tasks};
use crate::kernels::element::Float;
use crate::kernels::gemm::{Gemm, Isa, MatMut, PackSource};
use crate::kernels::parallel;
use crate::memory::Buffer;

/// The most parts of the batch whose sums are kept apart, and the most elements that all these sums may have.
const PARTS: usize = 8;
const LARGEST: usize = 1 << 22;

impl Conv {
    /// dW, [`weight_shape`](Conv::weight_shape): the gradient of the weight.
    pub fn weight_grad<T: Float>(&self, x: &[T], dy: &[T], dw: &mut [T]) {
        self.weight_grad_on(Isa::best(), x, dy, dw);
    }

    #[inline(never)]
    pub(super) fn weight_grad_on<T: Float>(&self, isa: Isa, x: &[T], dy: &[T], dw: &mut [T]) {
        self.check(x.len(), dw.len(), dy.len());
        if dw.is_empty() || dy.is_empty() {
            return dw.fill(T::ZERO);
        }
        let Tasks { samples, count, parallel: share, work } = self.tasks();
        let parts = if share { count.min(PARTS).min(LARGEST / dw.len()).max(1) } else { 1 };
        if parts == 1 {
            return self.part_of_weight_grad([samples, self.batch], isa, true, [x, dy], dw);
        }
        let (image, sample) = (x.len() / self.batch, dy.len() / self.batch);
        // Whole tasks, as many to each part.
        let of_part = count.div_ceil(parts) * samples;
        let mut sums = Buffer::<T>::recycled(self.batch.div_ceil(of_part) * dw.len());
        parallel::for_each_block(&mut sums, dw.len(), work, |part, sum| {
            let from = part * of_part;
            let batch = of_part.min(self.batch - from);
            let (x, dy) = (&x[from * image..][..batch * image], &dy[from * sample..][..batch * sample]);
            self.part_of_weight_grad([samples, batch], isa, false, [x, dy], sum);
        });
        let (first, others) = sums.split_at(dw.len());
        parallel::for_each_chunk(dw, |start, dw| {
            let len = dw.len();
            dw.copy_from_slice(&first[start..start + len]);
            for other in others.chunks_exact(first.len()) {
                for (sum, &x) in dw.iter_mut().zip(&other[start..start + len]) {
                    *sum += x;
                }
            }
        });
    }

    /// The sum over a part of the batch, so many samples at a time.
    fn part_of_weight_grad<T: Float>(
        &self,
        [samples, batch]: [usize; 2],
        isa: Isa,
        parallel: bool,
        [x, dy]: [&[T]; 2],
        dw: &mut [T],
    ) {
        let (image, sample) = (x.len() / batch, dy.len() / batch);
        let (out_channels, positions, depth) = (self.out_channels, self.positions(), self.depth());
        let planes = Planes::of(self);
        let taps = planes.taps(self.in_channels);
        let channels: Vec<usize> = (0..out_channels).map(|o| o * positions).collect();
        for from in (0..batch).step_by(samples) {
            let count = samples.min(batch - from);
            let (x, dy) = (&x[from * image..][..count * image], &dy[from * sample..][..count * sample]);
            for (group, dw) in dw.chunks_exact_mut(out_channels * depth).enumerate() {
                let planes = PlanesOf::new(self, &planes, x, group, count);
                let seen = ByTap(Windows::of(self, planes.planes, &taps, planes.data(), planes.samples()));
                let dy = &dy[group * out_channels * positions..];
                let dy = ByTap(Windows::of_output(self, &channels, dy, [count, sample]));
                let mut product = Gemm::new(&dy as &dyn PackSource<T>, &seen as &dyn PackSource<T>).with_isa(isa);
                if from > 0 {
                    product = product.beta(T::ONE);
                }
                if !parallel {
                    product = product.serial();
                }
                product.write(MatMut::row_major(dw, out_channels, depth));
            }
        }
    }
}
