//! The weights, `[groups · O, C, kernel, kernel]`, at the points: `[groups · O, places, C′]`.

use super::bands::lanes;
use super::tiles::PLACES;
use super::transforms::{LANES, Line, POINTS, Weight, WeightGrad, on_squares};
use crate::kernels::element::Float;
use crate::kernels::gemm::{MatRef, side_by_side};
use crate::kernels::simd::{Loop, vectorised};

/// Rows and columns of a window, at the most.
pub const LARGEST: usize = 8;

/// What there is of a window in one channel: `parts` × `parts` squares of `taps` × `taps` taps, each a channel of C′.
#[derive(Clone, Copy)]
pub struct Window {
    pub taps: usize,
    pub parts: usize,
    /// C: channels of a weight.
    pub channels: usize,
}

impl Window {
    /// C′: a channel for each part of each channel, those of a part side by side.
    pub fn parts_of_channels(&self) -> usize {
        self.parts * self.parts * self.channels
    }

    /// The weights at the points, of one channel of the output: `[C, kernel, kernel]` to `[places, C′]`.
    pub fn transform<T: Float>(self, weight: &[T], to: &mut [T]) {
        match self.taps {
            2 => vectorised(IntoPoints::<_, 2> { window: self, weight, to }),
            3 => vectorised(IntoPoints::<_, 3> { window: self, weight, to }),
            4 => vectorised(IntoPoints::<_, 4> { window: self, weight, to }),
            taps => unreachable!("{taps} taps"),
        }
    }

    /// The gradient of [`transform`](Window::transform): `[places, C′]` to `[C, kernel, kernel]`.
    pub fn transform_grad<T: Float>(self, places: &[T], dw: &mut [T]) {
        match self.taps {
            2 => vectorised(FromPoints::<_, 2> { window: self, places, dw }),
            3 => vectorised(FromPoints::<_, 3> { window: self, places, dw }),
            4 => vectorised(FromPoints::<_, 4> { window: self, places, dw }),
            taps => unreachable!("{taps} taps"),
        }
    }

    /// Where the taps of a part begin in a window, and its channels in C′.
    fn part(&self, part: usize) -> [usize; 2] {
        let (y, x) = (part / self.parts, part % self.parts);
        [y * self.taps * self.parts + x, part * self.channels]
    }

    /// From the first tap of a part to tap (i, j).
    #[inline(always)]
    fn tap(&self, i: usize, j: usize) -> usize {
        (i * self.taps * self.parts + j) * self.parts
    }
}

struct IntoPoints<'a, T, const N: usize> {
    window: Window,
    weight: &'a [T],
    to: &'a mut [T],
}

impl<T: Float, const N: usize> Loop for IntoPoints<'_, T, N>
where
    Weight: Line<N, POINTS>,
{
    type Out = ();
    #[inline(always)]
    fn run(self) {
        let IntoPoints { window, weight, to } = self;
        let size = weight.len() / window.channels;
        let mut eight = [T::ZERO; LANES * LARGEST * LARGEST];
        let eight = &mut eight[..LANES * size];
        for first in (0..window.channels).step_by(LANES) {
            let count = LANES.min(window.channels - first);
            side_by_side(MatRef::row_major(&weight[first * size..], count, size), LANES, eight);
            for part in 0..window.parts * window.parts {
                let [start, channels] = window.part(part);
                let mut taps = [[[T::ZERO; LANES]; N]; N];
                for i in 0..N {
                    for j in 0..N {
                        taps[i][j] = *lanes(eight, (start + window.tap(i, j)) * LANES);
                    }
                }
                let mut points = [[[T::ZERO; LANES]; POINTS]; POINTS];
                on_squares(Weight, &taps, &mut points);
                for (place, point) in points.as_flattened().iter().enumerate() {
                    let to = &mut to[place * window.parts_of_channels() + channels + first..][..count];
                    // The compiler knows the length of most.
                    match to.first_chunk_mut::<LANES>() {
                        Some(to) => *to = *point,
                        None => to.copy_from_slice(&point[..count]),
                    }
                }
            }
        }
    }
}

struct FromPoints<'a, T, const N: usize> {
    window: Window,
    places: &'a [T],
    dw: &'a mut [T],
}

impl<T: Float, const N: usize> Loop for FromPoints<'_, T, N>
where
    WeightGrad: Line<POINTS, N>,
{
    type Out = ();
    #[inline(always)]
    fn run(self) {
        let FromPoints { window, places, dw } = self;
        let size = dw.len() / window.channels;
        for part in 0..window.parts * window.parts {
            let [start, channels] = window.part(part);
            for first in (0..window.channels).step_by(LANES) {
                let count = LANES.min(window.channels - first);
                let mut points = [[[T::ZERO; LANES]; POINTS]; POINTS];
                for place in 0..PLACES {
                    let from = &places[place * window.parts_of_channels() + channels + first..][..count];
                    let to = &mut points[place / POINTS][place % POINTS];
                    match from.first_chunk::<LANES>() {
                        Some(from) => *to = *from,
                        None => to[..count].copy_from_slice(from),
                    }
                }
                let mut taps = [[[T::ZERO; LANES]; N]; N];
                on_squares(WeightGrad, &points, &mut taps);
                for i in 0..N {
                    for j in 0..N {
                        for lane in 0..count {
                            dw[(first + lane) * size + start + window.tap(i, j)] = taps[i][j][lane];
                        }
                    }
                }
            }
        }
    }
}
