//! The six linear maps, Bᵀ, G and Aᵀ and their gradients B, Gᵀ and A: along one axis, and along both.

use crate::kernels::element::Float;
use std::f64::consts::{FRAC_1_SQRT_2, SQRT_2};

/// Points along an axis: 0, a, −a, b, −b and ∞ with a = 1/√2 and b = √2.
pub const POINTS: usize = 6;

/// How many tiles a transform takes at a time: the elements of one vector of AVX2 in `f32`.
pub const LANES: usize = 8;

/// One number of each of so many tiles.
pub type Lanes<T> = [T; LANES];

/// A linear map from `N` numbers in a line to `M`.
pub trait Line<const N: usize, const M: usize>: Copy {
    /// The map. `#[inline(always)]`, as everything here: it is compiled into the loop around it.
    fn of<T: Float>(self, x: [T; N]) -> [T; M];
}

/// These numbers as `T`. A loop: the closure of a `map` may stay a function of its own, compiled for no vectors.
#[inline(always)]
fn constants<T: Float, const N: usize>(values: [f64; N]) -> [T; N] {
    let mut out = [T::ZERO; N];
    for i in 0..N {
        out[i] = T::from_f64(values[i]);
    }
    out
}

// ANCHOR: points
/// The values of c₀ + c₁x + … + c₄x⁴ at the points, with a² = 1/2 and b² = 2. At ∞ a polynomial of `N` coefficients,
/// five at the most, is its last one.
#[inline(always)]
fn evaluate<T: Float, const N: usize>(coefficients: [T; N]) -> [T; POINTS] {
    let [a, b, two, four, half, quarter] = constants([FRAC_1_SQRT_2, SQRT_2, 2.0, 4.0, 0.5, 0.25]);
    let mut c = [T::ZERO; 5];
    c[..N].copy_from_slice(&coefficients);
    let (even, odd) = (c[0] + c[2] * half + c[4] * quarter, (c[1] + c[3] * half) * a);
    let (even_b, odd_b) = (c[0] + c[2] * two + c[4] * four, (c[1] + c[3] * two) * b);
    [c[0], even + odd, even - odd, even_b + odd_b, even_b - odd_b, c[N - 1]]
}

/// The gradient of [`evaluate`]: what each coefficient contributed to.
#[inline(always)]
fn evaluate_grad<T: Float, const N: usize>(v: [T; POINTS]) -> [T; N] {
    let [a, b, two, four, half, quarter] = constants([FRAC_1_SQRT_2, SQRT_2, 2.0, 4.0, 0.5, 0.25]);
    let (even, odd) = (v[1] + v[2], (v[1] - v[2]) * a);
    let (even_b, odd_b) = (v[3] + v[4], (v[3] - v[4]) * b);
    let c = [
        v[0] + even + even_b,
        odd + odd_b,
        even * half + even_b * two,
        odd * half + odd_b * two,
        even * quarter + even_b * four,
    ];
    let mut coefficients = [T::ZERO; N];
    coefficients.copy_from_slice(&c[..N]);
    coefficients[N - 1] += v[5];
    coefficients
}

/// Each value over the product of p − q, where p is its point and q the other points but ∞: the denominators of
/// Lagrange's formula, which could stand in B as well.
#[inline(always)]
fn scaled<T: Float>(v: [T; POINTS]) -> [T; POINTS] {
    let [of_a, of_b] = constants([-2.0 / 3.0, 1.0 / 6.0]);
    [v[0], v[1] * of_a, v[2] * of_a, v[3] * of_b, v[4] * of_b, v[5]]
}
// ANCHOR_END: points

// ANCHOR: lines
/// Bᵀ: what six pixels become. Its rows are the coefficients of the polynomials that are zero at all points but one,
/// the numerators of Lagrange's formula: x·(x + a)·(x² − 2) = x⁴ + ax³ − 2x² − 2ax for a. (It has no fifth power, so it
/// is zero at ∞, too.)
#[derive(Clone, Copy)]
pub struct Image;
impl Line<POINTS, POINTS> for Image {
    #[inline(always)]
    fn of<T: Float>(self, d: [T; POINTS]) -> [T; POINTS] {
        let [a, b, two, half, both] = constants([FRAC_1_SQRT_2, SQRT_2, 2.0, 0.5, 2.5]);
        let (even, odd) = (d[4] - d[2] * two, (d[3] - d[1] * two) * a);
        let (even_b, odd_b) = (d[4] - d[2] * half, (d[3] - d[1] * half) * b);
        let (zero, infinity) = (d[0] - d[2] * both + d[4], d[1] - d[3] * both + d[5]);
        [zero, even + odd, even - odd, even_b + odd_b, even_b - odd_b, infinity]
    }
}

