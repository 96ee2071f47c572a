//! How far two series of numbers go together.

/// The correlation of two series by Pearson: their covariance over the product of their standard deviations, from −1
/// to 1. No number if one of them is constant, or there are fewer than two pairs.
///
/// # Panics
/// If they differ in length.
#[track_caller]
pub fn pearson(x: &[f64], y: &[f64]) -> f64 {
    assert!(x.len() == y.len(), "a correlation of {} numbers with {}", x.len(), y.len());
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let (mean_x, mean_y) = (mean(x), mean(y));
    let (mut xy, mut xx, mut yy) = (0.0, 0.0, 0.0);
    for (x, y) in x.iter().zip(y) {
        let (dx, dy) = (x - mean_x, y - mean_y);
        xy += dx * dy;
        xx += dx * dx;
        yy += dy * dy;
    }
    xy / (xx * yy).sqrt()
}

/// The correlation of two series by Spearman: [`pearson`] of their ranks, where equal numbers share the mean of their
/// ranks, as `scipy.stats.spearmanr`.
///
/// ```
/// use nn::metrics::spearman;
/// // Any growing function of a series has the same ranks.
/// assert_eq!(spearman(&[1.0, 2.0, 3.0, 4.0], &[1.0, 8.0, 27.0, 64.0]), 1.0);
/// assert_eq!(spearman(&[1.0, 2.0, 2.0, 4.0], &[4.0, 2.0, 2.0, 0.0]), -1.0);
/// ```
///
/// # Panics
/// If they differ in length.
#[track_caller]
pub fn spearman(x: &[f64], y: &[f64]) -> f64 {
    pearson(&ranks(x), &ranks(y))
}

/// The rank of each number, from 1; equals share the mean of theirs.
fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
    let mut ranks = vec![0.0; values.len()];
    let mut done = 0;
    for equals in order.chunk_by(|&a, &b| values[a] == values[b]) {
        // Ranks done + 1 to done + n.
        let rank = done as f64 + (equals.len() + 1) as f64 / 2.0;
        for &i in equals {
            ranks[i] = rank;
        }
        done += equals.len();
    }
    ranks
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What scipy 1's `spearmanr` and `pearsonr` say.
    #[test]
    fn correlations_are_those_of_scipy() {
        let x = [7.35, 10.0, 7.46, 7.35, 1.31, 0.92, 7.35, 0.0, -0.0, 3.5];
        let y = [0.3, 1.0, 0.25, 0.1, 0.05, 0.1, 0.7, -0.2, 0.1, 0.3];
        assert!((spearman(&x, &y) - 0.7499999999999999).abs() < 1e-14);
        assert!((pearson(&x, &y) - 0.7624041613106107).abs() < 1e-14);
        assert_eq!(ranks(&x), [7.0, 10.0, 9.0, 7.0, 4.0, 3.0, 7.0, 1.5, 1.5, 5.0]);
        assert!(spearman(&[], &[]).is_nan() && spearman(&[1.0, 2.0], &[3.0, 3.0]).is_nan());
    }
}
