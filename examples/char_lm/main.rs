//! A language model of characters: an LSTM reads a text and says, after each character, how likely each next one is.
//!
//! `cargo run --example char_lm` learns from the King James Bible; `-- --data DIR` from a folder with `text8-100k.txt`
//! and `text8-dev.txt`.

mod contexts;
mod data;
mod language_model;
mod model;
mod report;
mod train;

use anyhow::{Context, Result};
use clap::Parser;
use common::{Output, flags, letters};
use data::Data;
use language_model::{LanguageModel, Perplexity, Uniform};
use model::CharLstm;
use nn::checkpoint::{load_module, save_module};
use std::path::PathBuf;
use std::time::Instant;
use train::Recipe;

/// Embedding, LSTM, and after each character the probabilities of the next
#[derive(Parser, Debug)]
struct Cli {
    #[command(flatten)]
    output: Output,

    /// One run, from this seed; without, three with --data, from seeds 0, 1 and 2, and one without
    #[arg(long)]
    seed: Option<u64>,

    /// A folder with text8-100k.txt and text8-dev.txt, or any text file, instead of the King James Bible
    #[arg(long, value_name = "PATH", value_parser = flags::existing)]
    data: Option<PathBuf>,

    /// Go on with this text, with the weights in the output folder, and train nothing
    #[arg(long, value_name = "TEXT")]
    prompt: Option<String>,

    /// Characters to sample
    #[arg(long, default_value_t = 300)]
    length: usize,

    /// Below 1 samples are likelier and duller, above 1 wilder
    #[arg(long, default_value_t = 0.8, value_parser = flags::positive::<f64>)]
    temperature: f64,

    /// Go on from the last checkpoint in the output folder
    #[arg(long)]
    resume: bool,

    /// Words whose places in the text are told apart by the hidden states there
    #[arg(long, value_delimiter = ',', default_value = "bear,saw,state,act,order")]
    senses: Vec<String>,

    #[command(flatten)]
    recipe: Recipe,
}

fn main() -> Result<()> {
    let cli = common::begin();
    autograd::on_pool(|| example(cli))
}

fn example(cli: Cli) -> Result<()> {
    let out = cli.output.out_dir("char_lm")?;
    let _profiling = cli.output.profiling(&out);
    let weights = out.join("model.safetensors");
    if let Some(prompt) = &cli.prompt {
        let model = CharLstm::new(&cli.recipe, &mut autograd::Rng::seeded(0));
        load_module(&model, &weights).context("train first, and with the same sizes")?;
        nn::Module::eval(&model);
        let mut rng = autograd::Rng::seeded(cli.seed.unwrap_or(0));
        println!("{}", model.sample(&letters::clean(prompt), cli.length, cli.temperature, &mut rng));
        return Ok(());
    }

    let mut data = Data::load(cli.data.as_deref())?;
    if cli.output.quick {
        data.shorten();
    }
    println!("{data}");
    let uniform = Perplexity::of(&Uniform, &data.dev);
    println!("a uniform model has a perplexity of {uniform}");
    let seeds = match (cli.seed, cli.data.is_some() && !cli.output.quick) {
        (Some(seed), _) => vec![seed],
        (None, true) => vec![0, 1, 2],
        (None, false) => vec![0],
    };
    let mut runs = Vec::new();
    for seed in seeds {
        let start = Instant::now();
        let checkpoint = out.join(format!("checkpoint-{seed}.safetensors"));
        let trained = train::run(&cli.recipe, &data, seed, &checkpoint, cli.resume)?;
        let seconds = start.elapsed().as_secs_f64();
        let (dev, held_out) =
            (Perplexity::of(&trained.model, &data.dev), Perplexity::of(&trained.model, &data.held_out));
        println!("seed {seed}: perplexity {dev} on {}, {held_out} on the last 5 %, {seconds:.1} s", data.dev_name);
        runs.push(report::Run { seed, trained, dev, held_out, seconds });
    }
    let model = &runs[0].trained.model;
    save_module(model, &weights)?;
    println!("\nthe first run's weights are in {}", weights.display());
    let mut rng = autograd::Rng::seeded(0);
    for temperature in [0.5, cli.temperature, 1.2] {
        println!("\ntemperature {temperature}:{}", model.sample("the ", cli.length, temperature, &mut rng));
    }
    println!();
    for phrase in ["the people of the land", "the lpeope fo eht nald", "xq zzkw vjb ppt qfgh"] {
        let log_prob = model.log_prob_sequence(&letters::encode(phrase), &[]);
        println!("ln P({phrase:?}) = {log_prob:.1}, {:.2} a character", log_prob / phrase.len() as f64);
    }
    report::draw(&runs, &data, &out)?;
    contexts::show(model, &data.train, &cli.senses, &out)?;
    let mean = |f: &dyn Fn(&report::Run) -> f64| runs.iter().map(f).sum::<f64>() / runs.len() as f64;
    println!(
        "result perplexity={:.3} held_out_perplexity={:.3} seconds={:.1}",
        mean(&|run| run.dev.value()),
        mean(&|run| run.held_out.value()),
        mean(&|run| run.seconds)
    );
    Ok(())
}
