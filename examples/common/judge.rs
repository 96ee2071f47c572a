//! Who judges painted digits: the network of the example `digits`, which reads real ones.

use crate::frechet::Gaussian;
use crate::reader::Reader;
use crate::reader::train::{self, Recipe};
use anyhow::{Context, Result};
use autograd::Tensor;
use clap::Parser;
use nn::checkpoint::{load_module, save_module};
use nn::data::{LabelledImages, Splits};
use std::path::{Path, PathBuf};

/// Who judges.
#[derive(clap::Args, Clone, Debug)]
pub struct Judge {
    /// Weights that `digits` saved [default: those in the output folder; if there are none, a reader is trained first]
    #[arg(long, value_name = "FILE", value_parser = crate::flags::existing)]
    pub judge: Option<PathBuf>,
}

/// The recipe of `digits`, with its defaults.
#[derive(Parser)]
struct Defaults {
    #[command(flatten)]
    recipe: Recipe,
}

impl Judge {
    /// The reader, from a file or trained now. A reader of one set does not judge another, so `of` names it. How well
    /// it reads is not asked here, but when it has judged, lest training wait for that.
    pub fn reader(&self, data: &Splits, of: &str, out: &Path, quick: bool) -> Result<Reader> {
        let mut recipe = Defaults::parse_from(["digits"]).recipe;
        // The judge of a quick run reads hardly anything: it must not be found by a run that means it.
        let of = if quick { format!("{of}-quick") } else { of.to_string() };
        let file = self.judge.clone().unwrap_or_else(|| out.join(format!("judge-{of}.safetensors")));
        if file.exists() || self.judge.is_some() {
            let reader = Reader::new(recipe.dropout, &mut autograd::Rng::seeded(0));
            load_module(&reader, &file).context("--judge: not the weights of a reader of digits")?;
            println!("the judge is {}", file.display());
            return Ok(reader);
        }
        if quick {
            recipe.epochs = Some(1);
        }
        println!("a judge first: a network that reads the digits of the real images");
        let (reader, _) = train::run(&recipe, data, 0, None)?;
        save_module(&reader, &file)?;
        println!("saved as {}", file.display());
        if quick {
            println!("after one pass it reads hardly anything: what it says of painted digits means nothing");
        }
        Ok(reader)
    }
}

/// What the judge says of painted images.
pub struct Verdict {
    /// Share of the images that are read as the digit they were meant to be.
    pub accuracy: f64,
    /// Fréchet distance of their features to those of the real test images.
    pub frechet: f64,
    /// The same between the halves of the real test images, for scale.
    pub frechet_of_real: f64,
    /// Share of the real test images that are read right.
    pub accuracy_on_real: f64,
}

/// Judges images `[N, 1, 28, 28]` with values from 0 to 1 that are meant to be these digits.
pub fn judge(reader: &Reader, painted: &LabelledImages, real: &LabelledImages) -> Verdict {
    let (read, features) = reader.read(&painted.images);
    let distances = frechet(reader, &features, real);
    Verdict {
        accuracy: share_right(&read, painted),
        frechet: distances.painted,
        frechet_of_real: distances.halves_of_real,
        accuracy_on_real: distances.accuracy_on_real,
    }
}

/// The share of the images that were read as what they are.
fn share_right(read: &[i64], images: &LabelledImages) -> f64 {
    let right = read.iter().zip(images.labels.iter()).filter(|&(&digit, label)| digit == label).count();
    right as f64 / images.len().max(1) as f64
}

/// Fréchet distances in the space of the judge's features.
pub struct Distances {
    /// Of painted images to the real ones.
    pub painted: f64,
    /// Between the first and the second half of the real ones, for scale. No lower bound: the halves are smaller, and
    /// may have other writers.
    pub halves_of_real: f64,
    /// Share of the real ones that are read right.
    pub accuracy_on_real: f64,
}

/// The distances, given the features of painted images that the judge has [read](Reader::read) and real images.
pub fn frechet(reader: &Reader, features: &Tensor, real: &LabelledImages) -> Distances {
    let (read, of_real) = reader.read(&real.images);
    let half = of_real.size(0) / 2;
    let halves = [0, half].map(|start| Gaussian::of(&of_real.narrow(0, start, half)));
    Distances {
        painted: Gaussian::of(features).distance(&Gaussian::of(&of_real)),
        halves_of_real: halves[0].distance(&halves[1]),
        accuracy_on_real: share_right(&read, real),
    }
}
