//! Pictures, and a table for the terminal.

use crate::measure::{Journey, Measured};
use crate::train::Epoch;
use anyhow::Result;
use common::plot::{Labels, Panel, Series, save};
use common::strips::{Heads, Strip, save_strips};
use std::path::Path;

/// Digits in a strip.
const SHOWN: usize = 14;

/// The first test digits from A to B to A, and from B to A to B: a labelled strip for each stop.
pub fn strips(journeys: &[Journey; 2], names: [&str; 2], path: &Path) -> Result<()> {
    let mut strips = Vec::new();
    for (journey, [from, to]) in journeys.iter().zip([names, [names[1], names[0]]]) {
        let shown = SHOWN.min(journey.real.size(0));
        let mut strip =
            |label: String, images: &autograd::Tensor| strips.push(Strip::new(label, images.narrow(0, 0, shown)));
        strip(format!("real, {from}"), &journey.real);
        strip(format!("translated: {to}"), &journey.fake);
        strip(format!("and back: {from}"), &journey.back);
        strip(format!("true {to} (never shown)"), &journey.truth);
        if let Some(last) = strips.last_mut() {
            last.gap_after = true;
        }
    }
    save_strips(path, &Heads::default(), &strips)
}

/// Losses by epoch, and how far translations are from what they should be.
pub fn curves(history: &[Epoch], nothing_done: f64, names: [&str; 2], out: &Path) -> Result<()> {
    let line = |label, value: &dyn Fn(&Epoch) -> f64| Series {
        label,
        points: history.iter().enumerate().map(|(i, epoch)| (i as f64 + 1.0, value(epoch))).collect(),
    };
    let (there, home) = (format!("{} to {}", names[0], names[1]), format!("{} to {}", names[1], names[0]));
    let game = Labels { title: "The game", x: "epoch", y: "loss" };
    let images = Labels { title: "What images lose", x: "epoch", y: "mean |difference|, images from −1 to 1" };
    let off = Labels { title: "Distance from the true translation", x: "epoch", y: "mean |difference|, 0 to 1" };
    let panels = vec![
        Panel::lines(
            game,
            &[line("discriminators", &|epoch| epoch.discriminators), line("generators", &|epoch| epoch.adversarial)],
        ),
        Panel::lines(
            images,
            &[line("there and back", &|epoch| epoch.cycle), line("on the right side already", &|epoch| epoch.identity)],
        ),
        Panel::lines(off, &[line(&there, &|epoch| epoch.off_ab), line(&home, &|epoch| epoch.off_ba)])
            .y_range(
                0.0,
                nothing_done.max(history.iter().fold(0.0, |most, epoch| epoch.off_ab.max(epoch.off_ba).max(most)))
                    * 1.1,
            )
            .reference(nothing_done, "nothing done"),
    ];
    save(&out.join("curves.png"), "CycleGAN", 3, panels)
}

/// Both directions, what they started from and what they should have made.
pub fn table(measured: &[Measured; 2], names: [&str; 2]) {
    println!("\n{:32} judge reads   ink   off the truth", "test images");
    for (of, [from, to]) in measured.iter().zip([names, [names[1], names[0]]]) {
        let row = |what: String, judged: f64, ink: f64, off: f64| {
            println!("{what:32} {:9.2} %  {ink:.4}   {off:.4}", 100.0 * judged);
        };
        row(format!("real, {from}"), of.judged_real, of.ink_real, of.off_real);
        row(format!("translated: {to}"), of.judged_fake, of.ink_fake, of.off_fake);
        row(format!("true {to}"), of.judged_truth, of.ink_truth, 0.0);
        println!("   there and back, a pixel is off by {:.4}\n", of.cycle_error);
    }
}
