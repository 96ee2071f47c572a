//! The second rung: the same arithmetic in an order that caches and the compiler like.
//!
//! Three changes to [`naive`](super::naive), no instructions by hand:
//!
//! 1. The loop over the columns of B is innermost. It walks rows of B and of C, which are contiguous, so
//!    the compiler turns it into vector code, and every cache line that is fetched is used whole.
//! 2. The loops are cut into blocks, so that a block of B ([`DEPTH`] × [`COLS`]) stays in the L2 cache
//!    while all rows of A pass over it.
//! 3. That block is copied once, row behind row, so that the loop over it is the same for every layout.
//!
//! What is still missing is register reuse: each multiply-add loads and stores an element of C. The
//! micro-kernel of the next rung keeps a tile of C in registers instead.

use super::{GemmFloat, MatMut, MatRef};

/// Rows of B in a block.
const DEPTH: usize = 128;
/// Columns of B in a block: with `DEPTH`, 128 kB of f32.
const COLS: usize = 256;

/// C = A·B, blocked for the cache.
///
/// # Panics
/// If the shapes do not match.
#[track_caller]
pub fn blocked<T: GemmFloat>(a: MatRef<T>, b: MatRef<T>, mut c: MatMut<T>) {
    super::check_shapes([a.rows, a.cols], [b.rows, b.cols], [c.rows(), c.cols()]);
    let (m, k, n) = (a.rows, a.cols, b.cols);
    let width = COLS.min(n);
    let mut block = vec![T::ZERO; DEPTH.min(k) * width];
    let mut c_row = [T::ZERO; COLS];
    for j0 in (0..n).step_by(COLS) {
        let cols = COLS.min(n - j0);
        for i in 0..m {
            for j in 0..cols {
                *c.at(i, j0 + j) = T::ZERO;
            }
        }
        // ANCHOR: block
        for p0 in (0..k).step_by(DEPTH) {
            let depth = DEPTH.min(k - p0);
            for p in 0..depth {
                for j in 0..cols {
                    block[p * width + j] = b.at(p0 + p, j0 + j);
                }
            }
            for i in 0..m {
                for j in 0..cols {
                    c_row[j] = *c.at(i, j0 + j);
                }
                for (p, b_row) in block.chunks_exact(width).take(depth).enumerate() {
                    let a_ip = a.at(i, p0 + p);
                    for (c_ij, &b_pj) in c_row[..cols].iter_mut().zip(&b_row[..cols]) {
                        *c_ij = *c_ij + a_ip * b_pj;
                    }
                }
                for j in 0..cols {
                    *c.at(i, j0 + j) = c_row[j];
                }
            }
        }
        // ANCHOR_END: block
    }
}
