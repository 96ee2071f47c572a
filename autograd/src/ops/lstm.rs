//! One layer of an LSTM over a whole sequence, in one direction (Hochreiter and Schmidhuber 1997, with the forget gate
//! of Gers et al. 2000), as one operation.
//!
//! ```text
//! s  = W_ih·x_t + b_ih + W_hh·h + b_hh         the sums of four gates, [B, 4H]
//! i, f, o = sigmoid(s_i), sigmoid(s_f), sigmoid(s_o)        g = tanh(s_g)
//! c ← f·c + i·g        h ← o·tanh(c)           y_t = h
//! ```
//!
//! Backward through time goes the other way: dh gathers dy_t and what the step behind sent, ds follows from it by the
//! formulas in [`kernels::lstm`](crate::kernels::lstm), and dh ← ds·W_hh goes to the step before. Then, over all steps
//! at once,
//!
//! ```text
//! dx = ds·W_ih        [dW_ih | dW_hh] = dsᵀ·[x | h_before]        db_ih = db_hh = Σ ds
//! ```
//!
//! Written with tensor operations, a step is a dozen nodes, each with a pass over memory that is too short to be worth
//! a thread. As one operation it is two products before and after the sequence, and for each step one product with
//! weights that were laid out for it once and one fused pass.
//!
//! Saved are the gates and c before each step, 5H numbers a row and step, over which backward writes ds; and, side by
//! side, h before each step and a copy of x. (The caller's x is held, too, but for `create_graph`.) Under
//! `create_graph` the steps are run again as tensor operations on the saved inputs, and those are differentiated.

use crate::graph::{GradOptions, Grads, MultiOp, grad, recorded_together};
use crate::kernels::element::Float;
use crate::kernels::gemm::{Gemm, MatMut, MatRef};
use crate::kernels::lstm::{self as kernel, Backward, Forward, Sizes};
use crate::ops::matmul::matrix;
use crate::ops::recurrent::{RecurrentWeights, SequenceOptions, step};
use crate::tensor::{Dims, Tensor};

#[derive(Clone)]
struct Lstm<T: Float> {
    /// x `[B, T, I]`
    x: Tensor<T>,
    /// h and c at the start, each `[B, H]`
    initial: [Tensor<T>; 2],
    weights: RecurrentWeights<T>,
    options: SequenceOptions,
    /// The gates and c before each step, `[B·T, 5H]`, in the kernel's order.
    cells: Tensor<T>,
    /// x and h before each step, `[B·T, I + H]`, in the same order.
    joint: Tensor<T>,
}

impl<T: Float> MultiOp<T, 3> for Lstm<T> {
    const NAME: &'static str = "lstm";
    fn backward(self, dys: [Option<Tensor<T>>; 3], grads: &mut Grads<'_, T>) {
        if grads.create_graph() { self.backward_composed(dys, grads) } else { self.backward_fused(dys, grads) }
    }
}

