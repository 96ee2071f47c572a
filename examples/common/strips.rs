//! Rows of images with their names beside them, as one picture.

use super::sheet::{GAP, LETTER, LINE, Light, PIXEL, Sheet, TextAnchor};
use anyhow::{Result, ensure};
use autograd::Tensor;
use std::path::Path;

/// A row of images and its name.
pub struct Strip {
    /// The name.
    pub label: String,
    /// `[N, 1, H, W]` from 0, which is black, to 1.
    pub images: Tensor,
    /// Whether there is room between this strip and the next.
    pub gap_after: bool,
}

impl Strip {
    /// With no room before the next.
    pub fn new(label: impl Into<String>, images: Tensor) -> Strip {
        Strip { label: label.into(), images, gap_after: false }
    }
}

/// What stands above the columns, and at their left, above the strips' names.
#[derive(Default)]
pub struct Heads {
    /// Above the strips' names.
    pub corner: String,
    /// Above each column.
    pub columns: Vec<String>,
}

/// Writes strips, one below the other, their names at the left.
pub fn save_strips(path: &Path, heads: &Heads, strips: &[Strip]) -> Result<()> {
    let names = strips.iter().map(|strip| &strip.label).chain([&heads.corner]);
    let letters = names.map(|name| name.chars().count()).max().unwrap_or(0);
    // Even, so that pixels of images fall on whole pixels of the picture.
    let left = (letters as f64 * LETTER / 2.0).ceil() * 2.0 + 2.0 * GAP;
    let (mut top, mut sheet) = (GAP, Sheet::default());
    let width = strips.first().map_or(0, |strip| strip.images.size(-1)) as f64 * PIXEL;
    if !heads.columns.is_empty() {
        let middle = top + LINE / 2.0;
        sheet.words(heads.corner.as_str(), [left - GAP, middle], TextAnchor::End, Light::Orange);
        for (i, head) in heads.columns.iter().enumerate() {
            let x = left + i as f64 * (width + GAP) + width / 2.0;
            sheet.words(head.as_str(), [x, middle], TextAnchor::Middle, Light::Orange);
        }
        top += LINE;
    }
    for strip in strips {
        let shape = strip.images.shape();
        ensure!(shape.len() == 4 && shape[1] == 1, "a strip of images of shape {shape}; [N, 1, H, W] would fit");
        let [height, width] = [shape[2] as f64 * PIXEL, shape[3] as f64 * PIXEL];
        sheet.words(strip.label.as_str(), [left - GAP, top + height / 2.0], TextAnchor::End, Light::White);
        for i in 0..shape[0] {
            let image = strip.images.narrow(0, i, 1).squeeze(0); // [1, H, W]
            sheet.image(&image, [left + i as f64 * (width + GAP), top], Light::White);
        }
        top += height + if strip.gap_after { 5.0 * GAP } else { GAP };
    }
    sheet.save(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_of_colour_are_refused() {
        let strips = [Strip::new("x", Tensor::zeros([1, 3, 2, 2]))];
        let error = save_strips(Path::new("x.png"), &Heads::default(), &strips).unwrap_err();
        assert!(error.to_string().contains("shape [1, 3, 2, 2]"), "{error}");
    }
}
