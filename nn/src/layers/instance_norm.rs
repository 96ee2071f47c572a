//! Normalisation of each sample by itself: by channel, by groups of channels, and with the style of another network.

use super::batch_norm::{NormOptions, RunningStatistics};
use super::linear::Linear;
use crate::module::{Layer, Module, Walk};
use crate::parameter::{Mode, Parameter, value_of};
use crate::summary::python;
use autograd::{BatchStatistics, Rng, Tensor};

/// Each channel of each image with the mean 0 and the variance 1, times `weight`, plus `bias`, if there are any; as
/// `torch.nn.InstanceNorm2d` (Ulyanov et al. 2016). `[N, C, H, W]` or `[C, H, W]`.
///
/// Parameters, with `affine`: `weight` `[C]`, ones at the start, and `bias` `[C]`, zeros. Buffers, with
/// `track_running_stats`: as [`BatchNorm`](super::BatchNorm)'s; they are means over the images of a batch.
///
/// ```
/// use autograd::{Rng, Tensor};
/// use nn::InstanceNorm2d;
/// let x = Tensor::randn([2, 3, 5, 5], &mut Rng::seeded(0)) * 2.0 + 1.0;
/// let y = InstanceNorm2d::new(3).forward(&x);
/// assert!(y.mean([2, 3]).iter().all(|mean| mean.abs() < 1e-6));
/// ```
pub struct InstanceNorm2d {
    /// `[C]`
    pub weight: Option<Parameter>,
    /// `[C]`
    pub bias: Option<Parameter>,
    /// What evaluation uses; without them it uses each image's own statistics, as training does.
    pub running: Option<RunningStatistics>,
    /// Training or evaluating.
    pub mode: Mode,
    channels: usize,
    options: NormOptions,
}

impl InstanceNorm2d {
    /// A layer for so many channels, without parameters and running statistics.
    pub fn new(channels: usize) -> InstanceNorm2d {
        let options = NormOptions { affine: false, track_running_stats: false, ..Default::default() };
        InstanceNorm2d::with_options(channels, options)
    }

    /// A layer for so many channels.
    pub fn with_options(channels: usize, options: NormOptions) -> InstanceNorm2d {
        let [weight, bias] = options.parameters(channels);
        let running = options.track_running_stats.then(|| RunningStatistics::new(channels));
        InstanceNorm2d { weight, bias, running, mode: Mode::new(), channels, options }
    }

    /// The layer's output, of the shape of `x`.
    ///
    /// # Panics
    /// If `x` has another number of axes or of channels, or, in training, only one place.
    #[track_caller]
    pub fn forward(&self, x: &Tensor) -> Tensor {
        let channels = self.channels;
        assert!(
            (x.rank() == 3 || x.rank() == 4) && x.size(-3) == channels,
            "InstanceNorm2d: an input of shape {} for a layer of {channels} channels; expected [N, C, H, W] or [C, H, W]",
            x.shape()
        );
        if x.rank() == 3 {
            return self.forward(&x.unsqueeze(0)).squeeze(0);
        }
        let (weight, bias) = (value_of(&self.weight), value_of(&self.bias));
        let (weight, bias, eps) = (weight.as_ref(), bias.as_ref(), self.options.eps);
        match &self.running {
            Some(running) if !self.mode.is_training() => x.batch_norm_with(&running.value(), weight, bias, eps),
            running => {
                let (y, BatchStatistics { mean, variance }) = x.instance_norm(weight, bias, eps);
                if let Some(running) = running
                    && x.count() > 0
                {
                    let measured = BatchStatistics { mean: mean.mean(0), variance: variance.mean(0) };
                    // Without a momentum PyTorch leaves them as they are, and it never counts batches.
                    running.take_up(&measured, x.size(2) * x.size(3), self.options.momentum.unwrap_or(0.0));
                }
                y
            }
        }
    }
}

