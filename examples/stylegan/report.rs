//! Pictures: samples, mixed styles, truncation, noise, walks, what AdaIN does, and curves.

use crate::measure::{INTERVALS, Paces, Space, lerp, slerp};
use crate::networks::{LAYERS, SIZE, SIZES, draw_noise, everywhere, mix};
use crate::train::{Epoch, Gan, Painter};
use anyhow::Result;
use autograd::{Rng, Tensor, no_grad};
use common::plot::{Labels, Panel, Series, save};
use common::sheet::{GAP, LINE, Light, PIXEL, Sheet, TextAnchor};
use common::strips::{Heads, Strip, save_strips};
use nn::data::{Grid, Picture, save_gif};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Images in a row of samples.
const COLUMNS: usize = 12;
const ROWS: usize = 8;

/// What is painted after each epoch from the same z and the same noise.
pub struct Frames {
    z: Tensor,
    noise: Vec<Tensor>,
    pictures: Vec<Picture>,
    out: PathBuf,
}

impl Frames {
    pub fn new(width: usize, out: &Path) -> Frames {
        let mut rng = Rng::seeded(1);
        let z = Tensor::randn([ROWS * COLUMNS, width], &mut rng);
        let noise = draw_noise(ROWS * COLUMNS, &mut rng);
        Frames { z, noise, pictures: Vec::new(), out: out.to_path_buf() }
    }

    /// Paints a frame, with the generator whose weights are averaged.
    pub fn add(&mut self, gan: &Gan) -> Result<()> {
        let painter = Painter(&gan.average);
        self.pictures.push(grid(&painter.paint(&everywhere(&painter.styles(&self.z, 1.0)), &self.noise)));
        Ok(())
    }

    /// Writes all frames as a film, of which the last one stays longer.
    pub fn save(&self) -> Result<()> {
        let mut pictures = self.pictures.clone();
        if let Some(last) = pictures.last().cloned() {
            pictures.extend(std::iter::repeat_n(last, 5));
            save_gif(self.out.join("training.gif"), &pictures, Duration::from_millis(300))?;
        }
        Ok(())
    }
}

fn grid(images: &Tensor) -> Picture {
    Picture::new(&Grid { columns: COLUMNS, padding: 2, background: 0.25 }.of(images), (0.0, 1.0)).enlarged(2)
}

/// All pictures that a trained generator can give.
pub fn pictures(painter: &Painter, psi: f32, seed: u64, out: &Path) -> Result<()> {
    let width = painter.0.mapping.mean.value().count();
    let mut rng = Rng::seeded(seed).stream(2);
    let mut styles = |count: usize, psi: f32| painter.styles(&Tensor::randn([count, width], &mut rng), psi);
    let sampled = styles(ROWS * COLUMNS, psi); // [96, W]
    let sources = styles(6 + 9, 0.8); // [15, W]
    let strips = styles(8, 1.0); // [8, W]
    let painted = painter.paint_all(&sampled, &mut rng); // [96, 1, 28, 28]
    grid(&painted).save_png(out.join("samples.png"))?;
    for crossover in [2, 4] {
        let name = format!("mixing-{}.png", SIZES[crossover]);
        mixing(painter, &sources, crossover, &mut rng, &out.join(name))?;
    }
    truncation(painter, &strips, &mut rng, &out.join("truncation.png"))?;
    noise(painter, &strips, &mut rng, &out.join("noise.png"))?;
    walks(painter, width, &mut rng, &out.join("walks.png"))?;
    statistics(painter, &strips, &mut rng, &out.join("adain.png"))
}

/// The `i`-th image of a batch, without a history.
fn one(images: &Tensor, i: usize) -> Tensor {
    images.narrow(0, i, 1).squeeze(0) // [1, 28, 28]
}

