//! Rows of any length, a vector at a time.
//!
//! Rows are often short: 27 classes, 16 features. For these the compiler's own way with a loop, four
//! vectors at a time and the rest one by one, leaves most of the work to the rest. Here the rest is
//! blocks of [`LANES`] first, and at most `LANES − 1` elements after that.
//!
//! The loops are written out over arrays, not with `Iterator::fold`, which may become a function of its
//! own and then knows no instruction set (see [`simd`](super::simd)). The order in which a row is added
//! up depends on its length alone.

use super::element::Number;
use super::fold::{Fold, SumOf};

/// How many elements a block has: a vector of `f32` with AVX2.
pub const LANES: usize = 8;
/// Four blocks at once, where there are as many: an addition need not wait for the one before.
const WIDE: usize = 4 * LANES;
/// Rows from which on the compiler's own way with a loop is as good.
const LONG: usize = 128;
/// Elements that are folded before the result is merged with that of the elements before: the rounding
/// error of a sum grows with this and with the number of blocks, not with their product.
const BLOCK: usize = 2048;

/// Folds a row.
#[inline(always)]
pub fn fold<T: Number, F: Fold<T>>(fold: F, x: &[T]) -> T {
    let mut total = fold.start();
    for block in x.chunks(BLOCK) {
        total = fold.merge(total, fold_block(fold, block));
    }
    total
}

#[inline(always)]
fn fold_block<T: Number, F: Fold<T>>(fold: F, x: &[T]) -> T {
    let mut lanes = [fold.start(); LANES];
    let (wide, rest) = x.as_chunks::<WIDE>();
    if !wide.is_empty() {
        let mut many = [fold.start(); WIDE];
        for x in wide {
            for i in 0..WIDE {
                many[i] = fold.merge(many[i], fold.term(x[i]));
            }
        }
        lanes = quarter(fold, many);
    }
    let (blocks, rest) = rest.as_chunks::<LANES>();
    for x in blocks {
        for i in 0..LANES {
            lanes[i] = fold.merge(lanes[i], fold.term(x[i]));
        }
    }
    let mut total = fold.start();
    for &x in rest {
        total = fold.merge(total, fold.term(x));
    }
    fold.merge(together(fold, lanes), total)
}

/// Four blocks become one.
#[inline(always)]
fn quarter<T: Number, F: Fold<T>>(fold: F, many: [T; WIDE]) -> [T; LANES] {
    let mut lanes = [fold.start(); LANES];
    for i in 0..LANES {
        let (even, odd) = (fold.merge(many[i], many[i + 2 * LANES]), fold.merge(many[i + LANES], many[i + 3 * LANES]));
        lanes[i] = fold.merge(even, odd);
    }
    lanes
}

/// The lanes of a block become one, halves first.
#[inline(always)]
fn together<T: Number, F: Fold<T>>(fold: F, mut lanes: [T; LANES]) -> T {
    let mut width = LANES;
    while width > 1 {
        width /= 2;
        for i in 0..width {
            lanes[i] = fold.merge(lanes[i], lanes[i + width]);
        }
    }
    lanes[0]
}

/// The largest element of a row, −∞ of an empty one. A NaN may win or not: this is for callers whose
/// next step brings it back.
#[inline(always)]
pub fn max<T: Number>(x: &[T]) -> T {
    fold(Larger, x)
}

/// One instruction, where [`Max`](super::fold::Max), which cares for NaN, takes four.
#[derive(Clone, Copy)]
struct Larger;

impl<T: Number> Fold<T> for Larger {
    type Merge = Larger;
    #[inline(always)]
    fn merge_only(self) -> Larger {
        self
    }
    #[inline(always)]
    fn start(self) -> T {
        T::LEAST
    }
    #[inline(always)]
    fn merge(self, a: T, b: T) -> T {
        if a > b { a } else { b }
    }
}

/// The sum of f(x) over a row.
#[inline(always)]
pub fn sum_of<T: Number>(x: &[T], f: impl Fn(T) -> T + Copy + Send + Sync) -> T {
    fold(SumOf(f), x)
}

