//! The training loop.

use crate::data::Examples;
use crate::model::{Bengio, Shape};
use anyhow::{Result, ensure};
use autograd::{Rng, Tensor, no_grad};
use clap::{Arg, ValueEnum};
use common::{flags, profile, progress};
use nn::optim::{AdamW, AdamWOptions, Optimizer, Sgd, SgdOptions};
use nn::{Dropout, Module};
use std::time::Instant;

/// How to train.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Recipe {
    /// Steps of training (the reference calls them epochs).
    pub steps: usize,
    /// Examples in a step, drawn with replacement.
    pub batch: usize,
    /// Learning rate; the highest one, if a schedule changes it.
    pub lr: f32,
    /// What becomes of the learning rate over the steps.
    pub schedule: Schedule,
    /// How the weights follow the gradients.
    pub method: Method,
    /// Share of the embedding and of the hidden layer that dropout zeroes while training.
    pub dropout: f32,
    /// Decoupled weight decay (AdamW only).
    pub weight_decay: f32,
    /// λ0, λ1, λ2 of the penalty λ0·mean(C²) + λ1·mean(W1²) + λ2·mean(W2²).
    pub lambda: [f32; 3],
}

/// Flags that change a [`Recipe`]; each exercise has its own to start from.
#[derive(clap::Args, Clone, Debug, Default)]
pub struct RecipeFlags {
    /// Steps of training (the reference calls them epochs)
    #[arg(long, value_parser = flags::count)]
    steps: Option<usize>,

    /// Examples in a step, drawn with replacement
    #[arg(long, value_parser = flags::count)]
    batch: Option<usize>,

    /// Learning rate; the highest one, if a schedule changes it
    #[arg(long, value_parser = flags::positive::<f32>)]
    lr: Option<f32>,

    /// What becomes of the learning rate over the steps
    #[arg(long, value_enum)]
    schedule: Option<Schedule>,

    /// How the weights follow the gradients
    #[arg(long, value_enum)]
    method: Option<Method>,

    /// Share of the embedding and of the hidden layer that dropout zeroes while training
    #[arg(long, value_parser = flags::share::<f32>)]
    dropout: Option<f32>,

    /// Decoupled weight decay (AdamW only)
    #[arg(long, value_parser = flags::not_negative::<f32>)]
    weight_decay: Option<f32>,

    /// λ0,λ1,λ2 of the penalty λ0·mean(C²) + λ1·mean(W1²) + λ2·mean(W2²)
    #[arg(long, value_parser = parse_lambda, allow_hyphen_values = true, value_name = "λ0,λ1,λ2")]
    lambda: Option<[f32; 3]>,
}

impl RecipeFlags {
    /// `recipe`, but for the flags that were given.
    pub fn over(&self, recipe: Recipe) -> Recipe {
        Recipe {
            steps: self.steps.unwrap_or(recipe.steps),
            batch: self.batch.unwrap_or(recipe.batch),
            lr: self.lr.unwrap_or(recipe.lr),
            schedule: self.schedule.unwrap_or(recipe.schedule),
            method: self.method.unwrap_or(recipe.method),
            dropout: self.dropout.unwrap_or(recipe.dropout),
            weight_decay: self.weight_decay.unwrap_or(recipe.weight_decay),
            lambda: self.lambda.unwrap_or(recipe.lambda),
        }
    }
}

/// The flag, with what `shape` and `recipe` have in its place in its help.
pub fn with_default(flag: Arg, shape: Shape, recipe: Recipe) -> Arg {
    let schedule = recipe.schedule.to_possible_value().expect("no schedule is hidden");
    let method = recipe.method.to_possible_value().expect("no method is hidden");
    let default = match flag.get_id().as_str() {
        "context" => shape.context.to_string(),
        "embedding" => shape.embedding.to_string(),
        "hidden" => shape.hidden.to_string(),
        "steps" => recipe.steps.to_string(),
        "batch" => recipe.batch.to_string(),
        "lr" => recipe.lr.to_string(),
        "schedule" => schedule.get_name().to_string(),
        "method" => method.get_name().to_string(),
        "dropout" => recipe.dropout.to_string(),
        "weight_decay" => recipe.weight_decay.to_string(),
        "lambda" => recipe.lambda.map(|l| l.to_string()).join(","),
        _ => return flag,
    };
    let help = flag.get_help().map(ToString::to_string).unwrap_or_default();
    flag.help(format!("{help} [default: {default}]"))
}

fn parse_lambda(text: &str) -> Result<[f32; 3], String> {
    let values: Vec<f32> = text.split(',').map(flags::not_negative).collect::<Result<_, _>>()?;
    values.try_into().map_err(|_| "it must be three numbers with commas between them, as in 0.1,0.1,0".to_string())
}

/// What becomes of the learning rate over the steps.
#[derive(Clone, Copy, Debug, PartialEq, clap::ValueEnum)]
pub enum Schedule {
    /// Stays as it is
    Constant,
    /// Up in a tenth of the steps, then down to zero along a cosine
    OneCycle,
    /// Full for half of the steps, a tenth after that
    Step,
}

