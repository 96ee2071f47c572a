//! The ladder of matrix products, rung by rung: `cargo bench --bench matmul`, or with a filter such as
//! `-- 256,256,256`. One group a shape, one line a kernel; criterion keeps a baseline to compare with.

use autograd::kernels::gemm::{Gemm, Isa, MatMut, MatRef, blocked, matrixmultiply, naive};
use autograd::{Rng, on_pool};
use criterion::{BenchmarkId, Criterion, Throughput};

/// m, n, k.
const SHAPES: [[usize; 3]; 11] = [
    [16, 16, 16],
    [32, 64, 160],
    [64, 64, 64],
    [256, 256, 256],
    [1024, 1024, 1024],
    [16_384, 100, 150],
    [16_384, 27, 100],
    [16_384, 100, 27],
    [512, 24, 256],
    [32, 1024, 256],
    [150, 100, 16_384],
];

fn main() {
    on_pool(benches);
}

fn benches() {
    let mut criterion = Criterion::default().configure_from_args().sample_size(20);
    let mut rng = Rng::seeded(0);
    for [m, n, k] in SHAPES {
        let mut random = |count: usize| -> Vec<f32> { (0..count).map(|_| rng.normal() as f32).collect() };
        let (a, b, mut c) = (random(m * k), random(k * n), vec![0.0_f32; m * n]);
        let transposed = MatRef::new(&a, [m, k], [1, m]);
        let (a, b) = (MatRef::row_major(&a, m, k), MatRef::row_major(&b, k, n));
        let mut group = criterion.benchmark_group(format!("{m},{n},{k}"));
        group.throughput(Throughput::Elements(2 * (m * n * k) as u64));
        // Three plain loops over a large matrix are seconds a sample.
        if m * n * k <= 1 << 24 {
            group.bench_function("naive", |bencher| bencher.iter(|| naive(a, b, MatMut::row_major(&mut c, m, n))));
            group.bench_function("blocked", |bencher| bencher.iter(|| blocked(a, b, MatMut::row_major(&mut c, m, n))));
        }
        for isa in Isa::available() {
            group.bench_function(BenchmarkId::new("ours", format!("{isa:?}")), |bencher| {
                bencher.iter(|| Gemm::new(a, b).with_isa(isa).serial().write(MatMut::row_major(&mut c, m, n)));
            });
        }
        group.bench_function("ours/rayon", |bencher| {
            bencher.iter(|| Gemm::new(a, b).write(MatMut::row_major(&mut c, m, n)));
        });
        // As the gradient of a weight has it.
        group.bench_function("ours/rayon, A transposed", |bencher| {
            bencher.iter(|| Gemm::new(transposed, b).write(MatMut::row_major(&mut c, m, n)));
        });
        group.bench_function("matrixmultiply", |bencher| {
            bencher.iter(|| matrixmultiply(a, b, MatMut::row_major(&mut c, m, n)));
        });
        group.finish();
    }
    criterion.final_summary();
}
