//! How good the classifier is, and where.

use crate::data::{LENGTH, Strings};
use crate::model::Classifier;
use crate::train::Epoch;
use anyhow::Result;
use common::letters;
use common::plot::{Labels, Panel, Series, save};
use nn::metrics::ConfusionMatrix;
use std::path::Path;

/// A model that was trained, and how.
pub struct Run {
    pub seed: u64,
    pub model: Classifier,
    pub history: Vec<Epoch>,
    /// Which of the development strings it is right about.
    pub correct: Vec<bool>,
    /// From raw text to predictions.
    pub seconds: f64,
}

impl Run {
    pub fn accuracy(&self) -> f64 {
        share(&self.correct)
    }
}

fn share(correct: &[bool]) -> f64 {
    correct.iter().filter(|&&right| right).count() as f64 / correct.len().max(1) as f64
}

/// Prints the confusion matrix of the first run, and draws curves and the accuracy by where the last vowel stands.
pub fn report(runs: &[Run], dev: &Strings, out: &Path) -> Result<()> {
    let first = &runs[0];
    let targets: Vec<usize> = dev.labels.iter().map(|label| label as usize).collect();
    let answers: Vec<usize> =
        targets.iter().zip(&first.correct).map(|(&target, &right)| if right { target } else { 1 - target }).collect();
    let matrix = ConfusionMatrix::new(&targets, &answers, 2);
    println!("\nseed {}:                 says consonant   says vowel", first.seed);
    for (class, name) in ["consonant follows", "vowel follows"].iter().enumerate() {
        println!("  {name:20} {:14} {:12}", matrix.count(class, 0), matrix.count(class, 1));
    }
    println!(
        "  precision {:.3}, recall {:.3}, F1 {:.3} (of vowels)",
        matrix.precision(1),
        matrix.recall(1),
        matrix.f1(1)
    );

    // After a vowel a consonant is likely, the more so the closer it is.
    let mut by_place = vec![Vec::new(); LENGTH + 1];
    for run in runs {
        for (row, &right) in dev.tokens.to_vec().chunks(LENGTH).zip(&run.correct) {
            let back = row.iter().rev().position(|&token| letters::is_vowel(token)).unwrap_or(LENGTH);
            by_place[back].push(right);
        }
    }
    println!("\naccuracy by how many characters stand after the last vowel:");
    let mut bars = Vec::new();
    for (back, correct) in by_place.iter().enumerate().filter(|(_, correct)| correct.len() >= 5 * runs.len()) {
        let name = if back == LENGTH { "none".to_string() } else { back.to_string() };
        println!("  {name:>4}: {:.3} of {}", share(correct), correct.len() / runs.len());
        bars.push((name, share(correct)));
    }

    let curve = |value: &dyn Fn(&Epoch) -> f64| -> Vec<Series<'static>> {
        let points =
            |run: &Run| run.history.iter().enumerate().map(|(i, epoch)| (i as f64 + 1.0, value(epoch))).collect();
        runs.iter().map(|run| Series { label: "", points: points(run) }).collect()
    };
    let losses = Labels { title: "Training loss, a line for each seed", x: "epoch", y: "cross-entropy, nats" };
    let accuracies = Labels { title: "Development accuracy", x: "epoch", y: "share of right answers" };
    let places =
        Labels { title: "Accuracy by place of the last vowel", x: "characters after it", y: "share of right answers" };
    let panels = vec![
        Panel::lines(losses, &curve(&|epoch| epoch.loss)),
        Panel::lines(accuracies, &curve(&|epoch| epoch.accuracy)),
        Panel::bars(places, &bars).y_range(0.0, 1.0),
    ];
    save(&out.join("vowel_classifier.png"), "", 3, panels)
}
