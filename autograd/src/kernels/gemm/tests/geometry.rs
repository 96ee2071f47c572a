//! The micro-kernel at the geometry of an instruction set that this machine may not have.

use super::*;
use crate::kernels::gemm::isa::portable::Portable;
use crate::kernels::gemm::kernel_set::kernel_set;

/// AVX-512's tiles, with vectors of its length that are arrays.
static LIKE_AVX512_F32: KernelSet<f32> = kernel_set!(
    f32, Portable<16>, inline, isa: Isa::Portable,
    rows: [1 2 3 4 5 6 7 8], vectors: [1 2 3], half: Portable<8>,
    mc: 144, kc: 1024, nc: 1008,
);
/// NEON's tiles, and small blocks so that small products have many.
static LIKE_NEON_F32: KernelSet<f32> = kernel_set!(
    f32, Portable<4>, inline, isa: Isa::Portable,
    rows: [1 2 3 4 5 6 7 8], vectors: [1 2 3],
    mc: 16, kc: 8, nc: 24,
);

/// So that of AVX-512 only the mapping of operations to instructions stays untested on a machine without.
#[test]
fn the_tiles_of_other_instruction_sets_are_right_here() {
    let rows: Vec<usize> = if cfg!(miri) { vec![13] } else { (1..=13).chain([24, 25, 191, 193]).collect() };
    let cols: &[usize] = if cfg!(miri) {
        &[33]
    } else {
        &[1, 4, 8, 15, 16, 17, 24, 31, 32, 33, 40, 47, 48, 49, 64, 70, 97, 127, 144, 255, 256, 257]
    };
    for &m in &rows {
        for &n in cols {
            for k in if cfg!(miri) { &[7][..] } else { &[1, 4, 7, 18] } {
                for layouts in
                    [[Layout::Row; 3], [Layout::Col, Layout::Row, Layout::Col], [Layout::Row, Layout::Col, Layout::Row]]
                {
                    let case = Case { layouts, col_bias: true, ..Case::plain([m, n, *k]) };
                    case.check(&LIKE_AVX512_F32, "matrices");
                    case.check(&LIKE_NEON_F32, "matrices");
                }
            }
        }
    }
    for way in Case::WAYS {
        let case =
            Case { beta: 0.5, relu: true, ..Case::plain(if cfg!(miri) { [14, 35, 9] } else { [205, 70, 1100] }) };
        case.check(&LIKE_AVX512_F32, way);
        case.check(&LIKE_NEON_F32, way);
    }
}
