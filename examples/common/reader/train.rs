//! Training: one-cycle AdamW on images that are shifted a little each time.

use super::Reader;
use crate::digits::SIZE;
use crate::finite::finite;
use crate::history::{history, put_history};
use crate::resume::Terms;
use crate::{flags, profile, progress, say};
use anyhow::Result;
use autograd::Rng;
use nn::Module;
use nn::checkpoint::Checkpoint;
use nn::data::{Border, Loader, LoaderOptions, Splits, random_shift};
use nn::optim::{AdamW, AdamWOptions, OneCycleLr, Optimizer, Scheduler};
use std::path::Path;
use std::time::Instant;

/// Training.
#[derive(clap::Args, Clone, Debug)]
pub struct Recipe {
    /// Passes over the images [default: 4 of MNIST, 20 of the small set; with --quick 1]
    #[arg(long, default_value_if("quick", "true", "1"), value_parser = flags::count)]
    pub epochs: Option<usize>,

    /// Images in a step [default: 128 of MNIST, 32 of the small set]
    #[arg(long, value_parser = flags::count)]
    pub batch: Option<usize>,

    /// The highest learning rate of the one-cycle schedule
    #[arg(long, default_value_t = 6e-3, value_parser = flags::positive::<f64>)]
    pub lr: f64,

    /// Share of features that dropout zeroes
    #[arg(long, default_value_t = 0.2, value_parser = flags::share::<f64>)]
    pub dropout: f64,

    /// Pixels that an image is shifted by at the most
    #[arg(long, default_value_t = 1, value_parser = shift)]
    pub shift: usize,
}

impl Recipe {
    /// Epochs and batch for a set of so many images.
    fn sizes(&self, images: usize) -> (usize, usize) {
        let (epochs, batch) = if images > 10_000 { (4, 128) } else { (20, 32) };
        (self.epochs.unwrap_or(epochs), self.batch.unwrap_or(batch))
    }

    /// What a resumed training on so many images must share with the run that it goes on with.
    fn terms(&self, images: usize, seed: u64) -> Terms {
        let (epochs, batch) = self.sizes(images);
        let terms = Terms::on(images, "images to learn from").scheduled(epochs).flag("--batch", batch);
        terms.flag("--lr", self.lr).flag("--dropout", self.dropout).flag("--shift", self.shift).flag("--seed", seed)
    }
}

/// So many pixels that some of the image is left.
fn shift(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|&shift| shift < SIZE).ok_or_else(|| format!("it must be from 0 to {}", SIZE - 1))
}

/// What was measured in one pass.
pub struct Epoch {
    /// Cross entropy on the images to learn from, the mean.
    pub loss: f64,
    /// Share of the test images that are read right.
    pub accuracy: f64,
}

/// A reader and all that training it needs.
struct Training {
    reader: Reader,
    adam: AdamW,
    schedule: Scheduler<OneCycleLr>,
    rng: Rng,
    history: Vec<Epoch>,
}

/// Trains a reader, from `checkpoint` on if that is there and wanted; after each epoch it is written.
pub fn run(
    recipe: &Recipe,
    data: &Splits,
    seed: u64,
    checkpoint: Option<(&Path, bool)>,
) -> Result<(Reader, Vec<Epoch>)> {
    let mut rng = Rng::seeded(seed);
    let reader = Reader::new(recipe.dropout, &mut rng);
    let (epochs, batch) = recipe.sizes(data.train.len());
    let loader = Loader::new(data.train.dataset(), LoaderOptions { batch_size: batch, seed, ..Default::default() });
    let steps = epochs * loader.batches();
    let options = AdamWOptions { lr: recipe.lr, weight_decay: 1e-2, ..Default::default() };
    let mut adam = AdamW::new(reader.named_parameters(), options);
    let cycle = OneCycleLr { cycle_momentum: false, ..OneCycleLr::new(recipe.lr, steps) };
    let schedule = Scheduler::new(cycle, &mut adam);
    let mut training = Training { reader, adam, schedule, rng, history: Vec::new() };
    let terms = recipe.terms(data.train.len(), seed);
    if let Some((path, true)) = checkpoint {
        training.load(path, &terms)?;
        terms.left(training.history.len(), epochs)?;
        println!("going on after epoch {}", training.history.len());
    }
    let bar = progress(steps, "digits");
    bar.set_position((training.history.len() * loader.batches()) as u64);
    for epoch in training.history.len()..epochs {
        let Training { reader, adam, schedule, rng, history } = &mut training;
        let start = Instant::now();
        let mut total = 0.0;
        for (step, (x, y)) in loader.epoch(epoch as u64).enumerate() {
            let _step = profile::step();
            let x = random_shift(&x, recipe.shift, Border::Zero, rng); // [B, 1, 28, 28]
            let loss = || reader.forward(&x).cross_entropy(&y); // [B, 10] against [B]
            let value = loss();
            finite(&value, "the loss", epoch * loader.batches() + step, || loss().backward())?;
            adam.zero_grad();
            value.backward();
            adam.step();
            schedule.step(adam);
            total += f64::from(value.item());
            bar.inc(1);
        }
        let (loss, seconds) = (total / loader.batches() as f64, start.elapsed().as_secs_f64());
        let accuracy = reader.accuracy(&data.test);
        say(&bar, format!("epoch {:3}  loss {loss:.4}  test accuracy {accuracy:.4}  {seconds:.1} s", epoch + 1));
        history.push(Epoch { loss, accuracy });
        if let Some((path, _)) = checkpoint {
            training.save(path, &terms)?;
        }
    }
    bar.finish_and_clear();
    Ok((training.reader, training.history))
}

impl Training {
    fn save(&self, path: &Path, terms: &Terms) -> Result<()> {
        let mut checkpoint = Checkpoint::new();
        terms.put(&mut checkpoint)?;
        checkpoint.put_module("model", &self.reader);
        checkpoint.put_state("optimizer", &self.adam.state());
        checkpoint.put_state("scheduler", &self.schedule.state());
        checkpoint.put_rng("rng", &self.rng);
        put_history(&mut checkpoint, self.history.iter().map(|epoch| [epoch.loss, epoch.accuracy]))?;
        Ok(checkpoint.write(path)?)
    }

    fn load(&mut self, path: &Path, terms: &Terms) -> Result<()> {
        let checkpoint = terms.read(path)?;
        checkpoint.module("model", &self.reader)?;
        self.adam.load_state(&checkpoint.state("optimizer"))?;
        self.schedule.load_state(&checkpoint.state("scheduler"), &mut self.adam)?;
        self.rng = checkpoint.rng("rng")?;
        let epochs = history(&checkpoint, path)?;
        self.history = epochs.into_iter().map(|[loss, accuracy]| Epoch { loss, accuracy }).collect();
        Ok(())
    }
}
