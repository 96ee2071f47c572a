//! Two generators that translate, and two discriminators that know their side's images.

use autograd::{Conv2dOptions, ConvTranspose2dOptions, Rng, Tensor};
use nn::layers::{LeakyRelu, Relu};
use nn::{Conv2d, ConvTranspose2d, InstanceNorm2d, Layer, Sequential, impl_module};

/// A convolution that looks around each pixel: 3 × 3, and as many pixels come out as go in.
fn conv3(inputs: usize, outputs: usize, rng: &mut Rng) -> Conv2d {
    Conv2d::with_options(inputs, outputs, 3, Conv2dOptions::default().padding(1), rng)
}

// ANCHOR: residual
/// Two convolutions whose result is added to what came in.
pub struct Residual {
    conv1: Conv2d,
    norm1: InstanceNorm2d,
    conv2: Conv2d,
    norm2: InstanceNorm2d,
}
impl_module!(Residual { conv1, norm1, conv2, norm2 });

impl Residual {
    fn new(channels: usize, rng: &mut Rng) -> Residual {
        Residual {
            // A bias would be taken away by the normalisation that follows.
            conv1: conv3(channels, channels, rng).without_bias(),
            norm1: InstanceNorm2d::new(channels),
            conv2: conv3(channels, channels, rng).without_bias(),
            norm2: InstanceNorm2d::new(channels),
        }
    }
}

impl Layer for Residual {
    fn forward(&self, x: &Tensor) -> Tensor {
        let h = self.norm1.forward(&self.conv1.forward(x)).relu();
        x + self.norm2.forward(&self.conv2.forward(&h))
    }
}
// ANCHOR_END: residual

// ANCHOR: generator
/// An image of one side to one of the other.
pub struct Generator {
    pub blocks: Sequential,
}
impl_module!(Generator { blocks });

impl Generator {
    /// `width` is the number of channels at full size; at half size there are twice as many.
    pub fn new(width: usize, residuals: usize, rng: &mut Rng) -> Generator {
        let (down, up) =
            (Conv2dOptions::default().stride(2).padding(1), ConvTranspose2dOptions::default().stride(2).padding(1));
        let mut blocks = Sequential::new()
            .then(conv3(1, width, rng)) // [N, W, 28, 28]
            .then(Relu)
            .then(Conv2d::with_options(width, 2 * width, 3, down, rng).without_bias()) // [N, 2W, 14, 14]
            .then(InstanceNorm2d::new(2 * width))
            .then(Relu);
        for _ in 0..residuals {
            blocks = blocks.then(Residual::new(2 * width, rng));
        }
        let blocks = blocks
            .then(ConvTranspose2d::with_options(2 * width, width, 4, up, rng).without_bias()) // [N, W, 28, 28]
            .then(InstanceNorm2d::new(width))
            .then(Relu)
            .then(conv3(width, 1, rng)); // [N, 1, 28, 28]
        Generator { blocks }
    }

    /// Images `[N, 1, 28, 28]` from −1 to 1, of such images: the network says what to change.
    pub fn forward(&self, x: &Tensor) -> Tensor {
        (x + self.blocks.forward(x)).tanh()
    }
}
// ANCHOR_END: generator

// ANCHOR: discriminator
/// An image to 7 × 7 scores, each of a patch of 18 × 18 pixels: above 0 if it looks like this side's.
pub struct Discriminator {
    pub blocks: Sequential,
}
impl_module!(Discriminator { blocks });

impl Discriminator {
    pub fn new(width: usize, rng: &mut Rng) -> Discriminator {
        let half = Conv2dOptions::default().stride(2).padding(1);
        let leaky = || LeakyRelu { negative_slope: 0.2 };
        let blocks = Sequential::new()
            .then(Conv2d::with_options(1, width, 4, half, rng)) // [N, W, 14, 14]
            .then(leaky())
            .then(Conv2d::with_options(width, 2 * width, 4, half, rng).without_bias()) // [N, 2W, 7, 7]
            .then(InstanceNorm2d::new(2 * width))
            .then(leaky())
            .then(conv3(2 * width, 1, rng)); // [N, 1, 7, 7]
        Discriminator { blocks }
    }

    /// Scores `[N, 1, 7, 7]` of images `[N, 1, 28, 28]`.
    pub fn forward(&self, images: &Tensor) -> Tensor {
        self.blocks.forward(images)
    }
}
// ANCHOR_END: discriminator

/// Both translators: into images of side A, and into images of side B.
pub struct Generators {
    pub to_a: Generator,
    pub to_b: Generator,
}
impl_module!(Generators { to_a, to_b });

/// Both critics: of images of side A, and of side B.
pub struct Discriminators {
    pub of_a: Discriminator,
    pub of_b: Discriminator,
}
impl_module!(Discriminators { of_a, of_b });

#[cfg(test)]
mod tests {
    use super::*;
    use nn::Module;

    #[test]
    fn images_become_images_and_scores() {
        let mut rng = Rng::seeded(0);
        let (generator, discriminator) = (Generator::new(4, 2, &mut rng), Discriminator::new(4, &mut rng));
        let images = generator.forward(&Tensor::randn([2, 1, 28, 28], &mut rng));
        assert_eq!(*images.shape(), [2, 1, 28, 28]);
        assert!(images.iter().all(|x| x.abs() <= 1.0));
        assert_eq!(*discriminator.forward(&images).shape(), [2, 1, 7, 7]);
        // What changes the layout of the weights breaks saved files.
        assert!(generator.named_parameters().iter().any(|(name, _)| name == "blocks.5.conv2.weight"));
    }

    #[test]
    fn a_score_sees_18_pixels() {
        let mut rng = Rng::seeded(1);
        let discriminator = Discriminator::new(4, &mut rng);
        let image = Tensor::randn([1, 1, 28, 28], &mut rng).requires_grad();
        // Without the norms, which look at all places.
        let mut h = image.clone();
        for layer in discriminator.blocks.layers().iter().filter(|layer| !layer.describe().starts_with("Instance")) {
            h = layer.forward(&h);
        }
        h.narrow(2, 3, 1).narrow(3, 3, 1).sum(..).backward();
        let seen = image.grad().unwrap().ne(0.0);
        assert_eq!(seen.count_true(), 18 * 18);
    }
}
