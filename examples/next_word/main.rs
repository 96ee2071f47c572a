//! The next word: an LSTM on five sentences, then on real text.
//!
//! `cargo run --example next_word`; `-- tiny` stops after the five sentences, `--data` takes a file or a folder.
//!
//! `cargo run --features tokenizers --example next_word -- --data TEXT --tokenizer tokenizer.json` takes the tokens of
//! one of Hugging Face's files in place of words. That is a feature because the crate that reads them brings forty-five
//! others.

mod batches;
mod corpus;
mod counting;
#[cfg(feature = "tokenizers")]
mod hugging_face;
mod model;
mod prompt;
mod tiny;
mod tokens;
mod train;
mod vectors;

use anyhow::{Result, ensure};
use autograd::{Rng, Tensor};
use clap::{Parser, Subcommand};
use common::plot::{Labels, Panel, Series, save, save_map};
use common::{Common, flags, pca};
use corpus::{Corpus, Reading};
use model::{NextWord, Sizes};
use nn::Embedding;
use nn::text::{Format, WordVectors};
use prompt::Sampling;
use std::path::{Path, PathBuf};
use std::time::Instant;
use tokens::Tokens;
use train::{Recipe, Run, Score};

/// Predict the next word with an LSTM: five sentences first, then the King James Bible or a text of your own
#[derive(Parser, Debug)]
struct Cli {
    #[command(flatten)]
    common: Common,

    /// A text file, or a folder of .txt files, instead of the King James Bible
    #[arg(long, value_name = "PATH", value_parser = flags::existing)]
    data: Option<PathBuf>,

    /// Tokens from one of Hugging Face's files (BPE, WordPiece), instead of words; needs the feature `tokenizers`
    #[arg(long, value_name = "FILE", conflicts_with = "vocabulary", value_parser = flags::existing)]
    tokenizer: Option<PathBuf>,

    /// Vectors for the words (word2vec's or GloVe's text; .bin is word2vec's binary form), instead of a quick set
    #[arg(long, value_name = "FILE", value_parser = flags::existing)]
    vectors: Option<PathBuf>,

    #[command(flatten)]
    reading: Reading,

    #[command(flatten)]
    sizes: Sizes,

    #[command(flatten)]
    recipe: Recipe,

    #[command(flatten)]
    sampling: Sampling,

    /// How a text begins that the model is to continue
    #[arg(long, default_value = "and the king said unto the")]
    prompt: String,

    #[command(subcommand)]
    part: Option<Part>,
}

#[derive(Subcommand, Debug)]
enum Part {
    /// Only the five sentences
    Tiny,
}

fn main() -> Result<()> {
    let cli = common::begin();
    autograd::on_pool(|| example(cli))
}

fn example(cli: Cli) -> Result<()> {
    let tokens = cli.tokenizer.as_deref().map(Tokens::read).transpose()?;
    let out = cli.common.out_dir("next_word")?;
    let _profiling = cli.common.profiling(&out);
    let start = Instant::now();
    let small = tiny::run(if cli.common.quick { 20 } else { 200 }, cli.common.seed, &out)?;
    if let Some(Part::Tiny) = cli.part {
        println!("result accuracy={:.4} seconds={:.1}", small, start.elapsed().as_secs_f64());
        return Ok(());
    }
    let score = real(&cli, tokens, &out)?;
    println!("\nPictures, weights, vocabulary and vectors are in {}", out.display());
    println!(
        "result perplexity={:.2} accuracy={:.4} top5={:.4} seconds={:.1}",
        score.perplexity(),
        score.accuracy,
        score.top5,
        start.elapsed().as_secs_f64()
    );
    Ok(())
}

