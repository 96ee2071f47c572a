//! The first rung: the definition of a matrix product, and the oracle of every other kernel.

use super::{GemmFloat, MatMut, MatRef};

/// C = A·B as three loops: each element of C is the dot product of a row of A and a column of B.
///
/// ```
/// use autograd::kernels::gemm::{MatMut, MatRef, naive};
/// let (a, b, mut c) = ([1.0, 2.0, 3.0, 4.0], [1.0, 1.0, 0.0, 1.0], [0.0; 4]);
/// naive(MatRef::row_major(&a, 2, 2), MatRef::row_major(&b, 2, 2), MatMut::row_major(&mut c, 2, 2));
/// assert_eq!(c, [1.0, 3.0, 3.0, 7.0]);
/// ```
///
/// # Panics
/// If the shapes do not match.
// ANCHOR: naive
#[track_caller]
pub fn naive<T: GemmFloat>(a: MatRef<T>, b: MatRef<T>, mut c: MatMut<T>) {
    super::check_shapes([a.rows, a.cols], [b.rows, b.cols], [c.rows(), c.cols()]);
    for i in 0..a.rows {
        for j in 0..b.cols {
            let mut sum = T::ZERO;
            for p in 0..a.cols {
                sum = sum + a.at(i, p) * b.at(p, j);
            }
            *c.at(i, j) = sum;
        }
    }
}
// ANCHOR_END: naive
