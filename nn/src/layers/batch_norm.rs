//! Batch normalisation, and the running statistics that it keeps.

use crate::module::{Layer, Module, Walk};
use crate::parameter::{Buffer, Mode, Parameter, value_of};
use crate::summary::python;
use autograd::{BatchStatistics, Tensor};

/// What batch and instance normalisation have in common. The default is that of batch normalisation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NormOptions {
    /// Added to the variance; 10⁻⁵ by default.
    pub eps: f64,
    /// How much of the running statistics each batch replaces; 0.1 by default. `None` is their plain mean over all
    /// batches.
    pub momentum: Option<f64>,
    /// Whether there are a weight and a bias.
    pub affine: bool,
    /// Whether running statistics are kept, and used in evaluation.
    pub track_running_stats: bool,
}

impl Default for NormOptions {
    fn default() -> NormOptions {
        NormOptions { eps: 1e-5, momentum: Some(0.1), affine: true, track_running_stats: true }
    }
}

impl NormOptions {
    /// A weight of ones and a bias of zeros, if there are any.
    pub(super) fn parameters(&self, channels: usize) -> [Option<Parameter>; 2] {
        [1.0, 0.0].map(|start| self.affine.then(|| Parameter::new(Tensor::full([channels], start))))
    }

    /// As PyTorch prints it.
    pub(super) fn describe(&self, name: &str, channels: usize) -> String {
        let NormOptions { eps, momentum, affine, track_running_stats } = self;
        let momentum = momentum.map_or("None".to_string(), |momentum| format!("{momentum:?}"));
        let (affine, track) = (python(*affine), python(*track_running_stats));
        format!(
            "{name}({channels}, eps={eps:?}, momentum={momentum}, affine={affine}, bias={affine}, \
             track_running_stats={track})"
        )
    }
}

/// What evaluation uses for the statistics of a batch: an average of those seen in training.
pub struct RunningStatistics {
    /// `[C]`, zeros at the start.
    pub mean: Buffer,
    /// `[C]`, ones at the start. Unbiased: divided by n − 1.
    pub variance: Buffer,
    /// How many batches there have been: `[]`. Exact to 2²⁴, as a float is.
    pub batches: Buffer,
}

impl RunningStatistics {
    /// Before the first batch.
    pub(super) fn new(channels: usize) -> RunningStatistics {
        RunningStatistics {
            mean: Buffer::new(Tensor::zeros([channels])),
            variance: Buffer::new(Tensor::ones([channels])),
            batches: Buffer::new(Tensor::from(0.0)),
        }
    }

    /// One more batch.
    fn count(&self) -> f64 {
        self.batches.update(|batches| {
            batches[0] += 1.0;
            f64::from(batches[0])
        })
    }

    /// Takes up the statistics of `n` elements a channel, in the place of the part `momentum` of what is here.
    pub(super) fn take_up(&self, measured: &BatchStatistics, n: usize, momentum: f64) {
        let unbiased = n as f64 / (n as f64 - 1.0);
        let mix = |running: &Buffer, measured: &Tensor, factor: f64| {
            running.update(|running| {
                for (running, measured) in running.iter_mut().zip(measured.iter()) {
                    *running =
                        (momentum * factor * f64::from(measured) + (1.0 - momentum) * f64::from(*running)) as f32;
                }
            });
        };
        mix(&self.mean, &measured.mean, 1.0);
        mix(&self.variance, &measured.variance, unbiased);
    }

    /// As they stand.
    pub(super) fn value(&self) -> BatchStatistics {
        BatchStatistics { mean: self.mean.value(), variance: self.variance.value() }
    }

    /// Shows a layer's walk the buffers, under PyTorch's names.
    pub(super) fn visit(&self, walk: &mut Walk<'_>) {
        let RunningStatistics { mean, variance, batches } = self;
        walk.child("running_mean", mean);
        walk.child("running_var", variance);
        walk.child("num_batches_tracked", batches);
    }
}

/// Each channel with the mean 0 and the variance 1 over the batch, times `weight`, plus `bias` (Ioffe & Szegedy 2015):
/// [`BatchNorm1d`] for `[N, C]` and `[N, C, L]`, [`BatchNorm2d`] for images.
///
/// In training the statistics are the batch's own, and running averages of them are kept; in evaluation these take
/// their place.
///
/// Parameters: `weight` `[C]`, ones at the start, and `bias` `[C]`, zeros. Buffers: `running_mean`, `running_var`,
/// `num_batches_tracked`.
///
/// ```
/// use autograd::{Rng, Tensor};
/// use nn::{BatchNorm2d, Module};
/// let norm = BatchNorm2d::new(3);
/// let x = Tensor::randn([8, 3, 5, 5], &mut Rng::seeded(0)) * 2.0 + 1.0;
/// let y = norm.forward(&x);
/// assert!(y.mean([0, 2, 3]).iter().all(|mean| mean.abs() < 1e-6));
/// norm.eval(); // now with running_mean and running_var
/// assert_eq!(*norm.forward(&x.narrow(0, 0, 1)).shape(), [1, 3, 5, 5]);
/// ```
pub struct BatchNorm<const SPACE: usize> {
    /// `[C]`
    pub weight: Option<Parameter>,
    /// `[C]`
    pub bias: Option<Parameter>,
    /// What evaluation uses; without them it uses the batch's own statistics, as training does.
    pub running: Option<RunningStatistics>,
    /// Training or evaluating.
    pub mode: Mode,
    channels: usize,
    options: NormOptions,
}

