//! One training step of each workload, in the operations of the PyTorch program it is compared with.
//!
//! `cargo bench --bench steps [-- --seconds=S NAME ...]` prints a line with the threads and the instruction set, a
//! heading, then `NAME median_ms min_ms` for each workload. `RAYON_NUM_THREADS` sets the threads. `benches/compare` runs it
//! beside the programs of other libraries.

use autograd::kernels::gemm::Isa;
use autograd::on_pool;
use workloads::{
    Step, additions, baseline_embedding, cdcgan, char_lm, cifar_cnn, cli, makemore, makemore_folded, vowel_lstm,
};

/// Seconds that each workload is timed, if `--seconds=` does not say.
const SECONDS: &str = "4";

fn main() {
    let workloads: [(&str, fn() -> Step); 11] = [
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
    let wanted = cli::wanted("Times a training step of each workload", &workloads.map(|(name, _)| name), SECONDS);
    println!("threads {} isa {:?}", rayon::current_num_threads(), Isa::best());
    println!("{:24} {:>9} {:>9}", "a step, ms", "median", "fastest");
    for (name, make) in wanted.of(workloads) {
        println!("{name:24} {}", on_pool(|| wanted.measure(make())));
    }
}
