//! Tiny products, of which a training step at batch 32 has dozens: no plan, no blocks, one pass of the two
//! inner loops over operands where they are.

use super::GemmFloat;
use super::loops::{self, Block};
use super::pack::{self, Operand, Panels};
use super::plan::Problem;
use crate::memory::Buffer;
use std::mem::MaybeUninit;

/// The most multiply-adds of a tiny product.
const LARGEST: usize = if cfg!(miri) { 1 << 13 } else { 1 << 19 };
/// The greatest depth, so that a panel of B stays in the L1 cache.
const DEEPEST: usize = 512;
/// Elements of B that are packed on the stack.
const ON_STACK: usize = 4096;

/// Computes a tiny product of two matrices; false if this is none.
pub(super) fn run<T: GemmFloat>(problem: &Problem<T>) -> bool {
    let (Operand::Matrix(a), Operand::Matrix(b)) = (problem.a, problem.b) else { return false };
    let [m, n, k] = [a.rows, b.rows, a.cols];
    if k > DEEPEST || m.saturating_mul(n).saturating_mul(k) > LARGEST {
        return false;
    }
    let set = problem.set;
    if b.row_stride == 1 {
        finish(problem, Panels::in_place(a, set.mr), Panels::in_place(b, set.nr));
        return true;
    }
    // The columns of B are not contiguous: it must be packed, if only to be transposed.
    let padded = n.next_multiple_of(set.nr);
    let mut stack = MaybeUninit::<[T; ON_STACK]>::uninit();
    let mut heap = (padded * k > ON_STACK).then(|| Buffer::<T>::recycled(padded * k));
    let out = heap.as_mut().map_or(stack.as_mut_ptr().cast(), |buffer| buffer.as_mut_ptr());
    // SAFETY: there is room for as many panels as it takes, each of `nr` by k.
    unsafe { pack::pack_matrix(set, b, set.nr, out) };
    finish(problem, Panels::in_place(a, set.mr), Panels::packed(out, set.nr, k));
    true
}

/// The product of all panels of A and B.
fn finish<T: GemmFloat>(problem: &Problem<T>, a: Panels<T>, b: Panels<T>) {
    let Problem { set, c, ref epilogue, .. } = *problem;
    let finish = epilogue.finish([0, 0], true, true);
    // SAFETY: the panels and biases are those of the whole product, and the problem borrows C mutably.
    unsafe { Block { set, depth: problem.a.depth(), a, b, c, finish }.run() };
    loops::map_if_any(c, epilogue);
}
