//! Training: the discriminator learns to tell, the generator to be taken for real.

use crate::networks::{CLASSES, Discriminator, Generator, one_hot_labels};
use anyhow::Result;
use autograd::{Rng, Tensor, no_grad};
use common::finite::finite;
use common::history::{history, put_history};
use common::resume::Terms;
use common::{flags, profile, progress, say};
use nn::Module;
use nn::checkpoint::Checkpoint;
use nn::data::{LabelledImages, Loader, LoaderOptions};
use nn::optim::{Adam, AdamOptions, AveragedModel, Optimizer};
use std::path::Path;
use std::time::Instant;

/// Sizes and training.
#[derive(clap::Args, Clone, Debug)]
pub struct Recipe {
    /// Passes over the images [default: 6 of MNIST, 40 of the small set; with --quick 1]
    #[arg(long, default_value_if("quick", "true", "1"), value_parser = flags::count)]
    pub epochs: Option<usize>,

    /// Images in a step [default: 64 of MNIST, 32 of the small set]
    #[arg(long, value_parser = flags::count)]
    pub batch: Option<usize>,

    /// Learning rate of both networks
    #[arg(long, default_value_t = 4e-4, value_parser = flags::positive::<f64>)]
    pub lr: f64,

    /// Adam's first decay rate
    #[arg(long, default_value_t = 0.5, value_parser = flags::share::<f64>)]
    pub beta1: f64,

    /// Numbers of noise that an image is painted from
    #[arg(long, default_value_t = 64, value_parser = flags::count)]
    pub z: usize,

    /// How much of the mean of the generator's weights stays at each step; the mean is what paints
    #[arg(long, default_value_t = 0.998, value_parser = flags::share::<f64>)]
    pub average: f64,
}

impl Recipe {
    /// Epochs and batch for a set of so many images.
    pub fn sizes(&self, images: usize) -> (usize, usize) {
        let (epochs, batch) = if images > 10_000 { (6, 64) } else { (40, 32) };
        (self.epochs.unwrap_or(epochs), self.batch.unwrap_or(batch))
    }

    /// What a resumed training on so many images must share with the run that it goes on with.
    pub fn terms(&self, images: usize, seed: u64) -> Terms {
        let terms = Terms::on(images, "images to learn from").flag("--batch", self.sizes(images).1);
        let terms = terms.flag("--lr", self.lr).flag("--beta1", self.beta1).flag("--z", self.z);
        terms.flag("--average", self.average).flag("--seed", seed)
    }
}

/// What was measured in one pass, each the mean over its steps.
#[derive(Clone, Copy)]
pub struct Epoch {
    pub discriminator_loss: f64,
    pub generator_loss: f64,
    /// How real the discriminator takes real images for, and painted ones: probabilities.
    pub d_of_real: f64,
    pub d_of_fake: f64,
}

impl Epoch {
    fn numbers(&self) -> [f64; 4] {
        [self.discriminator_loss, self.generator_loss, self.d_of_real, self.d_of_fake]
    }

    fn of([discriminator_loss, generator_loss, d_of_real, d_of_fake]: [f64; 4]) -> Epoch {
        Epoch { discriminator_loss, generator_loss, d_of_real, d_of_fake }
    }
}

/// Both networks and all that training them needs.
pub struct Gan {
    pub generator: Generator,
    pub discriminator: Discriminator,
    /// The mean of what the generator was.
    pub average: AveragedModel<Generator>,
    adam_g: Adam,
    adam_d: Adam,
    rng: Rng,
    z: usize,
    pub history: Vec<Epoch>,
}

impl Gan {
    pub fn new(recipe: &Recipe, seed: u64) -> Gan {
        let mut rng = Rng::seeded(seed);
        let (generator, discriminator) = (Generator::new(recipe.z, &mut rng), Discriminator::new(&mut rng));
        // It starts as a copy; its own random start is thrown away, and takes no numbers from the training's.
        let copy = Generator::new(recipe.z, &mut Rng::seeded(seed));
        let average = AveragedModel::new(copy, &generator, recipe.average);
        let options = AdamOptions { lr: recipe.lr, betas: (recipe.beta1, 0.999), ..Default::default() };
        let adam_g = Adam::new(generator.named_parameters(), options.clone());
        let adam_d = Adam::new(discriminator.named_parameters(), options);
        Gan { generator, discriminator, average, adam_g, adam_d, rng, z: recipe.z, history: Vec::new() }
    }