/// [`BatchNorm`] of `[N, C]` or `[N, C, L]`, as `torch.nn.BatchNorm1d`.
pub type BatchNorm1d = BatchNorm<1>;
/// [`BatchNorm`] of `[N, C, H, W]`, as `torch.nn.BatchNorm2d`.
pub type BatchNorm2d = BatchNorm<2>;

impl<const SPACE: usize> BatchNorm<SPACE> {
    /// A layer for so many channels.
    pub fn new(channels: usize) -> Self {
        Self::with_options(channels, NormOptions::default())
    }

    /// A layer for so many channels.
    pub fn with_options(channels: usize, options: NormOptions) -> Self {
        let [weight, bias] = options.parameters(channels);
        let running = options.track_running_stats.then(|| RunningStatistics::new(channels));
        BatchNorm { weight, bias, running, mode: Mode::new(), channels, options }
    }

    /// The layer's output, of the shape of `x`. In training the running statistics take up those of `x`.
    ///
    /// # Panics
    /// If `x` has another number of axes or of channels, or, in training, only one value a channel.
    #[track_caller]
    pub fn forward(&self, x: &Tensor) -> Tensor {
        let expected = if SPACE == 1 { "[N, C] or [N, C, L]" } else { "[N, C, H, W]" };
        let fits = x.rank() == SPACE + 2 || SPACE == 1 && x.rank() == 2;
        assert!(fits, "BatchNorm{SPACE}d: an input of shape {}; expected {expected}", x.shape());
        let channels = self.channels;
        assert!(
            x.size(1) == channels,
            "BatchNorm{SPACE}d: an input of shape {} for a layer of {channels} channels; expected {expected}",
            x.shape()
        );
        let (weight, bias) = (value_of(&self.weight), value_of(&self.bias));
        let (weight, bias, eps) = (weight.as_ref(), bias.as_ref(), self.options.eps);
        match &self.running {
            Some(running) if !self.mode.is_training() => x.batch_norm_with(&running.value(), weight, bias, eps),
            running => {
                let (y, measured) = x.batch_norm(weight, bias, eps);
                if let Some(running) = running {
                    let batches = running.count();
                    if x.count() > 0 {
                        running.take_up(
                            &measured,
                            x.count() / channels,
                            self.options.momentum.unwrap_or(1.0 / batches),
                        );
                    }
                }
                y
            }
        }
    }
}

impl<const SPACE: usize> Module for BatchNorm<SPACE> {
    fn visit(&self, walk: &mut Walk<'_>) {
        let BatchNorm { weight, bias, running, mode, channels: _, options: _ } = self;
        walk.child("weight", weight);
        walk.child("bias", bias);
        if let Some(running) = running {
            running.visit(walk);
        }
        walk.child("mode", mode);
    }

    fn describe(&self) -> String {
        self.options.describe(&format!("BatchNorm{SPACE}d"), self.channels)
    }
}

impl<const SPACE: usize> Layer for BatchNorm<SPACE> {
    #[track_caller]
    fn forward(&self, x: &Tensor) -> Tensor {
        self.forward(x)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_description_are_those_of_pytorch() {
        let norm = BatchNorm2d::new(3);
        let names: Vec<_> = norm.state().into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["weight", "bias", "running_mean", "running_var", "num_batches_tracked"]);
        assert_eq!(norm.parameter_count(), 6);
        assert_eq!(
            norm.describe(),
            "BatchNorm2d(3, eps=1e-5, momentum=0.1, affine=True, bias=True, track_running_stats=True)"
        );
        let options = NormOptions { momentum: None, affine: false, track_running_stats: false, ..Default::default() };
        let bare = BatchNorm1d::with_options(3, options);
        assert!(bare.state().is_empty());
        assert_eq!(
            bare.describe(),
            "BatchNorm1d(3, eps=1e-5, momentum=None, affine=False, bias=False, track_running_stats=False)"
        );
    }

    #[test]
    fn without_running_statistics_evaluation_is_training() {
        let options = NormOptions { track_running_stats: false, ..Default::default() };
        let norm = BatchNorm1d::with_options(2, options);
        let x = Tensor::from([[1.0, 4.0], [3.0, 0.0]]);
        let y = norm.forward(&x).to_vec();
        norm.eval();
        assert_eq!(norm.forward(&x).to_vec(), y);
    }

    #[test]
    fn an_empty_batch_counts_and_changes_nothing() {
        let norm = BatchNorm2d::new(2);
        norm.forward(&Tensor::zeros([0, 2, 3, 3]));
        let state: Vec<_> = norm.state().into_iter().map(|(_, value)| value.to_vec()).collect();
        assert_eq!(state[2..], [vec![0.0, 0.0], vec![1.0, 1.0], vec![1.0]]);
    }

    #[test]
    #[should_panic(expected = "BatchNorm2d: an input of shape [2, 3, 4]; expected [N, C, H, W]")]
    fn another_rank_is_refused() {
        BatchNorm2d::new(3).forward(&Tensor::zeros([2, 3, 4]));
    }

    #[test]
    #[should_panic(expected = "BatchNorm1d: an input of shape [2, 4] for a layer of 3 channels; expected [N, C] or \
                               [N, C, L]")]
    fn other_channels_are_refused() {
        BatchNorm1d::new(3).forward(&Tensor::zeros([2, 4]));
    }

    #[test]
    #[should_panic(
        expected = "batch_norm: expected more than 1 value per channel when training, got an input of shape \
                               [1, 3, 1, 1]"
    )]
    fn a_single_value_is_refused_in_training() {
        let norm = BatchNorm2d::new(3);
        norm.eval();
        norm.forward(&Tensor::zeros([1, 3, 1, 1]));
        norm.train();
        norm.forward(&Tensor::zeros([1, 3, 1, 1]));
    }
}
