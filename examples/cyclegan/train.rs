//! Training: what is translated is to look like the other side, and to come back as it was.

use crate::buffer::ImageBuffer;
use crate::measure::translated;
use crate::networks::{Discriminator, Discriminators, Generator, Generators};
use crate::sides::{self, Style};
use anyhow::{Context, Result, ensure};
use autograd::{Rng, Tensor};
use clap::ValueEnum;
use common::finite::finite;
use common::history::{history, put_history};
use common::resume::Terms;
use common::{flags, profile, progress, say};
use nn::Module;
use nn::checkpoint::Checkpoint;
use nn::data::{Loader, LoaderOptions, TensorDataset};
use nn::losses::{GanLoss, l1_loss};
use nn::optim::{Adam, AdamOptions, Optimizer};
use std::path::Path;
use std::time::Instant;

/// The game of generators and discriminators.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Game {
    /// The generator's loss is −log D(fake): cross entropy
    Log,
    /// The generator's loss is (D(fake) − 1)², as in the paper
    Squares,
}

impl Game {
    /// The paper's code leaves the ½ of the generator's squares away.
    fn generator(self, fake: &Tensor) -> Tensor {
        match self {
            Game::Log => GanLoss::NonSaturating.generator(fake),
            Game::Squares => GanLoss::LeastSquares.generator(fake) * 2.0,
        }
    }

    fn discriminator(self, real: &Tensor, fake: &Tensor) -> Tensor {
        match self {
            Game::Log => GanLoss::NonSaturating.discriminator(real, fake),
            Game::Squares => GanLoss::LeastSquares.discriminator(real, fake),
        }
    }
}

/// Sides, sizes and training.
#[derive(clap::Args, Clone, Debug)]
pub struct Recipe {
    /// What side B looks like
    #[arg(long, value_enum, default_value_t = Style::Bold)]
    pub side: Style,

    /// Pixels that side B's pen is thicker by at each side
    #[arg(long, default_value_t = 1.0, value_parser = sides::radius)]
    pub radius: f64,

    /// Passes over the images [default: 2 of MNIST, 20 of the small set; with --quick 1]
    #[arg(long, default_value_if("quick", "true", "1"), value_parser = flags::count)]
    pub epochs: Option<usize>,

    /// Images of each side in a step
    #[arg(long, default_value_t = 16, value_parser = flags::count)]
    pub batch: usize,

    /// Learning rate of all networks in the first half of the training; in the second it falls to 0
    #[arg(long, default_value_t = 1e-3, value_parser = flags::positive::<f64>)]
    pub lr: f64,

    /// Adam's first decay rate
    #[arg(long, default_value_t = 0.5, value_parser = flags::share::<f64>)]
    pub beta1: f64,

    /// What the generators want of the discriminators
    #[arg(long, value_enum, default_value_t = Game::Log)]
    pub loss: Game,

    /// λ: what an image that does not come back as it was costs
    #[arg(long, default_value_t = 10.0, value_parser = flags::not_negative::<f64>)]
    pub cycle: f64,

    /// What changing an image that is on the right side already costs
    #[arg(long, default_value_t = 5.0, value_parser = flags::not_negative::<f64>)]
    pub identity: f64,

    /// Translated images that are kept for each discriminator
    #[arg(long, default_value_t = 50)]
    pub buffer: usize,

    /// Channels of the first layers; the later ones have twice as many
    #[arg(long, default_value_t = 16, value_parser = flags::count)]
    pub width: usize,

    /// Residual blocks of a generator
    #[arg(long, default_value_t = 1)]
    pub residuals: usize,
}

impl Recipe {
    /// Passes over so many images of a side.
    fn passes(&self, images: usize) -> usize {
        self.epochs.unwrap_or(if images > 5_000 { 2 } else { 20 })
    }

    /// The learning rate after this share of the training: as it is for the first half, then down to 0.
    fn lr_at(&self, done: f64) -> f64 {
        self.lr * (2.0 * (1.0 - done)).min(1.0)
    }

    /// What a resumed training on so many images of a side must share with the run that it goes on with. It may
    /// have more epochs: its learning rate is then that of the longer training, be it higher than it came to be.
    pub fn terms(&self, images: usize, seed: u64) -> Terms {
        let terms = Terms::on(images, "images of a side").flag("--side", name(self.side));
        let terms = terms.flag("--radius", self.radius).flag("--batch", self.batch).flag("--lr", self.lr);
        let terms = terms.flag("--beta1", self.beta1).flag("--loss", name(self.loss)).flag("--cycle", self.cycle);
        let terms = terms.flag("--identity", self.identity).flag("--buffer", self.buffer);
        terms.flag("--width", self.width).flag("--residuals", self.residuals).flag("--seed", seed)
    }
}

