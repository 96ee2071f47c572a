//! Bands of images with eight samples side by side.
//!
//! A transform takes a tile of each of eight samples at a time. So some rows of one channel of eight samples are copied
//! such that the eight elements of a pixel are neighbours, `[rows, columns, samples]`, with zeros where padding is, or
//! no sample: a *band*, small enough for the first cache. Whatever stride and padding are, a tile then finds its
//! elements without asking where the image ends.

use super::transforms::LANES;
use crate::kernels::element::Float;
use crate::kernels::gemm::{MatRef, transpose_padded};
use crate::kernels::simd::Loop;
use std::ops::Range;

/// Where a band lies.
#[derive(Clone, Copy)]
pub struct Band {
    /// Height and width of an image.
    pub image: [usize; 2],
    /// Which row and column of the image the band's first is; above and left of it, if negative.
    pub first: [isize; 2],
    /// Its own rows and columns.
    pub size: [usize; 2],
}

/// Samples of which a band shows one channel.
#[derive(Clone, Copy)]
pub struct Samples {
    /// Elements from a sample to the next.
    pub pitch: usize,
    /// How many: no more than there are lanes.
    pub count: usize,
}

impl Band {
    /// Elements.
    pub fn len(&self) -> usize {
        self.size[0] * self.size[1] * LANES
    }

    /// Which of its rows, or columns, the image has.
    fn shown(&self, axis: usize) -> Range<usize> {
        let [from, to] = [0, self.image[axis] as isize].map(|end| (end - self.first[axis]).max(0) as usize);
        let to = to.min(self.size[axis]);
        from.min(to)..to
    }

    /// Where the part of a row lies that the image has: in an image, and in the band.
    fn row(&self, row: usize) -> (Range<usize>, Range<usize>) {
        let columns = self.shown(1);
        let y = (self.first[0] + row as isize) as usize;
        let x = (self.first[1] + columns.start as isize).max(0) as usize;
        let start = y * self.image[1] + x;
        let in_band = (row * self.size[1] + columns.start) * LANES..(row * self.size[1] + columns.end) * LANES;
        (start..start + columns.len(), in_band)
    }

    /// Copies the images of some samples, `images` from the channel of the first on, into this band.
    pub fn gather<T: Float>(&self, images: &[T], samples: Samples, to: &mut [T]) {
        let (rows, columns) = (self.shown(0), self.shown(1));
        if rows.is_empty() || columns.is_empty() {
            return to.fill(T::ZERO);
        }
        let pitch = self.size[1] * LANES;
        to[..rows.start * pitch].fill(T::ZERO);
        to[rows.end * pitch..].fill(T::ZERO);
        // Where nothing is beside the images, their rows are one.
        let together = if self.size[1] == self.image[1] && columns.len() == self.image[1] { rows.len() } else { 1 };
        for row in rows.step_by(together.max(1)) {
            let (in_image, in_band) = self.row(row);
            to[row * pitch..in_band.start].fill(T::ZERO);
            let (shown, beside) = to[in_band.start..(row + together) * pitch].split_at_mut(in_band.len() * together);
            beside.fill(T::ZERO);
            let shape = [samples.count, in_image.len() * together];
            transpose_padded(MatRef::new(&images[in_image.start..], shape, [samples.pitch, 1]), LANES, shown);
        }
    }
}

/// Takes a band apart into the images of some samples.
pub struct Scatter<'a, T> {
    pub band: Band,
    pub from: &'a [T],
    /// From the channel of the first sample on.
    pub images: &'a mut [T],
    pub samples: Samples,
    /// What to add the band to: this, or else what is there.
    pub start: Option<T>,
}

impl<T: Float> Loop for Scatter<'_, T> {
    type Out = ();
    #[inline(always)]
    fn run(self) {
        let Scatter { band, from, images, samples, start } = self;
        for row in band.shown(0) {
            let (in_image, in_band) = band.row(row);
            let (from, _) = from[in_band].as_chunks::<LANES>();
            for lane in 0..samples.count {
                let to = &mut images[lane * samples.pitch..][in_image.clone()];
                match start {
                    Some(start) => {
                        for (to, from) in to.iter_mut().zip(from) {
                            *to = start + from[lane];
                        }
                    }
                    None => {
                        for (to, from) in to.iter_mut().zip(from) {
                            *to += from[lane];
                        }
                    }
                }
            }
        }
    }
}
