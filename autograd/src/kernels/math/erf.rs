//! erf x = 2/√π ∫₀ˣ e^(−t²) dt, the function in the exact GELU.
//!
//! ```text
//! |x| < 0.875:  erf x = x + x S(x²)
//! above:        erf |x| = 1 − e^(−L(|x|)),   L = −ln(1 − erf)
//! ```
//!
//! S and L are minimax polynomials (Remez, derived by `coefficients.py`), one pair for each precision. L grows like x²,
//! a smooth function that a polynomial follows well, and errors in it hardly count: what is subtracted from 1 is 0.22
//! at most and falls fast. (The form is one of Norbert Juffa's.) Where erf rounds to 1, the argument of L is clamped.

use super::exp::exp_parts;
use super::{polynomial, polynomial_f64};

/// Where the two formulas meet.
const MEET: f32 = 0.875;

/// S, to 2⁻²⁶ of erf x.
const SMALL: [f32; 6] = [0.12837915, -0.37612504, 0.11281922, -0.026770486, 0.0049989284, -0.00060204987];

/// L on [0.875, 4], to 2⁻²⁸ of erf x.
const LARGE: [f32; 7] = [0.00013360612, 1.127936, 0.6367374, 0.10432738, -0.022420174, 0.0030922885, -0.00020099871];

/// S, to 2⁻⁵⁶ of erf x.
const SMALL_F64: [f64; 12] = [
    0.1283791670955126,
    -0.3761263890318413,
    0.11283791670974293,
    -0.026866170648920284,
    0.0052239776638643865,
    -0.0008548329292819486,
    0.00012055416207236169,
    -1.4927594372379129e-5,
    1.6490793494492372e-6,
    -1.6618336015702795e-7,
    1.59145257140748e-8,
    -1.288173611921425e-9,
];

/// L on [0.875, 6], to 2⁻⁵⁸ of erf x.
const LARGE_F64: [f64; 20] = [
    -7.032154366407408e-9,
    1.12837927891387,
    0.6366189638040513,
    0.1027761773271627,
    -0.019139352594242397,
    -0.00018466175513409623,
    0.0016538500736193197,
    -0.0005325269710640646,
    -3.684438877572143e-5,
    0.0001196986004001196,
    -6.908154801531517e-5,
    2.5968843708255054e-5,
    -7.31417762406939e-6,
    1.6021513416979523e-6,
    -2.7410249562423183e-7,
    3.609656091559775e-8,
    -3.5416766666193174e-9,
    2.4403879621015265e-10,
    -1.0536941000448335e-11,
    2.144264038923281e-13,
];

/// erf x. Largest error 1.46 ulp.
#[inline(always)]
pub fn erf(x: f32) -> f32 {
    let a = x.abs();
    let small = a + a * polynomial(a * a, SMALL);
    let clamped = if a > 4.0 { 4.0 } else { a };
    let (power, q) = exp_parts(-polynomial(clamped, LARGE));
    let large = 1.0 - (power + power * q);
    (if a < MEET { small } else { large }).copysign(x)
}

/// [`erf`] in double precision. Largest error 1.35 ulp, seen in 12,000 random arguments against mpmath.
#[inline(always)]
pub fn erf_f64(x: f64) -> f64 {
    let a = x.abs();
    let small = a + a * polynomial_f64(a * a, SMALL_F64);
    let clamped = if a > 6.0 { 6.0 } else { a };
    let large = 1.0 - (-polynomial_f64(clamped, LARGE_F64)).exp();
    (if a < f64::from(MEET) { small } else { large }).copysign(x)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{assert_bits, assert_ulp};
    use super::erf_f64;
    use std::f64::consts::FRAC_2_SQRT_PI;

    #[test]
    fn erf() {
        assert_ulp("erf", super::erf, erf_f64, 1.46);
        let inf = f32::INFINITY;
        assert_bits("erf", super::erf, &[(0.0, 0.0), (-0.0, -0.0), (inf, 1.0), (-inf, -1.0), (5.0, 1.0)]);
    }

    /// Abramowitz and Stegun, 7.1.6: erf x = 2/√π e^(−x²) Σ 2ⁿ x^(2n+1) / (1·3·…·(2n+1)). Every term is positive.
    fn series(x: f64) -> f64 {
        let (mut term, mut sum, mut n) = (x, x, 0.0);
        while term > 1e-18 * sum {
            n += 1.0;
            term *= 2.0 * x * x / (2.0 * n + 1.0);
            sum += term;
        }
        FRAC_2_SQRT_PI * (-x * x).exp() * sum
    }

    /// 7.1.14: 1 − erf x = 1/√π e^(−x²) / (x + ½/(x + 1/(x + 3⁄2/(x + …)))).
    fn continued_fraction(x: f64) -> f64 {
        let tail = (1..200).rev().fold(x, |tail, k| x + 0.5 * f64::from(k) / tail);
        1.0 - 0.5 * FRAC_2_SQRT_PI * (-x * x).exp() / tail
    }

    #[test]
    fn erf_f64_against_the_definitions() {
        for i in 1..70_000 {
            let x = f64::from(i) * 1e-4;
            let oracle = if x < 2.0 { series(x) } else { continued_fraction(x) };
            // e^(−x²) loses x² roundings, and it is what is subtracted from 1; the sum loses a few.
            let bound = (4.0 + x * x.min(4.0)) * f64::EPSILON * oracle;
            assert!((erf_f64(x) - oracle).abs() <= bound, "erf({x}) = {:e}, expected {oracle:e}", erf_f64(x));
            assert_eq!(erf_f64(-x), -erf_f64(x));
        }
    }

    /// Correctly rounded values, by mpmath's `erf` at exactly these arguments.
    #[test]
    fn erf_f64_to_the_last_place() {
        let table = [
            (1e-300, 1.1283791670955126e-300),
            (1e-10, 1.1283791670955126e-10),
            (0.1, 0.1124629160182849),
            (0.5, 0.5204998778130465),
            (0.874, 0.7835498567698438),
            (0.876, 0.7845993470462711),
            (1.0, 0.8427007929497149),
            (1.25, 0.9229001282564583),
            (2.0, 0.9953222650189527),
            (3.0, 0.9999779095030014),
            (4.5, 0.9999999998033839),
            (5.9, 0.9999999999999999),
        ];
        for (x, want) in table {
            let ulp = f64::from_bits(f64::to_bits(want) + 1) - want;
            assert!((erf_f64(x) - want).abs() <= ulp, "erf({x:e}) = {:e}, expected {want:e}", erf_f64(x));
        }
        assert_eq!(erf_f64(f64::INFINITY), 1.0);
        assert!(erf_f64(f64::NAN).is_nan());
        assert_eq!(erf_f64(-0.0).to_bits(), (-0.0f64).to_bits());
    }
}
