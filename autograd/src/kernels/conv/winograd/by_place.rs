//! Place by place: each step for the whole batch before the next one.
//!
//! With many channels and small images the weights at the points are what is large: 36 matrices, with more elements
//! than the transformed tiles of a task. If every task went through all of them, it would read them anew, from memory.
//! So threads share the samples for the first step, the places for the second, and the samples again for the third.
//! Each place's matrix is then read once, packed by the thread that multiplies with it, and used while it is in that
//! thread's cache. And a batch of eight has work for many threads. It takes room for the transforms of the whole batch;
//! as long as that is in the last cache, this order is the better one, or as good.

use super::Winograd;
use super::block::Block;
use super::tiles::{PLACES, Places};
use super::transforms::LANES;
use crate::kernels::conv::Tasks;
use crate::kernels::element::Float;
use crate::kernels::gemm::{Gemm, Isa, MatMut, MatRef, PackedA};
use crate::kernels::parallel;
use crate::memory::Buffer;

/// A side of the products: what the tiles see, or what they write.
#[derive(Clone, Copy)]
enum Side {
    Seen,
    Written,
}

/// One group of channels of the batch.
struct Stage<'a> {
    winograd: &'a Winograd,
    group: usize,
    /// Samples of a block, all of whose tiles are in it; the last may have fewer.
    samples: usize,
    work: usize,
}

impl<'a> Stage<'a> {
    fn of(winograd: &'a Winograd, group: usize) -> Stage<'a> {
        let Tasks { samples, work, .. } = winograd.tasks();
        Stage { winograd, group, samples, work: work / winograd.conv.groups }
    }

    /// A block of so many samples.
    fn block(&self, samples: usize) -> Block<'a> {
        let [height, width] = self.winograd.tiles;
        Block { winograd: self.winograd, group: self.group, samples: 0..samples, tiles: [0..height, 0..width] }
    }

    /// The samples of each block.
    fn blocks(&self) -> impl Iterator<Item = usize> {
        let batch = self.winograd.conv.batch;
        (0..batch).step_by(self.samples).map(move |first| self.samples.min(batch - first))
    }

    /// The places of a block.
    fn places(&self, side: Side, samples: usize) -> Places {
        match side {
            Side::Seen => self.block(samples).seen_places(),
            Side::Written => self.block(samples).written_places(),
        }
    }

    /// The first step: block after block, `[blocks, places, channels, tiles]`, of images or outputs.
    fn transform<T: Float>(&self, side: Side, images: &[T]) -> Buffer<T> {
        let image = images.len() / self.winograd.conv.batch;
        let len = self.blocks().map(|samples| self.places(side, samples).len()).sum();
        let mut to = Buffer::recycled(len);
        parallel::for_each_block(&mut to, self.places(side, self.samples).len(), self.work, |i, to| {
            let first = i * self.samples;
            let samples = self.samples.min(self.winograd.conv.batch - first);
            let images = &images[first * image..];
            match side {
                Side::Seen => self.block(samples).transform_images(images, to),
                Side::Written => self.block(samples).transform_grads(images, to),
            }
        });
        to
    }

