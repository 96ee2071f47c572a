//! Pictures: thin helpers over kuva, so that all examples' plots look alike.

use anyhow::{Context, Result};
use kuva::prelude::*;
use std::path::Path;

/// Line colours, distinguishable by the colour-blind (Okabe and Ito).
pub const COLOURS: [&str; 7] = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000"];

/// One line of a line plot.
pub struct Line<'a> {
    /// What the legend says.
    pub label: &'a str,
    /// (x, y)
    pub points: Vec<(f64, f64)>,
}

/// What a plot says about itself.
pub struct Labels<'a> {
    /// Above the plot.
    pub title: &'a str,
    /// Below the horizontal axis.
    pub x: &'a str,
    /// Beside the vertical axis.
    pub y: &'a str,
}

/// Draws lines in one plot.
pub fn lines(path: &Path, labels: &Labels<'_>, lines: &[Line<'_>]) -> Result<()> {
    let plots: Vec<Plot> = lines
        .iter()
        .enumerate()
        .map(|(i, line)| {
            LinePlot::new()
                .with_data(line.points.iter().copied())
                .with_color(COLOURS[i % COLOURS.len()])
                .with_stroke_width(2.0)
                .with_legend(line.label)
                .into()
        })
        .collect();
    let layout = Layout::auto_from_plots(&plots).with_title(labels.title).with_x_label(labels.x).with_y_label(labels.y);
    save(path, plots, layout)
}

/// Writes plots as PNG.
pub fn save(path: &Path, plots: Vec<Plot>, layout: Layout) -> Result<()> {
    let png = render_to_png(plots, layout, 2.0).map_err(|e| anyhow::anyhow!("{e}"))?;
    std::fs::write(path, png).with_context(|| format!("cannot write {}", path.display()))
}
