//! Handwritten digits: MNIST from its files, or the 1,797 that come with the examples, made to look like it.
//!
//! The latter are the test set of "Optical Recognition of Handwritten Digits" (Alpaydin and Kaynak 1998), by way of the
//! crate smartcore: 8 × 8 numbers from 0 to 16, which count the dark pixels in squares of 4 × 4 of a bitmap that the
//! digit fills. (What smartcore calls their classes are kinds of iris; the data is right.)

use anyhow::{Context, Result, ensure};
use autograd::{Rng, Tensor};
use nn::data::{LabelledImages, Splits, read_mnist};
use std::path::PathBuf;

/// The digits.
pub const CLASSES: usize = 10;
/// Rows and columns of an image.
pub const SIZE: usize = 28;

/// Rows and columns of a digit as it comes, and as MNIST's are before they are centred.
const SMALL: usize = 8;
const LARGE: usize = 20;
/// Of each digit of the small set, so many are kept to judge by: about a sixth, as in MNIST.
const TEST_OF_EACH: usize = 30;

/// Where digits come from.
#[derive(clap::Args, Clone, Debug)]
pub struct Data {
    /// MNIST's folder, with its four files, plain or .gz [default: 1,797 digits that come with the examples]
    #[arg(long = "data", value_name = "DIR", global = true, value_parser = crate::flags::existing)]
    pub folder: Option<PathBuf>,
}

impl Data {
    /// Images `[N, 1, 28, 28]` with values from 0 to 1, light on dark, and labels `[N]`. The small set is split in the
    /// same way each time, into 1,497 to train on and 30 of each digit to judge by, both in random order.
    pub fn load(&self) -> Result<Splits> {
        let Some(folder) = &self.folder else { return small() };
        let mnist = read_mnist(folder).with_context(|| format!("MNIST from {}", folder.display()))?;
        for part in [&mnist.train, &mnist.test] {
            let shape = part.images.shape();
            ensure!(shape[0] > 0, "no images in {}", folder.display());
            ensure!(shape[1..] == [1, SIZE, SIZE], "images of shape {shape} in {}; not MNIST's", folder.display());
        }
        Ok(mnist)
    }
}

/// The digits that come with the examples.
fn small() -> Result<Splits> {
    let digits = smartcore::dataset::digits::load_dataset();
    let count = digits.num_samples;
    let images = enlarged(&Tensor::from_slice(&digits.data, [count, SMALL, SMALL]));
    let mut order: Vec<usize> = (0..count).collect();
    Rng::seeded(0).shuffle(&mut order);
    let mut of_class = [0; CLASSES];
    let (mut train, mut test) = (Vec::new(), Vec::new());
    for index in order {
        let class = digits.target[index] as usize;
        of_class[class] += 1;
        if of_class[class] <= TEST_OF_EACH { test.push(index) } else { train.push(index) }
    }
    let part = |indices: Vec<usize>| {
        let labels: Vec<i64> = indices.iter().map(|&i| digits.target[i] as i64).collect();
        let rows: Vec<i64> = indices.iter().map(|&i| i as i64).collect();
        LabelledImages { images: images.index_select(0, &Tensor::of(rows)), labels: Tensor::of(labels) }
    };
    Ok(Splits { train: part(train), test: part(test) })
}

