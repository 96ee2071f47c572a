//! Powers with a fixed exponent: the square, the reciprocal, whole powers, and any other.
//!
//! ```text
//! y = x²       dx = 2x·dy
//! y = 1/x      dx = −y²·dy
//! y = xⁿ       dx = n·xⁿ⁻¹·dy
//! y = x^p      dx = p·x^(p−1)·dy
//! ```
//!
//! Except for the reciprocal, x is what is saved. 0⁰ is 1, and whatever x is, the derivative of x⁰ is 0. An
//! exponent that is itself a tensor is in [`pow`](mod@super::pow).

use super::unary::{Function, Saves};
use crate::kernels::element::{Float, Number};
use crate::kernels::elementwise::Unary;
use crate::tensor::Tensor;

#[derive(Clone, Copy)]
struct Square;

impl<T: Number> Unary<T> for Square {
    #[inline(always)]
    fn eval(self, x: T) -> T {
        x * x
    }
}

impl<T: Number> Function<T> for Square {
    const NAME: &'static str = "square";
    const SAVES: Saves = Saves::Input;

    #[inline(always)]
    fn derivative(self, x: T, dy: T) -> T {
        (x + x) * dy
    }

    fn backward(self, x: &Tensor<T>, dy: &Tensor<T>) -> Tensor<T> {
        x * T::from_f64(2.0) * dy
    }
}

#[derive(Clone, Copy)]
struct Reciprocal;

impl<T: Float> Unary<T> for Reciprocal {
    #[inline(always)]
    fn eval(self, x: T) -> T {
        T::ONE / x
    }
}

impl<T: Float> Function<T> for Reciprocal {
    const NAME: &'static str = "reciprocal";
    const SAVES: Saves = Saves::Output;

    #[inline(always)]
    fn derivative(self, y: T, dy: T) -> T {
        -(y * y) * dy
    }

    fn backward(self, y: &Tensor<T>, dy: &Tensor<T>) -> Tensor<T> {
        -y.square() * dy
    }
}

/// xⁿ
#[derive(Clone, Copy)]
struct WholePower {
    n: i32,
}

impl<T: Float> Unary<T> for WholePower {
    #[inline(always)]
    fn eval(self, x: T) -> T {
        T::powi(x, self.n)
    }
}

impl<T: Float> Function<T> for WholePower {
    const NAME: &'static str = "powi";
    const SAVES: Saves = Saves::Input;

    #[inline(always)]
    fn derivative(self, x: T, dy: T) -> T {
        let dx = T::from_f64(f64::from(self.n)) * T::powi(x, self.n - 1) * dy;
        if self.n == 0 { T::ZERO } else { dx }
    }

    fn backward(self, x: &Tensor<T>, dy: &Tensor<T>) -> Tensor<T> {
        if self.n == 0 { dy.zeros_like() } else { x.powi(self.n - 1) * T::from_f64(f64::from(self.n)) * dy }
    }
}

/// x^p, where p is not whole. Where p is ±½, by way of a root, as PyTorch; the slope is a power's, which differs
/// from a root's at −0 and −∞.
#[derive(Clone, Copy)]
struct Power<T> {
    p: T,
}

impl<T: Float> Unary<T> for Power<T> {
    #[inline(always)]
    fn eval(self, x: T) -> T {
        // The exponent is the same for the whole loop, which the compiler writes for each case.
        if self.p == T::from_f64(0.5) {
            T::sqrt(x)
        } else if self.p == T::from_f64(-0.5) {
            T::ONE / T::sqrt(x)
        } else {
            T::powf(x, self.p)
        }
    }
}

impl<T: Float> Function<T> for Power<T> {
    const NAME: &'static str = "powf";
    const SAVES: Saves = Saves::Input;

    #[inline(always)]
    fn derivative(self, x: T, dy: T) -> T {
        self.p * Power { p: self.p - T::ONE }.eval(x) * dy
    }

    fn backward(self, x: &Tensor<T>, dy: &Tensor<T>) -> Tensor<T> {
        x.powf(self.p - T::ONE) * self.p * dy
    }
}

/// Whole exponents below this in size are exact in every type, and an `i32`.
const LARGEST_WHOLE: f64 = 16_777_216.0;

impl<T: Number> Tensor<T> {
    /// x², element by element, as `torch.square`. Any shape; the result has the same.
    ///
    /// ```
    /// use autograd::Tensor;
    /// assert_eq!(Tensor::from([-3.0, 0.5]).square().to_vec(), [9.0, 0.25]);
    /// ```
    #[track_caller]
    pub fn square(&self) -> Tensor<T> {
        Square.apply(self)
    }
}

