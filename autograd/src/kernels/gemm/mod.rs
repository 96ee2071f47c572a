//! Matrix products: C = activation(alpha·A·B + beta·C + biases), for any layout of A, B and C.
//!
//! ```
//! use autograd::kernels::gemm::{Gemm, MatMut, MatRef};
//!
//! // y = relu(x·wᵀ + bias): a linear layer with PyTorch's layout of the weight.
//! let x = [1.0f32, 2.0, 3.0, 4.0, 5.0, 6.0]; // [2, 3]
//! let w = [1.0, 0.0, 0.0, 0.0, -1.0, 0.0]; // [2, 3]
//! let bias = [0.5, 0.25];
//! let mut y = [f32::NAN; 4]; // [2, 2]; never read
//! Gemm::new(MatRef::row_major(&x, 2, 3), MatRef::row_major(&w, 2, 3).t())
//!     .col_bias(&bias)
//!     .relu()
//!     .write(MatMut::row_major(&mut y, 2, 2));
//! assert_eq!(y, [1.5, 0.0, 4.5, 0.0]);
//! ```
//!
//! A ladder of four, each checked against the first: [`naive`], [`blocked`], `Gemm` with
//! [`Isa::Portable`], `Gemm` with the CPU's own instructions, on one thread or several; and beside it, to
//! compare with, [`matrixmultiply()`]. The README in this folder draws the blocking and says what runs when.
//!
//! The result is the same bits at any number of threads: blocks, chunks and kernels are chosen by shape,
//! layout and instruction set only.

#![allow(
    clippy::needless_range_loop,
    clippy::assign_op_pattern,
    clippy::wrong_self_convention,
    clippy::manual_is_multiple_of,
    clippy::pointers_in_nomem_asm_block,
    reason = "indices name rows and vectors of a tile, and `c = c + a·b` stays the formula that it is"
)]

mod blocked;
mod dispatch;
mod epilogue;
pub mod isa;
mod kernel_set;
mod loops;
mod matrix;
mod matrixmultiply;
mod microkernel;
mod pack;
mod parallel;
mod plan;
mod reference;
mod simd;
mod small;
#[cfg(test)]
mod tests;
mod vector;

pub use blocked::blocked;
pub use dispatch::{GemmFloat, Isa};
pub use epilogue::Activation;
pub use matrix::{MatMut, MatRef};
pub use matrixmultiply::matrixmultiply;
pub(crate) use pack::transpose_padded;
pub use pack::{PackSource, PackedA, PackedB, Panel, WIDEST_PANEL};
pub use reference::naive;

use epilogue::Epilogue;
use kernel_set::KernelSet;
use pack::Operand;

/// A matrix product, described step by step and run by [`Gemm::write`].
#[must_use = "a product is computed by `write` or `accumulate`"]
pub struct Gemm<'a, T: GemmFloat> {
    a: Operand<'a, T>,
    b: Operand<'a, T>,
    epilogue: Epilogue<'a, T>,
    set: Option<&'static KernelSet<T>>,
    parallel: bool,
}

/// What can be A: a [`MatRef`], a [`&PackedA`](PackedA), or a `&dyn` [`PackSource`].
#[derive(Clone, Copy)]
pub struct Left<'a, T: GemmFloat>(Operand<'a, T>);

/// What can be B: a [`MatRef`], a [`&PackedB`](PackedB), or a `&dyn` [`PackSource`].
#[derive(Clone, Copy)]
pub struct Right<'a, T: GemmFloat>(Operand<'a, T>);

impl<'a, T: GemmFloat> From<MatRef<'a, T>> for Left<'a, T> {
    #[inline]
    fn from(a: MatRef<'a, T>) -> Self {
        Left(Operand::Matrix(a))
    }
}

impl<'a, T: GemmFloat> From<MatRef<'a, T>> for Right<'a, T> {
    #[inline]
    fn from(b: MatRef<'a, T>) -> Self {
        Right(Operand::Matrix(b.t()))
    }
}

impl<'a, T: GemmFloat> From<&'a PackedA<T>> for Left<'a, T> {
    #[inline]
    fn from(a: &'a PackedA<T>) -> Self {
        Left(Operand::Packed(&a.0))
    }
}

impl<'a, T: GemmFloat> From<&'a PackedB<T>> for Right<'a, T> {
    #[inline]
    fn from(b: &'a PackedB<T>) -> Self {
        Right(Operand::Packed(&b.0))
    }
}

impl<'a, T: GemmFloat> From<&'a dyn PackSource<T>> for Left<'a, T> {
    #[inline]
    fn from(a: &'a dyn PackSource<T>) -> Self {
        Left(Operand::source(a))
    }
}

impl<'a, T: GemmFloat> From<&'a dyn PackSource<T>> for Right<'a, T> {
    #[inline]
    fn from(b: &'a dyn PackSource<T>) -> Self {
        Right(Operand::source(b))
    }
}

