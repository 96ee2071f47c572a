//! Normalisation of channels over a batch, and its gradients, for `[samples, channels, size]`.
//!
//! ```text
//! y  = w·(x − mean)·rstd + b                    rstd = 1/√(variance + ε)
//! dx = w·rstd·(dy − mean(dy) − x̂·mean(dy·x̂))    dw = Σ dy·x̂        db = Σ dy
//! ```
//!
//! Both ways take two or three passes over a channel. They are taken over a *block* of channels at a time, small
//! enough to stay in the second cache, so that memory is read once; blocks go to different threads. Where a single
//! channel is larger than that, its samples are cut into parts, whose sums are put together in order.
//!
//! The channels of a block lie side by side in each sample, so all loops run along them, with a sum for each
//! *position*: small images (3×3, or single numbers) are as fast as large ones. What belongs to a channel is spread
//! over its positions first.

mod blocks;
mod rows;

use super::element::Float;
use super::lanes;
use super::layer_norm::Affine;
use super::parallel::{self, Window};
use super::simd::{Loop, vectorised};
use blocks::{Blocks, Part, TILE};
use std::ops::Range;

/// (mean, variance) of a channel; the variance is that of the elements themselves (over n).
pub type Moments<T> = [T; 2];

/// The shape of what is normalised.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// The batch.
    pub samples: usize,
    /// What has a mean of its own.
    pub channels: usize,
    /// Elements of a channel in a sample.
    pub size: usize,
}

impl Shape {
    /// Elements of a sample.
    fn width(self) -> usize {
        self.channels * self.size
    }

    fn count(self) -> usize {
        self.samples * self.width()
    }
}

/// Samples that are added up before the result is added to that of those before: rounding errors grow with this and
/// with the number of groups, not with their product.
const GROUP: usize = 64;

/// Spreads what belongs to each channel over its positions in a tile.
#[inline(always)]
fn spread<T: Copy, C: Copy>(of_channel: &[C], size: usize, tile: &mut [T], f: impl Fn(C) -> T) {
    for (positions, &channel) in tile.chunks_mut(size).zip(of_channel) {
        positions.fill(f(channel));
    }
}

/// What is added up over samples, for each position.
trait Terms<T>: Copy {
    /// How many sums there are.
    const SUMS: usize;
    /// Adds the terms of the elements `at`, whose channels have these means.
    fn add(self, at: Range<usize>, means: &[T], sums: &mut [[T; TILE]; 2]);
}

/// Σ x
#[derive(Clone, Copy)]
struct Values<'a, T>(&'a [T]);

impl<T: Float> Terms<T> for Values<'_, T> {
    const SUMS: usize = 1;
    #[inline(always)]
    fn add(self, at: Range<usize>, _: &[T], [sums, _]: &mut [[T; TILE]; 2]) {
        for (sum, &x) in sums.iter_mut().zip(&self.0[at]) {
            *sum += x;
        }
    }
}

/// Σ (x − mean)²
#[derive(Clone, Copy)]
struct Squares<'a, T>(&'a [T]);

impl<T: Float> Terms<T> for Squares<'_, T> {
    const SUMS: usize = 1;
    #[inline(always)]
    fn add(self, at: Range<usize>, means: &[T], [sums, _]: &mut [[T; TILE]; 2]) {
        for ((sum, &x), &mean) in sums.iter_mut().zip(&self.0[at]).zip(means) {
            *sum += (x - mean) * (x - mean);
        }
    }
}

/// Σ dy and Σ dy·(x − mean)
#[derive(Clone, Copy)]
struct Gradients<'a, T> {
    dy: &'a [T],
    x: &'a [T],
}

impl<T: Float> Terms<T> for Gradients<'_, T> {
    const SUMS: usize = 2;
    #[inline(always)]
    fn add(self, at: Range<usize>, means: &[T], [sums, products]: &mut [[T; TILE]; 2]) {
        let (dy, x) = (&self.dy[at.clone()], &self.x[at]);
        for ((((sum, product), &mean), &dy), &x) in sums.iter_mut().zip(products).zip(means).zip(dy).zip(x) {
            *sum += dy;
            *product += dy * (x - mean);
        }
    }
}

