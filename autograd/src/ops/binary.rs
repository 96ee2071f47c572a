//! The frame of element-wise functions of two tensors: broadcasting, and writing in place where
//! nobody else looks.

use crate::kernels::element::Element;
use crate::kernels::elementwise::{self, Binary, Operand};
use crate::tensor::layout::broadcast_shapes;
use crate::tensor::{Dims, Tensor};

/// The shape that two operands broadcast to.
///
/// # Panics
/// At the caller's line, if there is none.
#[inline]
#[track_caller]
pub(crate) fn broadcast<A: Element, B: Element>(op: &str, a: &Tensor<A>, b: &Tensor<B>) -> Dims {
    match broadcast_shapes(a.shape(), b.shape()) {
        Some(shape) => shape,
        None => mismatch(op, a.shape(), b.shape()),
    }
}

#[cold]
#[track_caller]
fn mismatch(op: &str, a: &Dims, b: &Dims) -> ! {
    panic!(
        "{op}: shapes {a} and {b} do not broadcast; aligned at their last axes, sizes must be equal, or one of them 1"
    )
}

/// The operand's elements with strides for `shape`.
fn strides_for<T: Element>(x: &Tensor<T>, shape: Dims) -> Dims {
    x.layout().broadcast_to(shape).expect("the shape was made by broadcasting").strides
}

/// f(a, b), broadcast to `shape`, without history.
pub(crate) fn zip<A, B, U, F>(f: F, shape: Dims, a: &Tensor<A>, b: &Tensor<B>) -> Tensor<U>
where
    A: Element,
    B: Element,
    U: Element,
    F: Binary<A, B, U>,
{
    let (strides_a, strides_b) = (strides_for(a, shape), strides_for(b, shape));
    let a = Operand { data: a.view(), strides: &strides_a };
    let b = Operand { data: b.view(), strides: &strides_b };
    Tensor::build(shape, |out| elementwise::zip(f, &shape, a, b, out))
}

/// f(a, b) without history, `b` broadcast to the shape of `a`: in place of `a`, if no other handle
/// shares its storage.
pub(crate) fn zip_into<A, B, F>(f: F, mut a: Tensor<A>, b: &Tensor<B>) -> Tensor<A>
where
    A: Element,
    B: Element,
    F: Binary<A, B>,
{
    let shape = *a.shape();
    let strides = strides_for(b, shape);
    let operand = Operand { data: b.view(), strides: &strides };
    if let Some(slice) = a.slice_mut_if_unique() {
        elementwise::zip_in_place(f, &shape, slice, operand);
        return a.detach();
    }
    zip(f, shape, &a, b)
}
