//! Comparisons, which make masks: tensors of `bool`.
//!
//! They are steps, with no slope anywhere, and bools have no gradients: a mask has no history.
//! NaN is neither equal to, nor less than, nor greater than anything, itself included.

use super::binary::{TensorOrScalar, zip_with};
use super::unary::map;
use crate::kernels::element::{Element, Float};
use crate::kernels::elementwise::{Binary, Unary};
use crate::tensor::Tensor;

macro_rules! comparison {
    ($method:ident, $torch:literal, $op:tt) => {
        #[doc = concat!("Where self ", stringify!($op), " `other`, as `torch.", $torch, "`: another tensor, which is broadcast, or a number.")]
        ///
        /// # Panics
        /// If the shapes do not broadcast.
        #[track_caller]
        pub fn $method<'a>(&self, other: impl Into<TensorOrScalar<'a, T>>) -> Tensor<bool> {
            #[derive(Clone, Copy)]
            struct Compare;
            impl<T: Element> Binary<T, T, bool> for Compare {
                #[inline(always)]
                fn eval(self, a: T, b: T) -> bool {
                    a $op b
                }
            }
            zip_with($torch, Compare, self, other.into()).unrecorded($torch)
        }
    };
}

/// ```
/// use autograd::Tensor;
/// let x = Tensor::from([1.0, 2.0, 3.0]);
/// assert_eq!(x.gt(1.5).to_vec(), [false, true, true]);
/// assert_eq!(x.eq(&Tensor::from([[1.0], [3.0]])).to_vec(), [true, false, false, false, false, true]);
/// ```
impl<T: Element> Tensor<T> {
    comparison!(eq, "eq", ==);
    comparison!(ne, "ne", !=);
    comparison!(lt, "lt", <);
    comparison!(le, "le", <=);
    comparison!(gt, "gt", >);
    comparison!(ge, "ge", >=);
}

macro_rules! test_of_a_float {
    ($method:ident, $doc:literal, |$x:ident| $f:expr) => {
        #[doc = $doc]
        #[track_caller]
        pub fn $method(&self) -> Tensor<bool> {
            #[derive(Clone, Copy)]
            struct Test;
            impl<T: Float> Unary<T, bool> for Test {
                #[inline(always)]
                fn eval(self, $x: T) -> bool {
                    $f
                }
            }
            map(Test, self).unrecorded(stringify!($method))
        }
    };
}

/// ```
/// use autograd::Tensor;
/// let x = Tensor::from([1.0, f32::NAN, f32::NEG_INFINITY]);
/// assert_eq!(x.isnan().to_vec(), [false, true, false]);
/// assert_eq!(x.isinf().to_vec(), [false, false, true]);
/// assert_eq!(x.isfinite().to_vec(), [true, false, false]);
/// ```
impl<T: Float> Tensor<T> {
    test_of_a_float!(isnan, "Where an element is NaN, as `torch.isnan`.", |x| x.is_nan());
    test_of_a_float!(isinf, "Where an element is ∞ or −∞, as `torch.isinf`.", |x| !x.is_finite() && !x.is_nan());
    test_of_a_float!(isfinite, "Where an element is neither NaN nor infinite, as `torch.isfinite`.", |x| x.is_finite());
}

#[cfg(test)]
mod tests {
    use crate::Tensor;

    #[test]
    fn nan_compares_as_ieee_says() {
        let (nan, x) = (f32::NAN, Tensor::from([f32::NAN, 1.0, 2.0]));
        assert_eq!(x.eq(&x).to_vec(), [false, true, true]);
        assert_eq!(x.ne(&x).to_vec(), [true, false, false]);
        assert_eq!(x.le(&x).to_vec(), [false, true, true]);
        assert_eq!(x.ge(1.5).to_vec(), [false, false, true]);
        assert_eq!(x.lt(1.5).to_vec(), [false, true, false]);
        assert_eq!(x.gt(nan).to_vec(), [false; 3]);
        assert_eq!(x.ne(nan).to_vec(), [true; 3]);
    }

    #[test]
    fn every_type_and_layout_compares() {
        assert_eq!(Tensor::of([1_i64, 2, 3]).lt(2).to_vec(), [true, false, false]);
        assert_eq!(Tensor::of([true, false]).eq(false).to_vec(), [false, true]);
        let x = Tensor::arange(0.0, 6.0, 1.0).reshape([2, 3]);
        assert_eq!(x.t().ge(3.0).to_vec(), [false, true, false, true, false, true]);
        assert_eq!(x.t().eq(&x.t()).count_true(), 6);
        assert_eq!(Tensor::from(0.0).eq(-0.0).item(), true);
        assert_eq!(*Tensor::zeros([0, 2]).gt(&Tensor::zeros([1, 2])).shape(), [0, 2]);
    }

    #[test]
    fn a_mask_has_no_history() {
        let x = Tensor::from([1.0]).requires_grad();
        assert!(!x.gt(0.0).has_history());
    }

    #[test]
    #[should_panic(expected = "lt: shapes [2] and [3] do not broadcast")]
    fn other_shapes() {
        let _ = Tensor::zeros([2]).lt(&Tensor::zeros([3]));
    }
}