/// Writes the sums of each channel of a part.
#[inline(always)]
fn add_up<T: Float, S: Terms<T>>(terms: S, part: &Part, shape: Shape, means: &[T], out: &mut [[T; 2]]) {
    out.fill([T::ZERO; 2]);
    let mut mean = [T::ZERO; TILE];
    for tile in part.tiles() {
        let len = tile.len();
        spread(means, shape.size, &mut mean[..len], |mean| mean);
        for first in part.samples.clone().step_by(GROUP) {
            let mut sums = [[T::ZERO; TILE]; 2];
            for sample in first..(first + GROUP).min(part.samples.end) {
                let at = sample * shape.width();
                terms.add(at + tile.start..at + tile.end, &mean[..len], &mut sums);
            }
            for (k, sums) in sums[..S::SUMS].iter().enumerate() {
                for (out, positions) in out.iter_mut().zip(sums[..len].chunks(shape.size)) {
                    out[k] += lanes::sum_of(positions, |x| x);
                }
            }
        }
    }
}

/// The mean of each channel in a part, and Σ (x − mean)².
struct Deviations<'a, T> {
    x: &'a [T],
    part: &'a Part,
    shape: Shape,
    out: &'a mut [[T; 2]],
}

impl<T: Float> Loop for Deviations<'_, T> {
    type Out = ();
    #[inline(always)]
    fn run(self) {
        let Deviations { x, part, shape, out } = self;
        let count = T::from_f64((part.samples.len() * shape.size) as f64);
        add_up(Values(x), part, shape, &[], out);
        let mut means = [T::ZERO; TILE];
        let means = &mut means[..out.len()];
        for (mean, sums) in means.iter_mut().zip(&*out) {
            *mean = sums[0] / count;
        }
        // Around the mean: the difference of Σ x² and n·mean² would lose what a large mean hides.
        add_up(Squares(x), part, shape, means, out);
        for (out, &mean) in out.iter_mut().zip(&*means) {
            *out = [mean, out[0]];
        }
    }
}

/// y of a part.
struct Normalise<'a, T> {
    x: &'a [T],
    shape: Shape,
    /// Of the channels of the part.
    moments: &'a [Moments<T>],
    /// Of all channels.
    affine: Affine<'a, T>,
    eps: T,
    part: &'a Part,
    y: Window<'a, T>,
}

impl<T: Float> Loop for Normalise<'_, T> {
    type Out = ();
    #[inline(always)]
    fn run(self) {
        let Normalise { x, shape, moments, affine: Affine { weight, bias }, eps, part, mut y } = self;
        let mut of_channel = [[T::ZERO; 3]; TILE];
        let of_channel = &mut of_channel[..moments.len()];
        for ((of_channel, &[mean, variance]), c) in of_channel.iter_mut().zip(moments).zip(part.channels.clone()) {
            let rstd = T::ONE / (variance + eps).sqrt();
            let scale = if weight.is_empty() { rstd } else { weight[c] * rstd };
            *of_channel = [mean, scale, if bias.is_empty() { T::ZERO } else { bias[c] }];
        }
        let mut spreads = [[T::ZERO; TILE]; 3];
        for tile in part.tiles() {
            let len = tile.len();
            for (k, tile) in spreads.iter_mut().enumerate() {
                spread(of_channel, shape.size, &mut tile[..len], |c| c[k]);
            }
            let [mean, scale, shift] = &spreads;
            for sample in part.samples.clone() {
                let at = sample * shape.width();
                let (x, y) = (&x[at + tile.start..at + tile.end], y.row(sample, tile.clone()));
                for ((((y, &x), &mean), &scale), &shift) in y.iter_mut().zip(x).zip(mean).zip(scale).zip(shift) {
                    *y = (x - mean) * scale + shift;
                }
            }
        }
    }
}

