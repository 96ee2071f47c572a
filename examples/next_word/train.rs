//! The training loop, with early stopping, and the figures that it is judged by.

use crate::batches::batches;
use crate::corpus::Corpus;
use crate::model::NextWord;
use anyhow::{Result, ensure};
use autograd::{Rng, no_grad};
use common::{flags, profile, progress};
use nn::Module;
use nn::optim::{Adam, AdamOptions, EarlyStopping, EarlyStoppingOptions, Optimizer, clip_grad_norm};
use std::time::Instant;

/// How to train
#[derive(clap::Args, Clone, Debug)]
pub struct Recipe {
    /// Passes over the sentences, at the most (with --quick 1)
    #[arg(long, default_value_t = 5, default_value_if("quick", "true", "1"), value_parser = flags::count)]
    pub epochs: usize,

    /// Epochs without improvement on validation that end the training
    #[arg(long, default_value_t = 2, value_parser = flags::count)]
    pub patience: usize,

    /// Sentences in a step
    #[arg(long, default_value_t = 32, value_parser = flags::count)]
    pub batch: usize,

    /// Learning rate of Adam
    #[arg(long, default_value_t = 0.003, value_parser = flags::positive::<f64>)]
    pub lr: f64,
}

/// How well the next words are predicted.
#[derive(Clone, Copy, Debug)]
pub struct Score {
    /// The mean of −ln p(next word), where all words that the vocabulary lacks are one, <unk>.
    pub loss: f64,
    /// How often the likeliest word is right. A word that the vocabulary lacks counts as wrong, whatever is predicted.
    pub accuracy: f64,
    /// How often the right one is among the five likeliest.
    pub top5: f64,
}

impl Score {
    /// As if so many words were equally likely each time.
    pub fn perplexity(&self) -> f64 {
        nn::metrics::perplexity(self.loss)
    }
}

/// A trained model, and what it came to.
pub struct Run {
    pub name: String,
    pub model: NextWord,
    /// Numbers that were trained.
    pub trainable: usize,
    pub validation: Score,
    /// The epoch whose weights were kept.
    pub best_epoch: u64,
    /// (epoch, perplexity on validation)
    pub perplexities: Vec<(f64, f64)>,
    pub seconds: f64,
}

/// Trains until the loss on validation no longer falls, and puts the best weights back.
pub fn train(name: &str, model: NextWord, corpus: &Corpus, recipe: &Recipe, seed: u64) -> Result<Run> {
    let start = Instant::now();
    let mut rng = Rng::seeded(seed);
    let trained: Vec<_> = model.named_parameters().into_iter().filter(|(_, p)| p.is_trainable()).collect();
    let parameters: Vec<_> = trained.iter().map(|(_, parameter)| parameter.clone()).collect();
    let trainable = parameters.iter().map(|parameter| parameter.shape().count()).sum();
    let mut adam = Adam::new(trained, AdamOptions { lr: recipe.lr, ..Default::default() });
    let mut stopping = EarlyStopping::new(EarlyStoppingOptions { patience: recipe.patience, ..Default::default() });
    let steps = corpus.train.len().div_ceil(recipe.batch);
    let bar = progress(recipe.epochs * steps, "LSTM");
    let mut perplexities = Vec::new();
    // ANCHOR: train
    for epoch in 1..=recipe.epochs {
        model.train();
        for batch in batches(&corpus.train, recipe.batch, Some(&mut rng)) {
            let _step = profile::step();
            let logits = model.forward(&batch); // [N, V]
            let loss = logits.cross_entropy(&batch.y);
            adam.zero_grad();
            loss.backward();
            clip_grad_norm(&parameters, 1.0);
            adam.step();
            bar.inc(1);
        }
        let validation = evaluate(&model, corpus, &corpus.validation, recipe.batch);
        // ANCHOR_END: train
        ensure!(
            validation.loss.is_finite(),
            "the loss is {} after {epoch} epochs: try a smaller --lr",
            validation.loss
        );
        bar.set_message(format!("{name}: perplexity {:.1}", validation.perplexity()));
        perplexities.push((epoch as f64, validation.perplexity()));
        if stopping.observe(validation.loss, &model) {
            break;
        }
    }
    bar.finish_and_clear();
    stopping.restore(&model);
    let validation = evaluate(&model, corpus, &corpus.validation, recipe.batch);
    Ok(Run {
        name: name.to_string(),
        trainable,
        validation,
        best_epoch: stopping.best_at().map_or(0, |at| at + 1),
        perplexities,
        seconds: start.elapsed().as_secs_f64(),
        model,
    })
}

/// Judges the model on some sentences of a corpus, without dropout.
pub fn evaluate(model: &NextWord, corpus: &Corpus, sentences: &[Vec<u32>], batch: usize) -> Score {
    model.eval();
    let unknown = corpus.tokens.unknown.map_or(-1, i64::from);
    let (mut loss, mut first, mut five, mut count) = (0.0, 0, 0, 0);
    no_grad(|| {
        for batch in batches(sentences, batch, None) {
            let logits = model.forward(&batch); // [N, V]
            loss += f64::from(logits.cross_entropy(&batch.y).item()) * batch.y.count() as f64;
            count += batch.y.count();
            let (logits, width) = (logits.to_vec(), logits.size(1));
            for (logits, y) in logits.chunks(width).zip(batch.y.iter()).filter(|(_, y)| *y != unknown) {
                let before = logits.iter().filter(|&&logit| logit > logits[y as usize]).count();
                first += usize::from(before == 0);
                five += usize::from(before < 5);
            }
        }
    });
    let share = |right: usize| right as f64 / count as f64;
    Score { loss: loss / count as f64, accuracy: share(first), top5: share(five) }
}