/// What a flag calls this choice.
fn name(choice: impl ValueEnum) -> String {
    choice.to_possible_value().map(|value| value.get_name().to_string()).unwrap_or_default()
}

/// What was measured in one pass, each the mean over its steps, and how far the translations of some test images are
/// from what they should be, after it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Epoch {
    pub discriminators: f64,
    pub adversarial: f64,
    pub cycle: f64,
    pub identity: f64,
    pub off_ab: f64,
    pub off_ba: f64,
}

impl Epoch {
    fn numbers(&self) -> [f64; 6] {
        [self.discriminators, self.adversarial, self.cycle, self.identity, self.off_ab, self.off_ba]
    }

    fn of([discriminators, adversarial, cycle, identity, off_ab, off_ba]: [f64; 6]) -> Epoch {
        Epoch { discriminators, adversarial, cycle, identity, off_ab, off_ba }
    }
}

// ANCHOR: losses
/// What the generators make of a batch of each side, and what it costs them. Each loss is the sum of both directions'.
struct Round {
    fake_a: Tensor,
    fake_b: Tensor,
    adversarial: Tensor,
    cycle: Tensor,
    identity: Tensor,
    loss: Tensor,
}

fn round(generators: &Generators, critics: &Discriminators, a: &Tensor, b: &Tensor, recipe: &Recipe) -> Round {
    let Generators { to_a, to_b } = generators;
    let (fake_b, fake_a) = (to_b.forward(a), to_a.forward(b));
    // Each is to look like its side ...
    let looks = |critic: &Discriminator, fake: &Tensor| recipe.loss.generator(&critic.forward(fake));
    let adversarial = looks(&critics.of_a, &fake_a) + looks(&critics.of_b, &fake_b);
    // ... and to lead back to where it came from,
    let cycle = l1_loss(&to_a.forward(&fake_b), a) + l1_loss(&to_b.forward(&fake_a), b);
    // and what is there already is to stay.
    let identity = l1_loss(&to_a.forward(a), a) + l1_loss(&to_b.forward(b), b);
    let loss = &adversarial + &cycle * recipe.cycle as f32 + &identity * recipe.identity as f32;
    Round { fake_a, fake_b, adversarial, cycle, identity, loss }
}
// ANCHOR_END: losses

/// The networks and all that training them needs.
pub struct CycleGan {
    pub generators: Generators,
    pub discriminators: Discriminators,
    adam_g: Adam,
    adam_d: Adam,
    buffer_a: ImageBuffer,
    buffer_b: ImageBuffer,
    rng: Rng,
    recipe: Recipe,
    pub history: Vec<Epoch>,
}

impl CycleGan {
    pub fn new(recipe: &Recipe, seed: u64) -> CycleGan {
        let mut rng = Rng::seeded(seed);
        let mut generator = || Generator::new(recipe.width, recipe.residuals, &mut rng);
        let generators = Generators { to_a: generator(), to_b: generator() };
        let mut discriminator = || Discriminator::new(recipe.width, &mut rng);
        let discriminators = Discriminators { of_a: discriminator(), of_b: discriminator() };
        let options = AdamOptions { lr: recipe.lr, betas: (recipe.beta1, 0.999), ..Default::default() };
        CycleGan {
            adam_g: Adam::new(generators.named_parameters(), options.clone()),
            adam_d: Adam::new(discriminators.named_parameters(), options),
            generators,
            discriminators,
            buffer_a: ImageBuffer::new(recipe.buffer),
            buffer_b: ImageBuffer::new(recipe.buffer),
            rng,
            recipe: recipe.clone(),
            history: Vec::new(),
        }
    }

    // ANCHOR: step
    /// One step of all networks on images `[B, 1, 28, 28]` of each side, from −1 to 1.
    pub fn step(&mut self, a: &Tensor, b: &Tensor, number: usize) -> Result<Epoch> {
        let CycleGan { generators, discriminators, recipe, .. } = &*self;
        // The generators. The discriminators are asked, not taught.
        discriminators.set_trainable(false);
        let made = round(generators, discriminators, a, b, recipe);
        finite(&made.loss, "the generators' loss", number, || {
            round(generators, discriminators, a, b, recipe).loss.backward();
        })?;
        discriminators.set_trainable(true);
        self.adam_g.zero_grad();
        made.loss.backward();
        self.adam_g.step();

        // The discriminators see what the generators make now, or made some steps ago.
        let fake_a = self.buffer_a.swap(&made.fake_a, &mut self.rng);
        let fake_b = self.buffer_b.swap(&made.fake_b, &mut self.rng);
        let Discriminators { of_a, of_b } = &self.discriminators;
        let game = self.recipe.loss;
        let critics_loss = || {
            let of_a = game.discriminator(&of_a.forward(a), &of_a.forward(&fake_a));
            let of_b = game.discriminator(&of_b.forward(b), &of_b.forward(&fake_b));
            (of_a + of_b) / 2.0
        };
        let loss = critics_loss();
        finite(&loss, "the discriminators' loss", number, || critics_loss().backward())?;
        self.adam_d.zero_grad();
        loss.backward();
        self.adam_d.step();

        let [discriminators, adversarial, cycle, identity] =
            [&loss, &made.adversarial, &made.cycle, &made.identity].map(|loss| f64::from(loss.item()) / 2.0);
        Ok(Epoch { discriminators, adversarial, cycle, identity, ..Default::default() })
    }
    // ANCHOR_END: step

