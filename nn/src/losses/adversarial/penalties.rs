//! Penalties on the discriminator's slope ∇D(x), the gradient of its output with respect to an image. They are made of
//! gradients, so to train on them takes second derivatives.
//!
//! ```text
//! gradient penalty   E (‖∇D(x̂)‖ − 1)²    at x̂ = ε·x + (1 − ε)·G(z), ε uniform in [0, 1), one for each pair
//! R1                 γ/2 · E ‖∇D(x)‖²     at real images x
//! ```
//!
//! Each image's slope is taken from the sum of all outputs, which is the slope of its own output only if the
//! discriminator looks at each image alone: with batch norm in training mode it does not.

use crate::losses::pointwise::same_shape;
use autograd::{Float, GradOptions, Rng, Tensor, grad};

/// WGAN-GP's penalty (Gulrajani et al. 2017): the mean over images of (‖∇D(x̂)‖ − 1)² at random points between real
/// images and the generator's, `[N, …]` both, which are taken as data. The paper adds 10 times that to the loss of
/// [`GanLoss::Wasserstein`](super::GanLoss::Wasserstein).
///
/// ```
/// use autograd::{Rng, Tensor};
/// use nn::losses::gradient_penalty;
/// let rng = &mut Rng::seeded(1);
/// let (real, fake) = (Tensor::randn([8, 2], rng), Tensor::randn([8, 2], rng));
/// let weight = Tensor::from([[3.0, 4.0]]).requires_grad();
/// // D(x) = weight·x is as steep as its weight is long: 5.
/// let penalty = gradient_penalty(|x| x.linear(&weight, None), &real, &fake, rng);
/// assert!((penalty.item() - 16.0).abs() < 1e-4);
/// penalty.backward(); // to train on: 2·(5 − 1)·weight/5
/// assert!((weight.grad().unwrap().to_vec()[0] - 4.8).abs() < 1e-5);
/// ```
///
/// # Panics
/// If the shapes differ, or there are no images, or `critic` does not use what it is given.
#[track_caller]
pub fn gradient_penalty<T: Float>(
    critic: impl FnOnce(&Tensor<T>) -> Tensor<T>,
    real: &Tensor<T>,
    fake: &Tensor<T>,
    rng: &mut Rng,
) -> Tensor<T> {
    same_shape("gradient_penalty", real, fake);
    assert!(real.rank() > 0, "gradient_penalty: images of shape []; [N, …] would fit");
    let (real, fake) = (real.detach(), fake.detach());
    let mut one_each = autograd::Dims::repeat(1, real.rank());
    one_each[0] = real.size(0);
    let share = Tensor::rand_of::<T>(one_each, rng); // [N, 1, …]
    let between = (&fake + &share * (&real - &fake)).requires_grad();
    gradient_penalty_at(&critic(&between), &between)
}

/// The mean over images of (‖∇D(x)‖ − 1)², given D's `outputs`, of any shape, for `points` `[N, …]` that
/// [required a gradient](Tensor::requires_grad) before D saw them.
///
/// # Panics
/// If the points do not require a gradient, or the outputs do not depend on them; if there are none.
#[track_caller]
pub fn gradient_penalty_at<T: Float>(outputs: &Tensor<T>, points: &Tensor<T>) -> Tensor<T> {
    let slopes = slopes("gradient_penalty", outputs, points); // [N, …]
    // Where a slope is 0, so is the gradient of its length: no NaN.
    (slopes.norm(2.0, 1) - T::ONE).square().mean(..)
}

/// R1 (Mescheder et al. 2018): γ/2 times the mean over images of ‖∇D(x)‖², given D's `logits`, of any shape, for real
/// images `[N, …]` that [required a gradient](Tensor::requires_grad) before D saw them.
///
/// StyleGAN2 adds it to every 16th step only, 16 times as large.
///
/// ```
/// use autograd::Tensor;
/// use nn::losses::r1_penalty;
/// let weight = Tensor::from([[3.0, 4.0]]).requires_grad();
/// let real = Tensor::from([[0.5, 0.5], [-1.0, 2.0]]).requires_grad();
/// let logits = real.linear(&weight, None);
/// assert_eq!(r1_penalty(&logits, &real, 10.0).item(), 125.0); // 10/2·5²
/// ```
///
/// # Panics
/// If the images do not require a gradient, or the logits do not depend on them; if there are none.
#[track_caller]
pub fn r1_penalty<T: Float>(logits: &Tensor<T>, real: &Tensor<T>, gamma: f64) -> Tensor<T> {
    let slopes = slopes("r1_penalty", logits, real);
    slopes.square().sum(1).mean(..) * T::from_f64(gamma / 2.0)
}

