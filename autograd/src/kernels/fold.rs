//! How many values become one: sums, products, extremes, and sums of functions.

use super::element::Number;

/// How values become one: each becomes a term, and terms are merged two by two, in any grouping.
pub trait Fold<T>: Copy + Send + Sync {
    /// The fold that merges as this one does, but whose terms are the elements: for merging what are terms already.
    type Merge: Fold<T>;
    /// That fold.
    fn merge_only(self) -> Self::Merge;
    /// The term that changes nothing.
    fn start(self) -> T;
    /// What stands for the element `x`: itself, unless the fold is of a function. Mark it `#[inline(always)]`.
    #[inline(always)]
    fn term(self, x: T) -> T {
        x
    }
    /// Two terms become one. Mark it `#[inline(always)]`.
    fn merge(self, a: T, b: T) -> T;
}

/// a + b
#[derive(Clone, Copy)]
pub struct Sum;
/// a·b
#[derive(Clone, Copy)]
pub struct Product;
/// max(a, b); NaN if either is
#[derive(Clone, Copy)]
pub struct Max;
/// min(a, b); NaN if either is
#[derive(Clone, Copy)]
pub struct Min;

macro_rules! fold {
    ($name:ident, $start:ident, |$a:ident, $b:ident| $merge:expr) => {
        impl<T: Number> Fold<T> for $name {
            type Merge = $name;
            #[inline(always)]
            fn merge_only(self) -> $name {
                $name
            }
            #[inline(always)]
            fn start(self) -> T {
                T::$start
            }
            #[inline(always)]
            fn merge(self, $a: T, $b: T) -> T {
                $merge
            }
        }
    };
}
fold!(Sum, ZERO, |a, b| a + b);
fold!(Product, ONE, |a, b| a * b);
fold!(Max, LEAST, |a, b| a.maximum(b));
fold!(Min, GREATEST, |a, b| a.minimum(b));

/// The sum of a function of the elements.
#[derive(Clone, Copy)]
pub struct SumOf<F>(pub F);

impl<T: Number, F: Fn(T) -> T + Copy + Send + Sync> Fold<T> for SumOf<F> {
    type Merge = Sum;
    #[inline(always)]
    fn merge_only(self) -> Sum {
        Sum
    }
    #[inline(always)]
    fn start(self) -> T {
        T::ZERO
    }
    #[inline(always)]
    fn term(self, x: T) -> T {
        (self.0)(x)
    }
    #[inline(always)]
    fn merge(self, a: T, b: T) -> T {
        a + b
    }
}
