//! The five loops around the micro-kernel, from the outside in. The README draws them.

use super::epilogue::{Activation, Epilogue};
use super::kernel_set::KernelSet;
use super::matrix::RawMut;
use super::microkernel::{Finish, Strip, StripFn};
use super::pack::{Operand, Panels};
use super::plan::{Plan, Problem, Way, collide};
use super::{GemmFloat, MatRef};
use crate::memory::Buffer;
use std::mem::MaybeUninit;
use std::ops::Range;
use std::ptr::null;

/// A block of C: rows and columns.
#[derive(Clone)]
pub(super) struct Area {
    pub rows: Range<usize>,
    pub cols: Range<usize>,
}

/// LOOP 5 and LOOP 4 for one area of C, on this thread, with blocks of B of its own.
pub(super) fn area<T: GemmFloat>(problem: &Problem<T>, plan: &Plan, Area { rows, cols }: Area) {
    let [_, _, k] = problem.shape();
    let mut buffer = None;
    // LOOP 5: blocks of columns of C and B.
    for j in cols.clone().step_by(plan.nc) {
        let cols = j..cols.end.min(j + plan.nc);
        // LOOP 4: blocks of the depth of A and B.
        for p in (0..k).step_by(plan.kc) {
            let depth = p..k.min(p + plan.kc);
            let b = block_of_b(problem, plan, [cols.clone(), depth.clone()], &mut buffer);
            rows_times_block(problem, plan, Area { rows: rows.clone(), cols: cols.clone() }, depth, b);
        }
    }
}

/// The panels of a block of B: where they are, or packed into `buffer`.
fn block_of_b<T: GemmFloat>(
    problem: &Problem<T>,
    plan: &Plan,
    [cols, depth]: [Range<usize>; 2],
    buffer: &mut Option<Buffer<T>>,
) -> Panels<T> {
    let set = problem.set;
    match problem.b {
        Operand::Packed(packed) => packed.panels(cols.start, depth),
        Operand::Matrix(b) if plan.b == Way::InPlace => {
            Panels::in_place(b.row_range(cols.start, cols.len()).columns(depth.start, depth.len()), set.nr)
        }
        operand => {
            let buffer = buffer.get_or_insert_with(|| Buffer::recycled(plan.kc * cols.len().next_multiple_of(set.nr)));
            operand.pack(set, [cols, depth.clone()], set.nr, buffer);
            Panels::packed(buffer.as_ptr(), set.nr, depth.len())
        }
    }
}

/// LOOP 3 for one block of B: `b` are its panels, from the first of `area.cols` on.
pub(super) fn rows_times_block<T: GemmFloat>(
    problem: &Problem<T>,
    plan: &Plan,
    Area { rows, cols }: Area,
    depth: Range<usize>,
    b: Panels<T>,
) {
    let (set, epilogue) = (problem.set, &problem.epilogue);
    let first = depth.start == 0;
    let last = depth.end == problem.a.depth();
    let mut buffer = None;
    // LOOP 3: blocks of rows of C and A.
    for i in rows.clone().step_by(plan.mc) {
        let rows = i..rows.end.min(i + plan.mc);
        let a = match problem.a {
            Operand::Packed(packed) => packed.panels(rows.start, depth.clone()),
            Operand::Matrix(a) if plan.a == Way::InPlace => {
                Panels::in_place(a.row_range(rows.start, rows.len()).columns(depth.start, depth.len()), set.mr)
            }
            operand => {
                let buffer =
                    buffer.get_or_insert_with(|| Buffer::recycled(depth.len() * rows.len().next_multiple_of(set.mr)));
                operand.pack(set, [rows.clone(), depth.clone()], set.mr, buffer);
                Panels::packed(buffer.as_ptr(), set.mr, depth.len())
            }
        };
        let c = problem.c.block([rows.start, cols.start], [rows.len(), cols.len()]);
        let finish = epilogue.finish([rows.start, cols.start], first, last);
        // SAFETY: the panels and biases are those of this block, and no other task has this area of C.
        unsafe { Block { set, depth: depth.len(), a, b, c, finish }.run() };
        if last {
            map_if_any(c, epilogue);
        }
    }
}

