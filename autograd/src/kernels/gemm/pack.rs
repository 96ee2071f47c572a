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

use super::kernel_set::KernelSet;
use super::simd::MAX_SIDE;
use super::{GemmFloat, Isa, MatRef, dispatch};
use crate::kernels::simd::{Loop, vectorised};
use crate::memory::Buffer;
use std::ops::Range;

/// An operand that can write itself in panels, without being a matrix in memory: a convolution's im2col,
/// for example, whose columns are windows of an image.
///
/// Lanes are the rows of the operand if it is A, its columns if it is B.
pub trait PackSource<T: 'static>: Sync {
    /// Number of lanes: m for A, n for B.
    fn lanes(&self) -> usize;
    /// Length of the dimension that is summed: k.
    fn depth(&self) -> usize;
    /// Writes one panel, from any thread, possibly several times in one product.
    fn pack(&self, panel: Panel<'_, T>);
}

/// Lanes of the widest panel of all instruction sets.
pub const WIDEST_PANEL: usize = 48;

/// A request to a [`PackSource`]: the part of the operand, and where it goes.
///
/// `out[(p - depth.start) * width + (l - lanes.start)]` must become element (lane l, depth p). Lanes beyond
/// the range, up to `width`, are zeros already.
pub struct Panel<'a, T: 'static> {
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
    /// With its lanes and depth, which are asked for once: an answer that changes must not change the plan.
    Source(&'a dyn PackSource<T>, [usize; 2]),
}

impl<'a, T: GemmFloat> Operand<'a, T> {
    #[inline]
    pub fn source(source: &'a dyn PackSource<T>) -> Self {
        Operand::Source(source, [source.lanes(), source.depth()])
    }

    #[inline]
    pub fn lanes(&self) -> usize {
        match *self {
            Operand::Matrix(matrix) => matrix.rows,
            Operand::Packed(packed) => packed.lanes,
            Operand::Source(_, [lanes, _]) => lanes,
        }
    }

    #[inline]
    pub fn depth(&self) -> usize {
        match *self {
            Operand::Matrix(matrix) => matrix.cols,
            Operand::Packed(packed) => packed.depth,
            Operand::Source(_, [_, depth]) => depth,
        }
    }

    /// The kernels that it was packed for, if it was.
    #[inline]
    pub fn packed_for(&self) -> Option<&'static KernelSet<T>> {
        match self {
            Operand::Packed(packed) => Some(packed.set),
            _ => None,
        }
    }

    /// Packs `lanes` by `depth` into panels of `width` at the start of `out`, one after the other.
    pub fn pack(self, set: &KernelSet<T>, [lanes, depth]: [Range<usize>; 2], width: usize, out: &mut [T]) {
        let panel = width * depth.len();
        let len = lanes.len().div_ceil(width).checked_mul(panel).expect("an operand larger than the address space");
        let out = &mut out[..len];
        match self {
            Operand::Matrix(matrix) => {
                let matrix = matrix.row_range(lanes.start, lanes.len()).columns(depth.start, depth.len());
                // SAFETY: `out` has as many panels as it takes.
                unsafe { pack_matrix(set, matrix, width, out.as_mut_ptr()) };
            }
            Operand::Source(source, _) => {
                for (start, out) in lanes.clone().step_by(width).zip(out.chunks_exact_mut(panel.max(1))) {
                    let lanes = start..lanes.end.min(start + width);
                    if lanes.len() < width {
                        out.fill(T::ZERO);
                    }
                    source.pack(Panel { depth: depth.clone(), lanes, width, out });
                }
            }
            Operand::Packed(_) => unreachable!("gemm: a packed operand is never packed again"),
        }
    }
}

/// The transpose of a matrix of at most `width` rows, with zeros for those that are missing: element (i, j) goes to
/// `j · width + i`. It is what a panel is, of use beyond products.
///
/// # Panics
/// If `out` has not `width` elements for each column, or the matrix more rows than that.
#[track_caller]
pub(crate) fn transpose_padded<T: GemmFloat>(from: MatRef<T>, width: usize, out: &mut [T]) {
    assert!(
        from.rows <= width && from.cols.checked_mul(width) == Some(out.len()),
        "a matrix of {} rows and {} columns to rows of {width} elements, {} in all",
        from.rows,
        from.cols,
        out.len()
    );
    if from.rows == 0 {
        return out.fill(T::ZERO);
    }
    // SAFETY: room for a panel, as just asked, and no more lanes than it is wide.
    unsafe { pack_panel(dispatch::best_kernels(), from, width, out.as_mut_ptr()) };
}

