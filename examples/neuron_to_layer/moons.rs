//! Part 5: two layers separate what no line can.

use crate::mlp::{Activation, Mlp, Training, accuracy, train};
use crate::plane::{grid, surface};
use anyhow::Result;
use autograd::{Rng, Tensor, no_grad};
use common::plot::{Labels, Panel, Series, save};
use nn::Module;
use std::path::Path;

/// Points, and which moon each is on.
pub struct Points {
    /// `[N, 2]`
    pub x: Tensor,
    /// `[N, 1]`: 0 or 1
    pub y: Tensor,
}

/// The points to learn from, and those that are held out.
pub struct Moons {
    pub train: Points,
    pub held_out: Points,
}

impl Moons {
    // ANCHOR: moons
    /// Half circles that reach into each other, `noise` around them; a quarter of the points is held out.
    pub fn new(count: usize, noise: f64, seed: u64) -> Moons {
        let mut rng = Rng::seeded(seed);
        let (mut x, mut y) = (Vec::new(), Vec::new());
        for i in 0..count {
            let angle = rng.uniform() * std::f64::consts::PI;
            let upper = i.is_multiple_of(2);
            let [right, up] = if upper { [angle.cos(), angle.sin()] } else { [1.0 - angle.cos(), 0.5 - angle.sin()] };
            x.extend([right + noise * rng.normal(), up + noise * rng.normal()].map(|value| value as f32));
            y.push(if upper { 0.0 } else { 1.0 });
        }
        let (x, y) = (Tensor::from_slice(&x, [count, 2]), Tensor::from_slice(&y, [count, 1])); // [N, 2], [N, 1]
        let held_out = count / 4;
        let part = |from, count| Points { x: x.narrow(0, from, count), y: y.narrow(0, from, count) };
        Moons { train: part(held_out, count - held_out), held_out: part(0, held_out) }
    }
    // ANCHOR_END: moons
}

impl Points {
    /// Each moon's points, for a picture.
    pub fn sets<'a>(&self, names: [&'a str; 2]) -> Vec<Series<'a>> {
        let points: Vec<_> = self.x.to_vec().chunks(2).map(|x| (f64::from(x[0]), f64::from(x[1]))).collect();
        let of = |moon: f32| points.iter().zip(self.y.iter()).filter(|(_, y)| *y == moon).map(|(x, _)| *x).collect();
        vec![Series { label: names[0], points: of(0.0) }, Series { label: names[1], points: of(1.0) }]
    }
}

/// What the pictures show of the plane.
pub const X: (f64, f64) = (-1.6, 2.6);
pub const Y: (f64, f64) = (-1.2, 1.7);

/// Prints the lesson, draws `moons.png` and `hidden.png`, saves the network; returns its accuracy on held-out points.
pub fn lesson(data: &Moons, hidden: usize, training: Training, seed: u64, out: &Path) -> Result<f64> {
    println!(
        "\n5. Two layers\n\n\
         Two half moons reach into each other ({} points to learn from, {} held out). No line separates them. A hidden\n\
         layer looks at each point first, and a last neuron at what the hidden neurons say of it:\n",
        data.train.y.count(),
        data.held_out.y.count()
    );
    let mut rng = Rng::seeded(seed);
    let line = Mlp::new(&[2, 1], Activation::None, &mut rng);
    let line_losses = train(&line, &data.train, training, "one layer")?;
    let model = Mlp::new(&[2, hidden, 1], Activation::Tanh, &mut rng);
    let losses = train(&model, &data.train, training, "two layers")?;
    let (with_a_line, with_two) = (accuracy(&line, &data.held_out), accuracy(&model, &data.held_out));
    println!(
        "    one layer,  2 -> 1          {:3} parameters   loss {:.4}   {:5.1} % of held-out points right\n\
         \x20   two layers, 2 -> {hidden} -> 1     {:3} parameters   loss {:.4}   {:5.1} %\n\n\
         moons.png shows where each draws its line. hidden.png shows what the hidden neurons have become: each says on\n\
         which side of its own straight line a point is, and the last neuron adds that up to a line with bends.",
        line.parameter_count(),
        line_losses.last().map_or(f64::NAN, |last| last.1),
        with_a_line * 100.0,
        model.parameter_count(),
        losses.last().map_or(f64::NAN, |last| last.1),
        with_two * 100.0
    );

    let plane = grid(X, Y); // [SIDE², 2]
    let boundary = |model: &Mlp, title: &str| {
        let p = no_grad(|| model.forward(&plane).sigmoid()); // [SIDE², 1]
        let labels = Labels { title, x: "x1", y: "x2" };
        Panel::surface(labels, &surface(&p, X, Y), 0.5, &data.held_out.sets(["", ""]))
    };
    let lines = [Series { label: "one layer", points: line_losses }, Series { label: "two layers", points: losses }];
    let panels = vec![
        Panel::points(
            Labels { title: "The points to learn from", x: "x1", y: "x2" },
            &data.train.sets(["upper moon: 0", "lower moon: 1"]),
        )
        .x_range(X.0, X.1)
        .y_range(Y.0, Y.1),
        Panel::lines(Labels { title: "Loss", x: "step", y: "binary cross-entropy" }, &lines),
        boundary(&line, &format!("p(1) of one layer, held-out points: {:.1} % right", with_a_line * 100.0)),
        boundary(&model, &format!("p(1) of two layers, held-out points: {:.1} % right", with_two * 100.0)),
    ];
    save(&out.join("moons.png"), "Two moons", 2, panels)?;

    let neurons = no_grad(|| model.activation.apply(&model.layers[0].forward(&plane))); // [SIDE², H]
    let weights = model.layers[1].weight.value().to_vec(); // [1, H]
    let panel = |i: usize| {
        let title = format!("neuron {}, weight {:.2} in the last layer", i + 1, weights[i]);
        let labels = Labels { title: &title, x: "x1", y: "x2" };
        Panel::surface(labels, &surface(&neurons.narrow(1, i, 1), X, Y), 0.0, &data.held_out.sets(["", ""]))
    };
    let panels = (0..hidden.min(12)).map(panel).collect();
    save(&out.join("hidden.png"), "What the hidden neurons have become", 4, panels)?;
    nn::checkpoint::save_module(&model, &out.join("moons.safetensors"))?;
    Ok(with_two)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moons_without_noise_are_half_circles() {
        let moons = Moons::new(40, 0.0, 1);
        assert_eq!((moons.train.y.count(), moons.held_out.y.count()), (30, 10));
        for (x, y) in moons.train.x.to_vec().chunks(2).zip(moons.train.y.iter()) {
            let middle = if y == 0.0 { [0.0, 0.0] } else { [1.0, 0.5] };
            let radius = (x[0] - middle[0]).hypot(x[1] - middle[1]);
            assert!((radius - 1.0).abs() < 1e-6, "{x:?} is {radius} from {middle:?}");
        }
    }
}
