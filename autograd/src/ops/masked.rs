//! Choosing by a mask: `where` and `masked_fill`.
//!
//! ```text
//! y = a where the mask is true, else b         da = dy where true, else 0      db = dy where false, else 0
//! y = value where the mask is true, else x     dx = dy where false, else 0
//! ```
//!
//! Only the mask is saved: a byte an element. What was not chosen gets a gradient of exactly 0, even where
//! dy is infinite or NaN: a mask is no factor of 0 or 1.

use super::binary::{TensorOrScalar, broadcast, zip, zip_into, zip3};
use crate::graph::{Grads, Op, grad_enabled};
use crate::kernels::element::{Element, Number};
use crate::kernels::elementwise::Binary;
use crate::kernels::elementwise::Ternary;
use crate::tensor::Tensor;

// ---- where ----

#[derive(Clone, Copy)]
struct Choose;

impl<T: Element> Ternary<bool, T, T, T> for Choose {
    #[inline(always)]
    fn eval(self, mask: bool, a: T, b: T) -> T {
        if mask { a } else { b }
    }
}

/// A choice that was made by this mask.
#[derive(Clone)]
struct Where {
    mask: Tensor<bool>,
}

impl<T: Element> Op<T> for Where {
    const NAME: &'static str = "where";
    fn backward(self, dy: Tensor<T>, grads: &mut Grads<'_, T>) {
        grads.set(0, || fill(dy.clone(), &self.mask, Fill { when: false, value: T::default() }));
        grads.set(1, || fill(dy, &self.mask, Fill { when: true, value: T::default() }));
    }
}

impl Tensor<f32> {
    /// `a` where the mask is true, `b` elsewhere, as `torch.where`. The three shapes are broadcast; `a` and
    /// `b` may be numbers. Of any element type. (`where` is a word of Rust.)
    ///
    /// ```
    /// use autograd::Tensor;
    /// let x = Tensor::from([-1.0, 4.0]);
    /// assert_eq!(Tensor::where_(&x.gt(0.0), &x, 0.5).to_vec(), [0.5, 4.0]);
    /// ```
    ///
    /// Gradients flow to what was chosen only. But if what was *not* chosen was calculated from the same
    /// leaf with an infinite slope, the leaf gets 0·∞ = NaN: in `where_(&x.gt(0.0), &x.sqrt(), 0.0)` at
    /// x = 0, clamp x before the root.
    ///
    /// # Panics
    /// If the shapes do not broadcast.
    #[track_caller]
    pub fn where_<'a, T: Element>(
        mask: &Tensor<bool>,
        a: impl Into<TensorOrScalar<'a, T>>,
        b: impl Into<TensorOrScalar<'a, T>>,
    ) -> Tensor<T> {
        let (a, b) = (a.into().tensor(), b.into().tensor());
        let values = broadcast("where", &a, &b);
        let shape = match crate::tensor::layout::broadcast_shapes(mask.shape(), &values) {
            Some(shape) => shape,
            None => panic!(
                "where: a mask of shape {} and values of shapes {} and {} do not broadcast",
                mask.shape(),
                a.shape(),
                b.shape()
            ),
        };
        zip3(Choose, shape, mask, &a, &b).recorded([&a, &b], || Where { mask: mask.clone() })
    }
}

// ---- masked_fill ----

/// `value` where the mask is `when`, x elsewhere.
#[derive(Clone, Copy)]
struct Fill<T> {
    when: bool,
    value: T,
}

impl<T: Element> Binary<T, bool> for Fill<T> {
    #[inline(always)]
    fn eval(self, x: T, mask: bool) -> T {
        if mask == self.when { self.value } else { x }
    }
}

/// A fill that was made by this mask.
#[derive(Clone)]
struct Filled {
    mask: Tensor<bool>,
    when: bool,
}

impl<T: Element> Op<T> for Filled {
    const NAME: &'static str = "masked_fill";
    fn backward(self, dy: Tensor<T>, grads: &mut Grads<'_, T>) {
        grads.set(0, || fill(dy, &self.mask, Fill { when: self.when, value: T::default() }));
    }
}

