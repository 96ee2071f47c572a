//! Part 6: why there is an activation between layers, and what becomes of gradients in many layers.

use crate::mlp::{Activation, Mlp, Training, accuracy, train};
use crate::moons::{Moons, Points};
use anyhow::Result;
use autograd::{Rng, Tensor, no_grad};
use common::plot::{Labels, Panel, Series, save};
use common::progress;
use nn::Module;
use std::path::Path;

/// Neurons of each hidden layer.
const WIDTH: usize = 16;

/// Prints the lesson and draws `depth.png`.
pub fn lesson(data: &Moons, training: Training, quick: bool, seed: u64, out: &Path) -> Result<()> {
    collapse(data, training, seed)?;
    gradients(data, training, quick, seed, out)
}

/// Linear layers without an activation are one linear layer.
fn collapse(data: &Moons, training: Training, seed: u64) -> Result<()> {
    let model = Mlp::new(&[2, WIDTH, WIDTH, 1], Activation::None, &mut Rng::seeded(seed));
    train(&model, &data.train, training, "no activation")?;
    // ANCHOR: collapse
    let parts = model.layers.iter().map(|layer| (layer.weight.value(), layer.bias.as_ref().expect("a bias").value()));
    let (weight, bias) = parts
        .reduce(|(w1, b1), (w2, b2)| (w2.matmul(&w1), w2.matmul(&b1) + b2)) // W2·(W1·x + b1) + b2
        .expect("there are layers"); // [1, 2], [1]
    // ANCHOR_END: collapse
    let (three, one) = no_grad(|| (model.forward(&data.held_out.x), data.held_out.x.linear(&weight, Some(&bias)))); // [N, 1] both
    let apart = (&three - &one).abs().max(..).item();
    println!(
        "\n6. Why the activation, and why depth is hard\n\n\
         Three layers without an activation have {} parameters, and W3·(W2·(W1·x + b1) + b2) + b3 is one matrix and one bias\n\
         after all: w = {:.2?}, b = {:.2?}, with which a single neuron says the same to within {apart:.0e}. Trained\n\
         on the moons, they get {:.1} % of held-out points right: a line, for any number of layers.",
        model.parameter_count(),
        weight.to_vec(),
        bias.to_vec(),
        accuracy(&model, &data.held_out) * 100.0
    );
    Ok(())
}

/// How the weights of a network start.
#[derive(Clone, Copy)]
enum Start {
    /// As `torch.nn.Linear`: uniform within ±1/√fan_in, whose variance is 1/(3·fan_in)
    PyTorch,
    /// Variance gain²/fan_in with a gain that suits the activation, biases zero
    Gain,
    /// Three times as large
    TooLarge,
}

fn network(layers: usize, activation: Activation, start: Start, seed: u64) -> Mlp {
    let mut rng = Rng::seeded(seed);
    let widths: Vec<usize> = [2].into_iter().chain(vec![WIDTH; layers]).chain([1]).collect();
    let model = Mlp::new(&widths, activation, &mut rng);
    let suits = match activation {
        Activation::None => 1.0,
        Activation::Relu => 2_f32.sqrt(),
        Activation::Tanh => 5.0 / 3.0,
        // Its slope at 0 is 1/4.
        Activation::Sigmoid => 4.0,
    };
    let gain = match start {
        Start::PyTorch => return model,
        Start::Gain => suits,
        Start::TooLarge => 3.0 * suits,
    };
    for layer in &model.layers {
        let shape = layer.weight.shape(); // [out, in]
        layer.weight.set(&(Tensor::randn(shape, &mut rng) * (gain / (shape[1] as f32).sqrt())));
        if let Some(bias) = &layer.bias {
            bias.set(&Tensor::zeros(bias.shape()));
        }
    }
    model
}

/// The root mean square of the gradient that the first layer's weights get, before any training.
fn first_gradient(model: &Mlp, points: &Points) -> f64 {
    model.forward(&points.x).bce_with_logits(&points.y).backward();
    let gradient = model.layers[0].weight.grad().expect("it is trained");
    f64::from(gradient.square().mean(..).item()).sqrt()
}

