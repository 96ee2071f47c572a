//! Normalisation of the channels of each sample by itself: of groups of channels (Wu & He 2018), or of each alone
//! (instance normalisation), with a scale and a shift that are learnt, or given by another network (AdaIN).
//!
//! ```text
//! y = w·(x − mean) / √(variance + ε) + b
//! ```
//!
//! All are [batch](super::batch_norm) or [layer](super::layer_norm) normalisation of the same elements under another
//! shape, and have their gradients.

use super::batch_norm::BatchStatistics;
use crate::kernels::element::Float;
use crate::tensor::{Dims, Tensor};

impl<T: Float> Tensor<T> {
    /// The C channels of each sample of `[N, C, …]` in `groups`, each group with the mean 0 and the variance 1; then
    /// each channel times its `weight`, plus its `bias` (`[C]` each). As `torch.nn.functional.group_norm`.
    ///
    /// # Panics
    /// If C is not a multiple of `groups`, there is only one value in a group of a single sample, or weight or bias
    /// have another shape.
    #[track_caller]
    pub fn group_norm(
        &self,
        groups: usize,
        weight: Option<&Tensor<T>>,
        bias: Option<&Tensor<T>>,
        eps: f64,
    ) -> Tensor<T> {
        assert!(self.rank() >= 2, "group_norm: an input of shape {}; expected [N, C, …]", self.shape());
        let (samples, channels) = (self.shape()[0], self.shape()[1]);
        assert!(
            groups > 0 && channels % groups == 0,
            "group_norm: {channels} channels, of an input of shape {}, in {groups} groups; they must divide evenly",
            self.shape()
        );
        let size = self.shape()[1..].iter().product::<usize>() / groups;
        assert!(
            samples * size != 1,
            "group_norm: expected more than 1 value per channel when training, got an input of shape {}",
            self.shape()
        );
        let rows = Dims::from([samples * groups, size]);
        for (name, parameter) in [("weight", weight), ("bias", bias)] {
            if let Some(parameter) = parameter {
                assert!(
                    *parameter.shape() == [channels],
                    "group_norm: a {name} of shape {} for an input of shape {}, which wants [{channels}]",
                    parameter.shape(),
                    self.shape()
                );
            }
        }
        let mut y = self.reshape(rows).layer_norm(size, None, None, eps).reshape(self.shape());
        let ones = std::iter::repeat_n(1, self.rank() - 2);
        let column: Dims = [channels].into_iter().chain(ones).collect();
        let of_channel = |parameter: &Tensor<T>| parameter.reshape(column);
        if let Some(weight) = weight {
            y = y * of_channel(weight);
        }
        if let Some(bias) = bias {
            y = y + of_channel(bias);
        }
        y
    }

    /// Each channel of each sample of `[N, C, …]` with the mean 0 and the variance 1, times `weight`, plus `bias`; and
    /// the statistics that were measured, `[N, C]` each. Weight and bias are `[C]`, or `[N, C]` for each sample its
    /// own. As `torch.nn.functional.instance_norm` (Ulyanov et al. 2016).
    ///
    /// # Panics
    /// If this tensor has fewer than three axes, a channel has only one element, or weight or bias have another shape.
    #[track_caller]
    pub fn instance_norm(
        &self,
        weight: Option<&Tensor<T>>,
        bias: Option<&Tensor<T>>,
        eps: f64,
    ) -> (Tensor<T>, BatchStatistics<T>) {
        assert!(self.rank() >= 3, "instance_norm: an input of shape {}; expected [N, C, …]", self.shape());
        let (samples, channels) = (self.shape()[0], self.shape()[1]);
        let size = self.shape()[2..].iter().product::<usize>();
        assert!(
            size != 1,
            "instance_norm: expected more than 1 spatial element when training, got an input of shape {}",
            self.shape()
        );
        for (name, parameter) in [("weight", weight), ("bias", bias)] {
            if let Some(parameter) = parameter {
                assert!(
                    *parameter.shape() == [channels] || *parameter.shape() == [samples, channels],
                    "instance_norm: a {name} of shape {} for an input of shape {}, which wants [{channels}] or \
                     [{samples}, {channels}]",
                    parameter.shape(),
                    self.shape()
                );
            }
        }
        let of_all = |parameter: &Tensor<T>| parameter.expand([samples, channels]).reshape(samples * channels);
        let (weight, bias) = (weight.map(of_all), bias.map(of_all));
        // Every channel of every sample is a channel of one sample.
        let x = self.reshape(Dims::from([1, samples * channels, size]));
        let (y, BatchStatistics { mean, variance }) = x.batch_norm(weight.as_ref(), bias.as_ref(), eps);
        let statistics = [mean, variance].map(|of_channel| of_channel.reshape(Dims::from([samples, channels])));
        let [mean, variance] = statistics;
        (y.reshape(self.shape()), BatchStatistics { mean, variance })
    }

