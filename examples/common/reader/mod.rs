//! The network of the example `digits`, which reads a digit: four convolutions, two poolings, two linear layers. It
//! also judges what the GANs paint.

pub mod train;

use autograd::{Conv2dOptions, Rng, Tensor, no_grad};
use nn::data::LabelledImages;
use nn::layers::Dropout2d;
use nn::{BatchNorm2d, Conv2d, Dropout, Linear, MaxPool2d, Module, impl_module};

/// Numbers that describe an image, from which the last layer tells the digit.
pub const FEATURES: usize = 64;
/// Images that are judged together.
const TOGETHER: usize = 500;

/// Reads a digit.
pub struct Reader {
    /// Its filters can be drawn: they see pixels.
    pub conv1: Conv2d,
    conv2: Conv2d,
    norm2: BatchNorm2d,
    conv3: Conv2d,
    conv4: Conv2d,
    norm4: BatchNorm2d,
    pool: MaxPool2d,
    dropout_channels: Dropout2d,
    fc1: Linear,
    dropout: Dropout,
    fc2: Linear,
}
impl_module!(Reader { conv1, conv2, norm2, conv3, conv4, norm4, pool, dropout_channels, fc1, dropout, fc2 });

impl Reader {
    /// A reader that has learnt nothing yet. `dropout` is the probability that a number before the last layer is left
    /// out; a whole channel is with a quarter of it.
    pub fn new(dropout: f64, rng: &mut Rng) -> Reader {
        let plain = Conv2dOptions::default();
        let conv = |inputs, outputs, rng: &mut Rng| Conv2d::with_options(inputs, outputs, 3, plain, rng);
        Reader {
            conv1: conv(1, 24, rng),
            // A bias would be taken away by the normalisation that follows.
            conv2: conv(24, 32, rng).without_bias(),
            norm2: BatchNorm2d::new(32),
            conv3: conv(32, 48, rng),
            conv4: conv(48, 64, rng).without_bias(),
            norm4: BatchNorm2d::new(64),
            pool: MaxPool2d::new(2),
            dropout_channels: Dropout2d::new(dropout / 4.0, rng),
            fc1: Linear::new(64 * 4 * 4, FEATURES, rng),
            dropout: Dropout::new(dropout, rng),
            fc2: Linear::new(FEATURES, 10, rng),
        }
    }

    // ANCHOR: forward
    /// What an image `[N, 1, 28, 28]` looks like to the network: `[N, FEATURES]`.
    pub fn features(&self, x: &Tensor) -> Tensor {
        let h = self.conv1.forward(x).relu(); // [N, 24, 26, 26]
        let h = self.norm2.forward(&self.conv2.forward(&h)).relu(); // [N, 32, 24, 24]
        let h = self.dropout_channels.forward(&self.pool.forward(&h)); // [N, 32, 12, 12]
        let h = self.conv3.forward(&h).relu(); // [N, 48, 10, 10]
        let h = self.norm4.forward(&self.conv4.forward(&h)).relu(); // [N, 64, 8, 8]
        let h = self.pool.forward(&h).flatten(1); // [N, 64·4·4]
        self.fc1.forward(&h).relu()
    }

    /// Scores of the ten digits, of images with values from 0 to 1: `[N, 10]`.
    pub fn forward(&self, x: &Tensor) -> Tensor {
        self.fc2.forward(&self.dropout.forward(&self.features(x)))
    }
    // ANCHOR_END: forward

    /// The digit of each image, as the network reads it, and its features: in evaluation mode, and back.
    pub fn read(&self, images: &Tensor) -> (Vec<i64>, Tensor) {
        let training = self.norm2.mode.is_training();
        self.eval();
        let (mut digits, mut features) = (Vec::new(), Vec::new());
        let count = images.size(0);
        for start in (0..count).step_by(TOGETHER) {
            let x = images.narrow(0, start, TOGETHER.min(count - start));
            no_grad(|| {
                let h = self.features(&x);
                digits.extend(self.fc2.forward(&h).argmax(1).iter());
                features.push(h);
            });
        }
        if training {
            self.train();
        }
        (digits, Tensor::cat(&features.iter().collect::<Vec<_>>(), 0))
    }

    /// Share of the images whose digit it reads right.
    pub fn accuracy(&self, of: &LabelledImages) -> f64 {
        let (digits, _) = self.read(&of.images);
        let right = digits.iter().zip(of.labels.iter()).filter(|&(&digit, label)| digit == label).count();
        right as f64 / of.len().max(1) as f64
    }
}
