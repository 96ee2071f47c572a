//! Operands on their way to the micro-kernel: panels, packed or in place.
//!
//! A *panel* is a strip of an operand that is as wide as a tile: `mr` rows of A, or `nr` columns of B.
//! Rows of A and columns of B play the same part here, so both are called **lanes**; the other
//! dimension, along which the products are summed, is the **depth**. A packed panel holds, for each
//! depth p, the `width` lanes one after the other, in the order in which the micro-kernel reads them:
//!
//! ```text
//!           depth                         packed panels of width 4 (5 lanes: the last is padded)
//!        0  1  2  3
//! lane 0 a  b  c  d                       a e i m   b f j n   c g k o   d h l p
//!      1 e  f  g  h         ──────►       q 0 0 0   r 0 0 0   s 0 0 0   t 0 0 0
//!      2 i  j  k  l
//!      3 m  n  o  p
//!      4 q  r  s  t
//! ```

use super::microkernel::KernelSet;
use super::{GemmFloat, Isa, MatRef};
use crate::memory::Buffer;
use std::ops::Range;

/// An operand that can write itself in panels, without being a matrix in memory: a convolution's im2col,
/// for example, whose columns are windows of an image.
///
/// Lanes are the rows of the operand if it is A, its columns if it is B.
pub trait PackSource<T>: Sync {
    /// Number of lanes: m for A, n for B.
    fn lanes(&self) -> usize;
    /// Length of the dimension that is summed: k.
    fn depth(&self) -> usize;
    /// Writes one panel, from any thread, possibly several times in one product.
    fn pack(&self, panel: Panel<'_, T>);
}

/// A request to a [`PackSource`]: the part of the operand, and where it goes.
///
/// `out[(p - depth.start) * width + (l - lanes.start)]` must become element (lane l, depth p). Lanes beyond
/// the range, up to `width`, are zeros already.
pub struct Panel<'a, T> {
    /// Which depths.
    pub depth: Range<usize>,
    /// Which lanes: `width` of them, or fewer at the edge.
    pub lanes: Range<usize>,
    /// Distance between consecutive depths in `out`.
    pub width: usize,
    /// `depth.len() * width` elements.
    pub out: &'a mut [T],
}

