//! Derivatives of derivatives.

use autograd::{GradOptions, Tensor, grad};

fn derivative(y: &Tensor<f64>, x: &Tensor<f64>) -> Tensor<f64> {
    grad(&[y], &[x], GradOptions::create_graph()).remove(0)
}

#[test]
fn of_a_power_to_the_end() {
    let x = Tensor::of(2.0_f64).requires_grad();
    let mut y = &x * &x * &x * &x;
    for expected in [32.0, 48.0, 48.0, 24.0] {
        y = derivative(&y, &x);
        assert_eq!(y.item(), expected);
    }
}

/// The first four derivatives of tanh, from the polynomials in t = tanh x that they are.
#[test]
fn of_tanh() {
    let x = Tensor::of(0.7_f64).requires_grad();
    let t = 0.7_f64.tanh();
    let s = 1.0 - t * t;
    let expected = [s, -2.0 * t * s, s * (6.0 * t * t - 2.0), s * (16.0 * t - 24.0 * t.powi(3))];
    let mut y = x.tanh();
    for (order, expected) in expected.into_iter().enumerate() {
        y = derivative(&y, &x);
        // Each order multiplies the rounding errors of a few operations by numbers below 100.
        assert!((y.item() - expected).abs() < 1e2 * f64::EPSILON, "order {}: {} and {expected}", order + 1, y.item());
    }
}

/// d²/dx dy and d²/dy dx.
#[test]
fn mixed_derivatives_commute() {
    let (x, y) = (Tensor::of(2.0_f64).requires_grad(), Tensor::of(3.0_f64).requires_grad());
    let z = &x * &x * &y * &y * &y;
    let dxy = derivative(&derivative(&z, &x), &y);
    let dyx = derivative(&derivative(&z, &y), &x);
    assert_eq!((dxy.item(), dyx.item()), (108.0, 108.0));
}

/// A gradient penalty: the gradient of |dy/dx|² with respect to a weight.
#[test]
fn a_gradient_penalty_reaches_the_weights() {
    let x = Tensor::from([1.0, 2.0]).requires_grad();
    let w = Tensor::from([3.0, 4.0]).requires_grad();
    let y = (&x * &x * &w).sum(..);
    let dx = grad(&[&y], &[&x], GradOptions::create_graph()).remove(0); // 2xw
    (&dx * &dx).sum(..).backward(); // 4x²w²
    assert_eq!(w.grad().unwrap().to_vec(), [24.0, 128.0]); // 8x²w
    assert_eq!(x.grad().unwrap().to_vec(), [72.0, 256.0]); // 8xw²
}

/// The output that tanh saves is attached to its history again, else this would lack a term.
#[test]
fn through_a_saved_output() {
    let x = Tensor::of(0.5_f64).requires_grad();
    let h = &x * 2.0;
    let y = h.tanh();
    let dh = derivative(&y, &h); // 1 − y²
    let d = grad(&[&dh], &[&y], GradOptions::default()).remove(0);
    assert_eq!(d.item(), -2.0 * y.item());
}

/// Gradients with a history are for the caller to hold; a leaf keeps values.
#[test]
fn a_leaf_keeps_no_history() {
    let x = Tensor::from(2.0).requires_grad();
    let dx = grad(&[&(&x * &x)], &[&x], GradOptions::create_graph()).remove(0);
    assert!(dx.has_history());
    x.set_gradient(Some(autograd::graph::Gradient::Dense(dx.clone())));
    assert!(!x.grad().unwrap().has_history());
    // One that is given arrives without its history, too.
    let options = autograd::BackwardOptions { gradient: Some(dx), ..Default::default() };
    x.take_gradient();
    (&x + 1.0).backward_with(options);
    assert_eq!((x.grad().unwrap().item(), x.grad().unwrap().has_history()), (4.0, false));
}

#[test]
fn without_create_graph_a_gradient_is_a_constant() {
    let x = Tensor::from(2.0).requires_grad();
    let dx = grad(&[&(&x * &x)], &[&x], GradOptions::default()).remove(0);
    assert!(!dx.has_history());
}
