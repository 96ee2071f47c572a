//! The five loops around the micro-kernel, from the outside in. The README draws them.

use super::{GemmFloat, MatRef};
use super::epilogue::Activation;
use super::matrix::RawMut;
use super::microkernel::{Finish, Tile};
use super::pack::{Operand, Panels};
use super::plan::{Plan, Problem, Way};
use crate::memory::Buffer;
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
                let buffer = buffer
                    .get_or_insert_with(|| Buffer::recycled(depth.len() * rows.len().next_multiple_of(set.mr)));
                operand.pack(set, [rows.clone(), depth.clone()], set.mr, buffer);
                Panels::packed(buffer.as_ptr(), set.mr, depth.len())
            }
        };
        let c = problem.c.block([rows.start, cols.start], [rows.len(), cols.len()]);
        let bias = |bias: Option<&[T]>, start: usize| bias.filter(|_| last).map_or(null(), |bias| &raw const bias[start]);
        let finish = Finish {
            alpha: epilogue.alpha,
            beta: if first { epilogue.beta } else { T::ONE },
            row_bias: bias(epilogue.row_bias, rows.start),
            col_bias: bias(epilogue.col_bias, cols.start),
            relu: last && matches!(epilogue.activation, Activation::Relu),
        };
        Block { problem, depth: depth.len(), a, b, c, finish }.run();
        if last && let Activation::Map(function) = epilogue.activation {
            map(c, function);
        }
    }
}

/// A block of C, its panels of A and B, and what to do with the result.
struct Block<'a, T: GemmFloat> {
    problem: &'a Problem<'a, T>,
    depth: usize,
    a: Panels<T>,
    b: Panels<T>,
    c: RawMut<T>,
    finish: Finish<T>,
}

impl<T: GemmFloat> Block<'_, T> {
    /// LOOP 2 and LOOP 1: all tiles of the block.
    fn run(&self) {
        let Block { problem, depth, a, b, c, finish } = *self;
        let set = problem.set;
        let direct = c.has_contiguous_rows();
        // LOOP 2: panels of B. One stays in the L1 cache while all panels of A pass over it.
        for (q, j) in (0..c.cols).step_by(set.nr).enumerate() {
            let cols = set.nr.min(c.cols - j);
            // LOOP 1: panels of A.
            for (r, i) in (0..c.rows).step_by(set.mr).enumerate() {
                let rows = set.mr.min(c.rows - i);
                let offset = |bias: *const T, by: usize| if bias.is_null() { bias } else { bias.wrapping_add(by) };
                let tile = Tile {
                    depth,
                    a: a.start.wrapping_add(r * a.panel_stride),
                    a_row: a.lane_stride,
                    a_depth: a.depth_stride,
                    b: b.start.wrapping_add(q * b.panel_stride),
                    b_depth: b.depth_stride,
                    c: c.at(i, j),
                    c_row: c.row_stride,
                    cols,
                    finish: Finish {
                        row_bias: offset(finish.row_bias, i),
                        col_bias: offset(finish.col_bias, j),
                        ..finish
                    },
                };
                let kernel = set.tile(rows, cols, b.padded);
                if direct {
                    // SAFETY: the set exists only where its instructions do. The panels hold `depth` by
                    // `rows` and by `cols` elements, the latter padded to whole vectors unless the
                    // kernel is masked; the tile is inside of C, in an area that is this call's alone.
                    unsafe { kernel(&tile) };
                } else {
                    // SAFETY: as above, but for C, which `tile_by_scratch` replaces.
                    unsafe { tile_by_scratch(kernel, tile, c.block([i, j], [rows, cols])) };
                }
            }
        }
    }
}

/// Rows and columns of the largest tile of all instruction sets.
const LARGEST_TILE: usize = 12 * 32;

/// A tile of a C whose rows are not contiguous: computed into an array, then finished one by one.
///
/// # Safety
/// As for [`TileFn`](super::microkernel::TileFn), with `c` in the place of the tile's C.
unsafe fn tile_by_scratch<T: GemmFloat>(kernel: super::microkernel::TileFn<T>, tile: Tile<T>, c: RawMut<T>) {
    let mut scratch = [T::ZERO; LARGEST_TILE];
    let finish = Finish { beta: T::ZERO, row_bias: null(), col_bias: null(), relu: false, ..tile.finish };
    // SAFETY: the caller's, and `scratch` has room for any tile.
    unsafe { kernel(&Tile { c: scratch.as_mut_ptr(), c_row: c.cols, finish, ..tile }) };
    for (i, row) in scratch.chunks_exact(c.cols).enumerate().take(c.rows) {
        for (j, &product) in row.iter().enumerate() {
            // SAFETY: element (i, j) of the tile, the caller's alone, and its biases.
            unsafe { finish_one(&tile.finish, product, [i, j], c.at(i, j)) };
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

/// Applies an element-wise function to a block of C that is the caller's alone.
pub(super) fn map<T: GemmFloat>(c: RawMut<T>, function: &(dyn Fn(&mut [T]) + Sync)) {
    /// Elements at a time where rows are not contiguous.
    const RUN: usize = 64;
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
    let pointer = |bias: Option<&[T]>| bias.map_or(null(), <[T]>::as_ptr);
    let finish = Finish {
        alpha: epilogue.alpha,
        beta: epilogue.beta,
        row_bias: pointer(epilogue.row_bias),
        col_bias: pointer(epilogue.col_bias),
        relu: matches!(epilogue.activation, Activation::Relu),
    };
    for i in 0..c.rows {
        for j in 0..c.cols {
            let product = product.map_or(T::ZERO, |product| product.at(i, j));
            // SAFETY: an element of C, which the problem borrows mutably; biases are as long as its sides.
            unsafe { finish_one(&finish, product, [i, j], c.at(i, j)) };
        }
    }
    if let Activation::Map(function) = epilogue.activation {
        map(c, function);
    }
}
