//! x^y.
//!
//! An error of δ in y·log₂ x is a relative one of 0.7δ in 2^(y·log₂ x), and y·log₂ x goes up to 150: a logarithm in
//! single precision would be off by hundreds of last places. So this is done in double precision, where polynomials of
//! moderate length leave an error far below that of rounding to f32 at the end. Plain Taylor series are good enough:
//!
//! ```text
//! log₂ x = k + 2/ln 2 (s + s³/3 + s⁵/5 + … + s¹⁷/17)    x = 2ᵏ m, s = (m − 1) / (m + 1), |s| < 0.172; error 6e-17
//! 2^t    = 2ⁿ (1 + u + u²/2! + … + u⁹/9!)               n = t rounded, u = (t − n) ln 2, |u| < 0.347; error 7e-12
//! ```
//!
//! Like the rest of this folder: no branch, no table, no call.

use super::polynomial_f64;
use std::f64::consts::{LN_2, SQRT_2};

/// 1/3, 1/5, …, 1/17
const ATANH: [f64; 8] = {
    let mut c = [0.0; 8];
    let mut k = 0;
    while k < 8 {
        c[k] = 1.0 / (2 * k + 3) as f64;
        k += 1;
    }
    c
};

/// 1/0!, 1/1!, …, 1/9!
const EXP: [f64; 10] = {
    let mut c = [1.0; 10];
    let mut k = 1;
    while k < 10 {
        c[k] = c[k - 1] / k as f64;
        k += 1;
    }
    c
};

/// 2⁵², on top of whose exponent an integer can be read as its own fraction, and the other way round.
const TWO_52: f64 = 4_503_599_627_370_496.0;

/// log₂ x for a normal x > 0.
#[inline(always)]
fn log2(x: f64) -> f64 {
    const SQRT_HALF: u64 = (0.5 * SQRT_2).to_bits();
    // As in `ln`: shifting √½ onto 1 makes the exponent field change at √½.
    let bits = x.to_bits().wrapping_add(1f64.to_bits() - SQRT_HALF);
    let k = f64::from_bits((bits >> 52) | TWO_52.to_bits()) - (TWO_52 + 1023.0);
    let m = f64::from_bits((bits & 0x000f_ffff_ffff_ffff) + SQRT_HALF);
    let s = (m - 1.0) / (m + 1.0);
    let z = s * s;
    k + (2.0 / LN_2) * (s + s * z * polynomial_f64(z, ATANH))
}

/// 2^t for |t| < 1000.
#[inline(always)]
fn exp2(t: f64) -> f64 {
    // Added to 1.5·2⁵², t is rounded to an integer, which stands in the last bits.
    let shifted = t + 1.5 * TWO_52;
    let n = shifted - 1.5 * TWO_52;
    let power = f64::from_bits((shifted.to_bits() << 52).wrapping_add(1f64.to_bits()));
    power * polynomial_f64((t - n) * LN_2, EXP)
}

/// x^y. Largest error 0.51 ulp.
#[inline(always)]
pub fn powf(x: f32, y: f32) -> f32 {
    let size = x.abs();
    let log = log2(f64::from(size));
    // ∞ and NaN are their own logarithm.
    let log = if size < f32::INFINITY { log } else { f64::from(size) };
    let log = if size == 0.0 { f64::NEG_INFINITY } else { log };
    let t = f64::from(y) * log;
    // 1^y and x⁰ are 1, be the other NaN.
    let t = if y == 0.0 || size == 1.0 { 0.0 } else { t };
    // Beyond this, f32 has only 0 and ∞; a NaN passes.
    let t = if t < -200.0 { -200.0 } else { t };
    let t = if t > 200.0 { 200.0 } else { t };
    let power = exp2(t) as f32;

    let whole = y.floor() == y;
    let half = 0.5 * y;
    let odd = whole && half.floor() != half;
    let power = if odd { power.copysign(x) } else { power };
    let undefined = x < 0.0 && x > f32::NEG_INFINITY && !whole;
    if undefined { f32::NAN } else { power }
}

/// xⁿ. Largest error 0.51 ulp, so a result that an f32 can hold exactly is exact.
#[inline(always)]
pub fn powi(x: f32, n: i32) -> f32 {
    const BITS: u32 = 6;
    let size = n.unsigned_abs();
    // In double precision up to 62 roundings make no difference, and neither xⁿ nor 1/xⁿ leaves the range of f64 where
    // the result is within that of f32. The number of steps is fixed so that a loop over elements vectorises.
    let (mut power, mut square) = (1.0, f64::from(x));
    for bit in 0..BITS {
        power = if size >> bit & 1 == 1 { power * square } else { power };
        square = square * square;
    }
    let power = if n < 0 { 1.0 / power } else { power };
    if size < 1 << BITS { power as f32 } else { powf(x, n as f32) }
}

#[cfg(test)]
mod tests {
    use crate::kernels::math::testing::error_in_ulp;

    const INF: f32 = f32::INFINITY;

    /// Bases and exponents of all sizes whose powers are mostly within range.
    fn samples() -> impl Iterator<Item = (f32, f32)> {
        (1..400_000_u32).map(|i| {
            let x = f32::from_bits(i.wrapping_mul(2_654_435_761) & 0x7fff_ffff);
            let y = (f64::from(i % 1009) / 504.5 - 1.0) * 150.0 / f64::from(x).log2();
            (x, y as f32)
        })
    }

    #[test]
    fn powf() {
        let mut worst = 0.0_f64;
        for (x, y) in samples() {
            worst = worst.max(error_in_ulp(super::powf(x, y), f64::from(x).powf(f64::from(y))));
        }
        println!("powf: largest error {worst:.4} ulp");
        assert!(worst <= 0.51, "powf is off by {worst} ulp");
    }

    #[test]
    fn special_values_are_those_of_the_standard_library() {
        let values = [0.0, 1e-40, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 64.0, 65.0, 1e30, 16_777_215.0, 16_777_216.0, INF];
        let values: Vec<f32> = values.iter().flat_map(|&x| [x, -x]).chain([f32::NAN]).collect();
        for &x in &values {
            for &y in &values {
                let (got, want) = (super::powf(x, y), x.powf(y));
                let close = (got - want).abs() <= f32::EPSILON * want.abs();
                let same = got.to_bits() == want.to_bits() || got.is_nan() && want.is_nan();
                assert!(same || close && want != 0.0, "{x:e}^{y:e} = {got:e}, expected {want:e}");
            }
        }
    }

    #[test]
    fn powi() {
        let mut worst = 0.0_f64;
        for (x, y) in samples() {
            let n = y as i32;
            for (x, n) in [(x, n), (-x, n)] {
                worst = worst.max(error_in_ulp(super::powi(x, n), f64::from(x).powi(n)));
            }
        }
        println!("powi: largest error {worst:.4} ulp");
        assert!(worst <= 0.51, "powi is off by {worst} ulp");
        for n in [-64, -63, -3, -2, -1, 0, 1, 2, 3, 63, 64, 65] {
            for x in [0.0, -0.0, 1.0, -1.0, INF, -INF, 3.0, f32::NAN] {
                let (got, want) = (super::powi(x, n), x.powf(n as f32));
                assert!(
                    got.to_bits() == want.to_bits() || got.is_nan() && want.is_nan(),
                    "{x}^{n} = {got}, not {want}"
                );
            }
        }
    }
}
