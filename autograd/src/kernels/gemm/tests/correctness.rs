//! Every rung, every instruction set, every edge.

use super::*;

/// The instruction sets to test, saying aloud which are left out.
pub fn isas() -> Vec<Isa> {
    for isa in Isa::ALL.into_iter().filter(|isa| !isa.is_available()) {
        eprintln!("NOT TESTED: this machine cannot run the {isa:?} kernels");
    }
    Isa::available()
}

fn check_both(case: Case, isa: Isa, way: &str) {
    case.check::<f32>(dispatch::kernels(isa), way);
    case.check::<f64>(dispatch::kernels(isa), way);
}

/// Sizes around a multiple of every tile, and primes. Miri, ten thousand times slower, gets fewer, here and below,
/// and every tile of every instruction set in [`every_kernel`].
const EDGES: &[usize] = if cfg!(miri) { &[1, 9] } else { &[1, 2, 3, 5, 6, 7, 8, 9, 12, 13, 15, 16, 17, 31, 33, 37] };

#[test]
fn shapes() {
    for isa in isas() {
        for &m in EDGES {
            for &n in EDGES {
                for &k in if cfg!(miri) { &[1, 5][..] } else { &[1, 2, 4, 5, 17] } {
                    check_both(Case::plain([m, n, k]), isa, "matrices");
                }
            }
        }
    }
}

/// One product for each kernel: so many rows, so many vectors, of which the last is whole, partial or half as long, and
/// B read in place, where that takes a mask, or padded.
#[test]
fn every_kernel() {
    fn check<T: GemmFloat>(isa: Isa) {
        let set = dispatch::kernels::<T>(isa);
        let half = set.narrow.as_ref().map_or(0, |narrow| narrow.lanes);
        let last = [0, 1, half, half + 1, set.lanes - 1];
        for rows in 1..=set.mr {
            for cols in (1..=set.nr).filter(|cols| last.contains(&(cols % set.lanes))) {
                // A single row or column would be another kernel's, so it is what is left of a larger product.
                let m = if rows == 1 { set.mr + 1 } else { rows };
                let n = if cols == 1 { set.nr + 1 } else { cols };
                // Four steps of a kernel at once, and one alone.
                let case = Case::plain([m, n, 5]);
                case.check(set, "matrices");
                case.check(set, "packed B");
            }
        }
    }
    for isa in isas() {
        check::<f32>(isa);
        check::<f64>(isa);
    }
}

#[test]
fn layouts_and_ways() {
    let shapes: &[[usize; 3]] =
        if cfg!(miri) { &[[5, 9, 6]] } else { &[[7, 19, 21], [1, 37, 23], [41, 1, 13], [33, 67, 65]] };
    for isa in isas() {
        for &shape in shapes {
            for a in Layout::INPUT {
                for b in Layout::INPUT {
                    for c in Layout::OUTPUT {
                        let case = Case { layouts: [a, b, c], ..Case::plain(shape) };
                        check_both(case, isa, "matrices");
                        if a == b {
                            Case::WAYS[1..].iter().for_each(|way| check_both(case, isa, way));
                        }
                    }
                }
            }
        }
    }
}

#[test]
fn alpha_beta_and_epilogues() {
    let shapes: &[[usize; 3]] =
        if cfg!(miri) { &[[5, 9, 6]] } else { &[[13, 35, 9], [1, 35, 9], [35, 1, 9], [64, 48, 1100]] };
    for isa in isas() {
        for &shape in shapes {
            for c in [Layout::Row, Layout::Col, Layout::Strided] {
                let scales = [(2.0, -1.5), (1.0, 0.0), (1.0, 1.0), (-0.5, 0.0), (0.0, 0.0), (0.0, 2.0)];
                for (alpha, beta) in scales.into_iter().take(if cfg!(miri) { 2 } else { 6 }) {
                    for bits in if cfg!(miri) { 7..8 } else { 0..8 } {
                        let (row_bias, col_bias, relu) = (bits & 1 != 0, bits & 2 != 0, bits & 4 != 0);
                        let layouts = [Layout::Row, Layout::Row, c];
                        check_both(Case { shape, layouts, alpha, beta, row_bias, col_bias, relu }, isa, "matrices");
                    }
                }
            }
        }
    }
}

