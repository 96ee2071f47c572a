//! Anomaly mode names the operation, and the line of the caller's code, that first made a NaN or an
//! infinity, forward or backward.

use super::panics::message;
use autograd::{GradOptions, Grads, Op, Tensor, detect_anomaly, grad};

/// |x|^½, whose derivative is infinite at 0.
#[derive(Clone)]
struct Root {
    x: Tensor,
}

impl Op<f32> for Root {
    const NAME: &'static str = "root";
    fn backward(self, dy: Tensor, grads: &mut Grads<f32>) {
        let root = Tensor::from_fn(self.x.shape(), |i| self.x.to_vec()[i].sqrt());
        grads.set(0, || dy * 0.5 / root);
    }
}

fn root(x: &Tensor) -> Tensor {
    let x = x.clone();
    Tensor::from_fn(x.shape(), |i| x.to_vec()[i].sqrt()).recorded([&x], || Root { x: x.clone() })
}

#[test]
fn forward() {
    let x = Tensor::from([[1.0, 2.0], [3.0, 0.0]]).requires_grad();
    let message = message(|| {
        detect_anomaly(|| {
            let y = &x / &x;
            // NaN already; the first one is what counts.
            drop(y * 2.0);
        });
    });
    let line = line!() - 5;
    let expected = format!(
        "anomaly: forward of div at {}:{line}:21 made NaN at index [1, 1]; its inputs, of shapes [[2, 2], [2, 2]], were \
         finite",
        file!()
    );
    assert_eq!(message, expected);
}

/// It is enough that the mode is on during backward.
#[test]
fn backward() {
    let x = Tensor::from([4.0, 0.0]).requires_grad();
    let line = line!() + 1;
    let h = root(&(&x * 1.0));
    let y = (h * 3.0).sum(..);
    let message = message(|| detect_anomaly(|| y.backward()));
    let at = format!("anomaly: backward of root at {}:", file!());
    assert!(message.starts_with(&at), "{message} on line {line}");
    let rest = " made inf at index [1] in the gradient of its input 0; the gradient it was given was finite";
    assert!(message.ends_with(rest), "{message}");
}

/// The line is that of the operation, even if the backward of it is made of others.
#[test]
fn backward_that_is_made_of_operations() {
    // The gradient of the dividend, 1/0, is infinite as well, but that of the divisor comes first.
    let (x, zero) = (Tensor::from(1.0).requires_grad(), Tensor::from(0.0).requires_grad());
    let line = line!() + 1;
    let y = &x / &zero;
    let message = message(|| detect_anomaly(|| y.backward()));
    let place = format!(
        "anomaly: backward of div at {}:{line}:13 made -inf at index [] in the gradient of its input 1",
        file!()
    );
    assert!(message.starts_with(&place), "{message}");
}

/// In the graph of a backward pass, the line is that of the operation that was differentiated.
#[test]
fn second_derivative() {
    let x = Tensor::from(1e-30).requires_grad();
    let line = line!() + 1;
    let y = Tensor::from(1e-30) / &x;
    // −10⁻³⁰/x² is 10³⁰, and the next derivative, 2·10⁻³⁰/x³, no longer fits f32.
    let dx = grad(&[&y], &[&x], GradOptions::create_graph()).remove(0);
    assert!(dx.item().is_finite());
    let message = message(|| detect_anomaly(|| drop(grad(&[&dx], &[&x], GradOptions::default()))));
    let place = format!(" at {}:{line}:13 (in the backward of div) made ", file!());
    assert!(message.starts_with("anomaly: backward of ") && message.contains(&place), "{message}");
}

#[test]
fn a_hook() {
    let x = Tensor::from(2.0).requires_grad();
    let y = &x * 3.0;
    y.register_hook(|dy| Some(dy.full_like(f32::INFINITY)));
    let message = message(|| detect_anomaly(|| y.backward()));
    assert!(message.starts_with("anomaly: a hook on mul at ") && message.contains(" made inf "), "{message}");
}

#[test]
fn values_that_are_not_finite_from_the_start_are_nobodys_fault() {
    let x = Tensor::from([f32::INFINITY, 1.0]).requires_grad();
    detect_anomaly(|| (&x * 2.0).sum(..).backward());
    assert_eq!(x.grad().unwrap().to_vec(), [2.0, 2.0]);
}

#[test]
fn outside_the_mode_nothing_is_checked() {
    let x = Tensor::from(0.0).requires_grad();
    detect_anomaly(|| ());
    (&x / &x).backward();
    assert!(x.grad().unwrap().item().is_nan());
}
