//! Our matrix product against the `gemm` crate's, the fastest that we know in Rust: `cargo bench --bench rivals`, or
//! with shapes of your own, such as `-- 256,256,256 100,27,16384`.
//!
//! Prints GFLOP/s in f32 on one thread and on two, the ratios, and the share of the peak that one thread reaches: of
//! the fused multiply-adds that a core does when nothing else holds it up. Ours and theirs run in turn, many times, and
//! the best time of each counts: on a machine that is shared, only what ran side by side can be compared. The peak is
//! measured before and after. What one of them calculates is held against the other.

#[path = "../examples/kernel_race/peak.rs"]
mod peak;

use autograd::kernels::gemm::{Gemm, Isa, MatMut, MatRef};
use autograd::memory::Buffer;
use autograd::on_pool;
use gemm::Parallelism;
use std::time::{Duration, Instant};

/// m, n, k.
const SHAPES: [[usize; 3]; 16] = [
    [16, 16, 16],
    [32, 64, 160],
    [64, 64, 64],
    [128, 128, 128],
    [256, 256, 256],
    [512, 512, 512],
    [1024, 1024, 1024],
    [2048, 2048, 2048],
    [16_384, 100, 150],
    [16_384, 27, 100],
    [32, 1024, 256],
    [150, 100, 16_384],
    // Where a batch is small, or one.
    [1, 1024, 1024],
    [8, 1024, 256],
    [32, 27, 100],
    [16_384, 150, 100],
];

fn main() {
    // cargo passes flags such as --bench to every bench; shapes are what is left.
    let wanted: Vec<_> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).map(shape).collect();
    rayon::ThreadPoolBuilder::new().num_threads(2).build_global().expect("the first use of the pool");
    println!("isa {:?}", Isa::best());
    println!(
        "{:>18} | {:>7} {:>7} {:>6} {:>7} | {:>7} {:>7} {:>6}",
        "m,n,k", "ours 1", "gemm 1", "ratio", "of peak", "ours 2", "gemm 2", "ratio"
    );
    for [m, n, k] in if wanted.is_empty() { SHAPES.to_vec() } else { wanted } {
        let name = format!("{m},{n},{k}");
        let Race { ours, theirs, peak } = race([m, n, k], true);
        // Both from a thread of the pool, which shares with the other one at once.
        let on_two = on_pool(|| race([m, n, k], false));
        println!(
            "{name:>18} | {ours:7.1} {theirs:7.1} {:6.2} {:7.2} | {:7.1} {:7.1} {:6.2}",
            ours / theirs,
            ours / peak,
            on_two.ours,
            on_two.theirs,
            on_two.ours / on_two.theirs
        );
    }
}

/// What was asked for as `m,n,k`.
fn shape(argument: String) -> [usize; 3] {
    let sizes: Option<Vec<usize>> =
        argument.split(',').map(|size| size.parse().ok().filter(|&size| size > 0)).collect();
    let Some([m, n, k]) = sizes.as_deref() else {
        eprintln!("{argument}: a shape is three sizes above 0, such as 256,256,256");
        std::process::exit(2);
    };
    [*m, *n, *k]
}

/// GFLOP/s of each.
struct Race {
    ours: f64,
    theirs: f64,
    /// Of one core, if only one ran.
    peak: f64,
}

/// Ours and theirs, on one thread if `serial`, else on two.
fn race([m, n, k]: [usize; 3], serial: bool) -> Race {
    // Small whole numbers: products and sums of them are exact, whatever the order.
    // In memory as tensors have it: from 2 MB on in huge pages.
    let [mut a, mut b, mut c, mut d] = [m * k, k * n, m * n, m * n].map(|len| Buffer::<f32>::filled(len, 0.0));
    a.iter_mut().enumerate().for_each(|(i, x)| *x = (i % 7) as f32 - 3.0);
    b.iter_mut().enumerate().for_each(|(i, x)| *x = (i % 5) as f32 - 2.0);
    let parallelism = if serial { Parallelism::None } else { Parallelism::Rayon(2) };
    let [columns, depth] = [n, k].map(|size| size as isize);

    let flops = 2.0 * (m * n * k) as f64;
    // Enough repetitions that the clock's own time does not count.
    let repetitions = ((3e6 / flops) as usize).max(1);
    // Not in between, where the threads of both would fall asleep.
    let looks = if serial { 40 } else { 0 };
    let peak = peak::best_of(looks);
    let (mut best, end) = ([f64::MAX; 2], Instant::now() + Duration::from_millis(400));
    let mut rounds = 0;
    while Instant::now() < end || rounds < 4 {
        let mut time = |which: usize, run: &mut dyn FnMut()| {
            let start = Instant::now();
            (0..repetitions).for_each(|_| run());
            best[which] = best[which].min(start.elapsed().as_secs_f64() / repetitions as f64);
        };
        time(0, &mut || {
            let product = Gemm::new(MatRef::row_major(&a, m, k), MatRef::row_major(&b, k, n));
            let product = if serial { product.serial() } else { product };
            product.write(MatMut::row_major(&mut c, m, n));
        });
        time(1, &mut || {
            // SAFETY: row-major matrices of these sizes (strides are the column's, then the row's); D is ours alone.
            unsafe {
                gemm::gemm(
                    m,
                    n,
                    k,
                    d.as_mut_ptr(),
                    1,
                    columns,
                    false,
                    a.as_ptr(),
                    1,
                    depth,
                    b.as_ptr(),
                    1,
                    columns,
                    0.0,
                    1.0,
                    false,
                    false,
                    false,
                    parallelism,
                );
            }
        });
        rounds += 1;
    }
    assert!(c[..] == d[..], "{m},{n},{k}: the products differ");
    let [ours, theirs] = best.map(|seconds| flops / seconds / 1e9);
    Race { ours, theirs, peak: peak.max(peak::best_of(looks)) }
}
