//! The element types of tensors, from general to special: [`Element`], [`Number`], [`Float`].

use super::gemm::GemmFloat;
use super::math::Math;
use crate::memory::Plain;
use std::fmt::{Debug, Display};
use std::ops::{Add, AddAssign, Div, Mul, Neg, Sub};

/// One element, whatever its type: for code that tells the types apart, as printing does.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Scalar {
    /// A float.
    Float(f64),
    /// An integer.
    Int(i64),
    /// True or false.
    Bool(bool),
}

/// What a tensor can hold: `f32`, `f64`, `i64`, `bool`.
pub trait Element: Plain + Debug + Display + PartialEq + PartialOrd + Default {
    /// PyTorch's name of the type.
    const DTYPE: &'static str;
    /// The sum of two; of `bool`, whether either is true. What scattering adds up with.
    fn plus(self, other: Self) -> Self;
    /// This element, with its kind.
    fn scalar(self) -> Scalar;
    /// Whether this is neither infinite nor NaN.
    #[inline(always)]
    fn is_finite(self) -> bool {
        true
    }
}

/// Elements one can calculate with: `f32`, `f64`, `i64`.
pub trait Number:
    Element
    + Add<Output = Self>
    + AddAssign
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
    + std::iter::Sum
{
    /// 0
    const ZERO: Self;
    /// 1
    const ONE: Self;
    /// The least value (−∞ for floats): where a maximum starts.
    const LEAST: Self;
    /// The greatest value (∞ for floats): where a minimum starts.
    const GREATEST: Self;
    /// `x` rounded to this type (towards zero for integers).
    fn from_f64(x: f64) -> Self;
    /// This value as an `f64`.
    fn to_f64(self) -> f64;
    /// Whether this is a NaN.
    fn is_nan(self) -> bool;
    /// The larger of two, `self` if they are equal; NaN if either is.
    #[inline(always)]
    fn maximum(self, other: Self) -> Self {
        if self >= other || self.is_nan() { self } else { other }
    }
    /// The smaller of two, `self` if they are equal; NaN if either is.
    #[inline(always)]
    fn minimum(self, other: Self) -> Self {
        if self <= other || self.is_nan() { self } else { other }
    }
}

/// Elements that gradients can be of: `f32` to train, `f64` to check.
pub trait Float: Number + Math + GemmFloat {
    /// The distance from 1 to the next larger value.
    const EPSILON: Self;
    /// √self
    fn sqrt(self) -> Self;
    /// |self|
    fn abs(self) -> Self;
    /// sin self
    fn sin(self) -> Self;
    /// cos self
    fn cos(self) -> Self;
}

impl Element for bool {
    const DTYPE: &'static str = "bool";
    #[inline(always)]
    fn plus(self, other: bool) -> bool {
        self | other
    }
    fn scalar(self) -> Scalar {
        Scalar::Bool(self)
    }
}

macro_rules! number {
    ($t:ty, $kind:ident, $name:literal, $least:expr, $greatest:expr, $is_nan:expr, $is_finite:expr) => {
        impl Element for $t {
            const DTYPE: &'static str = $name;
            #[inline(always)]
            fn plus(self, other: Self) -> Self {
                self + other
            }
            fn scalar(self) -> Scalar {
                Scalar::$kind(self.into())
            }
            #[inline(always)]
            fn is_finite(self) -> bool {
                $is_finite(self)
            }
        }
        impl Number for $t {
            const ZERO: Self = 0 as $t;
            const ONE: Self = 1 as $t;
            const LEAST: Self = $least;
            const GREATEST: Self = $greatest;
            #[inline(always)]
            fn from_f64(x: f64) -> Self {
                x as $t
            }
            #[inline(always)]
            fn to_f64(self) -> f64 {
                self as f64
            }
            #[inline(always)]
            fn is_nan(self) -> bool {
                $is_nan(self)
            }
        }
    };
}
number!(f32, Float, "float32", f32::NEG_INFINITY, f32::INFINITY, f32::is_nan, f32::is_finite);
number!(f64, Float, "float64", f64::NEG_INFINITY, f64::INFINITY, f64::is_nan, f64::is_finite);
number!(i64, Int, "int64", i64::MIN, i64::MAX, |_| false, |_| true);

macro_rules! float {
    ($t:ident) => {
        impl Float for $t {
            const EPSILON: Self = $t::EPSILON;
            #[inline(always)]
            fn sqrt(self) -> Self {
                $t::sqrt(self)
            }
            #[inline(always)]
            fn abs(self) -> Self {
                $t::abs(self)
            }
            #[inline(always)]
            fn sin(self) -> Self {
                $t::sin(self)
            }
            #[inline(always)]
            fn cos(self) -> Self {
                $t::cos(self)
            }
        }
    };
}
float!(f32);
float!(f64);
