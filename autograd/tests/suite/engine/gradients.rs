//! Gradients where tensors are used several times, add up, or are asked for by `grad`.

use super::panics::message_at_callers_line;
use autograd::{BackwardOptions, GradOptions, Tensor, grad};

fn leaf(x: f32) -> Tensor {
    Tensor::from(x).requires_grad()
}

fn gradient(x: &Tensor) -> f32 {
    x.grad().unwrap().item()
}

/// The trap of engines that walk the graph in the wrong order: c's gradient must be whole before b's
/// is calculated.
#[test]
fn a_sum_with_itself_of_a_sum_with_itself() {
    let a = leaf(3.0);
    let b = &a + &a;
    let c = &b + &b;
    b.retain_grad();
    c.backward();
    assert_eq!((gradient(&a), b.retained_grad().unwrap().item()), (4.0, 2.0));
}

#[test]
fn a_leaf_in_two_branches() {
    let x = leaf(3.0);
    let y = (&x * 2.0) * (&x + 1.0); // 2x² + 2x
    y.backward();
    assert_eq!(gradient(&x), 14.0);
}

/// Ten diamonds in a row have 2¹⁰ paths.
#[test]
fn diamonds() {
    let x = leaf(1.0);
    let y = (0..10).fold(x.clone(), |y, _| &y * 2.0 + &y * 3.0);
    y.backward();
    assert_eq!(gradient(&x), 5_f32.powi(10));
}

/// A short branch and a long one: the short one must wait.
#[test]
fn branches_of_unequal_length() {
    let x = leaf(2.0);
    let h = &x * &x;
    let long = (0..50).fold(h.clone(), |y, _| -&y);
    (&h * 10.0 + long).backward();
    assert_eq!(gradient(&x), 4.0 * 11.0);
}

/// An old branch that joins late, and a new one that joins early.
#[test]
fn the_order_of_calculation_is_not_that_of_use() {
    let (x, w) = (leaf(2.0), leaf(5.0));
    let late = &w * 3.0;
    let h = (0..5).fold(x.clone(), |h, _| &h * 1.0);
    let y = &h * &w + late * &x;
    y.backward();
    assert_eq!((gradient(&x), gradient(&w)), (20.0, 8.0));
}

#[test]
fn a_broadcast_gradient_is_summed() {
    let w = Tensor::from([[1.0], [2.0]]).requires_grad();
    let y = &w * Tensor::from([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]);
    y.sum(..).backward();
    assert_eq!(*w.grad().unwrap().shape(), [2, 1]);
    assert_eq!(w.grad().unwrap().to_vec(), [6.0, 15.0]);
}

#[test]
fn gradients_add_up_over_backward_passes() {
    let x = leaf(3.0);
    (&x * &x).backward();
    (&x * 10.0).backward();
    assert_eq!(gradient(&x), 16.0);
    assert!(x.take_gradient().is_some());
    assert!(x.grad().is_none());
    (&x * 10.0).backward();
    assert_eq!(gradient(&x), 10.0);
}

/// Adding to a leaf's gradient does not change one that was read before.
#[test]
fn a_gradient_that_was_read_stays_as_it_was() {
    let x = leaf(3.0);
    (&x * 2.0).backward();
    let before = x.grad().unwrap();
    (&x * 2.0).backward();
    assert_eq!((before.item(), gradient(&x)), (2.0, 4.0));
}

/// The two gradients of a sum are one tensor; each adds up on its own.
#[test]
fn gradients_that_share_memory_do_not_mix() {
    let (a, b) = (leaf(1.0), leaf(2.0));
    (&a + &b).backward();
    (&a * 5.0).backward();
    assert_eq!((gradient(&a), gradient(&b)), (6.0, 1.0));
}

#[test]
fn a_gradient_that_is_given() {
    let x = Tensor::from([1.0, 2.0]).requires_grad();
    let dy = Some(Tensor::from([3.0, 5.0]));
    (&x * &x).backward_with(BackwardOptions { gradient: dy, ..Default::default() });
    assert_eq!(x.grad().unwrap().to_vec(), [6.0, 20.0]);
}

