//! Which digit is it? A small convolutional network reads handwriting, and later judges what the GANs paint.
//!
//! `cargo run --example digits` learns from 1,497 real digits that come with it; `-- --data DIR` takes MNIST.
//! The network and its training are in `examples/common/reader`, where the GANs find their judge.

mod report;

use anyhow::Result;
use clap::Parser;
use common::Common;
use common::digits::Data;
use common::reader::train::{self, Recipe};
use nn::checkpoint::save_module;
use std::time::Instant;

/// Four convolutions, two poolings, two linear layers
#[derive(Parser, Debug)]
struct Cli {
    #[command(flatten)]
    common: Common,

    #[command(flatten)]
    data: Data,

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
    let out = cli.common.out_dir("digits")?;
    let _profiling = cli.common.profiling(&out);
    let mut data = cli.data.load()?;
    if cli.common.quick {
        data.train.truncate(512);
    }
    println!("{} images to learn from, {} to judge by", data.train.len(), data.test.len());
    let start = Instant::now();
    let checkpoint = out.join("checkpoint.safetensors");
    let (reader, history) = train::run(&cli.recipe, &data, cli.common.seed, Some((&checkpoint, cli.resume)))?;
    let accuracy = reader.accuracy(&data.test);
    let seconds = start.elapsed().as_secs_f64();
    report::report(&reader, &history, &data.test, &out)?;
    let weights = out.join("model.safetensors");
    save_module(&reader, &weights)?;
    println!("\nthe weights are in {}, pictures beside them", weights.display());
    println!("result accuracy={accuracy:.4} seconds={seconds:.1}");
    Ok(())
}