impl Schedule {
    /// The factor on the learning rate at `step` of `steps`.
    fn factor(self, step: usize, steps: usize) -> f32 {
        let progress = step as f32 / steps as f32;
        match self {
            Schedule::Constant => 1.0,
            Schedule::OneCycle if progress < 0.1 => (progress * 10.0).max(0.01),
            Schedule::OneCycle => 0.5 * (1.0 + ((progress - 0.1) / 0.9 * std::f32::consts::PI).cos()),
            Schedule::Step => {
                if progress < 0.5 {
                    1.0
                } else {
                    0.1
                }
            }
        }
    }
}

/// How the weights follow the gradients.
#[derive(Clone, Copy, Debug, PartialEq, clap::ValueEnum)]
pub enum Method {
    /// Plain gradient descent, as in the reference
    Sgd,
    /// Adam with decoupled weight decay
    AdamW,
}

/// What there is to see of a training run.
#[derive(Default)]
pub struct History {
    /// (step, loss of its batch), a few hundred of them
    pub train: Vec<(f64, f64)>,
    /// (step, loss on all development examples)
    pub dev: Vec<(f64, f64)>,
    /// For each parameter: (step, log10 of the size of an update relative to that of the values)
    pub updates: Vec<(String, Vec<(f64, f64)>)>,
    /// Seconds of training, without the evaluations
    pub seconds: f64,
}

/// What to train on, and what to watch.
#[derive(Clone, Copy)]
pub struct Sets<'a> {
    pub train: &'a Examples,
    pub dev: &'a Examples,
}

/// Trains `model`; the progress bar is called `label`.
pub fn train(model: &Bengio, sets: Sets<'_>, recipe: &Recipe, seed: u64, label: &str) -> Result<History> {
    let mut rng = Rng::seeded(seed);
    let dropout = Dropout::new(f64::from(recipe.dropout), &mut rng);
    let named = model.named_parameters();
    let mut optimiser: Box<dyn Optimizer> = match recipe.method {
        Method::Sgd => Box::new(Sgd::new(named.clone(), SgdOptions { lr: f64::from(recipe.lr), ..Default::default() })),
        Method::AdamW => {
            let (lr, weight_decay) = (f64::from(recipe.lr), f64::from(recipe.weight_decay));
            let options = AdamWOptions { lr, weight_decay, ..Default::default() };
            Box::new(AdamW::new(named.clone(), options))
        }
    };
    let every = (recipe.steps / 300).max(1);
    let dev_every = (recipe.steps / 10).max(1);
    let mut history =
        History { updates: named.iter().map(|(name, _)| (name.clone(), Vec::new())).collect(), ..Default::default() };
    let bar = progress(recipe.steps, label);

    for step in 0..recipe.steps {
        let start = Instant::now();
        let profiled = profile::step();
        let batch = sets.train.draw(recipe.batch, &mut rng);
        let logits = model.forward(&batch.x, |x| dropout.forward(&x)).logits; // [B, 27]
        let loss = logits.cross_entropy(&batch.y);
        let total = match model.penalty(recipe.lambda) {
            Some(penalty) => &loss + penalty,
            None => loss.clone(),
        };
        optimiser.zero_grad();
        total.backward();
        optimiser.set_lr(f64::from(recipe.lr * recipe.schedule.factor(step, recipe.steps)));
        let watched = step % every == 0;
        let before = watched.then(|| named.iter().map(|(_, parameter)| parameter.value().detach()).collect::<Vec<_>>());
        optimiser.step();
        drop(profiled);
        history.seconds += start.elapsed().as_secs_f64();

        if let Some(before) = before {
            let value = loss.item();
            ensure!(value.is_finite(), "the loss is {value} after {step} steps: try a smaller --lr");
            history.train.push((step as f64, f64::from(value)));
            for ((_, parameter), (before, (_, ratios))) in named.iter().zip(before.iter().zip(&mut history.updates)) {
                let change = spread(&(parameter.value().detach() - before));
                ratios.push((step as f64, (change / spread(before)).max(1e-12).log10()));
            }
            bar.set_message(format!("loss {value:.4}"));
        }
        if (step + 1) % dev_every == 0 {
            history.dev.push((step as f64 + 1.0, evaluate(model, sets.dev)));
        }
        bar.inc(1);
    }
    bar.finish();
    Ok(history)
}

/// The standard deviation around zero.
fn spread(x: &Tensor) -> f64 {
    f64::from(x.square().mean(..).item()).sqrt().max(1e-12)
}

/// The mean loss over all of `examples`, without dropout.
pub fn evaluate(model: &Bengio, examples: &Examples) -> f64 {
    const BATCH: usize = 8192;
    no_grad(|| {
        let (x, y) = (examples.x.split(BATCH, 0), examples.y.split(BATCH, 0));
        let total: f64 = x
            .iter()
            .zip(&y)
            .map(|(x, y)| {
                let logits = model.forward(x, |x| x).logits;
                f64::from(logits.cross_entropy(y).item()) * y.count() as f64
            })
            .sum();
        total / examples.len() as f64
    })
}