/// B: the gradient of [`Image`].
#[derive(Clone, Copy)]
pub struct ImageGrad;
impl Line<POINTS, POINTS> for ImageGrad {
    #[inline(always)]
    fn of<T: Float>(self, v: [T; POINTS]) -> [T; POINTS] {
        let [a, b, two, half, both] = constants([FRAC_1_SQRT_2, SQRT_2, 2.0, 0.5, 2.5]);
        let (even, odd) = (v[1] + v[2], (v[1] - v[2]) * a);
        let (even_b, odd_b) = (v[3] + v[4], (v[3] - v[4]) * b);
        [
            v[0],
            v[5] - odd * two - odd_b * half,
            -v[0] * both - even * two - even_b * half,
            odd + odd_b - v[5] * both,
            v[0] + even + even_b,
            v[5],
        ]
    }
}

/// G: what the weights become.
#[derive(Clone, Copy)]
pub struct Weight;
impl<const N: usize> Line<N, POINTS> for Weight {
    #[inline(always)]
    fn of<T: Float>(self, weights: [T; N]) -> [T; POINTS] {
        scaled(evaluate(weights))
    }
}

/// Gᵀ: the gradient of [`Weight`].
#[derive(Clone, Copy)]
pub struct WeightGrad;
impl<const N: usize> Line<POINTS, N> for WeightGrad {
    #[inline(always)]
    fn of<T: Float>(self, u: [T; POINTS]) -> [T; N] {
        evaluate_grad(scaled(u))
    }
}

/// Aᵀ: what six products become.
#[derive(Clone, Copy)]
pub struct Output;
impl<const N: usize> Line<POINTS, N> for Output {
    #[inline(always)]
    fn of<T: Float>(self, products: [T; POINTS]) -> [T; N] {
        evaluate_grad(products)
    }
}

/// A: the gradient of [`Output`].
#[derive(Clone, Copy)]
pub struct OutputGrad;
impl<const N: usize> Line<N, POINTS> for OutputGrad {
    #[inline(always)]
    fn of<T: Float>(self, outputs: [T; N]) -> [T; POINTS] {
        evaluate(outputs)
    }
}
// ANCHOR_END: lines

/// `L·x·Lᵀ`: the map along the columns, then along the rows.
#[inline(always)]
fn on_square<L: Line<N, M>, T: Float, const N: usize, const M: usize>(map: L, x: [[T; N]; N]) -> [[T; M]; M] {
    let mut tall = [[T::ZERO; N]; M];
    for j in 0..N {
        let mut column = [T::ZERO; N];
        for i in 0..N {
            column[i] = x[i][j];
        }
        let column = map.of(column);
        for i in 0..M {
            tall[i][j] = column[i];
        }
    }
    let mut out = [[T::ZERO; M]; M];
    for i in 0..M {
        out[i] = map.of(tall[i]);
    }
    out
}

/// The same for so many squares at a time. The loop over them is the outer one: it is too long to be unrolled, so it is
/// made of vectors.
#[inline(always)]
pub fn on_squares<L: Line<N, M>, T: Float, const N: usize, const M: usize>(
    map: L,
    x: &[[Lanes<T>; N]; N],
    out: &mut [[Lanes<T>; M]; M],
) {
    for lane in 0..LANES {
        let mut square = [[T::ZERO; N]; N];
        for i in 0..N {
            for j in 0..N {
                square[i][j] = x[i][j][lane];
            }
        }
        let square = on_square(map, square);
        for i in 0..M {
            for j in 0..M {
                out[i][j][lane] = square[i][j];
            }
        }
    }
}

/// Eight elements from `at` on.
#[inline(always)]
pub fn lanes<T>(data: &[T], at: usize) -> &Lanes<T> {
    data[at..].first_chunk().expect("eight elements for eight lanes")
}

/// The same, to be written.
#[inline(always)]
pub fn lanes_mut<T>(data: &mut [T], at: usize) -> &mut Lanes<T> {
    data[at..].first_chunk_mut().expect("eight elements for eight lanes")
}
