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
//! last may be masked, or a vector of half the length. So no tile is ever computed in full and then cut.

use super::GemmFloat;
use super::simd::Simd;
use crate::kernels::simd::{prefetch, prefetch_to_write};

/// LOOP 1 as one call: tiles of C one below the other, which read the same panel of B.
///
/// Strides are in elements. A and B may be packed panels or the caller's matrices in place: that is only a
/// matter of strides.
#[derive(Clone, Copy)]
pub struct Strip<T> {
    /// How many tiles.
    pub tiles: usize,
    /// Length of the dot products: this block's part of k.
    pub depth: usize,
    /// A\[i, p\] of tile t is at `a + t * a_panel + i * a_row + p * a_depth`.
    pub a: *const T,
    pub a_panel: usize,
    pub a_row: usize,
    pub a_depth: usize,
    /// Whether to fetch the rows of A that the next tile reads while one is computed. Then `a_depth` is 1.
    pub fetch_a: bool,
    /// B\[p, j\] is at `b + p * b_depth + j`.
    pub b: *const T,
    pub b_depth: usize,
    /// C\[i, j\] of tile t is at `c + (t * MR + i) * c_row + j`.
    pub c: *mut T,
    pub c_row: usize,
    /// Columns of the tiles. The last vector is partial where this is no multiple of its lanes.
    pub cols: usize,
    pub finish: Finish<T>,
}

/// C = relu(alpha·AB + beta·C + biases), of which each part may be absent.
#[derive(Clone, Copy)]
pub struct Finish<T> {
    pub alpha: T,
    /// Where this is 0, C is not read.
    pub beta: T,
    /// Null, or the bias of the first row; one element a row follows.
    pub row_bias: *const T,
    /// Null, or the bias of the first column; one element a column follows.
    pub col_bias: *const T,
    pub relu: bool,
    /// Whether all of it is absent: C = AB.
    pub plain: bool,
}

/// A micro-kernel for one instruction set and one shape of tile.
///
/// # Safety
/// The CPU must have the instructions; what [`Strip`] names must be readable, C writable and nobody else's. `cols` is
/// above `(NV - 1) * LANES`, at most `NV * LANES`; rows of B are readable up to the latter, unless it is masked.
pub type StripFn<T> = unsafe fn(&Strip<T>);

/// Most separate sums over k.
const MAX_SPLIT: usize = 4;

/// Rows that are reached from one pointer, and pointers for the tallest tile.
const GROUP: usize = 3;
const MAX_GROUPS: usize = 4;

/// Separate sums over k that a kernel keeps whose tile has so many vectors: as many as `registers` hold, so
/// that even the smallest tile has about eight independent multiply-adds to hide their latency (4 cycles, two a
/// cycle).
const fn split_of(vectors: usize, registers: usize) -> usize {
    if 4 * vectors <= registers {
        MAX_SPLIT
    } else if 2 * vectors <= registers {
        2
    } else {
        1
    }
}

/// The body of every micro-kernel. `MASKED`: the last vector of B is read through a mask.
///
/// # Safety
/// As for [`StripFn`].
#[inline(always)]
pub(super) unsafe fn strip<T, S, const MR: usize, const NV: usize, const MASKED: bool>(s: S, t: &Strip<T>)
where
    T: GemmFloat,
    S: Simd<T>,
{
    let last_mask = s.mask(t.cols - (NV - 1) * S::LANES);
    let (mut a, mut c, mut row_bias) = (t.a, t.c, t.finish.row_bias);
    fetch_tile::<T, S, MR, NV>(t, c);
    for tile in 1..=t.tiles {
        let below = row(c, MR, t.c_row);
        if tile < t.tiles {
            fetch_tile::<T, S, MR, NV>(t, below);
        }
        // SAFETY: the same contract.
        unsafe {
            let sums = multiply::<T, S, MR, NV, MASKED>(s, t, a, last_mask);
            // Opaque, lest the compiler prepare all that `finish` may need before the first tile.
            let t = &*opaque(t);
            if !MASKED && t.cols == NV * S::LANES {
                finish::<T, S, MR, NV, true>(s, t, sums, (c, row_bias), last_mask);
            } else {
                finish::<T, S, MR, NV, false>(s, t, sums, (c, row_bias), last_mask);
            }
        }
        a = a.wrapping_add(t.a_panel);
        c = below;
        if !row_bias.is_null() {
            row_bias = row_bias.wrapping_add(MR);
        }
    }
}

/// Elements of a cache line.
const fn line<T>() -> usize {
    64 / size_of::<T>()
}

/// Has the machine fetch the lines of C that a tile at `c` will write: a line is read before it is written, and of a
/// large C it comes from memory. All but the first tile's are fetched while the tile above is computed.
#[inline(always)]
fn fetch_tile<T: GemmFloat, S: Simd<T>, const MR: usize, const NV: usize>(t: &Strip<T>, c: *mut T) {
    for i in 0..MR {
        // From the far end: where C is not aligned, the tile to the left has touched the line that a row begins in.
        let end = row(c, i, t.c_row).wrapping_add(t.cols - 1);
        for l in 0..(NV * S::LANES).div_ceil(line::<T>()) {
            prefetch_to_write(end.wrapping_sub(l * line::<T>()));
        }
    }
}

/// Fetches the rows of A that the tile below will read: by the time a cache line of each row of this tile has been
/// read, one of each row below has been fetched. (Packed panels lie one behind the other, so the machine does this by
/// itself.)
struct Below<T> {
    at: *const T,
    a_row: usize,
}

