//! The largest element of each window of an image, and where it stands.
//!
//! A plane is one channel of one image, `[height, width]`. Windows are compared a tap at a time: all windows of a row
//! of the output with their first elements, then with their second ones, and so on, side by side.

use super::element::Float;
use super::lanes::LANES;
use super::parallel;
use super::simd::{Loop, vectorised};

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

    /// The first index of a window that is not in the padding.
    fn first(&self, window: usize) -> Option<usize> {
        (0..self.kernel).find_map(|tap| self.index(window, tap))
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

/// What is the same for all rows of windows.
struct Columns {
    width: usize,
    output: usize,
    stride: usize,
    /// For each element of a window: the first window in whose row it is not in the padding, how many there are, and
    /// where that element of the first one stands.
    taps: Vec<(usize, usize, usize)>,
    /// The first column of each window, or [`NOWHERE`].
    first: Vec<u32>,
}

impl Columns {
    fn new(axis: Windows) -> Columns {
        let tap = |tap: usize| {
            let (first, count) = axis.inside(tap);
            (count > 0).then(|| (first, count, first * axis.stride + tap * axis.dilation - axis.padding))
        };
        Columns {
            width: axis.input,
            output: axis.output,
            stride: axis.stride,
            taps: (0..axis.kernel).filter_map(tap).collect(),
            first: (0..axis.output).map(|window| axis.first(window).map_or(NOWHERE, |first| first as u32)).collect(),
        }
    }
}

/// The largest element of each window of each plane, and its index in the plane: the first of several, and the last NaN
/// if there is one.
pub fn forward<T: Float>(x: &[T], axes: [Windows; 2], y: &mut [T], indices: &mut [u32]) {
    struct Planes<'a, T> {
        x: &'a [T],
        rows: Windows,
        columns: &'a Columns,
        y: &'a mut [T],
        indices: &'a mut [u32],
    }
    impl<T: Float> Loop for Planes<'_, T> {
        type Out = ();
        #[inline(always)]
        fn run(self) {
            let Planes { x, rows, columns, y, indices } = self;
            let (plane, width) = (rows.input * columns.width, columns.output);
            for (i, (y, indices)) in y.chunks_exact_mut(width).zip(indices.chunks_exact_mut(width)).enumerate() {
                let (number, window) = (i / rows.output, i % rows.output);
                let x = &x[number * plane..(number + 1) * plane];
                let first_row = rows.first(window).map_or(NOWHERE, |row| (row * columns.width) as u32);
                for (index, &column) in indices.iter_mut().zip(&columns.first) {
                    let nowhere = first_row == NOWHERE || column == NOWHERE;
                    *index = if nowhere { NOWHERE } else { first_row.wrapping_add(column) };
                }
                y.fill(T::LEAST);
                for row in 0..rows.kernel {
                    let Some(row) = rows.index(window, row) else { continue };
                    for &(first, count, column) in &columns.taps {
                        let taps = Taps {
                            x: &x[row * columns.width + column..(row + 1) * columns.width],
                            at: (row * columns.width + column) as u32,
                            y: &mut y[first..first + count],
                            indices: &mut indices[first..first + count],
                        };
                        match columns.stride {
                            1 => taps.compare::<1>(),
                            2 => taps.compare::<2>(),
                            3 => taps.compare::<3>(),
                            stride => taps.compare_any(stride),
                        }
                    }
                }
            }
        }
    }
    let [plane, out] = [axes[0].input * axes[1].input, axes[0].output * axes[1].output];
    assert!(plane < NOWHERE as usize && y.len() == indices.len() && y.len() * plane == x.len() * out);
    let [rows, columns] = [axes[0], axes[1]];
    let columns = &Columns::new(columns);
    let work = y.len() * axes[0].kernel * axes[1].kernel;
    let planes = planes_of_block(y.len(), out);
    parallel::for_each_block_of_two((y, indices), (planes * out, planes * out), work, |i, y, indices| {
        let first = i * planes;
        let x = &x[first * plane..(first + y.len() / out) * plane];
        vectorised(Planes { x, rows, columns, y, indices });
    });
}

/// How many planes of so many elements make a block of work. It depends on the size alone.
fn planes_of_block(len: usize, plane: usize) -> usize {
    (parallel::chunk_len(len) / plane.max(1)).max(1)
}

/// One element of each window of a row.
struct Taps<'a, T> {
    /// From that of the first window on.
    x: &'a [T],
    /// Where that stands in the plane.
    at: u32,
    y: &'a mut [T],
    indices: &'a mut [u32],
}

impl<T: Float> Taps<'_, T> {
    /// With a stride that the compiler knows, and so can vectorise.
    #[inline(always)]
    fn compare<const STRIDE: usize>(self) {
        let Taps { mut at, x, y, indices } = self;
        // Rows are often short: in blocks, as in `lanes`.
        let mut done = 0;
        let (x_blocks, _) = x.as_chunks::<STRIDE>().0.as_chunks::<LANES>();
        let (y_blocks, _) = y.as_chunks_mut::<LANES>();
        let (index_blocks, _) = indices.as_chunks_mut::<LANES>();
        for ((y, indices), x) in y_blocks.iter_mut().zip(index_blocks).zip(x_blocks) {
            for i in 0..LANES {
                let larger = x[i][0] > y[i] || x[i][0].is_nan();
                y[i] = if larger { x[i][0] } else { y[i] };
                indices[i] = if larger { at.wrapping_add((i * STRIDE) as u32) } else { indices[i] };
            }
            at = at.wrapping_add((LANES * STRIDE) as u32);
            done += LANES;
        }
        let rest = Taps { x: &x[(done * STRIDE).min(x.len())..], at, y: &mut y[done..], indices: &mut indices[done..] };
        rest.compare_any(STRIDE);
    }

    #[inline(always)]
    fn compare_any(self, stride: usize) {
        let Taps { x, at, y, indices } = self;
        for (i, (y, index)) in y.iter_mut().zip(indices).enumerate() {
            let x = x[i * stride];
            if x > *y || x.is_nan() {
                (*y, *index) = (x, at + (i * stride) as u32);
            }
        }
    }
}

/// y\[i\] = x\[indices\[i\]\], plane by plane; 0 for [`NOWHERE`].
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