impl Module for InstanceNorm2d {
    fn visit(&self, walk: &mut Walk<'_>) {
        let InstanceNorm2d { weight, bias, running, mode, channels: _, options: _ } = self;
        walk.child("weight", weight);
        walk.child("bias", bias);
        if let Some(running) = running {
            running.visit(walk);
        }
        walk.child("mode", mode);
    }

    fn describe(&self) -> String {
        self.options.describe("InstanceNorm2d", self.channels)
    }
}

/// The channels of each sample in groups, each with the mean 0 and the variance 1; then each channel times `weight`,
/// plus `bias`. As `torch.nn.GroupNorm` (Wu & He 2018). `[N, C, …]`.
///
/// Parameters: `weight` `[C]`, ones at the start, and `bias` `[C]`, zeros.
pub struct GroupNorm {
    /// `[C]`
    pub weight: Option<Parameter>,
    /// `[C]`
    pub bias: Option<Parameter>,
    /// Added to the variance; 10⁻⁵ by default.
    pub eps: f64,
    groups: usize,
    channels: usize,
}

impl GroupNorm {
    /// A layer for `channels` in `groups`.
    ///
    /// # Panics
    /// If `channels` is no multiple of `groups`.
    #[track_caller]
    pub fn new(groups: usize, channels: usize) -> GroupNorm {
        let [weight, bias] = NormOptions::default().parameters(channels);
        GroupNorm { weight, bias, ..GroupNorm::without_affine(groups, channels) }
    }

    /// A layer that only normalises, as `affine=False`.
    ///
    /// # Panics
    /// If `channels` is no multiple of `groups`.
    #[track_caller]
    pub fn without_affine(groups: usize, channels: usize) -> GroupNorm {
        assert!(
            groups > 0 && channels.is_multiple_of(groups),
            "GroupNorm: {channels} channels in {groups} groups; they must divide evenly"
        );
        GroupNorm { weight: None, bias: None, eps: 1e-5, groups, channels }
    }

    /// The layer's output, of the shape of `x`.
    ///
    /// # Panics
    /// If `x` has another number of channels.
    #[track_caller]
    pub fn forward(&self, x: &Tensor) -> Tensor {
        assert!(
            x.rank() >= 2 && x.size(1) == self.channels,
            "GroupNorm: an input of shape {} for a layer of {} channels; expected [N, C, …]",
            x.shape(),
            self.channels
        );
        x.group_norm(self.groups, value_of(&self.weight).as_ref(), value_of(&self.bias).as_ref(), self.eps)
    }
}

impl Module for GroupNorm {
    fn visit(&self, walk: &mut Walk<'_>) {
        let GroupNorm { weight, bias, eps: _, groups: _, channels: _ } = self;
        walk.child("weight", weight);
        walk.child("bias", bias);
    }

    fn describe(&self) -> String {
        let (affine, bias) = (python(self.weight.is_some()), python(self.bias.is_some()));
        format!("GroupNorm({}, {}, eps={:?}, affine={affine}, bias={bias})", self.groups, self.channels, self.eps)
    }
}

macro_rules! layers {
    ($($layer:ident),*) => {$(
        impl Layer for $layer {
            #[track_caller]
            fn forward(&self, x: &Tensor) -> Tensor {
                self.forward(x)
            }
        }
    )*};
}
layers!(InstanceNorm2d, GroupNorm);

/// Gives each channel of an image the style that a vector w asks for (Huang & Belongie 2017; Karras et al. 2019):
///
/// ```text
/// (s, b) = A·w + a               a scale and a shift for each channel
/// y      = s·(x − mean)/σ + b    mean and σ over the places of each channel of each sample
/// ```
///
/// The scales start around 1, the shifts around 0. Parameters: `affine.weight` `[2·C, in]`, scales first, and
/// `affine.bias` `[2·C]`.
///
/// ```
/// use autograd::{Rng, Tensor};
/// use nn::AdaIn;
/// let mut rng = Rng::seeded(0);
/// let adain = AdaIn::new(8, 3, &mut rng);
/// let (x, w) = (Tensor::randn([2, 3, 4, 4], &mut rng), Tensor::randn([2, 8], &mut rng));
/// assert_eq!(*adain.forward(&x, &w).shape(), [2, 3, 4, 4]);
/// ```
pub struct AdaIn {
    /// From w to scales and shifts.
    pub affine: Linear,
    /// Added to the variance; 10⁻⁵ by default.
    pub eps: f64,
}