    pub fn save(&self, path: &Path, terms: &Terms) -> Result<()> {
        let mut checkpoint = Checkpoint::new();
        terms.put(&mut checkpoint)?;
        checkpoint.put_module("generators", &self.generators);
        checkpoint.put_module("discriminators", &self.discriminators);
        checkpoint.put_state("adam_g", &self.adam_g.state());
        checkpoint.put_state("adam_d", &self.adam_d.state());
        checkpoint.put_state("buffer_a", &self.buffer_a.state());
        checkpoint.put_state("buffer_b", &self.buffer_b.state());
        checkpoint.put_rng("rng", &self.rng);
        put_history(&mut checkpoint, self.history.iter().map(Epoch::numbers))?;
        Ok(checkpoint.write(path)?)
    }

    pub fn load(&mut self, path: &Path, terms: &Terms) -> Result<()> {
        let checkpoint = terms.read(path)?;
        checkpoint.module("generators", &self.generators)?;
        checkpoint.module("discriminators", &self.discriminators)?;
        self.adam_g.load_state(&checkpoint.state("adam_g"))?;
        self.adam_d.load_state(&checkpoint.state("adam_d"))?;
        for (name, buffer) in [("buffer_a", &mut self.buffer_a), ("buffer_b", &mut self.buffer_b)] {
            buffer.load_state(&checkpoint.state(name)).with_context(|| format!("{}: {name}", path.display()))?;
        }
        self.rng = checkpoint.rng("rng")?;
        self.history = history(&checkpoint, path)?.into_iter().map(Epoch::of).collect();
        Ok(())
    }
}

/// Batches of a side, in an order of its own.
fn loader(images: &Tensor, batch_size: usize, seed: u64) -> Loader<TensorDataset<f32, i64>> {
    // What digit it is, nobody is told.
    let labels = Tensor::full_of([images.size(0)], 0_i64);
    let dataset = TensorDataset::new(images.clone(), labels);
    Loader::new(dataset, LoaderOptions { batch_size, seed, drop_last: true, ..Default::default() })
}