/// Digits `[N, 8, 8]` of numbers from 0 to 16 as images `[N, 1, 28, 28]`, as MNIST's were made: 20 × 20 in size, with
/// their centre of mass in the middle. They are interpolated by Catmull and Rom's cubics; what is below 0.38 is made
/// dark and what is above 0.8 light. With these bounds, mean, deviation and the shares of grey and of light pixels are
/// within a twentieth of MNIST's.
fn enlarged(small: &Tensor) -> Tensor {
    let count = small.size(0);
    let weights = Tensor::from_fn([LARGE, SMALL], |i| {
        let at = ((i / SMALL) as f32 + 0.5) * SMALL as f32 / LARGE as f32 - 0.5;
        catmull_rom(at - (i % SMALL) as f32)
    });
    let along_rows = (small / 16.0).matmul(&weights.t()); // [N, 8, 20]
    let large = weights.matmul(&along_rows); // [N, 20, 20]
    let large = ((large - 0.38) / (0.8 - 0.38)).clamp(0.0, 1.0).to_vec();
    let mut images = vec![0.0; count * SIZE * SIZE];
    for (digit, image) in large.chunks_exact(LARGE * LARGE).zip(images.chunks_exact_mut(SIZE * SIZE)) {
        let [top, left] = corner(digit);
        for (y, row) in digit.chunks_exact(LARGE).enumerate() {
            image[(top + y) * SIZE + left..][..LARGE].copy_from_slice(row);
        }
    }
    Tensor::from_slice(&images, [count, 1, SIZE, SIZE])
}

/// Where a digit's upper left corner goes, so that its centre of mass comes to the middle as near as whole pixels and
/// the image's edges allow.
fn corner(digit: &[f32]) -> [usize; 2] {
    let mass: f32 = digit.iter().sum();
    let moment = |coordinate: fn(usize) -> usize| -> f32 {
        digit.iter().enumerate().map(|(i, ink)| ink * coordinate(i) as f32).sum()
    };
    [moment(|i| i / LARGE), moment(|i| i % LARGE)]
        .map(|moment| ((SIZE - 1) as f32 / 2.0 - moment / mass).round().clamp(0.0, (SIZE - LARGE) as f32) as usize)
}

/// How much a point counts at this distance (Catmull and Rom 1974).
fn catmull_rom(distance: f32) -> f32 {
    let t = distance.abs();
    if t < 1.0 {
        1.5 * t.powi(3) - 2.5 * t.powi(2) + 1.0
    } else if t < 2.0 {
        -0.5 * t.powi(3) + 2.5 * t.powi(2) - 4.0 * t + 2.0
    } else {
        0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_small_set_looks_like_mnist() {
        let Splits { train, test } = Data { folder: None }.load().unwrap();
        assert_eq!(*train.images.shape(), [1497, 1, SIZE, SIZE]);
        assert_eq!(*test.images.shape(), [300, 1, SIZE, SIZE]);
        for class in 0..CLASSES as i64 {
            assert_eq!(test.labels.eq(class).count_true(), TEST_OF_EACH);
            assert!(train.labels.eq(class).count_true() > 140);
        }
        // MNIST's numbers, and how far from them these may be.
        let near =
            |found: f32, of_mnist: f32| assert!((found / of_mnist - 1.0).abs() < 0.05, "{found}, not {of_mnist}");
        near(train.images.mean(..).item(), 0.1307);
        near(train.images.std(.., 1).item(), 0.3081);
        assert!(train.images.iter().chain(test.images.iter()).all(|x| (0.0..=1.0).contains(&x)));
        // The centre of mass is where MNIST has it; half a pixel is lost by rounding, some more at the edges.
        let places = Tensor::arange(0.0, SIZE as f32, 1.0);
        let centre = (test.images.mean([0, 1, 2]) * &places).sum(..) / test.images.mean([0, 1, 2]).sum(..);
        assert!((centre.item() - 13.5).abs() < 0.5, "{centre}");
    }

    #[test]
    fn cubics_meet_at_the_points() {
        assert_eq!([0.0, 1.0, -1.0, 2.0].map(catmull_rom), [1.0, 0.0, 0.0, 0.0]);
        // They add up to 1 wherever one looks.
        for at in [0.1, 0.25, 0.7] {
            let total: f32 = (-2..=3).map(|i| catmull_rom(at - i as f32)).sum();
            assert!((total - 1.0).abs() < 1e-6);
        }
    }

    #[test]
    fn a_folder_without_mnist_is_named() {
        let error = Data { folder: Some("no/such/folder".into()) }.load().err().unwrap();
        assert!(format!("{error:#}").contains("MNIST from no/such/folder: no/such/folder/train-"), "{error:#}");
    }
}
