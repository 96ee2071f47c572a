//! Rayon with a single thread, which waits for what another thread makes: a process of its own, as rayon's threads are
//! counted once in a process.

use autograd::kernels::parallel::ELEMENTS;
use autograd::{Rng, Tensor};
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

/// Handed to the only thread of the pool, the work of the other one would never be done.
#[test]
fn the_only_thread_may_wait_for_another() {
    rayon::ThreadPoolBuilder::new().num_threads(1).build_global().expect("the first use of the pool");
    let (done, result) = channel();
    thread::spawn(move || {
        rayon::scope(|_| {
            let (sender, batches) = channel();
            let maker = thread::spawn(move || {
                let mut rng = Rng::seeded(0);
                let large = Tensor::randn([ELEMENTS / 64, 256], &mut rng);
                let product = large.transpose(0, 1).matmul(&large.tanh());
                sender.send(product.softmax(-1).sum(..)).expect("somebody waits");
            });
            let sum = batches.recv().expect("a batch").item();
            maker.join().expect("no panic");
            done.send(sum).expect("somebody waits");
        });
    });
    let sum = result.recv_timeout(Duration::from_secs(60)).expect("within a minute");
    assert!((sum - 256.0).abs() < 1e-2, "{sum}");
}
