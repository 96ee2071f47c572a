//! The baseline: an embedding, two linear layers, a yes or no for each sequence. Its labels are drawn
//! at random, so all that it can do is learn them by heart. The example shows that it does, and that it
//! has then learnt nothing about new sequences.
//!
//! `cargo run --example baseline_embedding`

use anyhow::Result;
use autograd::{Rng, Tensor, no_grad};
use clap::Parser;
use common::plot::{Labels, Panel, Series, save};
use common::{Common, flags, profile, progress};
use nn::optim::{Adam, AdamOptions, Optimizer};
use nn::{Embedding, Linear, Module, impl_module};
use std::time::Instant;

/// Embedding(50, 16), flatten, Linear(160, 64), ReLU, Linear(64, 1), sigmoid, on random labels
#[derive(Parser, Debug)]
struct Cli {
    #[command(flatten)]
    common: Common,

    /// Sequences to train on
    #[arg(long, default_value_t = 1000, value_parser = flags::count)]
    sequences: usize,

    /// Passes over all of them (with --quick 2)
    #[arg(long, default_value_t = 20, default_value_if("quick", "true", "2"), value_parser = flags::count)]
    epochs: usize,

    /// Sequences in a step
    #[arg(long, default_value_t = 32, value_parser = flags::count)]
    batch: usize,

    /// Learning rate of Adam
    #[arg(long, default_value_t = 1e-3, value_parser = flags::positive::<f32>)]
    lr: f32,
}

/// Tokens that exist.
const VOCABULARY: usize = 50;
/// Tokens in a sequence.
const LENGTH: usize = 10;
/// Numbers that stand for a token.
const WIDTH: usize = 16;

struct Baseline {
    embedding: Embedding,
    fc1: Linear,
    fc2: Linear,
}
impl_module!(Baseline { embedding, fc1, fc2 });

impl Baseline {
    fn new(rng: &mut Rng) -> Baseline {
        Baseline {
            embedding: Embedding::new(VOCABULARY, WIDTH, rng),
            fc1: Linear::new(LENGTH * WIDTH, 64, rng),
            fc2: Linear::new(64, 1, rng),
        }
    }

    /// The probability of label 1 for each sequence `[B, 10]`.
    #[track_caller]
    fn forward(&self, x: &Tensor<i64>) -> Tensor {
        let e = self.embedding.forward(x).flatten(1); // [B, 10, 16] -> [B, 160]
        let h = self.fc1.forward(&e).relu(); // [B, 64]
        self.fc2.forward(&h).sigmoid() // [B, 1]
    }
}

/// Random sequences with random labels.
fn random_data(count: usize, rng: &mut Rng) -> (Tensor<i64>, Tensor) {
    let x = Tensor::randint(0, VOCABULARY as i64, [count, LENGTH], rng); // [N, 10]
    let y = Tensor::from_fn([count, 1], |_| rng.below(2) as f32); // [N, 1]
    (x, y)
}

/// Mean loss and share of right answers.
fn evaluate(model: &Baseline, x: &Tensor<i64>, y: &Tensor) -> (f32, f64) {
    no_grad(|| {
        let p = model.forward(x); // [N, 1]
        let right = p.iter().zip(y.iter()).filter(|&(p, y)| (p > 0.5) == (y > 0.5)).count();
        (p.binary_cross_entropy(y).item(), right as f64 / y.count() as f64)
    })
}

fn main() -> Result<()> {
    let cli = common::begin();
    autograd::on_pool(|| example(cli))
}

fn example(cli: Cli) -> Result<()> {
    let out = cli.common.out_dir("baseline_embedding")?;
    let _profiling = cli.common.profiling(&out);
    let epochs = cli.epochs;
    let start = Instant::now();
    let mut rng = Rng::seeded(cli.common.seed);
    let (x, y) = random_data(cli.sequences, &mut rng);
    let (fresh_x, fresh_y) = random_data(10_000, &mut rng);
    let model = Baseline::new(&mut rng);
    println!("{}", model.summary());

    let mut adam = Adam::new(model.named_parameters(), AdamOptions { lr: f64::from(cli.lr), ..Default::default() });
    let bar = progress(epochs, "training");
    let (mut last_batch, mut on_train, mut on_fresh) = (Vec::new(), Vec::new(), Vec::new());
    for epoch in 1..=epochs {
        let mut order: Vec<i64> = (0..cli.sequences as i64).collect();
        rng.shuffle(&mut order);
        let mut loss_of_batch = f32::NAN;
        for rows in order.chunks(cli.batch) {
            let _step = profile::step();
            let rows = Tensor::from_slice(rows, rows.len()); // [B]
            let p = model.forward(&x.index_select(0, &rows)); // [B, 1]
            let loss = p.binary_cross_entropy(&y.index_select(0, &rows));
            adam.zero_grad();
            loss.backward();
            adam.step();
            loss_of_batch = loss.item();
        }
        let at = epoch as f64;
        last_batch.push((at, f64::from(loss_of_batch)));
        on_train.push((at, f64::from(evaluate(&model, &x, &y).0)));
        on_fresh.push((at, f64::from(evaluate(&model, &fresh_x, &fresh_y).0)));
        bar.set_message(format!("last batch {loss_of_batch:.4}"));
        bar.inc(1);
    }
    bar.finish();

    let (train_loss, train_accuracy) = evaluate(&model, &x, &y);
    let (fresh_loss, test_accuracy) = evaluate(&model, &fresh_x, &fresh_y);
    let seconds = start.elapsed().as_secs_f64();
    println!(
        "The labels were drawn at random: nothing in a sequence says which it has. With {} weights for {} labels the\n\
         model has learnt them by heart ({:.1} % right, loss {train_loss:.4}), which is all there was to learn. On 10,000\n\
         fresh sequences it is right {:.1} % of the time (chance: 50 ± 1 %), and since it is sure of itself all the\n\
         same, its loss there is {fresh_loss:.2}; a model that always says one half has ln 2 = 0.69.",
        model.parameter_count(),
        cli.sequences,
        train_accuracy * 100.0,
        test_accuracy * 100.0,
    );

    let lines = [
        Series { label: "last batch of the epoch", points: last_batch },
        Series { label: "all training sequences", points: on_train },
        Series { label: "fresh sequences", points: on_fresh },
    ];
    let labels = Labels { title: "Learning random labels by heart", x: "epoch", y: "binary cross-entropy" };
    let panel = Panel::lines(labels, &lines).reference(2_f64.ln(), "ln 2");
    save(&out.join("loss.png"), "", 1, vec![panel])?;
    nn::checkpoint::save_module(&model, &out.join("baseline_embedding.safetensors"))?;
    println!("loss.png and baseline_embedding.safetensors are in {}", out.display());
    println!("result train_loss={train_loss:.4} test_accuracy={test_accuracy:.4} seconds={seconds:.2}");
    Ok(())
}