/// For each of the points `[N, …]` the gradient of the outputs' sum, with its own graph: `[N, elements of a point]`.
#[track_caller]
pub(super) fn slopes<T: Float>(name: &str, outputs: &Tensor<T>, points: &Tensor<T>) -> Tensor<T> {
    assert!(
        points.rank() > 0 && points.count() > 0 && points.has_history(),
        "{name}: points of shape {}; [N, …] that required a gradient before they were used would fit",
        points.shape()
    );
    assert!(outputs.has_history(), "{name}: outputs that were not calculated from the points");
    let gradient = grad(&[&outputs.sum(..)], &[points], GradOptions::create_graph()).remove(0);
    gradient.reshape([points.size(0), points.count() / points.size(0)])
}

#[cfg(test)]
mod tests {
    use super::*;
    use autograd::gradcheck::gradcheck_to_order;

    /// A discriminator of three hidden units: images `[N, 1, 2, 2]`.
    fn logits(x: &Tensor<f64>, hidden: &Tensor<f64>, out: &Tensor<f64>) -> Tensor<f64> {
        x.flatten(1).matmul(hidden).tanh().matmul(out) // [N, 1]
    }

    #[test]
    fn gradients() {
        let rng = &mut Rng::seeded(4);
        let weights = [Tensor::randn_of::<f64>([4, 3], rng), Tensor::randn_of::<f64>([3, 1], rng)];
        let [real, fake] = [(); 2].map(|()| Tensor::randn_of::<f64>([5, 1, 2, 2], rng));
        let by_points =
            |w: &[Tensor<f64>]| gradient_penalty(|x| logits(x, &w[0], &w[1]), &real, &fake, &mut Rng::seeded(9));
        gradcheck_to_order(&by_points, &weights, 2).unwrap();
        let r1 = |w: &[Tensor<f64>]| {
            let real = real.requires_grad();
            r1_penalty(&logits(&real, &w[0], &w[1]), &real, 3.0)
        };
        gradcheck_to_order(&r1, &weights, 2).unwrap();
    }

    #[test]
    fn points_lie_between_one_image_and_the_other() {
        let (real, fake) = (Tensor::full([500, 3], 4.0), Tensor::full([500, 3], 2.0));
        let mut points = Vec::new();
        let critic = |x: &Tensor| {
            points = x.to_vec();
            x.sum(1)
        };
        gradient_penalty(critic, &real, &fake, &mut Rng::seeded(1));
        assert!(points.chunks(3).all(|point| point[0] == point[1] && point[1] == point[2]));
        assert!(points.iter().all(|x| (2.0..=4.0).contains(x)));
        // 500 numbers from [2, 4): their mean is off by 4 standard errors of 2/√(12·500) once in 16,000 seeds.
        let mean = points.iter().sum::<f32>() / points.len() as f32;
        assert!((mean - 3.0).abs() < 4.0 * 2.0 / 6000_f32.sqrt(), "{mean}");
    }

    #[test]
    fn a_flat_discriminator_gives_no_nan() {
        let weight = Tensor::zeros([1, 3]).requires_grad();
        let x = Tensor::ones([2, 3]);
        let penalty = gradient_penalty(|x| x.linear(&weight, None), &x, &x, &mut Rng::seeded(1));
        assert_eq!(penalty.item(), 1.0);
        penalty.backward();
        assert_eq!(weight.grad().unwrap().to_vec(), [0.0; 3]);
    }

    #[test]
    #[should_panic(expected = "r1_penalty: points of shape [2, 3]; [N, …] that required a gradient before")]
    fn images_that_require_no_gradient_are_refused() {
        let x = Tensor::ones([2, 3]);
        r1_penalty(&x.sum(1), &x, 1.0);
    }
}