/// Packs a matrix, whose rows are the lanes, into as many panels as it takes.
///
/// # Safety
/// `out` must be writable for that many panels, each of `width` times the depth elements.
pub(super) unsafe fn pack_matrix<T: GemmFloat>(set: &KernelSet<T>, from: MatRef<T>, width: usize, out: *mut T) {
    /// Lanes that are copied together where they are neighbours: six cache lines of f32. One panel's are not
    /// enough, because the next depth may be on another page.
    const TOGETHER: usize = 96;
    let mut lane = 0;
    while lane < from.rows {
        let contiguous = from.row_stride == 1 && lane + width <= from.rows;
        let panels = if contiguous { ((from.rows - lane).min(TOGETHER) / width).max(1) } else { 1 };
        let lanes = from.row_range(lane, (panels * width).min(from.rows - lane));
        let out = out.wrapping_add(lane * from.cols);
        // SAFETY: these panels of `out`.
        unsafe {
            // The compiler knows the length of a copy for the widths that there are.
            match width {
                4 if contiguous => copy_panels::<T, 4>(lanes, out),
                6 if contiguous => copy_panels::<T, 6>(lanes, out),
                8 if contiguous => copy_panels::<T, 8>(lanes, out),
                12 if contiguous => copy_panels::<T, 12>(lanes, out),
                16 if contiguous => copy_panels::<T, 16>(lanes, out),
                24 if contiguous => copy_panels::<T, 24>(lanes, out),
                48 if contiguous => copy_panels::<T, 48>(lanes, out),
                _ => pack_panel(set, lanes, width, out),
            }
        }
        lane += panels * width;
    }
}

/// Packs panels of `W` lanes each that are neighbours in memory.
///
/// # Safety
/// `out` must be writable for as many elements as the matrix has, and its lanes must be contiguous.
unsafe fn copy_panels<T: GemmFloat, const W: usize>(from: MatRef<T>, out: *mut T) {
    /// Whoever makes one promises what `copy_panels` asks for.
    struct CopyPanels<'a, T, const W: usize> {
        from: MatRef<'a, T>,
        out: *mut T,
    }
    impl<T: GemmFloat, const W: usize> Loop for CopyPanels<'_, T, W> {
        type Out = ();
        #[inline(always)]
        fn run(self) {
            let CopyPanels { from, out } = self;
            for p in 0..from.cols {
                for q in 0..from.rows / W {
                    // SAFETY: W lanes of depth p, and their place in panel q, as was promised.
                    unsafe {
                        let lanes = from.as_ptr().add(p * from.col_stride + q * W).cast::<[T; W]>();
                        *out.cast::<[T; W]>().add(q * from.cols + p) = *lanes;
                    }
                }
            }
        }
    }
    // In wide registers: with the smallest that there are, a copy of three cache lines is a call of the system's.
    vectorised(CopyPanels::<T, W> { from, out });
}

/// Packs one panel of a matrix.
///
/// # Safety
/// `out` must be writable for `width` times the depth elements, and `from` have at most `width` lanes.
unsafe fn pack_panel<T: GemmFloat>(set: &KernelSet<T>, from: MatRef<T>, width: usize, out: *mut T) {
    let [lanes, depth] = [from.rows, from.cols];
    debug_assert!(0 < lanes && lanes <= width);
    // SAFETY: the caller's.
    unsafe {
        let transposed =
            if from.col_stride == 1 && from.row_stride != 1 { transpose_lanes(set, from, width, out) } else { 0 };
        gather(from, transposed, width, out);
        for p in 0..if lanes < width { depth } else { 0 } {
            out.add(p * width + lanes).write_bytes(0, width - lanes);
        }
    }
}

/// Packs lanes along which the depths are neighbours: a transpose, in square blocks. Returns how many depths
/// it has packed, which is as many as fill whole blocks.
///
/// # Safety
/// As for [`pack_panel`], and depths must be contiguous.
unsafe fn transpose_lanes<T: GemmFloat>(set: &KernelSet<T>, from: MatRef<T>, width: usize, out: *mut T) -> usize {
    let side = set.side;
    let depth = from.cols / side * side;
    // All depths of a cache line before the next lanes, whose lines may push it out.
    let of_line = side.max(64 / size_of::<T>());
    for start in (0..depth).step_by(of_line) {
        // From the last block of lanes to the first. Where `width` is no multiple of `side`, the columns of
        // the last block reach into the places of the next column's first lanes, which are written later.
        for lane in (0..from.rows).step_by(side).rev() {
            let mut lines = [from.as_ptr(); MAX_SIDE];
            for (i, line) in lines[..side].iter_mut().enumerate() {
                // Beyond the last lane, the last again: what it writes is overwritten later.
                *line = line.wrapping_add((lane + i).min(from.rows - 1) * from.row_stride);
            }
            for p in (start..depth.min(start + of_line)).step_by(side) {
                let (lines, to) = (&lines[..side], out.wrapping_add(p * width + lane));
                // SAFETY: `side` depths from p on of each line are inside of the matrix. The columns are inside
                // of the panel, unless this is its end; then they are copied from an array as far as they are.
                unsafe {
                    if p + side < depth || lane + side <= width {
                        (set.transpose)(lines, p, to, width);
                    } else {
                        let mut block = [T::ZERO; MAX_SIDE * MAX_SIDE];
                        (set.transpose)(lines, p, block.as_mut_ptr(), side);
                        for (j, column) in block.chunks_exact(side).enumerate().take(side) {
                            to.wrapping_add(j * width).copy_from_nonoverlapping(column.as_ptr(), width - lane);
                        }
                    }
                }
            }
        }
    }
    depth
}

