//! Task by task: some samples, which stay on one thread, through all three steps, a block at a time that a cache holds.

use super::Winograd;
use super::tiles::{PLACES, Places};
use crate::kernels::conv::Tasks;
use crate::kernels::conv::weight_grad::{Part, sum_over_batch};
use crate::kernels::element::Float;
use crate::kernels::gemm::{Gemm, Isa, MatMut, MatRef, PackedA};
use crate::kernels::parallel;
use crate::memory::Buffer;

/// Y = Aᵀ[U ⊙ (Bᵀ·d·B)]A
#[inline(never)]
pub fn forward<T: Float>(w: &Winograd, isa: Isa, x: &[T], weight: &[T], bias: Option<&[T]>, y: &mut [T]) {
    let (image, sample) = (x.len() / w.conv.batch, y.len() / w.conv.batch);
    let weights = packed(w, isa, weight, |u| u);
    let Tasks { samples, work, .. } = w.tasks();
    parallel::for_each_block(y, samples * sample, work, |task, y| {
        let count = y.len() / sample;
        let x = &x[task * samples * image..][..count * image];
        for (group, weights) in weights.chunks_exact(PLACES).enumerate() {
            for block in w.blocks(group, count) {
                let (seen, written) = (block.seen_places(), block.written_places());
                let mut v = Buffer::recycled(seen.len());
                block.transform_images(x, &mut v);
                let m = multiply(weights, (seen, &v), written);
                block.write_outputs((written, &m), bias, y);
            }
        }
    });
}

/// dX = B[Uᵀ ⊙ (A·dY·Aᵀ)]Bᵀ
#[inline(never)]
pub fn input_grad<T: Float>(w: &Winograd, isa: Isa, dy: &[T], weight: &[T], bias: Option<&[T]>, dx: &mut [T]) {
    let (image, sample) = (dx.len() / w.conv.batch, dy.len() / w.conv.batch);
    let weights = packed(w, isa, weight, |u| u.t());
    let Tasks { samples, work, .. } = w.tasks();
    parallel::for_each_block(dx, samples * image, work, |task, dx| {
        let count = dx.len() / image;
        let dy = &dy[task * samples * sample..][..count * sample];
        for (group, weights) in weights.chunks_exact(PLACES).enumerate() {
            for block in w.blocks(group, count) {
                let (seen, written) = (block.seen_places(), block.written_places());
                let mut dm = Buffer::recycled(written.len());
                block.transform_grads(dy, &mut dm);
                let dv = multiply(weights, (written, &dm), seen);
                // Which overwrites what was there: every image has a block with its first tile.
                block.add_images((seen, &dv), bias, dx);
            }
        }
    });
}

/// dW = Gᵀ·dU·G with dU = (A·dY·Aᵀ) ⊙ (Bᵀ·d·B), summed over the batch.
#[inline(never)]
pub fn weight_grad<T: Float>(w: &Winograd, isa: Isa, x: &[T], dy: &[T], dw: &mut [T]) {
    let (out_channels, row) = (w.conv.out_channels, w.window.phase_channels());
    // Of each part of the batch [groups, places, O, C′].
    let (group, place) = (PLACES * out_channels * row, out_channels * row);
    let sums = sum_over_batch(w.tasks(), w.conv.batch, w.sum(), [x, dy], |part: &Part<T>, sum| {
        for (group, sum) in sum.chunks_exact_mut(group).enumerate() {
            let mut beta = T::ZERO;
            for [x, dy] in part.tasks() {
                for block in w.blocks(group, x.len() / part.image) {
                    let (seen, written) = (block.seen_places(), block.written_places());
                    let [mut v, mut dm] = [seen, written].map(|places| Buffer::recycled(places.len()));
                    block.transform_images(x, &mut v);
                    block.transform_grads(dy, &mut dm);
                    for (i, sum) in sum.chunks_exact_mut(place).enumerate() {
                        let sum = MatMut::row_major(sum, out_channels, row);
                        let product = Gemm::new(written.matrix(&dm, i), seen.matrix(&v, i).t());
                        product.with_isa(isa).serial().beta(beta).write(sum);
                    }
                    beta = T::ONE;
                }
            }
        }
    });
    w.weight_grads(&sums, dw);
}

/// The matrices of each group and place, `[O, C′]`, seen as `view` says, packed as left operands.
fn packed<T: Float>(
    w: &Winograd,
    isa: Isa,
    weight: &[T],
    view: for<'a> fn(MatRef<'a, T>) -> MatRef<'a, T>,
) -> Vec<PackedA<T>> {
    let points = w.transform_weights(weight);
    let mut packed: Vec<Option<PackedA<T>>> = (0..w.conv.groups * PLACES).map(|_| None).collect();
    parallel::for_each_block(&mut packed, 1, points.len(), |i, packed| {
        packed[0] = Some(PackedA::with_isa(view(w.matrix(&points, i / PLACES, i % PLACES)), isa));
    });
    packed.into_iter().map(|packed| packed.expect("each place is packed")).collect()
}

/// The product of each place.
fn multiply<T: Float>(left: &[PackedA<T>], (of, right): (Places, &[T]), to: Places) -> Buffer<T> {
    let mut out = Buffer::recycled(to.len());
    for (place, left) in left.iter().enumerate() {
        Gemm::new(left, of.matrix(right, place)).serial().write(to.matrix_mut(&mut out, place));
    }
    out
}