/// One operand of a product, whichever way it is given.
#[derive(Clone, Copy)]
pub(super) enum Operand<'a, T: GemmFloat> {
    /// A matrix whose *rows* are lanes.
    Matrix(MatRef<'a, T>),
    Packed(&'a PackedPanels<T>),
    Source(&'a dyn PackSource<T>),
}

impl<T: GemmFloat> Operand<'_, T> {
    pub fn lanes(self) -> usize {
        match self {
            Operand::Matrix(matrix) => matrix.rows,
            Operand::Packed(packed) => packed.lanes,
            Operand::Source(source) => source.lanes(),
        }
    }

    pub fn depth(self) -> usize {
        match self {
            Operand::Matrix(matrix) => matrix.cols,
            Operand::Packed(packed) => packed.depth,
            Operand::Source(source) => source.depth(),
        }
    }

    /// Packs `lanes` by `depth` into panels of `width` at the start of `out`, one after the other.
    pub fn pack(self, set: &KernelSet<T>, [lanes, depth]: [Range<usize>; 2], width: usize, out: &mut [T]) {
        let panels = out.chunks_exact_mut((width * depth.len()).max(1));
        for (start, out) in lanes.clone().step_by(width).zip(panels) {
            let lanes = start..lanes.end.min(start + width);
            if lanes.len() < width {
                out.fill(T::ZERO);
            }
            match self {
                Operand::Matrix(matrix) => pack_matrix(
                    set,
                    matrix.row_range(lanes.start, lanes.len()).columns(depth.start, depth.len()),
                    width,
                    out,
                ),
                Operand::Source(source) => source.pack(Panel { depth: depth.clone(), lanes, width, out }),
                Operand::Packed(_) => unreachable!("gemm: a packed operand is never packed again"),
            }
        }
    }
}

/// Packs one panel of a matrix, whose rows are the lanes.
fn pack_matrix<T: GemmFloat>(set: &KernelSet<T>, from: MatRef<T>, width: usize, out: &mut [T]) {
    debug_assert!(from.rows <= width && out.len() == width * from.cols);
    let (lanes, depth) = (from.rows, from.cols);
    if from.row_stride == 1 && lanes == width {
        // Lanes are neighbours in memory: copy `width` at a time, with the length known to the compiler
        // for the widths that there are.
        match width {
            4 => copy_lanes::<T, 4>(from, out),
            6 => copy_lanes::<T, 6>(from, out),
            8 => copy_lanes::<T, 8>(from, out),
            12 => copy_lanes::<T, 12>(from, out),
            16 => copy_lanes::<T, 16>(from, out),
            32 => copy_lanes::<T, 32>(from, out),
            _ => gather(from, [0..lanes, 0..depth], width, out),
        }
    } else if from.col_stride == 1 {
        // Depths are neighbours: a transpose, in square blocks as far as they fit.
        let side = set.lanes;
        let (whole_lanes, whole_depth) = (lanes / side * side, depth / side * side);
        for p in (0..whole_depth).step_by(side) {
            for lane in (0..whole_lanes).step_by(side) {
                let block = from.as_ptr().wrapping_add(lane * from.row_stride + p);
                // SAFETY: `side` lines of `side` elements lie inside of `from`, whose columns are
                // contiguous, and inside of `out`: lane + side <= width and p + side <= depth. The
                // set exists only where its instructions do.
                unsafe { (set.transpose)(block, from.row_stride, out.as_mut_ptr().add(p * width + lane), width) };
            }
        }
        gather(from, [whole_lanes..lanes, 0..whole_depth], width, out);
        gather(from, [0..lanes, whole_depth..depth], width, out);
    } else {
        gather(from, [0..lanes, 0..depth], width, out);
    }
}

/// Packs a panel of `W` lanes that are neighbours in memory.
fn copy_lanes<T: GemmFloat, const W: usize>(from: MatRef<T>, out: &mut [T]) {
    for (p, to) in out.as_chunks_mut::<W>().0.iter_mut().enumerate() {
        let row = from.as_ptr().wrapping_add(p * from.col_stride);
        // SAFETY: the W lanes of depth p, contiguous and inside of `from`.
        *to = unsafe { *row.cast() };
    }
}

/// Packs one element at a time: any strides.
fn gather<T: GemmFloat>(from: MatRef<T>, [lanes, depth]: [Range<usize>; 2], width: usize, out: &mut [T]) {
    for lane in lanes {
        for p in depth.clone() {
            out[p * width + lane] = from.at(lane, p);
        }
    }
}

/// The panels of one block of an operand, as the loops read them: packed or in place is only a matter of
/// strides.
#[derive(Clone, Copy)]
pub(super) struct Panels<T> {
    /// Element (lane 0, depth 0) of the first panel.
    pub start: *const T,
    /// Distance from panel to panel, from lane to lane, and from depth to depth.
    pub panel_stride: usize,
    pub lane_stride: usize,
    pub depth_stride: usize,
    /// Whether the last panel is as wide in memory as the others.
    pub padded: bool,
}

// SAFETY: a pointer to memory that is only read while panels exist, and numbers.
unsafe impl<T: Sync> Send for Panels<T> {}
// SAFETY: as above.
unsafe impl<T: Sync> Sync for Panels<T> {}

impl<T: GemmFloat> Panels<T> {
    /// Panels that `Operand::pack` wrote to `start`.
    pub fn packed(start: *const T, width: usize, depth: usize) -> Self {
        Panels { start, panel_stride: width * depth, lane_stride: 1, depth_stride: width, padded: true }
    }

    /// The panels of a matrix where it is.
    pub fn in_place(matrix: MatRef<T>, width: usize) -> Self {
        Panels {
            start: matrix.as_ptr(),
            panel_stride: width * matrix.row_stride,
            lane_stride: matrix.row_stride,
            depth_stride: matrix.col_stride,
            padded: false,
        }
    }

    /// The panels from number `index` on.
    pub fn from_panel(self, index: usize) -> Self {
        Panels { start: self.start.wrapping_add(index * self.panel_stride), ..self }
    }
}

/// A whole operand in panels: chunk after chunk of the depth, and in each chunk panel after panel.
pub(super) struct PackedPanels<T: GemmFloat> {
    data: Buffer<T>,
    pub isa: Isa,
    pub lanes: usize,
    pub depth: usize,
    width: usize,
    /// Depth of all chunks but the last.
    chunk: usize,
}

impl<T: GemmFloat> PackedPanels<T> {
    /// Packs all of `operand` in panels of `width`.
    pub fn new(set: &KernelSet<T>, operand: Operand<T>, width: usize) -> Self {
        let (lanes, depth) = (operand.lanes(), operand.depth());
        let chunk = set.depth_chunk(depth);
        let padded = lanes.next_multiple_of(width);
        let mut data = Buffer::recycled(padded * depth);
        for start in (0..depth).step_by(chunk) {
            let end = depth.min(start + chunk);
            operand.pack(set, [0..lanes, start..end], width, &mut data[start * padded..end * padded]);
        }
        PackedPanels { data, isa: set.isa, lanes, depth, width, chunk }
    }

    /// The panels from `lane` on (the first of a panel), of the chunk that is `depth`.
    pub fn panels(&self, lane: usize, depth: Range<usize>) -> Panels<T> {
        debug_assert!(lane % self.width == 0 && depth.start % self.chunk == 0);
        debug_assert_eq!(depth.end, self.depth.min(depth.start + self.chunk));
        let padded = self.lanes.next_multiple_of(self.width);
        let start = &self.data[depth.start * padded + lane * depth.len()..];
        Panels::packed(start.as_ptr(), self.width, depth.len())
    }
}

/// A left operand packed once, for many products: [`Gemm::new`](super::Gemm::new) takes it as A.
pub struct PackedA<T: GemmFloat>(pub(super) PackedPanels<T>);

/// A right operand packed once, for many products: [`Gemm::new`](super::Gemm::new) takes it as B.
///
/// ```
/// use autograd::kernels::gemm::{Gemm, MatMut, MatRef, PackedB};
/// let weight = PackedB::new(MatRef::row_major(&[1.0, 2.0, 3.0, 4.0], 2, 2));
/// for step in 0..3 {
///     let (x, mut y) = ([step as f32, 1.0], [0.0f32; 2]);
///     Gemm::new(MatRef::row_major(&x, 1, 2), &weight).write(MatMut::row_major(&mut y, 1, 2));
///     assert_eq!(y, [step as f32 + 3.0, 2.0 * step as f32 + 4.0]);
/// }
/// ```
pub struct PackedB<T: GemmFloat>(pub(super) PackedPanels<T>);

impl<T: GemmFloat> PackedA<T> {
    /// Packs `a`, `[m, k]`, for [`Isa::best`].
    pub fn new(a: MatRef<T>) -> Self {
        Self::with_isa(a, Isa::best())
    }

    /// Packs `a` for an instruction set, which products with it will then run on.
    ///
    /// # Panics
    /// If this machine does not have it.
    #[track_caller]
    pub fn with_isa(a: MatRef<T>, isa: Isa) -> Self {
        let set = super::kernels(isa);
        PackedA(PackedPanels::new(set, Operand::Matrix(a), set.mr))
    }
}

impl<T: GemmFloat> PackedB<T> {
    /// Packs `b`, `[k, n]`, for [`Isa::best`].
    pub fn new(b: MatRef<T>) -> Self {
        Self::with_isa(b, Isa::best())
    }

    /// Packs `b` for an instruction set, which products with it will then run on.
    ///
    /// # Panics
    /// If this machine does not have it.
    #[track_caller]
    pub fn with_isa(b: MatRef<T>, isa: Isa) -> Self {
        let set = super::kernels(isa);
        PackedB(PackedPanels::new(set, Operand::Matrix(b.t()), set.nr))
    }
}
