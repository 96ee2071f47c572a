//! The kernels beside the matrix product, each in a group of its own: `cargo bench --bench kernels`, or with a filter
//! such as `-- conv`. criterion keeps a baseline to compare with: `-- --save-baseline before`, then
//! `-- --baseline before`. Speeds change from machine to machine and from hour to hour, so only the ratio of two runs
//! says anything.
//!
//! Throughput is in elements a second, and in multiply-adds for convolutions and the LSTM.

use autograd::graph::no_grad;
use autograd::kernels::conv::Conv;
use autograd::{RecurrentWeights, Rng, SequenceOptions, Tensor, on_pool};
use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, Throughput};
use nn::Parameter;
use nn::optim::{Adagrad, Adam, AdamW, Optimizer, RmsProp, Sgd, SgdOptions};

fn main() {
    on_pool(benches);
}

fn benches() {
    let mut criterion = Criterion::default().configure_from_args().sample_size(20);
    let mut rng = Rng::seeded(0);
    elementwise(&mut criterion, &mut rng);
    rows(&mut criterion, &mut rng);
    convolutions(&mut criterion, &mut rng);
    lstm(&mut criterion, &mut rng);
    embedding(&mut criterion, &mut rng);
    optimisers(&mut criterion, &mut rng);
    criterion.final_summary();
}

/// One line of a group: a forward pass that records nothing.
fn forward(group: &mut BenchmarkGroup<'_, WallTime>, name: &str, run: impl Fn() -> Tensor) {
    group.bench_function(name, |bencher| bencher.iter(|| no_grad(&run)));
}

/// One line of a group: forward and backward.
fn step(group: &mut BenchmarkGroup<'_, WallTime>, name: &str, run: impl Fn() -> Tensor) {
    group.bench_function(name, |bencher| bencher.iter(|| run().sum(..).backward()));
}

fn elementwise(criterion: &mut Criterion, rng: &mut Rng) {
    let shape = [1024, 1024];
    let (a, b) = (Tensor::randn(shape, rng), Tensor::randn(shape, rng));
    let (row, column) = (Tensor::randn([1024], rng), Tensor::randn([1024, 1], rng));
    let (short, shifts) = (Tensor::randn([1 << 18, 4], rng), Tensor::randn([1 << 18, 1], rng));
    let x = a.requires_grad();
    let mut group = criterion.benchmark_group("elementwise");
    group.throughput(Throughput::Elements(1 << 20));
    forward(&mut group, "add", || &a + &b);
    forward(&mut group, "add a row to each row", || &a + &row);
    forward(&mut group, "add a column to each column", || &a + &column);
    forward(&mut group, "add to rows of four", || &short + &shifts);
    forward(&mut group, "add a transposed matrix", || &a + b.t());
    forward(&mut group, "exp", || a.exp());
    forward(&mut group, "tanh", || a.tanh());
    forward(&mut group, "gelu", || a.gelu());
    step(&mut group, "tanh, forward and backward", || x.tanh());
    group.finish();
}

fn rows(criterion: &mut Criterion, rng: &mut Rng) {
    let mut group = criterion.benchmark_group("rows");
    for [rows, width] in [[16_384, 27], [1024, 1024]] {
        let x = Tensor::randn([rows, width], rng).requires_grad();
        let classes = Tensor::randint(0, width as i64, [rows], rng);
        group.throughput(Throughput::Elements((rows * width) as u64));
        let name = |kernel: &str| format!("{kernel} [{rows}, {width}]");
        forward(&mut group, &name("softmax"), || x.softmax(1));
        step(&mut group, &name("log_softmax, forward and backward"), || x.log_softmax(1));
        step(&mut group, &name("cross_entropy, forward and backward"), || x.cross_entropy(&classes));
        step(&mut group, &name("layer_norm, forward and backward"), || x.layer_norm(width, None, None, 1e-5));
        forward(&mut group, &name("sum of rows"), || x.sum(1));
        forward(&mut group, &name("sum of columns"), || x.sum(0));
        forward(&mut group, &name("max of rows"), || x.max(1));
    }
    group.finish();
}

