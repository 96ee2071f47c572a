//! How the time of a training step grows with its batch, and that of a matrix product with its size.
//!
//! `cargo bench --bench growth [-- --seconds=S NAME ...]` times the workloads of `steps.rs`, each network once, at an
//! eighth to eight times its batch, and square products from 16 to 4,096, on one thread and on all; prints what a
//! sample costs, or the GFLOP/s; and draws it in `out/growth.png`.

use autograd::Tensor;
use autograd::kernels::gemm::{Gemm, Isa, MatMut, MatRef};
use plot::{Labels, Panel, Series, save};
use rayon::{ThreadPool, ThreadPoolBuilder};
use std::path::Path;
use workloads::protocol::Wanted;
use workloads::{Step, baseline_embedding, cdcgan, char_lm, cifar_cnn, cli, makemore, vowel_lstm};

/// Seconds that each size is timed, if `--seconds=` does not say.
const SECONDS: &str = "0.5";

/// A workload with its batch in `steps.rs`.
struct Workload {
    name: &'static str,
    batch: usize,
    make: fn(usize) -> Step,
}

const WORKLOADS: [Workload; 6] = [
    Workload { name: "makemore", batch: 16_384, make: |batch| makemore(batch, 50, 100, true) },
    Workload { name: "baseline_embedding", batch: 32, make: baseline_embedding },
    Workload { name: "vowel_lstm", batch: 64, make: vowel_lstm },
    Workload { name: "char_lm", batch: 32, make: char_lm },
    Workload { name: "cdcgan", batch: 128, make: |batch| cdcgan(batch, true) },
    Workload { name: "cifar_cnn", batch: 64, make: cifar_cnn },
];

/// Sides of the square products.
const SIDES: [usize; 9] = [16, 32, 64, 128, 256, 512, 1024, 2048, 4096];

/// What a picture and a table show of one workload: a number for each size, on one thread and on all.
struct Growth {
    name: &'static str,
    sizes: Vec<usize>,
    /// Where in the picture each size stands: products by their sides, steps by how often the usual batch goes into
    /// theirs.
    x: Vec<f64>,
    one: Vec<f64>,
    all: Vec<f64>,
}

fn main() -> anyhow::Result<()> {
    let workloads = WORKLOADS.iter().map(|workload| (workload.name, Some(workload))).chain([("matmul", None)]);
    let names: Vec<_> = workloads.clone().map(|(name, _)| name).collect();
    let wanted = cli::wanted("Times training steps and products by their size", &names, SECONDS);
    let threads = rayon::current_num_threads();
    let pools = [1, threads].map(|threads| ThreadPoolBuilder::new().num_threads(threads).build().expect("threads"));
    println!("threads 1 and {threads}, isa {:?}", Isa::best());

    let mut panels = Vec::new();
    for (_, workload) in wanted.of(workloads) {
        let (growth, size, x, unit) = match workload {
            Some(workload) => {
                let growth = of_workload(workload, &pools, &wanted);
                (growth, "batch", "batch, in times the usual one", "µs a sample")
            }
            None => (of_products(&pools, &wanted), "size", "rows, columns and depth", "GFLOP/s"),
        };
        print(&growth, size, unit);
        panels.push(panel(&growth, x, unit));
    }
    // cargo runs a bench in the folder of its package.
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../out");
    std::fs::create_dir_all(&folder)?;
    save(&folder.join("growth.png"), "", 2, panels)?;
    println!("\ndrawn in out/growth.png");
    Ok(())
}

/// Microseconds that a sample takes, by batch.
fn of_workload(workload: &Workload, pools: &[ThreadPool; 2], wanted: &Wanted) -> Growth {
    let sizes: Vec<usize> = (0..=6).map(|power| (workload.batch << power) / 8).collect();
    let on = |pool: &ThreadPool| {
        let time = |&batch: &usize| pool.install(|| wanted.measure((workload.make)(batch)).median) * 1e3 / batch as f64;
        sizes.iter().map(time).collect()
    };
    let x = sizes.iter().map(|&batch| batch as f64 / workload.batch as f64).collect();
    Growth { name: workload.name, x, one: on(&pools[0]), all: on(&pools[1]), sizes: sizes.clone() }
}

/// GFLOP/s of square products, by size.
fn of_products(pools: &[ThreadPool; 2], wanted: &Wanted) -> Growth {
    let speed = |&side: &usize| {
        let (a, b) = (Tensor::ones([side, side]).to_vec(), Tensor::ones([side, side]).to_vec());
        let mut c = vec![0.0; side * side];
        let step = move || {
            let (a, b) = (MatRef::row_major(&a, side, side), MatRef::row_major(&b, side, side));
            Gemm::new(a, b).write(MatMut::row_major(&mut c, side, side));
        };
        2.0 * (side as f64).powi(3) / wanted.measure(step).median / 1e6
    };
    let on = |pool: &ThreadPool| pool.install(|| SIDES.iter().map(speed).collect());
    let x = SIDES.map(|side| side as f64).to_vec();
    Growth { name: "matmul", sizes: SIDES.to_vec(), x, one: on(&pools[0]), all: on(&pools[1]) }
}

fn print(growth: &Growth, size: &str, unit: &str) {
    println!("\n{}: {unit}\n{size:>8} {:>10} {:>10} {:>8}", growth.name, "1 thread", "all", "all / 1");
    for (i, size) in growth.sizes.iter().enumerate() {
        let (one, all) = (growth.one[i], growth.all[i]);
        println!("{size:8} {one:10.3} {all:10.3} {:8.2}", all / one);
    }
}

/// Both axes are logarithmic: of a straight line of slope 0, twice the batch takes twice the time.
fn panel(growth: &Growth, x: &str, y: &str) -> Panel {
    let points = |values: &[f64]| growth.x.iter().copied().zip(values.iter().copied()).collect();
    let lines = [
        Series { label: "1 thread", points: points(&growth.one) },
        Series { label: "all threads", points: points(&growth.all) },
    ];
    Panel::lines(Labels { title: growth.name, x, y }, &lines).log_x().log_y()
}
