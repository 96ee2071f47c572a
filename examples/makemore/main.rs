//! makemore: a neural probabilistic language model of names (Bengio et al. 2003), and three exercises.
//!
//! `cargo run --example makemore` is a short tour of all three; `-- tune`, `-- init` and `-- direct` go
//! into each, `--data names.txt` takes real names. See the chapter in docs/.

#[path = "../common/mod.rs"]
mod common;
mod data;
mod depth;
mod direct;
mod init;
mod model;
mod report;
mod train;
mod tune;

use anyhow::Result;
use clap::{Args, FromArgMatches, Parser, Subcommand};
use common::Common;
use data::Splits;
use direct::Direct;
use init::Init;
use model::Shape;
use report::Outcome;
use std::path::PathBuf;
use train::Recipe;
use tune::Tune;

/// A language model of names (Bengio et al. 2003), and three exercises with it
#[derive(Parser, Debug)]
struct Cli {
    #[command(flatten)]
    common: Common,

    /// A file with a name in each line, instead of the 3,007 English first names that come with the example
    #[arg(long, global = true, value_name = "FILE")]
    data: Option<PathBuf>,

    /// Seed of the split into names to train on, to develop with and to test on (as Python's random.seed)
    #[arg(long, global = true, default_value_t = 42)]
    split_seed: u32,

    #[command(subcommand)]
    exercise: Option<Exercise>,
}

#[derive(Subcommand, Debug)]
enum Exercise {
    Tune(Tune),
    Init(Init),
    Direct(Direct),
}

/// The flags of an exercise as they stand when none is given.
fn defaults<A: Args + FromArgMatches>() -> A {
    let matches = A::augment_args(clap::Command::new("defaults")).get_matches_from(["defaults"]);
    A::from_arg_matches(&matches).expect("every flag has a default")
}

fn main() -> Result<()> {
    let cli = Cli::parse();
    let out = cli.common.out_dir("makemore")?;
    let names = match &cli.data {
        Some(path) => data::read_names(path)?,
        None => data::embedded_names(),
    };
    let splits = Splits::new(names, cli.split_seed);
    println!("{} names to train on, {} to develop with, {} to test on", splits.train.len(), splits.dev.len(), splits.test.len());

    let seed = cli.common.seed;
    let quick = cli.common.quick;
    let shorter = |recipe: Recipe| if quick { Recipe { steps: recipe.steps.min(60), batch: 128, ..recipe } } else { recipe };
    let outcome = match cli.exercise {
        Some(Exercise::Tune(tune)) => tune::run(&Tune { recipe: shorter(tune.recipe), ..tune }, &splits, seed, &out)?,
        Some(Exercise::Init(init)) => init::run(&Init { recipe: shorter(init.recipe), ..init }, &splits, seed, &out)?,
        Some(Exercise::Direct(direct)) => direct::run(&Direct { recipe: shorter(direct.recipe), ..direct }, &splits, seed, &out)?,
        None => tour(&splits, seed, quick, &out)?,
    };
    println!("result dev_loss={:.4} test_loss={:.4} seconds={:.1}", outcome.dev, outcome.test, outcome.seconds);
    Ok(())
}

/// All three exercises, briefly.
fn tour(splits: &Splits, seed: u64, quick: bool, out: &std::path::Path) -> Result<Outcome> {
    let shorter = |recipe: Recipe, steps: usize| {
        let (steps, batch) = if quick { (40, 64) } else { (steps, 256) };
        Recipe { steps, batch, ..recipe }
    };
    println!("\n1. What the network looks like before it has learnt anything, and why that matters (init)\n");
    let init: Init = defaults();
    init::run(&Init { recipe: shorter(init.recipe.clone(), 600), ..init }, splits, seed, out)?;
    println!("\n2. Direct connections from embedding to output, with and without (direct)\n");
    let direct: Direct = defaults();
    direct::run(&Direct { recipe: shorter(direct.recipe.clone(), 1500), compare: true, ..direct }, splits, seed, out)?;
    println!("\n3. A longer context and a recipe that was tuned (tune)\n");
    let tune: Tune = defaults();
    let shape = Shape { hidden: 200, ..tune.shape };
    tune::run(&Tune { recipe: shorter(tune.recipe.clone(), 3000), shape, ..tune }, splits, seed, out)
}
