//! Exercise 2: how the weights start, and what that does to the first loss and to all that follows.
//!
//! A network that knows nothing should give each of the 27 characters the same probability: a first loss
//! of ln 27 = 3.2958. Large output weights make it confidently wrong instead. Small output weights mend
//! the first loss; but if the hidden neurons are saturated (|tanh| near 1 for every input, which weights
//! that are all positive bring about), their derivative 1 − h² is near 0, nothing flows back to W1 and C,
//! and the network is stuck at what the output bias alone can learn: the frequencies of the characters.

use crate::data::{Examples, Splits};
use crate::depth;
use crate::model::{Bengio, Shape, ShapeFlags, Start};
use crate::report::{Outcome, Run, finish};
use crate::train::{History, Method, Recipe, RecipeFlags, Schedule, Sets, evaluate, train, with_default};
use anyhow::Result;
use autograd::{Rng, Tensor};
use common::plot::{Labels, Panel, Series, save, save_groups};
use nn::Module;
use std::path::Path;
use std::time::Instant;

/// Above this, a neuron counts as saturated: its derivative is below 0.06.
const SATURATED: f32 = 0.97;
/// Contexts that the pictures look at.
const LOOK_AT: usize = 512;

/// Compare ways to initialise the weights: first loss, saturation, gradients, what training makes of each
#[derive(clap::Args, Clone, Debug, Default)]
#[command(mut_args(|flag| with_default(flag, SHAPE, RECIPE)))]
pub struct Init {
    #[command(flatten)]
    pub shape: ShapeFlags,

    #[command(flatten)]
    pub recipe: RecipeFlags,
}

/// One way to start, and what came of it.
struct Trial {
    start: Start,
    first: f64,
    dev: f64,
    saturated: f64,
    hidden: Tensor,
    /// dL/dh, `[B, H]`
    hidden_gradient: Tensor,
    /// The root mean square of each parameter's first gradient.
    gradients: Vec<(String, f64)>,
    model: Bengio,
    history: History,
}

/// The reference's network.
pub const SHAPE: Shape = Shape { context: 3, embedding: 50, hidden: 100 };
/// The reference's training, which a bad start cannot hide from: plain gradient descent.
pub const RECIPE: Recipe = Recipe {
    steps: 2_000,
    batch: 1024,
    lr: 0.1,
    schedule: Schedule::Constant,
    method: Method::Sgd,
    dropout: 0.0,
    weight_decay: 0.0,
    lambda: [0.0; 3],
};

/// Trains the same network from each start.
pub fn run(init: &Init, splits: &Splits, run: &Run) -> Result<Outcome> {
    let (shape, recipe) = (init.shape.over(SHAPE), init.recipe.over(run.shortened(RECIPE)));
    let (seed, out) = (run.seed, run.out.as_path());
    let begin = Instant::now();
    let (train_set, dev) = (Examples::new(&splits.train, shape.context), Examples::new(&splits.dev, shape.context));
    let sets = Sets { train: &train_set, dev: &dev };
    println!("a uniform guess has a loss of ln 27 = {:.4}", 27_f64.ln());
    let mut trials = Vec::new();
    for start in Start::ALL {
        let model = Bengio::new(shape, start, false, &mut Rng::seeded(seed));
        let first = evaluate(&model, &train_set);
        let mut trial = look(model, start, &train_set, first, seed);
        trial.history = train(&trial.model, sets, &recipe, seed, start.name())?;
        trial.dev = evaluate(&trial.model, &dev);
        println!(
            "{:>18}: first loss {first:7.4}, {:3.0} % of hidden activations saturated, development loss after {} steps {:.4}",
            start.name(),
            trial.saturated * 100.0,
            recipe.steps,
            trial.dev
        );
        trials.push(trial);
    }
    draw(&trials, out)?;
    depth::draw(&out.join("depth.png"), seed)?;
    println!(
        "hidden.png, saturation.png, gradients.png, updates.png, starts.png and depth.png are in {}",
        out.display()
    );
    let last = trials.last().expect("there are several starts");
    finish(&last.model, splits, &last.history, begin, out)
}

