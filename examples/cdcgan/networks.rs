//! The two networks, and how a label gets into them.

use autograd::{Conv2dOptions, ConvTranspose2dOptions, Rng, Tensor};
use nn::layers::{LeakyRelu, Relu, Tanh};
use nn::{BatchNorm2d, Conv2d, ConvTranspose2d, Layer, Module, Sequential, impl_module, init};

/// Pixels of a side, and channels.
pub const SIZE: usize = 28;
pub const CHANNELS: usize = 1;
/// Classes.
pub const CLASSES: usize = 10;

// ANCHOR: blocks
/// A block of the generator: paint, normalise, let through what is positive. The last one only paints, between −1 and
/// 1.
pub fn make_gen_block(
    inputs: usize,
    outputs: usize,
    kernel: usize,
    stride: usize,
    last: bool,
    rng: &mut Rng,
) -> Sequential {
    let options = ConvTranspose2dOptions::default().stride(stride);
    let conv = ConvTranspose2d::with_options(inputs, outputs, kernel, options, rng);
    let block = Sequential::new().then(conv);
    if last { block.then(Tanh) } else { block.then(BatchNorm2d::new(outputs)).then(Relu) }
}

/// A block of the discriminator: look, normalise, let a fifth of what is negative through. The last one only looks.
pub fn make_disc_block(
    inputs: usize,
    outputs: usize,
    kernel: usize,
    stride: usize,
    last: bool,
    rng: &mut Rng,
) -> Sequential {
    let options = Conv2dOptions::default().stride(stride);
    let block = Sequential::new().then(Conv2d::with_options(inputs, outputs, kernel, options, rng));
    if last { block } else { block.then(BatchNorm2d::new(outputs)).then(LeakyRelu { negative_slope: 0.2 }) }
}
// ANCHOR_END: blocks

// ANCHOR: labels
/// Labels `[N]` as rows that are 1 where the label is and 0 elsewhere: `[N, n]`.
pub fn one_hot_labels(labels: &Tensor<i64>, n: usize) -> Tensor {
    labels.one_hot(n).cast()
}

/// Two tensors side by side in their second axis: noise and labels, or an image's channels and those of its label.
pub fn combine_vectors(x: &Tensor, y: &Tensor) -> Tensor {
    Tensor::cat(&[x, y], 1)
}

/// Inputs of the generator, and channels that the discriminator sees: each has the label beside its own.
pub fn input_dimensions(z: usize, channels: usize, classes: usize) -> (usize, usize) {
    (z + classes, channels + classes)
}

/// A label's row `[N, n]` as `n` channels of an image, each all 0 or all 1: `[N, n, 28, 28]`.
pub fn label_channels(labels: &Tensor) -> Tensor {
    labels.unsqueeze(-1).unsqueeze(-1).expand([labels.size(0), labels.size(1), SIZE, SIZE])
}
// ANCHOR_END: labels

/// Noise and a label to an image.
pub struct Generator {
    pub blocks: Sequential,
}
impl_module!(Generator { blocks });

impl Generator {
    pub fn new(z: usize, rng: &mut Rng) -> Generator {
        let (inputs, _) = input_dimensions(z, CHANNELS, CLASSES);
        let blocks = Sequential::new()
            .then(make_gen_block(inputs, 256, 3, 2, false, rng)) // [N, 256, 3, 3]
            .then(make_gen_block(256, 128, 4, 1, false, rng)) // [N, 128, 6, 6]
            .then(make_gen_block(128, 64, 3, 2, false, rng)) // [N, 64, 13, 13]
            .then(make_gen_block(64, CHANNELS, 4, 2, true, rng)); // [N, 1, 28, 28]
        let generator = Generator { blocks };
        initialise(&generator, rng);
        generator
    }

    /// Images `[N, 1, 28, 28]` from −1 to 1, of noise `[N, z]` and rows of labels `[N, 10]`.
    pub fn forward(&self, noise: &Tensor, labels: &Tensor) -> Tensor {
        let x = combine_vectors(noise, labels); // [N, z + 10]
        self.blocks.forward(&x.unsqueeze(-1).unsqueeze(-1)) // [N, z + 10, 1, 1]
    }
}

/// An image and a label to a score: above 0 if it looks real.
pub struct Discriminator {
    pub blocks: Sequential,
}
impl_module!(Discriminator { blocks });

impl Discriminator {
    pub fn new(rng: &mut Rng) -> Discriminator {
        let (_, channels) = input_dimensions(0, CHANNELS, CLASSES);
        let blocks = Sequential::new()
            .then(make_disc_block(channels, 64, 4, 2, false, rng)) // [N, 64, 13, 13]
            .then(make_disc_block(64, 128, 4, 2, false, rng)) // [N, 128, 5, 5]
            .then(make_disc_block(128, 1, 4, 2, true, rng)); // [N, 1, 1, 1]
        let discriminator = Discriminator { blocks };
        initialise(&discriminator, rng);
        discriminator
    }

    /// Scores `[N]` of images `[N, 1, 28, 28]` with rows of labels `[N, 10]`.
    pub fn forward(&self, images: &Tensor, labels: &Tensor) -> Tensor {
        let x = combine_vectors(images, &label_channels(labels)); // [N, 11, 28, 28]
        self.blocks.forward(&x).flatten(0) // [N]
    }
}

/// As Radford, Metz and Chintala (2015) start: weights of convolutions N(0, 0.02), scales of norms N(1, 0.02).
fn initialise(network: &impl Module, rng: &mut Rng) {
    for (name, parameter) in network.named_parameters() {
        let shape = parameter.shape();
        if name.ends_with("weight") {
            let mean = if shape.len() == 4 { 0.0 } else { 1.0 };
            parameter.set(&init::normal(shape, mean, 0.02, rng));
        }
    }
}
