//! word2vec: word vectors by prediction of neighbours (Mikolov et al. 2013).
//!
//! `cargo run --example word2vec` learns from the King James Bible. `--architecture` and `--objective` choose between
//! skip-gram and CBOW, and between negative sampling, the hierarchical softmax and the full one; `--subword` makes
//! words of their parts. `-- tiny` is the same idea on two sentences. See the chapter in docs/.
//!
//! `windows.rs` says which words are asked about which; `softmax.rs`, `negative.rs` and `hierarchical.rs` what they are
//! asked; `train.rs` is the loop. What makes it fast is in `bag.rs` and `logistic.rs`, two operations of this
//! example's own, and `rows.rs`, their loops.

mod bag;
mod corpus;
mod hierarchical;
mod hogwild;
mod lists;
mod logistic;
mod negative;
mod report;
mod rows;
mod softmax;
mod subword;
mod tiny;
mod train;
mod windows;

use anyhow::{Context, Result};
use autograd::Rng;
use clap::{Parser, Subcommand, ValueEnum};
use common::{Common, flags, say};
use corpus::{Corpus, Source, Text};
use hierarchical::Tree;
use negative::Negatives;
use nn::text::{NegativeTable, Subsampler, WordVectors};
use std::path::{Path, PathBuf};
use std::time::Instant;
use subword::Parts;
use train::{Recipe, Word2Vec, train};
use windows::{Architecture, Ask, Sampler, input_rate};

/// Word vectors by prediction of neighbours (Mikolov et al. 2013)
#[derive(Parser, Debug)]
#[command(args_conflicts_with_subcommands = true)]
struct Cli {
    #[command(flatten)]
    common: Common,

    #[command(flatten)]
    source: Source,

    #[command(flatten)]
    options: Options,

    #[command(subcommand)]
    form: Option<Form>,
}

#[derive(Subcommand, Debug)]
enum Form {
    Tiny(tiny::Tiny),
}

/// How it learns, and how it is judged
#[derive(clap::Args, Clone, Debug)]
struct Options {
    /// Which words predict which
    #[arg(long, value_enum, default_value_t = Architecture::SkipGram)]
    architecture: Architecture,

    /// What is asked about the word in the middle
    #[arg(long, value_enum, default_value_t = Objective::Negative)]
    objective: Objective,

    /// Make each word of itself and its character n-grams, as fastText does
    #[arg(long)]
    subword: bool,

    /// Rows that n-grams share
    #[arg(long, default_value_t = 50_000, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    buckets: u32,

    /// Numbers in a word's vector
    #[arg(long, default_value_t = 100, value_name = "N", value_parser = flags::count)]
    dimension: usize,

    /// The most words on each side of a context
    #[arg(long, default_value_t = 5, value_name = "N", value_parser = flags::count)]
    window: usize,

    /// Words drawn at random for each context
    #[arg(long, default_value_t = 5, value_name = "N", value_parser = flags::count)]
    negatives: usize,

    /// Words more frequent than about this share of the text are left out by chance; 0 keeps all
    #[arg(long, default_value_t = 1e-3, value_name = "SHARE", value_parser = flags::not_negative::<f64>)]
    subsample: f64,

    /// Passes over the text [default: 15; 1 for the full softmax, and with --quick]
    #[arg(long, value_name = "N", value_parser = flags::count)]
    epochs: Option<usize>,

    /// Learning rate at the start
    #[arg(long, default_value_t = 0.025, value_parser = flags::positive::<f64>)]
    lr: f64,

    /// Words of text for one step
    #[arg(long, default_value_t = 500, value_name = "WORDS", value_parser = flags::count)]
    batch: usize,

    /// The share of the sentences that are not trained on, to judge by
    #[arg(long, default_value_t = 0.02, value_name = "SHARE", value_parser = flags::share::<f64>)]
    held_out: f64,

    /// Let threads race, as gensim and word2vec.c do: outside of the graph, and other numbers in each run
    #[arg(long)]
    hogwild: bool,

    /// Threads [default: the number of cores]. The result does not depend on it, except with --hogwild
    #[arg(long, value_name = "N", value_parser = flags::count)]
    threads: Option<usize>,

    /// Write the text to a file, one sentence a line, as gensim reads it
    #[arg(long, value_name = "FILE")]
    write_corpus: Option<PathBuf>,

    /// Pairs of words with people's judgements to compare with, as gensim's wordsim353.tsv
    #[arg(long, value_name = "FILE", value_parser = flags::existing)]
    similarity: Option<PathBuf>,

    /// Analogies to solve, as gensim's questions-words.txt
    #[arg(long, value_name = "FILE", value_parser = flags::existing)]
    analogies: Option<PathBuf>,
}