/// The sum of f(a, b) over two rows of one length.
#[inline(always)]
pub fn sum_of_two<T: Number>(a: &[T], b: &[T], f: impl Fn(T, T) -> T) -> T {
    let sum = super::fold::Sum;
    let mut lanes = [T::ZERO; LANES];
    let ((wide_a, a), (wide_b, b)) = (a.as_chunks::<WIDE>(), b.as_chunks::<WIDE>());
    if !wide_a.is_empty() {
        let mut many = [T::ZERO; WIDE];
        for (a, b) in wide_a.iter().zip(wide_b) {
            for i in 0..WIDE {
                many[i] += f(a[i], b[i]);
            }
        }
        lanes = quarter(sum, many);
    }
    let ((blocks_a, a), (blocks_b, b)) = (a.as_chunks::<LANES>(), b.as_chunks::<LANES>());
    for (a, b) in blocks_a.iter().zip(blocks_b) {
        for i in 0..LANES {
            lanes[i] += f(a[i], b[i]);
        }
    }
    let mut total = T::ZERO;
    for (&a, &b) in a.iter().zip(b) {
        total += f(a, b);
    }
    together(sum, lanes) + total
}

/// y\[i\] = f(x\[i\]) over a row. For cheap functions: the last few elements go one by one.
#[inline(always)]
pub fn map<T: Copy>(x: &[T], y: &mut [T], f: impl Fn(T) -> T) {
    let ((blocks_x, x), (blocks_y, y)) = if x.len() < LONG {
        (x.as_chunks::<LANES>(), y.as_chunks_mut::<LANES>())
    } else {
        ((&[][..], x), (&mut [][..], y))
    };
    for (x, y) in blocks_x.iter().zip(blocks_y) {
        for i in 0..LANES {
            y[i] = f(x[i]);
        }
    }
    for (&x, y) in x.iter().zip(y) {
        *y = f(x);
    }
}

/// a\[i\] = f(a\[i\], b\[i\]) over two rows of one length, as [`map`].
#[inline(always)]
pub fn update<T: Copy>(a: &mut [T], b: &[T], f: impl Fn(T, T) -> T) {
    let ((blocks_a, a), (blocks_b, b)) = if b.len() < LONG {
        (a.as_chunks_mut::<LANES>(), b.as_chunks::<LANES>())
    } else {
        ((&mut [][..], a), (&[][..], b))
    };
    for (a, b) in blocks_a.iter_mut().zip(blocks_b) {
        for i in 0..LANES {
            a[i] = f(a[i], b[i]);
        }
    }
    for (a, &b) in a.iter_mut().zip(b) {
        *a = f(*a, b);
    }
}

/// x\[i\] = x\[i\]·factor over a row.
#[inline(always)]
pub fn scale<T: Number>(x: &mut [T], factor: T) {
    let (blocks, rest) = if x.len() < LONG { x.as_chunks_mut::<LANES>() } else { (&mut [][..], x) };
    for x in blocks {
        for x in x {
            *x = *x * factor;
        }
    }
    for x in rest {
        *x = *x * factor;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_every_length_agree_with_the_plain_loop() {
        // Small integers, so that sums are exact in any order.
        for n in (0..140).chain([2047, 2048, 2049, 5000]) {
            let a: Vec<f64> = (0..n).map(|i| (i * 7919 % 101) as f64 - 50.0).collect();
            let b: Vec<f64> = (0..n).map(|i| (i * 104_729 % 97) as f64 - 40.0).collect();
            assert_eq!(max(&a), a.iter().copied().fold(f64::NEG_INFINITY, f64::max), "max of {n}");
            assert_eq!(sum_of(&a, |x| x + 1.0), a.iter().map(|x| x + 1.0).sum::<f64>(), "sum of {n}");
            let dot: f64 = a.iter().zip(&b).map(|(a, b)| a * b + 1.0).sum();
            assert_eq!(sum_of_two(&a, &b, |a, b| a * b + 1.0), dot, "dot of {n}");
            let mut out = vec![0.0; n];
            map(&a, &mut out, |x| 2.0 * x);
            assert!(out.iter().zip(&a).all(|(y, x)| *y == 2.0 * x), "map of {n}");
            update(&mut out, &b, |a, b| a - b);
            scale(&mut out, 3.0);
            assert!(out.iter().zip(a.iter().zip(&b)).all(|(y, (a, b))| *y == 3.0 * (2.0 * a - b)), "update of {n}");
        }
    }
}
