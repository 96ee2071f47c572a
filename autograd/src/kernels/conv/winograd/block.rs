//! Tiles that are worked on together: what they see and write, transformed.

use super::Winograd;
use super::bands::{Band, Samples, Scatter};
use super::tiles::{FromPlaces, IntoPlaces, Places, Tiles};
use super::transforms::{Image, ImageGrad, LANES, Output, OutputGrad, POINTS};
use crate::kernels::conv::Conv;
use crate::kernels::element::Float;
use crate::kernels::simd::vectorised;
use crate::memory::Buffer;
use std::ops::Range;

/// Some of a task's tiles, of one group of channels.
pub struct Block<'a> {
    pub of: &'a Winograd,
    pub group: usize,
    /// Samples of the task: eights of them, the last maybe less.
    pub samples: Range<usize>,
    /// Rows of tiles of each of these.
    pub rows: Range<usize>,
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
        self.places(self.of.window.parts_of_channels())
    }

    /// The places of what they write: M.
    pub fn written_places(&self) -> Places {
        self.places(self.of.conv.out_channels)
    }

    fn places(&self, channels: usize) -> Places {
        let eights = self.samples.len().div_ceil(LANES);
        Places { channels, tiles: eights * self.rows.len() * self.of.tiles[1] * LANES }
    }

    /// What the tiles see of an image.
    fn seen(&self) -> Band {
        let Winograd { conv, outputs, window, tiles } = self.of;
        let Conv { input: image, stride: [stride, _], padding, .. } = *conv;
        let first = [(stride * outputs * self.rows.start) as isize - padding[0] as isize, -(padding[1] as isize)];
        let mut size = [self.rows.len(), tiles[1]].map(|tiles| stride * (outputs * tiles + window.taps - 1));
        if padding[1] == 0 {
            // Whole rows, which are one with the next.
            size[1] = size[1].max(image[1]);
        }
        Band { image, first, size }
    }

    /// What they write of an output.
    fn written(&self) -> Band {
        let Winograd { conv, outputs, tiles, .. } = self.of;
        let size = [self.rows.len(), tiles[1]].map(|tiles| outputs * tiles);
        Band { image: conv.output, first: [(outputs * self.rows.start) as isize, 0], size }
    }

    /// Channel after channel of eight samples after eight, of images `[samples, groups · channels, height, width]`.
    fn eights(&self, channels: usize, band: Band, places: Places) -> impl Iterator<Item = Eight> {
        let pixels = band.image[0] * band.image[1];
        let sample = self.of.conv.groups * channels;
        let count = [self.rows.len(), self.of.tiles[1]];
        let (step, end, group) = (self.of.outputs, self.samples.end, self.group);
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

    /// The tiles of each part of a channel of the images.
    fn parts(&self, tiles: Tiles) -> impl Iterator<Item = Tiles> {
        let parts = self.of.window.parts;
        let channels = self.of.window.channels;
        (0..parts * parts).map(move |part| {
            let channel = part * channels + tiles.channel;
            Tiles { step: parts * tiles.step, stride: parts, first: [part / parts, part % parts], channel, ..tiles }
        })
    }

    /// V = Bᵀ·d·B of the images `x`, `[samples, groups · C, pixels]`.
    pub fn transform_images<T: Float>(&self, x: &[T]) -> Buffer<T> {
        let (band, places) = (self.seen(), self.seen_places());
        let (mut v, mut scratch) = (places.buffer(), Buffer::recycled(band.len()));
        for Eight { start, samples, tiles } in self.eights(self.of.conv.in_channels, band, places) {
            band.gather(&x[start..], samples, &mut scratch);
            for tiles in self.parts(tiles) {
                vectorised(IntoPlaces::<_, _, POINTS> { tiles, map: Image, band: &scratch, to: &mut v });
            }
        }
        v
    }

    /// Adds B·dV·Bᵀ to the images `dx`, `[samples, groups · C, pixels]`.
    pub fn add_images<T: Float>(&self, dv: &[T], dx: &mut [T]) {
        let band = self.seen();
        let mut scratch = Buffer::recycled(band.len());
        for Eight { start, samples, tiles } in self.eights(self.of.conv.in_channels, band, self.seen_places()) {
            scratch.fill(T::ZERO);
            for tiles in self.parts(tiles) {
                vectorised(FromPlaces::<_, _, POINTS, true> { tiles, map: ImageGrad, from: dv, band: &mut scratch });
            }
            vectorised(Scatter { band, from: &scratch, images: &mut dx[start..], samples, start: None });
        }
    }

    /// dM = A·dY·Aᵀ of the outputs' gradients `dy`, `[samples, groups · O, windows]`.
    pub fn transform_grads<T: Float>(&self, dy: &[T]) -> Buffer<T> {
        let (band, places) = (self.written(), self.written_places());
        let (mut dm, mut scratch) = (places.buffer(), Buffer::recycled(band.len()));
        for Eight { start, samples, tiles } in self.eights(self.of.conv.out_channels, band, places) {
            band.gather(&dy[start..], samples, &mut scratch);
            let (map, band, to) = (OutputGrad, &*scratch, &mut *dm);
            match self.of.outputs {
                3 => vectorised(IntoPlaces::<_, _, 3> { tiles, map, band, to }),
                4 => vectorised(IntoPlaces::<_, _, 4> { tiles, map, band, to }),
                5 => vectorised(IntoPlaces::<_, _, 5> { tiles, map, band, to }),
                outputs => unreachable!("{outputs} outputs"),
            }
        }
        dm
    }

    /// Writes Aᵀ·M·A plus a bias a channel to the outputs `y`, `[samples, groups · O, windows]`.
    pub fn write_outputs<T: Float>(&self, m: &[T], bias: Option<&[T]>, y: &mut [T]) {
        let (band, out_channels) = (self.written(), self.of.conv.out_channels);
        let mut scratch = Buffer::recycled(band.len());
        for Eight { start, samples, tiles } in self.eights(out_channels, band, self.written_places()) {
            let (map, from, to) = (Output, m, &mut *scratch);
            match self.of.outputs {
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