/// The same on real text: three ways to start the embedding, one of which is chosen and judged.
fn real(cli: &Cli, tokens: Option<Tokens>, out: &Path) -> Result<Score> {
    let seed = cli.common.seed;
    let (reading, recipe) = (&cli.reading, &cli.recipe);
    let corpus = Corpus::read(cli.data.as_deref(), tokens, reading, seed)?;
    let Tokens { names, unit, tokenizer, .. } = &corpus.tokens;
    tokenizer.save(out)?;

    let mut rng = Rng::seeded(seed);
    let vectors = match &cli.vectors {
        Some(path) => {
            let binary = path.extension().is_some_and(|extension| extension == "bin");
            WordVectors::read(path, if binary { Format::Binary } else { Format::Text })?
        }
        None => vectors::quick(&corpus, cli.sizes.embedding, cli.sizes.vector_epochs, seed)?,
    };
    let width = vectors.width();
    ensure!(width > 0, "the vectors have no numbers");
    let (table, found) = vectors.table_for(names, &mut rng);
    ensure!(found > 0, "the vectors have none of the {} {unit} of the text", names.len());
    // On the scale of a random embedding, so that the comparison is of what the vectors say, and not of their size.
    let spread = table.square().mean(..).sqrt();
    let table = table / spread; // [V, E]
    println!("\nThe vectors have {width} numbers each, and cover {found} of {} {unit}.\n", names.len());

    let mut runs = Vec::new();
    for (name, pretrained, trainable) in
        [("random", false, true), ("pretrained, frozen", true, false), ("pretrained, fine-tuned", true, true)]
    {
        let mut rng = Rng::seeded(seed);
        let mut model = NextWord::new(names.len(), width, &cli.sizes, &mut rng);
        if pretrained {
            model.embedding = Embedding::from_pretrained(&table, !trainable);
        }
        runs.push(train::train(name, model, &corpus, recipe, seed)?);
    }
    compare(&corpus, &runs);
    let best = runs.iter().min_by(|a, b| a.validation.loss.total_cmp(&b.validation.loss)).expect("three runs");
    let test = train::evaluate(&best.model, &corpus, &corpus.test, recipe.batch);
    println!(
        "\nThe best on validation is \"{}\". On the test sentences, which nothing was chosen by: perplexity {:.1} (counting\n\
         pairs: {:.1}), the right word in {:.1} % of cases, among the first five in {:.1} %.\n",
        best.name,
        test.perplexity(),
        counting::Counts::new(&corpus).score(&corpus.test).perplexity(),
        test.accuracy * 100.0,
        test.top5 * 100.0
    );
    prompt::show(&best.model, &corpus.tokens, &cli.prompt, &cli.sampling, seed)?;
    leave(&corpus, &runs, best, out)?;
    Ok(test)
}

/// Prints what each run came to.
fn compare(corpus: &Corpus, runs: &[Run]) {
    let counting = counting::Counts::new(corpus).score(&corpus.validation);
    println!("\n                              parameters   epochs   perplexity   right word   in first five   seconds");
    println!(
        "    counting pairs of words {:>12} {:>8} {:>12.1} {:>10.1} % {:>13.1} %",
        "",
        "",
        counting.perplexity(),
        counting.accuracy * 100.0,
        counting.top5 * 100.0
    );
    for run in runs {
        println!(
            "    {:<24} {:>11} {:>8} {:>12.1} {:>10.1} % {:>13.1} % {:>9.1}",
            run.name,
            run.trainable,
            run.best_epoch,
            run.validation.perplexity(),
            run.validation.accuracy * 100.0,
            run.validation.top5 * 100.0,
            run.seconds
        );
    }
}

/// Pictures, weights, and the dictionary from words to vectors.
fn leave(corpus: &Corpus, runs: &[Run], best: &Run, out: &Path) -> Result<()> {
    let lines: Vec<_> = runs.iter().map(|run| Series { label: &run.name, points: run.perplexities.clone() }).collect();
    let counting = counting::Counts::new(corpus).score(&corpus.validation).perplexity();
    let labels = Labels { title: "Three ways to start the embedding", x: "epoch", y: "perplexity on validation" };
    save(&out.join("perplexity.png"), "", 1, vec![Panel::lines(labels, &lines).reference(counting, "counting pairs")])?;

    let names = &corpus.tokens.names;
    let table = best.model.embedding.weight.value().detach(); // [V, E]
    // Frequent words that say something: the first few dozen are "the", "and", "of".
    let counts = vectors::count(corpus);
    let mut frequent: Vec<usize> = (0..names.len()).collect();
    frequent.sort_by_key(|&id| std::cmp::Reverse(counts[id]));
    let half = names.len() / 2;
    let shown: Vec<usize> = frequent.into_iter().skip(half.min(60)).take(half.min(80)).collect();
    let rows: Vec<i64> = shown.iter().map(|&id| id as i64).collect();
    let texts: Vec<String> = shown.iter().map(|&id| names[id].clone()).collect();
    let plane = pca::principal_plane(&table.index_select(0, &Tensor::from_slice(&rows, rows.len()))); // [80, 2]
    let points: Vec<_> = plane.to_vec().chunks(2).map(|xy| (f64::from(xy[0]), f64::from(xy[1]))).collect();
    let title = format!("Frequent {}, in their two main directions", corpus.tokens.unit);
    let labels = Labels { title: &title, x: "first", y: "second" };
    save_map(&out.join("words.png"), Panel::labelled_points(labels, &points, &texts))?;

    write_vectors(&best.model.embedding, names, &out.join("vectors.txt"))?;
    nn::checkpoint::save_module(&best.model, &out.join("next_word.safetensors"))?;
    Ok(())
}

/// The dictionary from words to vectors, as word2vec's text.
fn write_vectors(embedding: &Embedding, words: &[String], path: &Path) -> Result<()> {
    let vectors = WordVectors::new(words.to_vec(), embedding.weight.value().detach());
    Ok(vectors.write(path, Format::Text)?)
}
