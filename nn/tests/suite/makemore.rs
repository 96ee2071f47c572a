//! A whole training run of makemore's network, loss by loss as PyTorch's: by SGD whose learning rate falls by a
//! step, and by Adam; in `f64` on the engine alone, in `f32` with this library's parameters and optimisers.
//!
//! `tests/fixtures/make_makemore.py` made the numbers, and says how the initial weights and the batches come about.
//!
//! The bounds: let κ be the number of roundings that an element of a gradient goes through. Its sums run over
//! 32 examples, 30 numbers of a context, 20 hidden neurons and 27 classes, and each function on the way adds a few:
//! κ = 128. What these roundings of u = ε/2 do to a step is what weights that are off by κ·u would have done. The
//! file says by how much the losses of PyTorch's run move when its weights do, relative to that; a step's error may
//! so reach every later loss. At step t, counted from 1, that is t·κ·u·growth, and κ·u·loss for the last loss itself.

use crate::fixture::Lcg;
use autograd::{Float, Tensor};
use nn::optim::{Adam, AdamOptions, Optimizer, Scheduler, Sgd, SgdOptions, StepLr};
use nn::{Module, Parameter, impl_module};
use serde_json::Value;
use std::sync::LazyLock;

static FIXTURE: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(include_str!("../fixtures/makemore.json")).expect("valid JSON"));

const BATCH: usize = 32;
const STEPS: usize = 100;
const ROUNDINGS: f64 = 128.0;

fn doubles(value: &Value) -> Vec<f64> {
    value.as_array().expect("an array").iter().map(|x| x.as_f64().expect("a number")).collect()
}

fn number(value: &Value) -> f64 {
    value.as_f64().expect("a number")
}

// ---- the data, as in make_makemore.py ----

/// Contexts `[32, 3]`, and the characters that follow, `[32]`.
fn next_batch(lcg: &mut Lcg) -> (Tensor<i64>, Tensor<i64>) {
    let x = lcg.below(27, &[BATCH, 3]);
    let shift = lcg.below(3, &[BATCH]);
    let y = Tensor::from_fn([BATCH], |i| (x.value_at([i, 2]) + shift.value_at([i])) % 27);
    (x, y)
}

/// C, W1, b1, W2, b2.
fn weights<T: Float>(lcg: &mut Lcg) -> [Tensor<T>; 5] {
    let sizes: [(f64, &[usize]); 5] =
        [(4.0, &[27, 10]), (0.5, &[30, 20]), (0.25, &[20]), (0.5, &[20, 27]), (0.25, &[27])];
    sizes.map(|(scale, shape)| lcg.uniform(scale, shape))
}

fn loss<T: Float>([c, w1, b1, w2, b2]: [&Tensor<T>; 5], x: &Tensor<i64>, y: &Tensor<i64>) -> Tensor<T> {
    let penalties = doubles(&FIXTURE["penalties"]);
    let embedded = c.embedding(x).flatten(1); // [32, 30]
    let hidden = embedded.addmm(w1, b1).tanh(); // [32, 20]
    let logits = hidden.addmm(w2, b2); // [32, 27]
    let penalty = |i: usize, w: &Tensor<T>| w.square().mean(..) * T::from_f64(penalties[i]);
    logits.cross_entropy(y) + penalty(0, c) + penalty(1, w1) + penalty(2, w2)
}

// ---- the comparison ----

/// What a run gave: the loss at each step, and the weights in the end.
struct Run {
    losses: Vec<f64>,
    weights: Vec<Vec<f64>>,
}

impl Run {
    fn assert_like_pytorch(&self, expected: &Value, epsilon: f64) {
        let rounding = ROUNDINGS * epsilon / 2.0;
        let losses = doubles(&expected["losses"]);
        assert_eq!((self.losses.len(), losses.len()), (STEPS, STEPS));
        for (step, (loss, want)) in (1..).zip(self.losses.iter().zip(losses)) {
            let bound = rounding * (f64::from(step) * number(&expected["loss_growth"]) + want);
            assert!((loss - want).abs() <= bound, "loss at step {step}: {loss} and not {want}, bound {bound:e}");
        }
        let bound = rounding * STEPS as f64 * number(&expected["weight_growth"]);
        for (i, weights) in expected["weights"].as_array().expect("an array").iter().enumerate() {
            let every_seventh = self.weights[i].iter().step_by(7);
            let wanted = doubles(weights);
            assert_eq!(every_seventh.len(), wanted.len());
            for (w, want) in every_seventh.zip(wanted) {
                assert!((w - want).abs() <= bound, "weight in tensor {i}: {w} and not {want}, bound {bound:e}");
            }
        }
    }
}

// ---- f64: the engine alone ----

