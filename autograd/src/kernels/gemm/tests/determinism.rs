//! The same bits at any number of threads.

use super::correctness::isas;
use super::*;

#[test]
fn any_number_of_threads_gives_the_same_bits() {
    let shapes: &[[usize; 3]] = if cfg!(miri) {
        &[[200, 9, 9], [6, 150, 20], [6, 5, 600], [1, 200, 50]]
    } else {
        // Shared blocks, or B where it is; own blocks; split k; vectors. All have work for several threads.
        &[
            [300, 200, 300],
            [600, 200, 300],
            [1500, 60, 40],
            [32, 1600, 64],
            [70, 60, 5000],
            [1, 3000, 1000],
            [3000, 1, 1000],
        ]
    };
    let pools: Vec<_> = if cfg!(miri) { &[3][..] } else { &[1, 2, 3, 8] }
        .iter()
        .map(|&threads| rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap())
        .collect();
    for isa in isas() {
        for &[m, n, k] in shapes {
            for (la, lb) in [(Layout::Row, Layout::Row), (Layout::Col, Layout::Row), (Layout::Row, Layout::Col)] {
                let (a, b) = (Owned::<f32>::noise([m, k], la, 1), Owned::<f32>::noise([k, n], lb, 2));
                let bias = noise(n, 3);
                let product = |serial: bool| {
                    let gemm = Gemm::new(a.view(), b.view()).col_bias(&bias).with_isa(isa);
                    let mut c = vec![0.0; m * n];
                    let gemm = if serial { gemm.serial() } else { gemm };
                    gemm.write(MatMut::row_major(&mut c, m, n));
                    c.into_iter().map(f32::to_bits).collect::<Vec<_>>()
                };
                let want = product(true);
                for pool in &pools {
                    let got = pool.install(|| product(false));
                    let threads = pool.current_num_threads();
                    assert!(got == want, "{isa:?} [{m}, {n}, {k}]: {threads} threads give other bits than one");
                }
                assert!(product(true) == want, "{isa:?} [{m}, {n}, {k}]: two runs differ");
            }
        }
    }
}
