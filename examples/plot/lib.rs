//! Pictures: thin helpers over kuva, so that all examples' plots look alike. Each is a grid of panels.

mod names;

use anyhow::{Context, Result};
use kuva::backend::png::PngBackend;
use kuva::plot::volcano::LabelStyle;
use kuva::prelude::*;
use kuva::render::figure::Figure;
use names::{POINT, Place, SPACE, places};
use std::path::Path;
use std::sync::Arc;

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

/// Points on a line, up to which each is marked: a line of one point is not to be seen.
const MARKED: usize = 12;

/// Width and height of a panel that stands among others, and of one that has a picture to itself.
const SMALL: [f64; 2] = [560.0, 400.0];
const LARGE: [f64; 2] = [1000.0, 720.0];
/// What title, axes and their numbers take of them, at the most; and what a legend takes of the width.
const FRAME: [f64; 2] = [110.0, 140.0];
const LEGEND: f64 = 170.0;

/// One plot of a picture.
pub struct Panel {
    plots: Vec<Plot>,
    layout: Layout,
    /// Points whose names are placed when the panel's size is known.
    named: Option<Named>,
}

struct Named {
    points: Vec<(f64, f64)>,
    names: Vec<String>,
    groups: Vec<usize>,
    legend: bool,
}

/// A line or a set of points with its name in the legend (none, if empty).
pub struct Series<'a> {
    /// The name.
    pub label: &'a str,
    /// x and y of each.
    pub points: Vec<(f64, f64)>,
}

/// Points with a text beside each, in the colour of their group.
pub struct Labelled<'a> {
    /// x and y of each.
    pub points: &'a [(f64, f64)],
    /// Their texts.
    pub texts: &'a [String],
    /// The group of each point.
    pub groups: &'a [usize],
    /// What the legend calls the groups.
    pub names: &'a [&'a str],
}

/// The values of a function over a rectangle of the plane, in rows from below, each from the left.
pub struct Surface {
    /// The values.
    pub rows: Vec<Vec<f64>>,
    /// From where to where the columns reach.
    pub x: (f64, f64),
    /// From where to where the rows reach.
    pub y: (f64, f64),
}

impl Panel {
    fn new(labels: Labels<'_>, plots: Vec<Plot>) -> Panel {
        let layout =
            Layout::auto_from_plots(&plots).with_title(labels.title).with_x_label(labels.x).with_y_label(labels.y);
        Panel { plots, layout, named: None }
    }

