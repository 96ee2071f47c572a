//! The mean and the variance of each row of `n`, from the row twice: the mean first, then
//!
//! ```text
//! variance = Σ (x − mean)² / divisor
//! ```
//!
//! The shortcut through Σx² and (Σx)² would read the row once, and cancel where the mean is large.

use super::element::Float;
use super::fold::{Sum, SumOf};
use super::lanes;
use super::parallel;
use super::reduce::fold_all;
use super::simd::{Loop, vectorised};

/// Writes the mean and the variance of each row.
#[inline(never)]
pub fn variance<T: Float>(x: &[T], n: usize, divisor: T, means: &mut [T], variances: &mut [T]) {
    assert!(x.len() == means.len() * n && means.len() == variances.len());
    let count = T::from_f64(n as f64);
    let chunk = parallel::chunk_len(x.len());
    if n > chunk {
        // Rows so long that each is work for several threads.
        for ((x, mean), variance) in x.chunks_exact(n).zip(means).zip(variances) {
            *mean = fold_all(Sum, x) / count;
            let center = *mean;
            *variance = fold_all(SumOf(move |x: T| (x - center) * (x - center)), x) / divisor;
        }
        return;
    }
    let rows = chunk.div_ceil(n.max(1));
    parallel::for_each_block_of_two((means, variances), (rows, rows), x.len(), |i, means, variances| {
        let at = i * rows * n;
        vectorised(Rows { x: &x[at..at + means.len() * n], n, count, divisor, means, variances });
    });
}

struct Rows<'a, T> {
    x: &'a [T],
    n: usize,
    count: T,
    divisor: T,
    means: &'a mut [T],
    variances: &'a mut [T],
}

impl<T: Float> Loop for Rows<'_, T> {
    type Out = ();
    #[inline(always)]
    fn run(self) {
        let Rows { x, n, count, divisor, means, variances } = self;
        for (i, (mean, variance)) in means.iter_mut().zip(variances).enumerate() {
            let x = &x[i * n..(i + 1) * n];
            *mean = lanes::fold(Sum, x) / count;
            let center = *mean;
            *variance = lanes::sum_of(x, |x| (x - center) * (x - center)) / divisor;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::is_tested_here;

    #[test]
    fn rows_of_every_length_agree_with_the_definition() {
        let cases = [(0, 3), (3, 0), (1, 1), (5, 7), (40, 27), (3000, 40), (2, 100_003)];
        for (rows, n) in cases.into_iter().filter(|(rows, n)| is_tested_here(rows * n)) {
            let x: Vec<f64> = (0..rows * n).map(|i| (i * 7919 % 1013) as f64 + 1e6).collect();
            let (mut means, mut variances) = (vec![0.0; rows], vec![0.0; rows]);
            variance(&x, n, n as f64 - 1.0, &mut means, &mut variances);
            for (i, x) in x.chunks_exact(n.max(1)).enumerate() {
                // Sums of integers below 2⁵³, so exact; then a few roundings.
                let mean = x.iter().sum::<f64>() / n as f64;
                let expected = x.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / (n as f64 - 1.0);
                assert_eq!(means[i], mean, "{rows} rows of {n}");
                let close = (variances[i] - expected).abs() <= n as f64 * f64::EPSILON * expected;
                assert!(
                    close || n == 1 && variances[i].is_nan(),
                    "{rows} rows of {n}: {} not {expected}",
                    variances[i]
                );
            }
        }
    }
}
