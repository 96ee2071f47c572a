//! Who computes what: areas of C for several threads, or chunks of k where C is small.

use super::epilogue::{Activation, Epilogue};
use super::loops::{self, Area};
use super::matrix::RawMut;
use super::pack::{Operand, PackSource, PackedPanels, Panel, Panels};
use super::plan::{PARALLEL_WORK, Plan, Problem, Way};
use super::{GemmFloat, MatRef};
use crate::kernels::parallel::{on_pool, region};
use crate::memory::Buffer;
use rayon::prelude::*;
use std::ops::Range;

/// Computes a product whose C is at least 1 by 1 and whose k is at least 1. The most general way: always true.
pub(super) fn run<T: GemmFloat>(problem: &Problem<T>) -> bool {
    let chunk = depth_split(problem);
    let plan = Plan::new(problem);
    let compute = || match chunk {
        Some(chunk) => by_depth(problem, chunk),
        None => by_plan(problem, &plan),
    };
    if problem.parallel && (chunk.is_some() || plan.areas != [1, 1]) {
        // Once into the pool for the whole product, if this is not one of its threads.
        region(|| on_pool(compute));
    } else {
        compute();
    }
    true
}

fn by_plan<T: GemmFloat>(problem: &Problem<T>, plan: &Plan) {
    if plan.b == Way::Shared {
        return by_shared_blocks(problem, plan);
    }
    // Few rows, so that each block of A meets many small blocks of B: pack all of A ahead.
    if plan.a == Way::InBlocks && plan.nc < problem.c.cols {
        let packed = PackedPanels::new(problem.set, problem.a, problem.set.mr);
        let problem = Problem { a: Operand::Packed(&packed), ..*problem };
        return by_area(&problem, plan);
    }
    by_area(problem, plan);
}

/// Calls `task` for 0..count, on several threads if that is allowed and there are some.
pub(super) fn for_each(parallel: bool, count: usize, task: impl Fn(usize) + Sync) {
    if parallel && count > 1 && rayon::current_num_threads() > 1 {
        region(|| (0..count).into_par_iter().with_max_len(1).for_each(&task));
    } else {
        (0..count).for_each(task);
    }
}

/// Cuts C into areas, as even as whole tiles allow.
struct Grid {
    /// Rows and columns of C.
    shape: [usize; 2],
    /// Rows and columns of a tile.
    tile: [usize; 2],
    /// Areas along each.
    counts: [usize; 2],
}

impl Grid {
    fn len(&self) -> usize {
        self.counts[0] * self.counts[1]
    }

    fn area(&self, index: usize) -> Area {
        let range = |axis: usize, at: usize| {
            let tiles = self.shape[axis].div_ceil(self.tile[axis]);
            let edge = |at: usize| self.shape[axis].min(at * tiles / self.counts[axis] * self.tile[axis]);
            edge(at)..edge(at + 1)
        };
        Area { rows: range(0, index / self.counts[1]), cols: range(1, index % self.counts[1]) }
    }
}

/// Each task computes an area of C from beginning to end.
fn by_area<T: GemmFloat>(problem: &Problem<T>, plan: &Plan) {
    let ([m, n, _], set) = (problem.shape(), problem.set);
    let grid = Grid { shape: [m, n], tile: [set.mr, set.nr], counts: plan.areas };
    for_each(problem.parallel, grid.len(), |index| loops::area(problem, plan, grid.area(index)));
}

/// LOOP 5 and LOOP 4 with blocks of B that are packed once and used by all threads.
fn by_shared_blocks<T: GemmFloat>(problem: &Problem<T>, plan: &Plan) {
    let ([m, n, k], set) = (problem.shape(), problem.set);
    let parallel = problem.parallel && plan.areas != [1, 1];
    let mut buffer = Buffer::<T>::recycled(plan.kc * n.min(plan.nc).next_multiple_of(set.nr));
    // LOOP 5
    for j in (0..n).step_by(plan.nc) {
        let cols = j..n.min(j + plan.nc);
        // LOOP 4
        for p in (0..k).step_by(plan.kc) {
            let depth = p..k.min(p + plan.kc);
            pack_by_all(problem, parallel, [cols.clone(), depth.clone()], &mut buffer);
            let b = Panels::packed(buffer.as_ptr(), set.nr, depth.len());
            let grid = Grid { shape: [m, cols.len()], tile: [set.mr, set.nr], counts: plan.areas };
            for_each(parallel, grid.len(), |index| {
                let Area { rows, cols: within } = grid.area(index);
                let b = b.from_panel(within.start / set.nr);
                let cols = cols.start + within.start..cols.start + within.end;
                loops::rows_times_block(problem, plan, Area { rows, cols }, depth.clone(), b);
            });
        }
    }
}

/// Packs a block of B, some panels a task.
fn pack_by_all<T: GemmFloat>(problem: &Problem<T>, parallel: bool, [cols, depth]: [Range<usize>; 2], buffer: &mut [T]) {
    /// Elements in a task: about 10 µs.
    const TASK: usize = 1 << 15;
    let nr = problem.set.nr;
    let panel = nr * depth.len();
    let len = cols.len().div_ceil(nr) * panel;
    let panels = TASK.div_ceil(panel);
    let out = SharedOut { start: buffer.as_mut_ptr(), len };
    for_each(parallel, len.div_ceil(panels * panel), |index| {
        let start = cols.start + index * panels * nr;
        let lanes = start..cols.end.min(start + panels * nr);
        // SAFETY: task by task, disjoint parts of the buffer.
        let out = unsafe { out.part(index * panels * panel, panels * panel) };
        problem.b.pack(problem.set, [lanes, depth.clone()], nr, out);
    });
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
    /// About the least depth of a chunk; the last may have less.
    const SHORTEST: usize = if cfg!(miri) { 128 } else { 1024 };
    /// The most chunks.
    const MOST: usize = 8;
    /// The depth of a chunk is a multiple of this: some cache lines of a row of A.
    const STEP: usize = 64;
    let [m, n, k] = problem.shape();
    let packed = matches!(problem.a, Operand::Packed(_)) || matches!(problem.b, Operand::Packed(_));
    if packed || m * n > LARGEST_C || k < 2 * SHORTEST || problem.work() < 2 * PARALLEL_WORK {
        return None;
    }
    let chunks = (k / SHORTEST).min(MOST);
    Some(k.div_ceil(chunks).next_multiple_of(STEP))
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
        by_plan(&part, &Plan::new(&part));
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
            _ => Operand::source(self),
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
        let Operand::Source(source, _) = self.operand else { unreachable!("gemm: only a source asks to be packed") };
        let depth = panel.depth.start + self.depth.start..panel.depth.end + self.depth.start;
        source.pack(Panel { depth, ..panel });
    }
}