    /// Lines over a common axis. If it counts something, so do its ticks; and where there are few points, each is
    /// marked.
    pub fn lines(labels: Labels<'_>, lines: &[Series<'_>]) -> Panel {
        let line = |(i, line): (usize, &Series<'_>)| {
            let plot =
                LinePlot::new().with_data(line.points.iter().copied()).with_color(colour(i)).with_stroke_width(2.0);
            if line.label.is_empty() { plot.into() } else { plot.with_legend(line.label).into() }
        };
        let mut plots: Vec<Plot> = lines.iter().enumerate().map(line).collect();
        for (i, line) in lines.iter().enumerate().filter(|(_, line)| line.points.len() <= MARKED) {
            let marks = ScatterPlot::new().with_data(line.points.iter().copied()).with_color(colour(i)).with_size(3.5);
            plots.push(marks.into());
        }
        let panel = Panel::new(labels, plots);
        match few_counts(lines) {
            Some((from, to)) if from == to => panel.x_range(from - 1.0, to + 1.0).whole_x(),
            Some((from, to)) => panel.x_range(from, to).whole_x(),
            None => panel,
        }
    }

    /// With a tick at each whole number of the horizontal axis.
    fn whole_x(mut self) -> Panel {
        self.layout = self.layout.with_x_tick_step(1.0);
        self
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

    /// Points in a colour for each set.
    pub fn points(labels: Labels<'_>, sets: &[Series<'_>]) -> Panel {
        Panel::new(labels, sets.iter().enumerate().map(scatter).collect())
    }

    /// Points with a text beside each that has room for it; the panel says how many have none.
    pub fn labelled_points(labels: Labels<'_>, points: &[(f64, f64)], texts: &[String]) -> Panel {
        let groups = vec![0; points.len()];
        Panel::labelled_groups(labels, Labelled { points, texts, groups: &groups, names: &[] })
    }

    /// As [`labelled_points`](Panel::labelled_points), in the colours of their groups.
    pub fn labelled_groups(labels: Labels<'_>, of: Labelled<'_>) -> Panel {
        let mut panel = Panel::new(labels, vec![ScatterPlot::new().with_data(of.points.iter().copied()).into()]);
        let [x, y] =
            [|&(x, _): &(f64, f64)| x, |&(_, y): &(f64, f64)| y].map(|axis| padded(of.points.iter().map(axis)));
        panel = panel.x_range(x.0, x.1).y_range(y.0, y.1);
        if !of.names.is_empty() {
            let entry = |(i, name): (usize, &&str)| LegendEntry {
                label: name.to_string(),
                color: colour(i).to_string(),
                shape: LegendShape::Circle,
                dasharray: None,
            };
            panel.layout = panel.layout.with_legend_entries(of.names.iter().enumerate().map(entry).collect());
        }
        panel.named = Some(Named {
            points: of.points.to_vec(),
            names: of.texts.to_vec(),
            groups: of.groups.to_vec(),
            legend: !of.names.is_empty(),
        });
        panel
    }

    /// The panel as it is drawn at this size: with names where they have room.
    fn sized(self, [width, height]: [f64; 2]) -> Panel {
        let Panel { layout, named: Some(named), .. } = self else { return self };
        let Named { points, names, groups, legend } = named;
        let size = [width - FRAME[0] - if legend { LEGEND } else { 0.0 }, height - FRAME[1]];
        let [x, y] = [|&(x, _): &(f64, f64)| x, |&(_, y): &(f64, f64)| y].map(|axis| padded(points.iter().map(axis)));
        let on_paper =
            |&(px, py): &(f64, f64)| [(px - x.0) / (x.1 - x.0) * size[0], (y.1 - py) / (y.1 - y.0) * size[1]];
        let places = places(&points.iter().map(on_paper).collect::<Vec<_>>(), &names, size);
        let mut plots = Vec::new();
        for place in [None, Some(Place::Right), Some(Place::Left), Some(Place::Above)] {
            let here: Vec<usize> = (0..points.len()).filter(|&i| places[i] == place).collect();
            if here.is_empty() {
                continue;
            }
            let plot = ScatterPlot::new()
                .with_data(here.iter().map(|&i| points[i]))
                .with_size(POINT)
                .with_colors(here.iter().map(|&i| colour(groups[i])));
            let named = |plot: ScatterPlot| plot.with_labels(here.iter().map(|&i| names[i].clone()));
            // A line of text stands on half a small letter below its middle.
            let beside = |offset_x| LabelStyle::Arrow { offset_x, offset_y: -4.0 };
            plots.push(match place {
                None => plot.into(),
                Some(Place::Right) => named(plot).with_label_style(beside(SPACE)).into(),
                Some(Place::Left) => named(plot).with_label_style(beside(-SPACE)).into(),
                Some(Place::Above) => named(plot).with_label_style(LabelStyle::Exact).into(),
            });
        }
        let without = places.iter().filter(|place| place.is_none()).count();
        let layout = match without {
            0 => layout,
            _ => layout.with_subtitle(format!("{without} of {} points have no room for their name", points.len())),
        };
        Panel { plots, layout, named: None }
    }

    /// A function of the plane as colours, blue below `middle` and orange above, with a line where it is
    /// that, and points of two or more sets on top.
    pub fn surface(labels: Labels<'_>, surface: &Surface, middle: f64, sets: &[Series<'_>]) -> Panel {
        let values = || surface.rows.iter().flatten().copied();
        let (least, most) = (values().fold(f64::INFINITY, f64::min), values().fold(f64::NEG_INFINITY, f64::max));
        // The colour of a value depends on how far it is from the middle, the same way on both sides.
        let reach = (most - middle).max(middle - least).max(f64::MIN_POSITIVE);
        let colours = move |t: f64| between_blue_and_orange((least + t * (most - least) - middle) / reach);
        let map = Heatmap::new()
            .with_data(surface.rows.iter().cloned())
            .with_color_map(ColorMap::Custom(Arc::new(colours)))
            .with_x_range(surface.x.0, surface.x.1)
            .with_y_range(surface.y.0, surface.y.1)
            .with_cell_size(1.0);
        let centres = |(from, to): (f64, f64), count: usize| -> Vec<f64> {
            (0..count).map(|i| from + (to - from) * (i as f64 + 0.5) / count as f64).collect()
        };
        let (rows, columns) = (surface.rows.len(), surface.rows.first().map_or(0, Vec::len));
        let line = ContourPlot::new()
            .with_grid(surface.rows.clone(), centres(surface.x, columns), centres(surface.y, rows))
            .with_levels(&[middle])
            .with_line_color("#000000")
            .with_line_width(2.0);
        let mut plots: Vec<Plot> = vec![map.into(), line.into()];
        plots.extend(sets.iter().enumerate().map(scatter));
        Panel::new(labels, plots).x_range(surface.x.0, surface.x.1).y_range(surface.y.0, surface.y.1)
    }

    /// A bar for each value.
    pub fn bars(labels: Labels<'_>, bars: &[(String, f64)]) -> Panel {
        let plot = BarPlot::new().with_bars(bars.iter().cloned()).with_color(COLOURS[0]);
        let mut panel = Panel::new(labels, vec![plot.into()]);
        panel.layout = panel.layout.with_x_tick_rotate(-30.0);
        panel
    }

    /// A matrix as colours, which are of so much of `what`.
    pub fn heat_map(labels: Labels<'_>, rows: Vec<Vec<f64>>, what: &str) -> Panel {
        let (height, width) = (rows.len() as f64, rows.first().map_or(0, Vec::len) as f64);
        let plot =
            Heatmap::new().with_data(rows).with_x_range(0.0, width).with_y_range(0.0, height).with_cell_size(1.0);
        Panel::new(labels, vec![plot.into()]).x_range(0.0, width).y_range(0.0, height).colours(what)
    }

    /// A matrix as colours, with a name for each row and column; the first row is the upper one.
    pub fn labelled_heat_map(
        labels: Labels<'_>,
        mut values: Vec<Vec<f64>>,
        mut rows: Vec<String>,
        columns: Vec<String>,
        what: &str,
    ) -> Panel {
        // The axis goes up.
        values.reverse();
        rows.reverse();
        let plot = Heatmap::new().with_data(values).with_labels(rows.clone(), columns.clone());
        let mut panel = Panel::new(labels, vec![plot.into()]);
        panel.layout = panel.layout.with_x_categories(columns).with_y_categories(rows);
        panel.colours(what)
    }

    /// Says what the colours are of: kuva writes no name beside their scale.
    fn colours(mut self, what: &str) -> Panel {
        self.layout = self.layout.with_subtitle(format!("colour: {what}"));
        self
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

/// From where to where an axis of so few whole numbers reaches that a tick for each has room.
fn few_counts(lines: &[Series<'_>]) -> Option<(f64, f64)> {
    let x = || lines.iter().flat_map(|line| line.points.iter().map(|&(x, _)| x));
    let (from, to) = (x().fold(f64::INFINITY, f64::min), x().fold(f64::NEG_INFINITY, f64::max));
    (x().all(|x| x.fract() == 0.0) && to - from <= MARKED as f64 && from <= to).then_some((from, to))
}

/// From where to where an axis reaches that has some space around these numbers.
fn padded(numbers: impl Iterator<Item = f64> + Clone) -> (f64, f64) {
    let (from, to) = (numbers.clone().fold(f64::INFINITY, f64::min), numbers.fold(f64::NEG_INFINITY, f64::max));
    if from > to {
        return (0.0, 1.0);
    }
    let space = if to > from { (to - from) * 0.06 } else { 1.0 };
    (from - space, to + space)
}

fn colour(i: usize) -> &'static str {
    COLOURS[i % COLOURS.len()]
}

fn scatter((i, set): (usize, &Series<'_>)) -> Plot {
    let plot = ScatterPlot::new()
        .with_data(set.points.iter().copied())
        .with_color(colour(i))
        .with_size(3.0)
        .with_marker_stroke_width(0.7);
    if set.label.is_empty() { plot.into() } else { plot.with_legend(set.label).into() }
}

/// From blue at -1 over white at 0 to orange at 1: lighter than the colours of the points.
fn between_blue_and_orange(t: f64) -> String {
    let end = if t < 0.0 { [0x9a, 0xc8, 0xe8] } else { [0xf6, 0xc1, 0x99] };
    let mix = |end: u8| (255.0 + (f64::from(end) - 255.0) * t.abs().min(1.0)).round() as u8;
    let [r, g, b] = end.map(mix);
    format!("#{r:02x}{g:02x}{b:02x}")
}

/// Writes panels, `columns` in a row, as a PNG.
pub fn save(path: &Path, title: &str, columns: usize, panels: Vec<Panel>) -> Result<()> {
    save_groups(path, title, columns, vec![panels])
}

/// Writes one panel, larger than those of [`save`]: room for labels.
pub fn save_map(path: &Path, panel: Panel) -> Result<()> {
    let panel = panel.sized(LARGE);
    let figure = Figure::new(1, 1).with_plots(vec![panel.plots]).with_layouts(vec![panel.layout]);
    write(path, figure.with_cell_size(LARGE[0], LARGE[1]))
}

/// As [`save`]; each group of panels begins a row of its own.
pub fn save_groups(path: &Path, title: &str, columns: usize, groups: Vec<Vec<Panel>>) -> Result<()> {
    let (mut rows, mut cells, mut plots, mut layouts) = (0, Vec::new(), Vec::new(), Vec::new());
    for group in groups {
        for (i, panel) in group.into_iter().map(|panel| panel.sized(SMALL)).enumerate() {
            if i % columns == 0 {
                rows += 1;
            }
            cells.push(vec![(rows - 1) * columns + i % columns]);
            plots.push(panel.plots);
            layouts.push(panel.layout);
        }
    }
    let mut figure = Figure::new(rows, columns)
        .with_structure(cells)
        .with_plots(plots)
        .with_layouts(layouts)
        .with_cell_size(SMALL[0], SMALL[1]);
    if !title.is_empty() {
        figure = figure.with_title(title);
    }
    write(path, figure)
}

fn write(path: &Path, figure: Figure) -> Result<()> {
    let png = PngBackend::new().with_scale(1.5).render_scene(&figure.render()).map_err(anyhow::Error::msg)?;
    std::fs::write(path, png).with_context(|| format!("cannot write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tick_for_each_of_a_few_whole_numbers() {
        let range = |x: &[f64]| few_counts(&[Series { label: "", points: x.iter().map(|&x| (x, 0.0)).collect() }]);
        assert_eq!(range(&[1.0, 2.0, 3.0]), Some((1.0, 3.0)));
        assert_eq!(range(&[1.0]), Some((1.0, 1.0)));
        assert_eq!([range(&[1.0, 1.5]), range(&[0.0, 100.0]), range(&[])], [None; 3]);
    }

    #[test]
    fn there_is_space_around_points() {
        assert_eq!(padded([0.0, 50.0].into_iter()), (-3.0, 53.0));
        assert_eq!(padded([7.0].into_iter()), (6.0, 8.0));
        assert_eq!(padded([].into_iter()), (0.0, 1.0));
    }
}
