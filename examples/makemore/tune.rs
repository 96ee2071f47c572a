//! Exercise 1: tune the hyperparameters to beat a development loss of 2.2.

use crate::data::{Examples, Splits};
use crate::model::{Bengio, Shape, ShapeFlags, Start};
use crate::report::{Outcome, Run, finish};
use crate::train::{History, Method, Recipe, RecipeFlags, Schedule, Sets, evaluate, train, with_default};
use anyhow::Result;
use autograd::Rng;
use common::plot::{Labels, Panel, Series, save};
use nn::Module;
use std::time::Instant;

/// Tune the hyperparameters: train the best recipe found, or sweep over each choice
#[derive(clap::Args, Clone, Debug, Default)]
#[command(mut_args(|flag| with_default(flag, SHAPE, RECIPE)))]
pub struct Tune {
    /// Train a short run for several values of each choice, and draw what each does
    #[arg(long)]
    pub sweep: bool,

    #[command(flatten)]
    pub shape: ShapeFlags,

    #[command(flatten)]
    pub recipe: RecipeFlags,
}

// ANCHOR: recipe
/// The best network that the sweeps led to.
pub const SHAPE: Shape = Shape { context: 8, embedding: 24, hidden: 300 };
/// And how it is trained.
pub const RECIPE: Recipe = Recipe {
    steps: 10_000,
    batch: 512,
    lr: 0.01,
    schedule: Schedule::OneCycle,
    method: Method::AdamW,
    dropout: 0.2,
    weight_decay: 0.05,
    lambda: [0.0; 3],
};
// ANCHOR_END: recipe

/// Trains one network, and reports on it.
pub fn run(tune: &Tune, splits: &Splits, run: &Run) -> Result<Outcome> {
    let (shape, recipe) = (tune.shape.over(SHAPE), tune.recipe.over(run.shortened(RECIPE)));
    if tune.sweep {
        sweep(shape, recipe, splits, run)?;
    }
    let start = Instant::now();
    let (train_set, dev) = (Examples::new(&splits.train, shape.context), Examples::new(&splits.dev, shape.context));
    println!("{} / {} examples to train and develop on", train_set.len(), dev.len());
    let model = Bengio::new(shape, Start::Kaiming, true, &mut Rng::seeded(run.seed));
    println!("{}", model.summary());
    let history = train(&model, Sets { train: &train_set, dev: &dev }, &recipe, run.seed, "training")?;
    finish(&model, splits, &history, start, &run.out)
}

/// One value of one choice, and what came of it.
struct Trial {
    name: String,
    history: History,
    dev: f64,
}

/// Changes one choice at a time, from a short run of the recipe, and draws the results.
fn sweep(shape: Shape, recipe: Recipe, splits: &Splits, run: &Run) -> Result<()> {
    let base = Recipe { steps: (recipe.steps / 10).max(10), ..recipe };
    let same = |recipe: Recipe| (shape, recipe);
    let choices: Vec<(&str, Vec<(String, (Shape, Recipe))>)> = vec![
        (
            "hidden size",
            [25, 50, 100, 200, 400].map(|hidden| (hidden.to_string(), (Shape { hidden, ..shape }, base))).into(),
        ),
        (
            "embedding size",
            [2, 5, 10, 24, 50].map(|embedding| (embedding.to_string(), (Shape { embedding, ..shape }, base))).into(),
        ),
        ("context", [1, 2, 3, 5, 8].map(|context| (context.to_string(), (Shape { context, ..shape }, base))).into()),
        (
            "learning rate",
            [0.001, 0.003, 0.01, 0.03, 0.1].map(|lr| (lr.to_string(), same(Recipe { lr, ..base }))).into(),
        ),
        ("batch", [64, 256, 1024, 4096].map(|batch| (batch.to_string(), same(Recipe { batch, ..base }))).into()),
        (
            "schedule",
            [("constant", Schedule::Constant), ("step", Schedule::Step), ("one cycle", Schedule::OneCycle)]
                .map(|(name, schedule)| (name.to_string(), same(Recipe { schedule, ..base })))
                .into(),
        ),
        (
            "optimiser",
            [("SGD at 0.1", Method::Sgd, 0.1), ("SGD at 1", Method::Sgd, 1.0), ("AdamW", Method::AdamW, base.lr)]
                .map(|(name, method, lr)| (name.to_string(), same(Recipe { method, lr, ..base })))
                .into(),
        ),
        ("dropout", [0.0, 0.1, 0.2, 0.4].map(|dropout| (dropout.to_string(), same(Recipe { dropout, ..base }))).into()),
        ("penalty λ", [0.0, 0.01, 0.1, 1.0].map(|l| (l.to_string(), same(Recipe { lambda: [l; 3], ..base }))).into()),
    ];
    let (mut bars, mut curves) = (Vec::new(), Vec::new());
    for (choice, values) in choices {
        let mut trials = Vec::new();
        for (name, (shape, recipe)) in values {
            let (train_set, dev) =
                (Examples::new(&splits.train, shape.context), Examples::new(&splits.dev, shape.context));
            let model = Bengio::new(shape, Start::Kaiming, true, &mut Rng::seeded(run.seed));
            let sets = Sets { train: &train_set, dev: &dev };
            let history = train(&model, sets, &recipe, run.seed, &format!("{choice} {name}"))?;
            let dev = evaluate(&model, &dev);
            println!("{choice:>16} {name:>12}  dev loss {dev:.4}  {:.1} s", history.seconds);
            trials.push(Trial { name, history, dev });
        }
        // From 2, so that the bars differ to the eye.
        let results: Vec<_> = trials.iter().map(|trial| (trial.name.clone(), trial.dev - 2.0)).collect();
        bars.push(Panel::bars(Labels { title: choice, x: "", y: "development loss − 2" }, &results));
        let lines: Vec<_> =
            trials.iter().map(|trial| Series { label: &trial.name, points: trial.history.dev.clone() }).collect();
        curves.push(Panel::lines(Labels { title: choice, x: "step", y: "development loss" }, &lines));
    }
    save(&run.out.join("sweep.png"), "What each choice does, one at a time", 3, bars)?;
    save(&run.out.join("sweep_curves.png"), "What each choice does, step by step", 3, curves)
}
