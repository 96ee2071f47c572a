//! What the tests of random initialisers share.

use autograd::Tensor;

/// The moments of a distribution.
pub struct Moments {
    pub mean: f64,
    pub variance: f64,
    /// E[(x − mean)⁴] / variance².
    pub kurtosis: f64,
}

impl Moments {
    /// Checks that mean and variance of n samples are within five of their standard errors, which are
    /// √(variance/n) and variance·√((kurtosis − 1)/n). A right sample fails one in 1.7 million times, and the
    /// seeds are fixed.
    #[track_caller]
    pub fn check(&self, x: &Tensor) {
        let n = x.count() as f64;
        let mean = x.iter().map(f64::from).sum::<f64>() / n;
        let variance = x.iter().map(|x| (f64::from(x) - self.mean).powi(2)).sum::<f64>() / n;
        let mean_error = (self.variance / n).sqrt();
        let variance_error = self.variance * ((self.kurtosis - 1.0) / n).sqrt();
        assert!(
            (mean - self.mean).abs() <= 5.0 * mean_error,
            "mean {mean} of {n} samples, not {} ± {mean_error}",
            self.mean
        );
        assert!(
            (variance - self.variance).abs() <= 5.0 * variance_error,
            "variance {variance} of {n} samples, not {} ± {variance_error}",
            self.variance
        );
    }
}
