//! Training: to classify, and before that perhaps to continue a text.

use crate::data::{Data, LENGTH};
use crate::model::Classifier;
use autograd::{Rng, Tensor};
use common::{flags, letters, profile, progress, say};
use nn::Module;
use nn::optim::{AdamW, AdamWOptions, OneCycleLr, Optimizer, Scheduler, clip_grad_norm};
use std::time::Instant;

/// Sizes and training. The defaults are what was found best; what has read more text has use for more units.
#[derive(clap::Args, Clone, Debug)]
pub struct Recipe {
    /// Numbers that stand for a character (with --pretrain 32)
    #[arg(long, default_value_t = 16, default_value_if("pretrain", "true", "32"), value_parser = flags::count)]
    pub embedding: usize,

    /// Hidden units of the LSTM (with --pretrain 128)
    #[arg(long, default_value_t = 48, default_value_if("pretrain", "true", "128"), value_parser = flags::count)]
    pub hidden: usize,

    /// Passes over the strings (with --pretrain 12, with --quick 1)
    #[arg(long, default_value_t = 9, value_parser = flags::count)]
    #[arg(default_value_ifs([("quick", "true", "1"), ("pretrain", "true", "12")]))]
    pub epochs: usize,

    /// Strings in a step
    #[arg(long, default_value_t = 50, value_parser = flags::count)]
    pub batch: usize,

    /// The highest learning rate of the one-cycle schedule (with --pretrain 5e-3)
    #[arg(long, default_value_t = 8e-3, default_value_if("pretrain", "true", "5e-3"), value_parser = flags::positive::<f64>)]
    pub lr: f64,

    /// Share of embeddings and hidden states that dropout zeroes (with --pretrain 0.3)
    #[arg(long, default_value_t = 0.1, default_value_if("pretrain", "true", "0.3"), value_parser = flags::share::<f64>)]
    pub dropout: f64,

    /// Weight of the second task: after each character of a string, which one comes next
    #[arg(long, default_value_t = 1.0, value_parser = flags::not_negative::<f32>)]
    pub auxiliary: f32,

    /// Passes over the running text, with --pretrain (with --quick 1)
    #[arg(long, default_value_t = 12, default_value_if("quick", "true", "1"), value_parser = flags::count)]
    pub pretraining: usize,
}

impl Recipe {}

/// What was measured in one pass.
pub struct Epoch {
    pub loss: f64,
    /// Share of the development strings that the model is right about.
    pub accuracy: f64,
}

/// Trains a model from this seed.
pub fn run(recipe: &Recipe, data: &Data, pretrain: bool, seed: u64) -> (Classifier, Vec<Epoch>) {
    let mut rng = Rng::seeded(seed);
    let model = Classifier::new(recipe, &mut rng);
    if pretrain {
        learn_language(&model, recipe, &data.text, &mut rng);
    }
    let history = learn_to_classify(&model, recipe, data, &mut rng);
    (model, history)
}

/// Down the gradient, with a learning rate that rises and falls once in so many steps.
struct Descent {
    adam: AdamW,
    schedule: Scheduler<OneCycleLr>,
}

impl Descent {
    fn new(model: &Classifier, lr: f64, steps: usize) -> Descent {
        let options = AdamWOptions { lr, weight_decay: 1e-2, ..Default::default() };
        let mut adam = AdamW::new(model.named_parameters(), options);
        let cycle = OneCycleLr { cycle_momentum: false, ..OneCycleLr::new(lr, steps) };
        Descent { schedule: Scheduler::new(cycle, &mut adam), adam }
    }

    /// One step down the gradient of `loss`, which is clipped to a length of 1: recurrent networks have a few very
    /// steep places, and a step from there would leave all that was learnt.
    fn step(&mut self, model: &Classifier, loss: &Tensor) {
        self.adam.zero_grad();
        loss.backward();
        clip_grad_norm(&model.parameters(), 1.0);
        self.adam.step();
        self.schedule.step(&mut self.adam);
    }
}

