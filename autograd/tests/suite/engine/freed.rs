//! A graph can be gone through once, or as often as `retain_graph` says; after that, there is a clear
//! error and never a wrong gradient.

use super::panics::message_at_callers_line;
use autograd::{BackwardOptions, GradOptions, Tensor, grad};

fn retain() -> BackwardOptions {
    BackwardOptions { retain_graph: true, ..Default::default() }
}

#[test]
fn a_retained_graph_gives_the_same_again() {
    let x = Tensor::from([1.0, 2.0]).requires_grad();
    let y = (&x * &x).tanh().sum(..);
    y.backward_with(retain());
    let once = x.grad().unwrap().to_vec();
    y.backward_with(retain());
    y.backward();
    // 3a is rounded, 2a is not: (2a) + a, where a + a is exact.
    let thrice: Vec<f32> = once.iter().map(|a| (a + a) + a).collect();
    assert_eq!(x.grad().unwrap().to_vec(), thrice);
}

#[test]
fn a_second_backward_says_that_the_graph_is_freed() {
    let x = Tensor::from(3.0).requires_grad();
    let line = line!() + 1;
    let y = &x * &x;
    y.backward();
    let message = message_at_callers_line(|| y.backward());
    let expected = format!(
        "backward: the graph was freed by an earlier backward, at mul ({}:{line}:13); to go back through it twice, the \
         first must set retain_graph",
        file!()
    );
    assert_eq!(message, expected);
    assert_eq!(x.grad().unwrap().item(), 6.0, "the gradient of the first");
}

#[test]
fn grad_through_a_freed_graph_says_so_too() {
    let x = Tensor::from(3.0).requires_grad();
    let h = &x * &x;
    let y = &h * 2.0;
    y.backward();
    let message = message_at_callers_line(|| drop(grad(&[&y], &[&x], GradOptions::default())));
    assert!(message.starts_with("backward: the graph was freed by an earlier backward, at mul"), "{message}");
    let options = GradOptions { allow_unused: true, ..Default::default() };
    let message = message_at_callers_line(|| drop(grad(&[&y], &[&x], options)));
    assert!(message.starts_with("backward: the graph was freed"), "no zeros for what is not known: {message}");
}

/// Two losses share a part. The first frees it; the second must not pass over it.
#[test]
fn a_shared_part_that_was_freed() {
    let x = Tensor::from(3.0).requires_grad();
    let h = &x * &x;
    let (first, second) = (&h * 2.0, &h * &x);
    first.backward();
    let message = message_at_callers_line(|| second.backward());
    assert!(message.contains("freed"), "{message}");
}

/// Operations that save nothing are no exception: what is allowed does not depend on what an operation
/// happens to save.
#[test]
fn a_sum_is_freed_like_a_product() {
    let x = Tensor::from(3.0).requires_grad();
    let y = &x + &x;
    y.backward();
    assert!(message_at_callers_line(|| y.backward()).contains("at add"));
}

#[test]
fn a_panic_in_backward_leaves_the_thread_as_it_was() {
    let x = Tensor::from(3.0).requires_grad();
    let y = &x * &x;
    y.backward();
    message_at_callers_line(|| y.backward());
    assert!(autograd::grad_enabled());
    let z = &x * &x;
    assert!(z.has_history());
    z.backward();
    assert_eq!(x.grad().unwrap().item(), 12.0);
}
