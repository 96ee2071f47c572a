//! The largest element of each window of an image, and where it stands.
//!
//! A plane is one channel of one image, `[height, width]`. Windows are taken a few at a time, side by side: their first
//! elements are compared, then their second ones, and so on, with the largest so far in registers.

use super::element::Float;
use super::lanes::LANES;
use super::parallel;
use super::simd::{Loop, vectorised};
use std::ops::Range;

/// Where windows lie along one axis.
#[derive(Clone, Copy, Debug)]
pub struct Windows {
    /// Elements.
    pub input: usize,
    /// Windows.
    pub output: usize,
    /// Elements of a window.
    pub kernel: usize,
    /// From one window to the next.
    pub stride: usize,
    /// Elements that are thought to stand before the first and after the last.
    pub padding: usize,
    /// From one element of a window to the next.
    pub dilation: usize,
}

impl Windows {
    /// The input's index for an element of a window, if it is not in the padding.
    fn index(&self, window: usize, tap: usize) -> Option<usize> {
        (window * self.stride + tap * self.dilation).checked_sub(self.padding).filter(|&index| index < self.input)
    }

    /// The windows whose element `tap` is not in the padding: the first one, and how many.
    fn inside(&self, tap: usize) -> (usize, usize) {
        let at = tap * self.dilation;
        let first = self.padding.saturating_sub(at).div_ceil(self.stride);
        let end = (self.input + self.padding).saturating_sub(at).div_ceil(self.stride).min(self.output);
        (first, end.saturating_sub(first))
    }
}

/// What stands for an index where a window lies in the padding altogether.
pub const NOWHERE: u32 = u32::MAX;

/// The largest element of each window of each plane, and its index in the plane: the first of several, and the last NaN
/// if there is one.
#[inline(never)]
pub fn forward<T: Float>(x: &[T], axes: [Windows; 2], y: &mut [T], indices: &mut [u32]) {
    struct Planes<'a, T> {
        x: &'a [T],
        axes: [Windows; 2],
        y: &'a mut [T],
        indices: &'a mut [u32],
    }
    impl<T: Float> Loop for Planes<'_, T> {
        type Out = ();
        #[inline(always)]
        fn run(self) {
            let Planes { x, axes: [rows, columns], y, indices } = self;
            let (plane, width) = (rows.input * columns.input, columns.output);
            for (i, (y, indices)) in y.chunks_exact_mut(width).zip(indices.chunks_exact_mut(width)).enumerate() {
                let (number, window) = (i / rows.output, i % rows.output);
                let row = Row { x: &x[number * plane..(number + 1) * plane], rows, columns, window };
                match columns.stride {
                    1 => row.write::<1>(y, indices),
                    2 => row.write::<2>(y, indices),
                    3 => row.write::<3>(y, indices),
                    _ => row.write_each(0..width, y, indices),
                }
            }
        }
    }
    let [plane, out] = [axes[0].input * axes[1].input, axes[0].output * axes[1].output];
    assert!(plane < NOWHERE as usize && y.len() == indices.len() && y.len() * plane == x.len() * out);
    let work = y.len() * axes[0].kernel * axes[1].kernel;
    let planes = planes_of_block(y.len(), out);
    parallel::for_each_block_of_two((y, indices), (planes * out, planes * out), work, |i, y, indices| {
        let first = i * planes;
        let x = &x[first * plane..(first + y.len() / out) * plane];
        vectorised(Planes { x, axes, y, indices });
    });
}

/// A row of windows of a plane.
#[derive(Clone, Copy)]
struct Row<'a, T> {
    /// The plane.
    x: &'a [T],
    rows: Windows,
    columns: Windows,
    /// The number of the row.
    window: usize,
}

