//! Convolutions with fewer multiplications.
//!
//! A filter of three taps takes twelve products for four outputs next to each other. Six are enough (S. Winograd,
//! *Arithmetic Complexity of Computations*, 1980; for convolutional networks: A. Lavin and S. Gray, *Fast Algorithms
//! for Convolutional Neural Networks*, 2016). It is easier to see the other way round, where each of four numbers y is
//! multiplied with each of three taps g. That is a product of two polynomials:
//!
//! ```text
//! (y₀ + y₁x + y₂x² + y₃x³)·(g₀ + g₁x + g₂x²) = d₀ + d₁x + … + d₅x⁵
//! ```
//!
//! A polynomial of six coefficients is given by its values at six points (one of which may be ∞, where its value is the
//! last coefficient). So evaluate both factors at six points, A·y and G·g, multiply value by value, ⊙, and find the
//! coefficients by Lagrange's formula, B: d = B[(G·g) ⊙ (A·y)]. (Its denominators stand in G, which is calculated
//! once.) For given taps this is a matrix times y, B·diag(G·g)·A. The filter is that matrix transposed, and takes six
//! pixels d to four outputs y; along both axes
//!
//! ```text
//! y = Aᵀ[(G·g) ⊙ (Bᵀ·d)]               Y = Aᵀ[(G·g·Gᵀ) ⊙ (Bᵀ·d·B)]A
//! ```
//!
//! A *tile* of 4 × 4 outputs, which sees 6 × 6 pixels, takes a product for each pair of points, 36, where the
//! definition has 144. The same six points do for other filters: taps and outputs of a tile are seven together.
//!
//! | taps | outputs | products of the definition |
//! |---|---|---|
//! | 2 × 2 | 5 × 5 | 100 |
//! | 3 × 3 | 4 × 4 | 144 |
//! | 4 × 4 | 3 × 3 | 144 |
//!
//! With a stride of 2, even and odd taps see even and odd pixels. So a window of 4 × 4 taps falls into four *phases* of
//! 2 × 2, whose results are added up, just as those of channels are; C′ counts channels and phases.
//!
//! Over all channels and tiles the ⊙ becomes a sum over channels: for each of the 36 places ξ a matrix product.
//! Everything is linear, so both gradients go the same way back, through the transposed maps:
//!
//! ```text
//! forward       V = Bᵀ·d·B      M[ξ]  [O, tiles]  = U[ξ]  [O, C′]    · V[ξ]  [C′, tiles]     Y  = Aᵀ·M·A      U = G·g·Gᵀ
//! input_grad    dM = A·dY·Aᵀ    dV[ξ] [C′, tiles] = U[ξ]ᵀ [C′, O]    · dM[ξ] [O, tiles]      dd = B·dV·Bᵀ, added up
//! weight_grad   both            dU[ξ] [O, C′]     = dM[ξ] [O, tiles] · V[ξ]ᵀ [tiles, C′]     dW = Gᵀ·dU·G
//! ```
//!
//! What it costs: the additions of the transforms, which grow with C + O where the products grow with C·O, so it pays
//! from a few channels on; and memory for U, which is 36 / 9 times the weights with 3 × 3 taps, and 36 / 4 times with 2
//! × 2. And accuracy, as what was multiplied with powers of the points is subtracted again. The points 0, ±1/√2, ±√2
//! and ∞ keep powers near 1. For normally distributed numbers and 32 channels, errors are up to seven times those of
//! the products with windows, and at most 12 ε of the values (root mean squares, `tests.rs`). What would be exactly 0
//! may be a rounding error, and an infinity or NaN reaches all outputs of the tiles that see it, not only those whose
//! window does.
//!
//! To read: `transforms.rs` (the maps), `bands.rs` (eight samples side by side), `tiles.rs`, `weights.rs` and
//! `block.rs`, which lay out what the maps take and give, and then this file, with the two orders in which the three
//! steps may be taken: `by_task.rs` and `by_place.rs`.

mod bands;
mod block;
mod by_place;
mod by_task;
mod tiles;
mod transforms;
mod weights;

use super::weight_grad::{LARGEST, add_up};
use super::{Conv, Tasks};
use crate::kernels::element::Float;
use crate::kernels::gemm::{Isa, MatRef};
use crate::kernels::parallel;
use crate::memory::Buffer;
use block::Block;
use tiles::PLACES;
use transforms::{LANES, POINTS};
use weights::Window;

/// The order of the steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// All steps for some samples, then for the next.
    ByTask,
    /// Each step for all samples, then the next one.
    ByPlace,
}

impl Order {
    /// By place as long as the transforms of the whole batch go into the last cache.
    fn of(conv: &Conv, tiles: [usize; 2], phase_channels: usize) -> Order {
        /// Elements of them, 16 MB in `f32`.
        const IN_LAST_CACHE: usize = 1 << 22;
        let columns = (tiles[0] * tiles[1]).saturating_mul(conv.batch.next_multiple_of(LANES));
        let transforms = (phase_channels + conv.out_channels).saturating_mul(columns).saturating_mul(PLACES);
        if transforms <= IN_LAST_CACHE { Order::ByPlace } else { Order::ByTask }
    }
}