/// A block of C, its panels of A and B, and what to do with the result.
pub(super) struct Block<T: GemmFloat> {
    pub set: &'static KernelSet<T>,
    pub depth: usize,
    pub a: Panels<T>,
    pub b: Panels<T>,
    pub c: RawMut<T>,
    pub finish: Finish<T>,
}

impl<T: GemmFloat> Block<T> {
    /// LOOP 2 and LOOP 1: all tiles of the block.
    ///
    /// # Safety
    /// The panels must hold `depth` by as many lanes as C has rows and columns, and the biases of `finish`
    /// as many elements; the block of C must be the caller's alone.
    pub unsafe fn run(&self) {
        let Block { set, depth, a, b, c, finish } = *self;
        let (full, rest) = (c.rows / set.mr, c.rows % set.mr);
        // Whether to fetch A ahead: rows where they are, if the next tile's have room in L1 beside those of this one.
        let fetch_a = full > 1 && a.depth_stride == 1 && !collide::<T>(a.lane_stride);
        // LOOP 2: panels of B. One stays in the L1 cache, or what of it has no room there in L2, while all panels of A
        // pass over it.
        let mut j = 0;
        while j < c.cols {
            // `within`: columns of the panel that the tile before has done.
            let (panel, within) = (j / set.nr, j % set.nr);
            let cols = set.tile_cols((set.nr - within).min(c.cols - j));
            let mut strip = Strip {
                tiles: full,
                depth,
                a: a.start,
                a_panel: a.panel_stride,
                a_row: a.lane_stride,
                a_depth: a.depth_stride,
                // The first panel of B may be the first to meet this block of A; the others find it in a cache.
                fetch_a: fetch_a && j == 0,
                b: b.start.wrapping_add(panel * b.panel_stride + within),
                b_depth: b.depth_stride,
                c: c.at(0, j),
                c_row: c.row_stride,
                cols,
                finish: Finish { col_bias: offset(finish.col_bias, j), ..finish },
            };
            // LOOP 1: panels of A. It is the kernel's own.
            if full > 0 {
                // SAFETY: the set exists only where its instructions do, and the caller vouches for the
                // operands. Panels of B are padded to whole vectors unless the kernel is a masked one.
                unsafe { self.tiles(set.kernel(set.mr, cols, b.padded), &strip, set.mr) };
            }
            if rest > 0 {
                (strip.tiles, strip.fetch_a) = (1, false);
                strip.a = strip.a.wrapping_add(full * a.panel_stride);
                strip.c = c.at(full * set.mr, j);
                strip.finish.row_bias = offset(finish.row_bias, full * set.mr);
                // SAFETY: as above.
                unsafe { self.tiles(set.kernel(rest, cols, b.padded), &strip, rest) };
            }
            j += cols;
        }
    }

    /// Some tiles, of so many rows each.
    ///
    /// # Safety
    /// As for [`StripFn`], except that rows of C need not be contiguous.
    #[inline]
    unsafe fn tiles(&self, kernel: StripFn<T>, strip: &Strip<T>, rows: usize) {
        // SAFETY: the caller's.
        unsafe {
            if self.c.has_contiguous_rows() {
                kernel(strip);
            } else {
                by_scratch(kernel, strip, rows, self.c.col_stride);
            }
        }
    }
}

/// The bias `by` places on, if there is one.
#[inline]
fn offset<T>(bias: *const T, by: usize) -> *const T {
    if bias.is_null() { bias } else { bias.wrapping_add(by) }
}

/// Elements of the largest tile of all instruction sets.
pub(super) const LARGEST_TILE: usize = 8 * 48;

