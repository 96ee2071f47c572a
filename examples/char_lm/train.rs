//! Training by backpropagation through time, truncated: the text is cut into as many streams as the batch has rows,
//! read side by side in windows. Gradients flow back to the window's start; the state itself goes on into the next
//! window, so the model has read all that stands before.

use crate::data::Data;
use crate::language_model::Perplexity;
use crate::model::CharLstm;
use anyhow::{Context, Result, ensure};
use autograd::{Rng, Tensor};
use common::resume::Terms;
use common::{flags, letters, profile, progress, say};
use nn::Module;
use nn::checkpoint::Checkpoint;
use nn::optim::{AdamW, AdamWOptions, OneCycleLr, Optimizer, Schedule, clip_grad_norm};
use std::path::Path;

/// Sizes and training.
#[derive(clap::Args, Clone, Debug)]
pub struct Recipe {
    /// Numbers that stand for a character
    #[arg(long, default_value_t = 64, value_parser = flags::count)]
    pub embedding: usize,

    /// Hidden units of the LSTM
    #[arg(long, default_value_t = 256, value_parser = flags::count)]
    pub hidden: usize,

    /// Passes over the text (with --quick 1)
    #[arg(long, default_value_t = 10, default_value_if("quick", "true", "1"), value_parser = flags::count)]
    pub epochs: usize,

    /// Streams that are read side by side
    #[arg(long, default_value_t = 16, value_parser = flags::count)]
    pub batch: usize,

    /// Characters in a window: how far gradients flow back
    #[arg(long, default_value_t = 32, value_parser = flags::count)]
    pub window: usize,

    /// The highest learning rate of the one-cycle schedule
    #[arg(long, default_value_t = 5e-3, value_parser = flags::positive::<f64>)]
    pub lr: f64,

    /// Share of embeddings and hidden states that dropout zeroes
    #[arg(long, default_value_t = 0.2, value_parser = flags::share::<f64>)]
    pub dropout: f64,

    /// Decoupled weight decay
    #[arg(long, default_value_t = 1e-2, value_parser = flags::not_negative::<f64>)]
    pub weight_decay: f64,
}

impl Recipe {
    /// What a resumed training on so many characters must share with the run that it goes on with.
    fn terms(&self, characters: usize, seed: u64) -> Terms {
        let terms = Terms::on(characters, "characters to learn from").scheduled(self.epochs);
        let terms = terms.flag("--embedding", self.embedding).flag("--hidden", self.hidden);
        let terms = terms.flag("--batch", self.batch).flag("--window", self.window).flag("--lr", self.lr);
        terms.flag("--dropout", self.dropout).flag("--weight-decay", self.weight_decay).flag("--seed", seed)
    }
}

/// A model, and what was measured on the way: after each epoch.
pub struct Trained {
    pub model: CharLstm,
    /// The mean of the training loss over an epoch.
    pub losses: Vec<f64>,
    /// Perplexity on the last 5 % of the text.
    pub held_out: Vec<f64>,
}

