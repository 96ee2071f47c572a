//! Graphs of a million operations in a row, on a stack of 512 KiB.

use autograd::{BackwardOptions, GradOptions, Grads, Op, Tensor, grad};
use std::cell::RefCell;
use std::thread;

const LENGTH: usize = 1_000_000;

/// A tenth of what a thread has by default: recursion over the graph, at even one byte an operation,
/// would overflow it.
fn on_a_small_stack(f: impl FnOnce() + Send + 'static) {
    thread::Builder::new().stack_size(512 << 10).spawn(f).unwrap().join().unwrap();
}

/// x, negated an even number of times.
fn chain(x: &Tensor) -> Tensor {
    (0..LENGTH).fold(x.clone(), |y, _| -&y)
}

#[test]
fn forward_backward_and_drop() {
    on_a_small_stack(|| {
        let x = Tensor::from(3.0).requires_grad();
        let y = chain(&x);
        assert_eq!(y.item(), 3.0);
        y.backward();
        assert_eq!(x.grad().unwrap().item(), 1.0);
        drop(y);
    });
}

#[test]
fn drop_without_backward() {
    on_a_small_stack(|| drop(chain(&Tensor::from(3.0).requires_grad())));
}

#[test]
fn grad_and_a_retained_graph() {
    on_a_small_stack(|| {
        let x = Tensor::from(3.0).requires_grad();
        let y = chain(&x);
        let dx = grad(&[&y], &[&x], GradOptions { retain_graph: true, ..Default::default() }).remove(0);
        y.backward_with(BackwardOptions { retain_graph: true, ..Default::default() });
        y.backward();
        assert_eq!((dx.item(), x.grad().unwrap().item()), (1.0, 2.0));
    });
}

/// Each product saves its operand, and with it the operand's history.
#[test]
fn saved_operands() {
    on_a_small_stack(|| {
        let (x, one) = (Tensor::from(3.0).requires_grad(), Tensor::from(1.0).requires_grad());
        let products = || (0..LENGTH).fold(x.clone(), |y, _| y * &one);
        drop(products());
        products().backward();
        assert_eq!(x.grad().unwrap().item(), 1.0);
        // Each of the products has x for the other factor.
        assert_eq!(one.grad().unwrap().item(), 3.0 * LENGTH as f32);
    });
}

/// An identity that holds on to a tensor it does not depend on.
#[derive(Clone)]
struct Holding {
    _held: Option<Tensor>,
}

impl Op<f32> for Holding {
    const NAME: &'static str = "holding";
    fn backward(self, dy: Tensor, grads: &mut Grads<f32>) {
        grads.set(0, || dy);
    }
}

/// Between the links there is no edge: only what one saved leads to the next.
fn held_chain(x: &Tensor) -> Tensor {
    let link = |held: Option<Tensor>| Some(x.detach().recorded([x], || Holding { _held: held }));
    (0..LENGTH).fold(None, |held, _| link(held)).unwrap()
}

#[test]
fn a_chain_held_through_saved_tensors_only() {
    on_a_small_stack(|| {
        let x = Tensor::from(3.0).requires_grad();
        drop(held_chain(&x));
        // Backward consumes the last link, and with it all the others.
        held_chain(&x).backward();
        assert_eq!(x.grad().unwrap().item(), 1.0);
    });
}

/// The backward pass of a long chain is a long graph itself.
#[test]
fn the_graph_of_a_backward_pass() {
    on_a_small_stack(|| {
        let x = Tensor::from(1.0).requires_grad();
        let y = (0..100_000).fold(x.clone(), |y, _| y * &x);
        let dx = grad(&[&y], &[&x], GradOptions::create_graph()).remove(0);
        assert_eq!(dx.item(), 100_001.0);
        dx.backward();
        // n(n − 1) for n = 100,001, from sums of 10⁵ numbers that are rounded at 10¹⁰: within n·ε/2.
        let exact = 100_001.0 * 100_000.0;
        assert!((f64::from(x.grad().unwrap().item()) / exact - 1.0).abs() < 1e5 * f64::from(f32::EPSILON) / 2.0);
    });
}

/// A thread that ends drops its locals, and its stack is no deeper then.
#[test]
fn a_graph_in_a_thread_local() {
    thread_local! {
        static LAST: RefCell<Option<Tensor>> = const { RefCell::new(None) };
    }
    on_a_small_stack(|| {
        // Touched first, so that it is destroyed after whatever locals the engine has.
        LAST.set(None);
        LAST.set(Some(chain(&Tensor::from(3.0).requires_grad())));
    });
}

/// Many threads drop one graph.
#[test]
fn a_graph_that_threads_drop_at_once() {
    for _ in 0..10 {
        let x = Tensor::from(3.0).requires_grad();
        let mut y = x.clone();
        let mut handles: Vec<Vec<Tensor>> = vec![Vec::new(); 4];
        for i in 0..100_000 {
            y = -&y;
            handles[i % 4].push(y.clone());
        }
        drop(y);
        for handles in handles {
            thread::Builder::new().stack_size(512 << 10).spawn(move || drop(handles)).unwrap();
        }
    }
}