impl<T: Float> Lstm<T> {
    /// In the order in which they are recorded.
    fn inputs<'a>(
        x: &'a Tensor<T>,
        [h, c]: [&'a Tensor<T>; 2],
        weights: &'a RecurrentWeights<T>,
    ) -> Vec<&'a Tensor<T>> {
        [x, h, c].into_iter().chain(weights.tensors()).collect()
    }

    fn backward_fused(self, [dy, dh, dc]: [Option<Tensor<T>>; 3], grads: &mut Grads<'_, T>) {
        let Lstm { x, initial: _, weights, options, mut cells, joint } = self;
        let sizes = sizes(&x, &weights);
        let Sizes { batch, inputs, hidden, .. } = sizes;
        let mut d_state = joined([dh.as_ref(), dc.as_ref()], batch, hidden);
        let mut d_bias = Tensor::build(Dims::from([4 * hidden]), |_| {});
        let (dy, weight_hh) = (dy.map(|dy| dy.packed()), weights.weight_hh.packed());
        kernel::backward(Backward {
            sizes,
            order: options.order(),
            weight: weight_hh.slice(),
            cells: cells.slice_mut(),
            d_state: d_state.slice_mut(),
            dy: dy.as_ref().map_or(&[], |dy| dy.slice()),
            d_bias: d_bias.slice_mut(),
        });
        let ds = cells.narrow(1, 0, 4 * hidden); // [B·T, 4H]
        grads.set(0, || {
            let dx = product(&ds, &weights.weight_ih); // [B·T, I]
            Tensor::build(*x.shape(), |to| sizes.collect_inputs(options.order(), dx.slice(), to))
        });
        for input in [0, 1] {
            grads.set(1 + input, || d_state.narrow(1, input * hidden, hidden));
        }
        // Both in one product, so that ds, which is the larger operand, is read for it once; or the one that is wanted.
        let (of_x, of_h) = (grads.wants(3), grads.wants(4));
        let (first, end) = (if of_x { 0 } else { inputs }, if of_h { inputs + hidden } else { inputs });
        let d_weights = product(&ds.t(), &joint.narrow(1, first, end.saturating_sub(first))); // [4H, I + H]
        // Row-major, as optimisers take the gradients of parameters.
        grads.set(3, || d_weights.narrow(1, 0, inputs).packed());
        grads.set(4, || d_weights.narrow(1, inputs - first, hidden).packed());
        if weights.bias.is_some() {
            grads.set(5, || d_bias.clone());
            grads.set(6, || d_bias);
        }
    }

    fn backward_composed(self, dys: [Option<Tensor<T>>; 3], grads: &mut Grads<'_, T>) {
        // Each input under a node of its own, so that its gradient is told apart if it is there twice.
        let Lstm { x, initial: [h, c], weights, options, .. } = &self;
        let alias = |x: &Tensor<T>| x.reshape(x.shape());
        let (x, initial) = (alias(x), [alias(h), alias(c)]);
        let weights = weights.map(alias);
        let outputs = composed(&x, initial.each_ref(), &weights, options);
        let inputs = Lstm::inputs(&x, initial.each_ref(), &weights);
        let wanted: Vec<usize> = (0..inputs.len()).filter(|&input| grads.wants(input)).collect();
        let given = outputs.iter().zip(dys).filter_map(|(output, dy)| Some((output, dy?)));
        // With no steps, a final state is the initial one, and may have no history.
        let (outputs, dys): (Vec<_>, Vec<_>) = given.filter(|(output, _)| output.has_history()).unzip();
        let targets: Vec<_> = wanted.iter().map(|&input| inputs[input]).collect();
        let options = GradOptions { grad_outputs: Some(dys), allow_unused: true, ..GradOptions::create_graph() };
        for (input, dx) in wanted.into_iter().zip(grad(&outputs, &targets, options)) {
            grads.set(input, || dx);
        }
    }
}

/// Multiply-adds below which a product stays on its thread. Beside the steps, which take far longer, it finds the other
/// threads asleep, and to wake one takes as long as all of it.
const ALONE: usize = 1 << 22;

/// A·B, on one thread if it is small.
fn product<T: Float>(a: &Tensor<T>, b: &Tensor<T>) -> Tensor<T> {
    let (m, n) = (a.shape()[0], b.shape()[1]);
    Tensor::build(Dims::from([m, n]), |c| {
        Gemm::new(matrix(a, 0), matrix(b, 0)).serial_below(ALONE).write(MatMut::row_major(c, m, n));
    })
}

fn sizes<T: Float>(x: &Tensor<T>, weights: &RecurrentWeights<T>) -> Sizes {
    let [batch, steps, inputs] = [0, 1, 2].map(|axis| x.shape()[axis]);
    Sizes { batch, steps, inputs, hidden: weights.hidden() }
}

/// h and c side by side, `[B, 2H]`, without history; zeros for what is not there.
fn joined<T: Float>(states: [Option<&Tensor<T>>; 2], batch: usize, hidden: usize) -> Tensor<T> {
    let zeros = || Tensor::full_of([batch, hidden], T::ZERO);
    let [h, c] = states.map(|state| state.map_or_else(zeros, Tensor::detach));
    Tensor::cat(&[&h, &c], 1)
}

// ANCHOR: composed
/// The definition, in tensor operations.
fn composed<T: Float>(
    x: &Tensor<T>,
    [h, c]: [&Tensor<T>; 2],
    weights: &RecurrentWeights<T>,
    options: &SequenceOptions,
) -> [Tensor<T>; 3] {
    let hidden = weights.hidden();
    let from_input = x.linear(&weights.weight_ih, weights.bias_ih()); // [B, T, 4H]
    let (y, [h, c]) = options.walk(x.shape()[1], [h.clone(), c.clone()], |t, [h, c]| {
        let sums = step(&from_input, t) + h.linear(&weights.weight_hh, weights.bias_hh()); // [B, 4H]
        let gate = |index: usize| sums.narrow(1, index * hidden, hidden); // [B, H]
        let c = gate(1).sigmoid() * c + gate(0).sigmoid() * gate(2).tanh();
        [gate(3).sigmoid() * c.tanh(), c]
    });
    [y, h, c]
}
// ANCHOR_END: composed

