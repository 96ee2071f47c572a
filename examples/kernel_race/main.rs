//! A race of matrix products: from three plain loops to the machine's peak.
//!
//! `cargo run --example kernel_race` measures every rung of the ladder over sizes and thread counts.

mod peak;

use anyhow::Result;
use autograd::Rng;
use autograd::kernels::gemm::{Gemm, Isa, MatMut, MatRef, blocked, matrixmultiply, naive};
use clap::Parser;
use common::plot::{Labels, Panel, Series, save};
use common::{Common, flags, progress};
use std::time::{Duration, Instant};

/// Race all matrix products over sizes and thread counts, against the machine's own peak
#[derive(Parser, Debug)]
struct Cli {
    #[command(flatten)]
    common: Common,

    /// Largest square matrix (with --quick 64)
    #[arg(long, default_value_t = 1024, default_value_if("quick", "true", "64"), value_parser = flags::at_least::<16>)]
    largest: usize,

    /// Milliseconds for each measurement (with --quick 5)
    #[arg(long, default_value_t = 150, default_value_if("quick", "true", "5"), value_parser = clap::value_parser!(u64).range(1..=60_000))]
    millis: u64,
}

/// A product C = A·B of row-major `f32` matrices.
struct Product {
    size: [usize; 3],
    a: Vec<f32>,
    b: Vec<f32>,
    c: Vec<f32>,
}

impl Product {
    fn new([m, n, k]: [usize; 3], rng: &mut Rng) -> Product {
        let mut random = |count: usize| (0..count).map(|_| rng.normal() as f32).collect();
        Product { size: [m, n, k], a: random(m * k), b: random(k * n), c: vec![0.0; m * n] }
    }

    fn run(&mut self, kernel: Kernel) {
        let [m, n, k] = self.size;
        let (a, b) = (MatRef::row_major(&self.a, m, k), MatRef::row_major(&self.b, k, n));
        let c = MatMut::row_major(&mut self.c, m, n);
        match kernel {
            Kernel::Naive => naive(a, b, c),
            Kernel::Blocked => blocked(a, b, c),
            Kernel::Ours(isa) => Gemm::new(a, b).with_isa(isa).serial().write(c),
            Kernel::OursRayon => Gemm::new(a, b).write(c),
            Kernel::MatrixMultiply => matrixmultiply(a, b, c),
        }
    }

    /// GFLOP/s: the best of as many runs as fit into `time`.
    fn gflops(&mut self, kernel: Kernel, time: Duration) -> f64 {
        let flops = 2.0 * self.size.iter().product::<usize>() as f64;
        // Enough repetitions that the clock's own time does not count.
        let repetitions = ((2e6 / flops) as usize).max(1);
        self.run(kernel);
        let (mut best, end) = (f64::MAX, Instant::now() + time);
        while Instant::now() < end || best == f64::MAX {
            let start = Instant::now();
            for _ in 0..repetitions {
                self.run(kernel);
            }
            best = best.min(start.elapsed().as_secs_f64() / repetitions as f64);
        }
        flops / best / 1e9
    }
}

/// A rung of the ladder.
#[derive(Clone, Copy, PartialEq)]
enum Kernel {
    Naive,
    Blocked,
    Ours(Isa),
    OursRayon,
    MatrixMultiply,
}

impl Kernel {
    fn name(self) -> String {
        match self {
            Kernel::Naive => "naive".to_string(),
            Kernel::Blocked => "blocked".to_string(),
            Kernel::Ours(isa) => format!("ours, {isa:?}"),
            Kernel::OursRayon => "ours, rayon".to_string(),
            Kernel::MatrixMultiply => "matrixmultiply".to_string(),
        }
    }

    /// The slow rungs are left out where they would take the whole evening.
    fn worthwhile(self, size: [usize; 3]) -> bool {
        let slow = matches!(self, Kernel::Naive | Kernel::Blocked | Kernel::Ours(Isa::Portable));
        !slow || size.iter().product::<usize>() <= 512 * 512 * 512
    }
}

