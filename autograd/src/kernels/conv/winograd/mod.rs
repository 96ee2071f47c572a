//! Convolutions of 3 × 3 taps with fewer multiplications.
//!
//! Two neighbouring outputs of a filter of three taps need six products. Winograd found that four are enough, if pixels
//! and weights are added up first (S. Winograd, *Arithmetic Complexity of Computations*, 1980; for convolutional
//! networks: A. Lavin and S. Gray, *Fast Algorithms for Convolutional Neural Networks*, 2016):
//!
//! ```text
//! d0 d1 d2 d3 four pixels, g0 g1 g2 the weights
//! m0 = (d0 − d2)·g0    m1 = (d1 + d2)·(g0 + g1 + g2)/2    m2 = (d2 − d1)·(g0 − g1 + g2)/2    m3 = (d1 − d3)·g2
//! y0 = m0 + m1 + m2 = d0·g0 + d1·g1 + d2·g2
//! y1 = m1 − m2 − m3 = d1·g0 + d2·g1 + d3·g2
//! ```
//!
//! As matrices y = Aᵀ[(G·g) ⊙ (Bᵀ·d)], and along both axes Y = Aᵀ[(G·g·Gᵀ) ⊙ (Bᵀ·d·B)]A: a *tile* of 2 × 2 outputs sees
//! 4 × 4 pixels, and takes 16 products instead of 36. Over all channels and tiles the ⊙ becomes a sum over channels: for
//! each of the 16 places a matrix product,
//!
//! ```text
//! M[ξ] [O, tiles] = U[ξ] [O, C] · V[ξ] [C, tiles]      ξ = 0 … 15,  U = G·g·Gᵀ,  V = Bᵀ·d·B
//! ```
//!
//! The weight's gradient goes the same way back, through the transposed maps; the input's is a convolution again:
//!
//! ```text
//! dW = Gᵀ[ Σ over tiles of (A·dY·Aᵀ)[ξ] [O, tiles] · V[ξ]ᵀ [tiles, C] ]G
//! dX = the convolution of dY with the weights turned by 180°, channels in and out swapped, 2 − padding zeros around it
//! ```
//!
//! What it costs: the additions of the transforms, which grow with C + O where the products grow with C·O, so it pays
//! from a few channels on. Sums are taken in another order and of differences: errors are up to twice as large as those of
//! the products with windows, and an infinity or NaN reaches all outputs of the tiles that see it, not only those whose
//! window does.
//!
//! Tiles are the windows of a convolution of 4 × 4 taps with a stride of 2, so the pixels come from the same planes as
//! there (`planes.rs`): neighbouring tiles see neighbouring elements, and a transform takes eight tiles at a time.

mod tiles;
mod transforms;

use super::planes::{Planes, PlanesOf};
use super::weight_grad::{add_up, sum_over_batch};
use super::{Conv, Tasks};
use crate::kernels::element::Float;
use crate::kernels::gemm::{Gemm, Isa, MatMut, PackedA};
use crate::kernels::parallel;
use crate::kernels::simd::vectorised;
use crate::memory::Buffer;
use std::ops::Range;
use tiles::{FromTiles, IntoTiles, PLACES, Places, Run, runs};
use transforms::{Image, Line, OutputGrad, Weight, WeightGrad, on_square};

/// A convolution of 3 × 3 taps, cut into tiles.
pub(super) struct Winograd {
    conv: Conv,
    /// Tiles of an image.
    tiles: [usize; 2],
}

impl Winograd {
    /// If it is worth it: a third of the multiplications saved, enough channels to pay for the transforms, and enough tasks
    /// for all threads, since the products of a task stay on one.
    pub fn of(conv: &Conv) -> Option<Winograd> {
        /// From so many channels on.
        const CHANNELS: usize = 16;
        let winograd = Winograd::possible(conv)?;
        let multiplications = PLACES * winograd.tiles[0] * winograd.tiles[1];
        let saves_a_third = 3 * multiplications <= 2 * conv.taps() * conv.positions();
        let enough = conv.in_channels >= CHANNELS && conv.out_channels >= CHANNELS;
        let shared = conv.tasks().parallel && winograd.turned().conv.tasks().parallel;
        (saves_a_third && enough && shared).then_some(winograd)
    }

    /// If it is possible.
    pub fn possible(conv: &Conv) -> Option<Winograd> {
        let Conv { kernel, stride, padding, dilation, .. } = *conv;
        let fits = kernel == [3; 2] && stride == [1; 2] && dilation == [1; 2] && padding.iter().all(|&p| p <= 2);
        fits.then(|| Winograd::new(*conv))
    }

    fn new(conv: Conv) -> Winograd {
        Winograd { conv, tiles: conv.output.map(|size| size.div_ceil(2)) }
    }

