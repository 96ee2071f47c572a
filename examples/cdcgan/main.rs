//! Paint me a seven: a conditional DCGAN (Mirza and Osindero 2014; Radford, Metz and Chintala 2015).
//!
//! `cargo run --example cdcgan` learns from 1,497 real digits that come with it; `-- --data DIR` takes MNIST, and
//! `-- --generate 2026` paints these digits with the weights in the output folder.

mod networks;
mod report;
#[cfg(test)]
mod tests;
mod train;

use anyhow::{Context, Result, ensure};
use autograd::{Rng, Tensor};
use clap::Parser;
use common::Common;
use common::digits::Data;
use common::judge::{Judge, judge};
use networks::CLASSES;
use nn::checkpoint::{load_module, save_module};
use nn::data::LabelledImages;
use report::Frames;
use std::path::Path;
use std::time::Instant;
use train::{Gan, Recipe};

/// Images that the judge reads.
const JUDGED: usize = 10_000;

/// A generator that paints the digit it is told to, and a discriminator that tells its paintings from real ones
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

    /// Paint these digits, eight times each, with the weights in the output folder, and do not train
    #[arg(long, value_name = "DIGITS")]
    generate: Option<String>,

    #[command(flatten)]
    recipe: Recipe,
}

fn main() -> Result<()> {
    let cli = common::begin();
    autograd::on_pool(|| example(cli))
}

fn example(cli: Cli) -> Result<()> {
    let out = cli.common.out_dir("cdcgan")?;
    let mut gan = Gan::new(&cli.recipe, cli.common.seed);
    if let Some(digits) = &cli.generate {
        return generate(&gan, digits, cli.recipe.z, cli.common.seed, &out);
    }
    let mut data = cli.data.load()?;
    let (recipe, mut judged) = (&cli.recipe, JUDGED);
    if cli.common.quick {
        judged = 200;
        data.train.truncate(256);
    }
    let checkpoint = out.join("checkpoint.safetensors");
    let terms = recipe.terms(data.train.len(), cli.common.seed);
    if cli.resume {
        gan.load(&checkpoint, &terms)?;
        println!("going on after epoch {}", gan.history.len());
    }
    let set = if cli.data.folder.is_some() { "mnist" } else { "small" };
    let reader = cli.judge.reader(&data, set, &out, cli.common.quick)?;
    let _profiling = cli.common.profiling(&out);

    println!("{} images to learn from", data.train.len());
    let start = Instant::now();
    let mut frames = Frames::new(cli.recipe.z, &out)?;
    train::run(&mut gan, recipe, &data.train, cli.common.seed, |gan| {
        frames.add(gan)?;
        gan.save(&checkpoint, &terms)
    })?;
    let seconds = start.elapsed().as_secs_f64();
    frames.save()?;

    // As many of each digit.
    let labels = Tensor::from_fn([judged], |i| (i % CLASSES) as i64);
    let mut rng = Rng::seeded(cli.common.seed).stream(1);
    let painted: Vec<Tensor> = (0..judged)
        .step_by(500)
        .map(|start| {
            let labels = labels.narrow(0, start, 500.min(judged - start));
            gan.paint(&Tensor::randn([labels.count(), recipe.z], &mut rng), &labels)
        })
        .collect();
    let images = Tensor::cat(&painted.iter().collect::<Vec<_>>(), 0); // [judged, 1, 28, 28]
    let verdict = judge(&reader, &LabelledImages { images, labels }, &data.test);
    report::curves(&gan.history, &out)?;
    save_module(&*gan.average, &out.join("generator.safetensors"))?;
    save_module(&gan.discriminator, &out.join("discriminator.safetensors"))?;
    println!(
        "\nof {judged} painted digits the judge, who reads {:.2} % of the real test images right, reads {:.2} % as what \
         they were meant to be; Fréchet distance {:.2}, between two halves of the real test set {:.2}",
        100.0 * verdict.accuracy_on_real,
        100.0 * verdict.accuracy,
        verdict.frechet,
        verdict.frechet_of_real
    );
    println!("weights and pictures are in {}", out.display());
    println!(
        "result judged_accuracy={:.4} frechet={:.3} frechet_real={:.3} seconds={seconds:.1}",
        verdict.accuracy, verdict.frechet, verdict.frechet_of_real
    );
    Ok(())
}

/// Paints each of these digits eight times.
fn generate(gan: &Gan, digits: &str, z: usize, seed: u64, out: &Path) -> Result<()> {
    const TIMES: usize = 8;
    let wanted: Vec<i64> = digits
        .chars()
        .map(|c| c.to_digit(10).map(i64::from).with_context(|| format!("--generate {digits}: {c:?} is no digit")))
        .collect::<Result<_>>()?;
    ensure!(!wanted.is_empty(), "--generate: no digits");
    let weights = out.join("generator.safetensors");
    load_module(&*gan.average, &weights)
        .context("cannot paint without a generator; train one first, without --generate and with the same --z")?;
    let labels: Vec<i64> = (0..TIMES).flat_map(|_| wanted.iter().copied()).collect();
    let labels = Tensor::from_slice(&labels, labels.len());
    let noise = Tensor::randn([labels.count(), z], &mut Rng::seeded(seed));
    let path = out.join("generated.png");
    report::save_grid(&gan.paint(&noise, &labels), wanted.len(), &path)?;
    println!("{} has each of {digits} {TIMES} times, a row for each time", path.display());
    Ok(())
}
