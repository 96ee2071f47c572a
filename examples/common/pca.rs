//! Vectors of many numbers as points of a plane.

use autograd::{Rng, Tensor};

/// The first two principal components of the rows of `x` `[N, D]`: `[N, 2]`, by power iteration.
pub fn principal_plane(x: &Tensor) -> Tensor {
    let centred = x - x.mean_keepdim(0); // [N, D]
    let mut rest = centred.clone();
    let mut rng = Rng::seeded(0);
    let mut components = Vec::new();
    for _ in 0..2 {
        let mut direction = Tensor::randn([x.size(1)], &mut rng); // [D]
        for _ in 0..100 {
            let next = rest.t().matmul(&rest.matmul(&direction)); // XᵀX·direction
            let length = next.square().sum(..).sqrt();
            direction = next / (length + f32::MIN_POSITIVE);
        }
        let scores = rest.matmul(&direction); // [N]
        rest = rest - scores.unsqueeze(1) * direction.unsqueeze(0);
        components.push(scores);
    }
    Tensor::stack(&components.iter().collect::<Vec<_>>(), 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_direction_comes_first() {
        // A flat cross, away from the origin: 4 long along (3, 0, 4)/5, 2 long along y.
        let rows = [[1.2, 0.0, 1.6], [-1.2, 0.0, -1.6], [0.0, 1.0, 0.0], [0.0, -1.0, 0.0]];
        let plane = principal_plane(&(Tensor::from(rows) + 7.0));
        for (found, expected) in plane.abs().iter().zip([2.0, 0.0, 2.0, 0.0, 0.0, 1.0, 0.0, 1.0]) {
            assert!((found - expected).abs() < 1e-5, "{plane}");
        }
    }
}
