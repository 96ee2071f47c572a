//! Where memory goes. One test, alone in its process, so that nobody else allocates meanwhile: the parts
//! run one after the other, on a pool of one thread, so that the kernels' scratch space is always the same.

use autograd::graph::Gradient;
use autograd::memory::pool;
use autograd::{BackwardOptions, GradOptions, Rng, Tensor, draw, grad, no_grad, watch};
use std::alloc::{GlobalAlloc, Layout, System};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex};

/// The system's allocator, which counts.
struct Counting;

static ALLOCATIONS: AtomicUsize = AtomicUsize::new(0);
static BYTES: AtomicUsize = AtomicUsize::new(0);
static FREED: AtomicUsize = AtomicUsize::new(0);

// SAFETY: it does what the system's allocator does.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Relaxed);
        BYTES.fetch_add(layout.size(), Relaxed);
        // SAFETY: as the caller promises.
        unsafe { System.alloc(layout) }
    }
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Relaxed);
        BYTES.fetch_add(layout.size(), Relaxed);
        // SAFETY: as the caller promises.
        unsafe { System.alloc_zeroed(layout) }
    }
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        FREED.fetch_add(1, Relaxed);
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(block, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

/// How many allocations have not been freed.
fn not_freed() -> usize {
    ALLOCATIONS.load(Relaxed) - FREED.load(Relaxed)
}

#[test]
fn memory() {
    rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap().install(|| {
        nothing_leaks();
        backward_frees_as_it_goes();
        the_peak_is_what_is_saved();
        a_step_asks_the_system_for_nothing();
    });
}

// ---- the network ----

const BATCH: usize = 256;
const INPUTS: usize = 128;
const HIDDEN: usize = 256;
const OUTPUTS: usize = 64;

/// A perceptron with one hidden layer, and one batch of data.
struct Network {
    parameters: [Tensor; 4],
    x: Tensor,
    target: Tensor,
}

impl Network {
    fn new() -> Network {
        let mut rng = Rng::seeded(1);
        let mut draw = |shape: &[usize]| Tensor::randn(shape, &mut rng);
        Network {
            parameters: [
                (draw(&[INPUTS, HIDDEN]) * 0.05).requires_grad(),
                Tensor::zeros(HIDDEN).requires_grad(),
                (draw(&[HIDDEN, OUTPUTS]) * 0.05).requires_grad(),
                Tensor::zeros(OUTPUTS).requires_grad(),
            ],
            x: draw(&[BATCH, INPUTS]),
            target: draw(&[BATCH, OUTPUTS]),
        }
    }

    fn loss(&self) -> Tensor {
        let [w1, b1, w2, b2] = &self.parameters;
        let hidden = (self.x.matmul(w1) + b1).tanh(); // [BATCH, HIDDEN]
        let error = hidden.matmul(w2) + b2 - &self.target; // [BATCH, OUTPUTS]
        (&error * &error).sum(..)
    }

    /// Plain SGD, in place.
    fn update(&mut self) {
        for w in &mut self.parameters {
            let Some(Gradient::Dense(dw)) = w.take_gradient() else { panic!("a dense gradient") };
            let dw = dw.contiguous();
            let steps = w.slice_mut().iter_mut().zip(dw.try_slice().expect("contiguous"));
            steps.for_each(|(w, dw)| *w -= 1e-5 * dw);
        }
    }
}

/// Bytes of a tensor of `count` numbers. Those here are powers of two, which the pool does not round up.
fn bytes(count: usize) -> usize {
    let bytes = (count * size_of::<f32>()).max(pool::ALIGN);
    assert!(bytes.is_power_of_two());
    bytes
}

// ---- the steady state ----

fn a_step_asks_the_system_for_nothing() {
    let mut network = Network::new();
    let step = |network: &mut Network| {
        let loss = network.loss();
        loss.backward();
        drop(loss);
        network.update();
    };
    let addresses = |network: &Network| network.parameters.each_ref().map(|w| w.try_slice().unwrap().as_ptr());
    (0..3).for_each(|_| step(&mut network));

    let (before, places) = (pool::stats(), addresses(&network));
    let (allocations, small_bytes) = (ALLOCATIONS.load(Relaxed), BYTES.load(Relaxed));
    const STEPS: usize = 100;
    (0..STEPS).for_each(|_| step(&mut network));
    let (allocations, small_bytes) = (ALLOCATIONS.load(Relaxed) - allocations, BYTES.load(Relaxed) - small_bytes);
    let after = pool::stats();

    assert_eq!(after.from_system, before.from_system, "tensor memory came from the system");
    assert_eq!((after.live, after.kept), (before.live, before.kept));
    assert_eq!(addresses(&network), places, "parameters are updated in place");
    let (allocations, small_bytes) = (allocations / STEPS, small_bytes / STEPS);
    println!(
        "a training step of 8 operations: no tensor memory from the system, {allocations} small allocations of \
         {small_bytes} bytes together"
    );
    // A tensor is two: its storage's header, and its layout with a pointer to that. A view is only the second.
    let (tensor, view) = (2, 1);
    // In forward, a node and a tensor for each of 8 operations, and a view of the sum without its axes. In backward, a
    // tensor for the seed and for the 7 gradients that are calculated (two of them for error·error); views of the
    // sum's gradient (with the axes again, and broadcast), of the two biases' (without the batch's axis) and of three
    // operands that are transposed; one map of the gradients that wait; then the list of nodes that are dropped.
    let expected = 8 * (1 + tensor) + view + (1 + 7) * tensor + (2 + 2 + 3) * view + 1 + 1;
    assert!(allocations <= expected, "{allocations} small allocations in a step, not {expected}");
}

// ---- the peak ----

/// What a kernel takes beside its output, which has `count` elements, while it runs.
fn scratch(count: usize, kernel: impl FnOnce() -> Tensor) -> usize {
    let before = pool::stats().live;
    pool::reset_peak();
    let output = kernel();
    assert_eq!(output.count(), count);
    pool::stats().peak - before - bytes(count)
}

/// The most that is in use at one time beside parameters and data, derived by hand.
///
/// Write H for `[BATCH, HIDDEN]`, O for `[BATCH, OUTPUTS]`, and 1 for a number on its own.
///
/// Forward saves for backward: hidden (H), which tanh and the second product share; error (O), both factors
/// of one product; and its result is the loss (1). The highest point on the way is while tanh writes its
/// output beside its input, 2H, or while the first product runs, H and the kernel's scratch space, or
/// the second one, H + O and scratch.
///
/// Backward goes through
/// - error·error, whose two gradients add up: H + O + 1, and 2·O (with the seed, 1, there from the start);
/// - − target and + b2: the gradient O is passed on; error has been freed; db2 is summed, and stays;
/// - hidden·W2: beside hidden and dy, H + O, first dhidden, H; then dW2, which stays. This is the highest:
///   2H + O + W2 + b2 + 1, and the scratch space of whichever product runs;
/// - tanh in the place of dhidden, and hidden is freed; + b1; x·W1: H + W1 + b1 + W2 + b2, with scratch.
fn the_peak_is_what_is_saved() {
    let network = Network::new();
    let [h, o, one] = [bytes(BATCH * HIDDEN), bytes(BATCH * OUTPUTS), bytes(1)];
    let [w1, b1, w2, b2] = network.parameters.each_ref().map(|w| bytes(w.count()));

    // The kernels' scratch space, from products of the same shapes and layouts on their own.
    let (x, hidden, dy) = (&network.x, Tensor::ones([BATCH, HIDDEN]), Tensor::ones([BATCH, OUTPUTS]));
    let [own_w1, _, own_w2, _] = network.parameters.each_ref().map(Tensor::detach);
    let forward_1 = scratch(BATCH * HIDDEN, || x.matmul(&own_w1));
    let forward_2 = scratch(BATCH * OUTPUTS, || hidden.matmul(&own_w2));
    let to_hidden = scratch(BATCH * HIDDEN, || dy.matmul(&own_w2.t()));
    let to_w2 = scratch(HIDDEN * OUTPUTS, || hidden.t().matmul(&dy));
    let to_w1 = scratch(INPUTS * HIDDEN, || x.t().matmul(&hidden));
    drop((hidden, dy, own_w1, own_w2));

    let base = pool::stats().live;
    pool::reset_peak();
    let loss = network.loss();
    let forward = pool::stats().peak - base;
    assert_eq!(forward, (2 * h).max(h + forward_1).max(h + o + forward_2), "peak of forward");
    assert_eq!(pool::stats().live - base, h + o + one, "what forward saves");

    pool::reset_peak();
    loss.backward();
    let backward = pool::stats().peak - base;
    let products = (2 * h + o + to_hidden).max(2 * h + o + w2 + to_w2) + b2 + one;
    assert_eq!(backward, products.max(h + w1 + b1 + w2 + b2 + one + to_w1), "peak of backward");
    drop(loss);
    assert_eq!(pool::stats().live - base, w1 + b1 + w2 + b2, "the gradients are what is left");
    println!(
        "a training step at its peak: {forward} bytes in forward, {backward} in backward, of which {} are the kernels' \
         scratch space",
        backward - (2 * h + o + w2 + b2 + one)
    );
}

/// Twenty operations that save their outputs, and what is left each time backward has come to one.
fn backward_frees_as_it_goes() {
    const DEPTH: usize = 20;
    let size = 1 << 15;
    let live = Arc::new(Mutex::new(Vec::new()));
    let x = Tensor::zeros(size).requires_grad();
    let before = pool::stats().live;
    let mut y = x.clone();
    for _ in 0..DEPTH {
        y = y.tanh();
        let live = live.clone();
        y.register_hook(move |_| {
            live.lock().unwrap().push(pool::stats().live);
            None
        });
    }
    let loss = y.sum(..);
    drop(y);
    assert_eq!(pool::stats().live - before, DEPTH * bytes(size) + bytes(1));
    loss.backward();
    // The first hook sees all that is saved, the loss, and the gradient: the seed, of one number, which is
    // repeated to the shape of y. From then on the gradient has a tensor of its own, and each operation
    // that it has passed is one tensor less.
    let live: Vec<_> = live.lock().unwrap().iter().map(|live| live - before).collect();
    let first = DEPTH * bytes(size) + 2 * bytes(1);
    let others = (1..DEPTH).map(|passed| (DEPTH - passed) * bytes(size) + bytes(size) + bytes(1));
    assert_eq!(live, [first].into_iter().chain(others).collect::<Vec<_>>());
}

// ---- leaks ----

/// Runs `scenario` a few times, so that what is made once has been made, and once more: all tensor memory
/// and every allocation must be given back.
#[track_caller]
fn leaves_nothing(name: &str, scenario: impl Fn()) {
    (0..3).for_each(|_| scenario());
    let before = (pool::stats().live, not_freed());
    scenario();
    assert_eq!((pool::stats().live, not_freed()), before, "{name} leaks");
}

fn nothing_leaks() {
    let leaf = || Tensor::ones([8, 8]).requires_grad();
    let network = |x: &Tensor| (x.matmul(x) + x).tanh().tanh().softmax(1).sum(..);

    leaves_nothing("a graph that is dropped", || drop(network(&leaf())));
    leaves_nothing("a graph that is gone through", || network(&leaf()).backward());
    leaves_nothing("a graph that is kept", || {
        let y = network(&leaf());
        (0..2).for_each(|_| y.backward_with(BackwardOptions { retain_graph: true, ..Default::default() }));
    });
    leaves_nothing("grad of some inputs", || {
        let (x, w) = (leaf(), leaf());
        let y = network(&(&x * &w));
        drop(grad(&[&y], &[&w], GradOptions::default()));
    });
    leaves_nothing("derivatives of derivatives", || {
        let x = leaf();
        let h = &x * &x;
        h.retain_grad();
        let dx = grad(&[&network(&h)], &[&x], GradOptions::create_graph()).remove(0);
        let ddx = grad(&[&dx.sum(..)], &[&x], GradOptions::create_graph()).remove(0);
        // The gradient of x, with all of its history, which leads to x.
        x.set_gradient(Some(Gradient::Dense(ddx.clone())));
        ddx.sum(..).backward();
    });
    leaves_nothing("hooks", || {
        let x = leaf();
        let y = &x * 2.0;
        let held = y.detach();
        y.register_hook(move |dy| Some(dy * &held));
        let handle = y.register_hook(|_| None);
        network(&y).backward();
        handle.remove();
        // A hook that holds its own tensor is a cycle for as long as it is there.
        let own = y.clone();
        y.register_hook(move |_| own.retained_grad()).remove();
    });
    leaves_nothing("watching and drawing", || {
        let x = leaf();
        let y = watch(|| {
            let y = network(&x);
            grad(&[&y], &[&x], GradOptions::create_graph()).remove(0).sum(..)
        });
        y.backward();
        drop(draw(&y).label(&x, "x").svg());
    });
    leaves_nothing("a panic in the middle of backward", || {
        let x = leaf();
        let y = &x * 2.0;
        y.register_hook(|_| std::panic::resume_unwind(Box::new(())));
        let loss = network(&y);
        assert!(catch_unwind(AssertUnwindSafe(|| loss.backward())).is_err());
    });
    leaves_nothing("what is calculated under no_grad", || drop(no_grad(|| network(&leaf()))));
    leaves_nothing("a graph that another thread drops", || {
        let y = network(&leaf());
        std::thread::spawn(move || drop(y)).join().unwrap();
    });
}
