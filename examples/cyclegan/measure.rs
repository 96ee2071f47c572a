//! What became of test images. There, each digit is on both sides, so that a translation can be compared with what it
//! should be.

use crate::networks::{Generator, Generators};
use autograd::{Tensor, no_grad};
use common::reader::Reader;
use nn::Module;
use nn::data::LabelledImages;
use nn::losses::l1_loss;

/// Images that are translated together.
const TOGETHER: usize = 250;

/// Images `[N, 1, 28, 28]` from 0 to 1, translated, in evaluation mode.
pub fn translated(generator: &Generator, images: &Tensor) -> Tensor {
    generator.eval();
    let count = images.size(0);
    let parts: Vec<Tensor> = (0..count)
        .step_by(TOGETHER)
        .map(|start| {
            let part = images.narrow(0, start, TOGETHER.min(count - start));
            no_grad(|| (generator.forward(&(part * 2.0 - 1.0)) + 1.0) / 2.0)
        })
        .collect();
    generator.train();
    Tensor::cat(&parts.iter().collect::<Vec<_>>(), 0)
}

/// One way: real images, their translations, and those translated back; and what the translations should be.
pub struct Journey {
    pub real: Tensor,
    pub fake: Tensor,
    pub back: Tensor,
    pub truth: Tensor,
}

impl Journey {
    pub fn new(real: &Tensor, truth: &Tensor, there: &Generator, home: &Generator) -> Journey {
        let fake = translated(there, real);
        let back = translated(home, &fake);
        Journey { real: real.clone(), fake, back, truth: truth.clone() }
    }

    /// From A to B and back, and from B to A and back.
    pub fn both(sides: &[Tensor; 2], generators: &Generators) -> [Journey; 2] {
        let ([a, b], Generators { to_a, to_b }) = (sides, generators);
        [Journey::new(a, b, to_b, to_a), Journey::new(b, a, to_a, to_b)]
    }

    pub fn measure(&self, reader: &Reader, labels: &Tensor<i64>) -> Measured {
        let reads =
            |images: &Tensor| reader.accuracy(&LabelledImages { images: images.clone(), labels: labels.clone() });
        let [ink_real, ink_fake, ink_truth] =
            [&self.real, &self.fake, &self.truth].map(|images| f64::from(images.mean(..).item()));
        Measured {
            judged_real: reads(&self.real),
            judged_fake: reads(&self.fake),
            judged_truth: reads(&self.truth),
            ink_real,
            ink_fake,
            ink_truth,
            off_fake: distance(&self.fake, &self.truth),
            off_real: distance(&self.real, &self.truth),
            cycle_error: distance(&self.back, &self.real),
        }
    }
}

/// Numbers about one direction; images go from 0 to 1.
pub struct Measured {
    /// Share of the images whose digit the judge still reads: as they are, translated, and as they should be.
    pub judged_real: f64,
    pub judged_fake: f64,
    pub judged_truth: f64,
    /// Mean over all pixels.
    pub ink_real: f64,
    pub ink_fake: f64,
    pub ink_truth: f64,
    /// Mean distance of a pixel from what it should be: after the translation, and if nothing had been done.
    pub off_fake: f64,
    pub off_real: f64,
    /// Mean distance of a pixel, there and back, from what it was.
    pub cycle_error: f64,
}

/// The mean distance of two images' pixels.
fn distance(x: &Tensor, y: &Tensor) -> f64 {
    f64::from(l1_loss(x, y).item())
}