/// y, and the moments of each channel, which must have elements.
#[inline(never)]
pub fn forward<T: Float>(input: Input<'_, T>, y: &mut [T], moments: &mut [Moments<T>]) {
    let Input { x, shape, affine, eps } = input;
    assert!(x.len() == shape.count() && y.len() == x.len() && moments.len() == shape.channels && !x.is_empty());
    if shape.samples == 1 {
        return rows::forward(input, y, moments);
    }
    let blocks = Blocks::of(shape, 1);
    let work = 3 * x.len();
    let count = T::from_f64((shape.samples * shape.size) as f64);
    if blocks.parts() == 1 {
        let channels = (moments, blocks.channels);
        parallel::for_each_window_and_block((y, blocks.windows()), channels, work, |i, y, moments| {
            let part = &blocks.part(i);
            vectorised(Deviations { x, part, shape, out: moments });
            for moments in moments.iter_mut() {
                moments[1] = moments[1] / count;
            }
            vectorised(Normalise { x, shape, moments, affine, eps, part, y });
        });
        return;
    }
    let parts = blocks.sums(work, |part, out| vectorised(Deviations { x, part: &part, shape, out }));
    for (c, moments) in moments.iter_mut().enumerate() {
        let mut mean = T::ZERO;
        for ([of_part, _], elements) in parts.of(c) {
            mean += of_part * elements;
        }
        let mean = mean / count;
        // Deviations around a common mean (Chan, Golub & LeVeque 1979).
        let mut squares = T::ZERO;
        for ([of_part, deviations], elements) in parts.of(c) {
            squares += deviations + elements * (of_part - mean) * (of_part - mean);
        }
        *moments = [mean, squares / count];
    }
    normalise(input, moments, y);
}

/// What is normalised, and how.
#[derive(Clone, Copy)]
pub struct Input<'a, T> {
    /// `[samples, channels, size]`
    pub x: &'a [T],
    /// Its shape.
    pub shape: Shape,
    /// `[channels]` each, or empty.
    pub affine: Affine<'a, T>,
    /// Added to the variance.
    pub eps: T,
}

/// y from these moments.
#[inline(never)]
pub fn normalise<T: Float>(input: Input<'_, T>, moments: &[Moments<T>], y: &mut [T]) {
    let Input { x, shape, affine, eps } = input;
    assert!(x.len() == shape.count() && y.len() == x.len() && moments.len() == shape.channels);
    if x.is_empty() {
        return;
    }
    let blocks = Blocks::of(shape, 1);
    parallel::for_each_window_and_block((y, blocks.windows()), (&mut [(); 0], 1), x.len(), |i, y, _| {
        let part = &blocks.part(i);
        let moments = &moments[part.channels.clone()];
        vectorised(Normalise { x, shape, moments, affine, eps, part, y });
    });
}

/// What [`backward`] starts from.
#[derive(Clone, Copy)]
pub struct Saved<'a, T> {
    /// `[samples, channels, size]`
    pub dy: &'a [T],
    /// `[samples, channels, size]`
    pub x: &'a [T],
    /// The shape of both.
    pub shape: Shape,
    /// `[channels]`
    pub moments: &'a [Moments<T>],
    /// `[channels]`, or empty.
    pub weight: &'a [T],
    /// Added to the variance.
    pub eps: T,
    /// Whether the moments are those of x, and so change with it, rather than given ones.
    pub measured: bool,
}

