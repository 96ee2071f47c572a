//! Powers of |x|, with the sign of x or without: what norms are differentiated through.
//!
//! ```text
//! even: y = |x|^q              dx = q·sign(x)·|x|^(q−1)·dy       the odd one of q − 1
//! odd:  y = sign(x)·|x|^q      dx = q·|x|^(q−1)·dy               the even one of q − 1
//! ```
//!
//! Each is the other's derivative. Both are taken to be 0 at 0, even where q < 0: there a derivative would
//! be 0/0 or infinite, and 0 is a subgradient. (Only |x|⁰ is 1 everywhere.)

use super::unary::{Function, Saves};
use crate::kernels::element::Float;
use crate::kernels::elementwise::Unary;
use crate::tensor::Tensor;

/// |x|^q, times the sign of x if `odd`.
#[derive(Clone, Copy)]
pub(crate) struct SignedPower<T> {
    pub exponent: T,
    pub odd: bool,
}

impl<T: Float> SignedPower<T> {
    /// The function that the derivative is `exponent` times.
    #[inline(always)]
    fn lower(self) -> Self {
        SignedPower { exponent: self.exponent - T::ONE, odd: !self.odd }
    }
}

impl<T: Float> Unary<T> for SignedPower<T> {
    #[inline(always)]
    fn eval(self, x: T) -> T {
        let SignedPower { exponent, odd } = self;
        if odd && exponent == T::ONE {
            return x;
        }
        if exponent == T::ZERO && !odd {
            return T::ONE;
        }
        let size = if exponent == T::ZERO {
            T::ONE
        } else if exponent == T::ONE {
            x.abs()
        } else if exponent == -T::ONE {
            T::ONE / x.abs()
        } else {
            x.abs().powf(exponent)
        };
        if x > T::ZERO {
            size
        } else if x < T::ZERO {
            if odd { -size } else { size }
        } else if x.is_nan() && exponent != T::ZERO {
            x
        } else {
            // Also the sign of a NaN, as PyTorch has it.
            T::ZERO
        }
    }
}

impl<T: Float> Function<T> for SignedPower<T> {
    const NAME: &'static str = "signed_power";
    const SAVES: Saves = Saves::Input;

    #[inline(always)]
    fn derivative(self, x: T, dy: T) -> T {
        self.exponent * self.lower().eval(x) * dy
    }

    fn backward(self, x: &Tensor<T>, dy: &Tensor<T>) -> Tensor<T> {
        self.lower().apply(x) * (dy * self.exponent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gradcheck::check_elementwise;

    #[test]
    fn gradients() {
        for exponent in [-1.0, 0.0, 0.5, 1.0, 2.0, 2.5] {
            for odd in [false, true] {
                check_elementwise(0.5..2.0, |x| SignedPower { exponent, odd }.apply(x));
                check_elementwise(-2.0..-0.5, |x| SignedPower { exponent, odd }.apply(x));
            }
        }
    }

    #[test]
    fn nothing_comes_of_zero() {
        for exponent in [-2.0, -1.0, 0.5, 1.0, 3.0] {
            for odd in [false, true] {
                assert_eq!(SignedPower { exponent, odd }.eval(0.0_f32), 0.0);
            }
        }
        assert_eq!(SignedPower { exponent: 0.0, odd: true }.eval(0.0_f32), 0.0);
        assert_eq!(SignedPower { exponent: 0.0, odd: false }.eval(0.0_f32), 1.0);
    }
}
