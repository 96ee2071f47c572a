//! The micro-kernel: a tile of C, a few rows by a few vectors, that stays in registers for all of k.
//!
//! ```text
//!                 b: one row of NV vectors for each p
//!                 ┌────────┬────────┐
//!                 │ b[p,0] │ b[p,1] │
//!                 └────────┴────────┘
//!   a[0,p] ──►    │ acc 00 │ acc 01 │     acc[i][v] += a[i,p] · b[p,v]
//!   a[1,p] ──►    │ acc 10 │ acc 11 │
//!     ⋮           │   ⋮    │   ⋮    │     MR·NV multiply-adds for MR + NV loads
//!   a[MR-1,p] ──► │        │        │
//!                 └────────┴────────┘
//! ```
//!
//! For each p the kernel loads NV vectors of B, broadcasts MR elements of A, and does MR·NV fused
//! multiply-adds. It is written once, for any instruction set, any MR and any NV. Tiles at the lower
//! edge of C use the same body with fewer rows; tiles at the right edge use fewer vectors, of which the
//! last may be masked. So no tile is ever computed in full and then cut.

use super::GemmFloat;
use super::simd::Simd;

/// One call of the micro-kernel: where its operands are and what to do with the result.
///
/// Strides are in elements. A and B may be packed panels or the caller's matrices in place: that is
/// only a matter of strides.
#[derive(Clone, Copy)]
pub struct Tile<T> {
    /// Length of the dot products: this block's part of k.
    pub depth: usize,
    /// A\[i, p\] is at `a + i * a_row + p * a_depth`.
    pub a: *const T,
    pub a_row: usize,
    pub a_depth: usize,
    /// B\[p, j\] is at `b + p * b_depth + j`.
    pub b: *const T,
    pub b_depth: usize,
    /// C\[i, j\] is at `c + i * c_row + j`.
    pub c: *mut T,
    pub c_row: usize,
    /// Columns of this tile. The last vector is partial where this is no multiple of its lanes.
    pub cols: usize,
    pub finish: Finish<T>,
}

/// C = relu(alpha·AB + beta·C + biases), of which each part may be absent.
#[derive(Clone, Copy)]
pub struct Finish<T> {
    pub alpha: T,
    /// Where this is 0, C is not read.
    pub beta: T,
    /// Null, or the bias of the tile's first row; one element a row follows.
    pub row_bias: *const T,
    /// Null, or the bias of the tile's first column; one element a column follows.
    pub col_bias: *const T,
    pub relu: bool,
}

/// A micro-kernel for one instruction set and one shape of tile.
///
/// # Safety
/// The CPU must have the instructions; all that [`Tile`] names must be readable, and C writable and
/// nobody else's. `cols` must be above `(NV - 1) * LANES` and at most `NV * LANES`. Unless the kernel is
/// a masked one, rows of B must be readable up to `NV * LANES` columns.
pub type TileFn<T> = unsafe fn(&Tile<T>);

/// Most separate sums over k.
const MAX_SPLIT: usize = 4;

/// Rows that are reached from one pointer, and pointers for the tallest tile.
const GROUP: usize = 3;
const MAX_GROUPS: usize = 4;

/// Separate sums over k that a kernel of `rows` by `vectors` keeps, so that even the smallest has about
/// eight independent multiply-adds to hide their latency (4 cycles, two a cycle).
const fn split_of(rows: usize, vectors: usize) -> usize {
    match rows * vectors {
        0..=2 => 4,
        3..=5 => 2,
        _ => 1,
    }
}

