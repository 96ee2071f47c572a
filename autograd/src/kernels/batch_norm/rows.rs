//! Channels of a single sample, as instance normalisation has them: each is a row, read several times from the first
//! caches.

use super::{Input, Moments, Saved};
use crate::kernels::element::Float;
use crate::kernels::lanes;
use crate::kernels::layer_norm::Affine;
use crate::kernels::parallel;
use crate::kernels::simd::{Loop, vectorised};

/// [`forward`](super::forward) of a single sample.
#[inline(never)]
pub fn forward<T: Float>(input: Input<'_, T>, y: &mut [T], moments: &mut [Moments<T>]) {
    struct Rows<'a, T> {
        input: Input<'a, T>,
        /// The number of the first one.
        first: usize,
        y: &'a mut [T],
        moments: &'a mut [Moments<T>],
    }
    impl<T: Float> Loop for Rows<'_, T> {
        type Out = ();
        #[inline(always)]
        fn run(self) {
            let Rows { input: Input { x, shape, affine: Affine { weight, bias }, eps }, first, y, moments } = self;
            let size = shape.size;
            let count = T::from_f64(size as f64);
            for (i, (y, moments)) in y.chunks_exact_mut(size).zip(moments).enumerate() {
                let channel = first + i;
                let x = &x[channel * size..(channel + 1) * size];
                let mean = lanes::sum_of(x, |x| x) / count;
                let variance = lanes::sum_of(x, |x| (x - mean) * (x - mean)) / count;
                *moments = [mean, variance];
                let rstd = T::ONE / (variance + eps).sqrt();
                let scale = if weight.is_empty() { rstd } else { weight[channel] * rstd };
                let shift = if bias.is_empty() { T::ZERO } else { bias[channel] };
                lanes::map(x, y, |x| (x - mean) * scale + shift);
            }
        }
    }
    let (size, work) = (input.shape.size, 3 * y.len());
    let rows = parallel::chunk_len(y.len()).div_ceil(size);
    parallel::for_each_block_of_two((y, moments), (rows * size, rows), work, |i, y, moments| {
        vectorised(Rows { input, first: i * rows, y, moments });
    });
}

/// [`backward`](super::backward) of a single sample.
#[inline(never)]
pub fn backward<T: Float>(saved: Saved<'_, T>, dx: &mut [T], db_dw: &mut [[T; 2]]) {
    struct Rows<'a, T> {
        saved: Saved<'a, T>,
        /// The number of the first one.
        first: usize,
        dx: &'a mut [T],
        db_dw: &'a mut [[T; 2]],
    }
    impl<T: Float> Loop for Rows<'_, T> {
        type Out = ();
        #[inline(always)]
        fn run(self) {
            let Rows { saved: Saved { dy, x, shape, moments, weight, eps, measured }, first, dx, db_dw } = self;
            let size = shape.size;
            let common = if measured { T::ONE / T::from_f64(size as f64) } else { T::ZERO };
            for (i, (dx, db_dw)) in dx.chunks_exact_mut(size).zip(db_dw).enumerate() {
                let channel = first + i;
                let (dy, x) = (&dy[channel * size..(channel + 1) * size], &x[channel * size..(channel + 1) * size]);
                let [mean, variance] = moments[channel];
                let rstd = T::ONE / (variance + eps).sqrt();
                let db = lanes::sum_of(dy, |dy| dy);
                let dw = lanes::sum_of_two(dy, x, |dy, x| dy * (x - mean)) * rstd;
                *db_dw = [db, dw];
                let scale = if weight.is_empty() { rstd } else { weight[channel] * rstd };
                let (shift, slope) = (db * common, dw * common * rstd);
                lanes::map(x, dx, |x| (x - mean) * slope);
                lanes::update(dx, dy, |along, dy| scale * (dy - shift - along));
            }
        }
    }
    let (size, work) = (saved.shape.size, 3 * dx.len());
    let rows = parallel::chunk_len(dx.len()).div_ceil(size);
    parallel::for_each_block_of_two((dx, db_dw), (rows * size, rows), work, |i, dx, db_dw| {
        vectorised(Rows { saved, first: i * rows, dx, db_dw });
    });
}
