//! Who computes what: areas of C for several threads, or chunks of k where C is small.

use super::{GemmFloat, MatRef};
use super::epilogue::{Activation, Epilogue};
use super::loops::{self, Area};
use super::matrix::RawMut;
use super::pack::{Operand, PackSource, PackedPanels, Panel, Panels};
use super::plan::{PARALLEL_WORK, Plan, Problem, Way};
use crate::kernels::parallel::region;
use crate::memory::Buffer;
use rayon::prelude::*;
use std::ops::Range;

/// Computes a product whose C is at least 1 by 1 and whose k is at least 1.
pub(super) fn run<T: GemmFloat>(problem: &Problem<T>) {
    if let Some(chunk) = depth_split(problem) {
        return by_depth(problem, chunk);
    }
    let plan = Plan::new(problem);
    if plan.b == Way::Shared {
        return by_shared_blocks(problem, &plan);
    }
    // Few rows, so that each block of A meets many small blocks of B: pack all of A ahead.
    if plan.a == Way::InBlocks && plan.nc < problem.c.cols {
        let packed = PackedPanels::new(problem.set, problem.a, problem.set.mr);
        let problem = Problem { a: Operand::Packed(&packed), ..*problem };
        return by_area(&problem, &plan);
    }
    by_area(problem, &plan);
}

/// Calls `task` for 0..count, on several threads if that is allowed and there are some.
pub(super) fn for_each(parallel: bool, count: usize, task: impl Fn(usize) + Sync) {
    if parallel && count > 1 && rayon::current_num_threads() > 1 {
        region(|| (0..count).into_par_iter().with_max_len(1).for_each(&task));
    } else {
        (0..count).for_each(task);
    }
}

/// The areas of C: a grid whose cells are `task` by `task` at most.
struct Grid {
    shape: [usize; 2],
    task: [usize; 2],
}

impl Grid {
    fn cols(&self) -> usize {
        self.shape[1].div_ceil(self.task[1])
    }

    fn len(&self) -> usize {
        self.shape[0].div_ceil(self.task[0]) * self.cols()
    }

    fn area(&self, index: usize) -> Area {
        let range = |axis: usize, at: usize| {
            let start = at * self.task[axis];
            start..self.shape[axis].min(start + self.task[axis])
        };
        Area { rows: range(0, index / self.cols()), cols: range(1, index % self.cols()) }
    }
}

/// Each task computes an area of C from beginning to end.
fn by_area<T: GemmFloat>(problem: &Problem<T>, plan: &Plan) {
    let [m, n, _] = problem.shape();
    let grid = Grid { shape: [m, n], task: plan.task };
    for_each(problem.parallel, grid.len(), |index| loops::area(problem, plan, grid.area(index)));
}

/// LOOP 5 and LOOP 4 with blocks of B that are packed once, by all threads, and used by all.
fn by_shared_blocks<T: GemmFloat>(problem: &Problem<T>, plan: &Plan) {
    let ([m, n, k], set) = (problem.shape(), problem.set);
    let parallel = problem.parallel && plan.task != [m, n];
    let mut buffer = Buffer::<T>::recycled(plan.kc * n.min(plan.nc).next_multiple_of(set.nr));
    // LOOP 5
    for j in (0..n).step_by(plan.nc) {
        let cols = j..n.min(j + plan.nc);
        // LOOP 4
        for p in (0..k).step_by(plan.kc) {
            let depth = p..k.min(p + plan.kc);
            // Some panels a task.
            let panel = set.nr * depth.len();
            let len = cols.len().div_ceil(set.nr) * panel;
            let per_task = ((32 << 10) / panel).max(1);
            let out = SharedOut { start: buffer.as_mut_ptr(), len };
            for_each(parallel, len.div_ceil(per_task * panel), |index| {
                let start = cols.start + index * per_task * set.nr;
                let lanes = start..cols.end.min(start + per_task * set.nr);
                // SAFETY: task by task, disjoint parts of the buffer.
                let out = unsafe { out.part(index * per_task * panel, per_task * panel) };
                problem.b.pack(set, [lanes, depth.clone()], set.nr, out);
            });
            let b = Panels::packed(buffer.as_ptr(), set.nr, depth.len());
            let grid = Grid { shape: [m, cols.len()], task: plan.task };
            for_each(parallel, grid.len(), |index| {
                let Area { rows, cols: within } = grid.area(index);
                let b = b.from_panel(within.start / set.nr);
                let cols = cols.start + within.start..cols.start + within.end;
                loops::rows_times_block(problem, plan, Area { rows, cols }, depth.clone(), b);
            });
        }
    }
}