/// The body of every micro-kernel. `MASKED`: the last vector of B is read through a mask.
///
/// # Safety
/// As for [`TileFn`].
#[inline(always)]
pub(super) unsafe fn tile<T, S, const MR: usize, const NV: usize, const MASKED: bool>(s: S, t: &Tile<T>)
where
    T: GemmFloat,
    S: Simd<T>,
{
    let split = const { split_of(MR, NV) };
    let last_mask = s.mask(t.cols - (NV - 1) * S::LANES);
    for i in 0..MR {
        s.prefetch(t.c.wrapping_add(i * t.c_row));
    }

    // acc[u][i][v] sums the terms whose p is u modulo `split`.
    let mut acc = [[[s.splat(T::ZERO); NV]; MR]; MAX_SPLIT];
    // Rows of A are reached from one pointer for every three rows, plus 0, 1 or 2 row strides.
    let mut a = [t.a; MAX_GROUPS];
    for g in 1..MR.div_ceil(GROUP) {
        a[g] = t.a.wrapping_add(g * GROUP * t.a_row);
    }
    let mut b = t.b;
    let mut left = t.depth;
    while left >= MAX_SPLIT {
        for u in 0..MAX_SPLIT {
            // SAFETY: row p of B and column p of A are readable, by the contract of `TileFn`.
            unsafe { step::<T, S, MR, NV, MASKED>(s, &mut acc[u % split], (&a, t.a_row), b, last_mask) };
            for g in 0..MR.div_ceil(GROUP) {
                a[g] = opaque(a[g].wrapping_add(t.a_depth));
            }
            b = b.wrapping_add(t.b_depth);
        }
        left -= MAX_SPLIT;
    }
    for _ in 0..left {
        // SAFETY: as above.
        unsafe { step::<T, S, MR, NV, MASKED>(s, &mut acc[0], (&a, t.a_row), b, last_mask) };
        for g in 0..MR.div_ceil(GROUP) {
            a[g] = opaque(a[g].wrapping_add(t.a_depth));
        }
        b = b.wrapping_add(t.b_depth);
    }
    let [mut sums, others @ ..] = acc;
    for u in 0..split - 1 {
        for i in 0..MR {
            for v in 0..NV {
                sums[i][v] = s.add(sums[i][v], others[u][i][v]);
            }
        }
    }
    // SAFETY: the same contract.
    unsafe {
        if t.cols == NV * S::LANES {
            finish::<T, S, MR, NV, true>(s, t, sums, last_mask);
        } else {
            finish::<T, S, MR, NV, false>(s, t, sums, last_mask);
        }
    }
}

/// One p: `sums` += a column of A times a row of B, which are at `a` and `b`.
///
/// # Safety
/// As for [`TileFn`].
#[inline(always)]
unsafe fn step<T, S, const MR: usize, const NV: usize, const MASKED: bool>(
    s: S,
    sums: &mut [[S::V; NV]; MR],
    (a, a_row): (&[*const T; MAX_GROUPS], usize),
    b: *const T,
    last_mask: S::Mask,
) where
    T: GemmFloat,
    S: Simd<T>,
{
    // SAFETY: the caller's; the last vector is read through the mask where it may be partial.
    let row = unsafe { load_row::<T, S, NV>(s, b, last_mask, !MASKED) };
    for i in 0..MR {
        // SAFETY: A[i, p] is readable.
        let a_ip = s.splat(unsafe { *a[i / GROUP].wrapping_add(i % GROUP * a_row) });
        for v in 0..NV {
            sums[i][v] = s.mul_add(a_ip, row[v], sums[i][v]);
        }
    }
}

/// The same pointer, of which the compiler no longer knows where it came from.
///
/// Otherwise it sees that each row's address is the last one's plus a stride, and makes all of them one
/// chain of additions, which takes as long as the multiply-adds beside it.
#[inline(always)]
fn opaque<T>(pointer: *const T) -> *const T {
    #[cfg(all(any(target_arch = "x86_64", target_arch = "aarch64"), not(miri)))]
    {
        let mut pointer = pointer;
        // SAFETY: no instruction at all.
        unsafe {
            std::arch::asm!("/* {0} */", inout(reg) pointer, options(pure, nomem, nostack, preserves_flags));
        }
        pointer
    }
    #[cfg(not(all(any(target_arch = "x86_64", target_arch = "aarch64"), not(miri))))]
    pointer
}

/// A row of vectors, of which the last is read through the mask unless it is `whole`.
///
/// # Safety
/// The vectors must be readable, the last as far as it is read.
#[inline(always)]
unsafe fn load_row<T, S, const NV: usize>(s: S, from: *const T, last_mask: S::Mask, whole: bool) -> [S::V; NV]
where
    T: GemmFloat,
    S: Simd<T>,
{
    let mut row = [s.splat(T::ZERO); NV];
    for (v, x) in row.iter_mut().enumerate() {
        let from = from.wrapping_add(v * S::LANES);
        // SAFETY: the caller's.
        *x = unsafe { if v == NV - 1 && !whole { s.load_first(from, last_mask) } else { s.load(from) } };
    }
    row
}

