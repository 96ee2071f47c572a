//! A sheet of paper for small images with words beside them: [`Grid`](nn::data::Grid) has no room for words.

use anyhow::Result;
use autograd::Tensor;
use nn::data::Picture;
use std::path::Path;

pub const WHITE: [f32; 3] = [1.0, 1.0, 1.0];
pub const BLUE: [f32; 3] = [0.45, 0.75, 1.0];
pub const ORANGE: [f32; 3] = [1.0, 0.7, 0.35];
const PAPER: f32 = 0.16;

/// Width and height of a letter, and what it takes in a line.
const LETTER: [usize; 2] = [3, 5];
pub const LETTER_WIDTH: usize = LETTER[0] + 1;
pub const LINE: usize = LETTER[1] + 2;

/// Pixels of three colours, from 0 to 1.
pub struct Sheet {
    width: usize,
    height: usize,
    pixels: Vec<[f32; 3]>,
}

impl Sheet {
    pub fn new(width: usize, height: usize) -> Sheet {
        Sheet { width, height, pixels: vec![[PAPER; 3]; width * height] }
    }

    fn put(&mut self, x: usize, y: usize, pixel: [f32; 3]) {
        if x < self.width && y < self.height {
            self.pixels[y * self.width + x] = pixel;
        }
    }

    /// An image `[1, H, W]` from 0 to 1, its light in this colour. What is beyond the sheet is cut off.
    pub fn image(&mut self, image: &Tensor, [x, y]: [usize; 2], colour: [f32; 3]) {
        let width = image.size(-1);
        for (i, value) in image.iter().enumerate() {
            self.put(x + i % width, y + i / width, colour.map(|light| light * value.clamp(0.0, 1.0)));
        }
    }

    /// A line of words, of which it knows capital letters, digits and a few signs.
    pub fn text(&mut self, text: &str, [x, y]: [usize; 2], colour: [f32; 3]) {
        for (i, letter) in text.chars().enumerate() {
            for (row, dots) in glyph(letter).into_iter().enumerate() {
                for column in (0..LETTER[0]).filter(|column| dots >> (LETTER[0] - 1 - column) & 1 == 1) {
                    self.put(x + i * LETTER_WIDTH + column, y + row, colour);
                }
            }
        }
    }

    /// Writes it, each pixel as a square of so many.
    pub fn save(&self, enlarged: usize, path: &Path) -> Result<()> {
        let values: Vec<f32> = self.pixels.iter().flatten().copied().collect();
        let image = Tensor::from_slice(&values, [self.height, self.width, 3]).permute([2, 0, 1]);
        Ok(Picture::new(&image, (0.0, 1.0)).enlarged(enlarged).save_png(path)?)
    }
}

/// Rows of three dots, from above, each a number of three bits.
fn glyph(letter: char) -> [u8; 5] {
    const LETTERS: [[u8; 5]; 26] = [
        [2, 5, 7, 5, 5],
        [6, 5, 6, 5, 6],
        [3, 4, 4, 4, 3],
        [6, 5, 5, 5, 6],
        [7, 4, 6, 4, 7],
        [7, 4, 6, 4, 4],
        [3, 4, 5, 5, 3],
        [5, 5, 7, 5, 5],
        [7, 2, 2, 2, 7],
        [1, 1, 1, 5, 2],
        [5, 5, 6, 5, 5],
        [4, 4, 4, 4, 7],
        [5, 7, 7, 5, 5],
        [6, 5, 5, 5, 5],
        [2, 5, 5, 5, 2],
        [6, 5, 6, 4, 4],
        [2, 5, 5, 6, 3],
        [6, 5, 6, 5, 5],
        [3, 4, 2, 1, 6],
        [7, 2, 2, 2, 2],
        [5, 5, 5, 5, 7],
        [5, 5, 5, 5, 2],
        [5, 5, 7, 7, 5],
        [5, 5, 2, 5, 5],
        [5, 5, 2, 2, 2],
        [7, 1, 2, 4, 7],
    ];
    const DIGITS: [[u8; 5]; 10] = [
        [7, 5, 5, 5, 7],
        [2, 6, 2, 2, 7],
        [7, 1, 7, 4, 7],
        [7, 1, 3, 1, 7],
        [5, 5, 7, 1, 1],
        [7, 4, 7, 1, 7],
        [7, 4, 7, 5, 7],
        [7, 1, 2, 2, 2],
        [7, 5, 7, 5, 7],
        [7, 5, 7, 1, 7],
    ];
    match letter {
        'A'..='Z' => LETTERS[letter as usize - 'A' as usize],
        '0'..='9' => DIGITS[letter as usize - '0' as usize],
        '-' => [0, 0, 7, 0, 0],
        '.' => [0, 0, 0, 0, 2],
        ',' => [0, 0, 0, 2, 4],
        ':' => [0, 2, 0, 2, 0],
        '=' => [0, 7, 0, 7, 0],
        '+' => [0, 2, 7, 2, 0],
        '>' => [4, 2, 1, 2, 4],
        '(' => [1, 2, 2, 2, 1],
        ')' => [4, 2, 2, 2, 4],
        '×' => [0, 5, 2, 5, 0],
        _ => [0; 5],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_images_stand_where_they_are_put() {
        let mut sheet = Sheet::new(12, 8);
        sheet.text("I1", [1, 2], WHITE);
        let lit =
            |sheet: &Sheet, y: usize| -> Vec<usize> { (0..12).filter(|x| sheet.pixels[y * 12 + x] == WHITE).collect() };
        assert!(lit(&sheet, 1).is_empty());
        assert_eq!(lit(&sheet, 2), [1, 2, 3, 6]);
        assert_eq!(lit(&sheet, 3), [2, 5, 6]);
        sheet.image(&Tensor::from([[[0.0, 2.0], [0.5, 0.0]]]), [10, 7], [1.0, 0.5, 0.0]);
        assert_eq!(sheet.pixels[7 * 12 + 10..][..2], [[0.0; 3], [1.0, 0.5, 0.0]]);
    }
}
