//! Exercise 3: direct connections from the embedding to the output (Bengio et al., section 2).

use crate::data::{Examples, Splits};
use crate::model::{Bengio, Shape, ShapeFlags, Start};
use crate::report::{Outcome, Run, finish};
use crate::train::{Method, Recipe, RecipeFlags, Schedule, Sets, evaluate, train, with_default};
use anyhow::Result;
use autograd::Rng;
use common::plot::{Labels, Panel, Series, save};
use std::time::Instant;

/// Train with direct connections W3 from the embedding to the output, and (--compare) without
#[derive(clap::Args, Clone, Debug, Default)]
#[command(mut_args(|flag| with_default(flag, SHAPE, RECIPE)))]
pub struct Direct {
    /// Train the same network without the direct connections, too
    #[arg(long)]
    pub compare: bool,

    #[command(flatten)]
    pub shape: ShapeFlags,

    #[command(flatten)]
    pub recipe: RecipeFlags,
}

/// The reference's network.
pub const SHAPE: Shape = Shape { context: 3, embedding: 50, hidden: 100 };
/// A recipe that gets it where the reference got in two hours.
pub const RECIPE: Recipe = Recipe {
    steps: 4_000,
    batch: 1024,
    lr: 0.01,
    schedule: Schedule::OneCycle,
    method: Method::AdamW,
    dropout: 0.0,
    weight_decay: 0.05,
    lambda: [0.0; 3],
};

/// Trains the network with W3 and, for comparison, from the same start without.
pub fn run(direct: &Direct, splits: &Splits, run: &Run) -> Result<Outcome> {
    let (shape, recipe) = (direct.shape.over(SHAPE), direct.recipe.over(run.shortened(RECIPE)));
    let start = Instant::now();
    let (train_set, dev) = (Examples::new(&splits.train, shape.context), Examples::new(&splits.dev, shape.context));
    let sets = Sets { train: &train_set, dev: &dev };
    println!("{} / {} examples to train and develop on", train_set.len(), dev.len());
    let network = |with_w3| Bengio::new(shape, Start::Kaiming, with_w3, &mut Rng::seeded(run.seed));
    let model = network(true);
    let history = train(&model, sets, &recipe, run.seed, "with W3")?;
    let outcome = finish(&model, splits, &history, start, &run.out)?;
    if direct.compare {
        let without = network(false);
        let plain = train(&without, sets, &recipe, run.seed, "without W3")?;
        println!("development loss with W3 {:.4}, without {:.4}", outcome.dev, evaluate(&without, &dev));
        let lines =
            [Series { label: "with W3", points: history.dev }, Series { label: "without W3", points: plain.dev }];
        let labels = Labels { title: "Direct connections", x: "step", y: "development loss" };
        save(&run.out.join("direct.png"), "", 1, vec![Panel::lines(labels, &lines)])?;
        println!("direct.png, which compares them, is there too");
    }
    Ok(outcome)
}