/// Below and above this, a picture shows no more.
const LEAST: f64 = -12.0;
const MOST: f64 = 10.0;

fn gradients(data: &Moons, training: Training, quick: bool, seed: u64, out: &Path) -> Result<()> {
    let most = if quick { 4 } else { 24 };
    let depths: Vec<usize> = (1..=most).collect();
    let starts = [
        (Start::PyTorch, "PyTorch's start, U(±1/√n)"),
        (Start::Gain, "a gain that suits the activation"),
        (Start::TooLarge, "three times that"),
    ];
    println!(
        "\nWith an activation, depth is worth having, if the gradient gets through. It is multiplied by a matrix and by the\n\
         slopes of an activation in each layer it comes through. How large it is at the first of 1 and of {most} hidden\n\
         layers of {WIDTH} neurons, and what each layer in between multiplies it by:\n"
    );
    let mut panels = Vec::new();
    for (start, title) in starts {
        println!("    {title}");
        let mut lines = Vec::new();
        for activation in Activation::ALL {
            let size = |layers: usize| {
                // Several starts, so that it is not one start's luck.
                let sizes = (0..8)
                    .map(|i| first_gradient(&network(layers, activation, start, seed.wrapping_add(i)), &data.train));
                sizes.map(|size| size.max(1e-30).log10()).sum::<f64>() / 8.0
            };
            let points: Vec<_> = depths.iter().map(|&layers| (layers as f64, size(layers))).collect();
            let (first, last) = (points[0].1, points[points.len() - 1].1);
            println!(
                "      {:>8}: {:8.1e}   {:8.1e}   ×{:.2} a layer",
                activation.name(),
                10_f64.powf(first),
                10_f64.powf(last),
                10_f64.powf((last - first) / (most - 1) as f64)
            );
            let points = points.into_iter().map(|(x, y)| (x, y.clamp(LEAST, MOST))).collect();
            lines.push(Series { label: activation.name(), points });
        }
        let labels = Labels { title, x: "hidden layers", y: "log10 of dL/dW1 (RMS)" };
        panels.push(Panel::lines(labels, &lines).y_range(LEAST, MOST));
    }

    let depths: &[usize] = if quick { &[1, 2] } else { &[1, 2, 4, 8, 16] };
    println!(
        "\nAnd what training makes of it, from PyTorch's start: held-out points right, by number of hidden layers\n"
    );
    println!("      {:>8}  {}", "", depths.iter().map(|d| format!("{d:>7}")).collect::<String>());
    let bar = progress(4 * depths.len(), "depth");
    let mut lines = Vec::new();
    for activation in Activation::ALL {
        let mut points = Vec::new();
        for &layers in depths {
            let model = network(layers, activation, Start::PyTorch, seed);
            // A smaller step than for two layers: deep networks are touchy.
            train(&model, &data.train, Training { lr: training.lr / 3.0, ..training }, "depth")?;
            points.push((layers as f64, accuracy(&model, &data.held_out) * 100.0));
            bar.inc(1);
        }
        let row: String = points.iter().map(|(_, right)| format!("{right:5.1} %")).collect();
        bar.suspend(|| println!("      {:>8}  {row}", activation.name()));
        lines.push(Series { label: activation.name(), points });
    }
    bar.finish_and_clear();
    println!(
        "\nWith sigmoid, whose slope is at most 1/4, the gradient vanishes, and a deep network stays at chance. With weights\n\
         that are too large it explodes where the activation does not hold it (relu, none). relu's slope is 1 or 0, which a\n\
         gain of √2 makes up for; that, and later normalisation and short cuts, is what made depth possible (depth.png)."
    );
    let labels =
        Labels { title: "after training from PyTorch's start", x: "hidden layers", y: "held-out points right, %" };
    panels.push(Panel::lines(labels, &lines).y_range(40.0, 102.0));
    save(&out.join("depth.png"), "The gradient at the first layer, and what comes of it", 2, panels)
}
