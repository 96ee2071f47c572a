//! Part 1: one neuron, its output and its gradients, by hand and by the engine.

use anyhow::{Context, Result};
use autograd::{Tensor, draw, watch};
use common::profile;
use std::path::Path;

// ANCHOR: neuron
/// tanh(w·x + b)
pub fn neuron(x: &[f32], w: &[f32], b: f32) -> f32 {
    let mut z = b;
    for (x, w) in x.iter().zip(w) {
        z += w * x;
    }
    z.tanh()
}
// ANCHOR_END: neuron

/// What the neuron is shown, what it starts as, and what it should say.
const X: [f32; 2] = [1.0, -2.0];
const W: [f32; 2] = [0.5, -0.25];
const B: f32 = -0.5;
const TARGET: f32 = 1.0;
const RATE: f32 = 0.1;

/// Prints the lesson and draws `graph.svg`.
pub fn lesson(out: &Path) -> Result<()> {
    let a = neuron(&X, &W, B);
    let loss = (a - TARGET).powi(2);
    println!(
        "1. One neuron\n\n\
         A neuron multiplies each input by a weight, adds up the products and a bias, and sends the sum through an\n\
         activation. With x = {X:?}, w = {W:?} and b = {B}:\n\n\
         \x20   z = w1·x1 + w2·x2 + b = {:.2} + {:.2} - {:.2} = {:.2}\n\
         \x20   a = tanh(z) = {a:.4}\n\n\
         It should say {TARGET}. How wrong it is: loss = (a - {TARGET})² = {loss:.4}. Which way should each number move? The\n\
         chain rule goes back through the same steps, and multiplies by the slope of each:",
        W[0] * X[0],
        W[1] * X[1],
        -B,
        W[0] * X[0] + W[1] * X[1] + B,
    );

    // ANCHOR: by_hand
    let da = 2.0 * (a - TARGET); // loss = (a - target)²
    let dz = (1.0 - a * a) * da; // a = tanh(z): its slope is 1 - a²
    let dw = [dz * X[0], dz * X[1]]; // z = w·x + b
    let db = dz;
    // ANCHOR_END: by_hand
    println!(
        "\n\x20   da = 2·(a - {TARGET})   = {da:8.4}\n\
         \x20   dz = (1 - a²)·da = {dz:8.4}\n\
         \x20   dw = dz·x        = {dw:8.4?}\n\
         \x20   db = dz          = {db:8.4}"
    );

    profile::unmeasured_step();
    // ANCHOR: engine
    let x = Tensor::from(X); // [2]
    let w = Tensor::from(W).requires_grad(); // [2]
    let b = Tensor::from(B).requires_grad(); // []
    let loss = watch(|| {
        let a = ((&x * &w).sum(..) + &b).tanh(); // []
        (a - TARGET).square()
    });
    loss.backward();
    // ANCHOR_END: engine
    let (grad_w, grad_b) = (w.grad().expect("w is a leaf"), b.grad().expect("b is a leaf"));
    let drawing = draw(&loss).label(&x, "x").label(&w, "w").label(&b, "b").label(&loss, "loss");
    let path = out.join("graph.svg");
    std::fs::write(&path, drawing.title("One neuron: data and gradients").svg())
        .with_context(|| format!("cannot write {}", path.display()))?;
    println!(
        "\nThe engine records the steps and does the same: dw = {:.4?}, db = {:.4}. It draws them in graph.svg.",
        grad_w.to_vec(),
        grad_b.item()
    );

    let w = [W[0] - RATE * dw[0], W[1] - RATE * dw[1]];
    let b = B - RATE * db;
    let after = neuron(&X, &w, b);
    println!(
        "A step against the gradient, w - {RATE}·dw and b - {RATE}·db, makes the neuron say {after:.4}: the loss falls from\n\
         {:.4} to {:.4}. That is all that learning is; the rest is more neurons, and more steps.",
        loss.item(),
        (after - TARGET).powi(2)
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_hand_and_by_the_engine() {
        let engine = (Tensor::from(X) * Tensor::from(W)).sum(..) + B;
        assert!((engine.tanh().item() - neuron(&X, &W, B)).abs() < 1e-6);
    }
}
