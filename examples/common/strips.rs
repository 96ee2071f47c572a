//! Rows of images with their names beside them, as one picture.

use anyhow::{Context, Result, ensure};
use autograd::Tensor;
use kuva::backend::png::PngBackend;
use kuva::render::render::{Primitive, Scene, TextAnchor};
use std::path::Path;

/// Units of the picture that a pixel of an image is wide and high, and those between images.
const PIXEL: f64 = 2.0;
const GAP: f64 = 6.0;
/// Units that a letter of a name is wide at the most, and the size of the names.
const LETTER: f64 = 8.5;
const TEXT: u32 = 15;

/// A row of images and its name.
pub struct Strip {
    pub label: String,
    /// `[N, 1, H, W]` from 0, which is black, to 1.
    pub images: Tensor,
    /// Whether there is room between this strip and the next.
    pub gap_after: bool,
}

impl Strip {
    pub fn new(label: impl Into<String>, images: Tensor) -> Strip {
        Strip { label: label.into(), images, gap_after: false }
    }
}

/// Writes strips, one below the other, their names at the left.
pub fn save_strips(path: &Path, strips: &[Strip]) -> Result<()> {
    let letters = strips.iter().map(|strip| strip.label.chars().count()).max().unwrap_or(0);
    let left = letters as f64 * LETTER + 2.0 * GAP;
    let (mut right, mut top, mut rects, mut names) = (left, GAP, Rects::default(), Vec::new());
    for strip in strips {
        let shape = strip.images.shape();
        ensure!(shape.len() == 4 && shape[1] == 1, "a strip of images of shape {shape}; [N, 1, H, W] would fit");
        let [height, width] = [shape[2] as f64 * PIXEL, shape[3] as f64 * PIXEL];
        names.push(Primitive::Text {
            x: left - GAP,
            y: top + height / 2.0 + f64::from(TEXT) / 3.0,
            content: strip.label.clone(),
            size: TEXT,
            anchor: TextAnchor::End,
            rotate: None,
            bold: false,
            color: None,
        });
        for (i, image) in strip.images.to_vec().chunks_exact(shape[2] * shape[3]).enumerate() {
            let x = left + i as f64 * (width + GAP);
            rects.image(image, shape[3], x, top);
            right = right.max(x + width + GAP);
        }
        top += height + if strip.gap_after { 5.0 * GAP } else { GAP };
    }
    let mut scene = Scene::new(right, top);
    scene.add(rects.primitive());
    names.into_iter().for_each(|name| scene.add(name));
    let png = PngBackend::new().with_scale(1.5).render_scene(&scene).map_err(anyhow::Error::msg)?;
    std::fs::write(path, png).with_context(|| format!("cannot write {}", path.display()))
}

/// Grey rectangles: x, y, width, brightness from 0 to 255. All are a pixel high but the first of each image.
#[derive(Default)]
struct Rects {
    places: Vec<[f64; 4]>,
    greys: Vec<u8>,
}

impl Rects {
    /// An image, black where nothing else is, and a rectangle for each run of one brightness.
    fn image(&mut self, values: &[f32], columns: usize, left: f64, top: f64) {
        let rows = values.len() / columns;
        self.places.push([left, top, columns as f64 * PIXEL, rows as f64 * PIXEL]);
        self.greys.push(0);
        for (y, row) in values.chunks_exact(columns).enumerate() {
            let greys: Vec<u8> = row.iter().map(|&x| (x.clamp(0.0, 1.0) * 255.0).round() as u8).collect();
            let mut x = 0;
            for run in greys.chunk_by(|a, b| a == b) {
                if run[0] > 0 {
                    let place = [left + x as f64 * PIXEL, top + y as f64 * PIXEL, run.len() as f64 * PIXEL, PIXEL];
                    self.places.push(place);
                    self.greys.push(run[0]);
                }
                x += run.len();
            }
        }
    }

    fn primitive(self) -> Primitive {
        let side = |i: usize| self.places.iter().map(|place| place[i]).collect();
        let fills = self.greys.iter().map(|grey| format!("#{grey:02x}{grey:02x}{grey:02x}").into()).collect();
        Primitive::RectBatch { x: side(0), y: side(1), w: side(2), h: side(3), fills }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_is_its_runs_of_one_brightness() {
        let mut rects = Rects::default();
        rects.image(&[0.0, 1.0, 1.0, 0.5, 0.5, 0.0], 3, 10.0, 20.0);
        assert_eq!(rects.greys, [0, 255, 128]);
        assert_eq!(rects.places, [[10.0, 20.0, 6.0, 4.0], [12.0, 20.0, 4.0, 2.0], [10.0, 22.0, 4.0, 2.0]]);
    }

    #[test]
    fn images_of_colour_are_refused() {
        let error = save_strips(Path::new("x.png"), &[Strip::new("x", Tensor::zeros([1, 3, 2, 2]))]).unwrap_err();
        assert!(error.to_string().contains("shape [1, 3, 2, 2]"), "{error}");
    }
}
