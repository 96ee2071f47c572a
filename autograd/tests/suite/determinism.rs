//! The same bits at any number of threads: every kernel that shares out its work, above the size where it
//! begins to, and a training run of several of them.

use autograd::graph::Gradient;
use autograd::kernels::parallel;
use autograd::{AvgPool2dOptions, MaxPool2dOptions, Rng, Tensor, UpsampleMode, no_grad};

const THREADS: [usize; 4] = [1, 2, 3, 8];

/// Runs `f` in pools of different sizes, and compares the bits of all it returns.
fn check(name: &str, f: impl Fn() -> Vec<Tensor> + Sync) {
    let bits = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let results = pool.install(&f);
        results.iter().map(|x| x.iter().map(f32::to_bits).collect()).collect::<Vec<Vec<u32>>>()
    };
    let serial = bits(THREADS[0]);
    for threads in &THREADS[1..] {
        for (number, (other, serial)) in bits(*threads).iter().zip(&serial).enumerate() {
            let different = other.iter().zip(serial).filter(|(a, b)| a != b).count();
            assert_eq!(different, 0, "{name}: elements of result {number} that differ at {threads} threads");
        }
    }
}

/// f, and its gradient with respect to x and y of shape `shape`, weighted at random.
fn check_with_gradient(name: &str, shape: [usize; 2], f: impl Fn(&Tensor, &Tensor) -> Tensor + Sync) {
    assert!(shape[0] * shape[1] > parallel::ELEMENTS, "{name} is too small to be shared out");
    check(name, || {
        let mut rng = Rng::seeded(7);
        let x = Tensor::randn(shape, &mut rng).requires_grad();
        let y = Tensor::randn(shape, &mut rng).requires_grad();
        let z = f(&x, &y);
        (&z * Tensor::randn(z.shape(), &mut rng)).sum(..).backward();
        [Some(z), x.grad(), y.grad()].into_iter().flatten().collect()
    });
}

#[test]
fn element_wise() {
    let shape = [301, 403];
    check_with_gradient("tanh", shape, |x, _| x.tanh());
    check_with_gradient("products", shape, |x, y| x * y + x / (y * y + 1.0));
    check_with_gradient("broadcasts", shape, |x, y| x * y.narrow(0, 3, 1) + x.narrow(1, 5, 1) - 2.0);
    check_with_gradient("transposed operands", [320, 320], |x, y| x.t() * y + x.t().contiguous());
    check_with_gradient("joining and slicing", shape, |x, y| Tensor::cat(&[x, &y.narrow(1, 2, 100), x], 1).tril(3));
    check("dropout", || {
        let mut rng = Rng::seeded(3);
        let x = Tensor::randn([301, 403], &mut rng);
        vec![x.dropout(0.3, &mut rng)]
    });
}

#[test]
fn reductions() {
    for shape in [[301, 403], [3, 40_001], [40_001, 3]] {
        check_with_gradient("sum", shape, |x, _| x.sum(..));
        check_with_gradient("sum over rows", shape, |x, _| x.sum(0));
        check_with_gradient("sum over columns", shape, |x, _| x.sum(1));
        check_with_gradient("maxima", shape, |x, _| x.max(0).sum(..) + x.max(1).sum(..) + x.min(..));
        check_with_gradient("variances", shape, |x, _| x.var(0, 1).sum(..) + x.var(1, 1).sum(..) + x.std(.., 1));
        check_with_gradient("norms", shape, |x, _| x.norm(2.0, 0).sum(..) + x.norm(2.0, ..));
        check_with_gradient("cumsum", shape, |x, _| x.cumsum(0) + x.cumsum(1));
    }
    check_with_gradient("a middle axis", [300, 400], |x, _| x.reshape([60, 50, 40]).sum(1));
}

#[test]
fn softmax_and_cross_entropy() {
    for shape in [[301, 403], [40_001, 3], [3, 40_001]] {
        check_with_gradient("softmax", shape, |x, _| x.softmax(1));
        check_with_gradient("softmax over rows", shape, |x, _| x.softmax(0));
        check_with_gradient("log_softmax", shape, |x, _| x.log_softmax(1));
        check_with_gradient("logsumexp", shape, |x, _| x.logsumexp(1));
        check_with_gradient("cross_entropy", shape, |x, _| {
            x.cross_entropy(&Tensor::randint(0, x.size(1) as i64, x.size(0), &mut Rng::seeded(1)))
        });
    }
}