/// Packs depths from `start` on, one element at a time: any strides.
///
/// # Safety
/// As for [`pack_panel`].
// ANCHOR: gather
unsafe fn gather<T: GemmFloat>(from: MatRef<T>, start: usize, width: usize, out: *mut T) {
    for p in start..from.cols {
        for lane in 0..from.rows {
            let at = lane * from.row_stride + p * from.col_stride;
            // SAFETY: an element of the matrix, and its place in the panel.
            unsafe { *out.add(p * width + lane) = *from.as_ptr().add(at) };
        }
    }
}
// ANCHOR_END: gather

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
            // Of a single row the stride may be anything.
            panel_stride: width.wrapping_mul(matrix.row_stride),
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
    pub set: &'static KernelSet<T>,
    pub lanes: usize,
    pub depth: usize,
    width: usize,
    /// Depth of all chunks but the last.
    chunk: usize,
}

impl<T: GemmFloat> PackedPanels<T> {
    /// Packs all of `operand` in panels of `width`.
    pub fn new(set: &'static KernelSet<T>, operand: Operand<T>, width: usize) -> Self {
        let (lanes, depth) = (operand.lanes(), operand.depth());
        let chunk = set.depth_chunk(depth);
        let padded = lanes.next_multiple_of(width);
        let len = padded.checked_mul(depth).expect("an operand larger than the address space");
        let mut data = Buffer::recycled(len);
        for start in (0..depth).step_by(chunk) {
            let end = depth.min(start + chunk);
            operand.pack(set, [0..lanes, start..end], width, &mut data[start * padded..end * padded]);
        }
        PackedPanels { data, set, lanes, depth, width, chunk }
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
        Self::with_set(a, dispatch::best_kernels())
    }

    /// Packs `a` for an instruction set, which products with it will then run on.
    ///
    /// # Panics
    /// If this machine does not have it.
    #[track_caller]
    pub fn with_isa(a: MatRef<T>, isa: Isa) -> Self {
        Self::with_set(a, dispatch::kernels(isa))
    }

    pub(super) fn with_set(a: MatRef<T>, set: &'static KernelSet<T>) -> Self {
        PackedA(PackedPanels::new(set, Operand::Matrix(a), set.mr))
    }
}

impl<T: GemmFloat> PackedB<T> {
    /// Packs `b`, `[k, n]`, for [`Isa::best`].
    pub fn new(b: MatRef<T>) -> Self {
        Self::with_set(b, dispatch::best_kernels())
    }

    /// Packs `b` for an instruction set, which products with it will then run on.
    ///
    /// # Panics
    /// If this machine does not have it.
    #[track_caller]
    pub fn with_isa(b: MatRef<T>, isa: Isa) -> Self {
        Self::with_set(b, dispatch::kernels(isa))
    }

    pub(super) fn with_set(b: MatRef<T>, set: &'static KernelSet<T>) -> Self {
        PackedB(PackedPanels::new(set, Operand::Matrix(b.t()), set.nr))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transpose_has_zeros_for_rows_that_are_missing() {
        let data: Vec<f32> = (1..=400).map(|i| i as f32).collect();
        for width in 1..=17 {
            for [rows, cols] in
                [0, 1, width / 2, width].into_iter().flat_map(|rows| [0, 1, 7, 8, 21].map(|c| [rows, c]))
            {
                // Rows as they lie, and columns.
                for strides in [[cols, 1], [1, rows]] {
                    let from = MatRef::new(&data, [rows, cols], strides);
                    let mut out = vec![f32::NAN; width * cols];
                    transpose_padded(from, width, &mut out);
                    for (i, &got) in out.iter().enumerate() {
                        let (row, column) = (i % width, i / width);
                        let want = if row < rows { data[row * strides[0] + column * strides[1]] } else { 0.0 };
                        assert_eq!(got, want, "row {row}, column {column} of [{rows}, {cols}], {width} wide");
                    }
                }
            }
        }
    }

    #[test]
    #[should_panic(expected = "columns to rows of 2 elements, 0 in all")]
    fn a_transpose_larger_than_the_address_space_is_refused() {
        transpose_padded(MatRef::new(&[0.0f32], [1, usize::MAX / 2 + 1], [0, 0]), 2, &mut []);
    }
}
