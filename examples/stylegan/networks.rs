//! The networks: z → w, w → image, image → score (Karras, Laine and Aila 2019).

use autograd::{Conv2dOptions, Rng, Tensor, UpsampleMode};
use nn::{Buffer, Mode, Parameter, impl_module};

/// Rows and columns of an image.
pub const SIZE: usize = 28;
/// Rows and columns of what each styled layer sees, from the constant to the image, and its channels.
pub const SIZES: [usize; LAYERS] = [7, 7, 14, 14, 28, 28];
const CHANNELS: [usize; LAYERS] = [64, 64, 32, 32, 16, 16];
/// Places where a style goes in.
pub const LAYERS: usize = 6;
/// Layers of the mapping network.
const DEPTH: usize = 8;
/// The slope of every leaky ReLU for negative inputs.
const SLOPE: f32 = 0.2;
/// How much of the mean w stays at each step.
const MEAN_DECAY: f32 = 0.99;

// ANCHOR: equal
/// Weights N(0, 1) that are multiplied by √(2 / fan_in) when used, not when drawn: Adam moves all numbers by about the
/// same, so those of all layers now learn at the same pace. With a `pace` below 1 the layer learns that much slower.
struct Equal {
    weight: Parameter,
    bias: Parameter,
    scale: f32,
    pace: f32,
}
impl_module!(Equal { weight, bias, scale, pace });

impl Equal {
    fn new(shape: &[usize], gain: f32, pace: f32, rng: &mut Rng) -> Equal {
        let fan_in: usize = shape[1..].iter().product();
        Equal {
            weight: Parameter::new(Tensor::randn(shape, rng) / pace),
            bias: Parameter::new(Tensor::zeros([shape[0]])),
            scale: gain / (fan_in as f32).sqrt() * pace,
            pace,
        }
    }

    fn linear(&self, x: &Tensor) -> Tensor {
        x.linear(&(self.weight.value() * self.scale), Some(&(self.bias.value() * self.pace)))
    }

    fn conv(&self, x: &Tensor, options: &Conv2dOptions) -> Tensor {
        x.conv2d(&(self.weight.value() * self.scale), Some(&(self.bias.value() * self.pace)), options)
    }
}
// ANCHOR_END: equal

/// What a weight is multiplied by so that a leaky ReLU after it keeps the size of its inputs.
const GAIN: f32 = std::f32::consts::SQRT_2;

// ANCHOR: mapping
/// From z, of which one only knows that it is a random direction, to w, which may lie as the data wants it.
pub struct Mapping {
    layers: Vec<Equal>,
    /// The moving mean of w, `[W]`.
    pub mean: Buffer,
    mode: Mode,
}
impl_module!(Mapping { layers, mean, mode });

impl Mapping {
    fn new(width: usize, pace: f32, rng: &mut Rng) -> Mapping {
        let layers = (0..DEPTH).map(|_| Equal::new(&[width, width], GAIN, pace, rng)).collect();
        Mapping { layers, mean: Buffer::new(Tensor::zeros([width])), mode: Mode::new() }
    }

    /// Styles `[N, W]` of noise `[N, W]`. While training, their mean goes into the moving one.
    pub fn forward(&self, z: &Tensor) -> Tensor {
        let mut x = z * (z.square().mean_keepdim(1) + 1e-8).rsqrt(); // only the direction of z counts
        for layer in &self.layers {
            x = layer.linear(&x).leaky_relu(SLOPE); // [N, W]
        }
        if self.mode.is_training() {
            let batch = x.detach().mean(0); // [W]
            self.mean.set(&(self.mean.value() * MEAN_DECAY + batch * (1.0 - MEAN_DECAY)));
        }
        x
    }

    // ANCHOR: truncate
    /// Styles `[N, W]` nearer to the mean (ψ below 1): fewer surprises, less variety.
    pub fn truncate(&self, w: &Tensor, psi: f32) -> Tensor {
        let mean = self.mean.value();
        &mean + (w - &mean) * psi
    }
    // ANCHOR_END: truncate
}
// ANCHOR_END: mapping