#[test]
fn images() {
    let weight = |channels: usize| Tensor::rand([channels], &mut Rng::seeded(2));
    // Blocks of channels; channels that are cut into parts; channels of a single sample.
    for shape in [[40, 50, 40], [70_000, 2, 1], [300, 2, 600], [1, 100, 900]] {
        let rows = [shape[0], shape[1] * shape[2]];
        check_with_gradient("batch norm", rows, |x, y| {
            let (x, y) = (x.reshape(shape), y.reshape(shape));
            x.batch_norm(Some(&weight(shape[1])), None, 1e-5).0 * y
        });
    }
    let shape = [20, 10, 25, 20];
    let image = |f: fn(&Tensor) -> Tensor| move |x: &Tensor, _: &Tensor| f(&x.reshape(shape));
    let rows = [200, 500];
    check_with_gradient("group norm", rows, image(|x| x.group_norm(5, None, None, 1e-5)));
    check_with_gradient("max pool", rows, image(|x| x.max_pool2d(&MaxPool2dOptions::new(3).stride(2).padding(1))));
    check_with_gradient("average pool", rows, image(|x| x.avg_pool2d(&AvgPool2dOptions::new(3).stride(2))));
    check_with_gradient(
        "enlargement",
        rows,
        image(|x| x.upsample(1.5, UpsampleMode::Bilinear { align_corners: false })),
    );
}

#[test]
fn indexing_with_repeated_indices() {
    let indices = |count: usize, below: i64| Tensor::randint(0, below, count, &mut Rng::seeded(1));
    check_with_gradient("index_select", [301, 403], |x, _| x.index_select(0, &indices(900, 301)));
    check_with_gradient("index_select of columns", [301, 403], |x, _| x.index_select(1, &indices(900, 403)));
    check_with_gradient("embedding", [301, 403], |x, _| x.embedding(&indices(900, 301)));
    check_with_gradient("gather", [301, 403], |x, _| x.gather(1, &indices(301 * 403, 403).reshape([301, 403])));
    check_with_gradient("scatter_add", [301, 403], |x, y| {
        x.scatter_add(0, &indices(301 * 403, 301).reshape([301, 403]), y)
    });
}

#[test]
fn matrix_products() {
    // Large in m and n; in k alone; in m alone; in n alone; a vector on either side.
    for [m, k, n] in [[300, 300, 300], [40, 6000, 30], [5000, 20, 16], [16, 20, 5000], [1, 600, 700], [700, 600, 1]] {
        check(&format!("matmul of {m}×{k} by {k}×{n}"), || {
            let mut rng = Rng::seeded(4);
            let a = Tensor::randn([m, k], &mut rng).requires_grad();
            let b = Tensor::randn([n, k], &mut rng).requires_grad();
            let c = a.matmul(&b.t());
            (&c * Tensor::randn([m, n], &mut rng)).sum(..).backward();
            let with_bias = no_grad(|| a.addmm(&b.t(), &Tensor::randn(n, &mut rng)));
            vec![c, a.grad().unwrap(), b.grad().unwrap(), with_bias]
        });
    }
    check("a batch of products", || {
        let mut rng = Rng::seeded(4);
        let a = Tensor::randn([20, 64, 48], &mut rng).requires_grad();
        let b = Tensor::randn([20, 48, 32], &mut rng).requires_grad();
        let c = a.matmul(&b);
        (&c * &c).sum(..).backward();
        vec![c, a.grad().unwrap(), b.grad().unwrap()]
    });
}

/// A classifier of 512 inputs at a time, trained for ten steps: embedding, two products with bias, tanh,
/// dropout, cross-entropy, a penalty, and SGD.
#[test]
fn training() {
    check("training", || {
        let mut rng = Rng::seeded(9);
        let [table, w1, b1, w2, b2] = [&[400, 64][..], &[192, 300], &[300], &[300, 150], &[150]]
            .map(|shape| (Tensor::randn(shape, &mut rng) * 0.1).requires_grad());
        let inputs = Tensor::randint(0, 400, [512, 3], &mut rng);
        let targets = Tensor::randint(0, 150, 512, &mut rng);
        let mut parameters = vec![table, w1, b1, w2, b2];
        let mut losses = Vec::new();
        for _ in 0..10 {
            let [table, w1, b1, w2, b2] = &parameters[..] else { unreachable!() };
            let x = table.embedding(&inputs).reshape([512, 192]); // [B, 3·64]
            let hidden = x.addmm(w1, b1).tanh().dropout(0.1, &mut rng); // [B, 300]
            let logits = hidden.matmul(w2) + b2; // [B, 150]
            let loss = logits.cross_entropy(&targets) + (w1 * w1).mean(..) * 0.01;
            loss.backward();
            losses.push(loss.detach());
            drop(loss);
            for w in &mut parameters {
                let dw = w.take_gradient().map(Gradient::into_dense).unwrap().to_vec();
                w.slice_mut().iter_mut().zip(dw).for_each(|(w, dw)| *w -= 0.5 * dw);
            }
        }
        assert!(losses[9].item() < losses[0].item(), "it learns");
        parameters.into_iter().chain(losses).collect()
    });
}
