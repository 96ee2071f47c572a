//! A row vector times a matrix: bound by memory, so nothing is packed and B is read once, in order.
//!
//! A matrix times a column vector comes here transposed.

use super::GemmFloat;
use super::epilogue::Activation;
use super::loops;
use super::microkernel::{DOTS, Dots, Finish, Tile, WIDE};
use super::pack::Operand;
use super::parallel::for_each;
use super::plan::{PARALLEL_WORK, Problem};
use super::MatRef;
use crate::memory::Buffer;
use std::ops::Range;
use std::ptr::null;

/// Computes a product whose C has one row, if both operands are matrices of which B is contiguous in one
/// direction; else returns false.
pub(super) fn run<T: GemmFloat>(problem: &Problem<T>) -> bool {
    let (Operand::Matrix(a), Operand::Matrix(b)) = (problem.a, problem.b) else { return false };
    let [_, n, k] = problem.shape();
    // B's lanes are its columns, so here `b` is transposed: [n, k].
    let by_dots = b.col_stride == 1 && (b.row_stride != 1 || k > 1);
    if !(by_dots || b.row_stride == 1 && problem.c.has_contiguous_rows()) {
        return false;
    }
    let step = WIDE * problem.set.lanes;
    let task = if problem.work() < 2 * PARALLEL_WORK { n } else { n.div_ceil(16).next_multiple_of(step) };
    let contiguous = (by_dots && a.col_stride != 1).then(|| {
        let mut copy = Buffer::recycled(k);
        copy.iter_mut().enumerate().for_each(|(p, x)| *x = a.at(0, p));
        copy
    });
    let a = contiguous.as_deref().map_or(a, |copy| MatRef::row_major(copy, 1, k));
    for_each(problem.parallel, n.div_ceil(task), |index| {
        let cols = index * task..n.min((index + 1) * task);
        if by_dots { dots(problem, a, b, cols.clone()) } else { combine_rows(problem, a, b, cols.clone()) }
        if let Activation::Map(function) = problem.epilogue.activation {
            loops::map(problem.c.block([0, cols.start], [1, cols.len()]), function);
        }
    });
    true
}

/// What is left to do with the results from column `start` on.
fn finish_from<T: GemmFloat>(problem: &Problem<T>, start: usize) -> Finish<T> {
    let epilogue = &problem.epilogue;
    Finish {
        alpha: epilogue.alpha,
        beta: epilogue.beta,
        row_bias: epilogue.row_bias.map_or(null(), <[T]>::as_ptr),
        col_bias: epilogue.col_bias.map_or(null(), |bias| &raw const bias[start]),
        relu: matches!(epilogue.activation, Activation::Relu),
    }
}

/// Each element of C is the dot product of A with a line of `b`.
fn dots<T: GemmFloat>(problem: &Problem<T>, a: MatRef<T>, b: MatRef<T>, cols: Range<usize>) {
    let alpha = problem.epilogue.alpha;
    for j in cols.clone().step_by(DOTS) {
        let count = DOTS.min(cols.end - j);
        let finish = finish_from(problem, j);
        let mut out = [T::ZERO; DOTS];
        // The last call may have fewer lines than the kernel computes: it then computes one several times.
        let b_col = if count == DOTS { b.row_stride } else { 0 };
        for start in 0..if count == DOTS { 1 } else { count } {
            let line = b.as_ptr().wrapping_add((j + start) * b.row_stride);
            let job = Dots { depth: a.cols, a: a.as_ptr(), b: line, b_col, out: out[start..].as_mut_ptr() };
            let mut one = [T::ZERO; DOTS];
            let job = if count == DOTS { job } else { Dots { out: one.as_mut_ptr(), ..job } };
            // SAFETY: the set exists only where its instructions do; `depth` elements of A and of each line
            // are contiguous and inside of their matrices; `out` has `DOTS` elements.
            unsafe { (problem.set.dots)(&job) };
            if count < DOTS {
                out[start] = one[0];
            }
        }
        for (l, &sum) in out.iter().enumerate().take(count) {
            // SAFETY: element j + l of C, in columns that are this call's alone.
            unsafe { loops::finish_one(&finish, alpha * sum, [0, l], problem.c.at(0, j + l)) };
        }
    }
}

/// C is the sum of the lines of B, each times an element of A; here `b` is transposed.
fn combine_rows<T: GemmFloat>(problem: &Problem<T>, a: MatRef<T>, b: MatRef<T>, cols: Range<usize>) {
    /// Elements of B above which it is not in the L2 cache.
    const LARGE: usize = 1 << 16;
    let (set, k) = (problem.set, a.cols);
    // A large B is read in bands of a few rows, each of which the CPU prefetches as one stream.
    let band = if k * problem.c.cols > LARGE { 32 } else { k };
    let wide = WIDE * set.lanes;
    for p in (0..k).step_by(band) {
        let depth = band.min(k - p);
        let mut j = cols.start;
        while j < cols.end {
            let left = cols.end - j;
            // The widest kernel covers more than seven vectors; the ordinary ones of one row the rest.
            let (kernel, count) = if left > wide - set.lanes {
                let count = left.min(wide);
                (set.wide[(count < wide) as usize], count)
            } else {
                let count = left.min(set.nr);
                (set.tile(1, count, false), count)
            };
            let finish = finish_from(problem, j);
            let (first, last) = (p == 0, p + depth == k);
            let tile = Tile {
                depth,
                a: a.as_ptr().wrapping_add(p * a.col_stride),
                a_row: 0,
                a_depth: a.col_stride,
                b: b.as_ptr().wrapping_add(j + p * b.col_stride),
                b_depth: b.col_stride,
                c: problem.c.at(0, j),
                c_row: 0,
                cols: count,
                finish: Finish {
                    beta: if first { finish.beta } else { T::ONE },
                    row_bias: if last { finish.row_bias } else { null() },
                    col_bias: if last { finish.col_bias } else { null() },
                    relu: last && finish.relu,
                    ..finish
                },
            };
            // SAFETY: the set exists only where its instructions do; the kernel's vectors cover `count`
            // columns, masked where that is not whole, all inside of B and C, and these columns of C are
            // this call's alone.
            unsafe { kernel(&tile) };
            j += count;
        }
    }
}