impl<T: Float> Tensor<T> {
    /// One layer of an LSTM in one direction over sequences `[B, T, I]`, from the states h and c, each `[B, H]`.
    /// Returns the hidden state after each step, `[B, T, H]`, and the final h and c. As one layer of `torch.nn.LSTM`
    /// with `batch_first`.
    ///
    /// ```
    /// use autograd::{RecurrentWeights, Rng, SequenceOptions, Tensor};
    /// let mut rng = Rng::seeded(0);
    /// let weights = RecurrentWeights {
    ///     weight_ih: Tensor::randn([4 * 3, 2], &mut rng),
    ///     weight_hh: Tensor::randn([4 * 3, 3], &mut rng),
    ///     bias: None,
    /// };
    /// let (x, zeros) = (Tensor::randn([5, 7, 2], &mut rng), Tensor::zeros([5, 3]));
    /// let [y, h, c] = x.lstm([&zeros, &zeros], &weights, &SequenceOptions::default());
    /// assert_eq!((*y.shape(), *c.shape()), ([5, 7, 3].into(), [5, 3].into()));
    /// assert_eq!(y.narrow(1, 6, 1).to_vec(), h.to_vec());
    /// ```
    ///
    /// # Panics
    /// If the shapes are others, or the lengths of the sequences are not one for each, at most T.
    #[track_caller]
    pub fn lstm(
        &self,
        initial: [&Tensor<T>; 2],
        weights: &RecurrentWeights<T>,
        options: &SequenceOptions,
    ) -> [Tensor<T>; 3] {
        weights.check("lstm", 4, self, &initial, options);
        let sizes = sizes(self, weights);
        let (Sizes { batch, steps, inputs, hidden }, order) = (sizes, options.order());
        let [x, weight_ih, weight_hh] = [self, &weights.weight_ih, &weights.weight_hh].map(Tensor::packed);
        let bias = weights.bias.as_ref().map(|[b_ih, b_hh]| (b_ih.detach() + b_hh.detach()).packed());
        let (places, width) = (sizes.places(), sizes.joint_width());
        let mut joint = Tensor::build(Dims::from([places, width]), |joint| sizes.place_inputs(order, x.slice(), joint));
        let mut cells = Tensor::build(Dims::from([places, sizes.cell_width()]), |cells| {
            let x = MatRef::new(joint.slice(), [places, inputs], [width, 1]);
            let product = Gemm::new(x, MatRef::row_major(weight_ih.slice(), 4 * hidden, inputs).t());
            let product = bias.iter().fold(product, |product, bias| product.col_bias(bias.slice()));
            product.serial_below(ALONE).write(MatMut::new(cells, [places, 4 * hidden], [sizes.cell_width(), 1]));
        });
        let mut state = joined(initial.map(Some), batch, hidden);
        let y = Tensor::build(Dims::from([batch, steps, hidden]), |y| {
            let (cells, joint, state) = (cells.slice_mut(), joint.slice_mut(), state.slice_mut());
            kernel::forward(Forward { sizes, order, weight: weight_hh.slice(), cells, joint, state, y });
        });
        let outputs = [y, state.narrow(1, 0, hidden), state.narrow(1, hidden, hidden)];
        recorded_together(outputs, &Lstm::inputs(self, initial, weights), || Lstm {
            x: self.clone(),
            initial: initial.map(Tensor::clone),
            weights: weights.clone(),
            options: options.clone(),
            cells,
            joint,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gradcheck::gradcheck_to_order;
    use crate::ops::recurrent::testing::{check_gradients, inputs, orders, weights};
    use crate::rng::Rng;

    #[test]
    fn gradients() {
        check_gradients(4, |x, states, weights, options| x.lstm(states, weights, options).to_vec());
    }

    #[test]
    fn gradients_of_each_output_alone() {
        for output in 0..3 {
            let f = |inputs: &[Tensor<f64>]| {
                let [x, h, c, ..] = inputs else { unreachable!("seven inputs") };
                x.lstm([h, c], &weights(inputs), &SequenceOptions::default())[output].clone()
            };
            gradcheck_to_order(&f, &inputs(4, true), 3).unwrap();
        }
    }

    /// Forward and backward against the definition in tensor operations, for batches of several blocks, hidden sizes
    /// around a vector, and weights that are packed.
    #[test]
    fn agrees_with_the_definition() {
        let mut rng = Rng::seeded(9);
        for [batch, steps, features, hidden] in [
            [1, 1, 1, 1],
            [1, 20, 20, 50],
            [3, 5, 4, 15],
            [16, 2, 3, 16],
            [17, 4, 5, 17],
            [33, 3, 2, 100],
            [0, 3, 2, 4],
            [2, 0, 2, 4],
        ] {
            for options in orders() {
                let lengths = options.lengths.as_ref();
                let lengths = lengths.map(|lengths| (0..batch).map(|b| lengths[b % 2].min(steps)).collect());
                let options = SequenceOptions { lengths, ..options };
                let mut random = |shape: &[usize]| Tensor::randn_of::<f64>(shape, &mut rng);
                let inputs = [
                    random(&[steps, batch, features]),
                    random(&[batch, hidden]),
                    random(&[batch, hidden]),
                    random(&[4 * hidden, features]),
                    // Of a norm of about 3/4, so that errors do not grow from step to step.
                    random(&[4 * hidden, hidden]) * (0.25 / (hidden as f64).sqrt()),
                    random(&[4 * hidden]),
                    random(&[4 * hidden]),
                ]
                .map(|x| x.requires_grad());
                // A layout that is not row-major.
                let x = inputs[0].transpose(0, 1);
                let weights = weights(&inputs);
                let all = inputs.iter().collect::<Vec<_>>();
                let dys = vec![random(&[batch, steps, hidden]), random(&[batch, hidden]), random(&[batch, hidden])];
                let run = |outputs: [Tensor<f64>; 3]| {
                    // Without a step the definition's sequence of outputs depends on nothing.
                    let given = outputs.iter().zip(&dys).filter(|(output, _)| output.has_history());
                    let (connected, dys): (Vec<_>, Vec<_>) = given.map(|(output, dy)| (output, dy.clone())).unzip();
                    let options = GradOptions {
                        grad_outputs: Some(dys),
                        allow_unused: true,
                        retain_graph: true,
                        ..Default::default()
                    };
                    let gradients = grad(&connected, &all, options);
                    outputs.iter().cloned().chain(gradients).collect::<Vec<_>>()
                };
                let ours = run(x.lstm([&inputs[1], &inputs[2]], &weights, &options));
                let definition = run(composed(&x, [&inputs[1], &inputs[2]], &weights, &options));
                for (index, (ours, definition)) in ours.iter().zip(&definition).enumerate() {
                    assert_eq!(ours.shape(), definition.shape());
                    // Both round sums in an order of their own: of H + I products for each gate, of 4H for each
                    // gradient of a state, one after the other over T steps; and for the gradients of the weights,
                    // which come last, over all rows besides. Each function on the way adds a few.
                    let of_weights = index >= 6;
                    let terms = steps * (4 * hidden + features + 20) + if of_weights { batch * steps } else { 0 };
                    let largest = definition.iter().fold(1.0, |largest: f64, x| largest.max(x.abs()));
                    for (ours, definition) in ours.iter().zip(definition.iter()) {
                        let error = (ours - definition).abs();
                        assert!(
                            error <= terms as f64 * f64::EPSILON * largest,
                            "[{batch}, {steps}, {features}, {hidden}] {options:?}, {index}: {ours} and {definition}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn the_same_tensor_may_be_given_twice() {
        let mut rng = Rng::seeded(10);
        let state = Tensor::randn_of::<f64>([2, 3], &mut rng);
        let f = |inputs: &[Tensor<f64>]| {
            let all = self::inputs(4, true);
            all[0].lstm([&inputs[0], &inputs[0]], &weights(&all), &SequenceOptions::default())[0].clone()
        };
        gradcheck_to_order(&f, &[state], 2).unwrap();
    }

    #[test]
    fn the_same_bits_on_one_thread_and_on_several() {
        let mut rng = Rng::seeded(11);
        let x = Tensor::randn([40, 6, 8], &mut rng);
        let weights = RecurrentWeights {
            weight_ih: Tensor::randn([4 * 96, 8], &mut rng).requires_grad(),
            weight_hh: (Tensor::randn([4 * 96, 96], &mut rng) * 0.1).requires_grad(),
            bias: None,
        };
        let zeros = Tensor::zeros([40, 96]);
        let run = || {
            let [y, ..] = x.lstm([&zeros, &zeros], &weights, &SequenceOptions::default());
            let dw = grad(&[&y.square().sum(..)], &[&weights.weight_ih, &weights.weight_hh], GradOptions::default());
            [y.to_vec(), dw[0].to_vec(), dw[1].to_vec()]
        };
        let pool = |threads| rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let alone = pool(1).install(run);
        assert_eq!(pool(2).install(run), alone);
        assert_eq!(pool(5).install(run), alone);
    }

    #[test]
    #[should_panic(expected = "lstm: lengths [4, 1] for a batch of 2 sequences of 3 steps")]
    fn a_length_beyond_the_end_is_refused() {
        let all = inputs(4, false);
        let options = SequenceOptions { lengths: Some(vec![4, 1]), ..Default::default() };
        all[0].lstm([&all[1], &all[2]], &weights(&all), &options);
    }

    #[test]
    #[should_panic(expected = "lstm: an initial state of shape [2, 3] for an input of shape [2, 3, 2]")]
    fn a_state_of_another_size_is_refused() {
        let all = inputs(4, false);
        let weights = RecurrentWeights {
            weight_ih: Tensor::zeros_of::<f64>([4 * 2, 2]),
            weight_hh: Tensor::zeros_of::<f64>([4 * 2, 2]),
            bias: None,
        };
        all[0].lstm([&all[1], &all[2]], &weights, &SequenceOptions::default());
    }
}
