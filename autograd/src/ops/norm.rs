//! Norms of vectors along axes.
//!
//! ```text
//! y = (Σ |x|^p)^(1/p)     dx = sign(x)·|x|^(p−1)·y^(1−p)·dy
//! p = 1                   y = Σ |x|                  dx = sign(x)·dy
//! p = 2                   y = √Σ x²                  dx = x/y·dy
//! p = ∞                   y = max |x|                dx = sign(x)·dy, shared among those that are largest
//! p = −∞                  y = min |x|                likewise
//! p = 0                   y = how many are not 0     dx = 0
//! ```
//!
//! Where y is 0, and where p < 1 and x is 0, dx is taken to be 0. Input and output are saved.

use super::binary::zip;
use super::reduce::fold;
use super::signed_power::SignedPower;
use super::unary::{Function, map_into};
use crate::graph::{Grads, Op};
use crate::kernels::element::Float;
use crate::kernels::elementwise::{Binary, Unary};
use crate::kernels::reduce::{Fold, Max, Min, Sum, SumOf};
use crate::tensor::{Axes, Dims, Tensor};

#[derive(Clone)]
struct Norm<T: Float> {
    x: Tensor<T>,
    p: T,
    axes: Dims,
}

impl<T: Float> Op<T> for Norm<T> {
    const NAME: &'static str = "norm";
    const SAVES_OUTPUT: bool = true;

    fn backward(self, dy: Tensor<T>, grads: &mut Grads<'_, T>) {
        let Norm { x, p, axes } = self;
        let kept = x.shape().replaced(&axes, 1);
        let (y, dy) = (grads.output().reshape(kept), dy.reshape(kept));
        let odd = |exponent: T| SignedPower { exponent, odd: true };
        let even = |exponent: T| SignedPower { exponent, odd: false };
        grads.set(0, || {
            if p == T::ZERO {
                return x.zeros_like();
            }
            if p == T::GREATEST || p == T::LEAST {
                let largest = zip(SignWhereEqual, *x.shape(), &x, &y);
                let count = fold(SumOf(|sign: T| sign * sign), &largest, &axes);
                return largest * (dy * even(-T::ONE).apply(&count));
            }
            let factor = if p == T::ONE { dy } else { dy * even(T::ONE - p).apply(&y) };
            if p == T::from_f64(2.0) { x * factor } else { odd(p - T::ONE).apply(&x) * factor }
        });
    }
}

/// sign(x) where |x| = y, 0 elsewhere.
#[derive(Clone, Copy)]
struct SignWhereEqual;

impl<T: Float> Binary<T> for SignWhereEqual {
    #[inline(always)]
    fn eval(self, x: T, y: T) -> T {
        let sign = if x > T::ZERO { T::ONE } else { -T::ONE };
        if x.abs() == y && x != T::ZERO { sign } else { T::ZERO }
    }
}

/// A fold of absolute values.
#[derive(Clone, Copy)]
struct OfSizes<F>(F);

impl<T: Float, F: Fold<T>> Fold<T> for OfSizes<F> {
    type Merge = F::Merge;
    #[inline(always)]
    fn merge_only(self) -> F::Merge {
        self.0.merge_only()
    }
    #[inline(always)]
    fn start(self) -> T {
        self.0.start()
    }
    #[inline(always)]
    fn term(self, x: T) -> T {
        x.abs()
    }
    #[inline(always)]
    fn merge(self, a: T, b: T) -> T {
        self.0.merge(a, b)
    }
}

/// The p-th root that ends a norm.
#[derive(Clone, Copy)]
struct Root<T>(T);

impl<T: Float> Unary<T> for Root<T> {
    #[inline(always)]
    fn eval(self, x: T) -> T {
        if self.0 == T::from_f64(2.0) { x.sqrt() } else { x.powf(T::ONE / self.0) }
    }
}

impl<T: Float> Tensor<T> {
    /// The p-norm over `axes`, which disappear, as `torch.linalg.vector_norm`: `x.norm(2.0, -1)` is the
    /// length of each row, `x.norm(f64::INFINITY, ..)` the largest absolute value.
    ///
    /// ```
    /// use autograd::Tensor;
    /// let x = Tensor::from([3.0, -4.0]);
    /// assert_eq!(x.norm(2.0, ..).item(), 5.0);
    /// assert_eq!(x.norm(1.0, ..).item(), 7.0);
    /// assert_eq!(x.norm(f64::INFINITY, ..).item(), 4.0);
    /// ```
    ///
    /// # Panics
    /// If `p` is NaN; if there is no such axis, or one is named twice; if there are no elements and `p` is
    /// negative or infinite.
    #[track_caller]
    pub fn norm(&self, p: f64, axes: impl Axes) -> Tensor<T> {
        let axes = axes.resolve("norm", self.rank());
        self.norm_over(p, axes, self.shape().without(&axes))
    }

    /// [`norm`](Tensor::norm) over `axes`, which stay with size 1.
    ///
    /// # Panics
    /// As [`norm`](Tensor::norm).
    #[track_caller]
    pub fn norm_keepdim(&self, p: f64, axes: impl Axes) -> Tensor<T> {
        let axes = axes.resolve("norm", self.rank());
        self.norm_over(p, axes, self.shape().replaced(&axes, 1))
    }

