//! Embeddings: categories as learnt vectors in a table of sales, and viewers and films in a table of ratings.
//!
//! `cargo run --example embedding_lesson`; the chapter is docs/src/embeddings.md. Both tables are made up here,
//! from a seed, with a structure that the models are not told.

mod categories;
mod nearest;
mod ratings;
mod sales;
mod taste;

use anyhow::Result;
use clap::Parser;
use common::{Common, flags};
use std::time::Instant;

/// One-hot against embedding on a table of sales, and collaborative filtering on a table of ratings
#[derive(Parser, Debug)]
struct Cli {
    #[command(flatten)]
    common: Common,

    /// Sales to learn from; half as many are held out
    #[arg(long, default_value_t = 800, value_parser = flags::at_least::<10>)]
    rows: usize,

    /// Neurons of the hidden layer
    #[arg(long, default_value_t = 32, value_parser = flags::count)]
    hidden: usize,

    /// Passes over the table (with --quick 5)
    #[arg(long, default_value_t = 150, default_value_if("quick", "true", "5"), value_parser = flags::count)]
    epochs: usize,

    /// Rows in a step
    #[arg(long, default_value_t = 32, value_parser = flags::count)]
    batch: usize,

    /// Learning rate of Adam
    #[arg(long, default_value_t = 0.005, value_parser = flags::positive::<f64>)]
    lr: f64,
}

fn main() -> Result<()> {
    let cli = common::begin();
    autograd::on_pool(|| example(cli))
}

fn example(cli: Cli) -> Result<()> {
    let out = cli.common.out_dir("embedding_lesson")?;
    let _profiling = cli.common.profiling(&out);
    let start = Instant::now();
    let training = categories::Training { hidden: cli.hidden, epochs: cli.epochs, batch: cli.batch, lr: cli.lr };
    let sales = sales::Sales::new(cli.rows, cli.common.seed);
    let categories = categories::lesson(&sales, training, cli.common.seed, &out)?;
    let taste = taste::lesson(cli.epochs, cli.common.seed, &out)?;
    println!("\nThe pictures and weights are in {}", out.display());
    println!(
        "result onehot_loss={:.4} embedding_loss={:.4} neighbours={:.3} rmse={:.4} mean_rmse={:.4} seconds={:.1}",
        categories.one_hot,
        categories.embedding,
        categories.neighbours,
        taste.embeddings,
        taste.mean,
        start.elapsed().as_secs_f64()
    );
    Ok(())
}