// ANCHOR: mix
/// A style for each layer, `[N, LAYERS, W]`: in row i of the batch, `coarse` before layer `crossover[i]` and `fine`
/// from there on.
pub fn mix(coarse: &Tensor, fine: &Tensor, crossover: &[usize]) -> Tensor {
    let before = |i: usize| i % LAYERS < crossover[i / LAYERS];
    let mask = Tensor::from_fn([crossover.len(), LAYERS, 1], before); // [N, LAYERS, 1]
    Tensor::where_(&mask, &coarse.unsqueeze(1), &fine.unsqueeze(1)) // [N, LAYERS, W]
}
// ANCHOR_END: mix

/// The same style for all layers: `[N, LAYERS, W]`.
pub fn everywhere(w: &Tensor) -> Tensor {
    w.unsqueeze(1).expand([w.size(0), LAYERS, w.size(1)])
}

/// Noise for each layer, `[N, 1, size, size]`.
pub fn draw_noise(images: usize, rng: &mut Rng) -> Vec<Tensor> {
    SIZES.iter().map(|&size| Tensor::randn([images, 1, size, size], rng)).collect()
}

// ANCHOR: layer
/// A convolution (the first layer has the constant instead), noise, and a style.
struct Styled {
    conv: Option<Equal>,
    /// How much of the noise each channel gets, `[C, 1, 1]`.
    strength: Parameter,
    /// From w to scales and shifts.
    affine: Equal,
}
impl_module!(Styled { conv, strength, affine });

/// What goes into an AdaIN, and what it is told to make of it.
pub struct Stage<'a> {
    /// The layer.
    pub number: usize,
    /// `[N, C, size, size]`
    pub before: &'a Tensor,
    /// `[N, C, size, size]`
    pub after: &'a Tensor,
    /// Deviations and means that the style asks for, `[N, C]` each.
    pub scale: &'a Tensor,
    pub shift: &'a Tensor,
}

impl Styled {
    fn forward(&self, x: &Tensor, noise: &Tensor, w: &Tensor, number: usize, see: &mut dyn FnMut(Stage)) -> Tensor {
        let x = match &self.conv {
            Some(conv) => conv.conv(x, &Conv2dOptions::default().padding(1)), // [N, C, size, size]
            None => x.clone(),
        };
        let x = (x + noise * self.strength.value()).leaky_relu(SLOPE);
        let style = self.affine.linear(w); // [N, 2·C]
        let channels = x.size(1);
        let scale = style.narrow(1, 0, channels) + 1.0; // y_s, around 1 at first
        let shift = style.narrow(1, channels, channels); // y_b, around 0
        let y = x.adain(&scale, &shift, 1e-5); // y_s·(x − μ)/σ + y_b
        see(Stage { number, before: &x, after: &y, scale: &scale, shift: &shift });
        y
    }
}
// ANCHOR_END: layer

/// Styles to an image.
pub struct Synthesis {
    /// Where every image begins, `[1, C, 7, 7]`.
    constant: Parameter,
    layers: Vec<Styled>,
    to_image: Equal,
}
impl_module!(Synthesis { constant, layers, to_image });

impl Synthesis {
    fn new(width: usize, rng: &mut Rng) -> Synthesis {
        let layer = |number: usize| {
            let channels = CHANNELS[number];
            let conv = (number > 0).then(|| Equal::new(&[channels, CHANNELS[number - 1], 3, 3], GAIN, 1.0, rng));
            let strength = Parameter::new(Tensor::zeros([channels, 1, 1]));
            Styled { conv, strength, affine: Equal::new(&[2 * channels, width], 1.0, 1.0, rng) }
        };
        let layers = (0..LAYERS).map(layer).collect();
        Synthesis {
            constant: Parameter::new(Tensor::randn([1, CHANNELS[0], SIZES[0], SIZES[0]], rng)),
            layers,
            to_image: Equal::new(&[1, CHANNELS[LAYERS - 1], 1, 1], 1.0, 1.0, rng),
        }
    }