#[test]
fn a_leaf_is_its_own_derivative() {
    let x = leaf(3.0);
    x.backward();
    assert_eq!(gradient(&x), 1.0);
    assert_eq!(grad(&[&x], &[&x], GradOptions::default())[0].item(), 1.0);
}

#[test]
fn gradients_of_intermediates() {
    let x = leaf(3.0);
    let h = &x * &x;
    let y = &h * &h;
    let g = grad(&[&y], &[&h, &x, &y, &h], GradOptions::default());
    assert_eq!(g.iter().map(Tensor::item).collect::<Vec<_>>(), [18.0, 108.0, 1.0, 18.0]);
    assert!(x.grad().is_none(), "grad touches no leaf");
}

#[test]
fn several_outputs_add_up() {
    let x = leaf(3.0);
    let (y, z) = (&x * &x, &x * 2.0);
    assert_eq!(grad(&[&y, &z], &[&x], GradOptions::default())[0].item(), 8.0);

    let weights = Some(vec![Tensor::from(10.0), Tensor::from(100.0)]);
    let (y, z) = (&x * &x, &x * 2.0);
    let options = GradOptions { grad_outputs: weights, ..Default::default() };
    assert_eq!(grad(&[&y, &z], &[&x], options)[0].item(), 260.0);
}

/// What `grad` does not need it does not calculate, and so does not consume.
#[test]
fn only_what_leads_to_the_inputs_is_consumed() {
    let (x, w) = (leaf(3.0), leaf(5.0));
    let h = &x * &x;
    let y = &h * &w;
    let dw = grad(&[&y], &[&w], GradOptions::default()).remove(0);
    assert_eq!(dw.item(), 9.0);
    h.backward();
    assert_eq!(gradient(&x), 6.0);
}

#[test]
fn inputs_that_nothing_depends_on() {
    let (x, unused) = (leaf(3.0), Tensor::zeros([2, 3]).requires_grad());
    let y = &x * 2.0;
    let message = message_at_callers_line(|| drop(grad(&[&y], &[&x, &unused], GradOptions::default())));
    assert_eq!(message, "grad: no output depends on input 1, of shape [2, 3]; allow_unused gives zeros instead");

    let y = &x * 2.0;
    let g = grad(&[&y], &[&x, &unused], GradOptions { allow_unused: true, ..Default::default() });
    assert_eq!((g[0].item(), g[1].to_vec()), (2.0, vec![0.0; 6]));
}

#[test]
fn mistakes_are_told_at_the_line_that_makes_them() {
    let x = Tensor::from([1.0, 2.0]).requires_grad();
    let (y, constant) = (&x * 2.0, Tensor::zeros(3));
    let grad_of = |outputs: &[&Tensor], inputs: &[&Tensor]| outputs.len() + inputs.len();
    assert_eq!(grad_of(&[&y], &[&x]), 2);

    let message = message_at_callers_line(|| y.backward());
    assert_eq!(message, "backward: a tensor of shape [2] is not a single number; sum it, or give its gradient");
    let message = message_at_callers_line(|| constant.backward());
    assert_eq!(message, "backward: a tensor of shape [3] that was calculated from no leaf that requires a gradient");
    let wrong = BackwardOptions { gradient: Some(Tensor::zeros(3)), ..Default::default() };
    let message = message_at_callers_line(|| y.backward_with(wrong));
    assert_eq!(message, "backward: a gradient of shape [3] for a tensor of shape [2]");

    let message = message_at_callers_line(|| drop(grad(&[&y], &[&x], GradOptions::default())));
    assert_eq!(message, "grad: a tensor of shape [2] is not a single number; sum it, or give its gradient");
    let z = y.sum(..);
    let message = message_at_callers_line(|| drop(grad(&[&z], &[&constant], GradOptions::default())));
    assert_eq!(message, "grad: input 0, of shape [3], does not require a gradient");
    let two = GradOptions { grad_outputs: Some(vec![Tensor::from(1.0); 2]), ..Default::default() };
    let message = message_at_callers_line(|| drop(grad(&[&z], &[&x], two)));
    assert_eq!(message, "grad: 2 grad_outputs for 1 outputs");
}
