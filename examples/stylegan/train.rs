//! Training: non-saturating loss, R1 on real images, styles mixed at a random layer.

use crate::networks::{Discriminator, Generator, LAYERS, draw_noise, everywhere};
use anyhow::Result;
use autograd::{Rng, Tensor, no_grad};
use common::finite::finite;
use common::history::{history, put_history};
use common::resume::Terms;
use common::{flags, profile, progress, say};
use nn::Module;
use nn::checkpoint::Checkpoint;
use nn::data::{LabelledImages, Loader, LoaderOptions};
use nn::losses::{GanLoss, r1_penalty};
use nn::optim::{Adam, AdamOptions, AveragedModel, Optimizer};
use std::path::Path;
use std::time::Instant;

const LOSS: GanLoss = GanLoss::NonSaturating;

/// Sizes and training.
#[derive(clap::Args, Clone, Debug)]
pub struct Recipe {
    /// Passes over the images [default: 1 of MNIST, 29 of the small set; with --quick 1]
    #[arg(long, default_value_if("quick", "true", "1"), value_parser = flags::count)]
    pub epochs: Option<usize>,

    /// Images in a step
    #[arg(long, default_value_t = 32, value_parser = flags::count)]
    pub batch: usize,

    /// Learning rate of both networks
    #[arg(long, default_value_t = 2e-3, value_parser = flags::positive::<f64>)]
    pub lr: f64,

    /// The mapping network learns so many times as fast as the rest
    #[arg(long, default_value_t = 0.1, value_parser = flags::positive::<f32>)]
    pub mapping_pace: f32,

    /// Numbers in z and in w
    #[arg(long, default_value_t = 64, value_parser = flags::count)]
    pub width: usize,

    /// R1's weight, γ
    #[arg(long, default_value_t = 1.0, value_parser = flags::not_negative::<f64>)]
    pub gamma: f64,

    /// R1 is calculated in every so many-th step, and counts so many times
    #[arg(long, default_value_t = 4, value_parser = flags::count)]
    pub r1_every: usize,

    /// How many of the images get two styles
    #[arg(long, default_value_t = 0.9, value_parser = flags::probability::<f64>)]
    pub mixing: f64,

    /// How much of the mean of the generator's weights stays at each step; the mean is what paints
    #[arg(long, default_value_t = 0.995, value_parser = flags::share::<f64>)]
    pub average: f64,
}

impl Recipe {
    /// Epochs for a set of so many images.
    pub fn epochs(&self, images: usize) -> usize {
        self.epochs.unwrap_or(if images > 10_000 { 1 } else { 29 })
    }

    /// What a resumed training on so many images must share with the run that it goes on with.
    pub fn terms(&self, images: usize, seed: u64) -> Terms {
        let terms = Terms::on(images, "images to learn from").flag("--batch", self.batch).flag("--lr", self.lr);
        let terms = terms.flag("--mapping-pace", self.mapping_pace).flag("--width", self.width);
        let terms = terms.flag("--gamma", self.gamma).flag("--r1-every", self.r1_every);
        terms.flag("--mixing", self.mixing).flag("--average", self.average).flag("--seed", seed)
    }
}

/// What was measured in one pass, each the mean over its steps (of R1: over those that had it).
#[derive(Clone, Copy)]
pub struct Epoch {
    pub discriminator_loss: f64,
    pub generator_loss: f64,
    /// The discriminator's scores of real images, and of painted ones.
    pub real: f64,
    pub fake: f64,
    /// E ‖∇D(x)‖², NaN where it was not measured.
    pub slope: f64,
}

impl Epoch {
    fn numbers(&self) -> [f64; 5] {
        [self.discriminator_loss, self.generator_loss, self.real, self.fake, self.slope]
    }

    fn of([discriminator_loss, generator_loss, real, fake, slope]: [f64; 5]) -> Epoch {
        Epoch { discriminator_loss, generator_loss, real, fake, slope }
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
    recipe: Recipe,
    pub history: Vec<Epoch>,
}

impl Gan {
    pub fn new(recipe: &Recipe, seed: u64) -> Gan {
        let mut rng = Rng::seeded(seed);
        let generator = Generator::new(recipe.width, recipe.mapping_pace, &mut rng);
        let discriminator = Discriminator::new(&mut rng);
        let copy = Generator::new(recipe.width, recipe.mapping_pace, &mut rng);
        let average = AveragedModel::new(copy, &generator, recipe.average);
        let options = AdamOptions { lr: recipe.lr, betas: (0.0, 0.99), ..Default::default() };
        let adam_g = Adam::new(generator.named_parameters(), options.clone());
        let adam_d = Adam::new(discriminator.named_parameters(), options);
        Gan { generator, discriminator, average, adam_g, adam_d, rng, recipe: recipe.clone(), history: Vec::new() }
    }

    // ANCHOR: crossover
    /// The layer from which on an image has its second style; `LAYERS` if it has one only.
    fn crossover(&mut self) -> usize {
        if self.rng.uniform() < self.recipe.mixing { 1 + self.rng.below(LAYERS as u64 - 1) as usize } else { LAYERS }
    }
    // ANCHOR_END: crossover

