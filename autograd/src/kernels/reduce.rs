//! Reductions along one axis. The operand is row-major `[outer, n, inner]`; the result `[outer, inner]`.
//!
//! Sums are added up in blocks, and blocks in order: the rounding error grows with the block's length
//! and the number of blocks, not with `n`, and the order depends on the shape alone.

use super::element::Number;
pub use super::fold::{Fold, Max, Min, Product, Sum, SumOf};
use super::lanes;
use super::parallel;
use super::simd::{Loop, vectorised};
use crate::memory::Buffer;

/// Folds the middle axis of `x`.
#[inline(never)]
pub fn fold_axis<T: Number, F: Fold<T>>(fold: F, x: &[T], n: usize, inner: usize, out: &mut [T]) {
    assert_eq!(x.len(), if inner == 0 { 0 } else { out.len() * n });
    if out.is_empty() {
        return;
    }
    if n == 0 {
        out.fill(fold.start());
    } else if inner == 1 && out.len() == 1 {
        out[0] = fold_all(fold, x);
    } else if inner == 1 {
        fold_rows(fold, x, n, out);
    } else if out.len() == inner {
        fold_columns(fold, x, inner, out);
    } else {
        // Several matrices: each becomes one row.
        parallel::for_each_block(out, inner, x.len(), |i, out| {
            vectorised(Columns { fold, x: &x[i * n * inner..(i + 1) * n * inner], out });
        });
    }
}

/// Each row of `n` becomes one number.
fn fold_rows<T: Number, F: Fold<T>>(fold: F, x: &[T], n: usize, out: &mut [T]) {
    let rows = parallel::chunk_len(x.len()).div_ceil(n);
    parallel::for_each_block(out, rows, x.len(), |i, out| {
        let at = i * rows * n;
        vectorised(Rows { fold, x: &x[at..at + out.len() * n], n, out });
    });
}

/// Everything becomes one number.
#[inline(never)]
pub fn fold_all<T: Number, F: Fold<T>>(fold: F, x: &[T]) -> T {
    let one_row = |x: &[T]| {
        let mut out = [fold.start()];
        if !x.is_empty() {
            vectorised(Rows { fold, x, n: x.len(), out: &mut out });
        }
        out[0]
    };
    let chunk = parallel::chunk_len(x.len());
    if x.len() <= chunk {
        return one_row(x);
    }
    let mut parts = vec![fold.start(); x.len().div_ceil(chunk)];
    parallel::for_each_block(&mut parts, 1, x.len(), |i, part| {
        part[0] = one_row(&x[i * chunk..((i + 1) * chunk).min(x.len())]);
    });
    lanes::fold(fold.merge_only(), &parts)
}

/// A matrix becomes one row. Long ones are cut into blocks of rows, each of which becomes a row first.
fn fold_columns<T: Number, F: Fold<T>>(fold: F, x: &[T], inner: usize, out: &mut [T]) {
    let block = parallel::chunk_len(x.len()).div_ceil(inner) * inner;
    if x.len() <= block {
        return vectorised(Columns { fold, x, out });
    }
    let mut parts = Buffer::filled(x.len().div_ceil(block) * inner, fold.start());
    parallel::for_each_block(&mut parts, inner, x.len(), |i, part| {
        vectorised(Columns { fold, x: &x[i * block..((i + 1) * block).min(x.len())], out: part });
    });
    vectorised(Columns { fold: fold.merge_only(), x: &parts, out });
}

struct Rows<'a, F, T> {
    fold: F,
    x: &'a [T],
    n: usize,
    out: &'a mut [T],
}

impl<T: Number, F: Fold<T>> Loop for Rows<'_, F, T> {
    type Out = ();
    #[inline(always)]
    fn run(self) {
        for (x, out) in self.x.chunks_exact(self.n).zip(self.out) {
            *out = lanes::fold(self.fold, x);
        }
    }
}

struct Columns<'a, F, T> {
    fold: F,
    x: &'a [T],
    out: &'a mut [T],
}

impl<T: Number, F: Fold<T>> Loop for Columns<'_, F, T> {
    type Out = ();
    #[inline(always)]
    fn run(self) {
        let Columns { fold, x, out } = self;
        out.fill(fold.start());
        for row in x.chunks_exact(out.len()) {
            for (sum, &x) in out.iter_mut().zip(row) {
                *sum = fold.merge(*sum, fold.term(x));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::is_tested_here;

    #[test]
    fn sums_agree_with_the_definition() {
        for (outer, n, inner) in [
            (1, 0, 3),
            (1, 5, 1),
            (3, 0, 1),
            (4, 7, 3),
            (1, 1003, 1),
            (1, 201, 5),
            (30, 31, 1),
            (2, 3, 200),
            (1, 3, 400),
            (1, 100_003, 1),
            (1, 70_001, 5),
            (300, 301, 1),
            (40, 60, 50),
            (0, 3, 3),
            (2, 3, 40_000),
            (1, 3, 70_000),
        ] {
            if !is_tested_here(outer * n * inner) {
                continue;
            }
            let x: Vec<i64> = (0..outer * n * inner).map(|i| (i * 7919 % 1013) as i64).collect();
            let mut out = vec![-1; outer * inner];
            fold_axis(Sum, &x, n, inner, &mut out);
            let expected: Vec<i64> = (0..outer * inner)
                .map(|at| (0..n).map(|i| x[(at / inner * n + i) * inner + at % inner]).sum())
                .collect();
            assert_eq!(out, expected, "{outer}, {n}, {inner}");
        }
    }

    #[test]
    fn a_long_sum_is_accurate_to_a_few_units_in_the_last_place() {
        // Added one by one in f32, the sum would stall at 2^24.
        let len = if cfg!(miri) { 1000 } else { 40_000_000 };
        assert_eq!(fold_all(Sum, &vec![1.0_f32; len]), len as f32);
    }

    #[test]
    fn nan_wins() {
        let mut x = vec![1.0_f32; 100];
        x[37] = f32::NAN;
        assert!(fold_all(Max, &x).is_nan());
        assert!(fold_all(Min, &x).is_nan());
    }
}
