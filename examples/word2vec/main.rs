//! word2vec, first form: skip-gram on two sentences, small enough to follow every number.
//!
//! `cargo run --example word2vec -- tiny` trains two embeddings on 14 pairs of words. It shows two
//! objectives: the sound one, softmax over the vocabulary, and one that looks alike and is not, where
//! raw context vectors are given to cross-entropy as if they were probabilities.

#[path = "../common/mod.rs"]
mod common;
mod tiny;

use anyhow::Result;
use clap::{Parser, Subcommand};
use common::Common;

/// Word vectors by prediction of neighbours (Mikolov et al. 2013)
#[derive(Parser, Debug)]
struct Cli {
    #[command(flatten)]
    common: Common,

    #[command(subcommand)]
    form: Option<Form>,
}

#[derive(Subcommand, Debug)]
enum Form {
    Tiny(tiny::Tiny),
}

fn main() -> Result<()> {
    let cli = Cli::parse();
    let out = cli.common.out_dir("word2vec")?;
    let Form::Tiny(tiny) = cli.form.unwrap_or(Form::Tiny(tiny::Tiny::default()));
    tiny::run(&tiny, &cli.common, &out)
}
