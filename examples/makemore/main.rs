//! makemore: a neural probabilistic language model of names (Bengio et al. 2003), and three exercises.
//!
//! `cargo run --example makemore` is a short tour of all three; `-- tune`, `-- init` and `-- direct` go
//! into each, `--data names.txt` takes real names. See the chapter in docs/.

mod data;
mod depth;
mod direct;
mod init;
mod model;
mod report;
mod train;
mod tune;

use anyhow::{Context, Result};
use clap::{Parser, Subcommand};
use common::{Common, flags};
use data::Splits;
use direct::Direct;
use init::Init;
use report::{Outcome, Run};
use std::path::PathBuf;
use std::time::Instant;
use tune::Tune;

/// A language model of names (Bengio et al. 2003), and three exercises with it
#[derive(Parser, Debug)]
#[command(after_help = AFTER_HELP)]
struct Cli {
    #[command(flatten)]
    common: Common,

    /// A file with a name in each line, instead of the 3,007 English first names that come with the example
    #[arg(long, global = true, value_name = "FILE", value_parser = flags::existing)]
    data: Option<PathBuf>,

    /// Seed of the split into names to train on, to develop with and to test on (as Python's random.seed)
    #[arg(long, global = true, default_value_t = 42)]
    split_seed: u32,

    #[command(subcommand)]
    exercise: Option<Exercise>,
}

const AFTER_HELP: &str = "Without a command: a short tour of all three, of some seconds each.
A command has the flags of its training, such as --steps, --batch and --lr: see `direct --help`.";

#[derive(Subcommand, Debug)]
enum Exercise {
    Tune(Tune),
    Init(Init),
    Direct(Direct),
}

fn main() -> Result<()> {
    let cli = common::begin();
    autograd::on_pool(|| example(cli))
}

fn example(cli: Cli) -> Result<()> {
    let out = cli.common.out_dir("makemore")?;
    let _profiling = cli.common.profiling(&out);
    let names = match &cli.data {
        Some(path) => data::read_names(path)?,
        None => data::embedded_names(),
    };
    let splits = Splits::new(names, cli.split_seed);
    let counts = [&splits.train, &splits.dev, &splits.test].map(Vec::len);
    println!("{} names to train on, {} to develop with, {} to test on", counts[0], counts[1], counts[2]);

    let run = Run { seed: cli.common.seed, out, limit: cli.common.quick.then_some((40, 64)) };
    let outcome = match &cli.exercise {
        Some(Exercise::Tune(tune)) => tune::run(tune, &splits, &run)?,
        Some(Exercise::Init(init)) => init::run(init, &splits, &run)?,
        Some(Exercise::Direct(direct)) => direct::run(direct, &splits, &run)?,
        None => tour(&splits, &run)?,
    };
    println!("result dev_loss={:.4} test_loss={:.4} seconds={:.1}", outcome.dev, outcome.test, outcome.seconds);
    Ok(())
}

/// All three exercises, briefly.
fn tour(splits: &Splits, run: &Run) -> Result<Outcome> {
    let start = Instant::now();
    // A folder for each, so that all pictures and weights are there in the end.
    let within = |exercise, steps, batch| -> Result<Run> {
        let out = run.out.join(exercise);
        std::fs::create_dir_all(&out).with_context(|| format!("cannot make the output folder {}", out.display()))?;
        Ok(Run { limit: run.limit.or(Some((steps, batch))), out, ..run.clone() })
    };
    println!("\n1. What the network looks like before it has learnt anything, and why that matters (init)\n");
    init::run(&Init::default(), splits, &within("init", 500, 256)?)?;
    println!("\n2. Direct connections from embedding to output, with and without (direct)\n");
    direct::run(&Direct { compare: true, ..Direct::default() }, splits, &within("direct", 1_000, 512)?)?;
    println!("\n3. A longer context, and a recipe that was tuned (tune)\n");
    let outcome = tune::run(&Tune::default(), splits, &within("tune", 2_000, 256)?)?;
    Ok(Outcome { seconds: start.elapsed().as_secs_f64(), ..outcome })
}
