//! Tensors and graphs on several threads.

use autograd::kernels::parallel;
use autograd::{GradOptions, Rng, Tensor, grad, grad_enabled, no_grad, on_pool};
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// Fails, instead of waiting for ever, if `f` hangs.
fn within_a_minute<R: Send + 'static>(f: impl FnOnce() -> R + Send + 'static) -> R {
    let (done, result) = mpsc::channel();
    thread::spawn(move || done.send(f()));
    result.recv_timeout(Duration::from_secs(60)).expect("it should end within a minute, and without a panic")
}

#[test]
fn a_graph_moves_between_threads() {
    let x = Tensor::from([1.0, 2.0]).requires_grad();
    let used = x.clone();
    let y = thread::spawn(move || (&used * &used).tanh()).join().unwrap();
    let z = thread::spawn(move || (&y * 2.0).sum(..)).join().unwrap();
    thread::spawn(move || z.backward()).join().unwrap();
    let own = x.detach().requires_grad();
    ((&own * &own).tanh() * 2.0).sum(..).backward();
    assert_eq!(x.grad().unwrap().to_vec(), own.grad().unwrap().to_vec());
}

/// A small network, its loss on one batch, and the gradients of its parameters.
fn gradients(parameters: &[Tensor; 3], batch: &Tensor) -> Vec<Vec<f32>> {
    let [w1, b1, w2] = parameters;
    let loss = (batch.matmul(w1) + b1).tanh().matmul(w2).tanh().sum(..);
    let all = grad(&[&loss], &[w1, b1, w2], GradOptions::default());
    all.iter().map(Tensor::to_vec).collect()
}

fn network() -> ([Tensor; 3], Vec<Tensor>) {
    let mut rng = Rng::seeded(2);
    let parameters = [&[20, 30][..], &[30], &[30, 5]].map(|shape| Tensor::randn(shape, &mut rng).requires_grad());
    let batches = (0..8).map(|_| Tensor::randn([16, 20], &mut rng)).collect();
    (parameters, batches)
}

#[test]
fn threads_collect_their_own_gradients_of_shared_parameters() {
    let (parameters, batches) = network();
    let serial: Vec<_> = batches.iter().map(|batch| gradients(&parameters, batch)).collect();
    for _ in 0..20 {
        let parallel: Vec<_> = thread::scope(|scope| {
            let run = |half: &'static str| {
                let batches = if half == "first" { &batches[..4] } else { &batches[4..] };
                let parameters = &parameters;
                scope.spawn(move || batches.iter().map(|batch| gradients(parameters, batch)).collect::<Vec<_>>())
            };
            let threads = ["first", "second"].map(run);
            threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
        });
        assert_eq!(parallel, serial);
    }
    assert!(parameters.iter().all(|parameter| parameter.grad().is_none()));
}

