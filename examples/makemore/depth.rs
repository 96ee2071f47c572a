//! Vanishing and exploding gradients: what depth, activation and scale of the weights do to signals.

use anyhow::Result;
use autograd::{Rng, Tensor};
use common::plot::{Labels, Panel, Series, save};
use std::path::Path;

const DEPTH: usize = 20;
const WIDTH: usize = 100;
const BATCH: usize = 256;

/// An activation by name.
type Activation = (&'static str, fn(&Tensor) -> Tensor);

const ACTIVATIONS: [Activation; 4] =
    [("none", |x| x.clone()), ("tanh", |x| x.tanh()), ("relu", |x| x.relu()), ("sigmoid", |x| x.sigmoid())];

/// The gains on weights of variance 1 / fan_in.
const GAINS: [(f32, &str); 4] = [(0.5, "gain 0.5"), (1.0, "gain 1"), (1.414_213_5, "gain √2"), (5.0 / 3.0, "gain 5/3")];

/// The vertical axis of all panels, in powers of ten.
const LEAST: f64 = -12.0;
const MOST: f64 = 6.0;

/// The spread of the activations of each layer, and of the gradients that reach them.
struct Signals {
    forward: Vec<(f64, f64)>,
    backward: Vec<(f64, f64)>,
}

/// Sends a normal signal through `DEPTH` layers and a normal gradient back.
fn send(activation: fn(&Tensor) -> Tensor, gain: f32, seed: u64) -> Signals {
    let mut rng = Rng::seeded(seed);
    let mut x = Tensor::randn([BATCH, WIDTH], &mut rng).requires_grad(); // [B, W]
    let mut layers = Vec::new();
    for _ in 0..DEPTH {
        let w = Tensor::randn([WIDTH, WIDTH], &mut rng) * (gain / (WIDTH as f32).sqrt());
        x = activation(&x.matmul(&w)); // [B, W]
        x.retain_grad();
        layers.push(x.clone());
    }
    (&x * Tensor::randn([BATCH, WIDTH], &mut rng)).sum(..).backward();
    let spread = |x: &Tensor| f64::from(x.detach().square().mean(..).item()).sqrt().max(1e-12).log10();
    let by_layer = |value: &dyn Fn(&Tensor) -> f64| (1..).map(f64::from).zip(layers.iter().map(value)).collect();
    Signals {
        forward: by_layer(&|x| spread(x)),
        backward: by_layer(&|x| spread(&x.retained_grad().expect("retain_grad was called"))),
    }
}

/// Draws, for each activation, how the spread changes from layer to layer at each gain.
pub fn draw(path: &Path, seed: u64) -> Result<()> {
    let (mut forward, mut backward) = (Vec::new(), Vec::new());
    for (name, activation) in ACTIVATIONS {
        let signals: Vec<_> = GAINS.iter().map(|&(gain, label)| (label, send(activation, gain, seed))).collect();
        let lines = |pick: fn(&Signals) -> &Vec<(f64, f64)>| -> Vec<Series<'_>> {
            signals.iter().map(|(label, signals)| Series { label, points: pick(signals).clone() }).collect()
        };
        let title = format!("activations, {name}");
        let labels = Labels { title: &title, x: "layer", y: "log10 of the RMS" };
        forward.push(Panel::lines(labels, &lines(|s| &s.forward)).y_range(LEAST, MOST));
        let title = format!("gradients, {name}");
        let labels = Labels { title: &title, x: "layer", y: "log10 of the RMS" };
        backward.push(Panel::lines(labels, &lines(|s| &s.backward)).y_range(LEAST, MOST));
    }
    forward.extend(backward);
    save(path, "Signals through 20 layers, there and back", 4, forward)
}
