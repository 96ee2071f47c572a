//! Whether what is alike lies close together.

use autograd::Tensor;

/// The rows of a table `[N, width]`.
pub fn vectors(table: &Tensor) -> Vec<Vec<f64>> {
    table.to_vec().chunks(table.size(1)).map(|row| row.iter().map(|&x| f64::from(x)).collect()).collect()
}

/// The point closest to each.
pub fn nearest(points: &[Vec<f64>]) -> Vec<usize> {
    let distance = |i: usize, j: usize| points[i].iter().zip(&points[j]).map(|(a, b)| (a - b).powi(2)).sum::<f64>();
    let others = |i: usize| (0..points.len()).filter(move |&j| j != i);
    (0..points.len())
        .map(|i| others(i).min_by(|&j, &k| distance(i, j).total_cmp(&distance(i, k))).unwrap_or(i))
        .collect()
}

/// The share of points whose nearest neighbour is of their own group.
pub fn share_in_group(points: &[Vec<f64>], group: impl Fn(usize) -> usize) -> f64 {
    let nearest = nearest(points);
    let same = nearest.iter().enumerate().filter(|&(i, &j)| group(i) == group(j)).count();
    same as f64 / points.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_closest_other_point() {
        let points = [0.0, 1.0, 3.0, 3.5].map(|x| vec![x]);
        assert_eq!(nearest(&points), [1, 0, 3, 2]);
        assert_eq!(share_in_group(&points, |i| i / 2), 1.0);
        assert_eq!(share_in_group(&points, |i| i % 2), 0.0);
    }
}
