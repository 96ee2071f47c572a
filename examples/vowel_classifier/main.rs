//! Will a vowel or a consonant follow? An LSTM reads a string of 20 characters and says.
//!
//! `cargo run --example vowel_classifier` cuts its strings from the King James Bible; `-- --data DIR` reads
//! `train-vowel-examples.txt` and its three siblings from a folder, and `--pretrain` learns the language first.

mod data;
mod model;
mod report;
mod train;

use anyhow::{Context, Result, ensure};
use clap::Parser;
use common::{Output, flags, letters};
use data::{Data, Strings};
use model::Classifier;
use nn::checkpoint::{load_module, save_module};
use std::path::PathBuf;
use std::time::Instant;
use train::Recipe;

/// Embedding, LSTM, and a linear layer on the last hidden state, on strings of 20 characters
#[derive(Parser, Debug)]
struct Cli {
    #[command(flatten)]
    output: Output,

    /// One run, from this seed; without, three, from seeds 0, 1 and 2
    #[arg(long)]
    seed: Option<u64>,

    /// A folder with train- and dev-, vowel- and consonant-examples.txt, instead of strings cut from the King James
    /// Bible
    #[arg(long, value_name = "DIR", value_parser = flags::existing)]
    data: Option<PathBuf>,

    /// Learn to continue a text first, then to classify: DIR's text8-100k.txt without what the development strings were
    /// cut from, or the King James text
    #[arg(long)]
    pretrain: bool,

    /// Say what follows this text (or each line of standard input, if it is -), with the weights in the output folder
    /// if there are any
    #[arg(long, value_name = "TEXT")]
    predict: Option<String>,

    #[command(flatten)]
    recipe: Recipe,
}

fn main() -> Result<()> {
    let cli = common::begin();
    autograd::on_pool(|| example(cli))
}

fn example(cli: Cli) -> Result<()> {
    let out = cli.output.out_dir("vowel_classifier")?;
    let _profiling = cli.output.profiling(&out);
    let recipe = &cli.recipe;
    let weights = out.join("model.safetensors");
    if let Some(text) = &cli.predict {
        let legible = text == "-" || !letters::clean(text).is_empty();
        ensure!(legible, "--predict {text:?} has no letters to go by");
        let model = Classifier::new(recipe, &mut autograd::Rng::seeded(0));
        if weights.exists() {
            load_module(&model, &weights).with_context(|| "the weights there may be of other sizes: train again")?;
            return model::predict_lines(&model, text);
        }
        println!("no weights in {} yet: training first", out.display());
    }

    let begin = Instant::now();
    let mut data = Data::load(cli.data.as_deref(), cli.pretrain)?;
    if cli.output.quick {
        data.train.truncate(500);
    }
    let loading = begin.elapsed();
    println!(
        "{} strings to learn from, {} to judge by; {} read and encoded in {:.2} s",
        data.train.len(),
        data.dev.len(),
        data.source,
        loading.as_secs_f64()
    );
    let seeds = match (cli.seed, cli.output.quick) {
        (Some(seed), _) => vec![seed],
        (None, true) => vec![0],
        (None, false) => vec![0, 1, 2],
    };
    let mut runs = Vec::new();
    for seed in seeds {
        let start = Instant::now();
        let (model, history) = train::run(recipe, &data, cli.pretrain, seed);
        let correct = model.judge(&data.dev);
        let seconds = (loading + start.elapsed()).as_secs_f64();
        let run = report::Run { seed, model, history, correct, seconds };
        println!("seed {seed}: accuracy {:.4} in {:.2} s, from raw text to predictions", run.accuracy(), seconds);
        runs.push(run);
    }
    report::report(&runs, &data.dev, &out)?;
    save_module(&runs[0].model, &weights)?;
    println!("the first run's weights are in {}, pictures beside them", weights.display());
    if let Some(text) = &cli.predict {
        model::predict_lines(&runs[0].model, text)?;
    }
    let mean = |f: &dyn Fn(&report::Run) -> f64| runs.iter().map(f).sum::<f64>() / runs.len() as f64;
    println!("result accuracy={:.4} seconds={:.2}", mean(&report::Run::accuracy), mean(&|run| run.seconds));
    Ok(())
}
