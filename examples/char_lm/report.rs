//! Curves, and what hidden units do as they read.

use crate::data::Data;
use crate::language_model::Perplexity;
use crate::train::Trained;
use anyhow::Result;
use autograd::no_grad;
use common::letters;
use common::plot::{Labels, Panel, Series, save, save_map};
use std::path::Path;

/// A model that was trained, and how good it is.
pub struct Run {
    pub seed: u64,
    pub trained: Trained,
    pub dev: Perplexity,
    pub held_out: Perplexity,
    /// To train it.
    pub seconds: f64,
}

/// Draws the learning curves, and the units of the first run that change most over a piece of text.
pub fn draw(runs: &[Run], data: &Data, out: &Path) -> Result<()> {
    let names: Vec<String> = runs.iter().map(|run| format!("seed {}", run.seed)).collect();
    let curves = |values: &dyn Fn(&Run) -> &[f64]| -> Vec<Series<'_>> {
        let points = |run: &Run| values(run).iter().enumerate().map(|(i, &y)| (i as f64 + 1.0, y)).collect();
        runs.iter().zip(&names).map(|(run, name)| Series { label: name, points: points(run) }).collect()
    };
    let loss = Labels { title: "Training loss", x: "epoch", y: "cross-entropy, nats a character" };
    let perplexity = Labels { title: "Perplexity on the last 5 %", x: "epoch", y: "perplexity" };
    let panels = vec![
        Panel::lines(loss, &curves(&|run| &run.trained.losses)),
        Panel::lines(perplexity, &curves(&|run| &run.trained.held_out)),
    ];
    save(&out.join("curves.png"), "", 2, panels)?;

    /// Characters and units in the heat map.
    const SHOWN: [usize; 2] = [60, 24];
    let piece = &data.dev[..data.dev.len().min(SHOWN[0])];
    let model = &runs[0].trained.model;
    let states = no_grad(|| model.hidden(&letters::as_batch(piece), None).0); // [1, T, H]
    let (steps, hidden) = (piece.len(), states.size(2));
    let values = states.to_vec();
    let unit = |j: usize| -> Vec<f64> { (0..steps).map(|t| f64::from(values[t * hidden + j])).collect() };
    let mut units: Vec<usize> = (0..hidden).collect();
    let variance = |j: usize| {
        let values = unit(j);
        let mean = values.iter().sum::<f64>() / steps as f64;
        values.iter().map(|value| (value - mean).powi(2)).sum::<f64>()
    };
    units.sort_by(|&a, &b| variance(b).total_cmp(&variance(a)));
    units.truncate(SHOWN[1]);
    let rows = units.iter().map(|&j| unit(j)).collect();
    let columns = piece.iter().map(|&token| letters::decode_one(token).to_string().replace(' ', "␣")).collect();
    let labels = Labels { title: "Hidden units that change most, after each character", x: "text", y: "unit" };
    let panel = Panel::labelled_heat_map(labels, rows, units.iter().map(usize::to_string).collect(), columns, "state");
    save_map(&out.join("hidden_units.png"), panel)?;
    println!("\ncurves.png and hidden_units.png are in {}", out.display());
    Ok(())
}