impl<'a, T: GemmFloat> Gemm<'a, T> {
    /// The product of `a`, `[m, k]`, and `b`, `[k, n]`.
    ///
    /// # Panics
    /// If the columns of A are not as many as the rows of B.
    #[track_caller]
    #[inline]
    pub fn new(a: impl Into<Left<'a, T>>, b: impl Into<Right<'a, T>>) -> Self {
        let (Left(a), Right(b)) = (a.into(), b.into());
        assert!(
            a.depth() == b.depth(),
            "gemm: A is [{}, {}] and B is [{}, {}]: the columns of A must be as many as the rows of B",
            a.lanes(),
            a.depth(),
            b.depth(),
            b.lanes(),
        );
        let epilogue =
            Epilogue { alpha: T::ONE, beta: T::ZERO, row_bias: None, col_bias: None, activation: Activation::None };
        Gemm { a, b, epilogue, set: None, parallel: true }
    }

    /// Scales the product; 1 unless told. With 0, A and B are not read, as in BLAS.
    #[inline]
    pub fn alpha(mut self, alpha: T) -> Self {
        self.epilogue.alpha = alpha;
        self
    }

    /// How much of the former C is added to the product; 0 unless told, and then C is not read, so that
    /// whatever was there (a NaN, too) vanishes.
    #[inline]
    pub fn beta(mut self, beta: T) -> Self {
        self.epilogue.beta = beta;
        self
    }

    /// Adds `bias[i]` to row i of the result: m values.
    #[inline]
    pub fn row_bias(mut self, bias: &'a [T]) -> Self {
        self.epilogue.row_bias = Some(bias);
        self
    }

    /// Adds `bias[j]` to column j of the result: n values.
    #[inline]
    pub fn col_bias(mut self, bias: &'a [T]) -> Self {
        self.epilogue.col_bias = Some(bias);
        self
    }

    /// Applies a function to every element of the result, after the biases.
    #[inline]
    pub fn activation(mut self, activation: Activation<'a, T>) -> Self {
        self.epilogue.activation = activation;
        self
    }

    /// [`Gemm::activation`] with [`Activation::Relu`].
    #[inline]
    pub fn relu(self) -> Self {
        self.activation(Activation::Relu)
    }

    /// Stays on the calling thread: for callers that run several products in parallel themselves. The
    /// result is the same bits.
    #[inline]
    pub fn serial(mut self) -> Self {
        self.parallel = false;
        self
    }

    /// Stays on the calling thread if there are fewer multiply-adds than that: for callers who know that the other
    /// threads are asleep by then. The result is the same bits.
    #[inline]
    pub fn serial_below(self, work: usize) -> Self {
        let [m, n, k] = [self.a.lanes(), self.b.lanes(), self.a.depth()];
        if m.saturating_mul(n).saturating_mul(k) < work { self.serial() } else { self }
    }

    /// Runs on this instruction set instead of [`Isa::best`], for tests and benches.
    ///
    /// # Panics
    /// If this machine does not have it.
    #[track_caller]
    #[inline]
    pub fn with_isa(self, isa: Isa) -> Self {
        self.with_set(dispatch::kernels(isa))
    }

    #[inline]
    fn with_set(mut self, set: &'static KernelSet<T>) -> Self {
        self.set = Some(set);
        self
    }

    /// C = C + the product: [`Gemm::write`] with a [`beta`](Gemm::beta) of 1.
    ///
    /// # Panics
    /// As [`Gemm::write`].
    #[track_caller]
    #[inline]
    pub fn accumulate(self, c: MatMut<'_, T>) {
        self.beta(T::ONE).write(c);
    }

    /// Computes the product and writes it to `c`, `[m, n]`.
    ///
    /// # Panics
    /// If C is not m by n, if a bias has not as many values as C has rows or columns, or if an operand was
    /// packed for another instruction set.
    #[track_caller]
    pub fn write(self, c: MatMut<'_, T>) {
        let Gemm { a, b, epilogue, set, parallel } = self;
        check_shapes([a.lanes(), a.depth()], [b.depth(), b.lanes()], [c.rows(), c.cols()]);
        check_bias(epilogue.row_bias, c.rows(), "rows");
        check_bias(epilogue.col_bias, c.cols(), "columns");
        let set = set.or(a.packed_for()).or(b.packed_for()).unwrap_or_else(dispatch::best_kernels);
        for packed in [a.packed_for(), b.packed_for()].into_iter().flatten() {
            let (was, is) = (packed.isa, set.isa);
            assert!(
                std::ptr::eq(packed, set),
                "gemm: an operand was packed for {was:?}, and the product runs on {is:?}"
            );
        }
        plan::run(&plan::Problem { set, a, b, c: c.raw, epilogue, parallel });
    }
}

/// Panics unless C is as A·B.
#[track_caller]
#[inline]
fn check_shapes(a: [usize; 2], b: [usize; 2], c: [usize; 2]) {
    assert!(a[1] == b[0] && c == [a[0], b[1]], "gemm: A is {a:?} and B is {b:?}, which does not give a C of {c:?}");
}

/// Panics unless a bias has a value for each of C's `of`.
#[track_caller]
#[inline]
fn check_bias<T>(bias: Option<&[T]>, len: usize, of: &str) {
    if let Some(bias) = bias {
        assert!(bias.len() == len, "gemm: a bias of {} values for the {len} {of} of C", bias.len());
    }
}