/// A strip of a C whose rows are not contiguous: each tile is computed into an array, then written one by one.
///
/// # Safety
/// As for [`StripFn`], but neighbours in a row of C are `c_col` apart.
unsafe fn by_scratch<T: GemmFloat>(kernel: StripFn<T>, strip: &Strip<T>, rows: usize, c_col: usize) {
    let mut scratch = MaybeUninit::<[T; LARGEST_TILE]>::uninit();
    let scratch = scratch.as_mut_ptr().cast::<T>();
    let Strip { cols, c_row, finish, .. } = *strip;
    // All that is left for later is beta·C, and what follows it.
    let overwrites = finish.beta == T::ZERO;
    let product_only = Finish { beta: T::ZERO, row_bias: null(), col_bias: null(), relu: false, ..finish };
    for t in 0..strip.tiles {
        let finish = Finish { row_bias: offset(finish.row_bias, t * rows), ..finish };
        let tile = Strip {
            tiles: 1,
            fetch_a: false,
            a: strip.a.wrapping_add(t * strip.a_panel),
            c: scratch,
            c_row: cols,
            finish: if overwrites { finish } else { product_only },
            ..*strip
        };
        // SAFETY: the caller's; `scratch` has room for any tile, and is read only where the kernel wrote; the
        // elements of C are the caller's alone.
        unsafe {
            kernel(&tile);
            for j in 0..cols {
                for i in 0..rows {
                    let x = *scratch.add(i * cols + j);
                    let to = strip.c.wrapping_add((t * rows + i) * c_row + j * c_col);
                    if overwrites {
                        *to = x;
                    } else {
                        finish_one(&finish, x, [i, j], to);
                    }
                }
            }
        }
    }
}

/// Finishes element (i, j) of a tile, `product` being alpha·A·B.
///
/// # Safety
/// `c` must be readable and writable, and the biases readable at i and j.
pub(super) unsafe fn finish_one<T: GemmFloat>(finish: &Finish<T>, product: T, [i, j]: [usize; 2], c: *mut T) {
    let mut x = product;
    // SAFETY: the caller's, for all that follows.
    unsafe {
        if finish.beta != T::ZERO {
            x = x + finish.beta * *c;
        }
        if !finish.row_bias.is_null() {
            x = x + *finish.row_bias.add(i);
        }
        if !finish.col_bias.is_null() {
            x = x + *finish.col_bias.add(j);
        }
        if finish.relu && x < T::ZERO {
            x = T::ZERO;
        }
        *c = x;
    }
}

/// Applies the epilogue's function, if it has one, to a finished block of C that is the caller's alone.
pub(super) fn map_if_any<T: GemmFloat>(c: RawMut<T>, epilogue: &Epilogue<T>) {
    /// Elements at a time where rows are not contiguous.
    const RUN: usize = 64;
    let Activation::Map(function) = epilogue.activation else { return };
    for i in 0..c.rows {
        if c.has_contiguous_rows() {
            // SAFETY: one row of a block that nobody else reads or writes now.
            function(unsafe { std::slice::from_raw_parts_mut(c.at(i, 0), c.cols) });
            continue;
        }
        for j in (0..c.cols).step_by(RUN) {
            let mut run = [T::ZERO; RUN];
            let run = &mut run[..RUN.min(c.cols - j)];
            for (l, x) in run.iter_mut().enumerate() {
                // SAFETY: inside of the block, as above.
                *x = unsafe { *c.at(i, j + l) };
            }
            function(run);
            for (l, x) in run.iter().enumerate() {
                // SAFETY: inside of the block, as above.
                unsafe { *c.at(i, j + l) = *x };
            }
        }
    }
}

/// C = activation(product + beta·C + biases), one by one. Where k or alpha is 0, there is no product.
pub(super) fn finish_all<T: GemmFloat>(problem: &Problem<T>, product: Option<MatRef<T>>) {
    let (c, epilogue) = (problem.c, &problem.epilogue);
    let finish = epilogue.finish([0, 0], true, true);
    for i in 0..c.rows {
        for j in 0..c.cols {
            let product = product.map_or(T::ZERO, |product| product.at(i, j));
            // SAFETY: an element of C, which the problem borrows mutably; biases are as long as its sides.
            unsafe { finish_one(&finish, product, [i, j], c.at(i, j)) };
        }
    }
    map_if_any(c, epilogue);
}
