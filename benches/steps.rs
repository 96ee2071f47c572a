//! One training step of each workload, in the operations of the PyTorch program it is compared with.
//!
//! `cargo bench --bench steps [-- --seconds=S NAME ...]` prints a line with the threads and the instruction set,
//! then `NAME median_ms min_ms` for each workload. `RAYON_NUM_THREADS` sets the threads. `benches/compare` runs it
//! beside the programs of other libraries.

use autograd::kernels::gemm::Isa;
use workloads::protocol::Wanted;
use workloads::{
    Step, additions, baseline_embedding, cdcgan, char_lm, cifar_cnn, makemore, makemore_folded, vowel_lstm,
};

/// Seconds that each workload is timed, if `--seconds=` does not say.
const SECONDS: f64 = 4.0;

fn main() -> Result<(), String> {
    // cargo tells every bench that it is one.
    let wanted = Wanted::parse(std::env::args().skip(1).filter(|argument| argument != "--bench"), SECONDS)?;
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
    println!("threads {} isa {:?}", rayon::current_num_threads(), Isa::best());
    for (name, make) in wanted.of(workloads) {
        println!("{name:24} {}", wanted.measure(make()));
    }
    Ok(())
}
