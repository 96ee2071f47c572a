//! This library beside others: one training step of each workload, in turn, on this machine.
//!
//! `cargo run -p chainrule-compare`; the README says what is compared and how to install the others.

mod machine;
mod programs;
#[cfg(test)]
#[path = "../protocol.rs"]
mod protocol;
mod report;
mod times;

use anyhow::{Context, Result, ensure};
use clap::{Parser, ValueEnum};
use programs::{Peer, Program, Setting};
use std::path::PathBuf;
use times::{Times, Turn};

/// The workloads of `cargo bench --bench steps` that have a counterpart in other libraries.
const WORKLOADS: [&str; 9] = [
    "makemore_16384",
    "makemore_32",
    "baseline_embedding_32",
    "vowel_lstm_1",
    "vowel_lstm_64",
    "char_lm",
    "cdcgan_128",
    "cifar_cnn_64",
    OVERHEAD,
];

/// What an operation costs by itself. It trains nothing, so it stays out of the mean over the training steps.
const OVERHEAD: &str = "additions_1000";

/// Time a training step of this library and of others in turn, and draw the ratios
#[derive(Parser, Debug)]
struct Cli {
    /// Whom to compare with; all that are installed, if none is named
    #[arg(long, value_enum, value_delimiter = ',')]
    peers: Vec<Peer>,

    /// Only these workloads
    #[arg(long, value_delimiter = ',', value_name = "NAME,...", value_parser = WORKLOADS)]
    workloads: Vec<String>,

    /// How often each has its turn
    #[arg(long, default_value_t = 3)]
    rounds: usize,

    /// How long a turn is timed
    #[arg(long, default_value_t = 1.5)]
    seconds: f64,

    /// Threads of each [default: the processor's]
    #[arg(long)]
    threads: Option<usize>,

    /// The Python that has PyTorch or JAX
    #[arg(long, value_name = "PROGRAM", default_value = "python3")]
    python: PathBuf,

    /// Where the picture goes
    #[arg(long, value_name = "DIR", default_value = "out/compare")]
    out: PathBuf,
}

fn main() -> Result<()> {
    let mut cli = Cli::parse();
    ensure!(cli.rounds > 0, "--rounds: at least 1");
    ensure!(cli.seconds > 0.0 && cli.seconds.is_finite(), "--seconds {}: it must be above 0", cli.seconds);
    if cli.workloads.is_empty() {
        cli.workloads = WORKLOADS.map(String::from).to_vec();
    }
    if cli.peers.is_empty() {
        cli.peers = Peer::value_variants().to_vec();
    }
    let threads = match cli.threads {
        Some(threads) => threads,
        None => std::thread::available_parallelism()?.get(),
    };
    ensure!(threads > 0, "--threads: at least 1");
    let setting = Setting { threads, seconds: cli.seconds };

    let mut programs = Vec::new();
    for peer in &cli.peers {
        match peer.find(&cli.python) {
            Ok(program) => programs.push(program),
            Err(reason) => println!("{peer:?} is left out: {reason:#}"),
        }
    }
    ensure!(
        !programs.is_empty(),
        "there is nothing to compare with: benches/compare/README.md says how to install others"
    );
    // After the others are found, as to build takes longer than to be told that one of them is missing.
    programs.insert(0, Program::ours()?);
    let names: Vec<&str> = programs.iter().map(|program| program.name.as_str()).collect();
    println!("{threads} threads; {}\n", names.join(", "));
    if let Some(busy) = machine::busy().filter(|&busy| busy > 0.1) {
        println!(
            "Something else takes {:.0} % of this machine's processors. The figures will not say which library is faster:\n\
             threads that wait for one another, as PyTorch's do, then wait for the other programs as well.\n",
            busy * 100.0
        );
    }

    let mut results = Vec::new();
    for workload in &cli.workloads {
        let turns = take_turns(&programs, workload, cli.rounds, setting)?;
        report::print(workload, &names, &turns);
        results.push((workload.as_str(), turns));
    }
    report::summary(&names, &results);
    std::fs::create_dir_all(&cli.out).with_context(|| format!("cannot make the folder {}", cli.out.display()))?;
    let picture = cli.out.join("ratios.png");
    report::draw(&picture, &names, &results)?;
    println!("\nThe ratios are drawn in {}", picture.display());
    Ok(())
}

/// Each program once a round, in a process of its own. What runs side by side meets the machine in the same mood; every
/// other round goes backwards, so that nobody is always the first.
fn take_turns(programs: &[Program], workload: &str, rounds: usize, setting: Setting) -> Result<Vec<Times>> {
    let mut times = vec![Times::default(); programs.len()];
    for round in 0..rounds {
        let mut order: Vec<usize> = (0..programs.len()).collect();
        if round % 2 == 1 {
            order.reverse();
        }
        for which in order {
            let turn: Option<Turn> = programs[which].run(workload, setting)?;
            times[which].turns.extend(turn);
        }
    }
    Ok(times)
}
