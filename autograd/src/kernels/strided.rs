//! Walking over elements that do not lie one behind the other.
//!
//! Axes that do lie one behind the other (in every operand at once) are merged first, so that most
//! walks end up with one long inner run.

use std::ops::Range;

/// An axis after merging: its size and its stride in each of `N` operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run<const N: usize> {
    /// How many elements.
    pub size: usize,
    /// How far apart they are, for each operand.
    pub strides: [usize; N],
}

/// A short list of runs, outermost first.
#[derive(Clone, Copy, Debug)]
pub struct Runs<const N: usize> {
    len: usize,
    of: [Run<N>; MAX_RUNS],
}
const MAX_RUNS: usize = 8;

impl<const N: usize> std::ops::Deref for Runs<N> {
    type Target = [Run<N>];
    #[inline]
    fn deref(&self) -> &[Run<N>] {
        &self.of[..self.len]
    }
}

/// Merges the axes of `shape` that are contiguous with their neighbour in every operand, and drops
/// axes of size 1.
#[inline]
pub fn merged<const N: usize>(shape: &[usize], strides: [&[usize]; N]) -> Runs<N> {
    let mut runs = Runs { len: 0, of: [Run { size: 1, strides: [0; N] }; MAX_RUNS] };
    for (axis, &size) in shape.iter().enumerate() {
        if size == 1 {
            continue;
        }
        let inner: [usize; N] = std::array::from_fn(|operand| strides[operand][axis]);
        if runs.len > 0 {
            let last = &mut runs.of[runs.len - 1];
            if (0..N).all(|operand| last.strides[operand] == inner[operand] * size) {
                *last = Run { size: last.size * size, strides: inner };
                continue;
            }
        }
        runs.of[runs.len] = Run { size, strides: inner };
        runs.len += 1;
    }
    runs
}

/// Each operand's offset for rows `rows.start..rows.end` of the outer runs, counted in row-major order.
///
/// For a `for` loop. A closure in its place would be a function of its own, which does not know the
/// instruction set that the loop around it was compiled for (see [`simd`](super::simd)).
#[inline]
pub fn offsets<const N: usize>(outer: &[Run<N>], rows: Range<usize>) -> Offsets<'_, N> {
    let (mut index, mut offsets, mut rest) = ([0; MAX_RUNS], [0; N], rows.start);
    for (axis, run) in outer.iter().enumerate().rev() {
        index[axis] = rest % run.size.max(1);
        rest /= run.size.max(1);
        for operand in 0..N {
            offsets[operand] += index[axis] * run.strides[operand];
        }
    }
    Offsets { outer, index, offsets, left: rows.len() }
}

/// An odometer: see [`offsets`].
pub struct Offsets<'a, const N: usize> {
    outer: &'a [Run<N>],
    /// Where it stands.
    index: [usize; MAX_RUNS],
    offsets: [usize; N],
    /// Rows to come.
    left: usize,
}

impl<const N: usize> Iterator for Offsets<'_, N> {
    type Item = [usize; N];

    #[inline]
    fn next(&mut self) -> Option<[usize; N]> {
        self.left = self.left.checked_sub(1)?;
        let here = self.offsets;
        for (axis, run) in self.outer.iter().enumerate().rev() {
            self.index[axis] += 1;
            for operand in 0..N {
                self.offsets[operand] += run.strides[operand];
            }
            if self.index[axis] < run.size {
                break;
            }
            for operand in 0..N {
                self.offsets[operand] -= run.size * run.strides[operand];
            }
            self.index[axis] = 0;
        }
        Some(here)
    }
}

/// Copies a strided view into `out`, in row-major order.
#[inline(never)]
pub fn copy<T: Copy + Send + Sync>(view: &[T], shape: &[usize], strides: &[usize], out: &mut [T]) {
    if out.is_empty() {
        return;
    }
    let runs = merged(shape, [strides]);
    let Some((&inner, outer)) = runs.split_last() else {
        out[0] = view[0];
        return;
    };
    // Matrices whose columns are contiguous: copied in square tiles, so that each cache line that is
    // read serves several rows.
    if let [batch @ .., Run { size: height, strides: [1] }] = outer {
        if batch.is_empty() {
            super::parallel::for_each_rows(out, inner.size, |first, out| {
                transpose_tiled(&view[first..], inner.strides[0], inner.size, out);
            });
        } else {
            let work = out.len();
            super::parallel::for_each_block(out, height * inner.size, work, |i, out| {
                for [at] in offsets(batch, i..i + 1) {
                    transpose_tiled(&view[at..], inner.strides[0], inner.size, out);
                }
            });
        }
        return;
    }
    super::parallel::for_each_rows(out, inner.size, |first, out| {
        let count = out.len() / inner.size;
        for (row, [at]) in out.chunks_exact_mut(inner.size).zip(offsets(outer, first..first + count)) {
            copy_row(&view[at..], inner.strides[0], row);
        }
    });
}

