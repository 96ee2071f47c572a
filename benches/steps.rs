//! One training step of each workload, in the operations of the PyTorch program it is compared with.
//!
//! `cargo bench --bench steps [-- --seconds=S NAME ...]` prints a line with the threads and the instruction set,
//! then `NAME median_ms min_ms` for each workload. `RAYON_NUM_THREADS` sets the threads. `benches/compare` runs it beside
//! the programs of other libraries.

#[path = "../examples/cdcgan/networks.rs"]
mod networks;
mod workloads;

use autograd::kernels::gemm::Isa;
use std::time::{Duration, Instant};
use workloads::{
    Step, additions, baseline_embedding, cdcgan, char_lm, cifar_cnn, makemore, makemore_folded, vowel_lstm,
};

/// How long each workload is timed, if `--seconds=` does not say.
const SECONDS: f64 = 4.0;

fn main() {
    // cargo passes flags such as --bench to every bench; workloads are what is left.
    let (flags, only): (Vec<String>, Vec<String>) =
        std::env::args().skip(1).partition(|argument| argument.starts_with('-'));
    let seconds = flags.iter().find_map(|flag| flag.strip_prefix("--seconds="));
    let seconds = seconds.map_or(SECONDS, |text| text.parse().expect("--seconds=S: a number of seconds"));
    println!("threads {} isa {:?}", rayon::current_num_threads(), Isa::best());
    let all: [(&str, fn() -> Step); 11] = [
        ("additions_1000", || additions(1000)),
        ("makemore_16384", || makemore(16_384, 50, 100, true)),
        ("makemore_16384_folded", || makemore_folded(16_384, 50, 100)),
        ("makemore_32", || makemore(32, 10, 200, false)),
        ("baseline_embedding_32", || baseline_embedding(32)),
        ("vowel_lstm_1", || vowel_lstm(1)),
        ("vowel_lstm_64", || vowel_lstm(64)),
        ("char_lm", || char_lm(32)),
        ("cdcgan_128", || cdcgan(128, true)),
        ("cdcgan_128_frozen", || cdcgan(128, false)),
        ("cifar_cnn_64", || cifar_cnn(64)),
    ];
    for (name, make) in all {
        if only.is_empty() || only.iter().any(|wanted| wanted == name) {
            time(name, seconds, make());
        }
    }
}

/// Prints the median and the least time of a step, in milliseconds.
fn time(name: &str, seconds: f64, mut step: Step) {
    for _ in 0..5 {
        step();
    }
    let mut times = Vec::new();
    let end = Instant::now() + Duration::from_secs_f64(seconds);
    while Instant::now() < end || times.len() < 5 {
        let start = Instant::now();
        step();
        times.push(start.elapsed().as_secs_f64() * 1e3);
    }
    times.sort_by(f64::total_cmp);
    println!("{name:24} {:9.4} {:9.4}", times[times.len() / 2], times[0]);
}
