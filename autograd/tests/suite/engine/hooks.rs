//! Hooks see gradients as they pass, whole, in order, and may replace them.

use super::panics::message;
use autograd::{GradOptions, Tensor, grad};
use std::sync::{Arc, Mutex};

type Log = Arc<Mutex<Vec<(&'static str, f32)>>>;

/// A hook that notes the gradient under a name.
fn noting(log: &Log, name: &'static str) -> impl Fn(&Tensor) -> Option<Tensor> + Send + Sync + use<> {
    let log = log.clone();
    move |dy| {
        log.lock().unwrap().push((name, dy.item()));
        None
    }
}

#[test]
fn a_hook_sees_the_whole_gradient_once() {
    let log = Log::default();
    let x = Tensor::from(3.0).requires_grad();
    let h = &x * &x;
    x.register_hook(noting(&log, "x"));
    h.register_hook(noting(&log, "h"));
    (&h * 2.0 + &h * 5.0).backward();
    assert_eq!(*log.lock().unwrap(), [("h", 7.0), ("x", 42.0)]);
}

#[test]
fn hooks_run_in_the_order_they_were_added_each_on_what_the_last_one_left() {
    let log = Log::default();
    let x = Tensor::from(3.0).requires_grad();
    let y = &x * 2.0;
    y.register_hook(noting(&log, "first"));
    y.register_hook(|dy| Some(dy * 10.0));
    y.register_hook(noting(&log, "third"));
    y.register_hook(|dy| Some(dy + 1.0));
    y.backward();
    assert_eq!(*log.lock().unwrap(), [("first", 1.0), ("third", 10.0)]);
    assert_eq!(x.grad().unwrap().item(), 22.0);
}

#[test]
fn a_hook_on_a_leaf_changes_what_gathers() {
    let x = Tensor::from(3.0).requires_grad();
    x.register_hook(|dx| Some(dx * 100.0));
    (&x * 2.0).backward();
    (&x * 3.0).backward();
    assert_eq!(x.grad().unwrap().item(), 500.0);
    assert_eq!(grad(&[&(&x * 2.0)], &[&x], GradOptions::default())[0].item(), 200.0);
}

#[test]
fn a_hook_that_is_removed_no_longer_runs() {
    let log = Log::default();
    let x = Tensor::from(3.0).requires_grad();
    let first = x.register_hook(noting(&log, "first"));
    let second = x.register_hook(|dx| Some(dx * 10.0));
    let _third = x.register_hook(noting(&log, "third"));
    (&x * 1.0).backward();
    second.remove();
    (&x * 1.0).backward();
    first.remove();
    (&x * 1.0).backward();
    let expected = [("first", 1.0), ("third", 10.0), ("first", 1.0), ("third", 1.0), ("third", 1.0)];
    assert_eq!(*log.lock().unwrap(), expected);
}

#[test]
fn removing_a_hook_frees_what_it_holds_and_may_come_late() {
    let held = Arc::new(());
    let x = Tensor::from(3.0).requires_grad();
    let hook = {
        let held = held.clone();
        x.register_hook(move |_| (Arc::strong_count(&held) == 0).then(|| Tensor::from(0.0)))
    };
    assert_eq!(Arc::strong_count(&held), 2);
    hook.remove();
    assert_eq!(Arc::strong_count(&held), 1);

    let hook = x.register_hook(|_| None);
    drop(x);
    hook.remove();
}

/// A hook runs without any lock: it may add hooks to the very tensor it hangs on, or run backward.
#[test]
fn a_hook_may_use_the_engine() {
    let x = Tensor::from(3.0).requires_grad();
    let (w, other) = (Tensor::from(2.0).requires_grad(), x.detach().requires_grad());
    let (own, inner) = (w.clone(), other.clone());
    let hook = w.register_hook(move |_| {
        own.register_hook(|dw| Some(dw * 2.0));
        autograd::with_grad(true, || (&inner * &inner).backward());
        None
    });
    (&w * &x).backward();
    assert_eq!((w.grad().unwrap().item(), other.grad().unwrap().item()), (3.0, 6.0), "the new hook runs next time");
    (&w * &x).backward();
    assert_eq!(w.grad().unwrap().item(), 9.0);
    // The hook holds its own tensor, which is a cycle.
    hook.remove();
}

#[test]
fn a_hook_that_returns_another_shape_is_named() {
    let x = Tensor::from(3.0).requires_grad();
    let line = line!() + 1;
    let y = &x * 2.0;
    y.register_hook(|_| Some(Tensor::zeros(2)));
    let message = message(|| y.backward());
    let expected = format!(
        "backward: a hook on mul at {}:{line}:13 returned a gradient of shape [2] for one of shape []",
        file!()
    );
    assert_eq!(message, expected);
}

#[test]
fn retained_gradients() {
    let x = Tensor::from(3.0).requires_grad();
    let h = &x * &x;
    let y = &h * 2.0;
    h.retain_grad();
    y.retain_grad();
    assert!(h.retained_grad().is_none() && h.grad().is_none());
    y.backward();
    let retained = [&y, &h].map(|t| t.retained_grad().unwrap().item());
    assert_eq!((retained, x.retained_grad().is_none()), ([1.0, 2.0], true));
    // Asking again does not forget.
    h.retain_grad();
    assert_eq!(h.retained_grad().unwrap().item(), 2.0);
}

/// As PyTorch: what is retained is what the hooks made of it.
#[test]
fn what_is_retained_is_what_hooks_leave() {
    let x = Tensor::from(3.0).requires_grad();
    let h = &x * 2.0;
    h.retain_grad();
    h.register_hook(|dh| Some(dh * 10.0));
    h.backward();
    assert_eq!(h.retained_grad().unwrap().item(), 10.0);
}

#[test]
fn a_retained_gradient_is_a_value_under_create_graph_too() {
    let x = Tensor::from(3.0).requires_grad();
    let h = &x * &x;
    h.retain_grad();
    let dx = grad(&[&(&h * &h)], &[&x], GradOptions::create_graph()).remove(0);
    assert!(dx.has_history() && !h.retained_grad().unwrap().has_history());
    assert_eq!(h.retained_grad().unwrap().item(), 18.0);
}