    // ANCHOR: step
    /// One step of each network on real images `[B, 1, 28, 28]` from −1 to 1 with their labels `[B]`.
    pub fn step(&mut self, real: &Tensor, labels: &Tensor<i64>, number: usize) -> Result<Epoch> {
        let batch = labels.count();
        let labels = one_hot_labels(labels, CLASSES); // [B, 10]
        let noise = Tensor::randn([batch, self.z], &mut self.rng); // [B, z]
        let (ones, zeros) = (Tensor::ones([batch]), Tensor::zeros([batch]));
        let fake = self.generator.forward(&noise, &labels); // [B, 1, 28, 28]

        // The discriminator: real is 1, painted is 0. The painting is detached, for it is not to change.
        let discriminator_loss = || {
            let of_fake = self.discriminator.forward(&fake.detach(), &labels); // [B]
            let of_real = self.discriminator.forward(real, &labels); // [B]
            let loss = (of_fake.bce_with_logits(&zeros) + of_real.bce_with_logits(&ones)) / 2.0;
            (loss, of_real, of_fake)
        };
        let (d_loss, of_real, of_fake) = discriminator_loss();
        finite(&d_loss, "the discriminator's loss", number, || discriminator_loss().0.backward())?;
        self.adam_d.zero_grad();
        d_loss.backward();
        self.adam_d.step();

        // The generator: its painting is to be taken for 1. The discriminator is asked, not taught.
        let generator_loss = || self.discriminator.forward(&fake, &labels).bce_with_logits(&ones);
        self.discriminator.set_trainable(false);
        let g_loss = generator_loss();
        self.discriminator.set_trainable(true);
        finite(&g_loss, "the generator's loss", number, || {
            let fake = self.generator.forward(&noise, &labels);
            self.discriminator.forward(&fake, &labels).bce_with_logits(&ones).backward();
        })?;
        self.adam_g.zero_grad();
        g_loss.backward();
        self.adam_g.step();
        self.average.update(&self.generator);

        let mean = |x: &Tensor| f64::from(x.detach().sigmoid().mean(..).item());
        Ok(Epoch {
            discriminator_loss: f64::from(d_loss.item()),
            generator_loss: f64::from(g_loss.item()),
            d_of_real: mean(&of_real),
            d_of_fake: mean(&of_fake),
        })
    }
    // ANCHOR_END: step

    /// Measures what the batch norms of the averaged generator see: other numbers than those of the one in training.
    fn measure_average(&self) {
        /// A tenth of the running statistics goes with each batch, so that a twenty-fifth of the start is left.
        const BATCHES: usize = 30;
        let mut rng = Rng::seeded(0);
        let labels = one_hot_labels(&Tensor::from_fn([5 * CLASSES], |i| (i % CLASSES) as i64), CLASSES); // [50, 10]
        self.average.train();
        no_grad(|| {
            for _ in 0..BATCHES {
                self.average.forward(&Tensor::randn([labels.size(0), self.z], &mut rng), &labels);
            }
        });
        self.average.eval();
    }

    /// Paints these digits, by the averaged weights: `[N, 1, 28, 28]` from 0 to 1.
    pub fn paint(&self, noise: &Tensor, digits: &Tensor<i64>) -> Tensor {
        let images = no_grad(|| self.average.forward(noise, &one_hot_labels(digits, CLASSES)));
        (images + 1.0) / 2.0
    }

    pub fn save(&self, path: &Path, terms: &Terms) -> Result<()> {
        let mut checkpoint = Checkpoint::new();
        terms.put(&mut checkpoint)?;
        checkpoint.put_module("generator", &self.generator);
        checkpoint.put_module("discriminator", &self.discriminator);
        checkpoint.put_module("average", &*self.average);
        checkpoint.put_state("adam_g", &self.adam_g.state());
        checkpoint.put_state("adam_d", &self.adam_d.state());
        checkpoint.put_rng("rng", &self.rng);
        put_history(&mut checkpoint, self.history.iter().map(Epoch::numbers))?;
        Ok(checkpoint.write(path)?)
    }

    pub fn load(&mut self, path: &Path, terms: &Terms) -> Result<()> {
        let checkpoint = terms.read(path)?;
        checkpoint.module("generator", &self.generator)?;
        checkpoint.module("discriminator", &self.discriminator)?;
        checkpoint.module("average", &*self.average)?;
        self.adam_g.load_state(&checkpoint.state("adam_g"))?;
        self.adam_d.load_state(&checkpoint.state("adam_d"))?;
        self.rng = checkpoint.rng("rng")?;
        self.history = history(&checkpoint, path)?.into_iter().map(Epoch::of).collect();
        Ok(())
    }
}

/// Trains for the epochs that are left; after each, `after` sees the networks.
pub fn run(
    gan: &mut Gan,
    recipe: &Recipe,
    data: &LabelledImages,
    seed: u64,
    mut after: impl FnMut(&Gan) -> Result<()>,
) -> Result<()> {
    let (epochs, batch) = recipe.sizes(data.len());
    let loader = Loader::new(data.dataset(), LoaderOptions { batch_size: batch, seed, ..Default::default() });
    let steps = loader.batches();
    recipe.terms(data.len(), seed).left(gan.history.len(), epochs)?;
    let bar = progress(epochs * steps, "cdcgan");
    bar.set_position((gan.history.len() * steps) as u64);
    for epoch in gan.history.len()..epochs {
        let start = Instant::now();
        let mut sum = [0.0; 4];
        for (step, (images, labels)) in loader.epoch(epoch as u64).enumerate() {
            let _step = profile::step();
            let real = images * 2.0 - 1.0; // [B, 1, 28, 28]
            let measured = gan.step(&real, &labels, epoch * steps + step)?;
            for (sum, x) in sum.iter_mut().zip(measured.numbers()) {
                *sum += x;
            }
            bar.inc(1);
        }
        let mean = Epoch::of(sum.map(|sum| sum / steps as f64));
        let Epoch { discriminator_loss, generator_loss, d_of_real, d_of_fake } = mean;
        say(
            &bar,
            format!(
                "epoch {:3}  loss of D {discriminator_loss:.3}, of G {generator_loss:.3}  D(x) {d_of_real:.3}  \
             D(G(z)) {d_of_fake:.3}  {:.1} s",
                epoch + 1,
                start.elapsed().as_secs_f64()
            ),
        );
        gan.history.push(mean);
        gan.measure_average();
        after(gan)?;
    }
    bar.finish_and_clear();
    Ok(())
}
