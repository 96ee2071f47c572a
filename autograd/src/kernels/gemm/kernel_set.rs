//! All that the loops know of an instruction set: a table of kernels, the geometry, the blocking.

use super::Isa;
use super::microkernel::StripFn;
use super::vector::{CombineFn, DotsFn};

/// Everything that the loops need to know about one instruction set.
///
/// The loops are written for this table, not for a type: they are compiled once for each element type,
/// and choosing an instruction set at run time is choosing a table.
pub struct KernelSet<T: 'static> {
    /// Which instruction set this is.
    pub isa: Isa,
    /// Elements in a vector.
    pub lanes: usize,
    /// Rows of a full tile, and the width of a packed panel of A.
    pub mr: usize,
    /// Columns of a full tile, and the width of a packed panel of B.
    pub nr: usize,
    /// The blocking: rows of A, depth, and columns of B in a block.
    pub mc: usize,
    pub kc: usize,
    pub nc: usize,
    /// The micro-kernels by `[rows - 1][vectors - 1][masked]`.
    pub strips: &'static [&'static [[StripFn<T>; 2]]],
    /// Several dot products at once: see [`vector`](super::vector).
    pub dots: DotsFn<T>,
    /// Combinations of several rows, and of one: see [`vector`](super::vector).
    pub combine: [CombineFn<T>; 2],
    /// Transposes a block of `side` by `side` elements.
    pub transpose: TransposeFn<T>,
    pub side: usize,
}

/// [`Simd::transpose`](super::simd::Simd::transpose).
///
/// # Safety
/// As there, and the CPU must have the instructions.
pub type TransposeFn<T> = unsafe fn(lines: &[*const T], at: usize, to: *mut T, to_stride: usize);

impl<T> KernelSet<T> {
    /// The micro-kernels for tiles of `cols` columns; whether B can be read beyond them up to a whole vector.
    #[inline]
    pub fn kernels(&self, cols: usize, b_is_padded: bool) -> Kernels<T> {
        let masked = !b_is_padded && cols % self.lanes != 0;
        Kernels { strips: self.strips, vectors: (cols - 1) / self.lanes, masked: masked as usize }
    }
}

/// The micro-kernels of one width.
#[derive(Clone, Copy)]
pub struct Kernels<T: 'static> {
    strips: &'static [&'static [[StripFn<T>; 2]]],
    vectors: usize,
    masked: usize,
}

impl<T> Kernels<T> {
    /// The one for so many rows.
    #[inline]
    pub fn of_rows(&self, rows: usize) -> StripFn<T> {
        self.strips[rows - 1][self.vectors][self.masked]
    }
}

/// The [`KernelSet`] of `$token` for elements `$t`: geometry, blocking, and a kernel of every height.
///
/// Each kernel is a function of its own with the instruction set's `#[target_feature]`, into which the
/// `#[inline(always)]` bodies are compiled.
macro_rules! kernel_set {
    ($t:ty, $token:ty, $feature:meta, isa: $isa:expr, rows: [$($row:literal)*], vectors: [$($vector:tt)*],
     mc: $mc:expr, kc: $kc:expr, nc: $nc:expr $(,)?) => {{
        use $crate::kernels::gemm::kernel_set::{self, KernelSet};
        use $crate::kernels::gemm::loops::LARGEST_TILE;
        use $crate::kernels::gemm::microkernel::{self, Strip, StripFn};
        use $crate::kernels::gemm::vector::{self, COMBINED, Combine, Dots};
        use $crate::kernels::gemm::simd::Simd;

        /// # Safety
        /// As for [`StripFn`].
        #[$feature]
        unsafe fn strip<const MR: usize, const NV: usize, const MASKED: bool>(t: &Strip<$t>) {
            // SAFETY: the caller keeps the contract of `StripFn`, which includes the instructions.
            unsafe { microkernel::strip::<$t, $token, MR, NV, MASKED>(<$token as Simd<$t>>::assume(), t) }
        }
        /// # Safety
        /// As for [`DotsFn`].
        #[$feature]
        unsafe fn dots(d: &Dots<$t>) {
            // SAFETY: the caller keeps the contract of `DotsFn`, which includes the instructions.
            unsafe { vector::dots_kernel::<$t, $token>(<$token as Simd<$t>>::assume(), d) }
        }
        /// # Safety
        /// As for [`CombineFn`].
        #[$feature]
        unsafe fn combine<const R: usize>(job: &Combine<$t>) {
            // SAFETY: the caller keeps the contract of `CombineFn`, which includes the instructions.
            unsafe { vector::combine_kernel::<$t, $token, R>(<$token as Simd<$t>>::assume(), job) }
        }
        /// # Safety
        /// As for [`TransposeFn`].
        #[$feature]
        unsafe fn transpose(lines: &[*const $t], at: usize, to: *mut $t, to_stride: usize) {
            // SAFETY: the caller keeps the contract of `TransposeFn`, which includes the instructions.
            unsafe { <$token as Simd<$t>>::assume().transpose(lines, at, to, to_stride) }
        }
        const LANES: usize = <$token as Simd<$t>>::LANES;
        const STRIPS: &[&[[StripFn<$t>; 2]]] = &kernel_set::kernel_set!(@rows strip [$($row)*] [$($vector)*]);
        const { assert!(STRIPS.len() * STRIPS[0].len() * LANES <= LARGEST_TILE) };
        const { assert!(STRIPS[0].len() * LANES <= $crate::kernels::gemm::WIDEST_PANEL) };
        KernelSet {
            isa: $isa,
            lanes: LANES,
            mr: STRIPS.len(),
            nr: STRIPS[0].len() * LANES,
            mc: $mc,
            kc: $kc,
            nc: $nc,
            strips: STRIPS,
            dots,
            combine: [combine::<COMBINED>, combine::<1>],
            transpose,
            side: <$token as Simd<$t>>::SIDE,
        }
    }};
    (@rows $strip:ident [$($row:literal)*] $vectors:tt) => {
        [$( &kernel_set::kernel_set!(@vectors $strip $row $vectors) ),*]
    };
    (@vectors $strip:ident $row:literal [$($vector:literal)*]) => {
        [$( [$strip::<$row, $vector, false>, $strip::<$row, $vector, true>] ),*]
    };
}
pub(super) use kernel_set;
