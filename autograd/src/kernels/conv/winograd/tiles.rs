//! The transforms of a block of tiles: from the pixels that they see, and to the outputs that they are.

use super::transforms::{LANES, Line, Output, lanes, on_lanes};
use crate::kernels::element::Float;
use crate::kernels::gemm::{MatRef, WIDEST_PANEL};
use crate::kernels::simd::Loop;
use crate::memory::Buffer;
use std::ops::Range;

// Copied planes have room behind them for a panel, so also for what a transform reads beyond the last tile.
const _: () = assert!(LANES <= WIDEST_PANEL);

/// The places of a transformed tile.
pub const PLACES: usize = 16;

/// Transformed tiles: for each place a matrix `[channels, tiles]`.
#[derive(Clone, Copy)]
pub struct Places {
    pub channels: usize,
    pub tiles: usize,
}

impl Places {
    /// So many channels of the tiles of a block.
    pub fn new(channels: usize, block: &Range<usize>) -> Places {
        Places { channels, tiles: block.len() }
    }

    /// Memory for them.
    pub fn buffer<T: Float>(self) -> Buffer<T> {
        Buffer::recycled(PLACES * self.pitch())
    }

    /// Elements from a place to the next: what a transform writes beyond the last tile has room behind it.
    fn pitch(self) -> usize {
        self.channels * self.tiles + LANES
    }

    /// The elements of a place.
    pub fn range(self, place: usize) -> Range<usize> {
        let start = place * self.pitch();
        start..start + self.channels * self.tiles
    }

    /// The matrix of a place.
    pub fn matrix<T: Float>(self, data: &[T], place: usize) -> MatRef<'_, T> {
        MatRef::row_major(&data[self.range(place)], self.channels, self.tiles)
    }
}

/// Neighbouring tiles of a row.
#[derive(Clone, Copy)]
pub struct Run {
    /// The number of the first, in its block.
    lane: usize,
    /// Its row, over all samples.
    row: usize,
    /// Its column.
    column: usize,
    /// How many.
    len: usize,
}

/// The runs of a block of tiles, of which a row has `width`.
pub fn runs(block: Range<usize>, width: usize) -> Vec<Run> {
    let rows = block.start / width..block.end.div_ceil(width);
    let run = |row: usize| {
        let tiles = block.start.max(row * width)..block.end.min((row + 1) * width);
        Run { lane: tiles.start - block.start, row, column: tiles.start % width, len: tiles.len() }
    };
    rows.map(run).collect()
}

/// Transforms what each tile sees of some channels, `N` × `N` pixels.
pub struct IntoTiles<'a, T, L, const N: usize> {
    /// Planes.
    pub data: &'a [T],
    /// Elements of a channel of them.
    pub channel: usize,
    /// Where in a channel the first tile's pixels are.
    pub taps: &'a [usize],
    /// Where each row of tiles begins.
    pub rows: &'a [usize],
    pub runs: &'a [Run],
    pub map: L,
    pub to: Places,
    pub out: &'a mut [T],
}

impl<T: Float, L: Line<N, 4>, const N: usize> Loop for IntoTiles<'_, T, L, N> {
    type Out = ();

    /// Eight tiles are read and written however few are left in a row. What is too much lands where later runs go, or the
    /// next channel's, which are written later; behind the last channel `Places` keeps room, and so do copied planes
    /// (`PlanesOf`). With a stride of 2, planes are always copied.
    #[inline(always)]
    fn run(self) {
        for channel in 0..self.to.channels {
            for run in self.runs {
                let start = channel * self.channel + self.rows[run.row] + run.column;
                for first in (0..run.len).step_by(LANES) {
                    let mut seen = [[lanes(self.data, start + first); N]; N];
                    for i in 0..N {
                        for j in 0..N {
                            seen[i][j] = lanes(self.data, start + first + self.taps[i * N + j]);
                        }
                    }
                    let transformed = on_lanes(self.map, seen);
                    let at = channel * self.to.tiles + run.lane + first;
                    for i in 0..4 {
                        for j in 0..4 {
                            let to = &mut self.out[(i * 4 + j) * self.to.pitch() + at..];
                            to[..LANES].copy_from_slice(&transformed[i][j]);
                        }
                    }
                }
            }
        }
    }
}

/// Makes the outputs of some channels from the products of their tiles.
pub struct FromTiles<'a, T> {
    pub from: Places,
    pub products: &'a [T],
    /// One a channel.
    pub bias: Option<&'a [T]>,
    pub runs: &'a [Run],
    /// Rows of tiles of a sample.
    pub rows: usize,
    /// The first of these channels in a sample.
    pub first: usize,
    /// Channels of a sample, of all groups.
    pub sample_channels: usize,
    /// Height and width of the output.
    pub size: [usize; 2],
    pub y: &'a mut [T],
}

impl<T: Float> Loop for FromTiles<'_, T> {
    type Out = ();
    #[inline(always)]
    fn run(self) {
        let [height, width] = self.size;
        for channel in 0..self.from.channels {
            let bias = match self.bias {
                Some(bias) => bias[channel],
                None => T::ZERO,
            };
            for run in self.runs {
                let image = run.row / self.rows * self.sample_channels + self.first + channel;
                let image = &mut self.y[image * height * width..][..height * width];
                for first in (0..run.len).step_by(LANES) {
                    let at = channel * self.from.tiles + run.lane + first;
                    let mut products = [[lanes(self.products, at); 4]; 4];
                    for i in 0..4 {
                        for j in 0..4 {
                            products[i][j] = lanes(self.products, (i * 4 + j) * self.from.pitch() + at);
                        }
                    }
                    let tile = on_lanes(Output, products);
                    let mut lines = [[[T::ZERO; 2]; LANES]; 2];
                    for i in 0..2 {
                        for lane in 0..LANES {
                            lines[i][lane] = [tile[i][0][lane] + bias, tile[i][1][lane] + bias];
                        }
                    }
                    let x = 2 * (run.column + first);
                    // The last tile of a row may be half a tile.
                    let count = (2 * LANES).min(2 * (run.len - first)).min(width - x);
                    let y = 2 * (run.row % self.rows);
                    for (y, line) in (y..height).zip(&lines) {
                        image[y * width + x..][..count].copy_from_slice(&line.as_flattened()[..count]);
                    }
                }
            }
        }
    }
}
