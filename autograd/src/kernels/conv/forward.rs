//! Y = W·cols + bias, for each task and each group of channels.

use super::planes::{Planes, PlanesOf};
use super::windows::Windows;
use super::{Conv, Tasks, Way};
use crate::kernels::element::Float;
use crate::kernels::gemm::{Gemm, Isa, MatMut, MatRef, PackSource, PackedA};
use crate::kernels::parallel;
use crate::memory::Buffer;

impl Conv {
    /// Y, [`output_shape`](Conv::output_shape): the convolution of `x` with `weight`, plus a bias a channel.
    pub fn forward<T: Float>(&self, x: &[T], weight: &[T], bias: Option<&[T]>, y: &mut [T]) {
        self.forward_by(&self.way(), Isa::best(), x, weight, bias, y);
    }

    /// In one of the ways that there are.
    pub(super) fn forward_by<T: Float>(
        &self,
        way: &Way,
        isa: Isa,
        x: &[T],
        weight: &[T],
        bias: Option<&[T]>,
        y: &mut [T],
    ) {
        match way {
            Way::Single(single) => single.forward(isa, x, weight, bias, y),
            Way::Winograd(winograd) => winograd.forward(isa, x, weight, bias, y),
            Way::Windows => self.forward_by_windows(isa, x, weight, bias, y),
        }
    }

    #[inline(never)]
    fn forward_by_windows<T: Float>(&self, isa: Isa, x: &[T], weight: &[T], bias: Option<&[T]>, y: &mut [T]) {
        self.check(x.len(), weight.len(), y.len());
        if y.is_empty() {
            return;
        }
        let (out_channels, positions, depth) = (self.out_channels, self.positions(), self.depth());
        let image = self.input_shape()[1..].iter().product::<usize>();
        let sample = self.groups * out_channels * positions;
        let planes = Planes::of(self);
        let taps = planes.taps(self.in_channels);
        // Once for all samples.
        let weights: Vec<PackedA<T>> = (0..self.groups)
            .map(|group| &weight[group * out_channels * depth..])
            .map(|weight| PackedA::with_isa(MatRef::row_major(weight, out_channels, depth), isa))
            .collect();
        let Tasks { samples, parallel: share, work, .. } = self.tasks();
        let rows = planes.rows(samples);
        let task = |task: usize, y: &mut [T]| {
            let count = y.len() / sample;
            let x = &x[task * samples * image..][..count * image];
            for (group, weight) in weights.iter().enumerate() {
                let planes = PlanesOf::new(&planes, x, group, count);
                let starts = &rows[..count * self.output[0]];
                let windows = Windows { data: planes.data(), taps: &taps, starts, run: self.output[1] };
                let channels = group * out_channels..(group + 1) * out_channels;
                let mut product = Gemm::new(weight, &windows as &dyn PackSource<T>);
                if let Some(bias) = bias {
                    product = product.row_bias(&bias[channels.clone()]);
                }
                if share {
                    product = product.serial();
                }
                let channels = channels.start * positions..channels.end * positions;
                if count == 1 {
                    product.write(MatMut::row_major(&mut y[channels], out_channels, positions));
                    continue;
                }
                // The product has the channels of all samples side by side.
                let mut together = Buffer::recycled(out_channels * count * positions);
                product.write(MatMut::row_major(&mut together, out_channels, count * positions));
                for (n, y) in y.chunks_exact_mut(sample).enumerate() {
                    let rows = y[channels.clone()].chunks_exact_mut(positions);
                    for (to, from) in rows.zip(together.chunks_exact(count * positions)) {
                        to.copy_from_slice(&from[n * positions..][..positions]);
                    }
                }
            }
        };
        parallel::for_each_block(y, samples * sample, work, task);
    }
}
