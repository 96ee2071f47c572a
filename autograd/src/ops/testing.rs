//! Holds values and gradients of element-wise functions against those of PyTorch, in `f32` and `f64`,
//! by both ways that backward can run.
//!
//! The expected numbers in the tests of this folder were printed by PyTorch 2.15 in `float64`.

use crate::graph::{GradOptions, grad};
use crate::kernels::element::Float;
use crate::tensor::Tensor;

/// The largest relative error that passes, in units of ε. A function here is at most half a dozen
/// roundings of ε/2 each around one function of [`kernels::math`](crate::kernels::math), which is
/// within 2.5 units of the last place: 2.5ε.
const TOLERANCE: f64 = 6.0;

fn assert_close<T: Float>(what: &str, at: &[f64], got: T, want: f64) {
    let got = got.to_f64();
    // Zeros and infinities with their signs.
    let same = got.to_bits() == want.to_bits() || got.is_nan() && want.is_nan();
    let close = want != 0.0 && want.is_finite() && (got - want).abs() <= TOLERANCE * T::EPSILON.to_f64() * want.abs();
    assert!(same || close, "{what} at {at:?} is {got:e} in {}, PyTorch says {want:e}", T::DTYPE);
}

fn column<T: Float, const N: usize>(cases: &[[f64; N]], i: usize) -> Tensor<T> {
    Tensor::from_fn([cases.len()], |row| {
        let x = T::from_f64(cases[row][i]);
        assert!(x.is_nan() || x.to_f64() == cases[row][i], "{:e} is not a {}", cases[row][i], T::DTYPE);
        x
    })
}

/// Each case is `[x, y, dx]` with dx for dy = 1.
pub(crate) fn check_function<T: Float>(f: impl Fn(&Tensor<T>) -> Tensor<T>, cases: &[[f64; 3]]) {
    let x = column::<T, 3>(cases, 0).requires_grad();
    for create_graph in [true, false] {
        let y = f(&x);
        let options = GradOptions { create_graph, grad_outputs: Some(vec![y.ones_like()]), ..Default::default() };
        let dx = grad(&[&y], &[&x], options).remove(0);
        for (&[x, want_y, want_dx], (y, dx)) in cases.iter().zip(y.iter().zip(dx.iter())) {
            assert_close("y", &[x], y, want_y);
            assert_close(if create_graph { "dx (create_graph)" } else { "dx" }, &[x], dx, want_dx);
        }
    }
}

/// Each case is `[a, b, y, da, db]` with gradients for dy = 1.
pub(crate) fn check_function2<T: Float>(f: impl Fn(&Tensor<T>, &Tensor<T>) -> Tensor<T>, cases: &[[f64; 5]]) {
    let (a, b) = (column::<T, 5>(cases, 0).requires_grad(), column::<T, 5>(cases, 1).requires_grad());
    for create_graph in [true, false] {
        let y = f(&a, &b);
        let options = GradOptions { create_graph, grad_outputs: Some(vec![y.ones_like()]), ..Default::default() };
        let gradients = grad(&[&y], &[&a, &b], options);
        let (y, da, db) = (y.to_vec(), gradients[0].to_vec(), gradients[1].to_vec());
        for (i, &[a, b, want_y, want_da, want_db]) in cases.iter().enumerate() {
            let path = if create_graph { " (create_graph)" } else { "" };
            assert_close("y", &[a, b], y[i], want_y);
            assert_close(&format!("da{path}"), &[a, b], da[i], want_da);
            assert_close(&format!("db{path}"), &[a, b], db[i], want_db);
        }
    }
}

pub(crate) const INF: f64 = f64::INFINITY;
pub(crate) const NAN: f64 = f64::NAN;

/// `assert_like_pytorch!(|x| x.exp(), [[x, y, dx], ..])`, and the same with two arguments.
macro_rules! assert_like_pytorch {
    (|$x:ident| $f:expr, $cases:expr) => {
        $crate::ops::testing::check_function::<f32>(|$x| $f, &$cases);
        $crate::ops::testing::check_function::<f64>(|$x| $f, &$cases);
    };
    (|$a:ident, $b:ident| $f:expr, $cases:expr) => {
        $crate::ops::testing::check_function2::<f32>(|$a, $b| $f, &$cases);
        $crate::ops::testing::check_function2::<f64>(|$a, $b| $f, &$cases);
    };
}
pub(crate) use assert_like_pytorch;
