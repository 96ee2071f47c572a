//! Conversions between element types.
//!
//! A history is made of one element type throughout, so a cast is no operation of the graph. From floats
//! to floats it would have a gradient, and dropping that silently would be a wrong answer: such a cast of a
//! tensor with history panics, and says that [`detach`](Tensor::detach) is how to mean it. To integers and
//! bools it is a step, whose slope is 0 wherever it has one, so nothing is lost.

use super::unary::map;
use crate::graph::grad_enabled;
use crate::kernels::element::Element;
use crate::kernels::elementwise::Unary;
use crate::tensor::Tensor;
use std::any::Any;
use std::marker::PhantomData;

/// Elements that can be converted to `U`.
pub trait Cast<U: Element>: Element {
    /// Whether the conversion has a slope other than 0.
    const DIFFERENTIABLE: bool;
    /// This element as a `U`.
    fn cast(self) -> U;
}

macro_rules! casts {
    ($($from:ty => $($to:ty: $differentiable:literal),*; as |$x:ident| $($value:expr),*;)*) => {
        $($(impl Cast<$to> for $from {
            const DIFFERENTIABLE: bool = $differentiable;
            #[inline(always)]
            fn cast(self) -> $to {
                let $x = self;
                $value
            }
        })*)*
    };
}
casts! {
    f32 => f32: true, f64: true, i64: false, bool: false; as |x| x, f64::from(x), x as i64, x != 0.0;
    f64 => f32: true, f64: true, i64: false, bool: false; as |x| x as f32, x, x as i64, x != 0.0;
    i64 => f32: false, f64: false, i64: false, bool: false; as |x| x as f32, x as f64, x, x != 0;
    bool => f32: false, f64: false, i64: false, bool: false; as |x| f32::from(x), f64::from(x), i64::from(x), x;
}

struct To<U>(PhantomData<U>);

impl<U> Clone for To<U> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<U> Copy for To<U> {}

impl<T: Cast<U>, U: Element> Unary<T, U> for To<U> {
    #[inline(always)]
    fn eval(self, x: T) -> U {
        x.cast()
    }
}

impl<T: Element> Tensor<T> {
    /// The elements as another type, as `Tensor.to(dtype)` of PyTorch: `x.cast::<f64>()`.
    ///
    /// Floats become integers by dropping the fraction (NaN becomes 0, what is too large the largest
    /// `i64`), and `true` unless they are 0. The same type gives the same tensor, with its history.
    ///
    /// ```
    /// use autograd::Tensor;
    /// let x = Tensor::from([-1.5, 0.0, 2.0]);
    /// assert_eq!(x.cast::<i64>().to_vec(), [-1, 0, 2]);
    /// assert_eq!(x.cast::<bool>().to_vec(), [true, false, true]);
    /// assert_eq!(x.gt(0.0).cast::<f32>().sum(..).item(), 1.0);
    /// ```
    ///
    /// # Panics
    /// From one float type to the other, if this tensor has a history and recording is on: a graph has one
    /// element type, and the gradient could not come back.
    #[track_caller]
    pub fn cast<U: Element>(&self) -> Tensor<U>
    where
        T: Cast<U>,
    {
        if let Some(same) = (self as &dyn Any).downcast_ref::<Tensor<U>>() {
            return same.clone();
        }
        assert!(
            !(T::DIFFERENTIABLE && self.has_history() && grad_enabled()),
            "cast: a tensor of shape {} has a history of {}, which one of {} cannot continue; detach() it first, \
             or cast before requires_grad()",
            self.shape(),
            T::DTYPE,
            U::DTYPE
        );
        map(To(PhantomData), self).unrecorded("cast")
    }
}

#[cfg(test)]
mod tests {
    use crate::{Tensor, no_grad};

    #[test]
    fn every_pair() {
        let floats = Tensor::of([0.0_f64, -0.0, 1.75, -1.75, f64::NAN, 1e300]);
        assert_eq!(floats.cast::<i64>().to_vec(), [0, 0, 1, -1, 0, i64::MAX]);
        assert_eq!(floats.cast::<bool>().to_vec(), [false, false, true, true, true, true]);
        assert_eq!(floats.cast::<f32>().value_at([5]), f32::INFINITY);
        let floats = Tensor::from([0.1, f32::NEG_INFINITY]);
        assert_eq!(floats.cast::<f64>().to_vec(), [f64::from(0.1_f32), f64::NEG_INFINITY]);
        assert_eq!(floats.cast::<i64>().to_vec(), [0, i64::MIN]);
        let integers = Tensor::of([[3_i64, 0], [-1, (1 << 53) + 1]]);
        assert_eq!(integers.t().cast::<f64>().to_vec(), [3.0, -1.0, 0.0, 9_007_199_254_740_992.0]);
        assert_eq!(integers.cast::<f32>().cast::<i64>().to_vec(), [3, 0, -1, 1 << 53]);
        assert_eq!(integers.cast::<i64>().to_vec(), integers.to_vec());
        assert_eq!(integers.cast::<bool>().cast::<i64>().to_vec(), [1, 0, 1, 1]);
        assert_eq!(integers.cast::<bool>().cast::<f64>().sum(..).item(), 3.0);
    }

    #[test]
    fn the_same_type_keeps_the_history() {
        let x = Tensor::from([2.0]).requires_grad();
        (x.cast::<f32>() * 3.0).backward();
        assert_eq!(x.grad().unwrap().item(), 3.0);
    }

    #[test]
    fn without_a_gradient_to_lose_a_cast_is_fine() {
        let x = Tensor::from([2.5]).requires_grad();
        assert_eq!(x.cast::<i64>().item(), 2);
        assert_eq!(x.detach().cast::<f64>().item(), 2.5);
        assert_eq!(no_grad(|| x.cast::<f64>()).item(), 2.5);
    }

    #[test]
    #[should_panic(expected = "cast: a tensor of shape [1] has a history of float32, which one of float64")]
    fn a_gradient_is_not_dropped_silently() {
        let _ = Tensor::from([2.5]).requires_grad().cast::<f64>();
    }
}
