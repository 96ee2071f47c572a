//! From a neuron to layers: a lesson in six parts, each a file here, each printed as it runs.
//!
//! `cargo run --example neuron_to_layer`; the chapter is docs/src/neuron.md.

mod depth;
mod layer;
mod mlp;
mod moons;
mod neuron;
mod one_hot;
mod plane;

use anyhow::Result;
use clap::Parser;
use common::{Common, flags};
use std::time::Instant;

/// A neuron by hand, a layer of them, one-hot against embedding, two layers that separate two moons, and what
/// depth does to gradients
#[derive(Parser, Debug)]
struct Cli {
    #[command(flatten)]
    common: Common,

    /// Points of the two moons; a quarter is held out
    #[arg(long, default_value_t = 1000, value_parser = flags::at_least::<8>)]
    points: usize,

    /// How far the points stray from their moon (a standard deviation)
    #[arg(long, default_value_t = 0.15, value_parser = flags::not_negative::<f64>)]
    noise: f64,

    /// Neurons of the hidden layer
    #[arg(long, default_value_t = 8, value_parser = flags::count)]
    hidden: usize,

    /// Steps of training (with --quick 60)
    #[arg(long, default_value_t = 500, default_value_if("quick", "true", "60"), value_parser = flags::count)]
    steps: usize,

    /// Learning rate of Adam
    #[arg(long, default_value_t = 0.03, value_parser = flags::positive::<f64>)]
    lr: f64,
}

fn main() -> Result<()> {
    let cli = common::begin();
    autograd::on_pool(|| example(cli))
}

fn example(cli: Cli) -> Result<()> {
    let out = cli.common.out_dir("neuron_to_layer")?;
    let _profiling = cli.common.profiling(&out);
    let training = mlp::Training { steps: cli.steps, lr: cli.lr };
    let seed = cli.common.seed;
    let start = Instant::now();

    neuron::lesson(&out)?;
    let four = layer::lesson();
    plane::lesson(&four, &out)?;
    one_hot::lesson(seed, cli.common.quick);
    let data = moons::Moons::new(cli.points, cli.noise, seed);
    let accuracy = moons::lesson(&data, cli.hidden, training, seed, &out)?;
    depth::lesson(&data, training, cli.common.quick, seed, &out)?;

    println!("\nThe pictures and moons.safetensors are in {}", out.display());
    println!("result accuracy={accuracy:.4} seconds={:.1}", start.elapsed().as_secs_f64());
    Ok(())
}