impl<T: Float> Row<'_, T> {
    /// All of the row, with a stride that the compiler knows, and so can vectorise.
    #[inline(always)]
    fn write<const STRIDE: usize>(self, y: &mut [T], indices: &mut [u32]) {
        // The windows that no padding touches lie together.
        let (first, _) = self.columns.inside(0);
        let (start, count) = self.columns.inside(self.columns.kernel - 1);
        let end = (start + count).min(y.len());
        if end < first + LANES {
            return self.write_each(0..y.len(), y, indices);
        }
        self.write_each(0..first, y, indices);
        let mut at = first;
        while at < end {
            // The last block overlaps the one before, and writes the same there.
            at = at.min(end - LANES);
            let block = at..at + LANES;
            self.write_block::<STRIDE>(at, &mut y[block.clone()], &mut indices[block]);
            at += LANES;
        }
        self.write_each(end..y.len(), y, indices);
    }

    /// Windows side by side that no padding touches at their sides.
    #[inline(always)]
    fn write_block<const STRIDE: usize>(self, at: usize, y: &mut [T], indices: &mut [u32]) {
        let Row { x, rows, columns, window } = self;
        let mut best = [T::LEAST; LANES];
        let mut places = [NOWHERE; LANES];
        for row in 0..rows.kernel {
            let Some(row) = rows.index(window, row) else { continue };
            for tap in 0..columns.kernel {
                let place = row * columns.input + at * STRIDE + tap * columns.dilation - columns.padding;
                let x = &x[place..place + (LANES - 1) * STRIDE + 1];
                for i in 0..LANES {
                    let (x, best, kept) = (x[i * STRIDE], &mut best[i], &mut places[i]);
                    let larger = x > *best || x.is_nan() || *kept == NOWHERE;
                    *best = if larger { x } else { *best };
                    *kept = if larger { (place as u32).wrapping_add((i * STRIDE) as u32) } else { *kept };
                }
            }
        }
        y.copy_from_slice(&best);
        indices.copy_from_slice(&places);
    }

    /// Windows one by one.
    #[inline(always)]
    fn write_each(self, windows: Range<usize>, y: &mut [T], indices: &mut [u32]) {
        let Row { x, rows, columns, window } = self;
        for i in windows {
            let (mut best, mut kept) = (T::LEAST, NOWHERE);
            for row in 0..rows.kernel {
                let Some(row) = rows.index(window, row) else { continue };
                for tap in 0..columns.kernel {
                    let Some(column) = columns.index(i, tap) else { continue };
                    let place = row * columns.input + column;
                    if x[place] > best || x[place].is_nan() || kept == NOWHERE {
                        (best, kept) = (x[place], place as u32);
                    }
                }
            }
            (y[i], indices[i]) = (best, kept);
        }
    }
}

/// How many planes of so many elements make a block of work. It depends on the size alone.
fn planes_of_block(len: usize, plane: usize) -> usize {
    (parallel::chunk_len(len) / plane.max(1)).max(1)
}

/// y\[i\] = x\[indices\[i\]\], plane by plane; 0 for [`NOWHERE`].
#[inline(never)]
pub fn pick<T: Float>(x: &[T], indices: &[u32], plane: usize, out: usize, y: &mut [T]) {
    assert!(y.len() == indices.len() && y.len() * plane == x.len() * out);
    let planes = planes_of_block(y.len(), out);
    parallel::for_each_block(y, planes * out, indices.len(), |block, y| {
        let first = block * planes;
        let indices = &indices[first * out..first * out + y.len()];
        for (i, (y, indices)) in y.chunks_exact_mut(out).zip(indices.chunks_exact(out)).enumerate() {
            let x = &x[(first + i) * plane..(first + i + 1) * plane];
            for (y, &index) in y.iter_mut().zip(indices) {
                *y = x.get(index as usize).copied().unwrap_or(T::ZERO);
            }
        }
    });
}

/// The adjoint of [`pick`]: x\[indices\[i\]\] is the sum of such y\[i\], plane by plane.
#[inline(never)]
pub fn place<T: Float>(y: &[T], indices: &[u32], plane: usize, out: usize, x: &mut [T]) {
    assert!(y.len() == indices.len() && y.len() * plane == x.len() * out);
    let planes = planes_of_block(x.len(), plane);
    let work = x.len();
    parallel::for_each_block(x, planes * plane, work, |block, x| {
        x.fill(T::ZERO);
        let first = block * planes;
        for (i, x) in x.chunks_exact_mut(plane).enumerate() {
            let at = (first + i) * out..(first + i + 1) * out;
            for (&y, &index) in y[at.clone()].iter().zip(&indices[at]) {
                if let Some(x) = x.get_mut(index as usize) {
                    *x += y;
                }
            }
        }
    });
}