/// Sizes that take each of the larger ways: several blocks of rows, of columns, of depth, and a split k.
#[test]
fn blocks_chunks_and_splits() {
    let shapes: &[[usize; 3]] = if cfg!(miri) {
        &[[200, 6, 7], [3, 60, 50], [3, 5, 600]]
    } else {
        &[
            [210, 70, 90],
            [130, 300, 20],
            [20, 1100, 30],
            [14, 90, 1100],
            [100, 130, 1030],
            [40, 30, 5000],
            [3, 5, 20_000],
        ]
    };
    for isa in isas() {
        for &shape in shapes {
            let layouts = [(Layout::Col, Layout::RowPart), (Layout::Row, Layout::Row), (Layout::Row, Layout::Col)];
            for (a, b) in layouts.into_iter().take(if cfg!(miri) { 1 } else { 3 }) {
                let case = Case { layouts: [a, b, Layout::Row], col_bias: true, ..Case::plain(shape) };
                check_both(case, isa, "matrices");
                check_both(Case { beta: 1.0, layouts: [a, b, Layout::Col], ..case }, isa, "matrices");
            }
            let ways = &Case::WAYS[if cfg!(miri) { 3 } else { 1 }..];
            ways.iter().for_each(|way| check_both(Case { beta: 0.5, ..Case::plain(shape) }, isa, way));
        }
    }
}

#[test]
fn empty_products() {
    for isa in isas() {
        for shape in [[0, 3, 4], [3, 0, 4], [3, 4, 0], [0, 0, 0]] {
            for beta in [0.0, 1.0, 0.5] {
                for relu in [false, true] {
                    let case = Case { beta, relu, row_bias: true, col_bias: true, ..Case::plain(shape) };
                    Case::WAYS.iter().for_each(|way| check_both(case, isa, way));
                }
            }
        }
    }
}

#[test]
fn the_lower_rungs_are_right() {
    let [m, n, k] = if cfg!(miri) { [5, 7, 6] } else { [21, 300, 150] };
    // Whole numbers, so that every order of summation gives the same bits.
    let whole = |shape: [usize; 2], seed| {
        let mut matrix = Owned::<f32>::noise(shape, Layout::Strided, seed);
        matrix.data.iter_mut().for_each(|x| *x = (*x * 8.0).round());
        matrix
    };
    let (a, b) = (whole([m, k], 1), whole([k, n], 2));
    let mut want = vec![f32::NAN; m * n];
    naive(a.view(), b.view(), MatMut::row_major(&mut want, m, n));
    let mut got = vec![f32::NAN; m * n];
    blocked(a.view(), b.view(), MatMut::row_major(&mut got, m, n));
    assert_eq!(got, want);
    for isa in isas() {
        got.fill(f32::NAN);
        Gemm::new(a.view(), b.view()).with_isa(isa).write(MatMut::row_major(&mut got, m, n));
        assert_eq!(got, want, "{isa:?}");
    }
}

#[test]
fn a_function_is_applied_to_every_element_once() {
    let double = |xs: &mut [f32]| xs.iter_mut().for_each(|x| *x = 2.0 * *x + 1.0);
    let shapes: &[[usize; 3]] = if cfg!(miri) {
        &[[5, 9, 6]]
    } else {
        &[[5, 9, 6], [1, 200, 3], [200, 1, 3], [9, 9, 0], [300, 90, 70], [20, 20, 6000]]
    };
    for isa in isas() {
        for &[m, n, k] in shapes {
            for layout in Layout::OUTPUT {
                let (a, b) = (Owned::noise([m, k], Layout::Row, 1), Owned::noise([k, n], Layout::Row, 2));
                let mut plain = Owned::<f32>::noise([m, n], layout, 3);
                let mut mapped = plain.clone();
                Gemm::new(a.view(), b.view()).with_isa(isa).write(plain.view_mut());
                Gemm::new(a.view(), b.view())
                    .with_isa(isa)
                    .activation(Activation::Map(&double))
                    .write(mapped.view_mut());
                for i in 0..m {
                    for j in 0..n {
                        let mut want = [plain.view().at(i, j)];
                        double(&mut want);
                        assert_eq!(mapped.view().at(i, j), want[0], "{isa:?} [{m}, {n}, {k}] {layout:?} at ({i}, {j})");
                    }
                }
            }
        }
    }
}