    #[track_caller]
    fn norm_over(&self, p: f64, axes: Dims, shape: Dims) -> Tensor<T> {
        assert!(!p.is_nan(), "norm: p is NaN");
        let empty = axes.iter().any(|&axis| self.shape()[axis] == 0);
        assert!(
            !(empty && (p < 0.0 || p.is_infinite())),
            "norm: p = {p} over axes {axes} of shape {}: no elements have no such norm",
            self.shape()
        );
        let power = T::from_f64(p);
        let y = if p == f64::INFINITY {
            fold(OfSizes(Max), self, &axes)
        } else if p == f64::NEG_INFINITY {
            fold(OfSizes(Min), self, &axes)
        } else if p == 0.0 {
            fold(SumOf(|x: T| if x == T::ZERO { T::ZERO } else { T::ONE }), self, &axes)
        } else if p == 1.0 {
            fold(OfSizes(Sum), self, &axes)
        } else if p == 2.0 {
            map_into(Root(power), fold(SumOf(|x: T| x * x), self, &axes))
        } else {
            map_into(Root(power), fold(SumOf(move |x: T| x.abs().powf(power)), self, &axes))
        };
        y.with_shape(shape).recorded([self], || Norm { x: self.clone(), p: power, axes })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gradcheck::{check_over_layouts, check_unary};
    use crate::graph::{GradOptions, grad};

    #[test]
    fn gradients() {
        for p in [2.0, 1.0, 3.0] {
            check_unary(|x| (x * x + 0.3).norm(p, ..));
            check_unary(|x| (x * x + 0.3).norm_keepdim(p, -1) * x);
        }
        for p in [-1.0, 0.5, 1.5] {
            check_over_layouts(0.5..2.0, 3, &|x| x.norm(p, 0));
        }
        for p in [f64::INFINITY, f64::NEG_INFINITY] {
            check_over_layouts(0.5..2.0, 2, &|x| x.norm(p, -1) * x.norm(p, ..));
        }
        check_over_layouts(-2.0..-0.5, 2, &|x| x.norm(2.0, 0));
    }

    /// Values from PyTorch 2.15.
    #[test]
    fn edge_cases_as_pytorch() {
        let (inf, nan) = (f64::INFINITY, f64::NAN);
        let cases: &[(f64, [f64; 2], f64, [f64; 2])] = &[
            (0.5, [3.0, -4.0], 13.928203230275509, [2.154700538379252, -1.8660254037844386]),
            (0.5, [0.0, 2.0], 2.0, [0.0, 1.0]),
            (0.5, [inf, 1.0], inf, [nan, inf]),
            (1.0, [0.0, 2.0], 2.0, [0.0, 1.0]),
            (1.0, [nan, 1.0], nan, [0.0, 1.0]),
            (1.5, [3.0, -4.0], 5.584250376480029, [0.7329564758289748, -0.8463452372482761]),
            (1.5, [0.0, 0.0], 0.0, [0.0, 0.0]),
            (2.0, [0.0, 0.0], 0.0, [0.0, 0.0]),
            (2.0, [inf, 1.0], inf, [nan, 0.0]),
            (2.0, [nan, 1.0], nan, [nan, nan]),
            (3.0, [3.0, -4.0], 4.497941445275415, [0.4448513517305356, -0.7908468475209521]),
            (3.0, [nan, 1.0], nan, [nan, nan]),
            (inf, [-2.0, 2.0], 2.0, [-0.5, 0.5]),
            (inf, [0.0, 0.0], 0.0, [0.0, 0.0]),
            (inf, [nan, 1.0], nan, [0.0, 0.0]),
            (inf, [inf, 1.0], inf, [1.0, 0.0]),
            (-inf, [3.0, -4.0], 3.0, [1.0, 0.0]),
            (-inf, [0.0, 2.0], 0.0, [0.0, 0.0]),
            (-1.0, [3.0, -4.0], 1.7142857142857144, [0.326530612244898, -0.18367346938775514]),
            (-1.0, [0.0, 2.0], 0.0, [0.0, 0.0]),
            (-1.0, [inf, 1.0], 1.0, [0.0, 1.0]),
            (0.0, [0.0, 2.0], 1.0, [0.0, 0.0]),
        ];
        // Two powers, each good to an ulp of a logarithm times its exponent.
        let close =
            |a: f64, b: f64| a == b || a.is_nan() && b.is_nan() || (a - b).abs() < 32.0 * f64::EPSILON * b.abs();
        for &(p, x, y, dx) in cases {
            let leaf = Tensor::of(x).requires_grad();
            for create_graph in [false, true] {
                let norm = leaf.norm(p, ..);
                assert!(close(norm.item(), y), "{p}-norm of {x:?}: {}", norm.item());
                let options = GradOptions { create_graph, ..Default::default() };
                let got = grad(&[&norm], &[&leaf], options).remove(0).to_vec();
                assert!(got.iter().zip(dx).all(|(&a, b)| close(a, b)), "{p}-norm of {x:?}: {got:?} instead of {dx:?}");
            }
        }
        assert_eq!(Tensor::zeros([2, 0]).norm(2.0, 1).to_vec(), [0.0, 0.0]);
    }

    #[test]
    #[should_panic(expected = "norm: p = inf over axes [1] of shape [2, 0]: no elements have no such norm")]
    fn the_largest_of_no_elements_is_refused() {
        Tensor::zeros([2, 0]).norm(f64::INFINITY, 1);
    }
}
