//! The micro-kernel at the geometry of an instruction set that this machine may not have.

use super::*;

/// AVX-512's tile, of vectors of the same length that any CPU has: only its mapping of operations to
/// instructions stays untested.
#[test]
fn the_tiles_of_avx512_are_right_on_any_machine() {
    todo!()
}
