//! Which way a product goes: decided by shape, layout and instruction set, never by the thread count.

use super::epilogue::{Activation, Epilogue};
use super::kernel_set::KernelSet;
use super::matrix::RawMut;
use super::pack::Operand;
use super::{GemmFloat, MatRef, loops, matrixmultiply, parallel, small, vector};

/// Multiply-adds below which a product stays on one thread, and the fewest in a task: about 20 to 30 µs
/// of a core, which is about what it takes to wake another. Small for Miri, so that its small
/// products go every way.
pub(super) const PARALLEL_WORK: usize = if cfg!(miri) { 1 << 12 } else { 1 << 20 };

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
#[inline(never)]
pub(super) fn run<T: GemmFloat>(problem: &Problem<T>) {
    let [m, n, k] = problem.shape();
    if m == 0 || n == 0 {
        return;
    }
    if k == 0 || problem.epilogue.alpha == T::ZERO {
        return loops::finish_all(problem, None);
    }
    if wants_transposing(problem) { run_as_is(&problem.t()) } else { run_as_is(problem) }
}

/// Computes a product that is not empty, from the simplest way that will do to the most general.
fn run_as_is<T: GemmFloat>(problem: &Problem<T>) {
    let _ = (problem.c.rows == 1 && vector::run(problem))
        || small::run(problem)
        || matrixmultiply::run(problem)
        || parallel::run(problem);
}

/// Whether to compute Cᵀ = Bᵀ·Aᵀ instead: the kernels write whole vectors along rows of C, so its rows
/// should be contiguous; and a matrix times a vector is done as a vector times a matrix.
fn wants_transposing<T: GemmFloat>(problem: &Problem<T>) -> bool {
    // Packed panels have the width of their side's tiles.
    if matches!(problem.a, Operand::Packed(_)) || matches!(problem.b, Operand::Packed(_)) {
        return false;
    }
    let c = problem.c;
    if c.rows == 1 || c.cols == 1 {
        c.rows != 1
    } else if c.has_contiguous_rows() {
        rather_scatter(problem)
    } else {
        c.row_stride == 1
    }
}

/// Whether to write a C of few, contiguous rows one element at a time after all, because the columns of B
/// are not contiguous: a batch times a transposed weight. To transpose B on the way to its panels would take
/// longer than to transpose A, which is smaller, and the tiles of C.
fn rather_scatter<T: GemmFloat>(problem: &Problem<T>) -> bool {
    /// With more rows, more products share the cost of B's transpose.
    const FEW_ROWS: usize = 128;
    let (Operand::Matrix(a), Operand::Matrix(b)) = (problem.a, problem.b) else { return false };
    let [m, n, k] = problem.shape();
    let by_columns = a.col_stride == 1 && b.col_stride == 1 && b.row_stride != 1;
    let plain = problem.epilogue.beta == T::ZERO && !matches!(problem.epilogue.activation, Activation::Map(_));
    by_columns && plain && m <= FEW_ROWS && n >= 2 * m && k >= 4 * m
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
    /// How many areas C (or a block of its columns, if B is shared) is cut into, down and across; one if the
    /// product is not worth a second thread.
    pub areas: [usize; 2],
}

impl<T: GemmFloat> KernelSet<T> {
    /// Depth of a block: at most `kc`, and even chunks of k rather than a short last one.
    pub fn depth_chunk(&self, k: usize) -> usize {
        k.div_ceil(k.div_ceil(self.kc).max(1)).max(1)
    }

