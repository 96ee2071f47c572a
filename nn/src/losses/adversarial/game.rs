//! The game of a generator and a discriminator. D(x) is the discriminator's output for an image, without a sigmoid:
//! a logit, large for what it takes to be real.
//!
//! ```text
//!                  the discriminator's loss                    the generator's loss
//! saturating       E softplus(−D(x)) + E softplus(D(G(z)))     −E softplus(D(G(z)))
//! non-saturating   the same                                    E softplus(−D(G(z)))
//! least squares    ½ E (D(x) − 1)² + ½ E D(G(z))²              ½ E (D(G(z)) − 1)²
//! hinge            E max(0, 1 − D(x)) + E max(0, 1 + D(G(z)))  −E D(G(z))
//! Wasserstein      E D(G(z)) − E D(x)                          −E D(G(z))
//! ```
//!
//! softplus(−x) = −log σ(x), so the first two are the cross entropies of Goodfellow et al., in a form that does not
//! overflow.

use autograd::{Float, Tensor};

/// What the discriminator and the generator want of D's logits, which have any shape. All losses are means over their
/// elements.
///
/// ```
/// use autograd::Tensor;
/// use nn::losses::GanLoss;
/// let (real, fake) = (Tensor::from([2.0, 0.5]), Tensor::from([-3.0, 0.0]));
/// assert_eq!(GanLoss::Hinge.discriminator(&real, &fake).item(), 0.25 + 0.5);
/// assert_eq!(GanLoss::Hinge.generator(&fake).item(), 1.5);
/// ```
///
/// In the discriminator's step, [`detach`](Tensor::detach) the images that the generator made, before the
/// discriminator sees them: otherwise the generator gets gradients too, and of the wrong sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GanLoss {
    /// The game's original form (Goodfellow et al. 2014, equation 1). Its generator hardly learns while the
    /// discriminator is sure, and is here for comparison.
    Saturating,
    /// What Goodfellow et al. train instead (2014, section 3); also binary cross entropy with logits, with the targets
    /// 1 and 0. StyleGAN's loss.
    NonSaturating,
    /// LSGAN (Mao et al. 2017, equation 9). CycleGAN's code has the generator's without the ½.
    LeastSquares,
    /// Lim and Ye 2017, Miyato et al. 2018.
    Hinge,
    /// WGAN (Arjovsky et al. 2017). The critic must be kept smooth: see [`gradient_penalty`](super::gradient_penalty).
    Wasserstein,
}

impl GanLoss {
    /// The discriminator's loss, given its logits for real images and for the generator's. The two may have other
    /// numbers of elements.
    ///
    /// # Panics
    /// If a tensor is empty.
    #[track_caller]
    pub fn discriminator<T: Float>(self, real: &Tensor<T>, fake: &Tensor<T>) -> Tensor<T> {
        check("discriminator", real);
        check("discriminator", fake);
        let half = T::from_f64(0.5);
        let (of_real, of_fake) = match self {
            GanLoss::Saturating | GanLoss::NonSaturating => ((-real).softplus(), fake.softplus()),
            GanLoss::LeastSquares => ((real - T::ONE).square() * half, fake.square() * half),
            GanLoss::Hinge => ((-real + T::ONE).relu(), (fake + T::ONE).relu()),
            GanLoss::Wasserstein => (-real, fake.clone()),
        };
        of_real.mean(..) + of_fake.mean(..)
    }

    /// The generator's loss, given the discriminator's logits for its images.
    ///
    /// # Panics
    /// If the tensor is empty.
    #[track_caller]
    pub fn generator<T: Float>(self, fake: &Tensor<T>) -> Tensor<T> {
        check("generator", fake);
        match self {
            GanLoss::Saturating => -fake.softplus().mean(..),
            GanLoss::NonSaturating => (-fake).softplus().mean(..),
            GanLoss::LeastSquares => (fake - T::ONE).square().mean(..) * T::from_f64(0.5),
            GanLoss::Hinge | GanLoss::Wasserstein => -fake.mean(..),
        }
    }
}

#[track_caller]
fn check<T: Float>(whose: &str, logits: &Tensor<T>) {
    assert!(logits.count() > 0, "GanLoss: {whose}: logits of shape {}: of none there is no mean", logits.shape());
}

#[cfg(test)]
mod tests {
    use super::*;
    use autograd::Rng;
    use autograd::gradcheck::gradcheck_to_order;

    const ALL: [GanLoss; 5] =
        [GanLoss::Saturating, GanLoss::NonSaturating, GanLoss::LeastSquares, GanLoss::Hinge, GanLoss::Wasserstein];

    #[test]
    fn gradients() {
        let mut rng = Rng::seeded(12);
        let logits = [Tensor::randn_of::<f64>([3, 1], &mut rng), Tensor::randn_of::<f64>([4, 1], &mut rng)];
        for loss in ALL {
            gradcheck_to_order(&|x| loss.discriminator(&x[0], &x[1]), &logits, 2).unwrap();
            gradcheck_to_order(&|x| loss.generator(&x[0]), &logits[..1], 2).unwrap();
        }
    }

    #[test]
    fn a_sure_discriminator_stops_the_saturating_generator_only() {
        let slope = |loss: GanLoss| {
            let fake = Tensor::from([-50.0]).requires_grad();
            loss.generator(&fake).backward();
            fake.grad().unwrap().item()
        };
        assert!(slope(GanLoss::Saturating).abs() < 1e-20);
        assert!(slope(GanLoss::NonSaturating) < -0.99);
    }

    #[test]
    fn logits_without_end_give_losses_without_nan() {
        let far = Tensor::from([1e30]);
        let loss = GanLoss::NonSaturating;
        assert_eq!(loss.discriminator(&far, &-&far).item(), 0.0);
        assert_eq!(loss.discriminator(&-&far, &far).item(), 2e30);
    }

    #[test]
    #[should_panic(expected = "GanLoss: generator: logits of shape [0, 1]: of none there is no mean")]
    fn no_logits_are_refused() {
        GanLoss::Hinge.generator(&Tensor::zeros([0, 1]));
    }
}
