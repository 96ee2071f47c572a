//! Rows of any length, worked on a whole vector at a time.
//!
//! A loop over a row of, say, 27 numbers leaves 11 behind after its full vectors, and the compiler does
//! those one at a time: with an exponential in the loop, they would take most of the time. Here the rest
//! is copied into one more full block, padded with a value that changes nothing, so it costs as much as
//! any other block. Results depend on the row alone: which elements share a lane is fixed.

use super::element::Number;
use super::fold::{Fold, SumOf};

/// How many elements a block has: one vector of `f32` with AVX-512, two with AVX2.
pub const LANES: usize = 16;

/// `rest`, filled up with `pad` to a full block.
#[inline(always)]
pub fn padded<T: Copy>(rest: &[T], pad: T) -> [T; LANES] {
    let mut block = [pad; LANES];
    block[..rest.len()].copy_from_slice(rest);
    block
}

/// The lanes of a block become one number, halves first.
#[inline(always)]
pub fn merge<T: Copy>(mut lanes: [T; LANES], merge: impl Fn(T, T) -> T) -> T {
    let mut width = LANES;
    while width > 1 {
        width /= 2;
        for i in 0..width {
            lanes[i] = merge(lanes[i], lanes[i + width]);
        }
    }
    lanes[0]
}

/// Elements that are folded before the result is merged with that of the elements before: the rounding
/// error of a sum grows with this and with the number of blocks, not with their product.
const BLOCK: usize = 2048;

/// Folds a row.
#[inline(always)]
pub fn fold<T: Number, F: Fold<T>>(fold: F, x: &[T]) -> T {
    if x.len() <= BLOCK {
        return fold_block(fold, x);
    }
    x.chunks(BLOCK).fold(fold.start(), |total, x| fold.merge(total, fold_block(fold, x)))
}

#[inline(always)]
fn fold_block<T: Number, F: Fold<T>>(fold: F, x: &[T]) -> T {
    // Two accumulators a lane, so that an addition need not wait for the one before.
    let (mut even, mut odd) = ([fold.start(); LANES], [fold.start(); LANES]);
    let (pairs, rest) = x.as_chunks::<{ 2 * LANES }>();
    let (single, rest) = rest.as_chunks::<LANES>();
    for pair in pairs {
        for i in 0..LANES {
            even[i] = fold.merge(even[i], fold.term(pair[i]));
            odd[i] = fold.merge(odd[i], fold.term(pair[LANES + i]));
        }
    }
    for x in single {
        for (lane, &x) in even.iter_mut().zip(x) {
            *lane = fold.merge(*lane, fold.term(x));
        }
    }
    if !rest.is_empty() {
        let tail = padded(rest, rest[0]);
        for (i, (lane, &x)) in odd.iter_mut().zip(&tail).enumerate() {
            let term = fold.term(x);
            *lane = fold.merge(*lane, if i < rest.len() { term } else { fold.start() });
        }
    }
    for (even, odd) in even.iter_mut().zip(odd) {
        *even = fold.merge(*even, odd);
    }
    merge(even, |a, b| fold.merge(a, b))
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
    let ((blocks_a, rest_a), (blocks_b, rest_b)) = (a.as_chunks::<LANES>(), b.as_chunks::<LANES>());
    let mut lanes = [T::ZERO; LANES];
    if !rest_a.is_empty() {
        let (tail_a, tail_b) = (padded(rest_a, rest_a[0]), padded(rest_b, rest_b[0]));
        for (i, (lane, (&a, &b))) in lanes.iter_mut().zip(tail_a.iter().zip(&tail_b)).enumerate() {
            *lane = if i < rest_a.len() { f(a, b) } else { T::ZERO };
        }
    }
    for (a, b) in blocks_a.iter().zip(blocks_b) {
        for (lane, (&a, &b)) in lanes.iter_mut().zip(a.iter().zip(b)) {
            *lane += f(a, b);
        }
    }
    merge(lanes, |a, b| a + b)
}

/// out\[i\] = f(x\[i\]) over a row; returns the sum of the results.
#[inline(always)]
pub fn map_and_sum<T: Number>(x: &[T], out: &mut [T], f: impl Fn(T) -> T) -> T {
    let ((blocks, rest), (outs, out_rest)) = (x.as_chunks::<LANES>(), out.as_chunks_mut::<LANES>());
    let mut lanes = [T::ZERO; LANES];
    if !rest.is_empty() {
        let mut tail = padded(rest, rest[0]);
        for (i, (lane, y)) in lanes.iter_mut().zip(&mut tail).enumerate() {
            *y = f(*y);
            *lane = if i < rest.len() { *y } else { T::ZERO };
        }
        out_rest.copy_from_slice(&tail[..rest.len()]);
    }
    for (x, out) in blocks.iter().zip(outs) {
        for ((lane, out), &x) in lanes.iter_mut().zip(out).zip(x) {
            *out = f(x);
            *lane += *out;
        }
    }
    merge(lanes, |a, b| a + b)
}

/// a\[i\] = f(a\[i\], b\[i\]) over two rows of one length.
#[inline(always)]
pub fn zip_in_place<T: Copy>(a: &mut [T], b: &[T], f: impl Fn(T, T) -> T) {
    let ((blocks_a, rest_a), (blocks_b, rest_b)) = (a.as_chunks_mut::<LANES>(), b.as_chunks::<LANES>());
    for (a, b) in blocks_a.iter_mut().zip(blocks_b) {
        for (a, &b) in a.iter_mut().zip(b) {
            *a = f(*a, b);
        }
    }
    if !rest_a.is_empty() {
        let (mut tail, tail_b) = (padded(rest_a, rest_a[0]), padded(rest_b, rest_b[0]));
        for (a, &b) in tail.iter_mut().zip(&tail_b) {
            *a = f(*a, b);
        }
        rest_a.copy_from_slice(&tail[..rest_b.len()]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_every_length_agree_with_the_plain_loop() {
        // Small integers, so that sums are exact in any order.
        for n in (0..100).chain([2047, 2048, 2049, 5000]) {
            let a: Vec<f64> = (0..n).map(|i| (i * 7919 % 101) as f64 - 50.0).collect();
            let b: Vec<f64> = (0..n).map(|i| (i * 104_729 % 97) as f64 - 40.0).collect();
            assert_eq!(max(&a), a.iter().copied().fold(f64::NEG_INFINITY, f64::max), "max of {n}");
            assert_eq!(sum_of(&a, |x| x + 1.0), a.iter().map(|x| x + 1.0).sum::<f64>(), "sum of {n}");
            let dot: f64 = a.iter().zip(&b).map(|(a, b)| a * b + 1.0).sum();
            assert_eq!(sum_of_two(&a, &b, |a, b| a * b + 1.0), dot, "dot of {n}");
            let mut out = vec![0.0; n];
            assert_eq!(map_and_sum(&a, &mut out, |x| 2.0 * x), a.iter().map(|x| 2.0 * x).sum::<f64>());
            assert!(out.iter().zip(&a).all(|(y, x)| *y == 2.0 * x), "map of {n}");
            zip_in_place(&mut out, &b, |a, b| a - b);
            assert!(out.iter().zip(a.iter().zip(&b)).all(|(y, (a, b))| *y == 2.0 * a - b), "zip of {n}");
        }
    }
}
