//! From plain to bold and back, without a single pair to learn from: CycleGAN (Zhu, Park, Isola and Efros 2017).
//!
//! `cargo run --example cyclegan` learns from 1,497 real digits that come with it; `-- --data DIR` takes MNIST.

mod buffer;
mod measure;
mod networks;
mod report;
mod sides;
mod train;

use anyhow::Result;
use clap::Parser;
use common::Common;
use common::digits::Data;
use common::judge::Judge;
use measure::Journey;
use nn::checkpoint::save_module;
use std::time::Instant;
use train::{CycleGan, Recipe};

/// Test images that are translated after each epoch, to see how far training is.
const PROBED: usize = 200;

/// Two generators translate between two kinds of images, and each undoes what the other does
#[derive(Parser, Debug)]
struct Cli {
    #[command(flatten)]
    common: Common,

    #[command(flatten)]
    data: Data,

    #[command(flatten)]
    judge: Judge,

    /// Go on from the checkpoint in the output folder
    #[arg(long)]
    resume: bool,

    #[command(flatten)]
    recipe: Recipe,
}

fn main() -> Result<()> {
    let cli = common::begin();
    autograd::on_pool(|| example(cli))
}

fn example(cli: Cli) -> Result<()> {
    let out = cli.common.out_dir("cyclegan")?;
    let mut data = cli.data.load()?;
    let recipe = &cli.recipe;
    if cli.common.quick {
        data.train.truncate(256);
        data.test.truncate(100);
    }
    let sides = recipe.side.sides(&data.train.images, recipe.radius);
    let mut gan = CycleGan::new(recipe, cli.common.seed);
    let checkpoint = out.join("checkpoint.safetensors");
    let terms = recipe.terms(sides[0].size(0), cli.common.seed);
    if cli.resume {
        gan.load(&checkpoint, &terms)?;
    }
    let set = if cli.data.folder.is_some() { "mnist" } else { "small" };
    let reader = cli.judge.reader(&data, set, &out, cli.common.quick)?;
    let _profiling = cli.common.profiling(&out);

    let names = recipe.side.names();
    println!("{} digits are {}, {} others are {}", sides[0].size(0), names[0], sides[1].size(0), names[1]);
    // To measure only: each test digit on both sides.
    let test = [data.test.images.clone(), recipe.side.of(&data.test.images, recipe.radius)];
    let probe = [0, 1].map(|side| test[side].narrow(0, 0, PROBED.min(data.test.len())));

    let start = Instant::now();
    train::run(&mut gan, &sides, &probe, cli.common.seed, |gan| gan.save(&checkpoint, &terms))?;
    let seconds = start.elapsed().as_secs_f64();

    let journeys = Journey::both(&test, &gan.generators);
    let measured = [0, 1].map(|way: usize| journeys[way].measure(&reader, &data.test.labels));
    report::table(&measured, names);
    report::strips(&journeys, names, &out.join("strips.png"))?;
    report::curves(&gan.history, measured[0].off_real, names, &out)?;
    save_module(&gan.generators, &out.join("generators.safetensors"))?;
    save_module(&gan.discriminators, &out.join("discriminators.safetensors"))?;
    println!("weights and pictures are in {}", out.display());
    let [ab, ba] = measured;
    println!(
        "result judged_ab={:.4} judged_ba={:.4} cycle_error={:.4} off_ab={:.4} off_ba={:.4} off_untouched={:.4} \
         seconds={seconds:.1}",
        ab.judged_fake,
        ba.judged_fake,
        (ab.cycle_error + ba.cycle_error) / 2.0,
        ab.off_fake,
        ba.off_fake,
        ab.off_real
    );
    Ok(())
}