#[test]
fn nan_and_infinity_reach_their_rows_and_columns() {
    for isa in isas() {
        for (m, n, k) in [(7, 18, 9), (1, 70, 9), (70, 1, 40)] {
            for relu in [false, true] {
                let mut a = noise::<f32>(m * k, 1);
                let b = vec![1.0; k * n];
                a[(m / 2) * k + k - 1] = f32::NAN;
                let mut c = vec![0.0; m * n];
                let run = |a: &[f32], c: &mut [f32]| {
                    let mut gemm = Gemm::new(MatRef::row_major(a, m, k), MatRef::row_major(&b, k, n)).with_isa(isa);
                    if relu {
                        gemm = gemm.relu();
                    }
                    gemm.write(MatMut::row_major(c, m, n));
                };
                run(&a, &mut c);
                for (at, x) in c.iter().enumerate() {
                    assert_eq!(x.is_nan(), at / n == m / 2, "{isa:?} relu {relu}: C[{}, {}] is {x}", at / n, at % n);
                }
                a[(m / 2) * k + k - 1] = f32::INFINITY;
                run(&a, &mut c);
                for (at, x) in c.iter().enumerate() {
                    assert_eq!(*x == f32::INFINITY, at / n == m / 2, "{isa:?}: C[{}, {}] is {x}", at / n, at % n);
                }
            }
        }
    }
}

#[test]
#[should_panic(expected = "A is [2, 3] and B is [4, 5]")]
fn operands_that_do_not_match_are_refused() {
    let data = [0.0f32; 20];
    let _ = Gemm::new(MatRef::row_major(&data, 2, 3), MatRef::row_major(&data, 4, 5));
}

#[test]
#[should_panic(expected = "which does not give a C of [5, 2]")]
fn an_output_of_another_shape_is_refused() {
    let data = [0.0f32; 20];
    Gemm::new(MatRef::row_major(&data, 2, 4), MatRef::row_major(&data, 4, 5)).write(MatMut::row_major(
        &mut [0.0; 10],
        5,
        2,
    ));
}

#[test]
#[should_panic(expected = "a bias of 4 values for the 5 columns")]
fn a_bias_of_another_length_is_refused() {
    let data = [0.0f32; 20];
    let gemm = Gemm::new(MatRef::row_major(&data, 2, 4), MatRef::row_major(&data, 4, 5));
    gemm.col_bias(&[0.0; 4]).write(MatMut::row_major(&mut [0.0; 10], 2, 5));
}

#[test]
fn the_plain_rungs_agree_in_every_layout() {
    let shape @ [m, n, k] = if cfg!(miri) { [3, 5, 4] } else { [19, 300, 140] };
    for [a, b, c] in [
        [Layout::Row; 3],
        [Layout::Col, Layout::RowPart, Layout::Col],
        [Layout::Broadcast, Layout::Strided, Layout::Strided],
    ] {
        let (a, b) = (Owned::<f64>::noise([m, k], a, 1), Owned::<f64>::noise([k, n], b, 2));
        let mut results = Vec::new();
        for rung in [naive, blocked, matrixmultiply] {
            let mut c = Owned::<f64>::noise([m, n], c, 3);
            rung(a.view(), b.view(), c.view_mut());
            results.push((0..m * n).map(|at| c.view().at(at / n, at % n)).collect::<Vec<f64>>());
        }
        // A sum of k products of numbers up to 1, in any order.
        let bound = (k * k) as f64 * f64::EPSILON;
        for other in &results[1..] {
            let worst = results[0].iter().zip(other).map(|(x, y)| (x - y).abs()).fold(0.0, f64::max);
            assert!(worst <= bound, "{shape:?}: off by {worst:e}");
        }
    }
}