/// The fill, broadcast and recorded: in place of `x`, if nobody else looks.
#[track_caller]
fn fill<T: Element>(mut x: Tensor<T>, mask: &Tensor<bool>, how: Fill<T>) -> Tensor<T> {
    let shape = broadcast("masked_fill", &x, mask);
    if shape == *x.shape() && !(grad_enabled() && x.has_history()) {
        zip_into(how, &mut x, mask);
        return x.unrecorded("masked_fill");
    }
    zip(how, shape, &x, mask).recorded([&x], || Filled { mask: mask.clone(), when: how.when })
}

/// x where the mask is true, 0 elsewhere, recorded.
#[track_caller]
pub(crate) fn keep_where<T: Number>(x: &Tensor<T>, mask: &Tensor<bool>) -> Tensor<T> {
    fill(x.clone(), mask, Fill { when: false, value: T::ZERO })
}

impl<T: Element> Tensor<T> {
    /// `value` where the mask is true, the elements of this tensor elsewhere, as `torch.masked_fill`. The
    /// shapes are broadcast.
    ///
    /// ```
    /// use autograd::Tensor;
    /// let scores = Tensor::from([[1.0, 2.0], [3.0, 4.0]]);
    /// let padding = Tensor::of([false, true]);
    /// let masked = scores.masked_fill(&padding, f32::NEG_INFINITY);
    /// assert_eq!(masked.to_vec(), [1.0, f32::NEG_INFINITY, 3.0, f32::NEG_INFINITY]);
    /// ```
    ///
    /// # Panics
    /// If the shapes do not broadcast.
    #[track_caller]
    pub fn masked_fill(&self, mask: &Tensor<bool>, value: T) -> Tensor<T> {
        fill(self.clone(), mask, Fill { when: true, value })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gradcheck::{check_binary, check_unary};
    use crate::{GradOptions, grad};

    #[test]
    fn gradients() {
        check_binary(|a, b| Tensor::where_(&Tensor::of([true]), a, b) * a * b);
        check_binary(|a, b| Tensor::where_(&a.lt(b), a, b) * a);
        check_binary(|a, b| Tensor::where_(&a.lt(0.0), 2.0, &(a * b)));
        check_unary(|x| x.masked_fill(&x.gt(0.3), 2.0) * x);
        // The mask is the larger.
        check_binary(|a, b| a.masked_fill(&b.detach().gt(0.0), 2.0) * a);
    }

    #[test]
    fn shapes_broadcast() {
        let mask = Tensor::of([[true], [false]]);
        let y = Tensor::where_(&mask, &Tensor::of([1_i64, 2, 3]), 7);
        assert_eq!((*y.shape(), y.to_vec()), ([2, 3].into(), vec![1, 2, 3, 7, 7, 7]));
        let y = Tensor::of([true, true]).masked_fill(&mask, false);
        assert_eq!(y.to_vec(), [false, false, true, true]);
        assert_eq!(Tensor::where_(&Tensor::of([true; 0]), 1.0, &Tensor::zeros([3, 1])).count(), 0);
    }

    #[test]
    fn what_was_not_chosen_gets_zero_whatever_dy_is() {
        let (a, b) = (Tensor::from([1.0, 2.0]).requires_grad(), Tensor::from([3.0, 4.0]).requires_grad());
        let mask = Tensor::of([true, false]);
        for create_graph in [false, true] {
            let y = Tensor::where_(&mask, &a, &b) + a.masked_fill(&mask, 0.0);
            let dy = Tensor::from([f32::NAN, f32::INFINITY]);
            let options = GradOptions { grad_outputs: Some(vec![dy]), create_graph, ..Default::default() };
            let gradients = grad(&[&y], &[&a, &b], options);
            assert!(gradients[0].value_at([0]).is_nan());
            assert_eq!(gradients[0].value_at([1]), f32::INFINITY);
            assert_eq!(gradients[1].to_vec(), [0.0, f32::INFINITY]);
        }
    }

    #[test]
    #[should_panic(expected = "where: a mask of shape [2] and values of shapes [3] and []")]
    fn other_shapes() {
        let _ = Tensor::where_(&Tensor::of([true, false]), &Tensor::zeros([3]), 1.0);
    }
}
