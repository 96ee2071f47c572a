//! Pictures of the training.

use crate::networks::CLASSES;
use crate::train::{Epoch, Gan};
use anyhow::Result;
use autograd::{Rng, Tensor};
use common::plot::{Labels, Panel, Series, save};
use nn::data::{Grid, Picture, save_gif};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Paintings of each digit in a frame.
const COLUMNS: usize = 10;

/// What is painted after each epoch from the same noise: a row for each digit.
pub struct Frames {
    noise: Tensor,
    digits: Tensor<i64>,
    pictures: Vec<Picture>,
    out: PathBuf,
}

impl Frames {
    pub fn new(z: usize, out: &Path) -> Result<Frames> {
        // A column has the same noise: its digits are written by the same hand.
        let noise = Tensor::randn([1, COLUMNS, z], &mut Rng::seeded(1)).expand([CLASSES, COLUMNS, z]);
        let digits = Tensor::from_fn([CLASSES * COLUMNS], |i| (i / COLUMNS) as i64);
        let noise = noise.reshape([CLASSES * COLUMNS, z]);
        Ok(Frames { noise, digits, pictures: Vec::new(), out: out.to_path_buf() })
    }

    /// Paints a frame, and writes it.
    pub fn add(&mut self, gan: &Gan) -> Result<()> {
        let images = gan.paint(&self.noise, &self.digits); // [100, 1, 28, 28]
        let number = gan.history.len();
        let picture = picture(&images, COLUMNS);
        picture.save_png(self.out.join(format!("epoch-{number:03}.png")))?;
        self.pictures.push(picture);
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

fn picture(images: &Tensor, columns: usize) -> Picture {
    Picture::new(&Grid { columns, padding: 2, background: 0.25 }.of(images), (0.0, 1.0)).enlarged(2)
}

/// Writes images from 0 to 1 in rows of so many.
pub fn save_grid(images: &Tensor, columns: usize, path: &Path) -> Result<()> {
    Ok(picture(images, columns).save_png(path)?)
}

/// Losses and the discriminator's opinions by epoch.
pub fn curves(history: &[Epoch], out: &Path) -> Result<()> {
    let line = |label: &'static str, value: &dyn Fn(&Epoch) -> f64| Series {
        label,
        points: history.iter().enumerate().map(|(i, epoch)| (i as f64 + 1.0, value(epoch))).collect(),
    };
    let losses = Labels { title: "Losses", x: "epoch", y: "binary cross-entropy" };
    let opinions = Labels { title: "How real the discriminator takes images for", x: "epoch", y: "probability" };
    let panels = vec![
        Panel::lines(
            losses,
            &[
                line("discriminator", &|epoch| epoch.discriminator_loss),
                line("generator", &|epoch| epoch.generator_loss),
            ],
        ),
        Panel::lines(
            opinions,
            &[line("real: D(x)", &|epoch| epoch.d_of_real), line("painted: D(G(z))", &|epoch| epoch.d_of_fake)],
        )
        .y_range(0.0, 1.0)
        .reference(0.5, "undecided"),
    ];
    save(&out.join("curves.png"), "conditional DCGAN", 2, panels)
}