// ANCHOR: mixing
/// Each of the first six styles (a row, blue) with each of the others (a column, orange): the layers before `crossover`
/// have the row's style, the rest the column's.
fn mixing(painter: &Painter, styles: &Tensor, crossover: usize, rng: &mut Rng, path: &Path) -> Result<()> {
    const OF_ROWS: usize = 6;
    let of_columns = styles.size(0) - OF_ROWS;
    let row = |i: usize| styles.narrow(0, i, 1); // [1, W]
    // The same noise everywhere: what differs is the style.
    let noise = draw_noise(1, rng);
    let paint =
        |coarse: usize, fine: usize| one(&painter.paint(&mix(&row(coarse), &row(fine), &[crossover]), &noise), 0);
    let step = SIZE as f64 * PIXEL + GAP;
    let [left, top] = [step + 3.0 * GAP, 2.0 * LINE + step + 2.0 * GAP];
    let at = |column: usize, y: usize| [left + column as f64 * step, top + y as f64 * step];
    let mut sheet = Sheet::default();
    let (coarse, fine) = (sizes(0, crossover), sizes(crossover, LAYERS));
    let row_words = format!("rows: the style of the layers at {coarse}");
    let column_words = format!("columns: the style of the layers at {fine}");
    sheet.words(row_words, [left, LINE / 2.0], TextAnchor::Start, Light::Blue);
    sheet.words(column_words, [left, 1.5 * LINE], TextAnchor::Start, Light::Orange);
    for column in 0..of_columns {
        let source = OF_ROWS + column;
        sheet.image(&paint(source, source), [at(column, 0)[0], 2.0 * LINE], Light::Orange);
    }
    for y in 0..OF_ROWS {
        sheet.image(&paint(y, y), [GAP, at(0, y)[1]], Light::Blue);
        for column in 0..of_columns {
            sheet.image(&paint(y, OF_ROWS + column), at(column, y), Light::White);
        }
    }
    sheet.save(path)
}
// ANCHOR_END: mixing

/// The sizes that layers work at: "7×7, 14×14".
fn sizes(from: usize, to: usize) -> String {
    let mut sizes = SIZES[from..to].to_vec();
    sizes.dedup();
    sizes.iter().map(|size| format!("{size}×{size}")).collect::<Vec<_>>().join(", ")
}

fn numbered(i: usize) -> String {
    format!("style {}", i + 1)
}

/// The `i`-th of each of these batches, `[N, 1, 28, 28]`.
fn across(batches: &[Tensor], i: usize) -> Tensor {
    let images: Vec<Tensor> = batches.iter().map(|images| images.narrow(0, i, 1)).collect();
    Tensor::cat(&images.iter().collect::<Vec<_>>(), 0)
}

/// Each style (a row) from beyond the mean's other side to beyond itself.
fn truncation(painter: &Painter, styles: &Tensor, rng: &mut Rng, path: &Path) -> Result<()> {
    let psis: Vec<f32> = (0..10).map(|i| -1.0 + 0.25 * i as f32).collect();
    let noise = draw_noise(styles.size(0), rng);
    let columns: Vec<Tensor> = psis
        .iter()
        .map(|&psi| painter.paint(&everywhere(&painter.0.mapping.truncate(styles, psi)), &noise)) // [N, 1, 28, 28]
        .collect();
    let strips: Vec<Strip> = (0..styles.size(0)).map(|i| Strip::new(numbered(i), across(&columns, i))).collect();
    let heads = Heads { corner: "ψ".to_string(), columns: psis.iter().map(|psi| psi.to_string()).collect() };
    save_strips(path, &heads, &strips)
}

/// Each style (a row) without noise, with several noises, and where noise changes the image.
fn noise(painter: &Painter, styles: &Tensor, rng: &mut Rng, path: &Path) -> Result<()> {
    const DRAWN: usize = 6;
    const MEASURED: usize = 50;
    /// Deviations are small: they are shown so many times as large.
    const ENLARGED: f32 = 16.0;
    let none: Vec<Tensor> = draw_noise(1, rng).iter().map(Tensor::zeros_like).collect();
    let strips: Vec<Strip> = (0..styles.size(0))
        .map(|i| {
            let w = styles.narrow(0, i, 1); // [1, W]
            let many = painter.paint_all(&w.expand([MEASURED, w.size(1)]), rng); // [50, 1, 28, 28]
            let without = painter.paint(&everywhere(&w), &none); // [1, 1, 28, 28]
            let deviation = (many.std(0, 0) * ENLARGED).unsqueeze(0); // [1, 1, 28, 28]
            Strip::new(numbered(i), Tensor::cat(&[&without, &many.narrow(0, 0, DRAWN), &deviation], 0))
        })
        .collect();
    let mut columns = vec!["none".to_string()];
    columns.extend((1..=DRAWN).map(|i| i.to_string()));
    columns.push(format!("dev ×{ENLARGED}"));
    save_strips(path, &Heads { corner: "noise".to_string(), columns }, &strips)
}

