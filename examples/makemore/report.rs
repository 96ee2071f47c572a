//! What a trained network leaves behind: its losses, new names, pictures, weights.

use crate::data::{DOT, Examples, Splits, VOCABULARY, character};
use crate::model::Bengio;
use crate::train::{History, Recipe, evaluate};
use anyhow::Result;
use autograd::{Rng, Tensor, no_grad};
use common::draw;
use common::pca::principal_plane;
use common::plot::{Labels, Panel, Series, save};
use std::path::{Path, PathBuf};
use std::time::Instant;

/// What an exercise is told beside its own flags.
#[derive(Clone, Debug)]
pub struct Run {
    pub seed: u64,
    pub out: PathBuf,
    /// At most so many steps and examples in each, for tours and quick runs; but what a flag says goes.
    pub limit: Option<(usize, usize)>,
}

impl Run {
    /// The recipe within the limit.
    pub fn shortened(&self, recipe: Recipe) -> Recipe {
        let Some((steps, batch)) = self.limit else { return recipe };
        Recipe { steps: recipe.steps.min(steps), batch: recipe.batch.min(batch), ..recipe }
    }
}

/// The figures of the last line.
#[derive(Clone, Copy, Debug)]
pub struct Outcome {
    pub dev: f64,
    pub test: f64,
    pub seconds: f64,
}

/// Judges the network on names that it has not seen, and shows what it has learnt. `start` is when its
/// training began.
pub fn finish(model: &Bengio, splits: &Splits, history: &History, start: Instant, out: &Path) -> Result<Outcome> {
    let context = model.shape().context;
    let dev = evaluate(model, &Examples::new(&splits.dev, context));
    let test = evaluate(model, &Examples::new(&splits.test, context));
    let outcome = Outcome { dev, test, seconds: start.elapsed().as_secs_f64() };
    println!("development loss {dev:.4}, test loss {test:.4}, {:.1} s", outcome.seconds);

    let mut rng = Rng::seeded(1);
    let names: Vec<String> = (0..20).map(|_| sample(model, &mut rng)).collect();
    let unseen = names.iter().filter(|name| !splits.train.contains(name)).count();
    println!("new names ({unseen} of 20 not in the training set): {}", names.join(" "));

    let lines = [
        Series { label: "a batch", points: history.train.clone() },
        Series { label: "development set", points: history.dev.clone() },
    ];
    let loss = Panel::lines(Labels { title: "Loss", x: "step", y: "cross-entropy" }, &lines);
    save(&out.join("loss.png"), "", 2, vec![loss, embedding_panel(model)])?;
    nn::checkpoint::save_module(model, &out.join("makemore.safetensors"))?;
    println!("loss.png and makemore.safetensors are in {}", out.display());
    Ok(outcome)
}

/// A new name, one character after the other.
pub fn sample(model: &Bengio, rng: &mut Rng) -> String {
    let mut window = vec![DOT; model.shape().context];
    let mut name = String::new();
    no_grad(|| {
        while name.len() < 40 {
            let x = Tensor::from_slice(&window, [1, window.len()]); // [1, context]
            let p = model.forward(&x, |x| x).logits.softmax(-1); // [1, 27]
            let next = draw(&p, rng) as i64;
            if next == DOT {
                break;
            }
            name.push(character(next));
            window.rotate_left(1);
            if let Some(last) = window.last_mut() {
                *last = next;
            }
        }
    });
    name
}

/// Where the characters lie in the plane in which their embeddings spread most.
fn embedding_panel(model: &Bengio) -> Panel {
    let plane = principal_plane(&model.c.value().detach()); // [27, 2]
    let points: Vec<_> = plane.to_vec().chunks(2).map(|xy| (f64::from(xy[0]), f64::from(xy[1]))).collect();
    let texts: Vec<_> = (0..VOCABULARY as i64).map(|token| character(token).to_string()).collect();
    let labels = Labels { title: "The embedding, in its two main directions", x: "first", y: "second" };
    Panel::labelled_points(labels, &points, &texts)
}
