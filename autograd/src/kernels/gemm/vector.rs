//! A row vector times a matrix: bound by memory, so nothing is packed and B is read once, in order.
//!
//! A matrix times a column vector comes here transposed.

use super::GemmFloat;
use super::MatRef;
use super::epilogue::Activation;
use super::loops;
use super::microkernel::Finish;
use super::pack::Operand;
use super::parallel::for_each;
use super::plan::{PARALLEL_WORK, Problem};
use super::simd::Simd;
use crate::memory::Buffer;
use std::ops::Range;

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
    /// Columns to a task: whole cache lines.
    const UNIT: usize = 64;
    let task = if problem.work() < 2 * PARALLEL_WORK { n } else { n.div_ceil(16).next_multiple_of(UNIT) };
    let contiguous = (by_dots && a.col_stride != 1).then(|| {
        let mut copy = Buffer::recycled(k);
        copy.iter_mut().enumerate().for_each(|(p, x)| *x = a.at(0, p));
        copy
    });
    let a = contiguous.as_deref().map_or(a, |copy| MatRef::row_major(copy, 1, k));
    for_each(problem.parallel, n.div_ceil(task), |index| {
        let cols = index * task..n.min((index + 1) * task);
        if by_dots { dots(problem, a, b, cols) } else { combine_rows(problem, a, b, cols) }
    });
    true
}

/// Each element of C is the dot product of A with a line of `b`.
fn dots<T: GemmFloat>(problem: &Problem<T>, a: MatRef<T>, b: MatRef<T>, cols: Range<usize>) {
    let (epilogue, c) = (&problem.epilogue, problem.c.block([0, cols.start], [1, cols.len()]));
    let finish = epilogue.finish([0, cols.start], true, true);
    for j in (0..cols.len()).step_by(DOTS) {
        let count = DOTS.min(cols.len() - j);
        let mut out = [T::ZERO; DOTS];
        let line = |l: usize| b.as_ptr().wrapping_add((cols.start + j + l) * b.row_stride);
        let job = Dots { depth: a.cols, a: a.as_ptr(), b: line(0), b_col: b.row_stride, out: out.as_mut_ptr() };
        // SAFETY: the set exists only where its instructions do; `depth` elements of A and of each line are
        // contiguous and inside of their matrices; `out` has `DOTS` elements.
        unsafe {
            if count == DOTS {
                (problem.set.dots)(&job);
            } else {
                // The last few, each as if it were four.
                for (l, out) in out.iter_mut().enumerate().take(count) {
                    let mut same = [T::ZERO; DOTS];
                    (problem.set.dots)(&Dots { b: line(l), b_col: 0, out: same.as_mut_ptr(), ..job });
                    *out = same[0];
                }
            }
        }
        for (l, &sum) in out.iter().enumerate().take(count) {
            // SAFETY: column j + l of a part of C that is this call's alone.
            unsafe { loops::finish_one(&finish, epilogue.alpha * sum, [0, j + l], c.at(0, j + l)) };
        }
    }
    loops::map_if_any(c, epilogue);
}

