//! Path length: how far an image moves when its style does.
//!
//! ```text
//! J = ∂G(w)/∂w, and for random images y of noise, N(0, 1)/√(H·W):
//! length_n = ‖Jᵀy‖ = ‖∇_w Σ G(w)·y‖           of image n
//! a ← a + decay·(E length − a)                 the mean so far
//! penalty = E (length − a)²
//! ```

use super::penalties::slopes;
use autograd::{Float, Rng, Tensor};

/// StyleGAN2's path length regularisation (Karras et al. 2020, equation 4, appendix B): steps of one size in the space
/// of styles should change the image by one size, wherever they lead.
///
/// It remembers the mean length so far: put [`mean`](PathLength::mean) into a checkpoint. As in the paper's code, the
/// mean takes part in the gradient, by as much as the last batch does in it.
///
/// ```
/// use autograd::{Rng, Tensor};
/// use nn::losses::PathLength;
/// let rng = &mut Rng::seeded(1);
/// let weight = Tensor::randn([6, 16], rng).requires_grad();
/// let styles = Tensor::randn([8, 6], rng).requires_grad();
/// let images = styles.matmul(&weight).tanh().reshape([8, 1, 4, 4]);
/// let mut path_length = PathLength::default();
/// let penalty = path_length.forward(&images, &styles, rng);
/// (penalty * 2.0).backward(); // the paper's weight
/// assert!(path_length.mean > 0.0 && weight.grad().is_some());
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PathLength {
    /// How much of each batch goes into the mean; 0.01 by default.
    pub decay: f64,
    /// The mean length so far; 0 at first.
    pub mean: f64,
}

impl Default for PathLength {
    fn default() -> PathLength {
        PathLength { decay: 0.01, mean: 0.0 }
    }
}

impl PathLength {
    /// The penalty, given `images` `[N, C, H, W]` that were generated from `styles` `[N, D]` or, with a style for each
    /// of L layers, `[N, L, D]`, whose lengths are then divided by √L. The styles may be leaves or what a mapping
    /// network gave. The mean is updated.
    ///
    /// # Panics
    /// If the shapes are others, or the images were not calculated from the styles.
    #[track_caller]
    pub fn forward<T: Float>(&mut self, images: &Tensor<T>, styles: &Tensor<T>, rng: &mut Rng) -> Tensor<T> {
        check(images, styles);
        let pixels = (images.size(2) * images.size(3)) as f64;
        let noise = Tensor::randn_of::<T>(*images.shape(), rng) * T::from_f64(pixels.sqrt().recip());
        self.along(images, styles, &noise)
    }

    /// [`forward`](PathLength::forward) with images of noise of the caller's own, `[N, C, H, W]`.
    ///
    /// # Panics
    /// As [`forward`](PathLength::forward), and if the noise has another shape than the images.
    #[track_caller]
    pub fn along<T: Float>(&mut self, images: &Tensor<T>, styles: &Tensor<T>, noise: &Tensor<T>) -> Tensor<T> {
        check(images, styles);
        crate::losses::pointwise::same_shape("path_length", images, noise);
        let layers = if styles.rank() == 3 { styles.size(1) } else { 1 };
        let slopes = slopes("path_length", &(images * noise), styles); // [N, L·D]
        let lengths = slopes.norm(2.0, 1) * T::from_f64((layers as f64).sqrt().recip()); // [N]
        let mean = lengths.mean(..) * T::from_f64(self.decay) + T::from_f64(self.mean * (1.0 - self.decay));
        self.mean = mean.item().to_f64();
        (lengths - mean).square().mean(..)
    }
}

#[track_caller]
fn check<T: Float>(images: &Tensor<T>, styles: &Tensor<T>) {
    assert!(
        images.rank() == 4 && matches!(styles.rank(), 2 | 3) && images.size(0) == styles.size(0),
        "path_length: images of shape {} from styles of shape {}; [N, C, H, W] from [N, D] or [N, L, D] would fit",
        images.shape(),
        styles.shape()
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use autograd::gradcheck::gradcheck_to_order;

    #[test]
    fn gradients() {
        let rng = &mut Rng::seeded(4);
        let weights = [Tensor::randn_of::<f64>([6, 4], rng), Tensor::randn_of::<f64>([4, 8], rng)];
        for styles in [&[5, 6][..], &[5, 2, 3]] {
            let styles = Tensor::randn_of::<f64>(styles, rng);
            let penalty = |w: &[Tensor<f64>]| {
                let styles = styles.requires_grad();
                let images = styles.flatten(1).matmul(&w[0]).tanh().matmul(&w[1]).reshape([5, 2, 2, 2]);
                PathLength { mean: 0.5, ..Default::default() }.forward(&images, &styles, &mut Rng::seeded(3))
            };
            gradcheck_to_order(&penalty, &weights, 2).unwrap();
        }
    }

    #[test]
    fn equal_lengths_are_no_fault_once_the_mean_knows() {
        // G(w) = w on one pixel: every length is |y|.
        let styles = Tensor::ones([4, 1]).requires_grad();
        let images = styles.reshape([4, 1, 1, 1]);
        let noise = Tensor::full([4, 1, 1, 1], -2.0);
        let mut path_length = PathLength { decay: 0.5, mean: 0.0 };
        let mut penalties = Vec::new();
        for _ in 0..3 {
            penalties.push(path_length.along(&images, &styles, &noise).item());
        }
        assert_eq!(penalties, [1.0, 0.25, 0.0625]);
        assert_eq!(path_length.mean, 1.75);
    }

    #[test]
    #[should_panic(expected = "path_length: images of shape [4, 1, 2] from styles of shape [4, 3]; [N, C, H, W] from")]
    fn images_without_channels_are_refused() {
        let rng = &mut Rng::seeded(1);
        PathLength::default().forward(&Tensor::zeros([4, 1, 2]), &Tensor::zeros([4, 3]), rng);
    }
}
