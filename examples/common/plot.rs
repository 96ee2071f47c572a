//! Pictures: thin helpers over kuva, so that all examples' plots look alike. Each is a grid of panels.

use anyhow::{Context, Result};
use kuva::backend::png::PngBackend;
use kuva::prelude::*;
use kuva::render::figure::Figure;
use std::path::Path;

/// Line colours, distinguishable by the colour-blind (Okabe and Ito).
pub const COLOURS: [&str; 8] = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#999999"];

/// What a plot says about itself.
#[derive(Clone, Copy)]
pub struct Labels<'a> {
    /// Above the plot.
    pub title: &'a str,
    /// Below the horizontal axis.
    pub x: &'a str,
    /// Beside the vertical axis.
    pub y: &'a str,
}

/// One plot of a picture.
pub struct Panel {
    plots: Vec<Plot>,
    layout: Layout,
}

/// A line or a set of points with its name in the legend (none, if empty).
pub struct Series<'a> {
    pub label: &'a str,
    pub points: Vec<(f64, f64)>,
}

impl Panel {
    fn new(labels: Labels<'_>, plots: Vec<Plot>) -> Panel {
        let layout =
            Layout::auto_from_plots(&plots).with_title(labels.title).with_x_label(labels.x).with_y_label(labels.y);
        Panel { plots, layout }
    }

    /// Lines over a common axis.
    pub fn lines(labels: Labels<'_>, lines: &[Series<'_>]) -> Panel {
        let line = |(i, line): (usize, &Series<'_>)| {
            let plot = LinePlot::new()
                .with_data(line.points.iter().copied())
                .with_color(COLOURS[i % COLOURS.len()])
                .with_stroke_width(2.0);
            if line.label.is_empty() { plot.into() } else { plot.with_legend(line.label).into() }
        };
        Panel::new(labels, lines.iter().enumerate().map(line).collect())
    }

    /// How often values fall into each of `bins` equal intervals of `range`.
    pub fn histogram(labels: Labels<'_>, values: &[f32], bins: usize, range: (f64, f64)) -> Panel {
        let plot = Histogram::new()
            .with_data(values.iter().map(|&x| f64::from(x).clamp(range.0, range.1)))
            .with_bins(bins)
            .with_range(range)
            .with_color(COLOURS[0]);
        Panel::new(labels, vec![plot.into()])
    }

    /// Points with a text beside each.
    pub fn labelled_points(labels: Labels<'_>, points: &[(f64, f64)], texts: &[String]) -> Panel {
        let plot = ScatterPlot::new()
            .with_data(points.iter().copied())
            .with_labels(texts.iter().cloned())
            .with_size(5.0)
            .with_color(COLOURS[0]);
        Panel::new(labels, vec![plot.into()])
    }

    /// A bar for each value.
    pub fn bars(labels: Labels<'_>, bars: &[(String, f64)]) -> Panel {
        let plot = BarPlot::new().with_bars(bars.iter().cloned()).with_color(COLOURS[0]);
        let mut panel = Panel::new(labels, vec![plot.into()]);
        panel.layout = panel.layout.with_x_tick_rotate(-30.0);
        panel
    }

    /// A matrix as colours.
    pub fn heat_map(labels: Labels<'_>, rows: Vec<Vec<f64>>, legend: &str) -> Panel {
        let (height, width) = (rows.len() as f64, rows.first().map_or(0, Vec::len) as f64);
        let plot = Heatmap::new()
            .with_data(rows)
            .with_legend(legend)
            .with_x_range(0.0, width)
            .with_y_range(0.0, height)
            .with_cell_size(1.0);
        Panel::new(labels, vec![plot.into()]).x_range(0.0, width).y_range(0.0, height)
    }

    /// With a logarithmic horizontal axis.
    pub fn log_x(mut self) -> Panel {
        self.layout = self.layout.with_log_x();
        self
    }

    /// With a logarithmic vertical axis.
    pub fn log_y(mut self) -> Panel {
        self.layout = self.layout.with_log_y();
        self
    }

    /// With this horizontal axis, so that panels side by side have the same.
    pub fn x_range(mut self, from: f64, to: f64) -> Panel {
        self.layout = self.layout.with_x_axis_min(from).with_x_axis_max(to);
        self
    }

    /// With this vertical axis.
    pub fn y_range(mut self, from: f64, to: f64) -> Panel {
        self.layout = self.layout.with_y_axis_min(from).with_y_axis_max(to);
        self
    }

    /// With a dashed horizontal line at `y`.
    pub fn reference(mut self, y: f64, label: &str) -> Panel {
        self.layout = self.layout.with_reference_line(ReferenceLine::horizontal(y).with_label(label));
        self
    }
}

/// Writes panels, `columns` in a row, as a PNG.
pub fn save(path: &Path, title: &str, columns: usize, panels: Vec<Panel>) -> Result<()> {
    let rows = panels.len().div_ceil(columns);
    let (plots, layouts): (Vec<_>, Vec<_>) = panels.into_iter().map(|panel| (panel.plots, panel.layout)).unzip();
    let mut figure = Figure::new(rows, columns).with_plots(plots).with_layouts(layouts).with_cell_size(560.0, 400.0);
    if !title.is_empty() {
        figure = figure.with_title(title);
    }
    let png = PngBackend::new().with_scale(1.5).render_scene(&figure.render()).map_err(anyhow::Error::msg)?;
    std::fs::write(path, png).with_context(|| format!("cannot write {}", path.display()))
}