    /// Each block of what [`transform`](Stage::transform) wrote: its samples, how they lie, and where.
    fn transformed<'b, T: Float>(
        &'b self,
        side: Side,
        data: &'b [T],
    ) -> impl Iterator<Item = (usize, Places, &'b [T])> {
        let whole = self.places(side, self.samples).len();
        self.blocks().zip(data.chunks(whole)).map(move |(samples, data)| (samples, self.places(side, samples), data))
    }

    /// The second step: `[places, blocks, channels, tiles]`, of products with the matrix of each place.
    fn multiply<'m, T: Float>(
        &self,
        isa: Isa,
        left: impl Fn(usize) -> MatRef<'m, T> + Sync,
        (from, right): (Side, &[T]),
        to: Side,
    ) -> Buffer<T> {
        let mut out = Buffer::recycled(PLACES * self.pitch(to));
        parallel::for_each_block(&mut out, self.pitch(to), self.work, |place, mut out| {
            let left = PackedA::with_isa(left(place), isa);
            for (samples, of, right) in self.transformed(from, right) {
                let to = self.places(to, samples);
                let here = out.split_off_mut(..to.matrix_len()).expect("room for each block");
                let product = MatMut::row_major(here, to.channels, to.tiles);
                Gemm::new(&left, of.matrix(right, place)).serial().write(product);
            }
        });
        out
    }

    /// Elements from a place to the next, with a vector in between as in [`Places::of`], in what
    /// [`multiply`](Stage::multiply) writes.
    fn pitch(&self, side: Side) -> usize {
        self.blocks().map(|samples| self.places(side, samples).matrix_len()).sum::<usize>() + LANES
    }

    /// The third step: calls `write` with each block, its part of what [`multiply`](Stage::multiply) wrote, and its
    /// images.
    fn write<T: Float>(
        &self,
        (side, data): (Side, &[T]),
        images: &mut [T],
        write: impl Fn(Block<'_>, (Places, &[T]), &mut [T]) + Sync,
    ) {
        let (image, pitch) = (images.len() / self.winograd.conv.batch, self.pitch(side));
        let block = self.places(side, self.samples).matrix_len();
        parallel::for_each_block(images, self.samples * image, self.work, |i, images| {
            let samples = images.len() / image;
            let places = Places { pitch, ..self.places(side, samples) };
            write(self.block(samples), (places, &data[i * block..]), images);
        });
    }
}

/// Y = Aᵀ[U ⊙ (Bᵀ·d·B)]A
#[inline(never)]
pub fn forward<T: Float>(w: &Winograd, isa: Isa, x: &[T], weight: &[T], bias: Option<&[T]>, y: &mut [T]) {
    let u = w.transform_weights(weight);
    for group in 0..w.conv.groups {
        let stage = Stage::of(w, group);
        let v = stage.transform(Side::Seen, x);
        let m = stage.multiply(isa, |place| w.matrix(&u, group, place), (Side::Seen, &v), Side::Written);
        stage.write((Side::Written, &m), y, |block, m, y| block.write_outputs(m, bias, y));
    }
}

/// dX = B[Uᵀ ⊙ (A·dY·Aᵀ)]Bᵀ
#[inline(never)]
pub fn input_grad<T: Float>(w: &Winograd, isa: Isa, dy: &[T], weight: &[T], bias: Option<&[T]>, dx: &mut [T]) {
    let u = w.transform_weights(weight);
    for group in 0..w.conv.groups {
        let stage = Stage::of(w, group);
        let dm = stage.transform(Side::Written, dy);
        let dv = stage.multiply(isa, |place| w.matrix(&u, group, place).t(), (Side::Written, &dm), Side::Seen);
        stage.write((Side::Seen, &dv), dx, |block, dv, dx| block.add_images(dv, bias, dx));
    }
}

/// dW = Gᵀ·dU·G with dU = (A·dY·Aᵀ) ⊙ (Bᵀ·d·B), summed over the batch.
#[inline(never)]
pub fn weight_grad<T: Float>(w: &Winograd, isa: Isa, x: &[T], dy: &[T], dw: &mut [T]) {
    let (out_channels, row) = (w.conv.out_channels, w.window.phase_channels());
    let mut sums = Buffer::recycled(w.sum());
    for (group, sums) in sums.chunks_exact_mut(PLACES * out_channels * row).enumerate() {
        let stage = Stage::of(w, group);
        let (v, dm) = (stage.transform(Side::Seen, x), stage.transform(Side::Written, dy));
        parallel::for_each_block(sums, out_channels * row, stage.work, |place, sum| {
            let blocks = stage.transformed(Side::Written, &dm).zip(stage.transformed(Side::Seen, &v));
            for (i, ((_, written, dm), (_, seen, v))) in blocks.enumerate() {
                let product = Gemm::new(written.matrix(dm, place), seen.matrix(v, place).t()).with_isa(isa).serial();
                let product = if i == 0 { product } else { product.beta(T::ONE) };
                product.write(MatMut::row_major(sum, out_channels, row));
            }
        });
    }
    w.weight_grads(&sums, dw);
}