/// From the sums to C: each step is one branch for the whole tile, which stays in registers. `WHOLE`: the
/// last vector of each row of C is not partial.
///
/// # Safety
/// As for [`TileFn`].
#[inline(always)]
unsafe fn finish<T, S, const MR: usize, const NV: usize, const WHOLE: bool>(
    s: S,
    t: &Tile<T>,
    mut tile: [[S::V; NV]; MR],
    last_mask: S::Mask,
) where
    T: GemmFloat,
    S: Simd<T>,
{
    let Finish { alpha, beta, row_bias, col_bias, relu } = t.finish;
    if alpha != T::ONE {
        let alpha = s.splat(alpha);
        for i in 0..MR {
            for v in 0..NV {
                tile[i][v] = s.mul(alpha, tile[i][v]);
            }
        }
    }
    if beta != T::ZERO {
        let beta = s.splat(beta);
        for i in 0..MR {
            // SAFETY: `cols` elements of this row of C, and only those are read.
            let c: [S::V; NV] = unsafe { load_row(s, t.c.wrapping_add(i * t.c_row), last_mask, WHOLE) };
            for v in 0..NV {
                tile[i][v] = s.mul_add(beta, c[v], tile[i][v]);
            }
        }
    }
    if !row_bias.is_null() {
        for i in 0..MR {
            // SAFETY: one element a row.
            let bias = s.splat(unsafe { *row_bias.add(i) });
            for v in 0..NV {
                tile[i][v] = s.add(tile[i][v], bias);
            }
        }
    }
    if !col_bias.is_null() {
        // SAFETY: one element a column, and only those are read.
        let bias: [S::V; NV] = unsafe { load_row(s, col_bias, last_mask, WHOLE) };
        for i in 0..MR {
            for v in 0..NV {
                tile[i][v] = s.add(tile[i][v], bias[v]);
            }
        }
    }
    if relu {
        for i in 0..MR {
            for v in 0..NV {
                tile[i][v] = s.relu(tile[i][v]);
            }
        }
    }
    for i in 0..MR {
        for v in 0..NV {
            let to = t.c.wrapping_add(i * t.c_row + v * S::LANES);
            // SAFETY: `cols` elements are writable in each row of C, and only those are written.
            unsafe { if v == NV - 1 && !WHOLE { s.store_first(to, tile[i][v], last_mask) } else { s.store(to, tile[i][v]) } };
        }
    }
}

/// `cols` dot products of one contiguous vector with contiguous columns, for vector times matrix.
#[derive(Clone, Copy)]
pub struct Dots<T> {
    pub depth: usize,
    pub a: *const T,
    /// B\[p, j\] is at `b + j * b_col + p`.
    pub b: *const T,
    pub b_col: usize,
    /// Where the [`DOTS`] results go.
    pub out: *mut T,
}

/// Columns that one call of a [`DotsFn`] covers.
pub(super) const DOTS: usize = 4;

/// [`DOTS`] dot products.
///
/// # Safety
/// The CPU must have the instructions, and all that [`Dots`] names must be readable, `out` writable.
pub type DotsFn<T> = unsafe fn(&Dots<T>);

/// The body of every [`DotsFn`].
///
/// # Safety
/// As for [`DotsFn`].
#[inline(always)]
pub(super) unsafe fn dots<T: GemmFloat, S: Simd<T>>(s: S, d: &Dots<T>) {
    /// Separate sums for each column: with `DOTS`, eight chains of multiply-adds.
    const SPLIT: usize = 2;
    let mut acc = [[s.splat(T::ZERO); DOTS]; SPLIT];
    let mut p = 0;
    while p + SPLIT * S::LANES <= d.depth {
        for sums in &mut acc {
            // SAFETY: these lanes are below `depth`.
            let a = unsafe { s.load(d.a.wrapping_add(p)) };
            for (j, sum) in sums.iter_mut().enumerate() {
                // SAFETY: as above.
                *sum = s.mul_add(a, unsafe { s.load(d.b.wrapping_add(j * d.b_col + p)) }, *sum);
            }
            p += S::LANES;
        }
    }
    while p < d.depth {
        let mask = s.mask(S::LANES.min(d.depth - p));
        // SAFETY: the lanes of the mask are below `depth`.
        let a = unsafe { s.load_first(d.a.wrapping_add(p), mask) };
        for (j, sum) in acc[0].iter_mut().enumerate() {
            // SAFETY: as above.
            *sum = s.mul_add(a, unsafe { s.load_first(d.b.wrapping_add(j * d.b_col + p), mask) }, *sum);
        }
        p += S::LANES;
    }
    for j in 0..DOTS {
        // SAFETY: `out` has room for `DOTS` elements.
        unsafe { *d.out.add(j) = s.sum(s.add(acc[0][j], acc[1][j])) };
    }
}