impl<T> Below<T> {
    /// A line of each of the next few rows. Called every `MAX_SPLIT` depths, of which `done` are done: `blocks` calls
    /// make a line of every row, and with six rows of two more, which the tile after the next will read.
    #[inline(always)]
    fn fetch<const MR: usize>(&mut self, done: usize) {
        let blocks = line::<T>() / MAX_SPLIT;
        let rows = MR.div_ceil(blocks);
        for i in 0..rows {
            prefetch(self.at.wrapping_add(i.wrapping_mul(self.a_row)));
        }
        self.at = self.at.wrapping_add(rows.wrapping_mul(self.a_row));
        if done / MAX_SPLIT % blocks == blocks - 1 {
            self.at = self.at.wrapping_add(line::<T>()).wrapping_sub((blocks * rows).wrapping_mul(self.a_row));
        }
    }
}

/// One tile of A·B, from the panel of A at `a`.
///
/// # Safety
/// As for [`StripFn`].
#[inline(always)]
unsafe fn multiply<T, S, const MR: usize, const NV: usize, const MASKED: bool>(
    s: S,
    t: &Strip<T>,
    a: *const T,
    last_mask: S::Mask,
) -> [[S::V; NV]; MR]
where
    T: GemmFloat,
    S: Simd<T>,
{
    let split = const { split_of(MR * NV, S::SUMS) };
    // acc[u][i][v] sums the terms whose p is u modulo `split`.
    let mut acc = [[[s.splat(T::ZERO); NV]; MR]; MAX_SPLIT];
    // Rows of A are reached from one pointer for every three rows, plus 0, 1 or 2 row strides.
    let mut rows = [a; MAX_GROUPS];
    for g in 1..MR.div_ceil(GROUP) {
        rows[g] = a.wrapping_add((g * GROUP).wrapping_mul(t.a_row));
    }
    let mut b = t.b;
    let mut below = Below { at: a.wrapping_add(t.a_panel), a_row: t.a_row };
    let mut left = t.depth;
    while left >= MAX_SPLIT {
        if t.fetch_a {
            below.fetch::<MR>(t.depth - left);
        }
        for u in 0..MAX_SPLIT {
            // SAFETY: row p of B and column p of A are readable, by the contract of `StripFn`.
            unsafe { step::<T, S, MR, NV, MASKED>(s, &mut acc[u % split], (&rows, t.a_row), b, last_mask) };
            for g in 0..MR.div_ceil(GROUP) {
                rows[g] = opaque(rows[g].wrapping_add(t.a_depth));
            }
            b = b.wrapping_add(t.b_depth);
        }
        left -= MAX_SPLIT;
    }
    for _ in 0..left {
        // SAFETY: as above.
        unsafe { step::<T, S, MR, NV, MASKED>(s, &mut acc[0], (&rows, t.a_row), b, last_mask) };
        for g in 0..MR.div_ceil(GROUP) {
            rows[g] = opaque(rows[g].wrapping_add(t.a_depth));
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
    sums
}

/// One p: `sums` += a column of A times a row of B, which are at `rows` and `b`.
///
/// # Safety
/// As for [`StripFn`].
#[inline(always)]
unsafe fn step<T, S, const MR: usize, const NV: usize, const MASKED: bool>(
    s: S,
    sums: &mut [[S::V; NV]; MR],
    (rows, a_row): (&[*const T; MAX_GROUPS], usize),
    b: *const T,
    last_mask: S::Mask,
) where
    T: GemmFloat,
    S: Simd<T>,
{
    // SAFETY: the caller's; the last vector is read through the mask where it may be partial.
    let row = unsafe { load_row::<T, S, NV>(s, b, last_mask, !MASKED) };
    // ANCHOR: step
    for i in 0..MR {
        // SAFETY: A[i, p] is readable.
        let a_ip = s.splat(unsafe { *rows[i / GROUP].wrapping_add((i % GROUP).wrapping_mul(a_row)) });
        for v in 0..NV {
            sums[i][v] = s.mul_add(a_ip, row[v], sums[i][v]);
        }
    }
    // ANCHOR_END: step
}

/// The beginning of a row. Wrapping, because checks for overflow, which a development build has, would make bodies too
/// long for the compiler to unroll: tiles would lie on the stack, and the products take two and a half times as long.
#[inline(always)]
fn row<T>(start: *mut T, i: usize, stride: usize) -> *mut T {
    start.wrapping_add(i.wrapping_mul(stride))
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

/// From the sums to the tile of C at `c`: each step is one branch for the whole tile, which stays in registers.
/// `WHOLE`: the last vector of each row is not partial.
///
/// # Safety
/// As for [`StripFn`].
#[inline(always)]
unsafe fn finish<T, S, const MR: usize, const NV: usize, const WHOLE: bool>(
    s: S,
    t: &Strip<T>,
    mut tile: [[S::V; NV]; MR],
    (c, row_bias): (*mut T, *const T),
    last_mask: S::Mask,
) where
    T: GemmFloat,
    S: Simd<T>,
{
    let Finish { alpha, beta, col_bias, relu, plain, .. } = t.finish;
    if !plain {
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
                let old: [S::V; NV] = unsafe { load_row(s, row(c, i, t.c_row), last_mask, WHOLE) };
                for v in 0..NV {
                    tile[i][v] = s.mul_add(beta, old[v], tile[i][v]);
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
    }
    for i in 0..MR {
        for v in 0..NV {
            let to = row(c, i, t.c_row).wrapping_add(v * S::LANES);
            // SAFETY: `cols` elements are writable in each row of C, and only those are written.
            unsafe {
                if v == NV - 1 && !WHOLE { s.store_first(to, tile[i][v], last_mask) } else { s.store(to, tile[i][v]) }
            };
        }
    }
}
