//! The four operations and negation, between tensors (broadcast by NumPy's rule) and with scalars.
//!
//! ```text
//! y = a + b     da = dy           db = dy
//! y = a − b     da = dy           db = −dy
//! y = a·b       da = b·dy         db = a·dy
//! y = a / b     da = dy / b       db = −y·dy / b
//! ```
//!
//! Each gradient has the shape of y; the engine sums it over the axes along which its operand was
//! broadcast. A product saves an operand only for the other one's gradient, so `x·w` with a constant
//! x saves no w.
//!
//! The operators take tensors by reference or by value. By value, an operand that nobody else holds
//! and no backward will need lends its storage to the result.

use super::binary::{broadcast, zip, zip_into};
use super::unary::{map, map_into};
use crate::graph::{Grads, Op, grad_enabled};
use crate::kernels::element::Number;
use crate::kernels::elementwise::{Binary, Unary};
use crate::tensor::Tensor;

/// One of the operations, as a function of two elements and as what is recorded.
trait Arithmetic<T: Number>: Binary<T> + Default {
    const NAME: &'static str;
    #[track_caller]
    fn record(y: Tensor<T>, a: &Tensor<T>, b: &Tensor<T>) -> Tensor<T>;
}

/// y = f(a, b), recorded.
#[track_caller]
fn between<T: Number, F: Arithmetic<T>>(a: &Tensor<T>, b: &Tensor<T>, f: F) -> Tensor<T> {
    F::record(zip(f, broadcast(F::NAME, a, b), a, b), a, b)
}

/// [`between`] when `a` may be written over, if nothing is recorded and the result fits there.
#[track_caller]
fn in_left<T: Number, F: Arithmetic<T>>(mut a: Tensor<T>, b: &Tensor<T>, f: F) -> Tensor<T> {
    assign(&mut a, b, f);
    a
}

/// a ← f(a, b), written over the values of `a` if nothing is recorded and no other handle holds them: other handles
/// never see it.
#[track_caller]
fn assign<T: Number, F: Arithmetic<T>>(a: &mut Tensor<T>, b: &Tensor<T>, f: F) {
    if is_recorded(a, b) || broadcast(F::NAME, a, b) != *a.shape() {
        *a = between(a, b, f);
    } else {
        zip_into(f, a, b);
        a.note_unrecorded(F::NAME);
    }
}

/// [`between`] when `b` may be written over.
#[track_caller]
fn in_right<T: Number, F: Arithmetic<T>>(a: &Tensor<T>, mut b: Tensor<T>, f: F) -> Tensor<T> {
    if is_recorded(a, &b) || broadcast(F::NAME, a, &b) != *b.shape() {
        return between(a, &b, f);
    }
    zip_into(Swapped(f), &mut b, a);
    b.note_unrecorded(F::NAME);
    b
}

/// Whether an operation on these becomes a part of the graph.
fn is_recorded<T: Number>(a: &Tensor<T>, b: &Tensor<T>) -> bool {
    grad_enabled() && (a.has_history() || b.has_history())
}

/// f with its operands the other way round.
#[derive(Clone, Copy)]
struct Swapped<F>(F);

impl<T, F: Binary<T>> Binary<T> for Swapped<F> {
    #[inline(always)]
    fn eval(self, b: T, a: T) -> T {
        self.0.eval(a, b)
    }
}

// ---- a + b ----

#[derive(Clone, Copy, Default)]
struct Add;

impl<T: Number> Binary<T> for Add {
    #[inline(always)]
    fn eval(self, a: T, b: T) -> T {
        a + b
    }
}

impl<T: Number> Op<T> for Add {
    const NAME: &'static str = "add";
    fn backward(self, dy: Tensor<T>, grads: &mut Grads<'_, T>) {
        grads.set(0, || dy.clone());
        grads.set(1, || dy);
    }
}

/// a ← a + b, as gradients add up. Other handles on the values of `a` never see it.
#[track_caller]
pub(crate) fn add_to<T: Number>(a: &mut Tensor<T>, b: &Tensor<T>) {
    assign(a, b, Add);
}

impl<T: Number> Arithmetic<T> for Add {
    const NAME: &'static str = "add";
    #[track_caller]
    fn record(y: Tensor<T>, a: &Tensor<T>, b: &Tensor<T>) -> Tensor<T> {
        y.recorded([a, b], || Add)
    }
}

// ---- a − b ----

#[derive(Clone, Copy, Default)]
struct Sub;

impl<T: Number> Binary<T> for Sub {
    #[inline(always)]
    fn eval(self, a: T, b: T) -> T {
        a - b
    }
}

impl<T: Number> Op<T> for Sub {
    const NAME: &'static str = "sub";
    fn backward(self, dy: Tensor<T>, grads: &mut Grads<'_, T>) {
        grads.set(0, || dy.clone());
        grads.set(1, || -dy);
    }
}

impl<T: Number> Arithmetic<T> for Sub {
    const NAME: &'static str = "sub";
    #[track_caller]
    fn record(y: Tensor<T>, a: &Tensor<T>, b: &Tensor<T>) -> Tensor<T> {
        y.recorded([a, b], || Sub)
    }
}

// ---- a·b ----

#[derive(Clone, Copy, Default)]
struct Mul;

impl<T: Number> Binary<T> for Mul {
    #[inline(always)]
    fn eval(self, a: T, b: T) -> T {
        a * b
    }
}

/// A product, with each operand that the other's gradient needs.
#[derive(Clone)]
struct Product<T: Number> {
    a: Option<Tensor<T>>,
    b: Option<Tensor<T>>,
}

