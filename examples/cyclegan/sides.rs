//! The two sides, made of real digits: A is as they were written, B is bold or outlined.

use autograd::Tensor;
use clap::ValueEnum;
use common::flags;

/// What the digits of side B look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Style {
    /// Written with a thicker pen
    Bold,
    /// Only the outline
    Outlined,
}

impl Style {
    /// What images of this side are called, A's first.
    pub fn names(self) -> [&'static str; 2] {
        match self {
            Style::Bold => ["plain", "bold"],
            Style::Outlined => ["plain", "outlined"],
        }
    }

    // ANCHOR: sides
    /// Images `[N, 1, H, W]` from 0 to 1, light on dark, in this style: what a translation from A to B should give.
    pub fn of(self, images: &Tensor, radius: f64) -> Tensor {
        match self {
            Style::Bold => dilated(images, radius),
            Style::Outlined => dilated(images, radius) - images,
        }
    }

    /// The images of side A and of side B. No digit is on both, so there is no pair to learn from.
    pub fn sides(self, digits: &Tensor, radius: f64) -> [Tensor; 2] {
        let every_other = |first: usize| {
            let rows: Vec<i64> = (first..digits.size(0)).step_by(2).map(|row| row as i64).collect();
            digits.index_select(0, &Tensor::of(rows))
        };
        [every_other(0), self.of(&every_other(1), radius)]
    }
    // ANCHOR_END: sides
}

// ANCHOR: dilated
/// Each pixel as light as the lightest within `radius` of it: morphological dilation by a disc.
fn dilated(images: &Tensor, radius: f64) -> Tensor {
    let (height, width) = (images.size(-2), images.size(-1));
    let reach = radius as isize;
    let padded = images.pad([(reach, reach), (reach, reach)], 0.0);
    let mut lightest = images.clone();
    for (dy, dx) in (-reach..=reach).flat_map(|dy| (-reach..=reach).map(move |dx| (dy, dx))) {
        if (dy * dy + dx * dx) as f64 <= radius * radius {
            let shifted = padded.narrow(-2, (reach + dy) as usize, height).narrow(-1, (reach + dx) as usize, width);
            lightest = lightest.maximum(&shifted);
        }
    }
    lightest
}
// ANCHOR_END: dilated

/// The radius of a disc that makes something bolder.
pub fn radius(text: &str) -> Result<f64, String> {
    flags::number(text, "from 1 to 5", |radius| (1.0..=5.0).contains(&radius))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A dot in the middle, and one in a corner.
    fn dots() -> Tensor {
        let mut values = [0.0; 49];
        (values[0], values[24]) = (0.5, 1.0);
        Tensor::from_slice(&values, [1, 1, 7, 7])
    }

    #[test]
    fn a_dot_becomes_a_disc() {
        // So many pixels are within 1, 1.5, 2 and 3 of the middle.
        for (radius, pixels) in [(1.0, 5), (1.5, 9), (2.0, 13), (3.0, 29)] {
            assert_eq!(dilated(&dots(), radius).eq(1.0).count_true(), pixels, "{radius}");
        }
        let bold = dilated(&dots(), 1.0);
        // The corner stays in the picture, and does not come back on the other side.
        assert_eq!(
            [[0, 0], [0, 1], [1, 0], [1, 1], [0, 6]].map(|[y, x]| bold.value_at([0, 0, y, x])),
            [0.5, 0.5, 0.5, 0.0, 0.0]
        );
    }

    #[test]
    fn an_outline_is_hollow() {
        let outlined = Style::Outlined.of(&dots(), 1.0);
        assert_eq!(outlined.value_at([0, 0, 3, 3]), 0.0);
        assert_eq!(outlined.eq(1.0).count_true(), 4);
    }

    #[test]
    fn no_digit_is_on_both_sides() {
        let digits = Tensor::from_fn([5, 1, 1, 1], |i| i as f32 / 8.0);
        let [a, b] = Style::Bold.sides(&digits, 1.0);
        assert_eq!(a.to_vec(), [0.0, 0.25, 0.5]);
        assert_eq!(b.to_vec(), [0.125, 0.375]);
    }

    #[test]
    fn a_radius_of_nothing_is_refused() {
        assert_eq!(radius("0.5").unwrap_err(), "it must be a number from 1 to 5");
        assert!(radius("nan").is_err() && radius("1").is_ok());
    }
}