/// A buffer that several threads write different parts of.
struct SharedOut<T> {
    start: *mut T,
    len: usize,
}

// SAFETY: gives out memory only through `part`, whose callers vouch for disjoint parts.
unsafe impl<T: Send> Sync for SharedOut<T> {}

impl<T> SharedOut<T> {
    /// At most `len` elements from `start` on.
    ///
    /// # Safety
    /// The buffer must outlive the part, and nobody else may use that part meanwhile.
    #[expect(clippy::mut_from_ref, reason = "the caller vouches for disjoint parts")]
    unsafe fn part(&self, start: usize, len: usize) -> &mut [T] {
        // SAFETY: inside of the buffer, and the caller's alone.
        unsafe { std::slice::from_raw_parts_mut(self.start.add(start), len.min(self.len - start)) }
    }
}

/// The chunks of k to compute apart, if C is too small to share and k is long.
fn depth_split<T: GemmFloat>(problem: &Problem<T>) -> Option<usize> {
    /// The most elements of C.
    const LARGEST_C: usize = 1 << 16;
    /// The least depth of a chunk.
    const SHORTEST: usize = 1024;
    /// The most chunks.
    const MOST: usize = 8;
    let [m, n, k] = problem.shape();
    let packed = matches!(problem.a, Operand::Packed(_)) || matches!(problem.b, Operand::Packed(_));
    if packed || m * n > LARGEST_C || k < 2 * SHORTEST || problem.work() < 2 * PARALLEL_WORK {
        return None;
    }
    let chunks = (k / SHORTEST).min(MOST);
    Some(k.div_ceil(chunks).next_multiple_of(problem.set.kc))
}

/// Computes chunk after chunk of k into a C of its own each, and adds them in that order.
fn by_depth<T: GemmFloat>(problem: &Problem<T>, chunk: usize) {
    let [m, n, k] = problem.shape();
    let chunks = k.div_ceil(chunk);
    let mut partial = Buffer::<T>::recycled(chunks * m * n);
    let out = SharedOut { start: partial.as_mut_ptr(), len: chunks * m * n };
    let alone =
        Epilogue { beta: T::ZERO, row_bias: None, col_bias: None, activation: Activation::None, ..problem.epilogue };
    for_each(problem.parallel, chunks, |index| {
        let depth = index * chunk..k.min((index + 1) * chunk);
        // SAFETY: chunk by chunk, disjoint parts of the buffer.
        let out = unsafe { out.part(index * m * n, m * n) };
        let c = RawMut { start: out.as_mut_ptr(), rows: m, cols: n, row_stride: n, col_stride: 1 };
        let [a, b] = [problem.a, problem.b].map(|operand| DepthPart { operand, depth: depth.clone() });
        let part = Problem { a: a.operand(), b: b.operand(), c, epilogue: alone, parallel: false, ..*problem };
        let plan = Plan::new(&part);
        loops::area(&part, &plan, Area { rows: 0..m, cols: 0..n });
    });
    let (sum, others) = partial.split_at_mut(m * n);
    for other in others.chunks_exact(m * n) {
        for (sum, &x) in sum.iter_mut().zip(other) {
            *sum = *sum + x;
        }
    }
    loops::finish_all(problem, Some(MatRef::row_major(sum, m, n)));
}

/// Part of the depth of an operand.
struct DepthPart<'a, T: GemmFloat> {
    operand: Operand<'a, T>,
    depth: Range<usize>,
}

impl<T: GemmFloat> DepthPart<'_, T> {
    fn operand(&self) -> Operand<'_, T> {
        match self.operand {
            Operand::Matrix(matrix) => Operand::Matrix(matrix.columns(self.depth.start, self.depth.len())),
            _ => Operand::Source(self),
        }
    }
}

impl<T: GemmFloat> PackSource<T> for DepthPart<'_, T> {
    fn lanes(&self) -> usize {
        self.operand.lanes()
    }

    fn depth(&self) -> usize {
        self.depth.len()
    }

    fn pack(&self, panel: Panel<'_, T>) {
        let Operand::Source(source) = self.operand else { unreachable!("gemm: only a source asks to be packed") };
        let depth = panel.depth.start + self.depth.start..panel.depth.end + self.depth.start;
        source.pack(Panel { depth, ..panel });
    }
}
