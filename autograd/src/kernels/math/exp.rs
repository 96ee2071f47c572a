//! eˣ and eˣ − 1.
//!
//! Range reduction: with n the integer nearest x / ln 2 and r = x − n ln 2, so that |r| ≤ ½ ln 2,
//!
//! ```text
//! eˣ = 2ⁿ eʳ = 2ⁿ (1 + q),    q = eʳ − 1 = r + r² P(r)
//! ```
//!
//! 2ⁿ costs a shift: n becomes the exponent field of a float. P is a minimax polynomial of degree 4 (Remez, derived
//! by `coefficients.py`; the largest error of q is 2⁻²⁶ relative).

use super::polynomial;

/// P: (eʳ − 1 − r) / r².
const EXP: [f32; 5] = [0.49999997, 0.166_665_35, 0.041_667_715, 0.008_367_72, 0.001_384_153_6];

/// ln 2 in two parts. The first has 9 significant bits: its product with an integer of up to 15 bits is exact.
const LN2_HI: f32 = 0.693_359_4;
const LN2_LO: f32 = -2.121_944_4e-4;

/// 1.5 · 2²³: floats of this size are the integers, so adding it rounds to the nearest integer, which then stands in
/// the low bits. (`f32::round` is a library call where SSE2 is all there is.)
const ROUND: f32 = 12_582_912.0;

/// (n + `bias` in the low bits, q), for x = n ln 2 + r and q = eʳ − 1.
#[inline(always)]
fn reduce(x: f32, bias: f32) -> (u32, f32) {
    let shifted = x * std::f32::consts::LOG2_E + (ROUND + bias);
    let n = shifted - (ROUND + bias);
    let r = x - n * LN2_HI - n * LN2_LO;
    (shifted.to_bits(), r + r * r * polynomial(r, EXP))
}

/// 2ᵏ, given k + 127 in the low 9 bits.
#[inline(always)]
fn power_of_two(biased: u32) -> f32 {
    f32::from_bits(biased << 23)
}

/// (2ⁿ, q) with eˣ = 2ⁿ (1 + q), for −87 ≤ x ≤ 88.
#[inline(always)]
pub(super) fn exp_parts(x: f32) -> (f32, f32) {
    let (biased, q) = reduce(x, 127.0);
    (power_of_two(biased), q)
}

/// eˣ. Largest error 1.05 ulp.
#[inline(always)]
pub fn exp(x: f32) -> f32 {
    // Beyond these the result is 0 or ∞. Written so that a NaN fails both comparisons and stays.
    let x = if x > 89.0 { 89.0 } else { x };
    let x = if x < -104.0 { -104.0 } else { x };
    // n is between −150 and 128, more than an exponent field holds: multiply by 2^⌊n/2⌋ and by the rest of it.
    // Only the second product can be subnormal or infinite, so the result is still rounded once.
    let (biased, q) = reduce(x, 2.0 * 127.0);
    let half = biased >> 1;
    (1.0 + q) * power_of_two(half) * power_of_two(biased.wrapping_sub(half))
}

/// eˣ − 1. Largest error 1.83 ulp.
#[inline(always)]
pub fn exp_m1(x: f32) -> f32 {
    let clamped = if x > 89.0 { 89.0 } else { x };
    let clamped = if clamped < -20.0 { -20.0 } else { clamped }; // −1 from here on
    // 2ⁿ (1 + q) − 1 = 2ⁿ q + (2ⁿ − 1), halved because 2ⁿ itself may be beyond the largest float.
    let (biased, q) = reduce(clamped, 126.0);
    let half_power = power_of_two(biased);
    let half = half_power * q + (half_power - 0.5);
    (half + half).copysign(x) // the sign matters at −0
}

#[cfg(test)]
mod tests {
    use super::super::testing::{assert_bits, assert_ulp};

    #[test]
    fn exp() {
        assert_ulp("exp", super::exp, f64::exp, 1.05);
        let inf = f32::INFINITY;
        assert_bits(
            "exp",
            super::exp,
            &[(0.0, 1.0), (-0.0, 1.0), (inf, inf), (-inf, 0.0), (200.0, inf), (-200.0, 0.0)],
        );
        // The last finite result, and the smallest one that is not 0.
        assert_bits("exp", super::exp, &[(88.722_84, inf), (-103.28, f32::from_bits(1)), (-103.98, 0.0)]);
    }

    #[test]
    fn exp_m1() {
        assert_ulp("exp_m1", super::exp_m1, f64::exp_m1, 1.83);
        let inf = f32::INFINITY;
        assert_bits("exp_m1", super::exp_m1, &[(0.0, 0.0), (-0.0, -0.0), (inf, inf), (-inf, -1.0), (1e-40, 1e-40)]);
    }
}
