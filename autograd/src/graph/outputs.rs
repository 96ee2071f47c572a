//! Operations with several outputs, such as a recurrent layer's sequence and its last states.
//!
//! The operation is one node. In front of it each output has a small node of its own, an `Output`, whose backward
//! only says which output a gradient is of. Those nodes are younger than the operation's, so all of them have been
//! taken by the time the operation is, and its backward is called once, with everything that reached any output.

use super::anomaly;
use super::gradient::{Gradient, Incoming};
use super::grads::Grads;
use super::mode;
use super::node::{Head, History, Node, lock};
use crate::kernels::element::{Element, Float};
use crate::profile::{self, Timer, What};
use crate::tensor::{Dims, Tensor};
use std::panic::Location;
use std::sync::Mutex;

/// An operation with `N` outputs that was run; [`Op`](super::Op) is one with a single output.
///
/// ```
/// use autograd::{Grads, MultiOp, Tensor, recorded_together};
///
/// /// (x + 1, x²)
/// #[derive(Clone)]
/// struct Both(Tensor);
///
/// impl MultiOp<f32, 2> for Both {
///     const NAME: &'static str = "both";
///     fn backward(self, [d_next, d_square]: [Option<Tensor>; 2], grads: &mut Grads<f32>) {
///         grads.set(0, || {
///             let d_next = d_next.unwrap_or_else(|| self.0.zeros_like());
///             d_square.map_or(d_next.clone(), |dy| dy * &self.0 * 2.0 + d_next)
///         });
///     }
/// }
///
/// let x = Tensor::from([3.0]).requires_grad();
/// let outputs = [x.detach() + 1.0, x.detach().square()];
/// let [next, square] = recorded_together(outputs, &[&x], || Both(x.clone()));
/// (next * square).sum(..).backward();
/// assert_eq!(x.grad().unwrap().item(), 9.0 + 4.0 * 6.0);
/// ```
pub trait MultiOp<T: Element, const N: usize>: Clone + Send + Sync + 'static {
    /// The name that errors, drawings and the profiler show.
    const NAME: &'static str;

    /// Given dL/dy for each output that the loss depends on, at least one, sets dL/dx for each input that
    /// [`Grads`] asks for, as [`Op::backward`](super::Op::backward) does.
    fn backward(self, dys: [Option<Tensor<T>>; N], grads: &mut Grads<'_, T>);
}

/// Gives freshly calculated tensors their common history: `op`, applied to `inputs`. As
/// [`Tensor::recorded_from`], of which this is the counterpart for several outputs.
#[inline(never)]
#[track_caller]
pub fn recorded_together<T: Float, O: MultiOp<T, N>, const N: usize>(
    mut outputs: [Tensor<T>; N],
    inputs: &[&Tensor<T>],
    op: impl FnOnce() -> O,
) -> [Tensor<T>; N] {
    let line = Location::caller();
    let _timing = profile::on().then(|| {
        let shape = outputs.first().map_or(Dims::from([0]), |first| *first.shape());
        Timer::named(What { name: O::NAME, shape, line }, true)
    });
    if mode::anomaly_enabled() {
        outputs.iter().for_each(|output| anomaly::check_forward(O::NAME, output, inputs, line));
    }
    if mode::grad_enabled() && inputs.iter().any(|x| x.has_history()) {
        let histories = inputs.iter().map(|x| x.history.clone()).collect();
        let head = Head::new(Dims::from([0]), line);
        let bundle = History::of(Bundle { head, inputs: histories, saved: Mutex::new(Some(op())) });
        for (index, output) in outputs.iter_mut().enumerate() {
            let head = Head::new(*output.shape(), line);
            output.history = History::of(Output { head, of: [bundle.clone()], index, count: N });
            if mode::watching() {
                super::draw::remember(output, inputs);
            }
        }
    }
    outputs
}

/// The operation.
struct Bundle<T: Element, O, const N: usize> {
    head: Head<T>,
    inputs: Vec<History<T>>,
    saved: Mutex<Option<O>>,
}

/// One of its outputs.
struct Output<T: Element> {
    head: Head<T>,
    /// The operation.
    of: [History<T>; 1],
    index: usize,
    count: usize,
}

impl<T: Float, O: MultiOp<T, N>, const N: usize> Node<T> for Bundle<T, O, N> {
    fn head(&self) -> &Head<T> {
        &self.head
    }
    fn name(&self) -> &'static str {
        O::NAME
    }
    fn inputs(&self) -> &[History<T>] {
        &self.inputs
    }
    fn slot(&self) -> Option<&Mutex<Option<Gradient<T>>>> {
        None
    }
    fn backward(&self, dy: Incoming<T>, keep: bool, grads: &mut Grads<'_, T>) -> bool {
        let saved = if keep { lock(&self.saved).clone() } else { lock(&self.saved).take() };
        let Some(op) = saved else { return false };
        let Incoming::OfOutputs(dys) = dy else { unreachable!("only an `Output` leads here") };
        let dys = dys.try_into().unwrap_or_else(|_| unreachable!("an `Output` knows how many there are"));
        op.backward(dys, grads);
        true
    }
}