/// Trains by `rule`, which has the step (from 1), the number of the tensor, its values and its gradient.
fn train(mut rule: impl FnMut(usize, usize, &mut [f64], &[f64])) -> Run {
    let mut data = Lcg::new();
    let mut weights = weights::<f64>(&mut data).map(|w| w.requires_grad());
    let mut losses = Vec::new();
    for step in 1..=STEPS {
        let (x, y) = next_batch(&mut data);
        let loss = loss(weights.each_ref(), &x, &y);
        loss.backward();
        losses.push(loss.item());
        drop(loss);
        for (i, w) in weights.iter_mut().enumerate() {
            let mut values = w.to_vec();
            rule(step, i, &mut values, &w.grad().expect("every weight has a gradient").to_vec());
            *w = Tensor::from_slice(&values, *w.shape()).requires_grad();
        }
    }
    Run { losses, weights: weights.iter().map(Tensor::to_vec).collect() }
}

#[test]
fn sgd_in_f64() {
    let expected = &FIXTURE["sgd"];
    let [lr, step_size, gamma] = ["lr", "step_size", "gamma"].map(|name| number(&expected["options"][name]));
    let run = train(|step, _, w, dw| {
        let lr = lr * gamma.powi(((step - 1) as f64 / step_size) as i32);
        w.iter_mut().zip(dw).for_each(|(w, dw)| *w -= lr * dw);
    });
    run.assert_like_pytorch(expected, f64::EPSILON);
}

#[test]
fn adam_in_f64() {
    let expected = &FIXTURE["adam"];
    let lr = number(&expected["options"]["lr"]);
    let (beta1, beta2, eps) = (0.9_f64, 0.999_f64, 1e-8);
    // The running means of each weight's gradient and of its square.
    let mut means: Vec<Vec<(f64, f64)>> = vec![Vec::new(); 5];
    let run = train(|step, i, w, dw| {
        means[i].resize(w.len(), (0.0, 0.0));
        for ((w, dw), (m, v)) in w.iter_mut().zip(dw).zip(&mut means[i]) {
            *m = beta1 * *m + (1.0 - beta1) * dw;
            *v = beta2 * *v + (1.0 - beta2) * dw * dw;
            let (m, v) = (*m / (1.0 - beta1.powi(step as i32)), *v / (1.0 - beta2.powi(step as i32)));
            *w -= lr * m / (v.sqrt() + eps);
        }
    });
    run.assert_like_pytorch(expected, f64::EPSILON);
}

// ---- f32: parameters and optimisers ----

struct Network {
    c: Parameter,
    w1: Parameter,
    b1: Parameter,
    w2: Parameter,
    b2: Parameter,
}
impl_module!(Network { c, w1, b1, w2, b2 });

/// Trains with the optimiser that `make` makes of the parameters, and with the schedule, if there is one.
fn train_module<O: Optimizer>(make: impl FnOnce(Vec<(String, Parameter)>) -> O, schedule: Option<StepLr>) -> Run {
    let mut data = Lcg::new();
    let [c, w1, b1, w2, b2] = weights(&mut data).map(Parameter::new);
    let network = Network { c, w1, b1, w2, b2 };
    let mut optimizer = make(network.named_parameters());
    let mut scheduler = schedule.map(|schedule| Scheduler::new(schedule, &mut optimizer));
    let mut losses = Vec::new();
    let Network { c, w1, b1, w2, b2 } = &network;
    let parameters = [c, w1, b1, w2, b2];
    for _ in 0..STEPS {
        let (x, y) = next_batch(&mut data);
        let weights = parameters.map(Parameter::value);
        let loss = loss(weights.each_ref(), &x, &y);
        optimizer.zero_grad();
        loss.backward();
        optimizer.step();
        if let Some(scheduler) = &mut scheduler {
            scheduler.step(&mut optimizer);
        }
        losses.push(f64::from(loss.item()));
    }
    let weights = parameters.map(|w| w.value().iter().map(f64::from).collect());
    Run { losses, weights: weights.into() }
}

#[test]
fn sgd_in_f32() {
    let expected = &FIXTURE["sgd"];
    let option = |name: &str| number(&expected["options"][name]);
    let options = SgdOptions { lr: option("lr"), ..Default::default() };
    let schedule = StepLr { step_size: option("step_size") as usize, gamma: option("gamma") };
    let run = train_module(|parameters| Sgd::new(parameters, options), Some(schedule));
    run.assert_like_pytorch(expected, f64::from(f32::EPSILON));
}

#[test]
fn adam_in_f32() {
    let expected = &FIXTURE["adam"];
    let options = AdamOptions { lr: number(&expected["options"]["lr"]), ..Default::default() };
    let run = train_module(|parameters| Adam::new(parameters, options), None);
    run.assert_like_pytorch(expected, f64::from(f32::EPSILON));
}