impl AdaIn {
    /// A layer for vectors of `features` numbers and images of `channels`.
    pub fn new(features: usize, channels: usize, rng: &mut Rng) -> AdaIn {
        let affine = Linear::new(features, 2 * channels, rng);
        if let Some(bias) = &affine.bias {
            bias.update(|bias| {
                bias[..channels].fill(1.0);
                bias[channels..].fill(0.0);
            });
        }
        AdaIn { affine, eps: 1e-5 }
    }

    /// The image `x` `[N, C, H, W]` in the style of `w` `[N, in]`.
    ///
    /// # Panics
    /// If the shapes are others, or an image has only one place.
    #[track_caller]
    pub fn forward(&self, x: &Tensor, w: &Tensor) -> Tensor {
        let channels = self.affine.weight.shape()[0] / 2;
        assert!(
            x.rank() == 4 && x.size(1) == channels && w.rank() == 2 && w.size(0) == x.size(0),
            "AdaIn: an input of shape {} and a style of shape {}, for a layer of {channels} channels; expected \
             [N, C, H, W] and [N, in]",
            x.shape(),
            w.shape()
        );
        let style = self.affine.forward(w); // [N, 2·C]
        x.adain(&style.narrow(1, 0, channels), &style.narrow(1, channels, channels), self.eps)
    }
}

impl Module for AdaIn {
    fn visit(&self, walk: &mut Walk<'_>) {
        let AdaIn { affine, eps: _ } = self;
        walk.child("affine", affine);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_descriptions_are_those_of_pytorch() {
        let norm = InstanceNorm2d::new(3);
        assert!(norm.state().is_empty());
        assert_eq!(
            norm.describe(),
            "InstanceNorm2d(3, eps=1e-5, momentum=0.1, affine=False, bias=False, track_running_stats=False)"
        );
        let full = InstanceNorm2d::with_options(3, NormOptions::default());
        let names: Vec<_> = full.state().into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["weight", "bias", "running_mean", "running_var", "num_batches_tracked"]);
        assert_eq!(GroupNorm::new(2, 4).describe(), "GroupNorm(2, 4, eps=1e-5, affine=True, bias=True)");
        assert_eq!(GroupNorm::without_affine(2, 4).parameter_count(), 0);
    }

    #[test]
    fn a_new_style_is_near_the_normalised_image() {
        let mut rng = Rng::seeded(1);
        let adain = AdaIn::new(4, 3, &mut rng);
        let x = Tensor::randn([2, 3, 4, 4], &mut rng);
        let y = adain.forward(&x, &Tensor::zeros([2, 4]));
        assert_eq!(y.to_vec(), InstanceNorm2d::new(3).forward(&x).to_vec());
        let names: Vec<_> = adain.state().into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["affine.weight", "affine.bias"]);
    }

    #[test]
    #[should_panic(expected = "AdaIn: an input of shape [2, 3, 4, 4] and a style of shape [1, 4], for a layer of 3 \
                               channels; expected [N, C, H, W] and [N, in]")]
    fn each_sample_wants_a_style() {
        AdaIn::new(4, 3, &mut Rng::seeded(1)).forward(&Tensor::zeros([2, 3, 4, 4]), &Tensor::zeros([1, 4]));
    }

    #[test]
    #[should_panic(expected = "GroupNorm: 4 channels in 3 groups; they must divide evenly")]
    fn groups_divide_evenly() {
        GroupNorm::new(3, 4);
    }
}