/// Everything that the loops need to know about one instruction set.
///
/// The loops are written for this table, not for a type: they are compiled once for each element type,
/// and choosing an instruction set at run time is choosing a table.
pub struct KernelSet<T: 'static> {
    /// Which instruction set this is.
    pub isa: super::Isa,
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
    pub tiles: &'static [&'static [[TileFn<T>; 2]]],
    /// One row by [`KernelSet::wide`] vectors, for vector times matrix, whole and masked.
    pub wide: [TileFn<T>; 2],
    /// [`DOTS`] dot products.
    pub dots: DotsFn<T>,
    /// Transposes a block of `lanes` by `lanes` elements: see [`Simd::transpose`].
    pub transpose: unsafe fn(*const T, usize, *mut T, usize),
}

/// Vectors of [`KernelSet::wide`].
pub(super) const WIDE: usize = 8;

impl<T> KernelSet<T> {
    /// The micro-kernel for a tile of C, and whether B can be read beyond `cols` up to a whole vector.
    #[inline]
    pub fn tile(&self, rows: usize, cols: usize, b_is_padded: bool) -> TileFn<T> {
        let masked = !b_is_padded && cols % self.lanes != 0;
        self.tiles[rows - 1][(cols - 1) / self.lanes][masked as usize]
    }
}

/// The [`KernelSet`] of `$token` for elements `$t`: geometry, blocking, and a kernel of every height.
///
/// Each kernel is a function of its own with the instruction set's `#[target_feature]`, into which the
/// `#[inline(always)]` bodies above are compiled.
macro_rules! kernel_set {
    ($t:ty, $token:ty, $feature:meta, isa: $isa:expr, rows: [$($row:literal)*], vectors: [$($vector:tt)*],
     mc: $mc:expr, kc: $kc:expr, nc: $nc:expr $(,)?) => {{
        use $crate::kernels::gemm::microkernel::{self, Dots, KernelSet, Tile, WIDE};
        use $crate::kernels::gemm::simd::Simd;

        #[$feature]
        unsafe fn tile<const MR: usize, const NV: usize, const MASKED: bool>(t: &Tile<$t>) {
            // SAFETY: the caller keeps the contract of `TileFn`, which includes the instructions.
            unsafe { microkernel::tile::<$t, $token, MR, NV, MASKED>(<$token as Simd<$t>>::assume(), t) }
        }
        #[$feature]
        unsafe fn dots(d: &Dots<$t>) {
            // SAFETY: the caller keeps the contract of `DotsFn`, which includes the instructions.
            unsafe { microkernel::dots::<$t, $token>(<$token as Simd<$t>>::assume(), d) }
        }
        #[$feature]
        unsafe fn transpose(from: *const $t, from_stride: usize, to: *mut $t, to_stride: usize) {
            // SAFETY: the caller vouches for the blocks and for the instructions.
            unsafe { <$token as Simd<$t>>::assume().transpose(from, from_stride, to, to_stride) }
        }
        const LANES: usize = <$token as Simd<$t>>::LANES;
        const TILES: &[&[[microkernel::TileFn<$t>; 2]]] = &microkernel::kernel_set!(@rows tile [$($row)*] [$($vector)*]);
        KernelSet {
            isa: $isa,
            lanes: LANES,
            mr: TILES.len(),
            nr: TILES[0].len() * LANES,
            mc: $mc,
            kc: $kc,
            nc: $nc,
            tiles: TILES,
            wide: [tile::<1, WIDE, false>, tile::<1, WIDE, true>],
            dots,
            transpose,
        }
    }};
    (@rows $tile:ident [$($row:literal)*] $vectors:tt) => {
        [$( &microkernel::kernel_set!(@vectors $tile $row $vectors) ),*]
    };
    (@vectors $tile:ident $row:literal [$($vector:literal)*]) => {
        [$( [$tile::<$row, $vector, false>, $tile::<$row, $vector, true>] ),*]
    };
}
pub(super) use kernel_set;
