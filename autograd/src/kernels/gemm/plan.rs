//! Which way a product goes: decided by shape, layout and instruction set, never by the thread count.

use super::epilogue::{Activation, Epilogue};
use super::matrix::RawMut;
use super::microkernel::KernelSet;
use super::pack::Operand;
use super::{GemmFloat, Isa, dispatch, loops, parallel, vector};

/// Multiply-adds below which a product stays on one thread: waking another takes as long.
pub(super) const PARALLEL_WORK: usize = 1 << 19;

/// A product whose shapes have been checked.
#[derive(Clone, Copy)]
pub(super) struct Problem<'a, T: GemmFloat> {
    pub set: &'static KernelSet<T>,
    pub a: Operand<'a, T>,
    /// The transpose of B: like A's, its rows are lanes.
    pub b: Operand<'a, T>,
    pub c: RawMut<T>,
    pub epilogue: Epilogue<'a, T>,
    /// Whether it may use more than one thread.
    pub parallel: bool,
}

impl<T: GemmFloat> Problem<'_, T> {
    /// Cᵀ = Bᵀ·Aᵀ.
    fn t(self) -> Self {
        let Problem { a, b, c, epilogue, .. } = self;
        Problem { a: b, b: a, c: c.t(), epilogue: epilogue.t(), ..self }
    }

    /// [m, n, k]
    #[inline]
    pub fn shape(&self) -> [usize; 3] {
        [self.c.rows, self.c.cols, self.a.depth()]
    }

    /// Number of multiply-adds.
    #[inline]
    pub fn work(&self) -> usize {
        self.shape().into_iter().fold(1, usize::saturating_mul)
    }
}

/// Computes a product.
pub(super) fn run<T: GemmFloat>(problem: Problem<T>) {
    let [m, n, k] = problem.shape();
    if m == 0 || n == 0 {
        return;
    }
    if k == 0 || problem.epilogue.alpha == T::ZERO {
        return loops::finish_all(&problem, None);
    }
    let problem = if wants_transposing(&problem) { problem.t() } else { problem };
    if problem.c.rows == 1 && vector::run(&problem) {
        return;
    }
    if problem.set.isa == Isa::Portable && Isa::best() == Isa::Portable && by_matrixmultiply(&problem) {
        return;
    }
    parallel::run(&problem);
}

/// Whether to compute Cᵀ = Bᵀ·Aᵀ instead: the kernels write whole vectors along rows of C, so its rows
/// should be contiguous; and a matrix times a vector is done as a vector times a matrix.
fn wants_transposing<T: GemmFloat>(problem: &Problem<T>) -> bool {
    // Packed panels have the width of their side's tiles.
    if matches!(problem.a, Operand::Packed(_)) || matches!(problem.b, Operand::Packed(_)) {
        return false;
    }
    let c = problem.c;
    if c.rows == 1 || c.cols == 1 { c.rows != 1 } else { c.col_stride != 1 && c.row_stride == 1 }
}

/// Multiply-adds above which a machine without SIMD of ours uses `matrixmultiply`.
const MATRIXMULTIPLY_WORK: usize = 1 << 15;

/// On a machine for which there is only the portable kernel, hands larger products to the
/// `matrixmultiply` crate, which knows more instruction sets (SSE2, plain FMA, WebAssembly) than we do.
fn by_matrixmultiply<T: GemmFloat>(problem: &Problem<T>) -> bool {
    let Problem { a: Operand::Matrix(a), b: Operand::Matrix(b), c, epilogue, .. } = *problem else { return false };
    let [m, n, k] = problem.shape();
    if problem.work() < MATRIXMULTIPLY_WORK {
        return false;
    }
    // A stride beyond isize::MAX belongs to a dimension of one element at most: any value will do.
    let strides = |row: usize, col: usize| [row as isize, col as isize];
    let Epilogue { alpha, beta, .. } = epilogue;
    let output = dispatch::Output { alpha, beta, c: c.start, strides: strides(c.row_stride, c.col_stride) };
    // SAFETY: `MatRef` and `MatMut` have checked that all elements lie inside their slices, and that C
    // does not overlap itself.
    unsafe {
        T::matrixmultiply(
            [m, k, n],
            (a.as_ptr(), strides(a.row_stride, a.col_stride)),
            (b.as_ptr(), strides(b.col_stride, b.row_stride)),
            output,
        );
    }
    let biased = Epilogue { alpha: T::ZERO, beta: T::ONE, ..epilogue };
    let plain = matches!(epilogue.activation, Activation::None);
    if !plain || epilogue.row_bias.is_some() || epilogue.col_bias.is_some() {
        loops::finish_all(&Problem { epilogue: biased, ..*problem }, None);
    }
    true
}

/// How an operand reaches the micro-kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// Read where it is (or where it was packed before).
    InPlace,
    /// Packed block by block, by whoever computes with the block.
    InBlocks,
    /// B only: packed block by block, for all row blocks together.
    Shared,
}

/// The blocking of one product.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plan {
    /// Rows of A, depth, and columns of B in a block.
    pub mc: usize,
    pub kc: usize,
    pub nc: usize,
    pub a: Way,
    pub b: Way,
    /// Rows and columns of C in a task; a product that is not worth a second thread is one task.
    pub task: [usize; 2],
}

impl<T: GemmFloat> KernelSet<T> {
    /// Depth of a block: at most `kc`, and even chunks of k rather than a short last one.
    pub fn depth_chunk(&self, k: usize) -> usize {
        k.div_ceil(k.div_ceil(self.kc).max(1)).max(1)
    }
}

impl Plan {
    /// The blocking for a product.
    pub fn new<T: GemmFloat>(problem: &Problem<T>) -> Plan {
        let [m, n, k] = problem.shape();
        let set = problem.set;
        let kc = set.depth_chunk(k);
        let few_rows = m <= set.mc;
        let a = match problem.a {
            Operand::Packed(_) => Way::InPlace,
            Operand::Matrix(a) if a.col_stride == 1 || n <= 2 * set.nr => Way::InPlace,
            _ => Way::InBlocks,
        };
        let b = match problem.b {
            Operand::Packed(_) => Way::InPlace,
            Operand::Matrix(b) if b.row_stride == 1 && (m <= 2 * set.mr || (m <= 16 * set.mr && k * n <= 16 << 10)) => Way::InPlace,
            _ if few_rows => Way::InBlocks,
            _ => Way::Shared,
        };
        let nc = match b {
            Way::InPlace => n,
            Way::InBlocks => ((16 << 10) / kc / set.nr).max(1) * set.nr,
            Way::Shared => set.nc,
        };
        let even = |len: usize, most: usize, unit: usize| len.div_ceil(len.div_ceil(most)).next_multiple_of(unit);
        let task = if problem.work() < PARALLEL_WORK {
            [m, n]
        } else {
            let tasks = (problem.work() / (PARALLEL_WORK / 2)).min(16);
            let by_rows = tasks.min(m.div_ceil(if few_rows { m } else { 4 * set.mr }));
            let by_cols = (tasks / by_rows).min(n.div_ceil(4 * set.nr)).max(1);
            [even(m, m.div_ceil(by_rows), set.mr), even(n, n.div_ceil(by_cols), set.nr)]
        };
        Plan { mc: even(m, set.mc, set.mr), kc, nc, a, b, task }
    }
}