    // ANCHOR: synthesis
    /// Images `[N, 1, 28, 28]` from −1 to 1, of a style for each layer `[N, LAYERS, W]` and noise for each.
    pub fn forward(&self, styles: &Tensor, noise: &[Tensor]) -> Tensor {
        self.watched(styles, noise, &mut |_| ())
    }

    /// The same; `see` is shown what happens at each AdaIN.
    pub fn watched(&self, styles: &Tensor, noise: &[Tensor], see: &mut dyn FnMut(Stage)) -> Tensor {
        let constant = self.constant.value();
        let mut x = constant.expand([styles.size(0), CHANNELS[0], SIZES[0], SIZES[0]]); // [N, 64, 7, 7]
        for (number, layer) in self.layers.iter().enumerate() {
            if SIZES[number] > x.size(-1) {
                x = x.upsample(2.0, UpsampleMode::Bilinear { align_corners: false });
            }
            let w = styles.narrow(1, number, 1).squeeze(1); // [N, W]
            x = layer.forward(&x, &noise[number], &w, number, see); // [N, C, size, size]
        }
        self.to_image.conv(&x, &Conv2dOptions::default()).tanh() // [N, 1, 28, 28]
    }
    // ANCHOR_END: synthesis
}

/// Both parts of the generator.
pub struct Generator {
    pub mapping: Mapping,
    pub synthesis: Synthesis,
}
impl_module!(Generator { mapping, synthesis });

impl Generator {
    /// For noise and styles of `width` numbers; the mapping network learns at `pace` times the others'.
    pub fn new(width: usize, pace: f32, rng: &mut Rng) -> Generator {
        Generator { mapping: Mapping::new(width, pace, rng), synthesis: Synthesis::new(width, rng) }
    }

    // ANCHOR: generator
    /// Images `[N, 1, 28, 28]` from −1 to 1, of two noises `[N, W]` each, whose styles are [mixed](mix).
    pub fn forward(&self, noises: &[Tensor; 2], crossover: &[usize], noise: &[Tensor]) -> Tensor {
        let [coarse, fine] = noises.each_ref().map(|z| self.mapping.forward(z)); // [N, W] each
        self.synthesis.forward(&mix(&coarse, &fine, crossover), noise)
    }
    // ANCHOR_END: generator
}

// ANCHOR: discriminator
/// An image to a score: above 0 if it looks real.
pub struct Discriminator {
    convs: Vec<Equal>,
    hidden: Equal,
    out: Equal,
}
impl_module!(Discriminator { convs, hidden, out });

impl Discriminator {
    pub fn new(rng: &mut Rng) -> Discriminator {
        let mut equal = |shape: &[usize], gain| Equal::new(shape, gain, 1.0, rng);
        let convs = vec![equal(&[32, 1, 4, 4], GAIN), equal(&[64, 32, 4, 4], GAIN), equal(&[128, 64, 3, 3], GAIN)];
        Discriminator { convs, hidden: equal(&[64, 128 * 4 * 4], GAIN), out: equal(&[1, 64], 1.0) }
    }

    /// Scores `[N]` of images `[N, 1, 28, 28]`. Each image is looked at alone: there is no batch norm, or R1 would not
    /// be the slope of one image's score.
    pub fn forward(&self, images: &Tensor) -> Tensor {
        let options = Conv2dOptions::default().stride(2).padding(1);
        let mut x = images.clone();
        for conv in &self.convs {
            x = conv.conv(&x, &options).leaky_relu(SLOPE); // [N, 32, 14, 14], [N, 64, 7, 7], [N, 128, 4, 4]
        }
        let x = self.hidden.linear(&x.flatten(1)).leaky_relu(SLOPE); // [N, 64]
        self.out.linear(&x).squeeze(1) // [N]
    }
}
// ANCHOR_END: discriminator