    /// Whether A is read where it is, for a product with so many columns of C.
    ///
    /// Its rows, if depths are neighbours: the kernel reads each of them from its beginning to its end. Its columns, if
    /// lanes are: a step reads as many neighbours of a column as a tile has rows, and the tile below the next ones,
    /// often of the same cache line. With AVX-512, whose wide tiles read A least often, it does not pay to pack it: the
    /// gradient of a weight for a batch of 16,384 takes 0.7 of the time without (Zen 4; 24 shapes in f32 and 12 in f64,
    /// of which one in f64 takes a tenth longer). With AVX2 it pays not to for
    /// few columns of C, by a tenth to a fifth, unless the columns of A [collide].
    fn reads_a_in_place(&self, a: MatRef<T>, n: usize) -> bool {
        /// Tiles of columns that may read A anew each.
        const FEW_TILES: usize = 8;
        a.col_stride == 1
            || a.row_stride == 1 && (self.is_wide() || n <= FEW_TILES * self.nr && !collide::<T>(a.col_stride))
    }

    /// Whether B is read where it is, given its transpose `b`, for a product with so many rows of C.
    ///
    /// Rows of B, which are columns of `b`, must lie as the kernel reads them. Then a small B stays in L1 as it is. Of
    /// a larger one a panel stays in L2, and where tiles are wide, to read their rows from there costs less than to
    /// pack them: with 32 rows of C a sixth of the time, with 512 still 2 %. But not where they [collide].
    fn reads_b_in_place(&self, b: MatRef<T>, m: usize) -> bool {
        /// Tiles of rows that may read B anew each, and how many if its rows keep out of each other's way.
        const FEW_TILES: usize = 16;
        const MANY_TILES: usize = 64;
        let small = b.rows.saturating_mul(b.cols) <= 16 << 10;
        let tiles = if collide::<T>(b.col_stride) { FEW_TILES } else { MANY_TILES };
        b.row_stride == 1 && (small && m <= FEW_TILES * self.mr || self.is_wide() && m <= tiles * self.mr)
    }

    /// Whether a row of a tile is some cache lines, which is so with AVX-512.
    fn is_wide(&self) -> bool {
        self.nr * size_of::<T>() >= 192
    }
}

/// Whether lines so many elements apart are a multiple of 4 kB apart: then they share few sets of the caches, one in
/// L1, and push each other out.
pub(super) fn collide<T>(stride: usize) -> bool {
    stride.wrapping_mul(size_of::<T>()) % 4096 == 0
}

impl Plan {
    /// The blocking for a product.
    pub fn new<T: GemmFloat>(problem: &Problem<T>) -> Plan {
        let [m, n, k] = problem.shape();
        let set = problem.set;
        let kc = set.depth_chunk(k);
        // So few that threads share columns, lest two of them pack, or read, the same part of B.
        let few_rows = m <= set.mc && n >= 2 * m;
        let a = match problem.a {
            Operand::Packed(_) => Way::InPlace,
            Operand::Matrix(a) if set.reads_a_in_place(a, n) => Way::InPlace,
            _ => Way::InBlocks,
        };
        let b = match problem.b {
            Operand::Packed(_) => Way::InPlace,
            Operand::Matrix(b) if set.reads_b_in_place(b, m) => Way::InPlace,
            _ if few_rows => Way::InBlocks,
            _ => Way::Shared,
        };
        let nc = match b {
            Way::InPlace => n,
            Way::InBlocks => ((16 << 10) / kc / set.nr).max(1) * set.nr,
            Way::Shared => set.nc,
        };
        let areas = if problem.work() < 2 * PARALLEL_WORK {
            [1, 1]
        } else {
            // Powers of two, so that even numbers of threads share evenly.
            let most = (problem.work() / PARALLEL_WORK).min(16);
            let power = |most: usize| 1 << most.ilog2();
            let by_rows = if few_rows { 1 } else { power(most.min(m.div_ceil(2 * set.mr))) };
            let width = if b == Way::Shared { n.min(nc) } else { n };
            // Two tiles, or with AVX-512, whose tiles are wide, somewhat more than one.
            let by_cols = power((most / by_rows).min(width.div_ceil((2 * set.nr).min(64))));
            [by_rows, by_cols]
        };
        Plan { mc: set.mc, kc, nc, a, b, areas }
    }
}
