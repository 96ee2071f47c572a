//! Channels into places and back: how a network that calculates at a low resolution draws at a high one (Shi et al.
//! 2016).
//!
//! ```text
//! y[n, c, h·r + i, w·r + j] = x[n, c·r² + i·r + j, h, w]
//! ```
//!
//! Only elements move, so both are made of views; the copy that puts them in order is the only work.

use crate::kernels::element::Element;
use crate::tensor::{Dims, Tensor};

impl<T: Element> Tensor<T> {
    /// `[…, C·r², H, W]` to `[…, C, H·r, W·r]`, as `torch.pixel_shuffle`, with r = `upscale_factor`.
    ///
    /// # Panics
    /// If this tensor has fewer than three axes, or the number of channels is no multiple of r².
    #[track_caller]
    pub fn pixel_shuffle(&self, upscale_factor: usize) -> Tensor<T> {
        let r = upscale_factor;
        let fits = self.rank() >= 3 && r > 0 && self.size(-3).is_multiple_of(r * r);
        assert!(
            fits,
            "pixel_shuffle: an input of shape {} by {r}; expected […, C, H, W] with C a multiple of its square",
            self.shape()
        );
        let (batch, [channels, height, width]) = split(self.shape());
        let count: usize = batch.iter().product();
        let c = channels / (r * r);
        self.reshape(Dims::from([count, c, r, r, height, width]))
            .permute([0, 1, 4, 2, 5, 3])
            .reshape(joined(batch, [c, height * r, width * r]))
    }

    /// `[…, C, H·r, W·r]` to `[…, C·r², H, W]`, as `torch.pixel_unshuffle`, with r = `downscale_factor`: the inverse of
    /// [`pixel_shuffle`](Tensor::pixel_shuffle).
    ///
    /// # Panics
    /// If this tensor has fewer than three axes, or height or width are no multiple of r.
    #[track_caller]
    pub fn pixel_unshuffle(&self, downscale_factor: usize) -> Tensor<T> {
        let r = downscale_factor;
        let fits = self.rank() >= 3 && r > 0 && self.size(-2).is_multiple_of(r) && self.size(-1).is_multiple_of(r);
        assert!(
            fits,
            "pixel_unshuffle: an input of shape {} by {r}; expected […, C, H, W] with H and W multiples of it",
            self.shape()
        );
        let (batch, [channels, height, width]) = split(self.shape());
        let count: usize = batch.iter().product();
        self.reshape(Dims::from([count, channels, height / r, r, width / r, r]))
            .permute([0, 1, 3, 5, 2, 4])
            .reshape(joined(batch, [channels * r * r, height / r, width / r]))
    }
}

/// The last three axes, and those before.
fn split(shape: &Dims) -> (&[usize], [usize; 3]) {
    let (batch, image) = shape.split_at(shape.len() - 3);
    (batch, [image[0], image[1], image[2]])
}

fn joined(batch: &[usize], image: [usize; 3]) -> Dims {
    batch.iter().copied().chain(image).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gradcheck::gradcheck_to_order;
    use crate::rng::Rng;

    #[test]
    fn gradients_and_inverses() {
        let mut rng = Rng::seeded(1);
        let x = [Tensor::randn_of::<f64>([2, 8, 1, 3], &mut rng)];
        gradcheck_to_order(&|x| x[0].pixel_shuffle(2).square(), &x, 2).unwrap();
        gradcheck_to_order(&|x| x[0].pixel_unshuffle(1).pixel_shuffle(2).pixel_unshuffle(2).square(), &x, 2).unwrap();
        assert_eq!(x[0].pixel_shuffle(2).pixel_unshuffle(2).to_vec(), x[0].to_vec());
        assert_eq!(*Tensor::zeros([0, 4, 2, 2]).pixel_shuffle(2).shape(), [0, 1, 4, 4]);
    }

    #[test]
    fn a_channel_is_a_place() {
        let x = Tensor::from_fn([4, 1, 2], |i| i as i64);
        assert_eq!(x.pixel_shuffle(2).to_vec(), [0, 2, 1, 3, 4, 6, 5, 7]);
    }

    #[test]
    #[should_panic(
        expected = "pixel_shuffle: an input of shape [3, 2, 2] by 2; expected […, C, H, W] with C a multiple of \
                               its square"
    )]
    fn channels_must_divide() {
        Tensor::zeros([3, 2, 2]).pixel_shuffle(2);
    }
}