    /// Adaptive instance normalisation: each channel of each sample of `[N, C, …]` gets the mean `shift` and the
    /// standard deviation |`scale`|, `[N, C]` each,
    ///
    /// ```text
    /// y = scale·(x − mean) / √(variance + ε) + shift
    /// ```
    ///
    /// (Huang & Belongie 2017). It takes the style of x away and gives it another.
    ///
    /// ```
    /// use autograd::Tensor;
    /// let x = Tensor::from([[[1.0, 3.0]]]);
    /// let y = x.adain(&Tensor::from([[2.0]]), &Tensor::from([[10.0]]), 0.0);
    /// assert_eq!(y.to_vec(), [8.0, 12.0]);
    /// ```
    ///
    /// # Panics
    /// As [`instance_norm`](Tensor::instance_norm).
    #[track_caller]
    pub fn adain(&self, scale: &Tensor<T>, shift: &Tensor<T>, eps: f64) -> Tensor<T> {
        self.instance_norm(Some(scale), Some(shift), eps).0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gradcheck::gradcheck_to_order;
    use crate::rng::Rng;

    const EPS: f64 = 1e-5;

    #[test]
    fn gradients() {
        let mut rng = Rng::seeded(3);
        let mut random = |shape: &[usize]| Tensor::randn_of::<f64>(shape, &mut rng);
        let inputs = [random(&[2, 4, 2, 2]), random(&[4]), random(&[4])];
        for groups in [1, 2, 4] {
            gradcheck_to_order(&|x| x[0].group_norm(groups, Some(&x[1]), Some(&x[2]), EPS), &inputs, 2).unwrap();
        }
        gradcheck_to_order(&|x| x[0].instance_norm(Some(&x[1]), Some(&x[2]), EPS).0, &inputs, 2).unwrap();
        gradcheck_to_order(&|x| x[0].instance_norm(None, None, EPS).0, &inputs[..1], 2).unwrap();
        let styles = [random(&[2, 3, 2, 2]), random(&[2, 3]), random(&[2, 3])];
        gradcheck_to_order(&|x| x[0].adain(&x[1], &x[2], EPS), &styles, 2).unwrap();
    }

    #[test]
    fn a_channel_gets_the_style_it_is_given() {
        let mut rng = Rng::seeded(4);
        let x = Tensor::randn_of::<f64>([2, 3, 5, 5], &mut rng) * 3.0 + 7.0;
        let (scale, shift) = (Tensor::rand_of::<f64>([2, 3], &mut rng) + 0.5, Tensor::randn_of([2, 3], &mut rng));
        let y = x.adain(&scale, &shift, 0.0).reshape([2, 3, 25]);
        // 25 terms below 10 each, a few roundings more.
        let close = |a: Tensor<f64>, b: &Tensor<f64>| (a - b).iter().all(|d| d.abs() <= 40.0 * 10.0 * f64::EPSILON);
        assert!(close(y.mean(-1), &shift));
        assert!(close(y.std(-1, 0), &scale));
    }

    #[test]
    #[should_panic(
        expected = "group_norm: 4 channels, of an input of shape [1, 4, 2], in 3 groups; they must divide evenly"
    )]
    fn groups_divide_evenly() {
        Tensor::zeros([1, 4, 2]).group_norm(3, None, None, EPS);
    }

    #[test]
    #[should_panic(
        expected = "instance_norm: expected more than 1 spatial element when training, got an input of shape \
                               [2, 3, 1, 1]"
    )]
    fn a_single_place_is_refused() {
        Tensor::zeros([2, 3, 1, 1]).instance_norm(None, None, EPS);
    }
}