/// The gradients: dx, which may be empty if it is not wanted, and (db, dw) of each channel.
#[inline(never)]
pub fn backward<T: Float>(saved: Saved<'_, T>, dx: &mut [T], db_dw: &mut [[T; 2]]) {
    let Saved { dy, x, shape, moments, .. } = saved;
    let len = shape.count();
    assert!(dy.len() == len && x.len() == len && [0, len].contains(&dx.len()));
    assert!(moments.len() == shape.channels && db_dw.len() == shape.channels);
    if len == 0 {
        db_dw.fill([T::ZERO; 2]);
        return;
    }
    if shape.samples == 1 && !dx.is_empty() {
        return rows::backward(saved, dx, db_dw);
    }
    let blocks = Blocks::of(shape, 2);
    let (windows, work) = (blocks.windows(), 3 * len);
    if blocks.parts() == 1 && !dx.is_empty() {
        parallel::for_each_window_and_block((dx, windows), (db_dw, blocks.channels), work, |i, dx, sums| {
            let part = &blocks.part(i);
            vectorised(Sensitivities { saved, part, out: sums });
            vectorised(Backward { saved, sums, part, dx });
        });
        return;
    }
    let parts = blocks.sums(work, |part, out| vectorised(Sensitivities { saved, part: &part, out }));
    for (c, sums) in db_dw.iter_mut().enumerate() {
        *sums = [T::ZERO; 2];
        for ([db, dw], _) in parts.of(c) {
            sums[0] += db;
            sums[1] += dw;
        }
    }
    if !dx.is_empty() {
        let sums = &*db_dw;
        parallel::for_each_window_and_block((dx, windows), (&mut [(); 0], 1), work, |i, dx, _| {
            let part = &blocks.part(i);
            vectorised(Backward { saved, sums: &sums[part.channels.clone()], part, dx });
        });
    }
}

/// What a part adds to (db, dw) of its channels.
struct Sensitivities<'a, T> {
    saved: Saved<'a, T>,
    part: &'a Part,
    out: &'a mut [[T; 2]],
}

impl<T: Float> Loop for Sensitivities<'_, T> {
    type Out = ();
    #[inline(always)]
    fn run(self) {
        let Sensitivities { saved: Saved { dy, x, shape, moments, eps, .. }, part, out } = self;
        let moments = &moments[part.channels.clone()];
        let mut means = [T::ZERO; TILE];
        for (mean, moments) in means.iter_mut().zip(moments) {
            *mean = moments[0];
        }
        add_up(Gradients { dy, x }, part, shape, &means[..out.len()], out);
        for (out, moments) in out.iter_mut().zip(moments) {
            out[1] = out[1] / (moments[1] + eps).sqrt();
        }
    }
}

/// dx of a part.
struct Backward<'a, T> {
    saved: Saved<'a, T>,
    /// (db, dw) of the channels of the part.
    sums: &'a [[T; 2]],
    part: &'a Part,
    dx: Window<'a, T>,
}

impl<T: Float> Loop for Backward<'_, T> {
    type Out = ();
    #[inline(always)]
    fn run(self) {
        let Backward { saved: Saved { dy, x, shape, moments, weight, eps, measured }, sums, part, mut dx } = self;
        let common = if measured { T::ONE / T::from_f64((shape.samples * shape.size) as f64) } else { T::ZERO };
        let mut of_channel = [[T::ZERO; 4]; TILE];
        let of_channel = &mut of_channel[..sums.len()];
        for ((of_channel, &[db, dw]), c) in of_channel.iter_mut().zip(sums).zip(part.channels.clone()) {
            let [mean, variance] = moments[c];
            let rstd = T::ONE / (variance + eps).sqrt();
            let scale = if weight.is_empty() { rstd } else { weight[c] * rstd };
            *of_channel = [mean, scale, db * common, dw * common * rstd];
        }
        let mut spreads = [[T::ZERO; TILE]; 4];
        for tile in part.tiles() {
            let len = tile.len();
            for (k, tile) in spreads.iter_mut().enumerate() {
                spread(of_channel, shape.size, &mut tile[..len], |c| c[k]);
            }
            let [mean, scale, shift, slope] = &spreads;
            for sample in part.samples.clone() {
                let at = sample * shape.width();
                let (x, dy) = (&x[at + tile.start..at + tile.end], &dy[at + tile.start..at + tile.end]);
                let dx = dx.row(sample, tile.clone());
                let of_position = mean.iter().zip(scale).zip(shift).zip(slope);
                for (((dx, &x), &dy), (((&mean, &scale), &shift), &slope)) in
                    dx.iter_mut().zip(x).zip(dy).zip(of_position)
                {
                    *dx = scale * (dy - shift - (x - mean) * slope);
                }
            }
        }
    }
}
