//! Layers one after the other, and the loop that trains them.

use crate::moons::Points;
use anyhow::{Result, ensure};
use autograd::{Rng, Tensor, no_grad};
use common::{profile, progress};
use nn::optim::{Adam, AdamOptions, Optimizer};
use nn::{Linear, Module, impl_module};

/// What stands between two layers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Activation {
    None,
    Sigmoid,
    Tanh,
    Relu,
}

impl Activation {
    pub const ALL: [Activation; 4] = [Activation::None, Activation::Sigmoid, Activation::Tanh, Activation::Relu];

    /// Of each element.
    pub fn apply(self, z: &Tensor) -> Tensor {
        match self {
            Activation::None => z.clone(),
            Activation::Sigmoid => z.sigmoid(),
            Activation::Tanh => z.tanh(),
            Activation::Relu => z.relu(),
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Activation::None => "none",
            Activation::Sigmoid => "sigmoid",
            Activation::Tanh => "tanh",
            Activation::Relu => "relu",
        }
    }
}

// ANCHOR: mlp
/// A multilayer perceptron: linear layers with an activation between them.
pub struct Mlp {
    pub layers: Vec<Linear>,
    pub activation: Activation,
}

impl Mlp {
    /// Layers between these widths: `[2, 8, 1]` is two layers, with 8 hidden neurons.
    pub fn new(widths: &[usize], activation: Activation, rng: &mut Rng) -> Mlp {
        let layers = widths.windows(2).map(|pair| Linear::new(pair[0], pair[1], rng)).collect();
        Mlp { layers, activation }
    }

    /// Points `[B, 2]` to logits `[B, 1]`.
    pub fn forward(&self, x: &Tensor) -> Tensor {
        let (last, hidden) = self.layers.split_last().expect("there is a layer");
        let h = hidden.iter().fold(x.clone(), |h, layer| self.activation.apply(&layer.forward(&h))); // [B, H]
        last.forward(&h) // [B, 1]
    }
}
// ANCHOR_END: mlp

impl_module!(Mlp { layers, activation });

impl Module for Activation {
    fn visit(&self, _: &mut nn::Walk<'_>) {}

    fn describe(&self) -> String {
        format!("{self:?}")
    }
}

/// How to train.
#[derive(Clone, Copy, Debug)]
pub struct Training {
    pub steps: usize,
    pub lr: f64,
}

/// Trains `model` on all points at once in each step; returns the losses.
pub fn train(model: &Mlp, points: &Points, training: Training, label: &str) -> Result<Vec<(f64, f64)>> {
    let mut losses = Vec::new();
    let bar = progress(training.steps, label);
    // ANCHOR: train
    let mut adam = Adam::new(model.named_parameters(), AdamOptions { lr: training.lr, ..Default::default() });
    for step in 0..training.steps {
        let _step = profile::step();
        let logits = model.forward(&points.x); // [N, 2] -> [N, 1]
        let loss = logits.bce_with_logits(&points.y);
        adam.zero_grad();
        loss.backward();
        adam.step();
        losses.push((step as f64, f64::from(loss.item())));
        bar.inc(1);
    }
    // ANCHOR_END: train
    bar.finish_and_clear();
    ensure!(losses.iter().all(|(_, loss)| loss.is_finite()), "the loss of {label} is no number: try a smaller --lr");
    Ok(losses)
}

/// The share of points on the right side.
pub fn accuracy(model: &Mlp, points: &Points) -> f64 {
    let logits = no_grad(|| model.forward(&points.x)); // [N, 1]
    let right = logits.iter().zip(points.y.iter()).filter(|&(logit, y)| (logit > 0.0) == (y > 0.5)).count();
    right as f64 / points.y.count() as f64
}
