//! Exercise 3: direct connections from the embedding to the output (Bengio et al., section 2).

use crate::common::plot::{Labels, Panel, Series, save};
use crate::data::{Examples, Splits};
use crate::model::{Bengio, Shape, Start};
use crate::report::{Outcome, finish};
use crate::train::{Recipe, evaluate, train};
use anyhow::Result;
use autograd::Rng;
use std::path::Path;
use std::time::Instant;

/// Train with direct connections W3 from the embedding to the output, and (--compare) without
#[derive(clap::Args, Clone, Debug)]
pub struct Direct {
    /// Train the same network without the direct connections, too
    #[arg(long)]
    pub compare: bool,

    #[command(flatten)]
    pub shape: Shape,

    #[command(flatten)]
    pub recipe: Recipe,
}

/// Trains the network with W3 and, for comparison, from the same start without.
pub fn run(direct: &Direct, splits: &Splits, seed: u64, out: &Path) -> Result<Outcome> {
    let start = Instant::now();
    let (train_set, dev) = (Examples::new(&splits.train, direct.shape.context), Examples::new(&splits.dev, direct.shape.context));
    println!("{} / {} examples to train and develop on", train_set.len(), dev.len());
    let network = |with_w3| Bengio::new(direct.shape, Start::Kaiming, with_w3, &mut Rng::seeded(seed));
    let model = network(true);
    let history = train(&model, &train_set, &dev, &direct.recipe, seed, "with W3")?;
    let outcome = finish(&model, splits, &history, start, out)?;
    if direct.compare {
        let without = network(false);
        let plain = train(&without, &train_set, &dev, &direct.recipe, seed, "without W3")?;
        println!("development loss with W3 {:.4}, without {:.4}", outcome.dev, evaluate(&without, &dev));
        let lines = [
            Series { label: "with W3", points: history.dev },
            Series { label: "without W3", points: plain.dev },
        ];
        let labels = Labels { title: "Direct connections", x: "step", y: "development loss" };
        save(&out.join("direct.png"), "", 1, vec![Panel::lines(labels, &lines)])?;
    }
    Ok(outcome)
}
