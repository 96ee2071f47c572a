//! The rung beside ours: the `matrixmultiply` crate, for comparison, and for machines that our own kernels
//! know no vector instructions of.

use super::epilogue::{Activation, Epilogue};
use super::plan::Problem;
use super::{GemmFloat, Isa, MatMut, MatRef, dispatch, loops, pack::Operand};

/// C = A·B by the `matrixmultiply` crate. It runs on as many threads as `MATMUL_NUM_THREADS` says when it is
/// first called, at most four, and on as many as there are cores if nothing is said.
///
/// ```
/// use autograd::kernels::gemm::{MatMut, MatRef, matrixmultiply};
/// let (a, b, mut c) = ([1.0, 2.0, 3.0, 4.0], [1.0, 1.0, 0.0, 1.0], [0.0; 4]);
/// matrixmultiply(MatRef::row_major(&a, 2, 2), MatRef::row_major(&b, 2, 2), MatMut::row_major(&mut c, 2, 2));
/// assert_eq!(c, [1.0, 3.0, 3.0, 7.0]);
/// ```
///
/// # Panics
/// If the shapes do not match.
#[track_caller]
pub fn matrixmultiply<T: GemmFloat>(a: MatRef<T>, b: MatRef<T>, c: MatMut<T>) {
    super::check_shapes([a.rows, a.cols], [b.rows, b.cols], [c.rows(), c.cols()]);
    product([a, b], T::ONE, T::ZERO, c.raw);
}

/// On a machine for which there is only the portable kernel, hands larger products to that crate, which
/// knows more instruction sets (SSE2, plain FMA, WebAssembly) than we do. Says whether it did.
pub(super) fn run<T: GemmFloat>(problem: &Problem<T>) -> bool {
    let Problem { a: Operand::Matrix(a), b: Operand::Matrix(b), c, epilogue, .. } = *problem else { return false };
    if problem.set.isa != Isa::Portable || Isa::best() != Isa::Portable {
        return false;
    }
    let Epilogue { alpha, beta, .. } = epilogue;
    product([a, b.t()], alpha, beta, c);
    let plain = matches!(epilogue.activation, Activation::None);
    if !plain || epilogue.row_bias.is_some() || epilogue.col_bias.is_some() {
        let biased = Epilogue { alpha: T::ZERO, beta: T::ONE, ..epilogue };
        loops::finish_all(&Problem { epilogue: biased, ..*problem }, None);
    }
    true
}

/// C = alpha·A·B + beta·C.
fn product<T: GemmFloat>([a, b]: [MatRef<T>; 2], alpha: T, beta: T, c: super::matrix::RawMut<T>) {
    // A stride beyond isize::MAX belongs to a dimension of one element at most: any value will do.
    let strides = |row: usize, col: usize| [row as isize, col as isize];
    let output = dispatch::Output { alpha, beta, c: c.start, strides: strides(c.row_stride, c.col_stride) };
    // SAFETY: `MatRef` and `MatMut` have checked that all elements lie inside their slices, and that C
    // does not overlap itself.
    unsafe {
        T::matrixmultiply(
            [a.rows, a.cols, b.cols],
            (a.as_ptr(), strides(a.row_stride, a.col_stride)),
            (b.as_ptr(), strides(b.row_stride, b.col_stride)),
            output,
        );
    }
}