/// Shapes of training: tall and skinny, long sums, small batches.
const SHAPES: [[usize; 3]; 5] =
    [[32, 64, 160], [16_384, 100, 150], [16_384, 27, 100], [32, 1024, 256], [150, 100, 16_384]];

fn main() -> Result<()> {
    let cli = common::begin();
    autograd::on_pool(|| example(cli))
}

fn example(cli: Cli) -> Result<()> {
    let out = cli.common.out_dir("kernel_race")?;
    let _profiling = cli.common.profiling(&out);
    let start = Instant::now();
    let (largest, time) = (cli.largest, Duration::from_millis(cli.millis));
    let threads = rayon::current_num_threads();
    let peak = peak::best_of(50);
    println!("{:?}; one core's fused multiply-adds peak at {peak:.0} GFLOP/s; {threads} threads", Isa::best());

    let mut kernels = vec![Kernel::Naive, Kernel::Blocked];
    kernels.extend(Isa::available().into_iter().map(Kernel::Ours));
    kernels.extend([Kernel::OursRayon, Kernel::MatrixMultiply]);
    let squares: Vec<usize> = (4..).flat_map(|e| [1 << e, 3 << (e - 1)]).take_while(|&size| size <= largest).collect();
    let mut sizes: Vec<[usize; 3]> = squares.iter().map(|&size| [size; 3]).collect();
    if !cli.common.quick {
        sizes.extend(SHAPES);
    }

    let bar = progress(sizes.len() * kernels.len(), "racing");
    let mut rng = Rng::seeded(cli.common.seed);
    let mut table = format!("{:>18}", "m,n,k");
    kernels.iter().for_each(|kernel| table += &format!(" {:>15}", kernel.name()));
    let mut curves: Vec<Vec<(f64, f64)>> = vec![Vec::new(); kernels.len()];
    let mut best = 0.0_f64;
    for size in sizes {
        let mut product = Product::new(size, &mut rng);
        let [m, n, k] = size;
        table += &format!("\n{:>18}", format!("{m},{n},{k}"));
        for (kernel, curve) in kernels.iter().zip(&mut curves) {
            bar.set_message(format!("{} at {m},{n},{k}", kernel.name()));
            bar.inc(1);
            if !kernel.worthwhile(size) {
                table += &format!(" {:>15}", "-");
                continue;
            }
            let gflops = product.gflops(*kernel, time);
            table += &format!(" {gflops:>15.1}");
            if m == n && n == k {
                curve.push((m as f64, gflops));
            }
            if *kernel == Kernel::Ours(Isa::best()) {
                best = best.max(gflops);
            }
        }
    }
    bar.finish();
    println!(
        "GFLOP/s in f32 (matrixmultiply uses MATMUL_NUM_THREADS threads, by default all cores up to four)\n{table}"
    );

    let names: Vec<String> = kernels.iter().map(|kernel| kernel.name()).collect();
    let lines: Vec<_> = names.iter().zip(curves).map(|(label, points)| Series { label, points }).collect();
    let labels = Labels {
        title: "Matrix products of square matrices",
        x: "rows and columns (log scale)",
        y: "GFLOP/s in f32 (log scale)",
    };
    let panel = Panel::lines(labels, &lines)
        .log_x()
        .x_range(10.0, 2000.0)
        .log_y()
        .y_range(0.4, 300.0)
        .reference(peak, "peak of one core");
    save(&out.join("race.png"), "", 1, vec![panel])?;
    println!("race.png is in {}", out.display());
    let seconds = start.elapsed().as_secs_f64();
    println!(
        "result peak_gflops={peak:.1} best_gflops={best:.1} share_of_peak={:.3} seconds={seconds:.1}",
        best / peak
    );
    Ok(())
}
