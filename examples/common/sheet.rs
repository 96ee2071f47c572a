//! A sheet of paper for small images with words beside them: [`Grid`](nn::data::Grid) has no room for words.

use anyhow::{Context, Result};
use autograd::Tensor;
use kuva::backend::png::PngBackend;
use kuva::render::color::Color;
use kuva::render::render::{Primitive, Scene};
use std::path::Path;

/// Which end of words stands at their place.
pub use kuva::render::render::TextAnchor;

/// Units of the sheet that a pixel of an image is wide and high.
pub const PIXEL: f64 = 2.0;
/// Units between images.
pub const GAP: f64 = 6.0;
/// Units that a letter is wide at the most.
pub const LETTER: f64 = 8.5;
/// Units from a line of words to the next.
pub const LINE: f64 = 22.0;
const TEXT: u32 = 15;

/// The light of an image, and the words that speak of it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Light {
    /// As the data is.
    White,
    /// For one side of a pair.
    Blue,
    /// For the other.
    Orange,
}

impl Light {
    /// Red, green and blue of full light, from 0 to 1.
    fn rgb(self) -> [f32; 3] {
        match self {
            Light::White => [1.0, 1.0, 1.0],
            Light::Blue => [0.45, 0.75, 1.0],
            Light::Orange => [1.0, 0.7, 0.35],
        }
    }

    /// Dark enough to be read on white paper.
    fn ink(self) -> &'static str {
        match self {
            Light::White => "#000000",
            Light::Blue => "#0072B2",
            Light::Orange => "#B34E00",
        }
    }
}

/// White paper, as large as what is put on it.
#[derive(Default)]
pub struct Sheet {
    rects: Rects,
    words: Vec<Primitive>,
    right: f64,
    bottom: f64,
}

impl Sheet {
    fn reach(&mut self, right: f64, bottom: f64) {
        (self.right, self.bottom) = (self.right.max(right), self.bottom.max(bottom));
    }

    /// An image, `[1, H, W]` from 0, which is black, to 1, with its upper left corner here.
    pub fn image(&mut self, image: &Tensor, [x, y]: [f64; 2], light: Light) {
        let &[1, height, width] = &image.shape()[..] else {
            panic!("an image of shape {}; expected [1, H, W]", image.shape());
        };
        self.rects.image(&image.to_vec(), width, [x, y], light);
        self.reach(x + width as f64 * PIXEL, y + height as f64 * PIXEL);
    }

    /// Words that stand above and below `y`, and begin, end or have their middle at `x`.
    pub fn words(&mut self, words: impl Into<String>, [x, y]: [f64; 2], anchor: TextAnchor, light: Light) {
        let content = words.into();
        let width = content.chars().count() as f64 * LETTER;
        let share = match anchor {
            TextAnchor::Start => 1.0,
            TextAnchor::Middle => 0.5,
            TextAnchor::End => 0.0,
        };
        self.reach(x + width * share, y + LINE / 2.0);
        let (size, y) = (TEXT, y + f64::from(TEXT) / 3.0);
        let color = Some(Color::from(light.ink()));
        self.words.push(Primitive::Text { x, y, content, size, anchor, rotate: None, bold: false, color });
    }

    /// Writes it, as a PNG.
    pub fn save(self, path: &Path) -> Result<()> {
        let mut scene = Scene::new(self.right + GAP, self.bottom + GAP);
        scene.add(self.rects.primitive());
        self.words.into_iter().for_each(|words| scene.add(words));
        let png = PngBackend::new().with_scale(1.5).render_scene(&scene).map_err(anyhow::Error::msg)?;
        std::fs::write(path, png).with_context(|| format!("cannot write {}", path.display()))
    }
}

/// Rectangles of one colour each: x, y, width, height.
#[derive(Default)]
struct Rects {
    places: Vec<[f64; 4]>,
    colours: Vec<[u8; 3]>,
}

impl Rects {
    /// An image, black where nothing else is, and a rectangle for each run of one brightness.
    fn image(&mut self, values: &[f32], columns: usize, [left, top]: [f64; 2], light: Light) {
        let rows = values.len() / columns.max(1);
        self.places.push([left, top, columns as f64 * PIXEL, rows as f64 * PIXEL]);
        self.colours.push([0; 3]);
        for (y, row) in values.chunks_exact(columns.max(1)).enumerate() {
            let shades: Vec<[u8; 3]> =
                row.iter().map(|x| light.rgb().map(|full| (full * x.clamp(0.0, 1.0) * 255.0).round() as u8)).collect();
            let mut x = 0;
            for run in shades.chunk_by(|a, b| a == b) {
                if run[0] != [0; 3] {
                    let place = [left + x as f64 * PIXEL, top + y as f64 * PIXEL, run.len() as f64 * PIXEL, PIXEL];
                    self.places.push(place);
                    self.colours.push(run[0]);
                }
                x += run.len();
            }
        }
    }

    fn primitive(self) -> Primitive {
        let side = |i: usize| self.places.iter().map(|place| place[i]).collect();
        let fills = self.colours.iter().map(|[r, g, b]| format!("#{r:02x}{g:02x}{b:02x}").into()).collect();
        Primitive::RectBatch { x: side(0), y: side(1), w: side(2), h: side(3), fills }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_is_its_runs_of_one_brightness() {
        let mut rects = Rects::default();
        rects.image(&[0.0, 1.0, 1.0, 0.5, 0.5, 0.0], 3, [10.0, 20.0], Light::White);
        assert_eq!(rects.colours, [[0; 3], [255; 3], [128; 3]]);
        assert_eq!(rects.places, [[10.0, 20.0, 6.0, 4.0], [12.0, 20.0, 4.0, 2.0], [10.0, 22.0, 4.0, 2.0]]);
        rects.image(&[2.0], 1, [0.0, 0.0], Light::Orange);
        assert_eq!(rects.colours[4], [255, 179, 89]);
    }

    #[test]
    fn paper_is_as_large_as_what_is_on_it() {
        let mut sheet = Sheet::default();
        sheet.image(&Tensor::zeros([1, 3, 2]), [10.0, 20.0], Light::White);
        assert_eq!([sheet.right, sheet.bottom], [14.0, 26.0]);
        sheet.words("four", [10.0, 0.0], TextAnchor::Start, Light::Blue);
        assert_eq!([sheet.right, sheet.bottom], [44.0, 26.0]);
        sheet.words("to the left", [10.0, 30.0], TextAnchor::End, Light::Blue);
        assert_eq!([sheet.right, sheet.bottom], [44.0, 41.0]);
    }
}
