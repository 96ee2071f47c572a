//! What element-wise functions of two or three tensors share: broadcasting, and writing in place where
//! nobody else looks. The frame of those of two that can be differentiated is [`function2`](super::function2).

use crate::graph::History;
use crate::kernels::element::Element;
use crate::kernels::elementwise::{self, Binary, Operand, Ternary, Unary};
use crate::profile::part;
use crate::tensor::layout::broadcast_shapes;
use crate::tensor::{Dims, Tensor};
use std::borrow::Cow;

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
    if *x.shape() == shape {
        return *x.strides();
    }
    x.layout().broadcast_to(shape).expect("the shape was made by broadcasting").strides
}

/// A tensor that an element-wise kernel, which goes by rows, reads fast. Of one whose columns are what lies side by
/// side each cache line would be fetched again for every row: it is copied first, in tiles that use a line for several
/// rows.
pub(crate) fn by_rows<T: Element>(x: &Tensor<T>) -> Cow<'_, Tensor<T>> {
    /// Fewer elements stay in the first cache.
    const MANY: usize = 1 << 12;
    match **x.strides() {
        [.., 1, stride] if stride > 1 && x.count() >= MANY => Cow::Owned(x.packed()),
        _ => Cow::Borrowed(x),
    }
}

/// f(a, b), broadcast to `shape`, without history.
pub(crate) fn zip<A, B, U, F>(f: F, shape: Dims, a: &Tensor<A>, b: &Tensor<B>) -> Tensor<U>
where
    A: Element,
    B: Element,
    U: Element,
    F: Binary<A, B, U>,
{
    let (a, b) = (by_rows(a), by_rows(b));
    let (strides_a, strides_b) = (strides_for(&a, shape), strides_for(&b, shape));
    let a = Operand { data: a.view(), strides: &strides_a };
    let b = Operand { data: b.view(), strides: &strides_b };
    Tensor::build(shape, |out| elementwise::zip(f, &shape, a, b, out))
}

/// Sets `a` to f(a, b) without history, `b` broadcast to the shape of `a`: in place, if no other handle
/// shares its storage.
pub(crate) fn zip_into<A, B, F>(f: F, a: &mut Tensor<A>, b: &Tensor<B>)
where
    A: Element,
    B: Element,
    F: Binary<A, B>,
{
    let shape = *a.shape();
    let b = by_rows(b);
    let strides = strides_for(&b, shape);
    let operand = Operand { data: b.view(), strides: &strides };
    if let Some(slice) = a.slice_mut_if_unique() {
        let _timing = part(0);
        elementwise::zip_in_place(f, &shape, slice, operand);
        a.history = History::NONE;
    } else {
        *a = zip(f, shape, a, &b);
    }
}

/// f(a, b, c), broadcast to `shape`, without history.
pub(crate) fn zip3<A, B, C, U, F>(f: F, shape: Dims, a: &Tensor<A>, b: &Tensor<B>, c: &Tensor<C>) -> Tensor<U>
where
    A: Element,
    B: Element,
    C: Element,
    U: Element,
    F: Ternary<A, B, C, U>,
{
    let (a, b, c) = (by_rows(a), by_rows(b), by_rows(c));
    let (strides_a, strides_b, strides_c) = (strides_for(&a, shape), strides_for(&b, shape), strides_for(&c, shape));
    let a = Operand { data: a.view(), strides: &strides_a };
    let b = Operand { data: b.view(), strides: &strides_b };
    let c = Operand { data: c.view(), strides: &strides_c };
    Tensor::build(shape, |out| elementwise::zip3(f, &shape, (a, b, c), out))
}

/// What a function takes that accepts both `&tensor`, which is broadcast, and one number for all elements:
/// `x.gt(&y)`, `x.gt(0.0)`.
#[derive(Clone, Copy)]
pub enum TensorOrScalar<'a, T: Element> {
    /// A tensor.
    Tensor(&'a Tensor<T>),
    /// One number.
    Scalar(T),
}

impl<'a, T: Element> From<&'a Tensor<T>> for TensorOrScalar<'a, T> {
    fn from(x: &'a Tensor<T>) -> Self {
        TensorOrScalar::Tensor(x)
    }
}

impl<T: Element> From<T> for TensorOrScalar<'_, T> {
    fn from(x: T) -> Self {
        TensorOrScalar::Scalar(x)
    }
}

impl<T: Element> TensorOrScalar<'_, T> {
    /// As a tensor; a number becomes one without axes, which broadcasts to any shape.
    pub(crate) fn tensor(self) -> Tensor<T> {
        match self {
            TensorOrScalar::Tensor(x) => x.clone(),
            TensorOrScalar::Scalar(x) => Tensor::scalar(x),
        }
    }
}

/// f(a, b), broadcast, without history.
#[track_caller]
pub(crate) fn zip_with<A, B, U, F>(name: &str, f: F, a: &Tensor<A>, b: TensorOrScalar<'_, B>) -> Tensor<U>
where
    A: Element,
    B: Element,
    U: Element,
    F: Binary<A, B, U>,
{
    match b {
        TensorOrScalar::Tensor(b) => zip(f, broadcast(name, a, b), a, b),
        TensorOrScalar::Scalar(b) => super::unary::map(WithScalar { f, b }, a),
    }
}

/// f with a fixed second operand.
#[derive(Clone, Copy)]
struct WithScalar<F, B> {
    f: F,
    b: B,
}

impl<A, B: Element, U, F: Binary<A, B, U>> Unary<A, U> for WithScalar<F, B> {
    #[inline(always)]
    fn eval(self, a: A) -> U {
        self.f.eval(a, self.b)
    }
}
