//! What losses share that compare each element of an input with its own target.

use autograd::ops::function2::Function2;
use autograd::{Dims, Element, Float, Reduction, Tensor, grad_enabled};

/// f(input, target) element by element, reduced.
#[track_caller]
pub(super) fn pointwise<T: Float, F: Function2<T>>(
    f: F,
    input: &Tensor<T>,
    target: &Tensor<T>,
    reduction: Reduction,
) -> Tensor<T> {
    same_shape(F::NAME, input, target);
    reduction.apply(&f.apply(input, target))
}

/// Refuses a target of another shape than the input.
#[track_caller]
pub(super) fn same_shape<A: Element, B: Element>(loss: &str, input: &Tensor<A>, target: &Tensor<B>) {
    check_target(loss, input, target, *input.shape());
}

/// Refuses a target of another shape than `wanted`.
#[track_caller]
pub(super) fn check_target<A: Element, B: Element>(loss: &str, input: &Tensor<A>, target: &Tensor<B>, wanted: Dims) {
    assert!(
        *target.shape() == wanted,
        "{loss}: a target of shape {} for an input of shape {}; {wanted} would fit",
        target.shape(),
        input.shape()
    );
}

/// Refuses a target that wants a gradient, where there is none: one that is only compared with numbers.
#[track_caller]
pub(super) fn check_constant<T: Element>(loss: &str, target: &Tensor<T>) {
    assert!(
        !(grad_enabled() && target.has_history()),
        "{loss}: there is no gradient with respect to the target; detach it"
    );
}
