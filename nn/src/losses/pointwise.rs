//! What losses share that compare each element of an input with its own target.

use autograd::kernels::elementwise::Binary;
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

/// A loss of the error e = x − t alone, whose slope is odd: what it does to the target, it does to the input the
/// other way round.
pub(super) trait OfError<T: Float>: Copy + Send + Sync + 'static {
    /// The name that errors and drawings show.
    const NAME: &'static str;
    /// The loss of an error. Mark it `#[inline(always)]`.
    fn loss(self, e: T) -> T;
    /// d loss / d e. Mark it `#[inline(always)]`.
    fn slope(self, e: T) -> T;
    /// The same in tensor operations, so that it can be differentiated again.
    fn slopes(self, e: Tensor<T>) -> Tensor<T>;
}

/// An [`OfError`] as a function of x and t.
#[derive(Clone, Copy)]
pub(super) struct Error<F>(pub F);

impl<T: Float, F: OfError<T>> Binary<T> for Error<F> {
    #[inline(always)]
    fn eval(self, x: T, t: T) -> T {
        self.0.loss(x - t)
    }
}

impl<T: Float, F: OfError<T>> Function2<T> for Error<F> {
    const NAME: &'static str = F::NAME;

    #[inline(always)]
    fn da(self, x: T, t: T, dy: T) -> T {
        self.0.slope(x - t) * dy
    }
    #[inline(always)]
    fn db(self, x: T, t: T, dy: T) -> T {
        self.da(t, x, dy)
    }

    fn backward_a(self, x: &Tensor<T>, t: &Tensor<T>, dy: &Tensor<T>) -> Tensor<T> {
        self.0.slopes(x - t) * dy
    }
    fn backward_b(self, x: &Tensor<T>, t: &Tensor<T>, dy: &Tensor<T>) -> Tensor<T> {
        self.backward_a(t, x, dy)
    }
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