/// The same pairs of z, walked between in both spaces.
fn walks(painter: &Painter, width: usize, rng: &mut Rng, path: &Path) -> Result<()> {
    const PAIRS: usize = 4;
    const PLACES: usize = 12;
    let ends = [(); 2].map(|()| Tensor::randn([PAIRS, width], rng)); // z, [N, W]
    let ends_in_w = ends.each_ref().map(|z| painter.styles(z, 1.0)); // [N, W]
    let noise = draw_noise(PAIRS, rng);
    let places: Vec<f64> = (0..PLACES).map(|i| i as f64 / (PLACES - 1) as f64).collect();
    let images = |space: Space| -> Vec<Tensor> {
        let at = |&t: &f64| match space {
            Space::Z => painter.styles(&slerp(&ends[0], &ends[1], &[t; PAIRS]), 1.0),
            Space::W => lerp(&ends_in_w[0], &ends_in_w[1], &[t; PAIRS]),
        };
        places.iter().map(|t| painter.paint(&everywhere(&at(t)), &noise)).collect()
    };
    let of_spaces = [Space::Z, Space::W].map(images);
    let strips: Vec<Strip> = (0..PAIRS)
        .flat_map(|pair| {
            let in_z = Strip::new("in z", across(&of_spaces[0], pair));
            [in_z, Strip { gap_after: true, ..Strip::new("in w", across(&of_spaces[1], pair)) }]
        })
        .collect();
    let heads = Heads { corner: "t".to_string(), columns: places.iter().map(|t| format!("{t:.2}")).collect() };
    save_strips(path, &heads, &strips)
}

/// Means and deviations of all channels before and after each AdaIN, and what the styles ask for.
fn statistics(painter: &Painter, styles: &Tensor, rng: &mut Rng, path: &Path) -> Result<()> {
    let noise = draw_noise(styles.size(0), rng);
    let (mut panels, mut farthest) = (Vec::new(), 0.0_f32);
    no_grad(|| {
        painter.0.synthesis.watched(&everywhere(styles), &noise, &mut |stage| {
            let deviations = |x: &Tensor| x.std([2, 3], 0); // [N, C]
            let points = |means: &Tensor, deviations: &Tensor| {
                means.iter().zip(deviations.iter()).map(|(m, d)| (f64::from(m), f64::from(d))).collect::<Vec<_>>()
            };
            let after = deviations(stage.after);
            let asked = stage.scale.abs(); // [N, C]
            let of_means = (stage.after.mean([2, 3]) - stage.shift).abs().max(..).item();
            farthest = farthest.max((&after - &asked).abs().max(..).item()).max(of_means);
            let title = format!("Layer {}, {2}×{2}, {1} channels", stage.number, after.size(1), SIZES[stage.number]);
            let labels = Labels { title: &title, x: "mean over space", y: "deviation over space" };
            let sets = [
                Series { label: "after", points: points(&stage.after.mean([2, 3]), &after) },
                Series { label: "before", points: points(&stage.before.mean([2, 3]), &deviations(stage.before)) },
            ];
            panels.push(Panel::points(labels, &sets));
        })
    });
    println!("after AdaIN means and deviations differ from what the styles ask for by {farthest:.1e} at the most");
    let title = format!("Before and after AdaIN: means and deviations of the channels of {} images", styles.size(0));
    save(path, &title, 3, panels)
}

/// Losses, scores, slopes by epoch.
pub fn curves(history: &[Epoch], out: &Path) -> Result<()> {
    let line = |label: &'static str, value: &dyn Fn(&Epoch) -> f64| Series {
        label,
        points: (1..).map(f64::from).zip(history.iter().map(value)).filter(|(_, y)| !y.is_nan()).collect(),
    };
    let losses = Labels { title: "Losses", x: "epoch", y: "softplus" };
    let scores = Labels { title: "The discriminator's scores", x: "epoch", y: "logit" };
    let slopes = Labels { title: "What R1 keeps small", x: "epoch", y: "mean of |∇D(x)|²" };
    let panels = vec![
        Panel::lines(
            losses,
            &[
                line("discriminator", &|epoch| epoch.discriminator_loss),
                line("generator", &|epoch| epoch.generator_loss),
            ],
        ),
        Panel::lines(scores, &[line("real: D(x)", &|epoch| epoch.real), line("painted: D(G(z))", &|epoch| epoch.fake)])
            .reference(0.0, "undecided"),
        Panel::lines(slopes, &[line("", &|epoch| epoch.slope)]),
    ];
    save(&out.join("curves.png"), "style-based generator", 3, panels)
}

/// The pace along walks in both spaces.
pub fn paces(z: &Paces, w: &Paces, out: &Path) -> Result<()> {
    let line = |label: &'static str, paces: &Paces| {
        let at = |(i, &pace): (usize, &f64)| ((i as f64 + 0.5) / INTERVALS as f64, pace);
        Series { label, points: paces.by_interval.iter().enumerate().map(at).collect() }
    };
    let labels = Labels { title: "How fast images change on the way", x: "t", y: "squared pace of the features" };
    let panel = Panel::lines(labels, &[line("great circles in z", z), line("straight lines in w", w)]);
    let highest = z.by_interval.iter().chain(&w.by_interval).copied().fold(0.0, f64::max);
    save(&out.join("paces.png"), "", 1, vec![panel.x_range(0.0, 1.0).y_range(0.0, highest * 1.1)])
}
