//! The frame of element-wise functions of one tensor: y = f(x), each element for itself.
//!
//! A function states four things, and this file does the rest:
//!
//! 1. `eval`: one element forward;
//! 2. `SAVES`: whether its derivative is cheaper from x or from y;
//! 3. `derivative`: dx of one element, from that and dy. It runs in one pass, in place of dy if
//!    nobody else holds that;
//! 4. `backward`: the same formula in tensor operations, so that it can be differentiated again.
//!
//! The gradient checks hold 3 and 4 against each other and against differences of 1.

use super::binary::by_rows;
use crate::graph::{Grads, Op};
use crate::kernels::element::{Element, Number};
use crate::kernels::elementwise::{self, Binary, Operand, Unary};
use crate::profile::part;
use crate::tensor::Tensor;

/// What a function's derivative is calculated from.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Saves {
    /// Its input x.
    Input,
    /// Its output y.
    Output,
}

/// An element-wise function that can be differentiated. On integers it just runs: they have no gradients.
pub trait Function<T: Number>: Unary<T> + 'static {
    /// The name that errors and drawings show.
    const NAME: &'static str;
    /// What the derivative is calculated from.
    const SAVES: Saves;

    /// dx = f'·dy for one element; `saved` is x or y, as [`SAVES`](Function::SAVES) says. Mark it
    /// `#[inline(always)]`.
    fn derivative(self, saved: T, dy: T) -> T;

    /// dx = f'·dy in tensor operations.
    fn backward(self, saved: &Tensor<T>, dy: &Tensor<T>) -> Tensor<T>;

    /// y = f(x), recorded.
    #[track_caller]
    fn apply(self, x: &Tensor<T>) -> Tensor<T> {
        map(self, x).recorded([x], || Applied { function: self, x: (Self::SAVES == Saves::Input).then(|| x.clone()) })
    }
}

/// y = f(x) without history.
pub(crate) fn map<T: Element, U: Element, F: Unary<T, U>>(f: F, x: &Tensor<T>) -> Tensor<U> {
    let x = &*by_rows(x);
    let operand = Operand { data: x.view(), strides: x.strides() };
    Tensor::build(*x.shape(), |y| elementwise::map(f, x.shape(), operand, y))
}

/// y = f(x) without history: in place of `x`, if no other handle shares its storage.
pub(crate) fn map_into<T: Element, F: Unary<T>>(f: F, mut x: Tensor<T>) -> Tensor<T> {
    match x.slice_mut_if_unique() {
        Some(slice) => {
            let _timing = part(0);
            elementwise::map_in_place(f, slice);
        }
        None => return map(f, &x),
    }
    x.detach()
}

/// A function that was applied.
#[derive(Clone)]
struct Applied<T: Number, F> {
    function: F,
    x: Option<Tensor<T>>,
}

impl<T: Number, F: Function<T>> Op<T> for Applied<T, F> {
    const NAME: &'static str = F::NAME;
    const SAVES_OUTPUT: bool = matches!(F::SAVES, Saves::Output);

    fn backward(self, dy: Tensor<T>, grads: &mut Grads<'_, T>) {
        let saved = self.x.unwrap_or_else(|| grads.output());
        if grads.create_graph() {
            grads.set(0, || self.function.backward(&saved, &dy));
        } else {
            grads.set(0, || {
                // One loop on row-major slices, not the general one: it is compiled for every function.
                let (mut dx, saved) = (dy, saved.packed());
                elementwise::update(Derivative(self.function), dx.slice_mut(), saved.slice());
                dx
            });
        }
    }
}

/// [`Function::derivative`] as a function of (dy, saved).
#[derive(Clone, Copy)]
struct Derivative<F>(F);

impl<T: Number, F: Function<T>> Binary<T> for Derivative<F> {
    #[inline(always)]
    fn eval(self, dy: T, saved: T) -> T {
        self.0.derivative(saved, dy)
    }
}
