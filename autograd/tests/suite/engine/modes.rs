//! Recording, or not.

use autograd::{Tensor, grad_enabled, no_grad, with_grad};

#[test]
fn no_grad_records_nothing() {
    let x = Tensor::from(3.0).requires_grad();
    let y = no_grad(|| {
        assert!(!grad_enabled());
        &x * &x
    });
    assert!(grad_enabled() && !y.has_history() && y.op_name().is_none());
    assert_eq!(y.item(), 9.0);
}

#[test]
fn modes_nest() {
    let x = Tensor::from(3.0).requires_grad();
    no_grad(|| {
        with_grad(true, || assert!((&x * 2.0).has_history()));
        with_grad(false, || assert!(!grad_enabled()));
        assert!(!(&x * 2.0).has_history());
    });
    with_grad(true, || no_grad(|| assert!(!grad_enabled())));
    assert!(grad_enabled());
}

#[test]
fn a_panic_puts_the_mode_back() {
    let result = std::panic::catch_unwind(|| no_grad(|| std::panic::resume_unwind(Box::new(()))));
    assert!(result.is_err() && grad_enabled());
}

#[test]
fn a_leaf_that_is_made_under_no_grad_is_a_leaf() {
    let x = no_grad(|| Tensor::from(3.0).requires_grad());
    (&x * &x).backward();
    assert_eq!(x.grad().unwrap().item(), 6.0);
}

#[test]
fn detach_stops_gradients() {
    let x = Tensor::from(3.0).requires_grad();
    let h = &x * &x;
    let y = &h * h.detach();
    assert!(h.detach().shares_storage(&h) && !h.detach().has_history());
    y.backward();
    // d(h·c)/dx = c·2x with the constant c = 9.
    assert_eq!(x.grad().unwrap().item(), 54.0);
}

#[test]
fn requires_grad_begins_anew() {
    let x = Tensor::from(3.0).requires_grad();
    let z = (&x * &x).requires_grad();
    assert!(z.is_leaf());
    (&z * 2.0).backward();
    assert_eq!((z.grad().unwrap().item(), x.grad().is_none()), (2.0, true));
}

#[test]
fn names_of_operations() {
    let x = Tensor::from(3.0).requires_grad();
    let y = &x * &x;
    assert_eq!([x.op_name(), y.op_name(), Tensor::from(3.0).op_name()], [Some("leaf"), Some("mul"), None]);
    assert!(x.is_leaf() && !y.is_leaf());
}

/// What is saved for backward does not change, whatever is done to the tensors it was taken from.
#[test]
fn writing_to_a_leaf_after_forward_does_not_change_the_gradient() {
    let mut x = Tensor::from([3.0, 4.0]).requires_grad();
    let y = (&x * &x).sum(..);
    x.slice_mut().fill(100.0);
    y.backward();
    assert_eq!((x.grad().unwrap().to_vec(), x.to_vec()), (vec![6.0, 8.0], vec![100.0, 100.0]));
}