/// The three maps that every derivative of a convolution is made of.
fn convolutions(criterion: &mut Criterion, rng: &mut Rng) {
    let square = |batch: usize, [in_channels, out_channels]: [usize; 2], size: usize, window: [usize; 3]| {
        let [kernel, stride, padding] = window;
        let windows = Conv::windows(size, kernel, stride, padding, 1).expect("windows fit");
        Conv {
            batch,
            groups: 1,
            in_channels,
            out_channels,
            input: [size; 2],
            kernel: [kernel; 2],
            output: [windows; 2],
            stride: [stride; 2],
            padding: [padding; 2],
            dilation: [1; 2],
        }
    };
    let cases = [
        ("3 × 3, 64 to 64 channels, 32 × 32", square(16, [64, 64], 32, [3, 1, 1])),
        ("3 × 3, 128 to 128 channels, 8 × 8", square(64, [128, 128], 8, [3, 1, 1])),
        ("4 × 4 with stride 2, 64 to 128 channels, 13 × 13", square(128, [64, 128], 13, [4, 2, 0])),
        ("4 × 4, 128 to 256 channels, 6 × 6", square(128, [128, 256], 6, [4, 1, 0])),
        ("4 × 4 with stride 2, 128 channels to 1, 5 × 5: one window", square(128, [128, 1], 5, [4, 2, 0])),
        ("1 × 1, 64 to 64 channels, 16 × 16", square(32, [64, 64], 16, [1, 1, 0])),
        ("3 × 3, 1 to 24 channels, 28 × 28", square(64, [1, 24], 28, [3, 1, 1])),
    ];
    let mut group = criterion.benchmark_group("conv");
    for (name, conv) in cases {
        let mut random = |shape: [usize; 4]| Tensor::randn(shape, rng).to_vec();
        let (mut x, mut weight, mut y) =
            (random(conv.input_shape()), random(conv.weight_shape()), random(conv.output_shape()));
        let windows = conv.output[0] * conv.output[1] * conv.batch;
        group.throughput(Throughput::Elements((weight.len() * windows) as u64));
        group.bench_function(format!("forward {name}"), |bencher| {
            bencher.iter(|| conv.forward(&x, &weight, None, &mut y));
        });
        group.bench_function(format!("input_grad {name}"), |bencher| {
            bencher.iter(|| conv.input_grad(&y, &weight, None, &mut x));
        });
        group.bench_function(format!("weight_grad {name}"), |bencher| {
            bencher.iter(|| conv.weight_grad(&x, &y, &mut weight));
        });
    }
    group.finish();
}

fn lstm(criterion: &mut Criterion, rng: &mut Rng) {
    let mut group = criterion.benchmark_group("lstm");
    for [batch, steps, inputs, hidden] in [[1, 20, 16, 48], [32, 64, 64, 256]] {
        let x = Tensor::randn([batch, steps, inputs], rng).requires_grad();
        let zeros = Tensor::zeros([batch, hidden]);
        let mut weight = |columns: usize| (Tensor::randn([4 * hidden, columns], rng) * 0.1).requires_grad();
        let weights = RecurrentWeights { weight_ih: weight(inputs), weight_hh: weight(hidden), bias: None };
        let work = batch * steps * 4 * hidden * (inputs + hidden);
        group.throughput(Throughput::Elements(work as u64));
        let run = || {
            let [y, _, _] = x.lstm([&zeros, &zeros], &weights, &SequenceOptions::default());
            y
        };
        let name = format!("[{batch}, {steps}, {inputs}] to {hidden}");
        forward(&mut group, &format!("forward {name}"), run);
        step(&mut group, &format!("forward and backward {name}"), run);
    }
    group.finish();
}

fn embedding(criterion: &mut Criterion, rng: &mut Rng) {
    let mut group = criterion.benchmark_group("embedding");
    for [words, width, count] in [[27, 50, 3 * 16_384], [50_000, 100, 16_384]] {
        let table = Tensor::randn([words, width], rng).requires_grad();
        let indices = Tensor::randint(0, words as i64, [count], rng);
        group.throughput(Throughput::Elements((count * width) as u64));
        let name = format!("{count} of {words} rows of {width}");
        forward(&mut group, &format!("forward {name}"), || table.embedding(&indices));
        step(&mut group, &format!("forward and backward {name}"), || table.embedding(&indices));
    }
    group.finish();
}

fn optimisers(criterion: &mut Criterion, rng: &mut Rng) {
    /// A step of an optimiser over parameters that have a gradient.
    fn bench<O: Optimizer>(
        group: &mut BenchmarkGroup<'_, WallTime>,
        name: &str,
        parameters: &[(String, Parameter)],
        new: impl Fn(Vec<(String, Parameter)>) -> O,
    ) {
        let mut optimiser = new(parameters.to_vec());
        group.bench_function(name, |bencher| bencher.iter(|| optimiser.step()));
    }
    let mut group = criterion.benchmark_group("optimisers");
    for (name, shapes) in [("one of 1024 × 1024", vec![[1024, 1024]]), ("256 of 64 × 64", vec![[64, 64]; 256])] {
        let parameters: Vec<_> = shapes
            .into_iter()
            .enumerate()
            .map(|(i, shape)| {
                let parameter = Parameter::new(Tensor::randn(shape, rng));
                (parameter.value() * Tensor::randn(shape, rng)).sum(..).backward();
                (format!("weight{i}"), parameter)
            })
            .collect();
        group.throughput(Throughput::Elements(1 << 20));
        let momentum = SgdOptions { momentum: 0.9, ..SgdOptions::default() };
        bench(&mut group, &format!("sgd, {name}"), &parameters, |p| Sgd::new(p, SgdOptions::default()));
        bench(&mut group, &format!("sgd with momentum, {name}"), &parameters, |p| Sgd::new(p, momentum.clone()));
        bench(&mut group, &format!("adam, {name}"), &parameters, |p| Adam::new(p, Default::default()));
        bench(&mut group, &format!("adamw, {name}"), &parameters, |p| AdamW::new(p, Default::default()));
        bench(&mut group, &format!("rmsprop, {name}"), &parameters, |p| RmsProp::new(p, Default::default()));
        bench(&mut group, &format!("adagrad, {name}"), &parameters, |p| Adagrad::new(p, Default::default()));
    }
    group.finish();
}
