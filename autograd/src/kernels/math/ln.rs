//! ln x and ln(1 + x).
//!
//! Range reduction: x = 2ᵏ (1 + f) with 1 + f between √½ and √2, so ln x = k ln 2 + ln(1 + f). Then
//!
//! ```text
//! ln(1 + f) = 2 atanh(s) = 2s + s z A(z),    s = f / (2 + f),  z = s²
//! ```
//!
//! and because 2s = f − s f, that is f − s (f − z A(z)): the result is f, which is exact, less a correction that is
//! small beside it. (The identity is that of fdlibm's `log`.) A is a minimax polynomial of degree 3 for z ≤ 1/9, which
//! is f ≤ 1 (Remez, derived by `coefficients.py`; the largest error is 2⁻²⁷ of ln(1 + f)).

use super::polynomial;

/// A: 2 (atanh(s) / s − 1) / s².
const ATANH: [f32; 4] = [0.666_664_1, 0.400_217_5, 0.279_982_12, 0.280_294_3];

/// ln 2 in two parts. The first has 16 significant bits: its product with an integer of up to 8 bits is exact.
const LN2_HI: f32 = 0.693_138_1;
const LN2_LO: f32 = 9.058_001e-6;

/// The bits of 1 and of √½.
const ONE: u32 = 0x3f80_0000;
const SQRT_HALF: u32 = 0x3f35_04f3;

/// f − ln(1 + f), for √½ − 1 ≤ f ≤ 1.
#[inline(always)]
pub(super) fn ln_1p_correction(f: f32) -> f32 {
    let s = f / (2.0 + f);
    let z = s * s;
    s * (f - z * polynomial(z, ATANH))
}

/// (k, 1 + f) with x = 2ᵏ (1 + f), for a normal x > 0.
#[inline(always)]
fn split(x: f32) -> (i32, f32) {
    // Bits grow with the float, and their exponent field is ⌊log₂⌋. Shifting √½ onto 1 makes that field change at √½.
    let bits = x.to_bits().wrapping_add(ONE - SQRT_HALF);
    let k = (bits >> 23) as i32 - 127;
    (k, f32::from_bits((bits & 0x007f_ffff) + SQRT_HALF))
}

/// k ln 2 + ln(1 + f), the small terms first.
#[inline(always)]
fn sum(k: f32, f: f32) -> f32 {
    k * LN2_HI + (f - (ln_1p_correction(f) - k * LN2_LO))
}

/// ln x. Largest error 0.95 ulp.
#[inline(always)]
pub fn ln(x: f32) -> f32 {
    // A subnormal has no exponent to read: scale it into the normal range first.
    let subnormal = x < f32::MIN_POSITIVE;
    let (k, m) = split(if subnormal { x * 8_388_608.0 } else { x }); // 2²³
    let k = k as f32 - if subnormal { 23.0 } else { 0.0 };
    let y = sum(k, m - 1.0);
    // +∞ and NaN are their own logarithm.
    let special = if x == 0.0 { f32::NEG_INFINITY } else { x };
    let special = if x < 0.0 { f32::NAN } else { special };
    if x > 0.0 && x < f32::INFINITY { y } else { special }
}

/// ln(1 + x). Largest error 1.59 ulp.
///
/// u = 1 + x rounds. What that loses, lost = (1 + x) − u, is a float, and goes back into f at its scale:
/// 1 + x = 2ᵏ (m + 2⁻ᵏ lost), with u = 2ᵏ m. For small x this restores f = x exactly.
#[inline(always)]
pub fn ln_1p(x: f32) -> f32 {
    let u = 1.0 + x;
    let (large, small) = if x > 1.0 { (x, 1.0) } else { (1.0, x) };
    let lost = small - (u - large); // exact, by Dekker's theorem
    let (k, m) = split(u);
    let scale = f32::from_bits(((127 - k).max(0) as u32) << 23); // 2⁻ᵏ, and 0 where that is subnormal
    let y = sum(k as f32, (m - 1.0) + lost * scale);
    // ±0, +∞ and NaN are their own result.
    let special = if x == -1.0 { f32::NEG_INFINITY } else { x };
    let special = if x < -1.0 { f32::NAN } else { special };
    if x > -1.0 && x < f32::INFINITY && x != 0.0 { y } else { special }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{assert_bits, assert_ulp};
    const INF: f32 = f32::INFINITY;

    #[test]
    fn ln() {
        assert_ulp("ln", super::ln, f64::ln, 0.95);
        assert_bits("ln", super::ln, &[(1.0, 0.0), (0.0, -INF), (-0.0, -INF), (INF, INF), (-1.0, f32::NAN)]);
        assert_bits("ln", super::ln, &[(-INF, f32::NAN), (f32::from_bits(1), -103.278_93)]);
    }

    #[test]
    fn ln_1p() {
        assert_ulp("ln_1p", super::ln_1p, f64::ln_1p, 1.59);
        assert_bits("ln_1p", super::ln_1p, &[(0.0, 0.0), (-0.0, -0.0), (-1.0, -INF), (INF, INF), (-1.1, f32::NAN)]);
        assert_bits("ln_1p", super::ln_1p, &[(-INF, f32::NAN), (1e-40, 1e-40), (-1e-12, -1e-12)]);
    }
}
