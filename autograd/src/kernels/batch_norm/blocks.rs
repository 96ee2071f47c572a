//! How `[samples, channels, size]` is cut up for several threads, and for the caches.

use super::Shape;
use crate::kernels::element::Float;
use crate::kernels::parallel::{self, Windows};
use std::ops::Range;

/// Positions that are added up side by side: what is spread over them stays in the first cache.
pub const TILE: usize = 512;
/// Elements of a block that stay in the second cache.
const CACHED: usize = 1 << 16;

/// How the work is cut up. It depends on the shape alone.
#[derive(Clone, Copy)]
pub struct Blocks {
    shape: Shape,
    /// Channels of a block.
    pub channels: usize,
    /// Samples of a part.
    pub samples: usize,
}

impl Blocks {
    /// Blocks for passes over so many tensors.
    pub fn of(shape: Shape, tensors: usize) -> Blocks {
        let Shape { samples, channels, size } = shape;
        let target = parallel::chunk_len(shape.count()).min(CACHED / tensors);
        // A few whole cache lines of each sample at least.
        let fits = (target / (samples * size)).max(64_usize.div_ceil(size)).min(TILE / size);
        let channels = fits.clamp(1, channels);
        let run = channels * size;
        let samples = if samples * run <= 4 * CACHED { samples } else { (CACHED / run).max(1) };
        Blocks { shape, channels, samples }
    }

    /// Parts of a block.
    pub fn parts(&self) -> usize {
        self.shape.samples.div_ceil(self.samples)
    }

    /// The `i`-th part: all those of the first block come first.
    pub fn part(&self, i: usize) -> Part {
        let Shape { samples, size, .. } = self.shape;
        let (block, part) = (i / self.parts(), i % self.parts());
        let piece = |i: usize, len: usize, all: usize| i * len..((i + 1) * len).min(all);
        let channels = piece(block, self.channels, self.shape.channels);
        Part {
            samples: piece(part, self.samples, samples),
            columns: channels.start * size..channels.end * size,
            channels,
        }
    }

    /// The parts as windows of an output.
    pub fn windows(&self) -> Windows {
        Windows { width: self.shape.width(), rows: self.samples, columns: self.channels * self.shape.size }
    }

    /// Two sums of each channel for each part: `f` writes those of one part.
    pub fn sums<T: Float>(&self, work: usize, f: impl Fn(Part, &mut [[T; 2]]) + Sync) -> Sums<T> {
        let count = self.parts() * self.shape.channels.div_ceil(self.channels);
        let mut of_parts = vec![[T::ZERO; 2]; count * self.channels];
        parallel::for_each_block(&mut of_parts, self.channels, work, |i, out| {
            let part = self.part(i);
            let channels = part.channels.len();
            f(part, &mut out[..channels]);
        });
        Sums { of_parts, blocks: *self }
    }
}

/// Two sums of each channel for each part.
pub struct Sums<T> {
    of_parts: Vec<[T; 2]>,
    blocks: Blocks,
}

impl<T: Float> Sums<T> {
    /// The two of a channel, and how many elements they are of, part by part.
    pub fn of(&self, channel: usize) -> impl Iterator<Item = ([T; 2], T)> {
        let Blocks { shape, channels, .. } = self.blocks;
        let parts = self.blocks.parts();
        let (block, within) = (channel / channels, channel % channels);
        (block * parts..(block + 1) * parts).map(move |i| {
            let elements = self.blocks.part(i).samples.len() * shape.size;
            (self.of_parts[i * channels + within], T::from_f64(elements as f64))
        })
    }
}

/// Some samples of some channels.
#[derive(Clone)]
pub struct Part {
    pub samples: Range<usize>,
    pub channels: Range<usize>,
    /// The positions of these channels in a sample.
    pub columns: Range<usize>,
}

impl Part {
    /// The positions, a tile at a time: several channels, or a piece of a single one.
    pub fn tiles(&self) -> impl Iterator<Item = Range<usize>> + use<> {
        let Range { start, end } = self.columns;
        (start..end).step_by(TILE).map(move |start| start..(start + TILE).min(end))
    }
}
