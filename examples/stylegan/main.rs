//! Style: a generator that is told at every layer what to paint (StyleGAN; Karras, Laine and Aila 2019), and what its
//! mapping network is good for.
//!
//! `cargo run --example stylegan` learns from 1,497 real digits that come with it; `-- --data DIR` takes MNIST, and
//! `-- --evaluate` measures and paints with the weights in the output folder.

mod measure;
mod networks;
mod report;
mod train;

use anyhow::{Context, Result};
use autograd::{Rng, Tensor};
use clap::Parser;
use common::digits::{CLASSES, Data};
use common::judge::{Judge, frechet};
use common::{Common, flags};
use measure::{Paces, Space, path_length};
use nn::checkpoint::{load_module, save_module};
use report::Frames;
use std::time::Instant;
use train::{Gan, Painter, Recipe};

/// Images that the judge reads.
const JUDGED: usize = 10_000;
/// Walks of which the pace is measured.
const WALKS: usize = 2_000;
/// Walks with other steps, to compare.
const OTHER_WALKS: usize = 250;
/// A walk's step, the paper's. In f32 it is neither too small nor too large: see what is printed.
const EPSILON: f64 = 1e-4;

/// A mapping network, styles by AdaIN, noise, mixed styles, truncation; and perceptual path lengths
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

    /// Measure and paint with the weights in the output folder, and do not train
    #[arg(long, conflicts_with = "resume")]
    evaluate: bool,

    /// ψ of samples.png: how far styles are from their mean, as a share
    #[arg(long, default_value_t = 0.8, value_parser = flags::finite::<f32>)]
    psi: f32,

    #[command(flatten)]
    recipe: Recipe,
}

fn main() -> Result<()> {
    let cli = common::begin();
    autograd::on_pool(|| example(cli))
}

fn example(cli: Cli) -> Result<()> {
    let out = cli.common.out_dir("stylegan")?;
    let seed = cli.common.seed;
    let mut data = cli.data.load()?;
    let epochs = cli.recipe.epochs(data.train.len());
    let (mut judged, mut walks) = (JUDGED, WALKS);
    if cli.common.quick {
        (judged, walks) = (200, 50);
        data.train.truncate(256);
    }
    let mut gan = Gan::new(&cli.recipe, seed);
    let checkpoint = out.join("checkpoint.safetensors");
    let terms = cli.recipe.terms(data.train.len(), seed);
    if cli.resume {
        gan.load(&checkpoint, &terms)?;
        println!("going on after epoch {}", gan.history.len());
    }
    let weights = out.join("generator.safetensors");
    if cli.evaluate {
        load_module(&*gan.average, &weights)
            .context("cannot paint without a generator; train one first, without --evaluate and with the same sizes")?;
    }
    let set = if cli.data.folder.is_some() { "mnist" } else { "small" };
    let reader = cli.judge.reader(&data, set, &out, cli.common.quick)?;
    let _profiling = cli.common.profiling(&out);

    let start = Instant::now();
    if !cli.evaluate {
        println!("{} images to learn from", data.train.len());
        let mut frames = Frames::new(cli.recipe.width, &out);
        train::run(&mut gan, epochs, &data.train, seed, |gan| {
            frames.add(gan)?;
            gan.save(&checkpoint, &terms)
        })?;
        frames.save()?;
        report::curves(&gan.history, &out)?;
        save_module(&*gan.average, &weights)?;
        save_module(&gan.discriminator, &out.join("discriminator.safetensors"))?;
    }
    let training = start.elapsed();

    let painter = Painter(&gan.average);
    report::pictures(&painter, cli.psi, seed, &out)?;

    // Images without truncation, as many as the distance is usually measured with.
    let mut rng = Rng::seeded(seed).stream(1);
    let painted: Vec<Tensor> = (0..judged)
        .step_by(500)
        .map(|start| {
            let z = Tensor::randn([500.min(judged - start), cli.recipe.width], &mut rng);
            painter.paint_all(&painter.styles(&z, 1.0), &mut rng)
        })
        .collect();
    let images = Tensor::cat(&painted.iter().collect::<Vec<_>>(), 0); // [judged, 1, 28, 28]
    let (digits, features) = reader.read(&images);
    let distances = frechet(&reader, &features, &data.test);
    let share = |digit: usize| {
        let count = digits.iter().filter(|&&read| read == digit as i64).count();
        format!("{digit}: {:.1} %", 100.0 * count as f64 / judged as f64)
    };
    println!("the judge reads in what is painted {}", (0..CLASSES).map(share).collect::<Vec<_>>().join("  "));
    println!("of the real test images it reads {:.2} % right", 100.0 * distances.accuracy_on_real);
    println!(
        "Fréchet distance of {judged} images {:.2}; between two halves of the real test set {:.2}",
        distances.painted, distances.halves_of_real
    );

    let lengths =
        |epsilon, walks| [Space::Z, Space::W].map(|space| path_length(&painter, &reader, space, walks, epsilon, seed));
    let [z, w] = lengths(EPSILON, walks);
    report::paces(&z, &w, &out)?;
    println!("perceptual path length with a step of {EPSILON:.0e}");
    let line =
        |z: &Paces, w: &Paces| format!("in z {:8.1} ± {:.1}  in w {:8.1} ± {:.1}", z.mean, z.error, w.mean, w.error);
    println!("  {}", line(&z, &w));
    // Smaller steps would show if rounding counted, larger ones if a step was no longer small.
    println!("and with others, over fewer walks");
    for epsilon in [1e-1, 1e-2, 1e-3, EPSILON, 1e-5] {
        let [z, w] = lengths(epsilon, walks.min(OTHER_WALKS));
        println!("  {epsilon:.0e}  {}", line(&z, &w));
    }

    println!("\nwhat is where in {}:", out.display());
    println!(
        "  samples.png        images of random styles, ψ = {}; training.gif: the same ones after each epoch",
        cli.psi
    );
    println!(
        "  mixing-14.png      rows: the style of the 7×7 layers, columns: of all others; mixing-28.png: of the last two"
    );
    println!("  truncation.png     a style in each row, from ψ = -1 over the mean at 0 to 1.25");
    println!("  noise.png          a style in each row, with several noises, and where noise changes the image");
    println!("  walks.png          between the same two images in z and in w; paces.png: how fast they change");
    println!("  adain.png          means and deviations of channels before and after AdaIN");
    // Of what was done: of training, or of painting and measuring, if that is all.
    let seconds = if cli.evaluate { start.elapsed() } else { training }.as_secs_f64();
    println!(
        "result ppl_z={:.2} ppl_w={:.2} frechet={:.3} frechet_real={:.3} seconds={seconds:.1}",
        z.mean, w.mean, distances.painted, distances.halves_of_real
    );
    Ok(())
}