/// A convolution, cut into tiles.
#[derive(Clone, Copy, Debug)]
pub(super) struct Winograd {
    conv: Conv,
    /// It depends on shapes alone.
    order: Order,
    /// Tiles of an image.
    tiles: [usize; 2],
    /// Outputs of a tile along an axis.
    outputs: usize,
    window: Window,
}

impl Winograd {
    /// If it is worth it: more than half of the multiplications saved, enough channels and tiles to pay for the
    /// transforms of tiles and of weights, and work for more than one thread, as the products of a task stay on one.
    pub fn of(conv: &Conv) -> Option<Winograd> {
        /// From so many channels on.
        const CHANNELS: usize = 16;
        /// From so many tiles on: with 32 the weights' transform takes all that is gained.
        const TILES: usize = 64;
        let winograd = Winograd::possible(conv)?;
        let tiles = conv.batch * winograd.tiles[0] * winograd.tiles[1];
        let enough = conv.in_channels >= CHANNELS && conv.out_channels >= CHANNELS && tiles >= TILES;
        let shared = winograd.order == Order::ByPlace || winograd.tasks().parallel;
        (enough && winograd.share() < 0.5 && shared).then_some(winograd)
    }

    /// If it is worth it for the gradient of the weights, which has more to write: dU, task by task for each part of
    /// the batch, of which there must be two at least, for threads to share.
    pub fn of_weight_grad(conv: &Conv) -> Option<Winograd> {
        Winograd::of(conv).filter(|winograd| {
            let parts = if winograd.order == Order::ByPlace { 1 } else { 2 };
            winograd.share() <= 0.4 && LARGEST / winograd.sum() >= parts
        })
    }

    /// Multiplications as a share of those of the definition.
    fn share(&self) -> f64 {
        // Samples that are missing are multiplied all the same.
        let products = self.products() as f64 * self.conv.batch.next_multiple_of(LANES) as f64;
        products / (self.conv.taps() as f64 * self.conv.positions() as f64 * self.conv.batch as f64)
    }

    /// If it is possible.
    pub fn possible(conv: &Conv) -> Option<Winograd> {
        let Conv { kernel: [kernel, width], stride: [stride, along], .. } = *conv;
        let square = kernel == width && stride == along && conv.dilation == [1; 2];
        if !square || kernel == 0 || !(1..=2).contains(&stride) || kernel % stride != 0 {
            return None;
        }
        let taps = kernel / stride;
        let outputs = (2..=4).contains(&taps).then(|| POINTS + 1 - taps)?;
        let window = Window { taps, phases: stride, channels: conv.in_channels };
        let tiles = conv.output.map(|size| size.div_ceil(outputs));
        let order = Order::of(conv, tiles, window.phase_channels());
        Some(Winograd { conv: *conv, order, tiles, outputs, window })
    }

    #[cfg(test)]
    pub fn order(&self) -> Order {
        self.order
    }

    /// The same in another order.
    #[cfg(test)]
    pub fn in_order(self, order: Order) -> Winograd {
        Winograd { order, ..self }
    }

    /// Products of a channel in and out of one sample.
    fn products(&self) -> usize {
        PLACES * self.window.phases * self.window.phases * self.tiles[0] * self.tiles[1]
    }

    /// How the batch is cut. It depends on shapes alone.
    fn tasks(&self) -> Tasks {
        /// Tiles that fill a product's columns well.
        const TILES: usize = 32;
        /// So many tasks are enough: on two threads they take about the time that the other way takes on four.
        const ENOUGH: usize = 2;
        let of_eight = LANES * self.tiles[0] * self.tiles[1];
        let samples = LANES * TILES.div_ceil(of_eight.max(1));
        let count = self.conv.batch.div_ceil(samples);
        let channels = self.conv.in_channels.saturating_mul(self.conv.out_channels).saturating_mul(self.conv.groups);
        let multiply_adds = self.products().saturating_mul(channels);
        // A multiply-add takes about a sixteenth of the time of an element-wise operation.
        Tasks { samples, count, parallel: count >= ENOUGH, work: multiply_adds.saturating_mul(self.conv.batch) / 16 }
    }

