//! Part 3: what a neuron says, at every point of the plane of its two inputs.

use crate::layer::Layer;
use crate::mlp::Activation;
use anyhow::Result;
use autograd::Tensor;
use common::plot::{Labels, Panel, Surface, save};
use std::path::Path;

/// Columns and rows of a picture.
const SIDE: usize = 80;

/// A grid over a rectangle of the plane: `[SIDE², 2]`, in rows from below.
pub fn grid(x: (f64, f64), y: (f64, f64)) -> Tensor {
    let at = |(from, to): (f64, f64), i: usize| (from + (to - from) * (i as f64 + 0.5) / SIDE as f64) as f32;
    let cell = |i: usize| if i.is_multiple_of(2) { at(x, i / 2 % SIDE) } else { at(y, i / 2 / SIDE) };
    Tensor::from_fn([SIDE * SIDE, 2], cell)
}

/// Values at the points of [`grid`] as a picture's surface.
pub fn surface(values: &Tensor, x: (f64, f64), y: (f64, f64)) -> Surface {
    let values: Vec<f64> = values.iter().map(f64::from).collect();
    Surface { rows: values.chunks(SIDE).map(<[f64]>::to_vec).collect(), x, y }
}

/// Prints the lesson; draws `activations.png` and `layer.png`.
pub fn lesson(layer: &Layer, out: &Path) -> Result<()> {
    println!(
        "\n3. What a neuron looks like\n\n\
         With two inputs, a neuron is a landscape over a plane. w·x + b is a slope: it rises in the direction of w, and is\n\
         0 along a straight line, which b moves. The activation bends the slope, and leaves the line where it is\n\
         (activations.png: the fourth neuron with each). layer.png has the four neurons: a step, a fold, each across a\n\
         straight line of its own. One neuron can separate nothing but what lies on two sides of a line."
    );
    let area = (-3.0, 3.0);
    let plane = grid(area, area); // [SIDE², 2]
    let weights = layer.weight.to_vec();
    let formula = |i: usize| {
        let (w1, w2, b) = (weights[2 * i], weights[2 * i + 1], layer.bias.to_vec()[i]);
        format!("{w1}·x1 {} {}·x2 {} {}", sign(w2), w2.abs(), sign(b), b.abs())
    };

    let z = plane.linear(&layer.weight, Some(&layer.bias)).narrow(1, 3, 1); // [SIDE², 1]
    let panel = |activation: Activation| {
        let values = activation.apply(&z);
        let title = match activation {
            Activation::None => formula(3),
            _ => format!("{}({})", activation.name(), formula(3)),
        };
        let labels = Labels { title: &title, x: "x1", y: "x2" };
        // The line is where w·x + b = 0, which sigmoid turns into a half, and relu into an edge.
        let middle = if activation == Activation::Sigmoid { 0.5 } else { 0.0 };
        Panel::surface(labels, &surface(&values, area, area), middle, &[])
    };
    let panels = Activation::ALL.map(panel).into();
    save(&out.join("activations.png"), "One neuron, four activations", 2, panels)?;

    let said = layer.forward(&plane); // [SIDE², 4]
    let panel = |i: usize| {
        let title = format!("neuron {}: tanh({})", i + 1, formula(i));
        let labels = Labels { title: &title, x: "x1", y: "x2" };
        Panel::surface(labels, &surface(&said.narrow(1, i, 1), area, area), 0.0, &[])
    };
    save(&out.join("layer.png"), "A layer of four neurons", 2, (0..4).map(panel).collect())
}

fn sign(x: f32) -> char {
    if x < 0.0 { '-' } else { '+' }
}