    /// The convolution that `input_grad` is.
    fn turned(&self) -> Winograd {
        let Conv { in_channels, out_channels, input, output, padding, .. } = self.conv;
        Winograd::new(Conv {
            in_channels: out_channels,
            out_channels: in_channels,
            input: output,
            output: input,
            padding: padding.map(|padding| 2 - padding),
            ..self.conv
        })
    }

    /// What the tiles see of the images of a task.
    fn seen(&self) -> View {
        let batch = self.conv.tasks().samples;
        View::new(&Conv { batch, kernel: [4; 2], stride: [2; 2], output: self.tiles, ..self.conv })
    }

    /// What the tiles have of the outputs of a task.
    fn written(&self) -> View {
        let (batch, Conv { out_channels: in_channels, output: input, .. }) = (self.conv.tasks().samples, self.conv);
        let (kernel, stride, padding, output) = ([2; 2], [2; 2], [0; 2], self.tiles);
        View::new(&Conv { batch, in_channels, input, kernel, stride, padding, output, ..self.conv })
    }

    /// `conv.forward`
    #[inline(never)]
    pub fn forward<T: Float>(&self, isa: Isa, x: &[T], weight: &[T], bias: Option<&[T]>, y: &mut [T]) {
        let Conv { groups, out_channels, in_channels, .. } = self.conv;
        self.conv.check(x.len(), weight.len(), y.len());
        let weights = transformed(isa, [groups, out_channels, in_channels], |group, o, c| {
            let pair = (group * out_channels + o) * in_channels + c;
            std::array::from_fn(|ky| std::array::from_fn(|kx| weight[pair * 9 + ky * 3 + kx]))
        });
        self.convolve(x, &weights, bias, y);
    }

    /// `conv.input_grad`
    #[inline(never)]
    pub fn input_grad<T: Float>(&self, isa: Isa, dy: &[T], weight: &[T], bias: Option<&[T]>, dx: &mut [T]) {
        let Conv { groups, out_channels, in_channels, .. } = self.conv;
        self.conv.check(dx.len(), weight.len(), dy.len());
        // Swapped: what comes out is a channel of the input.
        let weights = transformed(isa, [groups, in_channels, out_channels], |group, c, o| {
            let pair = (group * out_channels + o) * in_channels + c;
            std::array::from_fn(|ky| std::array::from_fn(|kx| weight[pair * 9 + 8 - (ky * 3 + kx)]))
        });
        self.turned().convolve(dy, &weights, bias, dx);
    }

    /// The convolution of `x` with weights that are transformed already.
    fn convolve<T: Float>(&self, x: &[T], weights: &[[PackedA<T>; PLACES]], bias: Option<&[T]>, y: &mut [T]) {
        if y.is_empty() {
            return;
        }
        let Conv { groups, in_channels, out_channels, output, .. } = self.conv;
        let Tasks { samples, work, .. } = self.conv.tasks();
        let (image, sample) = (x.len() / self.conv.batch, y.len() / self.conv.batch);
        let view = self.seen();
        parallel::for_each_block(y, samples * sample, work, |task, y| {
            let count = y.len() / sample;
            let x = &x[task * samples * image..][..count * image];
            for (group, weights) in weights.iter().enumerate() {
                let pixels = PlanesOf::new(&view.planes, x, group, count);
                for block in self.blocks(count) {
                    let (seen, products) = (Places::new(in_channels, &block), Places::new(out_channels, &block));
                    let runs = runs(block, self.tiles[1]);
                    let tiles = view.transform(Image, pixels.data(), &runs, seen);
                    let mut to = products.buffer();
                    for (place, weights) in weights.iter().enumerate() {
                        let to = MatMut::row_major(&mut to[products.range(place)], products.channels, products.tiles);
                        Gemm::new(weights, seen.matrix(&tiles, place)).serial().write(to);
                    }
                    let first = group * out_channels;
                    vectorised(FromTiles {
                        from: products,
                        products: &to,
                        bias: bias.map(|bias| &bias[first..first + out_channels]),
                        runs: &runs,
                        rows: self.tiles[0],
                        first,
                        sample_channels: groups * out_channels,
                        size: output,
                        y,
                    });
                }
            }
        });
    }

