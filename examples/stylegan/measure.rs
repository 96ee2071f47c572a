//! What the mapping network buys: perceptual path length (Karras, Laine and Aila 2019, section 4.1).
//!
//! Between two points, walk at an even pace and ask the judge how fast what it sees changes. If the space is a good map
//! of the digits, it changes evenly and no more than it must; if the map is bent, digits come and go on the way.

use crate::networks::{draw_noise, everywhere};
use crate::train::Painter;
use autograd::{Rng, Tensor};
use common::reader::Reader;

/// Pairs that are painted together.
const TOGETHER: usize = 250;
/// Intervals of a walk in which its pace is measured.
pub const INTERVALS: usize = 10;

/// The squared pace of many walks.
pub struct Paces {
    /// E ‖f(G(t)) − f(G(t + ε))‖²/ε².
    pub mean: f64,
    /// Its standard error.
    pub error: f64,
    /// The same in each tenth of the walks.
    pub by_interval: [f64; INTERVALS],
}

/// The space that is walked in.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Space {
    /// Along great circles.
    Z,
    /// Along straight lines.
    W,
}

// ANCHOR: path
/// Perceptual path length: the judge's features f of images on the way from one point to another, a little way apart.
/// Both images have the same noise.
pub fn path_length(painter: &Painter, reader: &Reader, space: Space, walks: usize, epsilon: f64, seed: u64) -> Paces {
    let mut rng = Rng::seeded(seed);
    let width = painter.0.mapping.mean.value().count();
    let (mut paces, mut places) = (Vec::new(), Vec::new());
    for start in (0..walks).step_by(TOGETHER) {
        let count = TOGETHER.min(walks - start);
        let ends = [(); 2].map(|()| Tensor::randn([count, width], &mut rng)); // z, [N, W]
        let t: Vec<f64> = (0..count).map(|_| rng.uniform() * (1.0 - epsilon)).collect();
        let noise = draw_noise(count, &mut rng);
        let features = |t: &[f64]| {
            let w = match space {
                Space::Z => painter.styles(&slerp(&ends[0], &ends[1], t), 1.0),
                Space::W => lerp(&painter.styles(&ends[0], 1.0), &painter.styles(&ends[1], 1.0), t),
            }; // [N, W]
            reader.read(&painter.paint(&everywhere(&w), &noise)).1 // [N, 64]
        };
        let further: Vec<f64> = t.iter().map(|t| t + epsilon).collect();
        let distances = (features(&t) - features(&further)).square().sum(1); // [N]
        paces.extend(distances.iter().map(|d| f64::from(d) / epsilon.powi(2)));
        places.extend(t);
    }
    summary(&paces, &places)
}
// ANCHOR_END: path

fn summary(paces: &[f64], places: &[f64]) -> Paces {
    let mean_of = |values: &mut dyn Iterator<Item = f64>| {
        let (sum, count) = values.fold((0.0, 0), |(sum, count), x| (sum + x, count + 1));
        sum / f64::from(count.max(1))
    };
    let mean = mean_of(&mut paces.iter().copied());
    let variance = mean_of(&mut paces.iter().map(|x| (x - mean).powi(2)));
    let within = |interval: usize| {
        let here = move |&(_, &t): &(&f64, &f64)| (t * INTERVALS as f64) as usize == interval;
        mean_of(&mut paces.iter().zip(places).filter(here).map(|(&pace, _)| pace))
    };
    Paces { mean, error: (variance / paces.len() as f64).sqrt(), by_interval: std::array::from_fn(within) }
}

// ANCHOR: walks
/// Points `[N, W]` on straight lines from `a` to `b`, both `[N, W]`, at `t` of the way.
pub fn lerp(a: &Tensor, b: &Tensor, t: &[f64]) -> Tensor {
    between(a, b, t, |_, t| [1.0 - t, t])
}

/// Points `[N, W]` on great circles, of length 1: where only directions count, a straight line would hurry through its
/// middle.
pub fn slerp(a: &Tensor, b: &Tensor, t: &[f64]) -> Tensor {
    let unit = |x: &Tensor| x / x.norm_keepdim(2.0, 1);
    // sin((1 − t)·θ)/sin θ of one and sin(t·θ)/sin θ of the other, for an angle of θ between them.
    between(&unit(a), &unit(b), t, |cos, t| {
        let angle = cos.clamp(-1.0, 1.0).acos();
        [1.0 - t, t].map(|share| if angle < 1e-6 { share } else { (share * angle).sin() / angle.sin() })
    })
}
// ANCHOR_END: walks

/// Sums of the rows of `a` and `b`, in shares that depend on their dot product and t; in f64, for steps are small.
fn between(a: &Tensor, b: &Tensor, t: &[f64], shares: impl Fn(f64, f64) -> [f64; 2]) -> Tensor {
    let (a, b, width) = (a.to_vec(), b.to_vec(), a.size(1));
    let mut points = Vec::with_capacity(a.len());
    for ((a, b), &t) in a.chunks_exact(width).zip(b.chunks_exact(width)).zip(t) {
        let pairs = || a.iter().zip(b).map(|(&a, &b)| (f64::from(a), f64::from(b)));
        let [of_a, of_b] = shares(pairs().map(|(a, b)| a * b).sum(), t);
        points.extend(pairs().map(|(a, b)| (a * of_a + b * of_b) as f32));
    }
    Tensor::from_slice(&points, [t.len(), width])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn great_circles_are_walked_at_an_even_pace() {
        let (a, b) = (Tensor::from([[2.0, 0.0]]), Tensor::from([[0.0, 5.0]]));
        for (t, degrees) in [(0.0, 0.0_f64), (1.0 / 3.0, 30.0), (0.5, 45.0), (1.0, 90.0)] {
            let point = slerp(&a, &b, &[t]).to_vec();
            let expected = [degrees.to_radians().cos(), degrees.to_radians().sin()];
            // Numbers up to 1, rounded to f32 once or twice.
            assert!(point.iter().zip(expected).all(|(&x, y)| (f64::from(x) - y).abs() < 3e-7), "{point:?}");
        }
        assert_eq!(slerp(&a, &(&a * 3.0), &[0.4]).to_vec(), [1.0, 0.0]);
        assert_eq!(lerp(&a, &b, &[0.25]).to_vec(), [1.5, 1.25]);
    }

    #[test]
    fn paces_are_sorted_by_where_they_were_measured() {
        let paces = summary(&[1.0, 3.0, 5.0], &[0.05, 0.01, 0.95]);
        assert_eq!((paces.mean, paces.by_interval[0], paces.by_interval[9]), (3.0, 2.0, 5.0));
        // Deviation √(8/3), of three walks.
        assert!((paces.error - (8.0_f64 / 9.0).sqrt()).abs() < 1e-12);
    }
}
