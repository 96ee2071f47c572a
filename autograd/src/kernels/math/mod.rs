//! exp, ln, tanh and their relatives, written so that the compiler vectorises them.
//!
//! ```text
//! exp.rs      e^x and e^x − 1: the range reduction that tanh, sigmoid, softplus and erf start from
//! ln.rs       ln x and ln(1 + x)
//! tanh.rs     from e^(−2|x|)
//! sigmoid.rs  sigmoid, softplus, log-sigmoid: from e^(−|x|)
//! erf.rs      two polynomials, for f32 and f64
//! pow.rs      x^y and xⁿ, in double precision within
//! ```
//!
//! **f32: for speed.** Each function is straight-line code. There is no branch (an `if` here picks one of two values
//! that are both at hand), no table, no call. Inlined into a loop over a slice inside a `#[target_feature]` function,
//! it becomes vector instructions, eight lanes at a time on AVX2 and sixteen on AVX-512. There is no fused multiply-add
//! either: every operation is one that IEEE 754 rounds in one way only, so the bits are the same on every machine.
//!
//! **f64: for checking gradients.** The standard library's functions, and an `erf` of our own, which it lacks.
//!
//! Generic kernels reach both through [`Math`].
//!
//! # Accuracy
//!
//! Largest error over all 2³² floats, in units of the last place of the correct result. Zeros keep their sign,
//! subnormals are neither flushed nor garbage, infinities go to their limits, a NaN stays one.
//!
//! | exp | exp_m1 | ln | ln_1p | tanh | sigmoid | softplus, log_sigmoid | erf |
//! |---|---|---|---|---|---|---|---|
//! | 1.05 | 1.83 | 0.95 | 1.59 | 1.97 | 2.41 | 2.08 | 1.46 |
//!
//! `CHAINRULE_EXHAUSTIVE=1 cargo test --release -p chainrule-autograd math -- --nocapture` prints these, in half an
//! hour on two cores; without the variable the tests take every 4099th float. `coefficients.py` derives the
//! polynomials.

mod erf;
mod exp;
mod ln;
mod pow;
mod sigmoid;
mod tanh;
#[cfg(test)]
mod testing;

/// The functions of this folder for `T: Math`, which is `f32` or `f64`.
///
/// On a concrete type `x.exp()` is the standard library's function, because inherent methods come first: there, write
/// `Math::exp(x)`.
pub trait Math: Copy {
    /// eˣ
    fn exp(self) -> Self;
    /// eˣ − 1, accurate near 0.
    fn exp_m1(self) -> Self;
    /// The natural logarithm; −∞ at ±0, NaN below.
    fn ln(self) -> Self;
    /// ln(1 + x), accurate near 0; −∞ at −1, NaN below.
    fn ln_1p(self) -> Self;
    /// (eˣ − e⁻ˣ) / (eˣ + e⁻ˣ)
    fn tanh(self) -> Self;
    /// 1 / (1 + e⁻ˣ)
    fn sigmoid(self) -> Self;
    /// ln(1 + eˣ)
    fn softplus(self) -> Self;
    /// ln sigmoid(x) = −softplus(−x)
    #[inline(always)]
    fn log_sigmoid(self) -> Self
    where
        Self: std::ops::Neg<Output = Self> + std::ops::Sub<Output = Self> + Default,
    {
        // Taken from zero rather than negated: at +∞ that is 0, not −0.
        Self::default() - (-self).softplus()
    }
    /// 2/√π ∫₀ˣ e^(−t²) dt
    fn erf(self) -> Self;
    /// x^y, as IEEE 754's pow: 1 where y = 0 or x = 1; NaN for a negative x, unless y is whole.
    fn powf(self, y: Self) -> Self;
    /// xⁿ; exact where the type can hold the result.
    fn powi(self, n: i32) -> Self;
}

impl Math for f32 {
    #[inline(always)]
    fn exp(self) -> f32 {
        exp::exp(self)
    }
    #[inline(always)]
    fn exp_m1(self) -> f32 {
        exp::exp_m1(self)
    }
    #[inline(always)]
    fn ln(self) -> f32 {
        ln::ln(self)
    }
    #[inline(always)]
    fn ln_1p(self) -> f32 {
        ln::ln_1p(self)
    }
    #[inline(always)]
    fn tanh(self) -> f32 {
        tanh::tanh(self)
    }
    #[inline(always)]
    fn sigmoid(self) -> f32 {
        sigmoid::sigmoid(self)
    }
    #[inline(always)]
    fn softplus(self) -> f32 {
        sigmoid::softplus(self)
    }
    #[inline(always)]
    fn erf(self) -> f32 {
        erf::erf(self)
    }
    #[inline(always)]
    fn powf(self, y: f32) -> f32 {
        pow::powf(self, y)
    }
    #[inline(always)]
    fn powi(self, n: i32) -> f32 {
        pow::powi(self, n)
    }
}

impl Math for f64 {
    #[inline(always)]
    fn exp(self) -> f64 {
        f64::exp(self)
    }
    #[inline(always)]
    fn exp_m1(self) -> f64 {
        f64::exp_m1(self)
    }
    #[inline(always)]
    fn ln(self) -> f64 {
        f64::ln(self)
    }
    #[inline(always)]
    fn ln_1p(self) -> f64 {
        f64::ln_1p(self)
    }
    #[inline(always)]
    fn tanh(self) -> f64 {
        f64::tanh(self)
    }
    #[inline(always)]
    fn sigmoid(self) -> f64 {
        sigmoid::sigmoid_f64(self)
    }
    #[inline(always)]
    fn softplus(self) -> f64 {
        sigmoid::softplus_f64(self)
    }
    #[inline(always)]
    fn erf(self) -> f64 {
        erf::erf_f64(self)
    }
    #[inline(always)]
    fn powf(self, y: f64) -> f64 {
        f64::powf(self, y)
    }
    #[inline(always)]
    fn powi(self, n: i32) -> f64 {
        // Not `f64::powi`, whose error grows with n.
        f64::powf(self, f64::from(n))
    }
}

/// c\[0\] + c\[1\] x + c\[2\] x² + …
///
/// Horner's rule is a single chain in which each step waits for the one before. Estrin's scheme pairs the terms:
/// four at a time as (c₀ + c₁x) + x²(c₂ + c₃x), and the fours by Horner's rule in x⁴. As many operations, but
/// a chain of a quarter of the length. The loop unrolls: every condition in it is about constants.
macro_rules! polynomial {
    ($name:ident, $float:ty) => {
        #[inline(always)]
        fn $name<const N: usize>(x: $float, c: [$float; N]) -> $float {
            let x2 = x * x;
            let x4 = x2 * x2;
            let pair = |k: usize| if k + 1 < N { c[k] + x * c[k + 1] } else { c[k] };
            let four = |k: usize| if k + 2 < N { pair(k) + x2 * pair(k + 2) } else { pair(k) };
            let mut k = (N - 1) / 4 * 4;
            let mut sum = four(k);
            while k > 0 {
                k -= 4;
                sum = four(k) + x4 * sum;
            }
            sum
        }
    };
}
polynomial!(polynomial, f32);
polynomial!(polynomial_f64, f64);