    // ANCHOR: step
    /// One step of each network on real images `[B, 1, 28, 28]` from −1 to 1.
    pub fn step(&mut self, real: &Tensor, number: usize) -> Result<Epoch> {
        let batch = real.size(0);
        let noises = [(); 2].map(|()| Tensor::randn([batch, self.recipe.width], &mut self.rng)); // z, [B, W]
        let crossover: Vec<usize> = (0..batch).map(|_| self.crossover()).collect();
        let noise = draw_noise(batch, &mut self.rng); // [B, 1, size, size] for each layer
        let paint = || self.generator.forward(&noises, &crossover, &noise);
        let fake = paint(); // [B, 1, 28, 28]

        // The discriminator, and in some steps R1: the slope of its scores at real images is to be small.
        let penalised = number.is_multiple_of(self.recipe.r1_every);
        let real = if penalised { real.requires_grad() } else { real.clone() };
        let scores = || (self.discriminator.forward(&real), self.discriminator.forward(&fake.detach())); // [B] each
        let weight = self.recipe.r1_every as f64;
        let penalty = |of_real: &Tensor| penalised.then(|| r1_penalty(of_real, &real, self.recipe.gamma * weight));
        let with = |loss: &Tensor, penalty: &Option<Tensor>| penalty.as_ref().map_or(loss.clone(), |p| loss + p);

        let (of_real, of_fake) = scores();
        let d_loss = LOSS.discriminator(&of_real, &of_fake);
        let penalty_now = penalty(&of_real);
        let all = with(&d_loss, &penalty_now);
        finite(&all, "the discriminator's loss", number, || {
            let (of_real, of_fake) = scores();
            with(&LOSS.discriminator(&of_real, &of_fake), &penalty(&of_real)).backward();
        })?;
        self.adam_d.zero_grad();
        all.backward();
        self.adam_d.step();

        // The generator: its painting is to be taken for real. The discriminator is asked, not taught.
        self.discriminator.set_trainable(false);
        let g_loss = LOSS.generator(&self.discriminator.forward(&fake));
        self.discriminator.set_trainable(true);
        finite(&g_loss, "the generator's loss", number, || {
            LOSS.generator(&self.discriminator.forward(&paint())).backward();
        })?;
        self.adam_g.zero_grad();
        g_loss.backward();
        self.adam_g.step();
        self.average.update(&self.generator);

        let mean = |x: &Tensor| f64::from(x.detach().mean(..).item());
        let gamma = self.recipe.gamma;
        let slope = penalty_now.filter(|_| gamma > 0.0).map(|p| f64::from(p.item()) * 2.0 / (gamma * weight));
        let [discriminator_loss, generator_loss] = [&d_loss, &g_loss].map(|loss| f64::from(loss.item()));
        let (real, fake) = (mean(&of_real), mean(&of_fake));
        Ok(Epoch { discriminator_loss, generator_loss, real, fake, slope: slope.unwrap_or(f64::NAN) })
    }
    // ANCHOR_END: step

    /// Measures the mean w of the averaged mapping, which truncation goes towards: another than that of the one in
    /// training.
    fn measure_average(&self) {
        let mapping = &self.average.mapping;
        let z = Tensor::randn([4096, self.recipe.width], &mut Rng::seeded(0));
        mapping.mean.set(&mapping.forward(&z).mean(0));
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

/// Who paints when the training is over: a generator in evaluation mode.
pub struct Painter<'a>(pub &'a Generator);

impl Painter<'_> {
    /// Styles `[N, W]` of noise `[N, W]`, drawn towards their mean if ψ is below 1.
    pub fn styles(&self, z: &Tensor, psi: f32) -> Tensor {
        no_grad(|| self.0.mapping.truncate(&self.0.mapping.forward(z), psi))
    }

    /// Images `[N, 1, 28, 28]` from 0 to 1 of a style for each layer `[N, LAYERS, W]`.
    pub fn paint(&self, styles: &Tensor, noise: &[Tensor]) -> Tensor {
        (no_grad(|| self.0.synthesis.forward(styles, noise)) + 1.0) / 2.0
    }

    /// Images of a style `[N, W]` for all layers, with noise drawn.
    pub fn paint_all(&self, w: &Tensor, rng: &mut Rng) -> Tensor {
        self.paint(&everywhere(w), &draw_noise(w.size(0), rng))
    }
}

/// Trains for the epochs that are left; after each, `after` sees the networks.
pub fn run(
    gan: &mut Gan,
    epochs: usize,
    data: &LabelledImages,
    seed: u64,
    mut after: impl FnMut(&Gan) -> Result<()>,
) -> Result<()> {
    let options = LoaderOptions { batch_size: gan.recipe.batch, seed, ..Default::default() };
    let loader = Loader::new(data.dataset(), options);
    let steps = loader.batches();
    gan.recipe.terms(data.len(), seed).left(gan.history.len(), epochs)?;
    let bar = progress(epochs * steps, "stylegan");
    bar.set_position((gan.history.len() * steps) as u64);
    for epoch in gan.history.len()..epochs {
        let start = Instant::now();
        let (mut sum, mut count) = ([0.0; 5], [0.0; 5]);
        for (step, (images, _)) in loader.epoch(epoch as u64).enumerate() {
            let _step = profile::step();
            let real = images * 2.0 - 1.0; // [B, 1, 28, 28]
            let measured = gan.step(&real, epoch * steps + step)?;
            for (i, x) in measured.numbers().into_iter().enumerate().filter(|(_, x)| !x.is_nan()) {
                sum[i] += x;
                count[i] += 1.0;
            }
            bar.inc(1);
        }
        // Not a number where nothing was measured.
        let mean = Epoch::of(std::array::from_fn(|i| sum[i] / count[i]));
        let Epoch { discriminator_loss, generator_loss, real, fake, slope } = mean;
        let losses = format!("loss of D {discriminator_loss:.3}, of G {generator_loss:.3}");
        let scores = format!("D(x) {real:.2}  D(G(z)) {fake:.2}  |∇D(x)|² {slope:.3}");
        say(&bar, format!("epoch {:3}  {losses}  {scores}  {:.1} s", epoch + 1, start.elapsed().as_secs_f64()));
        gan.measure_average();
        gan.history.push(mean);
        after(gan)?;
    }
    bar.finish_and_clear();
    Ok(())
}