    /// `conv.weight_grad`
    #[inline(never)]
    pub fn weight_grad<T: Float>(&self, isa: Isa, x: &[T], dy: &[T], dw: &mut [T]) {
        self.conv.check(x.len(), dw.len(), dy.len());
        if dw.is_empty() || x.is_empty() || dy.is_empty() {
            return dw.fill(T::ZERO);
        }
        let Conv { groups, in_channels, out_channels, .. } = self.conv;
        let (seen, written) = (self.seen(), self.written());
        // For each group and each place [O, C].
        let sums = sum_over_batch(&self.conv, groups * PLACES * out_channels * in_channels, [x, dy], |part, sum| {
            for (group, sum) in sum.chunks_exact_mut(PLACES * out_channels * in_channels).enumerate() {
                for (task, [x, dy]) in part.tasks().enumerate() {
                    let count = x.len() / part.image;
                    let pixels = PlanesOf::new(&seen.planes, x, group, count);
                    let grads = PlanesOf::new(&written.planes, dy, group, count);
                    for (i, block) in self.blocks(count).enumerate() {
                        let (of_x, of_dy) = (Places::new(in_channels, &block), Places::new(out_channels, &block));
                        let runs = runs(block, self.tiles[1]);
                        let pixels = seen.transform(Image, pixels.data(), &runs, of_x);
                        let grads = written.transform(OutputGrad, grads.data(), &runs, of_dy);
                        let beta = if task + i > 0 { T::ONE } else { T::ZERO };
                        for (place, sum) in sum.chunks_exact_mut(out_channels * in_channels).enumerate() {
                            let product = Gemm::new(of_dy.matrix(&grads, place), of_x.matrix(&pixels, place).t());
                            let to = MatMut::row_major(sum, out_channels, in_channels);
                            product.with_isa(isa).serial().beta(beta).write(to);
                        }
                    }
                }
            }
        });
        let (whole, row) = (groups * PLACES * out_channels * in_channels, in_channels * 9);
        parallel::for_each_rows(dw, row, |first, dw| {
            let mut places = Buffer::<T>::recycled(PLACES * in_channels);
            for (o, dw) in dw.chunks_exact_mut(row).enumerate() {
                let (group, o) = ((first + o) / out_channels, (first + o) % out_channels);
                for (place, total) in places.chunks_exact_mut(in_channels).enumerate() {
                    let row = (group * PLACES + place) * out_channels + o;
                    add_up(sums.chunks_exact(whole).map(|part| &part[row * in_channels..][..in_channels]), total);
                }
                for (c, dw) in dw.chunks_exact_mut(9).enumerate() {
                    let at = |i: usize, j: usize| places[(i * 4 + j) * in_channels + c];
                    let square = std::array::from_fn(|i| std::array::from_fn(|j| at(i, j)));
                    let taps: [[T; 3]; 3] = on_square(WeightGrad, square);
                    dw.copy_from_slice(taps.as_flattened());
                }
            }
        });
    }

    /// The tiles of so many samples, cut into blocks that are worked on together: enough for products of some width, and so
    /// few that what their transforms take stays in a cache.
    fn blocks(&self, samples: usize) -> impl Iterator<Item = Range<usize>> {
        /// Elements of all transforms of a block. A step of cifar_cnn_64 takes 100 ms with this, 106 with half, 111 with a
        /// quarter, and no less with twice as many (`cargo bench --bench steps -- cifar_cnn_64`).
        const ELEMENTS: usize = 1 << 18;
        /// Blocks are a multiple of this wide, of which no micro-kernel is wider, and at most eight of it.
        const STEP: usize = 32;
        let tiles = samples * self.tiles[0] * self.tiles[1];
        let most = ELEMENTS / (PLACES * (self.conv.in_channels + self.conv.out_channels)).max(1);
        let most = (most / STEP * STEP).clamp(STEP, 8 * STEP);
        (0..tiles).step_by(most).map(move |first| first..(first + most).min(tiles))
    }
}

/// The weights of each group and place, `[O, C]`, transformed and packed. `of(group, o, c)` are the nine.
fn transformed<T: Float>(
    isa: Isa,
    [groups, out_channels, in_channels]: [usize; 3],
    of: impl Fn(usize, usize, usize) -> [[T; 3]; 3],
) -> Vec<[PackedA<T>; PLACES]> {
    let to = Places { channels: out_channels, tiles: in_channels };
    let mut places = to.buffer();
    let group = |group: usize| {
        for o in 0..out_channels {
            for c in 0..in_channels {
                let square: [[T; 4]; 4] = on_square(Weight, of(group, o, c));
                for (place, &weight) in square.as_flattened().iter().enumerate() {
                    places[to.range(place).start + o * in_channels + c] = weight;
                }
            }
        }
        std::array::from_fn(|place| PackedA::with_isa(to.matrix(&places, place), isa))
    };
    (0..groups).map(group).collect()
}

/// Images as tiles see them: as planes.
struct View {
    planes: Planes,
    /// Where in a channel the first tile's pixels are.
    taps: Vec<usize>,
    /// Where each row of tiles begins.
    rows: Vec<usize>,
}

impl View {
    fn new(conv: &Conv) -> View {
        let planes = Planes::of(conv);
        View { planes, taps: planes.taps(1), rows: planes.rows(conv.batch) }
    }

    /// The transformed tiles of these runs.
    fn transform<T: Float, L: Line<N, 4>, const N: usize>(
        &self,
        map: L,
        data: &[T],
        runs: &[Run],
        to: Places,
    ) -> Buffer<T> {
        let mut out = to.buffer();
        let View { planes, taps, rows } = self;
        vectorised(IntoTiles { data, channel: planes.channel(), taps, rows, runs, map, to, out: &mut out });
        out
    }
}
