//! Random matrices whose rows or columns are orthonormal.
//!
//! Gram and Schmidt: from a random vector, take away its projections on the vectors before, and scale what
//! is left to length 1. Rounding leaves a little of the projections behind, so they are taken away twice;
//! "twice is enough" (Giraud et al. 2005) for orthogonality to rounding, here in f64. Starting from normal
//! numbers, every orthogonal matrix is equally likely (Haar's measure; Mezzadri 2007).

use autograd::{Dims, Rng, Tensor};

/// A matrix with orthonormal rows or, if it is taller than wide, columns, times `gain`, as
/// `torch.nn.init.orthogonal_` (Saxe et al. 2013): it keeps the length of what it multiplies. Axes behind the
/// second are taken together with it.
///
/// ```
/// use autograd::Rng;
/// use nn::init::orthogonal;
/// let q = orthogonal([2, 3], 1.0, &mut Rng::seeded(0));
/// let product = q.matmul(&q.t()).to_vec();
/// assert!(product.iter().zip([1.0, 0.0, 0.0, 1.0]).all(|(x, y)| (x - y).abs() < 1e-6));
/// ```
///
/// # Panics
/// If the shape has fewer than two axes.
#[track_caller]
pub fn orthogonal(shape: impl Into<Dims>, gain: f32, rng: &mut Rng) -> Tensor {
    let shape = shape.into();
    assert!(shape.len() >= 2, "orthogonal: a weight of shape {shape}; at least two axes are wanted");
    let (rows, columns) = (shape[0], shape[1..].iter().product::<usize>());
    let (count, length) = (rows.min(columns), rows.max(columns));
    let vectors = orthonormal(count, length, rng);
    let wide = rows <= columns;
    Tensor::from_fn(shape, |i| {
        let (row, column) = (i / columns, i % columns);
        let at = if wide { row * length + column } else { column * length + row };
        (f64::from(gain) * vectors[at]) as f32
    })
}

/// `count` vectors of `length` at least `count`, one behind the other.
fn orthonormal(count: usize, length: usize, rng: &mut Rng) -> Vec<f64> {
    let mut vectors: Vec<f64> = (0..count * length).map(|_| rng.normal()).collect();
    for done in 0..count {
        let (before, rest) = vectors.split_at_mut(done * length);
        let vector = &mut rest[..length];
        for _ in 0..2 {
            for earlier in before.chunks_exact(length) {
                let projection = dot(earlier, vector);
                for (x, e) in vector.iter_mut().zip(earlier) {
                    *x -= projection * e;
                }
            }
        }
        let norm = dot(vector, vector).sqrt();
        for x in vector {
            *x /= norm;
        }
    }
    vectors
}

/// a·b in several sums side by side, so that an addition need not wait for the one before.
fn dot(a: &[f64], b: &[f64]) -> f64 {
    const LANES: usize = 16;
    let mut sums = [0.0; LANES];
    let ((a, rest_a), (b, rest_b)) = (a.as_chunks::<LANES>(), b.as_chunks::<LANES>());
    for (a, b) in a.iter().zip(b) {
        for ((sum, a), b) in sums.iter_mut().zip(a).zip(b) {
            *sum += a * b;
        }
    }
    sums.iter().sum::<f64>() + rest_a.iter().zip(rest_b).map(|(a, b)| a * b).sum::<f64>()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The product of the rows (or columns) with each other, less gain² on the diagonal: the largest entry.
    fn defect(x: &Tensor, gain: f64) -> f64 {
        let x = x.reshape([x.size(0), x.count() / x.size(0)]);
        let x = if x.size(0) <= x.size(1) { x } else { x.t() };
        let (rows, length) = (x.size(0), x.size(1));
        let x: Vec<f64> = x.iter().map(f64::from).collect();
        let row = |i: usize| &x[i * length..(i + 1) * length];
        let pairs = (0..rows).flat_map(|i| (0..rows).map(move |j| (i, j)));
        pairs.map(|(i, j)| (dot(row(i), row(j)) - if i == j { gain * gain } else { 0.0 }).abs()).fold(0.0, f64::max)
    }

    /// Each entry is rounded to f32 once, by at most half an ε of itself, and |aᵢ|·|bᵢ| sum up to at most
    /// gain²: so ε·gain², and a little for the squares of those errors and the f64 arithmetic.
    #[test]
    fn rows_or_columns_are_orthonormal_to_rounding() {
        let mut rng = Rng::seeded(12);
        for shape in
            [&[1, 1][..], &[2, 2], &[64, 64], &[10, 200], &[200, 10], &[1, 50], &[50, 1], &[8, 4, 3, 3], &[90, 4, 3]]
        {
            for gain in [1.0, 2.5] {
                let bound = 1.001 * f64::from(f32::EPSILON) * gain * gain;
                let defect = defect(&orthogonal(shape, gain as f32, &mut rng), gain);
                assert!(defect <= bound, "shape {shape:?}, gain {gain}: {defect:e} > {bound:e}");
            }
        }
    }

    /// In n dimensions the first entry of a random unit vector has mean 0 and variance 1/n.
    #[test]
    fn all_directions_are_equally_likely() {
        let mut rng = Rng::seeded(13);
        for column in 0..3 {
            let firsts: Vec<f32> = (0..4000).map(|_| orthogonal([3, 3], 1.0, &mut rng).value_at([0, column])).collect();
            // The entry of a random direction in three dimensions is uniform in [-1, 1] (Archimedes).
            let moments = super::super::testing::Moments { mean: 0.0, variance: 1.0 / 3.0, kurtosis: 1.8 };
            moments.check(&Tensor::from_slice(&firsts, firsts.len()));
        }
    }

    #[test]
    fn empty_weights_are_no_trouble() {
        assert_eq!(orthogonal([0, 3], 1.0, &mut Rng::seeded(0)).count(), 0);
        assert_eq!(orthogonal([3, 0], 1.0, &mut Rng::seeded(0)).count(), 0);
    }
}
