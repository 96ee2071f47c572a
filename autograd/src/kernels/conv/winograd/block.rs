//! Tiles that are worked on together: what they see and write, transformed.

use super::Winograd;
use super::bands::{Band, Samples, Scatter};
use super::tiles::{FromPlaces, IntoPlaces, Places, Tiles};
use super::transforms::{Image, ImageGrad, LANES, Output, OutputGrad, POINTS};
use super::weights::Window;
use crate::kernels::conv::Conv;
use crate::kernels::element::Float;
use crate::kernels::simd::vectorised;
use crate::memory::Buffer;
use std::ops::Range;

/// Some of a task's tiles, of one group of channels.
pub struct Block<'a> {
    pub winograd: &'a Winograd,
    pub group: usize,
    /// Samples of the task: eights of them, the last maybe less.
    pub samples: Range<usize>,
    /// Rows and columns of tiles of each of these.
    pub tiles: [Range<usize>; 2],
}

/// One channel of eight samples, or of fewer.
struct Eight {
    /// Where the first one's image begins.
    start: usize,
    samples: Samples,
    tiles: Tiles,
}

impl Block<'_> {
    /// The places of what the tiles see: V.
    pub fn seen_places(&self) -> Places {
        self.places(self.winograd.window.phase_channels())
    }

    /// The places of what they write: M.
    pub fn written_places(&self) -> Places {
        self.places(self.winograd.conv.out_channels)
    }

    fn places(&self, channels: usize) -> Places {
        let eights = self.samples.len().div_ceil(LANES);
        let [rows, columns] = self.count();
        Places::of(channels, eights * rows * columns * LANES)
    }

    /// Rows and columns of tiles.
    fn count(&self) -> [usize; 2] {
        [0, 1].map(|axis| self.tiles[axis].len())
    }

    /// What the tiles see of an image.
    fn seen(&self) -> Band {
        let Winograd { conv, outputs, window, .. } = self.winograd;
        let Conv { input: image, stride: [stride, _], padding, .. } = *conv;
        let first = [0, 1].map(|axis| (stride * outputs * self.tiles[axis].start) as isize - padding[axis] as isize);
        let mut size = self.count().map(|tiles| stride * (outputs * tiles + window.taps - 1));
        if first[1] == 0 && size[1] + stride * outputs > image[1] {
            // Whole rows, which are one with the next.
            size[1] = size[1].max(image[1]);
        }
        Band { image, first, size }
    }

    /// What they write of an output.
    fn written(&self) -> Band {
        let Winograd { conv, outputs, .. } = self.winograd;
        let first = [0, 1].map(|axis| (outputs * self.tiles[axis].start) as isize);
        Band { image: conv.output, first, size: self.count().map(|tiles| outputs * tiles) }
    }

    /// Channel after channel of eight samples after eight, of images `[samples, groups · channels, height, width]`. (In
    /// the other order the cache lines of a place are filled at once, but what is read jumps from sample to sample:
    /// slower.)
    fn eights(&self, channels: usize, band: Band, places: Places) -> impl Iterator<Item = Eight> {
        let pixels = band.image[0] * band.image[1];
        let sample = self.winograd.conv.groups * channels;
        let count = self.count();
        let (step, end, group) = (self.winograd.outputs, self.samples.end, self.group);
        self.samples.clone().step_by(LANES).enumerate().flat_map(move |(eight, first)| {
            let samples = Samples { pitch: sample * pixels, count: LANES.min(end - first) };
            let column = eight * count[0] * count[1] * LANES;
            (0..channels).map(move |channel| {
                let tiles =
                    Tiles { width: band.size[1], count, step, stride: 1, first: [0; 2], places, channel, column };
                Eight { start: (first * sample + group * channels + channel) * pixels, samples, tiles }
            })
        })
    }

    /// The tiles of each phase of a channel of the images.
    fn phases(&self, tiles: Tiles) -> impl Iterator<Item = Tiles> {
        let Window { phases, channels, .. } = self.winograd.window;
        (0..phases * phases).map(move |phase| {
            let (first, channel) = ([phase / phases, phase % phases], phase * channels + tiles.channel);
            Tiles { step: phases * tiles.step, stride: phases, first, channel, ..tiles }
        })
    }

    /// V = Bᵀ·d·B of the images `x`, `[samples, groups · C, pixels]`.
    pub fn transform_images<T: Float>(&self, x: &[T], v: &mut [T]) {
        let (band, places) = (self.seen(), self.seen_places());
        let mut scratch = Buffer::recycled(band.len());
        for Eight { start, samples, tiles } in self.eights(self.winograd.conv.in_channels, band, places) {
            band.gather(&x[start..], samples, &mut scratch);
            for tiles in self.phases(tiles) {
                vectorised(IntoPlaces::<_, _, POINTS> { tiles, map: Image, band: &scratch, to: v });
            }
        }
    }

    /// Adds B·dV·Bᵀ to the images `dx`, `[samples, groups · C, pixels]`; dV lies as `places` says. The block with the
    /// first tile of an image, which is to come before its others, overwrites what was there, with a bias a channel or
    /// zeros.
    pub fn add_images<T: Float>(&self, (places, dv): (Places, &[T]), bias: Option<&[T]>, dx: &mut [T]) {
        let (band, in_channels) = (self.seen(), self.winograd.conv.in_channels);
        let (pixels, first) = (band.image[0] * band.image[1], self.tiles.iter().all(|tiles| tiles.start == 0));
        let mut scratch = Buffer::recycled(band.len());
        for Eight { start, samples, tiles } in self.eights(in_channels, band, places) {
            if first {
                let bias = bias.map_or(T::ZERO, |bias| bias[self.group * in_channels + tiles.channel]);
                for sample in 0..samples.count {
                    dx[start + sample * samples.pitch..][..pixels].fill(bias);
                }
            }
            scratch.fill(T::ZERO);
            for tiles in self.phases(tiles) {
                vectorised(FromPlaces::<_, _, POINTS, true> { tiles, map: ImageGrad, from: dv, band: &mut scratch });
            }
            vectorised(Scatter { band, from: &scratch, images: &mut dx[start..], samples, start: None });
        }
    }

    /// dM = A·dY·Aᵀ of the outputs' gradients `dy`, `[samples, groups · O, windows]`.
    pub fn transform_grads<T: Float>(&self, dy: &[T], dm: &mut [T]) {
        let (band, places) = (self.written(), self.written_places());
        let mut scratch = Buffer::recycled(band.len());
        for Eight { start, samples, tiles } in self.eights(self.winograd.conv.out_channels, band, places) {
            band.gather(&dy[start..], samples, &mut scratch);
            let (map, band, to) = (OutputGrad, &*scratch, &mut *dm);
            // Seven less the taps.
            match self.winograd.outputs {
                3 => vectorised(IntoPlaces::<_, _, 3> { tiles, map, band, to }),
                4 => vectorised(IntoPlaces::<_, _, 4> { tiles, map, band, to }),
                5 => vectorised(IntoPlaces::<_, _, 5> { tiles, map, band, to }),
                outputs => unreachable!("{outputs} outputs"),
            }
        }
    }

    /// Writes Aᵀ·M·A plus a bias a channel to the outputs `y`, `[samples, groups · O, windows]`; M lies as `places`
    /// says.
    pub fn write_outputs<T: Float>(&self, (places, m): (Places, &[T]), bias: Option<&[T]>, y: &mut [T]) {
        let (band, out_channels) = (self.written(), self.winograd.conv.out_channels);
        let mut scratch = Buffer::recycled(band.len());
        for Eight { start, samples, tiles } in self.eights(out_channels, band, places) {
            let (map, from, to) = (Output, m, &mut *scratch);
            match self.winograd.outputs {
                3 => vectorised(FromPlaces::<_, _, 3, false> { tiles, map, from, band: to }),
                4 => vectorised(FromPlaces::<_, _, 4, false> { tiles, map, from, band: to }),
                5 => vectorised(FromPlaces::<_, _, 5, false> { tiles, map, from, band: to }),
                outputs => unreachable!("{outputs} outputs"),
            }
            let bias = bias.map_or(T::ZERO, |bias| bias[self.group * out_channels + tiles.channel]);
            vectorised(Scatter { band, from: &scratch, images: &mut y[start..], samples, start: Some(bias) });
        }
    }
}
