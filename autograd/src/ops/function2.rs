//! The frame of element-wise functions of two tensors that can be differentiated: y = f(a, b).
//!
//! As in [`unary`](super::unary), a function states its forward (`eval`), its derivatives for one
//! element (`da`, `db`: one pass over memory for each that is wanted), and the same in tensor
//! operations (`backward_a`, `backward_b`), so that they can be differentiated again. Both operands are
//! saved. Gradients have the shape of y; the engine sums them over the axes that were broadcast.
//!
//! The four operations of [`arithmetic`](super::arithmetic) save less than both operands, and stand by
//! themselves.

use super::binary::{broadcast, zip, zip3};
use crate::graph::{Grads, Op};
use crate::kernels::element::Number;
use crate::kernels::elementwise::Binary;
use crate::kernels::elementwise::Ternary;
use crate::tensor::Tensor;

/// An element-wise function of two tensors that can be differentiated. On integers it just runs.
pub trait Function2<T: Number>: Binary<T> + 'static {
    /// The name that errors and drawings show.
    const NAME: &'static str;

    /// da = ∂f/∂a·dy for one element. Mark it `#[inline(always)]`.
    fn da(self, a: T, b: T, dy: T) -> T;

    /// db = ∂f/∂b·dy for one element. Mark it `#[inline(always)]`.
    fn db(self, a: T, b: T, dy: T) -> T;

    /// da in tensor operations.
    fn backward_a(self, a: &Tensor<T>, b: &Tensor<T>, dy: &Tensor<T>) -> Tensor<T>;

    /// db in tensor operations.
    fn backward_b(self, a: &Tensor<T>, b: &Tensor<T>, dy: &Tensor<T>) -> Tensor<T>;

    /// y = f(a, b), broadcast and recorded.
    #[track_caller]
    fn apply(self, a: &Tensor<T>, b: &Tensor<T>) -> Tensor<T> {
        let shape = broadcast(Self::NAME, a, b);
        zip(self, shape, a, b).recorded([a, b], || Applied { function: self, a: a.clone(), b: b.clone() })
    }
}

/// A function that was applied.
#[derive(Clone)]
struct Applied<T: Number, F> {
    function: F,
    a: Tensor<T>,
    b: Tensor<T>,
}

impl<T: Number, F: Function2<T>> Op<T> for Applied<T, F> {
    const NAME: &'static str = F::NAME;

    fn backward(self, dy: Tensor<T>, grads: &mut Grads<'_, T>) {
        let Applied { function, a, b } = self;
        if grads.create_graph() {
            grads.set(0, || function.backward_a(&a, &b, &dy));
            grads.set(1, || function.backward_b(&a, &b, &dy));
        } else {
            grads.set(0, || zip3(Da(function), *dy.shape(), &a, &b, &dy));
            grads.set(1, || zip3(Db(function), *dy.shape(), &a, &b, &dy));
        }
    }
}

/// [`Function2::da`] as a function of (a, b, dy).
#[derive(Clone, Copy)]
struct Da<F>(F);

impl<T: Number, F: Function2<T>> Ternary<T> for Da<F> {
    #[inline(always)]
    fn eval(self, a: T, b: T, dy: T) -> T {
        self.0.da(a, b, dy)
    }
}

/// [`Function2::db`] as a function of (a, b, dy).
#[derive(Clone, Copy)]
struct Db<F>(F);

impl<T: Number, F: Function2<T>> Ternary<T> for Db<F> {
    #[inline(always)]
    fn eval(self, a: T, b: T, dy: T) -> T {
        self.0.db(a, b, dy)
    }
}