impl<T: Float> Tensor<T> {
    /// 1/x, element by element, as `torch.reciprocal`. Any shape; the result has the same.
    ///
    /// ```
    /// use autograd::Tensor;
    /// assert_eq!(Tensor::from([4.0, -0.5]).reciprocal().to_vec(), [0.25, -2.0]);
    /// ```
    #[track_caller]
    pub fn reciprocal(&self) -> Tensor<T> {
        Reciprocal.apply(self)
    }

    /// xⁿ, element by element, as `torch.pow` with a whole exponent. Any shape; the result has the same.
    /// A result that the type can hold exactly is exact.
    ///
    /// ```
    /// use autograd::Tensor;
    /// assert_eq!(Tensor::from([-2.0, 0.5]).powi(3).to_vec(), [-8.0, 0.125]);
    /// assert_eq!(Tensor::from([-2.0, 0.0]).powi(-2).to_vec(), [0.25, f32::INFINITY]);
    /// ```
    #[track_caller]
    pub fn powi(&self, n: i32) -> Tensor<T> {
        match n {
            2 => self.square(),
            -1 => self.reciprocal(),
            n => WholePower { n }.apply(self),
        }
    }

    /// xᵖ, element by element, as `torch.pow`: NaN where x < 0, unless p is whole. Any shape; the result
    /// has the same. Whole exponents take the shorter way of [`powi`](Tensor::powi), ±½ that of a root,
    /// which is NaN at −∞ too.
    ///
    /// ```
    /// use autograd::Tensor;
    /// assert_eq!(Tensor::from([4.0, 0.25]).powf(1.5).to_vec(), [8.0, 0.125]);
    /// ```
    #[track_caller]
    pub fn powf(&self, p: T) -> Tensor<T> {
        let exponent = p.to_f64();
        if exponent.fract() == 0.0 && exponent.abs() < LARGEST_WHOLE {
            self.powi(exponent as i32)
        } else {
            Power { p }.apply(self)
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::gradcheck::check_elementwise;
    use crate::graph::{GradOptions, grad};
    use crate::ops::testing::{INF, NAN, assert_like_pytorch};
    use crate::tensor::Tensor;

    #[test]
    fn gradients() {
        for range in [0.5..2.0, -2.0..-0.5] {
            check_elementwise(range.clone(), |x| x.square());
            check_elementwise(range.clone(), |x| x.reciprocal());
            for n in [-3, -2, -1, 0, 1, 2, 3, 4, 5, 7] {
                check_elementwise(range.clone(), |x| x.powi(n));
            }
        }
        for p in [-2.5, -0.5, 0.5, 1.5, 3.0, 3.7] {
            check_elementwise(0.5..2.0, |x| x.powf(p));
        }
    }

    #[test]
    fn edges() {
        assert_like_pytorch!(
            |x| x.powi(0),
            [
                [0., 1., 0.],
                [-0., 1., 0.],
                [1., 1., 0.],
                [-1., 1., 0.],
                [INF, 1., 0.],
                [-INF, 1., 0.],
                [NAN, 1., 0.],
                [2., 1., 0.],
                [0.5, 1., 0.]
            ]
        );
        assert_like_pytorch!(
            |x| x.powi(1),
            [
                [0., 0., 1.],
                [-0., -0., 1.],
                [1., 1., 1.],
                [-1., -1., 1.],
                [INF, INF, 1.],
                [-INF, -INF, 1.],
                [NAN, NAN, 1.],
                [2., 2., 1.],
                [0.5, 0.5, 1.]
            ]
        );
        assert_like_pytorch!(
            |x| x.square(),
            [
                [0., 0., 0.],
                [-0., 0., -0.],
                [1., 1., 2.],
                [-1., 1., -2.],
                [INF, INF, INF],
                [-INF, INF, -INF],
                [NAN, NAN, NAN],
                [2., 4., 4.],
                [0.5, 0.25, 1.]
            ]
        );
        assert_like_pytorch!(
            |x| x.powi(3),
            [
                [0., 0., 0.],
                [-0., -0., 0.],
                [1., 1., 3.],
                [-1., -1., 3.],
                [INF, INF, INF],
                [-INF, -INF, INF],
                [NAN, NAN, NAN],
                [2., 8., 12.],
                [0.5, 0.125, 0.75]
            ]
        );
        assert_like_pytorch!(
            |x| x.reciprocal(),
            [
                [0., INF, -INF],
                [-0., -INF, -INF],
                [1., 1., -1.],
                [-1., -1., -1.],
                [INF, 0., -0.],
                [-INF, -0., -0.],
                [NAN, NAN, NAN],
                [2., 0.5, -0.25],
                [0.5, 2., -4.]
            ]
        );
        assert_like_pytorch!(
            |x| x.powi(-2),
            [
                [0., INF, -INF],
                [-0., INF, INF],
                [1., 1., -2.],
                [-1., 1., 2.],
                [INF, 0., -0.],
                [-INF, 0., 0.],
                [NAN, NAN, NAN],
                [2., 0.25, -0.25],
                [0.5, 4., -16.]
            ]
        );
        assert_like_pytorch!(
            |x| x.powi(-3),
            [
                [0., INF, -INF],
                [-0., -INF, -INF],
                [1., 1., -3.],
                [-1., -1., -3.],
                [INF, 0., -0.],
                [-INF, -0., -0.],
                [NAN, NAN, NAN],
                [2., 0.125, -0.187_5],
                [0.5, 8., -48.]
            ]
        );
        assert_like_pytorch!(
            |x| x.powi(64),
            [
                [0., 0., 0.],
                [-0., 0., -0.],
                [1., 1., 64.],
                [-1., 1., -64.],
                [INF, INF, INF],
                [-INF, INF, -INF],
                [NAN, NAN, NAN],
                [1.5, 186140372879.473_42, 7941989242857.532],
                [-1.5, 186140372879.473_42, -7941989242857.532]
            ]
        );
        assert_like_pytorch!(
            |x| x.powf(0.5),
            [
                [0., 0., INF],
                [-0., -0., -INF],
                [1., 1., 0.5],
                [-1., NAN, NAN],
                [INF, INF, 0.],
                [-INF, NAN, NAN],
                [NAN, NAN, NAN],
                [2., 1.414_213_562_373_095_1, 0.353_553_390_593_273_73],
                [0.5, 0.707_106_781_186_547_6, 0.707_106_781_186_547_5]
            ]
        );
        assert_like_pytorch!(
            |x| x.powf(-0.5),
            [
                [0., INF, -INF],
                [-0., -INF, -INF],
                [1., 1., -0.5],
                [-1., NAN, NAN],
                [INF, 0., -0.],
                [-INF, NAN, -0.],
                [NAN, NAN, NAN],
                [2., 0.707_106_781_186_547_5, -0.176_776_695_296_636_87],
                [0.5, 1.414_213_562_373_095, -1.414_213_562_373_095_1]
            ]
        );
        assert_like_pytorch!(
            |x| x.powf(1.5),
            [
                [0., 0., 0.],
                [1., 1., 1.5],
                [-1., NAN, NAN],
                [INF, INF, INF],
                [NAN, NAN, NAN],
                [2., 2.828_427_124_746_190_3, 2.121_320_343_559_643],
                [0.5, 0.353_553_390_593_273_8, 1.060_660_171_779_821_4]
            ]
        );
        assert_like_pytorch!(
            |x| x.powf(2.5),
            [
                [0., 0., 0.],
                [-0., 0., 0.],
                [1., 1., 2.5],
                [-1., NAN, NAN],
                [INF, INF, INF],
                [-INF, INF, INF],
                [NAN, NAN, NAN],
                [2., 5.656_854_249_492_381, 7.071_067_811_865_475_5],
                [0.5, 0.176_776_695_296_636_9, 0.883_883_476_483_184_4]
            ]
        );
    }

    /// The slopes of the slopes of roots, which are powers again.
    #[test]
    fn second_derivatives_of_roots() {
        for p in [0.5, -0.5] {
            let cases: &[[f64; 2]] = if p > 0.0 {
                &[[0., -INF], [-0., -INF], [INF, -0.], [-INF, -0.], [4., -0.031_25], [-1., NAN]]
            } else {
                &[[0., INF], [-0., INF], [INF, 0.], [-INF, 0.], [4., 0.023_437_5], [-1., NAN]]
            };
            for &[x, expected] in cases {
                let x = Tensor::of(x).requires_grad();
                let slope = grad(&[&x.powf(p)], &[&x], GradOptions::create_graph()).remove(0);
                let curvature = grad(&[&slope], &[&x], GradOptions::default()).remove(0).item();
                let same = curvature.to_bits() == expected.to_bits() || curvature.is_nan() && expected.is_nan();
                assert!(same, "x^{p} at {x}: a second derivative of {curvature}, PyTorch says {expected}");
            }
        }
    }
}
