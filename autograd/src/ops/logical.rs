//! Masks combined and counted: and, or, exclusive or, not; any, all.

use super::binary::{broadcast, zip};
use super::unary::map;
use crate::kernels::elementwise::{Binary, Unary};
use crate::tensor::Tensor;

macro_rules! connective {
    ($method:ident, $operator:ident, $operator_method:ident, $op:tt, $means:literal) => {
        impl Tensor<bool> {
            #[doc = concat!($means, ", as `torch.", stringify!($method), "`; also written `&a ", stringify!($op), " &b`. The shapes are broadcast.")]
            ///
            /// # Panics
            /// If the shapes do not broadcast.
            #[track_caller]
            pub fn $method(&self, other: &Tensor<bool>) -> Tensor<bool> {
                #[derive(Clone, Copy)]
                struct Connective;
                impl Binary<bool> for Connective {
                    #[inline(always)]
                    fn eval(self, a: bool, b: bool) -> bool {
                        a $op b
                    }
                }
                let name = stringify!($method);
                zip(Connective, broadcast(name, self, other), self, other).unrecorded(name)
            }
        }
        impl std::ops::$operator for &Tensor<bool> {
            type Output = Tensor<bool>;
            #[track_caller]
            fn $operator_method(self, other: &Tensor<bool>) -> Tensor<bool> {
                self.$method(other)
            }
        }
        impl std::ops::$operator for Tensor<bool> {
            type Output = Tensor<bool>;
            #[track_caller]
            fn $operator_method(self, other: Tensor<bool>) -> Tensor<bool> {
                self.$method(&other)
            }
        }
    };
}
connective!(logical_and, BitAnd, bitand, &, "Where both are true");
connective!(logical_or, BitOr, bitor, |, "Where one is true, or both");
connective!(logical_xor, BitXor, bitxor, ^, "Where just one is true");

/// ```
/// use autograd::Tensor;
/// let x = Tensor::from([-2.0, 0.5, 3.0]);
/// let inside = x.gt(-1.0) & x.lt(1.0);
/// assert_eq!(inside.to_vec(), [false, true, false]);
/// assert_eq!((!&inside).count_true(), 2);
/// assert!(inside.any() && !inside.all());
/// ```
impl Tensor<bool> {
    /// Where false, as `torch.logical_not`; also written `!&mask`.
    #[track_caller]
    pub fn logical_not(&self) -> Tensor<bool> {
        #[derive(Clone, Copy)]
        struct Not;
        impl Unary<bool> for Not {
            #[inline(always)]
            fn eval(self, x: bool) -> bool {
                !x
            }
        }
        map(Not, self).unrecorded("logical_not")
    }

    /// Whether an element is true, as `torch.any`; of none, false. Over some axes only:
    /// `mask.cast::<i64>().sum(axes).gt(0)`.
    pub fn any(&self) -> bool {
        self.count_true() > 0
    }

    /// Whether all elements are true, as `torch.all`; of none, true.
    pub fn all(&self) -> bool {
        self.count_true() == self.count()
    }

    /// How many elements are true, as `torch.count_nonzero`. Over some axes only:
    /// `mask.cast::<i64>().sum(axes)`.
    pub fn count_true(&self) -> usize {
        self.contiguous().slice().iter().map(|&x| usize::from(x)).sum()
    }
}

impl std::ops::Not for &Tensor<bool> {
    type Output = Tensor<bool>;
    fn not(self) -> Tensor<bool> {
        self.logical_not()
    }
}

impl std::ops::Not for Tensor<bool> {
    type Output = Tensor<bool>;
    fn not(self) -> Tensor<bool> {
        self.logical_not()
    }
}

#[cfg(test)]
mod tests {
    use crate::Tensor;

    #[test]
    fn truth_tables() {
        let (a, b) = (Tensor::of([[false], [true]]), Tensor::of([false, true]));
        assert_eq!((&a & &b).to_vec(), [false, false, false, true]);
        assert_eq!((&a | &b).to_vec(), [false, true, true, true]);
        assert_eq!((&a ^ &b).to_vec(), [false, true, true, false]);
        assert_eq!((!b).to_vec(), [true, false]);
    }

    #[test]
    fn any_and_all() {
        let none = Tensor::of([false; 0]);
        assert!(none.all() && !none.any());
        let x = Tensor::from_fn([300, 7], |i| i % 3 == 0);
        assert_eq!(x.count_true(), 700);
        assert_eq!(x.t().count_true(), 700);
        assert_eq!(x.narrow(1, 0, 1).count_true(), 100);
        assert!(x.any() && !x.all() && (&x | &!&x).all() && !(&x & &!&x).any());
    }

    #[test]
    #[should_panic(expected = "logical_and: shapes [2] and [3] do not broadcast")]
    fn other_shapes() {
        let _ = Tensor::of([true; 2]) & Tensor::of([true; 3]);
    }
}