impl<T: Float> Node<T> for Output<T> {
    fn head(&self) -> &Head<T> {
        &self.head
    }
    fn name(&self) -> &'static str {
        "output"
    }
    fn inputs(&self) -> &[History<T>] {
        &self.of
    }
    fn slot(&self) -> Option<&Mutex<Option<Gradient<T>>>> {
        None
    }
    fn backward(&self, dy: Incoming<T>, _: bool, grads: &mut Grads<'_, T>) -> bool {
        let mut dys = vec![None; self.count];
        dys[self.index] = Some(dy.into_gradient().into_dense());
        grads.sink.add(0, Incoming::OfOutputs(dys));
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gradcheck::gradcheck_to_order;
    use crate::graph::{BackwardOptions, GradOptions, detect_anomaly, grad, no_grad};
    use crate::rng::Rng;

    /// (x·y, x + y)
    #[derive(Clone)]
    struct ProductAndSum<T: Float>([Tensor<T>; 2]);

    impl<T: Float> MultiOp<T, 2> for ProductAndSum<T> {
        const NAME: &'static str = "product_and_sum";
        fn backward(self, [d_product, d_sum]: [Option<Tensor<T>>; 2], grads: &mut Grads<'_, T>) {
            for input in 0..2 {
                grads.set(input, || {
                    let from_product = d_product.as_ref().map(|dy| dy * &self.0[1 - input]);
                    match (from_product, &d_sum) {
                        (Some(a), Some(b)) => a + b,
                        (a, b) => a.or(b.clone()).expect("one of them is given"),
                    }
                });
            }
        }
    }

    fn both<T: Float>(x: &Tensor<T>, y: &Tensor<T>) -> [Tensor<T>; 2] {
        let outputs = no_grad(|| [x * y, x + y]);
        recorded_together(outputs, &[x, y], || ProductAndSum([x.clone(), y.clone()]))
    }

    #[test]
    fn gradients_of_either_output_and_of_both() {
        let mut rng = Rng::seeded(1);
        let inputs = [(); 2].map(|()| Tensor::randn_of::<f64>([3], &mut rng));
        gradcheck_to_order(&|x| both(&x[0], &x[1])[0].clone(), &inputs, 3).unwrap();
        gradcheck_to_order(&|x| both(&x[0], &x[1])[1].clone(), &inputs, 2).unwrap();
        gradcheck_to_order(&|x| both(&x[0], &x[1]).into_iter().reduce(|a, b| a * b).unwrap(), &inputs, 3).unwrap();
    }

    #[test]
    fn gradients_of_outputs_that_are_used_twice_add_up() {
        let [x, y] = [Tensor::from([2.0]).requires_grad(), Tensor::from([5.0])];
        let [product, sum] = both(&x, &y);
        (&product + &product * &sum + &sum).sum(..).backward();
        // d/dx of xy + xy(x + y) + x + y = y + 2xy + y² + 1
        assert_eq!(x.grad().unwrap().item(), 5.0 + 20.0 + 25.0 + 1.0);
    }

    #[test]
    fn the_graph_is_freed_once_and_kept_if_asked() {
        let x = Tensor::from([2.0]).requires_grad();
        let [product, _] = both(&x, &x);
        product.backward_with(BackwardOptions { retain_graph: true, ..Default::default() });
        product.backward();
        assert_eq!(x.grad().unwrap().item(), 8.0);
        let again = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| product.backward())).unwrap_err();
        assert!(again.downcast_ref::<String>().unwrap().contains("product_and_sum"));
    }

    #[test]
    fn an_output_on_the_way_can_be_asked_for() {
        let x = Tensor::from([2.0]).requires_grad();
        let [product, sum] = both(&x, &Tensor::from([5.0]));
        let gradients = grad(&[&(&product * &sum)], &[&product, &x], GradOptions::default());
        assert_eq!([gradients[0].item(), gradients[1].item()], [7.0, 5.0 * 7.0 + 10.0]);
    }

    #[test]
    fn nothing_is_recorded_without_need() {
        let x = Tensor::from([2.0]);
        let op = || -> ProductAndSum<f32> { unreachable!("not even made") };
        assert!(recorded_together([x.clone(), x.clone()], &[&x], op).iter().all(|y| !y.has_history()));
    }

    #[test]
    #[should_panic(expected = "anomaly: forward of product_and_sum")]
    fn anomalies_are_found() {
        let x = Tensor::from([3.0]).requires_grad();
        let outputs = [Tensor::from([3.0]), Tensor::from([f32::INFINITY])];
        detect_anomaly(|| recorded_together(outputs, &[&x], || ProductAndSum([x.clone(), x.clone()])));
    }
}