/// What the network calculates, and what flows back, before it has learnt anything.
fn look(model: Bengio, start: Start, train_set: &Examples, first: f64, seed: u64) -> Trial {
    let batch = train_set.draw(LOOK_AT, &mut Rng::seeded(seed));
    let activations = model.forward(&batch.x, |x| x);
    activations.hidden.retain_grad();
    activations.logits.cross_entropy(&batch.y).backward();
    let hidden = activations.hidden.detach(); // [B, H]
    let saturated = hidden.iter().filter(|h| h.abs() > SATURATED).count() as f64 / hidden.count() as f64;
    let rms = |x: Tensor| f64::from(x.square().mean(..).item()).sqrt();
    let named = model.named_parameters();
    let gradients = named.iter().filter_map(|(name, p)| Some((name.clone(), rms(p.grad()?)))).collect();
    model.zero_grad();
    let hidden_gradient = activations.hidden.retained_grad().expect("retain_grad was called");
    Trial {
        start,
        first,
        dev: f64::NAN,
        saturated,
        hidden,
        hidden_gradient,
        gradients,
        model,
        history: History::default(),
    }
}

fn draw(trials: &[Trial], out: &Path) -> Result<()> {
    let panel = |trial: &Trial| {
        let title = format!("{} ({:.0} % saturated)", trial.start.name(), trial.saturated * 100.0);
        let labels = Labels { title: &title, x: "tanh", y: "activations" };
        Panel::histogram(labels, &trial.hidden.to_vec(), 50, (-1.0, 1.0))
    };
    save(&out.join("hidden.png"), "Hidden activations before training", 3, trials.iter().map(panel).collect())?;

    // Dark where |h| is near 1: a column that is dark throughout is a neuron that cannot learn.
    let map = |trial: &Trial| {
        let (rows, columns) = (64.min(trial.hidden.size(0)), trial.hidden.size(1));
        let values = trial.hidden.to_vec();
        let left = |&h: &f32| f64::from(1.0 - h * h);
        let matrix = values.chunks(columns).take(rows).map(|row| row.iter().map(left).collect()).collect();
        Panel::heat_map(Labels { title: trial.start.name(), x: "neuron", y: "context" }, matrix, "1 − tanh²")
    };
    let title = "1 − tanh², the share of a gradient that passes each neuron (dark: none)";
    save(&out.join("saturation.png"), title, 3, trials.iter().map(map).collect())?;

    let histogram = |trial: &Trial| {
        let gradient = trial.hidden_gradient.to_vec();
        let largest = gradient.iter().fold(0.0_f32, |most, g| most.max(g.abs()));
        let x = if largest == 0.0 { "dL/dh: all zero".to_string() } else { format!("dL/dh / {largest:.1e}") };
        let scaled: Vec<f32> = gradient.iter().map(|g| g / largest.max(f32::MIN_POSITIVE)).collect();
        Panel::histogram(Labels { title: trial.start.name(), x: &x, y: "entries" }, &scaled, 50, (-1.0, 1.0))
    };
    let sizes = |trial: &Trial| {
        let labels = Labels { title: trial.start.name(), x: "", y: "gradient's RMS (no bar: 0)" };
        Panel::bars(labels, &trial.gradients).log_y().y_range(1e-10, 1.0)
    };
    let rows = vec![trials.iter().map(histogram).collect(), trials.iter().map(sizes).collect()];
    save_groups(&out.join("gradients.png"), "The first gradients", 4, rows)?;

    // The first step from a parameter that is zero is infinitely long, and no step at all infinitely short.
    const LEAST: f64 = -6.0;
    const MOST: f64 = 0.0;
    let within = |points: &[(f64, f64)]| points.iter().map(|&(x, y)| (x, y.clamp(LEAST, MOST))).collect();
    let ratios = |trial: &Trial| {
        let lines: Vec<_> =
            trial.history.updates.iter().map(|(name, points)| Series { label: name, points: within(points) }).collect();
        let labels = Labels { title: trial.start.name(), x: "step", y: "log10(update / value)" };
        Panel::lines(labels, &lines).y_range(LEAST, MOST).reference(-3.0, "0.001")
    };
    save(
        &out.join("updates.png"),
        "How far a step moves each parameter (at the bottom: not at all)",
        3,
        trials.iter().map(ratios).collect(),
    )?;

    // Some starts come to the same loss after a few steps, so each has a picture of its own, beside the best.
    let [others @ .., best] = trials else { unreachable!("there are several starts") };
    let losses = |trial: &Trial| {
        let lines =
            [best, trial].map(|trial| Series { label: trial.start.name(), points: trial.history.train.clone() });
        let title = format!("{} (first {:.2})", trial.start.name(), trial.first);
        Panel::lines(Labels { title: &title, x: "step", y: "cross-entropy (log scale)" }, &lines)
            .log_y()
            .y_range(1.5, 25.0)
            .reference(27_f64.ln(), "ln 27")
    };
    save(&out.join("starts.png"), "Training loss from each start", 3, others.iter().map(losses).collect())
}
