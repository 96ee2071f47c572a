//! Layer normalisation of rows, and its gradients: one pass over memory each.
//!
//! A row is read several times, but from the first cache. With x̂ = (x − mean)·rstd and g = w·dy,
//!
//! ```text
//! y  = w·x̂ + b
//! dx = rstd·(g − mean(g) − x̂·mean(g·x̂))        dw = Σ dy·x̂ over rows        db = Σ dy over rows
//! ```

use super::element::Float;
use super::lanes;
use super::parallel;
use super::reduce::{Sum, fold_axis};
use super::simd::{Loop, vectorised};
use crate::memory::Buffer;

/// (mean, 1/√(variance + ε)) of a row.
pub type Moments<T> = [T; 2];

/// What scales and shifts a normalised row; either may be empty.
#[derive(Clone, Copy)]
pub struct Affine<'a, T> {
    /// `[n]`
    pub weight: &'a [T],
    /// `[n]`
    pub bias: &'a [T],
}

/// How many rows of `n` make a block of work. It depends on the size alone.
fn rows_of_block(len: usize, n: usize) -> usize {
    parallel::chunk_len(len).div_ceil(n.max(1))
}

/// y, and the moments of each row of `n` elements of `x`.
#[inline(never)]
pub fn forward<T: Float>(x: &[T], n: usize, eps: T, affine: Affine<'_, T>, y: &mut [T], moments: &mut [Moments<T>]) {
    struct Rows<'a, T> {
        x: &'a [T],
        n: usize,
        eps: T,
        affine: Affine<'a, T>,
        y: &'a mut [T],
        moments: &'a mut [Moments<T>],
    }
    impl<T: Float> Loop for Rows<'_, T> {
        type Out = ();
        #[inline(always)]
        fn run(self) {
            let Rows { x, n, eps, affine: Affine { weight, bias }, y, moments } = self;
            let per_element = T::ONE / T::from_f64(n as f64);
            for ((x, y), moments) in x.chunks_exact(n).zip(y.chunks_exact_mut(n)).zip(moments) {
                let mean = lanes::sum_of(x, |x| x) * per_element;
                // Around the mean: the difference of Σ x² and n·mean² would lose what a large mean hides.
                let variance = lanes::sum_of(x, |x| (x - mean) * (x - mean)) * per_element;
                let rstd = T::ONE / (variance + eps).sqrt();
                *moments = [mean, rstd];
                for (y, &x) in y.iter_mut().zip(x) {
                    *y = (x - mean) * rstd;
                }
                // The row is in the first cache: two more short loops cost little.
                for (y, &w) in y.iter_mut().zip(weight) {
                    *y = *y * w;
                }
                for (y, &b) in y.iter_mut().zip(bias) {
                    *y += b;
                }
            }
        }
    }
    assert!(n > 0 && x.len() == y.len() && x.len() == moments.len() * n);
    let rows = rows_of_block(x.len(), n);
    parallel::for_each_block_of_two((y, moments), (rows * n, rows), x.len(), |i, y, moments| {
        let x = &x[i * rows * n..i * rows * n + y.len()];
        vectorised(Rows { x, n, eps, affine, y, moments });
    });
}

/// What [`backward`] starts from.
#[derive(Clone, Copy)]
pub struct Saved<'a, T> {
    /// `[rows, n]`
    pub dy: &'a [T],
    /// `[rows, n]`
    pub x: &'a [T],
    /// `[rows]`
    pub moments: &'a [Moments<T>],
    /// `[n]`, or empty.
    pub weight: &'a [T],
}

/// The gradients: dx `[rows, n]`, and dw and db as the two rows of `[2, n]`. Either may be empty, if it is
/// not wanted.
#[inline(never)]
pub fn backward<T: Float>(saved: Saved<'_, T>, dx: &mut [T], dw_db: &mut [T]) {
    let Saved { dy, x, moments, weight } = saved;
    let (len, rows) = (x.len(), moments.len());
    let n = if rows == 0 { 0 } else { len / rows };
    assert!(dy.len() == len && rows * n == len && [0, len].contains(&dx.len()));
    if len == 0 {
        dw_db.fill(T::ZERO);
        return;
    }
    let block = rows_of_block(len, n);
    let part = |i: usize, dx: &mut [T], dw_db: &mut [T]| {
        let (first, last) = (i * block, ((i + 1) * block).min(rows));
        let saved =
            Saved { dy: &dy[first * n..last * n], x: &x[first * n..last * n], moments: &moments[first..last], weight };
        vectorised(Backward { saved, n, dx, dw_db });
    };
    if dw_db.is_empty() {
        parallel::for_each_block(dx, block * n, len, |i, dx| part(i, dx, &mut []));
        return;
    }
    // Each block of rows has sums of its own, which are then added up in order.
    let blocks = rows.div_ceil(block);
    let mut sums = Buffer::filled(blocks * 2 * n, T::ZERO);
    if dx.is_empty() {
        parallel::for_each_block(&mut sums, 2 * n, len, |i, sums| part(i, &mut [], sums));
    } else {
        parallel::for_each_block_of_two((dx, &mut sums), (block * n, 2 * n), len, part);
    }
    fold_axis(Sum, &sums, blocks, 2 * n, dw_db);
}

struct Backward<'a, T> {
    saved: Saved<'a, T>,
    n: usize,
    dx: &'a mut [T],
    dw_db: &'a mut [T],
}

impl<T: Float> Loop for Backward<'_, T> {
    type Out = ();
    #[inline(always)]
    fn run(self) {
        let Backward { saved: Saved { dy, x, moments, weight }, n, dx, dw_db } = self;
        let (dw, db) = dw_db.split_at_mut(dw_db.len() / 2);
        let per_element = T::ONE / T::from_f64(n as f64);
        for (i, &[mean, rstd]) in moments.iter().enumerate() {
            let (dy, x) = (&dy[i * n..(i + 1) * n], &x[i * n..(i + 1) * n]);
            for (((dw, db), &dy), &x) in dw.iter_mut().zip(&mut *db).zip(dy).zip(x) {
                *dw += dy * ((x - mean) * rstd);
                *db += dy;
            }
            let Some(dx) = dx.get_mut(i * n..(i + 1) * n) else { continue };
            // g first, in place of dx.
            if weight.is_empty() {
                dx.copy_from_slice(dy);
            } else {
                for ((g, &dy), &w) in dx.iter_mut().zip(dy).zip(weight) {
                    *g = dy * w;
                }
            }
            let mean_g = lanes::sum_of(dx, |g| g) * per_element;
            let mean_gx = lanes::sum_of_two(dx, x, |g, x| g * ((x - mean) * rstd)) * per_element;
            for (dx, &x) in dx.iter_mut().zip(x) {
                *dx = rstd * (*dx - mean_g - (x - mean) * rstd * mean_gx);
            }
        }
    }
}