/// C is the sum of the lines of B, each times an element of A; here `b` is transposed.
///
/// Some rows of B at a time, so that C, which stays in the L1 cache, is read and written less often, and the
/// CPU sees as many streams as it can prefetch.
fn combine_rows<T: GemmFloat>(problem: &Problem<T>, a: MatRef<T>, b: MatRef<T>, cols: Range<usize>) {
    /// Columns at a time: 16 kB of f32.
    const CHUNK: usize = 4096;
    let (k, epilogue) = (a.cols, &problem.epilogue);
    let [eight, one] = problem.set.combine;
    for start in cols.clone().step_by(CHUNK) {
        let c = problem.c.block([0, start], [1, CHUNK.min(cols.end - start)]);
        let b = b.row_range(start, c.cols);
        let scaled = |p: usize| epilogue.alpha * a.at(0, p);
        if epilogue.beta != T::ZERO && epilogue.beta != T::ONE {
            for j in 0..c.cols {
                // SAFETY: an element of a part of C that is this call's alone.
                unsafe { *c.at(0, j) = epilogue.beta * *c.at(0, j) };
            }
        }
        let mut p = 0;
        while p < k {
            let (kernel, rows) = if p + COMBINED <= k { (eight, COMBINED) } else { (one, 1) };
            let mut factors = [T::ZERO; COMBINED];
            factors[..rows].iter_mut().enumerate().for_each(|(i, x)| *x = scaled(p + i));
            let line = b.as_ptr().wrapping_add(p * b.col_stride);
            let add = p > 0 || epilogue.beta != T::ZERO;
            let job = Combine { cols: c.cols, a: factors, b: line, b_depth: b.col_stride, c: c.start, add };
            // SAFETY: the set exists only where its instructions do; `cols` elements of each of the rows are
            // contiguous in B, and in C, of which this part is this call's alone.
            unsafe { kernel(&job) };
            p += rows;
        }
        if epilogue.row_bias.is_some() || epilogue.col_bias.is_some() || matches!(epilogue.activation, Activation::Relu)
        {
            let finish = Finish { beta: T::ONE, ..epilogue.finish([0, start], true, true) };
            for j in 0..c.cols {
                // SAFETY: an element of a part of C that is this call's alone, and its biases.
                unsafe { loops::finish_one(&finish, T::ZERO, [0, j], c.at(0, j)) };
            }
        }
        loops::map_if_any(c, epilogue);
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
pub const DOTS: usize = 4;

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
pub(super) unsafe fn dots_kernel<T: GemmFloat, S: Simd<T>>(s: S, d: &Dots<T>) {
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

/// Rows of B that one call of a [`CombineFn`] combines.
pub const COMBINED: usize = 8;

/// A sum of rows of B, each times an element of A, for vector times matrix.
#[derive(Clone, Copy)]
pub struct Combine<T> {
    /// Columns.
    pub cols: usize,
    /// The factors.
    pub a: [T; COMBINED],
    /// B\[p, j\] is at `b + p * b_depth + j`.
    pub b: *const T,
    pub b_depth: usize,
    /// One row of C.
    pub c: *mut T,
    /// Whether to add to C rather than to overwrite it.
    pub add: bool,
}

/// Combines [`COMBINED`] rows of B, or one, into a row of C.
///
/// # Safety
/// The CPU must have the instructions; `cols` elements of each row of B must be readable, and of C writable
/// and nobody else's.
pub type CombineFn<T> = unsafe fn(&Combine<T>);

/// The body of every [`CombineFn`]: of `R` rows.
///
/// # Safety
/// As for [`CombineFn`].
#[inline(always)]
pub(super) unsafe fn combine_kernel<T: GemmFloat, S: Simd<T>, const R: usize>(s: S, job: &Combine<T>) {
    let mut a = [s.splat(T::ZERO); R];
    let mut rows = [job.b; R];
    for p in 0..R {
        a[p] = s.splat(job.a[p]);
        rows[p] = job.b.wrapping_add(p * job.b_depth);
    }
    let whole = job.cols / S::LANES * S::LANES;
    let mut j = 0;
    while j < whole {
        let to = job.c.wrapping_add(j);
        // SAFETY: a whole vector at column j of each row.
        unsafe {
            let mut sum = if job.add { s.load(to) } else { s.splat(T::ZERO) };
            for p in 0..R {
                sum = s.mul_add(a[p], s.load(rows[p].wrapping_add(j)), sum);
            }
            s.store(to, sum);
        }
        j += S::LANES;
    }
    if j < job.cols {
        let (to, mask) = (job.c.wrapping_add(j), s.mask(job.cols - j));
        // SAFETY: the columns that are left, of each row.
        unsafe {
            let mut sum = if job.add { s.load_first(to, mask) } else { s.splat(T::ZERO) };
            for p in 0..R {
                sum = s.mul_add(a[p], s.load_first(rows[p].wrapping_add(j), mask), sum);
            }
            s.store_first(to, sum, mask);
        }
    }
}