/// Trains for the epochs that are left on both sides' images `[N, 1, 28, 28]` from 0 to 1. After each, the translations
/// of `probe`, of side A and B, whose images are pairs, are compared with what they should be, and `after` sees the
/// networks.
pub fn run(
    gan: &mut CycleGan,
    [side_a, side_b]: &[Tensor; 2],
    probe: &[Tensor; 2],
    seed: u64,
    mut after: impl FnMut(&CycleGan) -> Result<()>,
) -> Result<()> {
    let recipe = gan.recipe.clone();
    let (a, b) = (loader(side_a, recipe.batch, seed), loader(side_b, recipe.batch, seed.wrapping_add(1)));
    let (epochs, steps) = (recipe.passes(side_a.size(0)), a.batches().min(b.batches()));
    ensure!(steps > 0, "--batch {}: more than the {} images of a side", recipe.batch, side_b.size(0));
    recipe.terms(side_a.size(0), seed).left(gan.history.len(), epochs)?;
    if !gan.history.is_empty() {
        let (done, lr) = (gan.history.len(), recipe.lr_at(gan.history.len() as f64 / epochs as f64));
        println!("going on after epoch {done} of {epochs}, with their learning rate there: {lr:.2e}");
    }
    let bar = progress(epochs * steps, "cyclegan");
    bar.set_position((gan.history.len() * steps) as u64);
    for epoch in gan.history.len()..epochs {
        let start = Instant::now();
        let mut sum = [0.0; 6];
        for (step, ((a, _), (b, _))) in a.epoch(epoch as u64).zip(b.epoch(epoch as u64)).enumerate() {
            let _step = profile::step();
            let number = epoch * steps + step;
            let lr = recipe.lr_at(number as f64 / (epochs * steps) as f64);
            gan.adam_g.set_lr(lr);
            gan.adam_d.set_lr(lr);
            let measured = gan.step(&(a * 2.0 - 1.0), &(b * 2.0 - 1.0), number)?;
            for (sum, x) in sum.iter_mut().zip(measured.numbers()) {
                *sum += x;
            }
            bar.inc(1);
        }
        let off = |by: &Generator, from: &Tensor, to: &Tensor| f64::from(l1_loss(&translated(by, from), to).item());
        let mut mean = Epoch::of(sum.map(|sum| sum / steps as f64));
        mean.off_ab = off(&gan.generators.to_b, &probe[0], &probe[1]);
        mean.off_ba = off(&gan.generators.to_a, &probe[1], &probe[0]);
        let Epoch { discriminators, adversarial, cycle, identity, off_ab, off_ba } = mean;
        let losses = format!("loss of D {discriminators:.3}, of G {adversarial:.3}");
        let images =
            format!("cycle {cycle:.3}  identity {identity:.3}  off the true translation {off_ab:.4}, {off_ba:.4}");
        say(&bar, format!("epoch {:3}  {losses}  {images}  {:.1} s", epoch + 1, start.elapsed().as_secs_f64()));
        gan.history.push(mean);
        after(gan)?;
    }
    bar.finish_and_clear();
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Flags {
        #[command(flatten)]
        recipe: Recipe,
    }

    fn small() -> (Recipe, [Tensor; 2]) {
        let flags = ["", "--epochs", "2", "--batch", "2", "--width", "2", "--buffer", "3"];
        let mut rng = Rng::seeded(4);
        let sides = [0, 1].map(|_| Tensor::rand([6, 1, 28, 28], &mut rng));
        (Flags::parse_from(flags).recipe, sides)
    }

    #[test]
    fn a_resumed_training_makes_the_same_numbers() {
        let (recipe, sides) = small();
        let folder = std::env::temp_dir().join(format!("chainrule-cyclegan-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let path = |gan: &CycleGan| folder.join(format!("{}.safetensors", gan.history.len()));
        let mut whole = CycleGan::new(&recipe, 5);
        let terms = recipe.terms(6, 5);
        run(&mut whole, &sides, &sides, 5, |gan| gan.save(&path(gan), &terms)).unwrap();
        let mut resumed = CycleGan::new(&recipe, 6);
        resumed.load(&folder.join("1.safetensors"), &terms).unwrap();
        run(&mut resumed, &sides, &sides, 5, |_| Ok(())).unwrap();
        for ((name, left), (_, right)) in whole.generators.state().into_iter().zip(resumed.generators.state()) {
            assert_eq!(left.to_vec(), right.to_vec(), "{name}");
        }
        assert_eq!(whole.history[1].numbers(), resumed.history[1].numbers());
        let error = run(&mut resumed, &sides, &sides, 5, |_| Ok(())).unwrap_err().to_string();
        assert_eq!(error, "--resume: 2 of 2 epochs are done: give more --epochs");
        // The buffer of another run, or half of it, would be another training.
        let other = Recipe { buffer: 2, ..recipe };
        let error = resumed.load(&folder.join("1.safetensors"), &other.terms(6, 5)).unwrap_err();
        assert!(format!("{error:#}").contains("had --buffer 3, and this one has --buffer 2."), "{error:#}");
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn the_discriminators_see_older_images_once_the_buffer_is_full() {
        let (recipe, [a, b]) = small();
        let [mut with, mut without] = [3, 0].map(|buffer| CycleGan::new(&Recipe { buffer, ..recipe.clone() }, 9));
        let batch = |side: &Tensor, i: usize| side.narrow(0, 2 * (i % 3), 2) * 2.0 - 1.0;
        let mut same = Vec::new();
        for step in 0..6 {
            for gan in [&mut with, &mut without] {
                gan.step(&batch(&a, step), &batch(&b, step), step).unwrap();
            }
            let weights = |gan: &CycleGan| -> Vec<Vec<f32>> {
                gan.discriminators.parameters().iter().map(|parameter| parameter.value().to_vec()).collect()
            };
            same.push(weights(&with) == weights(&without));
        }
        // Two images a step: the first three are kept as they come.
        assert!(same[0] && !same[5], "{same:?}");
    }

    #[test]
    fn training_stops_at_what_is_no_number() {
        let (recipe, [a, b]) = small();
        let mut gan = CycleGan::new(&recipe, 7);
        let error = gan.step(&(a * f32::NAN), &b, 3).unwrap_err().to_string();
        assert!(error.starts_with("step 3: the generators' loss is NaN; training stops."), "{error}");
    }

    #[test]
    fn the_discriminators_learn_nothing_from_the_generators_turn() {
        let (recipe, [a, b]) = small();
        let gan = CycleGan::new(&recipe, 8);
        gan.discriminators.set_trainable(false);
        let made = round(&gan.generators, &gan.discriminators, &a, &b, &recipe);
        gan.discriminators.set_trainable(true);
        made.loss.backward();
        assert!(gan.discriminators.parameters().iter().all(|parameter| parameter.grad().is_none()));
        assert!(gan.generators.parameters().iter().all(|parameter| parameter.grad().is_some()));
    }
}
