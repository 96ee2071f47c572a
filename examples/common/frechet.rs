//! How far two sets of points are from each other, if each is taken for a Gaussian (Dowson and Landau 1982; Heusel and
//! others 2017 judge generated images by it):
//!
//! ```text
//! d² = |μ₁ − μ₂|² + tr(C₁ + C₂ − 2·√(√C₁·C₂·√C₁))
//! ```

use autograd::Tensor;

/// The Gaussian with the mean and the covariance of some points.
pub struct Gaussian {
    mean: Tensor<f64>,
    covariance: Tensor<f64>,
}

impl Gaussian {
    /// Of points that are the rows of `[N, D]`.
    pub fn of(points: &Tensor) -> Gaussian {
        let points = points.detach().cast::<f64>();
        let mean = points.mean_keepdim(0); // [1, D]
        let centred = &points - &mean;
        let covariance = centred.t().matmul(&centred) / (points.size(0).max(2) - 1) as f64; // [D, D]
        Gaussian { mean, covariance }
    }

    /// d², which is called the Fréchet distance nevertheless.
    pub fn distance(&self, other: &Gaussian) -> f64 {
        let means = (&self.mean - &other.mean).square().sum(..).item();
        let root = square_root(&self.covariance);
        let product = root.matmul(&other.covariance).matmul(&root);
        let shared = trace(&square_root(&product));
        means + trace(&self.covariance) + trace(&other.covariance) - 2.0 * shared
    }
}

fn trace(x: &Tensor<f64>) -> f64 {
    (0..x.size(0)).map(|i| x.value_at([i, i])).sum()
}

/// The root of a symmetric matrix without negative eigenvalues, by Newton's iteration in the form that needs no inverse
/// (Higham 2008, chapter 6): Y → √A and Z → 1/√A. An eigenvalue of 10⁻¹² of the largest grows to its root in some
/// thirty steps; what is smaller adds nothing to a trace.
fn square_root(a: &Tensor<f64>) -> Tensor<f64> {
    const STEPS: usize = 50;
    let scale = a.square().sum(..).sqrt().item();
    if scale == 0.0 {
        return a.clone();
    }
    let one = Tensor::eye_of::<f64>(a.size(0));
    let (mut y, mut z) = (a / scale + &one * 1e-14, one.clone());
    for _ in 0..STEPS {
        let step = (&one * 3.0 - z.matmul(&y)) * 0.5;
        (y, z) = (y.matmul(&step), step.matmul(&z));
    }
    y * scale.sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use autograd::Rng;

    #[test]
    fn a_root_times_itself_is_the_matrix() {
        let x = Tensor::randn_of::<f64>([20, 8], &mut Rng::seeded(1));
        let a = x.t().matmul(&x);
        let root = square_root(&a);
        let error = (root.matmul(&root) - &a).abs().max(..).item();
        assert!(error < 1e-10 * a.abs().max(..).item(), "{error}");
    }

    #[test]
    fn distances_of_known_gaussians() {
        // Points ±s along each axis: covariance 2·s²·N/2 / (N − 1) each.
        let cross =
            |s: f32, shift: f32| Gaussian::of(&(Tensor::from([[s, 0.0], [-s, 0.0], [0.0, s], [0.0, -s]]) + shift));
        assert!(cross(1.0, 0.0).distance(&cross(1.0, 0.0)).abs() < 1e-9);
        // Means differ by 3 along both axes.
        assert!((cross(1.0, 0.0).distance(&cross(1.0, 3.0)) - 18.0).abs() < 1e-6);
        // Variances 2/3 and 4·2/3 along both axes: 2·(√(8/3) − √(2/3))².
        let expected = 2.0 * ((8.0_f64 / 3.0).sqrt() - (2.0_f64 / 3.0).sqrt()).powi(2);
        assert!((cross(1.0, 0.0).distance(&cross(2.0, 0.0)) - expected).abs() < 1e-6);
        // A direction without variance.
        let flat = Gaussian::of(&Tensor::from([[1.0, 0.0], [-1.0, 0.0]]));
        assert!(flat.distance(&flat).abs() < 1e-6);
    }
}