fn learn_to_classify(model: &Classifier, recipe: &Recipe, data: &Data, rng: &mut Rng) -> Vec<Epoch> {
    let count = data.train.len();
    let steps = recipe.epochs * count.div_ceil(recipe.batch);
    let mut descent = Descent::new(model, recipe.lr, steps);
    let bar = progress(steps, "classify");
    let mut order: Vec<i64> = (0..count as i64).collect();
    let mut history = Vec::new();
    for epoch in 1..=recipe.epochs {
        let start = Instant::now();
        rng.shuffle(&mut order);
        let mut total = 0.0;
        for rows in order.chunks(recipe.batch) {
            let _step = profile::step();
            let batch = rows.len();
            let rows = Tensor::from_slice(rows, batch);
            let x = data.train.tokens.index_select(0, &rows); // [B, 20]
            let y = data.train.labels.index_select(0, &rows); // [B]
            let h = model.hidden(&x); // [B, 20, H]
            let mut loss = model.logits(&h).cross_entropy(&y); // [B, 2] against [B]
            total += f64::from(loss.item()) * batch as f64;
            // ANCHOR: auxiliary
            if recipe.auxiliary > 0.0 {
                // One label a string is little to learn from; what follows each of its characters is known too.
                let before = h.narrow(1, 0, LENGTH - 1); // [B, 19, H]
                let after = x.narrow(1, 1, LENGTH - 1).flatten(0); // [B·19]
                let logits = model.next.forward(&before).reshape([batch * (LENGTH - 1), letters::COUNT]);
                loss = loss + logits.cross_entropy(&after) * recipe.auxiliary;
            }
            // ANCHOR_END: auxiliary
            descent.step(model, &loss);
            bar.inc(1);
        }
        let (loss, seconds) = (total / count as f64, start.elapsed().as_secs_f64());
        let correct = model.judge(&data.dev);
        let accuracy = correct.iter().filter(|&&right| right).count() as f64 / correct.len() as f64;
        say(&bar, format!("epoch {epoch:3}  loss {loss:.4}  dev accuracy {accuracy:.4}  {seconds:.2} s"));
        history.push(Epoch { loss, accuracy });
    }
    bar.finish_and_clear();
    history
}

/// Learns which character follows each of a running text, in windows as long as the strings will be and one more.
fn learn_language(model: &Classifier, recipe: &Recipe, text: &[Vec<i64>], rng: &mut Rng) {
    /// Characters in a window: twice those of a string, so that half of the states have seen as many.
    const WINDOW: usize = 2 * LENGTH;
    let windows: Vec<&[i64]> = text.iter().flat_map(|piece| piece.windows(WINDOW + 1).step_by(WINDOW)).collect();
    let steps = recipe.pretraining * windows.len().div_ceil(recipe.batch);
    let mut descent = Descent::new(model, recipe.lr, steps);
    let bar = progress(steps, "pretrain");
    for _ in 0..recipe.pretraining {
        // Windows start elsewhere in each pass.
        let offset = rng.below(WINDOW as u64) as usize;
        let mut windows: Vec<&[i64]> = text
            .iter()
            .filter_map(|piece| piece.get(offset..))
            .flat_map(|piece| piece.windows(WINDOW + 1).step_by(WINDOW))
            .collect();
        rng.shuffle(&mut windows);
        for chosen in windows.chunks(recipe.batch) {
            let batch = chosen.len();
            let both = Tensor::from_slice(&chosen.concat(), [batch, WINDOW + 1]); // [B, 41]
            let x = both.narrow(1, 0, WINDOW); // [B, 40]
            let after = both.narrow(1, 1, WINDOW).flatten(0); // [B·40]
            let logits = model.next.forward(&model.hidden(&x)); // [B, 40, 27]
            let loss = logits.reshape([batch * WINDOW, letters::COUNT]).cross_entropy(&after);
            bar.set_message(format!("loss {:.3}", loss.item()));
            descent.step(model, &loss);
            bar.inc(1);
        }
    }
    bar.finish_and_clear();
}

#[cfg(test)]
mod tests {
    use crate::Cli;
    use clap::Parser;

    #[test]
    fn what_a_flag_says_goes_before_quick_and_that_before_pretrain() {
        let epochs = |flags: &[&str]| Cli::parse_from([&["vowel_classifier"], flags].concat()).recipe.epochs;
        assert_eq!([epochs(&[]), epochs(&["--pretrain"]), epochs(&["--pretrain", "--quick"])], [9, 12, 1]);
        assert_eq!(epochs(&["--quick", "--pretrain", "--epochs", "2"]), 2);
    }
}