#[cfg(test)]
mod tests {
    use super::*;
    use autograd::no_grad;
    use nn::Module;

    const WIDTH: usize = 8;

    fn generator() -> (Generator, Rng) {
        let mut rng = Rng::seeded(3);
        (Generator::new(WIDTH, 0.1, &mut rng), rng)
    }

    #[test]
    fn shapes() {
        let (generator, mut rng) = generator();
        let w = generator.mapping.forward(&Tensor::randn([2, WIDTH], &mut rng));
        assert_eq!(*w.shape(), [2, WIDTH]);
        let mut seen = Vec::new();
        let noise = draw_noise(2, &mut rng);
        let images = generator.synthesis.watched(&everywhere(&w), &noise, &mut |stage| {
            let size = SIZES[stage.number];
            assert_eq!(*stage.before.shape(), [2, CHANNELS[stage.number], size, size]);
            // AdaIN does as the style says: means of up to 784 numbers of a few units.
            let error = (stage.after.mean([2, 3]) - stage.shift).abs().max(..).item();
            assert!(error < 1e-5, "{error}");
            seen.push(stage.number);
        });
        assert_eq!(seen, [0, 1, 2, 3, 4, 5]);
        assert_eq!(*images.shape(), [2, 1, SIZE, SIZE]);
        assert!(images.iter().all(|x| x.abs() <= 1.0));
        assert_eq!(*Discriminator::new(&mut rng).forward(&images).shape(), [2]);
    }

    #[test]
    fn crossover_mixes_the_right_layers() {
        let (coarse, fine) = (Tensor::from([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]), Tensor::from([[-1.0, -2.0]; 3]));
        let styles = mix(&coarse, &fine, &[1, LAYERS, 4]);
        assert_eq!(*styles.shape(), [3, LAYERS, 2]);
        for (row, crossover) in [1, LAYERS, 4].into_iter().enumerate() {
            for layer in 0..LAYERS {
                let expected = if layer < crossover { &coarse } else { &fine };
                for i in 0..2 {
                    assert_eq!(styles.value_at([row, layer, i]), expected.value_at([row, i]));
                }
            }
        }
    }

    #[test]
    fn a_fine_style_does_not_reach_the_layers_before_it() {
        let (generator, mut rng) = generator();
        let mut w = || Tensor::randn([1, WIDTH], &mut rng);
        let (coarse, fine) = (w(), w());
        let noise = draw_noise(1, &mut Rng::seeded(1));
        let stages = |styles: &Tensor| {
            let mut after = Vec::new();
            no_grad(|| generator.synthesis.watched(styles, &noise, &mut |stage| after.push(stage.after.to_vec())));
            after
        };
        let (plain, mixed) = (stages(&everywhere(&coarse)), stages(&mix(&coarse, &fine, &[3])));
        for layer in 0..LAYERS {
            assert_eq!(plain[layer] == mixed[layer], layer < 3, "layer {layer}");
        }
    }

    #[test]
    fn truncation_ends_at_the_mean() {
        let (generator, mut rng) = generator();
        let z = Tensor::randn([4, WIDTH], &mut rng);
        let w = generator.mapping.forward(&z);
        let mean = generator.mapping.mean.value();
        assert!(mean.abs().max(..).item() > 0.0);
        let at = |psi| generator.mapping.truncate(&w, psi);
        assert_eq!(at(0.0).to_vec(), mean.expand([4, WIDTH]).to_vec());
        // One rounding of w − mean and one of the sum, of numbers of a few units.
        assert!((at(1.0) - &w).abs().max(..).item() < 1e-5);
        assert!(((at(0.5) - &mean) * 2.0 - (&w - &mean)).abs().max(..).item() < 1e-5);
        // In evaluation the mean stays where it is.
        generator.eval();
        generator.mapping.forward(&z);
        assert_eq!(generator.mapping.mean.value().to_vec(), mean.to_vec());
    }
}
