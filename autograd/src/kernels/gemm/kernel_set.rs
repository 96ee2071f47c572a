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
    /// Those for tiles that have few columns.
    pub narrow: Option<Narrow<T>>,
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

/// Micro-kernels with vectors of half the length.
///
/// With AVX-512 a tile of four columns takes as long as one of sixteen, a whole vector of `f32`. Zen 4 starts one
/// multiply-add of 512 bits in a cycle, or two of 256; so the last columns of a panel, if they fit half a vector, are a
/// tile of their own. That takes 0.95 of the time there for 16,384 × 100 and a depth of 27, and 0.80 for 512 × 24 and a
/// depth of 256 (`cargo bench --bench matmul`, in turn with the commit before). A CPU that starts two of either length may
/// take as long as before, or an eighth longer for 24 columns.
pub struct Narrow<T: 'static> {
    /// Elements in a vector.
    pub lanes: usize,
    /// By `[rows - 1][masked]`.
    pub strips: &'static [[StripFn<T>; 2]],
}

impl<T> KernelSet<T> {
    /// The micro-kernel for tiles of so many rows and columns; whether B can be read beyond them up to a whole
    /// vector.
    #[inline]
    pub fn kernel(&self, rows: usize, cols: usize, b_is_padded: bool) -> StripFn<T> {
        let masked = |lanes| (!b_is_padded && cols % lanes != 0) as usize;
        match &self.narrow {
            Some(narrow) if cols <= narrow.lanes => narrow.strips[rows - 1][masked(narrow.lanes)],
            _ => self.strips[rows - 1][(cols - 1) / self.lanes][masked(self.lanes)],
        }
    }

    /// The columns of the next tile, of so many that are left of a panel: all, unless the last few are better off in a
    /// tile of their own.
    #[inline]
    pub fn tile_cols(&self, left: usize) -> usize {
        let last = left % self.lanes;
        let alone = self.narrow.as_ref().is_some_and(|narrow| (1..=narrow.lanes).contains(&last));
        if alone && left > self.lanes { left - last } else { left }
    }
}

/// The [`KernelSet`] of `$token` for elements `$t`: geometry, blocking, and a kernel of every height.
///
/// Each kernel is a function of its own with the instruction set's `#[target_feature]`, into which the
/// `#[inline(always)]` bodies are compiled.
macro_rules! kernel_set {
    ($t:ty, $token:ty, $feature:meta, isa: $isa:expr, rows: [$($row:literal)*], vectors: [$($vector:tt)*],
     $(half: $half:ty,)? mc: $mc:expr, kc: $kc:expr, nc: $nc:expr $(,)?) => {{
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
            narrow: kernel_set::kernel_set!(@narrow $t, $feature, [$($row)*], $($half)?),
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
    (@narrow $t:ty, $feature:meta, [$($row:literal)*],) => { None };
    (@narrow $t:ty, $feature:meta, [$($row:literal)*], $half:ty) => {{
        /// # Safety
        /// As for [`StripFn`].
        #[$feature]
        unsafe fn narrow<const MR: usize, const MASKED: bool>(t: &Strip<$t>) {
            // SAFETY: the caller keeps the contract of `StripFn`; the instructions include those of half the length.
            unsafe { microkernel::strip::<$t, $half, MR, 1, MASKED>(<$half as Simd<$t>>::assume(), t) }
        }
        const { assert!(2 * <$half as Simd<$t>>::LANES == LANES) };
        const STRIPS: &[[StripFn<$t>; 2]] = &[$( [narrow::<$row, false>, narrow::<$row, true>] ),*];
        Some(kernel_set::Narrow { lanes: <$half as Simd<$t>>::LANES, strips: STRIPS })
    }};
}
pub(super) use kernel_set;