impl<T: Number> Op<T> for Product<T> {
    const NAME: &'static str = "mul";
    fn backward(self, dy: Tensor<T>, grads: &mut Grads<'_, T>) {
        if let Some(b) = self.b {
            grads.set(0, || &dy * b);
        }
        if let Some(a) = self.a {
            grads.set(1, || dy * a);
        }
    }
}

impl<T: Number> Arithmetic<T> for Mul {
    const NAME: &'static str = "mul";
    #[track_caller]
    fn record(y: Tensor<T>, a: &Tensor<T>, b: &Tensor<T>) -> Tensor<T> {
        y.recorded([a, b], || Product { a: b.has_history().then(|| a.clone()), b: a.has_history().then(|| b.clone()) })
    }
}

// ---- a / b ----

#[derive(Clone, Copy, Default)]
struct Div;

impl<T: Number> Binary<T> for Div {
    #[inline(always)]
    fn eval(self, a: T, b: T) -> T {
        a / b
    }
}

/// A quotient, with its divisor and, if the divisor has a gradient, its dividend.
#[derive(Clone)]
struct Quotient<T: Number> {
    a: Option<Tensor<T>>,
    b: Tensor<T>,
}

impl<T: Number> Op<T> for Quotient<T> {
    const NAME: &'static str = "div";
    fn backward(self, dy: Tensor<T>, grads: &mut Grads<'_, T>) {
        let da = dy / &self.b;
        if let Some(a) = self.a {
            grads.set(1, || -(&da * (a / &self.b)));
        }
        grads.set(0, || da);
    }
}

impl<T: Number> Arithmetic<T> for Div {
    const NAME: &'static str = "div";
    #[track_caller]
    fn record(y: Tensor<T>, a: &Tensor<T>, b: &Tensor<T>) -> Tensor<T> {
        y.recorded([a, b], || Quotient { a: b.has_history().then(|| a.clone()), b: b.clone() })
    }
}

// ---- −x ----

#[derive(Clone, Copy)]
struct Neg;

impl<T: Number> Unary<T> for Neg {
    #[inline(always)]
    fn eval(self, x: T) -> T {
        -x
    }
}

impl<T: Number> Op<T> for Neg {
    const NAME: &'static str = "neg";
    fn backward(self, dy: Tensor<T>, grads: &mut Grads<'_, T>) {
        grads.set(0, || -dy);
    }
}

impl<T: Number> std::ops::Neg for &Tensor<T> {
    type Output = Tensor<T>;
    #[track_caller]
    fn neg(self) -> Tensor<T> {
        map(Neg, self).recorded([self], || Neg)
    }
}

impl<T: Number> std::ops::Neg for Tensor<T> {
    type Output = Tensor<T>;
    #[track_caller]
    fn neg(self) -> Tensor<T> {
        if self.has_history() { -&self } else { map_into(Neg, self).unrecorded("neg") }
    }
}

// ---- the operators ----

/// A scalar operand is a tensor without axes, which broadcasts to any shape.
fn scalar<T: Number>(value: T) -> Tensor<T> {
    Tensor::scalar(value)
}

macro_rules! operator {
    ($op:ident, $method:ident) => {
        impl<T: Number> std::ops::$op<&Tensor<T>> for &Tensor<T> {
            type Output = Tensor<T>;
            #[track_caller]
            fn $method(self, b: &Tensor<T>) -> Tensor<T> {
                between(self, b, $op)
            }
        }
        impl<T: Number> std::ops::$op<&Tensor<T>> for Tensor<T> {
            type Output = Tensor<T>;
            #[track_caller]
            fn $method(self, b: &Tensor<T>) -> Tensor<T> {
                in_left(self, b, $op)
            }
        }
        impl<T: Number> std::ops::$op<Tensor<T>> for &Tensor<T> {
            type Output = Tensor<T>;
            #[track_caller]
            fn $method(self, b: Tensor<T>) -> Tensor<T> {
                in_right(self, b, $op)
            }
        }
        impl<T: Number> std::ops::$op<Tensor<T>> for Tensor<T> {
            type Output = Tensor<T>;
            #[track_caller]
            fn $method(self, b: Tensor<T>) -> Tensor<T> {
                in_left(self, &b, $op)
            }
        }
        impl<T: Number> std::ops::$op<T> for &Tensor<T> {
            type Output = Tensor<T>;
            #[track_caller]
            fn $method(self, b: T) -> Tensor<T> {
                between(self, &scalar(b), $op)
            }
        }
        impl<T: Number> std::ops::$op<T> for Tensor<T> {
            type Output = Tensor<T>;
            #[track_caller]
            fn $method(self, b: T) -> Tensor<T> {
                in_left(self, &scalar(b), $op)
            }
        }
        operator!(scalar on the left, $op, $method, f32);
        operator!(scalar on the left, $op, $method, f64);
        operator!(scalar on the left, $op, $method, i64);
    };
    (scalar on the left, $op:ident, $method:ident, $t:ty) => {
        impl std::ops::$op<&Tensor<$t>> for $t {
            type Output = Tensor<$t>;
            #[track_caller]
            fn $method(self, b: &Tensor<$t>) -> Tensor<$t> {
                between(&scalar(self), b, $op)
            }
        }
        impl std::ops::$op<Tensor<$t>> for $t {
            type Output = Tensor<$t>;
            #[track_caller]
            fn $method(self, b: Tensor<$t>) -> Tensor<$t> {
                in_right(&scalar(self), b, $op)
            }
        }
    };
}
operator!(Add, add);
operator!(Sub, sub);
operator!(Mul, mul);
operator!(Div, div);

#[cfg(test)]
mod tests {
    use crate::gradcheck::check_binary;

    #[test]
    fn gradients() {
        check_binary(|a, b| a + b);
        check_binary(|a, b| a - b);
        check_binary(|a, b| a * b);
        check_binary(|a, b| a / (b * b + 0.5));
    }
}
