//! The transforms of tiles: from the band that they see to their points, and back into a band.

use super::transforms::{LANES, Line, POINTS, lanes, lanes_mut, on_squares};
use crate::kernels::element::Float;
use crate::kernels::gemm::{MatMut, MatRef};
use crate::kernels::simd::Loop;
use std::ops::Range;

/// Places of a transformed tile: a point along each axis.
pub const PLACES: usize = POINTS * POINTS;

/// Transformed tiles: for each place a matrix with a row for each channel and a column for each tile.
#[derive(Clone, Copy)]
pub struct Places {
    pub channels: usize,
    pub tiles: usize,
    /// Elements from a place to the next.
    pub pitch: usize,
}

impl Places {
    /// Those of one block: a place behind the other, and a vector more than there are in between, lest the places of a
    /// tile get into each other's way in a cache, which finds a line by the last digits of its address.
    pub fn of(channels: usize, tiles: usize) -> Places {
        Places { channels, tiles, pitch: channels * tiles + LANES }
    }

    /// Elements of all of them.
    pub fn len(self) -> usize {
        PLACES * self.pitch
    }

    /// Elements of the matrix of a place.
    pub fn matrix_len(self) -> usize {
        self.channels * self.tiles
    }

    fn range(self, place: usize) -> Range<usize> {
        let start = place * self.pitch;
        start..start + self.matrix_len()
    }

    /// The matrix of a place.
    pub fn matrix<T: Float>(self, data: &[T], place: usize) -> MatRef<'_, T> {
        MatRef::row_major(&data[self.range(place)], self.channels, self.tiles)
    }

    /// The matrix of a place, to be written.
    pub fn matrix_mut<T: Float>(self, data: &mut [T], place: usize) -> MatMut<'_, T> {
        MatMut::row_major(&mut data[self.range(place)], self.channels, self.tiles)
    }
}

/// Where the tiles of one channel of eight samples are: in a band, and among the places.
#[derive(Clone, Copy)]
pub struct Tiles {
    /// Columns of the band.
    pub width: usize,
    /// Rows and columns of tiles.
    pub count: [usize; 2],
    /// Pixels of the band from a tile to the next.
    pub step: usize,
    /// Pixels from an element of a tile to the next.
    pub stride: usize,
    /// Row and column of the first element of the first tile.
    pub first: [usize; 2],
    /// The transformed tiles of the block, of which these are some.
    pub places: Places,
    /// The row of a place's matrix.
    pub channel: usize,
    /// The column of the first tile.
    pub column: usize,
}

impl Tiles {
    /// Where the first elements of a tile are: in the band, and in the first place.
    #[inline(always)]
    fn at(&self, row: usize, column: usize) -> [usize; 2] {
        let pixel = (self.first[0] + row * self.step) * self.width + self.first[1] + column * self.step;
        let tile = self.channel * self.places.tiles + self.column + (row * self.count[1] + column) * LANES;
        [pixel * LANES, tile]
    }

    /// Elements from the first of a tile to (i, j).
    #[inline(always)]
    fn element(&self, i: usize, j: usize) -> usize {
        (i * self.width + j) * self.stride * LANES
    }
}

/// Transforms tiles of `N` × `N` elements of a band.
pub struct IntoPlaces<'a, T, L, const N: usize> {
    pub tiles: Tiles,
    pub map: L,
    pub band: &'a [T],
    pub to: &'a mut [T],
}

impl<T: Float, L: Line<N, POINTS>, const N: usize> Loop for IntoPlaces<'_, T, L, N> {
    type Out = ();
    #[inline(always)]
    fn run(self) {
        let IntoPlaces { tiles, map, band, to } = self;
        for row in 0..tiles.count[0] {
            for column in 0..tiles.count[1] {
                let [pixel, tile] = tiles.at(row, column);
                let mut seen = [[[T::ZERO; LANES]; N]; N];
                for i in 0..N {
                    for j in 0..N {
                        seen[i][j] = *lanes(band, pixel + tiles.element(i, j));
                    }
                }
                let mut points = [[[T::ZERO; LANES]; POINTS]; POINTS];
                on_squares(map, &seen, &mut points);
                for (place, point) in points.as_flattened().iter().enumerate() {
                    *lanes_mut(to, place * tiles.places.pitch + tile) = *point;
                }
            }
        }
    }
}

/// Makes tiles of `N` × `N` elements of their points, and writes them to a band, or, where tiles overlap, adds them to
/// it.
pub struct FromPlaces<'a, T, L, const N: usize, const ADD: bool> {
    pub tiles: Tiles,
    pub map: L,
    pub from: &'a [T],
    pub band: &'a mut [T],
}

impl<T: Float, L: Line<POINTS, N>, const N: usize, const ADD: bool> Loop for FromPlaces<'_, T, L, N, ADD> {
    type Out = ();
    #[inline(always)]
    fn run(self) {
        let FromPlaces { tiles, map, from, band } = self;
        for row in 0..tiles.count[0] {
            for column in 0..tiles.count[1] {
                let [pixel, tile] = tiles.at(row, column);
                let mut points = [[[T::ZERO; LANES]; POINTS]; POINTS];
                for (place, point) in points.as_flattened_mut().iter_mut().enumerate() {
                    *point = *lanes(from, place * tiles.places.pitch + tile);
                }
                let mut elements = [[[T::ZERO; LANES]; N]; N];
                on_squares(map, &points, &mut elements);
                for i in 0..N {
                    for j in 0..N {
                        let to = lanes_mut(band, pixel + tiles.element(i, j));
                        let mut sum = elements[i][j];
                        if ADD {
                            for lane in 0..LANES {
                                sum[lane] += to[lane];
                            }
                        }
                        *to = sum;
                    }
                }
            }
        }
    }
}
