//! The weights, `[groups · O, C, kernel, kernel]`, at the points: `[groups · O, places, C′]`.

use super::tiles::PLACES;
use super::transforms::{LANES, Line, POINTS, Weight, WeightGrad, lanes, on_squares};
use crate::kernels::element::Float;
use crate::kernels::gemm::{MatRef, transpose_padded};
use crate::kernels::simd::{Loop, vectorised};

/// Rows and columns of a window, at the most: four taps in each of two phases.
const WIDEST: usize = 8;

/// What there is of a window in one channel: with a stride, `phases` × `phases` squares of `taps` × `taps` taps that
/// see pixels of their own, each a channel of C′.
#[derive(Clone, Copy, Debug)]
pub struct Window {
    pub taps: usize,
    pub phases: usize,
    /// C: channels of a weight.
    pub channels: usize,
}

impl Window {
    /// C′: a channel for each phase of each channel, those of a phase side by side.
    pub fn phase_channels(&self) -> usize {
        self.phases * self.phases * self.channels
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

    /// Where the taps of a phase begin in a window, and its channels in C′.
    fn phase(&self, phase: usize) -> [usize; 2] {
        let (y, x) = (phase / self.phases, phase % self.phases);
        [y * self.taps * self.phases + x, phase * self.channels]
    }

    /// From the first tap of a phase to tap (i, j).
    #[inline(always)]
    fn tap(&self, i: usize, j: usize) -> usize {
        (i * self.taps * self.phases + j) * self.phases
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
        let mut eight = [T::ZERO; LANES * WIDEST * WIDEST];
        let eight = &mut eight[..LANES * size];
        for first in (0..window.channels).step_by(LANES) {
            let count = LANES.min(window.channels - first);
            transpose_padded(MatRef::row_major(&weight[first * size..], count, size), LANES, eight);
            for phase in 0..window.phases * window.phases {
                let [start, channels] = window.phase(phase);
                let mut taps = [[[T::ZERO; LANES]; N]; N];
                for i in 0..N {
                    for j in 0..N {
                        taps[i][j] = *lanes(eight, (start + window.tap(i, j)) * LANES);
                    }
                }
                let mut points = [[[T::ZERO; LANES]; POINTS]; POINTS];
                on_squares(Weight, &taps, &mut points);
                for (place, point) in points.as_flattened().iter().enumerate() {
                    let to = &mut to[place * window.phase_channels() + channels + first..][..count];
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
        for phase in 0..window.phases * window.phases {
            let [start, channels] = window.phase(phase);
            for first in (0..window.channels).step_by(LANES) {
                let count = LANES.min(window.channels - first);
                let mut points = [[[T::ZERO; LANES]; POINTS]; POINTS];
                for place in 0..PLACES {
                    let from = &places[place * window.phase_channels() + channels + first..][..count];
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
