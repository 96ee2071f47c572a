//! The five linear maps, Bᵀ, G and Aᵀ and the gradients A and Gᵀ of two of them: along one axis, and along both.

use crate::kernels::element::Float;

/// How many tiles a transform takes at a time: the elements of one vector of AVX2 in `f32`.
pub const LANES: usize = 8;

/// A linear map from `N` numbers in a line to `M`.
pub trait Line<const N: usize, const M: usize>: Copy {
    /// The map. `#[inline(always)]`, as everything here: it is compiled into the loop around it.
    fn of<T: Float>(self, x: [T; N]) -> [T; M];
}

// ANCHOR: lines
/// Bᵀ: what four pixels become.
#[derive(Clone, Copy)]
pub struct Image;
impl Line<4, 4> for Image {
    #[inline(always)]
    fn of<T: Float>(self, [d0, d1, d2, d3]: [T; 4]) -> [T; 4] {
        [d0 - d2, d1 + d2, d2 - d1, d1 - d3]
    }
}

/// G: what three weights become.
#[derive(Clone, Copy)]
pub struct Weight;
impl Line<3, 4> for Weight {
    #[inline(always)]
    fn of<T: Float>(self, [g0, g1, g2]: [T; 3]) -> [T; 4] {
        let half = T::from_f64(0.5);
        [g0, (g0 + g1 + g2) * half, (g0 - g1 + g2) * half, g2]
    }
}

/// Aᵀ: how four products become two pixels of the output.
#[derive(Clone, Copy)]
pub struct Output;
impl Line<4, 2> for Output {
    #[inline(always)]
    fn of<T: Float>(self, [m0, m1, m2, m3]: [T; 4]) -> [T; 2] {
        [m0 + m1 + m2, m1 - m2 - m3]
    }
}

/// A: the gradient of [`Output`].
#[derive(Clone, Copy)]
pub struct OutputGrad;
impl Line<2, 4> for OutputGrad {
    #[inline(always)]
    fn of<T: Float>(self, [y0, y1]: [T; 2]) -> [T; 4] {
        [y0, y0 + y1, y0 - y1, -y1]
    }
}

/// Gᵀ: the gradient of [`Weight`].
#[derive(Clone, Copy)]
pub struct WeightGrad;
impl Line<4, 3> for WeightGrad {
    #[inline(always)]
    fn of<T: Float>(self, [u0, u1, u2, u3]: [T; 4]) -> [T; 3] {
        let half = T::from_f64(0.5);
        let (sum, difference) = ((u1 + u2) * half, (u1 - u2) * half);
        [u0 + sum, difference, sum + u3]
    }
}
// ANCHOR_END: lines

/// `L·x·Lᵀ`: the map along the columns, then along the rows.
#[inline(always)]
pub fn on_square<L: Line<N, M>, T: Float, const N: usize, const M: usize>(map: L, x: [[T; N]; N]) -> [[T; M]; M] {
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

/// The same for `LANES` squares at a time, whose elements lie in so many places.
#[inline(always)]
pub fn on_lanes<L: Line<N, M>, T: Float, const N: usize, const M: usize>(
    map: L,
    x: [[&[T; LANES]; N]; N],
) -> [[[T; LANES]; M]; M] {
    let mut out = [[[T::ZERO; LANES]; M]; M];
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
    out
}

/// Eight elements from `at` on.
#[inline(always)]
pub fn lanes<T>(data: &[T], at: usize) -> &[T; LANES] {
    data[at..].first_chunk().expect("room for a vector behind the last tile")
}