/// `to[i] = from[i · stride]`
#[inline(always)]
pub fn copy_row<T: Copy>(from: &[T], stride: usize, to: &mut [T]) {
    match stride {
        0 => to.fill(from[0]),
        1 => to.copy_from_slice(&from[..to.len()]),
        2 if to.len() >= 8 => copy_even::<T, 8>(from, to),
        2 => copy_even::<T, 4>(from, to),
        _ => {
            for (i, to) in to.iter_mut().enumerate() {
                *to = from[i * stride];
            }
        }
    }
}

/// `to[i] = from[2·i]`, in blocks of a known length, of which the compiler makes vectors. The last block overlaps the
/// one before.
#[inline(always)]
fn copy_even<T: Copy, const N: usize>(from: &[T], to: &mut [T]) {
    let len = to.len();
    for block in 0..len.div_ceil(N) {
        let at = (block * N).min(len.saturating_sub(N));
        let blocks = (from.get(2 * at..2 * (at + N)), to[at..].first_chunk_mut::<N>());
        let (Some(from), Some(to)) = blocks else {
            for i in at..len.min(at + N) {
                to[i] = from[2 * i];
            }
            continue;
        };
        for i in 0..N {
            to[i] = from[2 * i];
        }
    }
}

/// `out[r][c] = view[r + c·stride]` for rows of `width`, tile by tile.
fn transpose_tiled<T: Copy>(view: &[T], stride: usize, width: usize, out: &mut [T]) {
    const TILE: usize = 16;
    let count = out.len() / width;
    for top in (0..count).step_by(TILE) {
        for left in (0..width).step_by(TILE) {
            for row in top..(top + TILE).min(count) {
                for column in left..(left + TILE).min(width) {
                    out[row * width + column] = view[row + column * stride];
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::is_tested_here;

    /// The definition: every index in turn.
    fn naive(view: &[usize], shape: &[usize], strides: &[usize]) -> Vec<usize> {
        let count: usize = shape.iter().product();
        (0..count)
            .map(|flat| {
                let (mut rest, mut at) = (flat, 0);
                for (&size, &stride) in shape.iter().zip(strides).rev() {
                    at += rest % size * stride;
                    rest /= size;
                }
                view[at]
            })
            .collect()
    }

    /// Around the lengths of its blocks, from views that end with the last element read, or one or many later.
    #[test]
    fn every_second_element_is_copied() {
        for len in 0..40_usize {
            for beyond in [0, 1, 20] {
                let from: Vec<usize> = (0..(2 * len).saturating_sub(1) + beyond).collect();
                let mut to = vec![usize::MAX; len];
                copy_row(&from, 2, &mut to);
                assert!(to.iter().enumerate().all(|(i, &x)| x == 2 * i), "{len} of {}: {to:?}", from.len());
            }
        }
    }

    #[test]
    fn copies_agree_with_the_definition() {
        let view: Vec<usize> = (0..if cfg!(miri) { 2000 } else { 200_000 }).collect();
        let cases: &[(&[usize], &[usize])] = &[
            (&[], &[]),
            (&[5], &[1]),
            (&[5], &[7]),
            (&[4], &[0]),
            (&[2, 3, 4], &[12, 4, 1]),
            (&[3, 2, 4], &[4, 12, 1]),
            (&[4, 3], &[1, 4]),
            (&[37, 41], &[1, 37]),
            (&[30, 31], &[1, 30]),
            (&[30, 31], &[31, 1]),
            (&[2, 1, 3], &[3, 99, 1]),
            (&[300, 301], &[1, 300]),
            (&[300, 301], &[301, 1]),
            (&[301, 300], &[0, 1]),
            (&[50, 30, 60], &[60, 3000, 1]),
            (&[50, 30, 60], &[1800, 1, 30]),
            (&[5, 4, 30, 20], &[20, 100, 1, 400]),
            (&[3, 17, 19], &[0, 1, 23]),
            (&[0, 3], &[3, 1]),
        ];
        for (shape, strides) in cases {
            if !is_tested_here(shape.iter().product()) {
                continue;
            }
            let mut out = vec![0; shape.iter().product()];
            copy(&view, shape, strides, &mut out);
            assert_eq!(out, naive(&view, shape, strides), "shape {shape:?}, strides {strides:?}");
        }
    }
}