/// What is asked about the word in the middle.
#[derive(Clone, Copy, Debug, PartialEq, ValueEnum)]
enum Objective {
    /// Which of all words is it?
    Softmax,
    /// Is it this one, or one drawn at random?
    Negative,
    /// Where does its way through Huffman's tree turn?
    Hierarchical,
}

fn main() -> Result<()> {
    let cli: Cli = common::begin();
    if let Some(threads) = cli.options.threads {
        rayon::ThreadPoolBuilder::new().num_threads(threads).build_global()?;
    }
    autograd::on_pool(|| example(cli))
}

fn example(cli: Cli) -> Result<()> {
    let out = cli.common.out_dir("word2vec")?;
    let _profiling = cli.common.profiling(&out);
    match &cli.form {
        Some(Form::Tiny(tiny)) => tiny::run(tiny, &cli.common, &out),
        None => run(&cli, &out),
    }
}

fn run(cli: &Cli, out: &Path) -> Result<()> {
    let start = Instant::now();
    let options = &cli.options;
    let tests = report::Tests::read(options.similarity.as_deref(), options.analogies.as_deref())?;
    let text = Text::read(&cli.source, cli.common.quick)?;
    if let Some(path) = &options.write_corpus {
        text.write(path)?;
    }
    let corpus = Corpus::new(&text, cli.source.min_count).with_context(|| cli.source.name())?;
    drop(text);
    let vocabulary = &corpus.vocabulary;
    println!("{} words in {} sentences, {} in the vocabulary", corpus.words, corpus.sentences.len(), vocabulary.len());

    let sampler = sampler(options, &corpus);
    let mut rng = Rng::seeded(cli.common.seed);
    let rows = sampler.parts.as_ref().map_or(vocabulary.len(), Parts::table_len);
    let model = Word2Vec::new(rows, vocabulary.len(), options.dimension, &mut rng);
    let epochs = if cli.common.quick { 1 } else { 15 };
    let recipe = Recipe {
        epochs: options.epochs.unwrap_or(if options.objective == Objective::Softmax { 1 } else { epochs }),
        lr: options.lr,
        batch: options.batch,
        held_out: options.held_out,
        seed: cli.common.seed,
    };
    let vectors = || WordVectors::new(vocabulary.words().to_vec(), model.vectors(&sampler));
    let history = if options.hogwild {
        println!("Threads race, and the graph is not used: other numbers in each run.");
        if cli.common.profile {
            println!("--profile sees nothing of the race: it watches what autograd does, and on one thread.");
        }
        hogwild::train(&model, &sampler, &recipe)?
    } else {
        train(&model, &sampler, &recipe, |bar| say(bar, report::neighbours(&vectors(), 3, 3)))?
    };

    let vectors = vectors();
    report::tell(&vectors);
    if let Some(parts) = &sampler.parts {
        report::tell_unseen(&vectors, &model, parts);
    }
    report::files(&vectors, vocabulary.counts(), out)?;
    report::pictures(&vectors, &history, out)?;
    nn::checkpoint::save_module(&model, &out.join("word2vec.safetensors"))?;
    let judged = tests.judge(&vectors);
    println!(
        "\nvectors.txt and vectors.bin (for gensim), projector/ (for TensorBoard), word2vec.safetensors, loss.png and \
         map.png are in {}",
        out.display()
    );
    let held_out = history.held_out.last().map(|(_, loss)| format!(" held_out={loss:.4}")).unwrap_or_default();
    println!(
        "result loss={:.4}{held_out} words_per_second={:.0}{judged} seconds={:.1}",
        history.loss,
        history.words_per_second,
        start.elapsed().as_secs_f64()
    );
    Ok(())
}

/// What makes the mini-batches, as the flags say.
fn sampler<'a>(options: &Options, corpus: &'a Corpus) -> Sampler<'a> {
    let &Options { architecture, window, subsample, .. } = options;
    let counts = corpus.vocabulary.counts();
    let ask = match options.objective {
        Objective::Softmax => Ask::Softmax,
        Objective::Negative => {
            Ask::Negatives(Negatives { table: NegativeTable::new(counts, 0.75), count: options.negatives })
        }
        Objective::Hierarchical => Ask::Tree(Tree::new(counts)),
    };
    let parts = options.subword.then(|| Parts::new(&corpus.vocabulary, options.buckets));
    let rows_per_word = parts.as_ref().map_or(1.0, |parts| parts.mean_len(&corpus.vocabulary));
    Sampler {
        corpus,
        subsampler: Subsampler::new(counts, subsample),
        input_rate: input_rate(architecture, window, rows_per_word),
        architecture,
        ask,
        parts,
        window,
    }
}