    /// The tiles of one group of channels of so many samples, cut into blocks: enough for products of some width, and
    /// so few that what their transforms take stays in a cache.
    fn blocks(&self, group: usize, samples: usize) -> impl Iterator<Item = Block<'_>> {
        /// Elements of all transforms of a block.
        const ELEMENTS: usize = 1 << 18;
        /// Tiles of a block, at the most and at the least.
        const MOST: usize = 256;
        const LEAST: usize = 32;
        let channels = self.window.phase_channels() + self.conv.out_channels;
        let most = (ELEMENTS / (PLACES * channels).max(1)).clamp(LEAST, MOST) / LANES;
        let [height, width] = self.tiles.map(|tiles| tiles.max(1));
        // Some columns of tiles, as many in each block, or some rows, or several eights of samples.
        let columns = width.div_ceil((width / most).max(1));
        let rows = (most / columns).clamp(1, height);
        let eights = if rows == height { (most / (width * height)).max(1) } else { 1 };
        (0..samples).step_by(LANES * eights).flat_map(move |first| {
            let samples = first..samples.min(first + LANES * eights);
            (0..self.tiles[0]).step_by(rows).flat_map(move |row| {
                let samples = samples.clone();
                (0..self.tiles[1]).step_by(columns).map(move |column| {
                    let tiles = [row..height.min(row + rows), column..width.min(column + columns)];
                    Block { winograd: self, group, samples: samples.clone(), tiles }
                })
            })
        })
    }

    /// U = G·g·Gᵀ, `[groups · O, places, C′]`.
    fn transform_weights<T: Float>(&self, weight: &[T]) -> Buffer<T> {
        let row = PLACES * self.window.phase_channels();
        let size = self.conv.depth();
        let mut to = Buffer::recycled(weight.len() / size * row);
        let work = to.len();
        parallel::for_each_block(&mut to, row, work, |o, to| {
            self.window.transform(&weight[o * size..][..size], to);
        });
        to
    }

    /// Elements of dU, of all groups.
    fn sum(&self) -> usize {
        self.conv.groups * PLACES * self.conv.out_channels * self.window.phase_channels()
    }

    /// `conv.forward`
    pub fn forward<T: Float>(&self, isa: Isa, x: &[T], weight: &[T], bias: Option<&[T]>, y: &mut [T]) {
        self.conv.check(x.len(), weight.len(), y.len());
        match self.order {
            _ if y.is_empty() => {}
            // Sums of nothing.
            _ if weight.is_empty() => fill_channels(y, bias, self.conv.positions()),
            Order::ByTask => by_task::forward(self, isa, x, weight, bias, y),
            Order::ByPlace => by_place::forward(self, isa, x, weight, bias, y),
        }
    }

    /// `conv.input_grad`
    pub fn input_grad<T: Float>(&self, isa: Isa, dy: &[T], weight: &[T], bias: Option<&[T]>, dx: &mut [T]) {
        self.conv.check(dx.len(), weight.len(), dy.len());
        match self.order {
            _ if dx.is_empty() => {}
            // Sums of nothing.
            _ if weight.is_empty() => fill_channels(dx, bias, self.conv.input[0] * self.conv.input[1]),
            Order::ByTask => by_task::input_grad(self, isa, dy, weight, bias, dx),
            Order::ByPlace => by_place::input_grad(self, isa, dy, weight, bias, dx),
        }
    }

    /// `conv.weight_grad`
    pub fn weight_grad<T: Float>(&self, isa: Isa, x: &[T], dy: &[T], dw: &mut [T]) {
        self.conv.check(x.len(), dw.len(), dy.len());
        match self.order {
            _ if dw.is_empty() || x.is_empty() || dy.is_empty() => dw.fill(T::ZERO),
            Order::ByTask => by_task::weight_grad(self, isa, x, dy, dw),
            Order::ByPlace => by_place::weight_grad(self, isa, x, dy, dw),
        }
    }

    /// The weights of a group at a place, `[O, C′]`, of what [`transform_weights`](Winograd::transform_weights) wrote.
    fn matrix<'a, T: Float>(&self, points: &'a [T], group: usize, place: usize) -> MatRef<'a, T> {
        let (out_channels, channels) = (self.conv.out_channels, self.window.phase_channels());
        let start = (group * out_channels * PLACES + place) * channels;
        MatRef::new(&points[start..], [out_channels, channels], [PLACES * channels, 1])
    }

    /// dW of the sums over parts of the batch, each `[groups, places, O, C′]`.
    fn weight_grads<T: Float>(&self, sums: &[T], dw: &mut [T]) {
        let (out_channels, row) = (self.conv.out_channels, self.window.phase_channels());
        let (group, place) = (PLACES * out_channels * row, out_channels * row);
        parallel::for_each_rows(dw, self.conv.depth(), |first, dw| {
            let mut total = Buffer::<T>::recycled(PLACES * row);
            for (o, dw) in dw.chunks_exact_mut(self.conv.depth()).enumerate() {
                let (of_group, o) = ((first + o) / out_channels, (first + o) % out_channels);
                for (i, total) in total.chunks_exact_mut(row).enumerate() {
                    let start = of_group * group + i * place + o * row;
                    add_up(sums.chunks_exact(self.sum()).map(|part| &part[start..][..row]), total);
                }
                self.window.transform_grad(&total, dw);
            }
        });
    }
}

/// A value for each channel of `[samples, channels, pixels]`, or zeros.
fn fill_channels<T: Float>(images: &mut [T], values: Option<&[T]>, pixels: usize) {
    match values {
        None => images.fill(T::ZERO),
        Some(values) => {
            for (i, image) in images.chunks_exact_mut(pixels).enumerate() {
                image.fill(values[i % values.len()]);
            }
        }
    }
}