/// Trains a model from this seed, from the beginning or from where the checkpoint stands.
pub fn run(recipe: &Recipe, data: &Data, seed: u64, checkpoint: &Path, resume: bool) -> Result<Trained> {
    let Recipe { batch, window, .. } = *recipe;
    let mut rng = Rng::seeded(seed);
    let model = CharLstm::new(recipe, &mut rng);
    let options = AdamWOptions { lr: recipe.lr, weight_decay: recipe.weight_decay, ..Default::default() };
    let mut adam = AdamW::new(model.named_parameters(), options);
    let steps = (data.train.len() / batch).saturating_sub(1) / window;
    ensure!(steps > 0, "{} characters are not enough for {batch} streams of {window}", data.train.len());
    let schedule = OneCycleLr { cycle_momentum: false, ..OneCycleLr::new(recipe.lr, recipe.epochs * steps) };
    let terms = recipe.terms(data.train.len(), seed);
    let mut trained = Trained { model, losses: Vec::new(), held_out: Vec::new() };
    if resume && checkpoint.exists() {
        load(&mut trained, &mut adam, &mut rng, checkpoint, &terms)?;
        // With several seeds the others may have epochs left, so this is no error.
        match terms.left(trained.losses.len(), recipe.epochs) {
            Ok(()) => println!("seed {seed}: goes on after epoch {}", trained.losses.len()),
            Err(done) => println!("seed {seed}: {done}"),
        }
    } else if resume {
        // Of several seeds, the run that is resumed may not have come to this one.
        println!("seed {seed}: there is no {} yet; starts anew", checkpoint.display());
    }
    let bar = progress(recipe.epochs * steps, &format!("seed {seed}"));
    bar.inc((trained.losses.len() * steps) as u64);
    for epoch in trained.losses.len()..recipe.epochs {
        let model = &trained.model;
        // Windows begin elsewhere in each epoch: they are cut from streams of the steps' length within what is there.
        let stream = data.train.len() / batch;
        let offset = rng.below((stream - steps * window) as u64) as usize;
        let rows = |start: usize| -> Tensor<i64> {
            let row = |b: usize| &data.train[b * stream + start..][..window];
            let tokens: Vec<i64> = (0..batch).flat_map(row).copied().collect();
            Tensor::from_slice(&tokens, [batch, window])
        };
        let (mut state, mut total) = (None, 0.0);
        // ANCHOR: window
        for step in 0..steps {
            let _step = profile::step();
            let start = offset + step * window;
            let (x, y) = (rows(start), rows(start + 1)); // [B, T]
            let (logits, last) = model.forward(&x, state.as_ref()); // [B, T, 27]
            let loss = logits.reshape([batch * window, letters::COUNT]).cross_entropy(&y.flatten(0));
            adam.zero_grad();
            loss.backward();
            clip_grad_norm(&model.parameters(), 1.0);
            adam.set_lr(schedule.lr_at(recipe.lr, epoch * steps + step));
            adam.step();
            // The numbers go on, gradients do not.
            state = Some(last.detach());
            total += f64::from(loss.item());
            bar.inc(1);
            bar.set_message(format!("loss {:.3}", loss.item()));
        }
        // ANCHOR_END: window
        model.eval();
        let held_out = Perplexity::of(model, &data.held_out);
        say(&bar, format!("epoch {:3}  loss {:.4}  perplexity {held_out}", epoch + 1, total / steps as f64));
        if epoch % 5 == 4 {
            say(&bar, format!("    {}", model.sample("", 70, 0.7, &mut Rng::seeded(seed))));
        }
        model.train();
        trained.losses.push(total / steps as f64);
        trained.held_out.push(held_out.value());
        save(&trained, &adam, &rng, checkpoint, &terms)?;
    }
    bar.finish_and_clear();
    trained.model.eval();
    Ok(trained)
}

/// All that it takes to go on after this epoch.
fn save(trained: &Trained, adam: &AdamW, rng: &Rng, path: &Path, terms: &Terms) -> Result<()> {
    let mut checkpoint = Checkpoint::new();
    terms.put(&mut checkpoint)?;
    checkpoint.put_module("model", &trained.model);
    checkpoint.put_state("optimizer", &adam.state());
    checkpoint.put_rng("rng", rng);
    let numbers = |values: &[f64]| values.iter().map(f64::to_string).collect::<Vec<_>>().join(" ");
    checkpoint.put_text("losses", numbers(&trained.losses));
    checkpoint.put_text("held_out", numbers(&trained.held_out));
    Ok(checkpoint.write(path)?)
}

fn load(trained: &mut Trained, adam: &mut AdamW, rng: &mut Rng, path: &Path, terms: &Terms) -> Result<()> {
    let checkpoint = terms.read(path)?;
    checkpoint.module("model", &trained.model)?;
    adam.load_state(&checkpoint.state("optimizer"))?;
    *rng = checkpoint.rng("rng")?;
    let numbers = |name: &str| -> Result<Vec<f64>> {
        let text = checkpoint.text(name).with_context(|| format!("{}: no {name:?}", path.display()))?;
        text.split_whitespace().map(|number| Ok(number.parse()?)).collect()
    };
    (trained.losses, trained.held_out) = (numbers("losses")?, numbers("held_out")?);
    Ok(())
}