/// One graph, several outputs, each taken back by a thread of its own through the part they share.
#[test]
fn threads_go_back_through_a_shared_graph() {
    let x = Tensor::from([1.0, 2.0]).requires_grad();
    let shared = (&x * &x).tanh();
    let outputs: Vec<_> = (1..=8).map(|i| (&shared * i as f32).sum(..)).collect();
    let options = || GradOptions { retain_graph: true, ..Default::default() };
    let serial: Vec<_> = outputs.iter().map(|y| grad(&[y], &[&x], options())[0].to_vec()).collect();
    let parallel: Vec<_> = thread::scope(|scope| {
        let x = &x;
        let run = |y| scope.spawn(move || grad(&[y], &[x], options())[0].to_vec());
        let threads: Vec<_> = outputs.iter().map(run).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(parallel, serial);
}

/// The gradients are small integers, so that the sum is exact in any order.
#[test]
fn backward_into_the_same_leaves_at_once_loses_nothing() {
    let x = Tensor::ones(1000).requires_grad();
    thread::scope(|scope| {
        for i in 1..=8 {
            let x = &x;
            scope.spawn(move || (0..100).for_each(|_| (x * i as f32).sum(..).backward()));
        }
    });
    assert_eq!(x.grad().unwrap().to_vec(), vec![3600.0; 1000]);
}

/// The same as jobs of rayon, with a leaf so large that adding to it is shared out, too: a job that waits
/// for its addition is handed another job, which adds to the same leaf.
#[test]
fn backward_in_stolen_jobs_neither_hangs_nor_loses() {
    let sum = within_a_minute(|| {
        let x = Tensor::ones(4 * parallel::ELEMENTS).requires_grad();
        rayon::scope(|scope| {
            for i in 1..=32 {
                let x = &x;
                scope.spawn(move |_| (x * i as f32).sum(..).backward());
            }
        });
        x.grad().unwrap()
    });
    assert!(sum.iter().all(|sum| sum == (1..=32).sum::<i32>() as f32));
}

/// A kernel under `no_grad` waits for its other half, and is handed a job of the user's meanwhile. That
/// job must record as if it ran anywhere else.
///
/// Three threads make that certain: A waits in a kernel for its second half, which B has taken; B waits
/// until the user's job has run; C, which has made that job, only spins. So A alone can take it.
#[test]
fn a_stolen_job_records_although_the_thief_runs_under_no_grad() {
    let (recorded, same_thread, still_off) = within_a_minute(|| {
        let (half_begun, job_done) = (AtomicBool::new(false), AtomicBool::new(false));
        let wait_for = |flag: &AtomicBool| {
            while !flag.load(SeqCst) {
                thread::yield_now()
            }
        };
        let pool = rayon::ThreadPoolBuilder::new().num_threads(3).build().unwrap();
        let x = Tensor::from(3.0).requires_grad();
        let (mut recorded, mut job_thread) = (false, None);
        let (mut kernel_thread, mut still_off) = (None, false);
        pool.scope(|scope| {
            // C
            scope.spawn(|scope| {
                wait_for(&half_begun);
                scope.spawn(|_| {
                    recorded = grad_enabled() && (&x * 2.0).has_history();
                    job_thread = rayon::current_thread_index();
                    job_done.store(true, SeqCst);
                });
                wait_for(&job_done);
            });
            // A, with B's half inside
            scope.spawn(|_| {
                kernel_thread = rayon::current_thread_index();
                no_grad(|| {
                    let first_half = || wait_for(&half_begun);
                    let second_half = || {
                        half_begun.store(true, SeqCst);
                        wait_for(&job_done);
                    };
                    parallel::region(|| rayon::join(first_half, second_half));
                    still_off = !grad_enabled();
                });
            });
        });
        (recorded, kernel_thread == job_thread, still_off)
    });
    assert!(same_thread, "the job ran on the thread that waits under no_grad");
    assert!(recorded && still_off);
}

#[test]
fn on_pool_is_on_a_thread_of_the_pool() {
    let here = thread::current().id();
    let pool = |threads| rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    // From a thread of a pool it stays there.
    for threads in [1, 3] {
        pool(threads).install(|| {
            let inside = thread::current().id();
            assert!(inside != here && on_pool(|| thread::current().id()) == inside);
        });
    }
    // From any other, it is handed over, and stays where it is inside of that.
    let (thread, index, nested) =
        on_pool(|| (thread::current().id(), rayon::current_thread_index(), on_pool(|| thread::current().id())));
    assert_eq!(thread, nested);
    assert_eq!(
        (index.is_some(), thread != here),
        if rayon::current_num_threads() > 1 { (true, true) } else { (false, false) }
    );
}

#[test]
fn on_pool_takes_settings_along_and_leaves_none_behind() {
    let x = Tensor::from(3.0).requires_grad();
    let recorded = || (&x * 2.0).has_history();
    assert!(on_pool(recorded));
    for _ in 0..20 {
        assert!(!no_grad(|| on_pool(recorded)));
        // Every thread of the pool, which on_pool itself would give the settings of this one.
        assert!(rayon::broadcast(|_| grad_enabled()).into_iter().all(|enabled| enabled));
    }
}

#[test]
fn a_panic_comes_out_of_the_pool() {
    let panic = std::panic::catch_unwind(|| on_pool(|| Tensor::ones(2).reshape([3]))).unwrap_err();
    let message = panic.downcast_ref::<String>().expect("a message");
    assert!(message.contains("reshape"), "{message}");
    assert_eq!(on_pool(|| Tensor::ones(2).sum(..).item()), 2.0);
}
