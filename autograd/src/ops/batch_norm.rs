//! Batch normalisation: each channel gets the mean 0 and the variance 1 over the batch, and is then scaled and
//! shifted (Ioffe & Szegedy 2015).
//!
//! ```text
//! x̂  = (x − mean) / √(variance + ε)            over samples and places, channel by channel; the variance is over n
//! y  = w·x̂ + b
//! dx = w·rstd·(dy − mean(dy) − x̂·mean(dy·x̂))   rstd = 1/√(variance + ε)
//! dw = Σ dy·x̂        db = Σ dy                 over samples and places
//! ```
//!
//! The two means in dx take away what the normalisation would undo: a common shift of the channel, and a common
//! factor. With given statistics, as in evaluation, nothing is undone, and dx = w·rstd·dy.
//!
//! Saved are x and, of each channel, mean and variance. Both ways read memory about once, block of channels by
//! block. Under `create_graph` the formulas above run in tensor operations on x.

use super::layer_norm::positions;
use crate::graph::{Grads, Op};
use crate::kernels::batch_norm::{self as kernel, Input, Saved, Shape};
use crate::kernels::element::Float;
use crate::kernels::layer_norm::Affine;
use crate::tensor::{Dims, Tensor};

/// The mean and the variance of each channel, without history.
#[derive(Clone)]
pub struct BatchStatistics<T: Float = f32> {
    /// `[C]`
    pub mean: Tensor<T>,
    /// `[C]`. As it is measured, that of the elements themselves: divided by n, not n − 1.
    pub variance: Tensor<T>,
}

/// A batch normalisation that was calculated. Its inputs are x, then the weight and the bias if there are any.
#[derive(Clone)]
struct BatchNorm<T: Float> {
    x: Tensor<T>,
    weight: Option<Tensor<T>>,
    bias: bool,
    /// Mean and variance of each channel: `[C, 2]`.
    moments: Tensor<T>,
    /// Whether the moments are those of x.
    measured: bool,
    eps: T,
}

/// What `x` is to the kernels.
fn shape_of<T: Float>(x: &Tensor<T>) -> Shape {
    Shape { samples: x.shape()[0], channels: x.shape()[1], size: x.shape()[2..].iter().product() }
}

impl<T: Float> Op<T> for BatchNorm<T> {
    const NAME: &'static str = "batch_norm";
    fn backward(self, dy: Tensor<T>, grads: &mut Grads<'_, T>) {
        if grads.create_graph() { self.backward_composed(&dy, grads) } else { self.backward_fused(&dy, grads) }
    }
}

impl<T: Float> BatchNorm<T> {
    fn backward_fused(self, dy: &Tensor<T>, grads: &mut Grads<'_, T>) {
        let (weight_at, bias_at) = positions(self.weight.is_some(), self.bias);
        let (dy, x) = (dy.packed(), self.x.packed());
        let weight = self.weight.as_ref().map(Tensor::packed);
        let shape = shape_of(&x);
        let saved = Saved {
            dy: dy.slice(),
            x: x.slice(),
            shape,
            moments: self.moments.slice().as_chunks().0,
            weight: weight.as_ref().map_or(&[], |weight| weight.slice()),
            eps: self.eps,
            measured: self.measured,
        };
        let mut db_dw = Tensor::build(Dims::from([shape.channels, 2]), |_| {});
        let dx = Tensor::build(if grads.wants(0) { *x.shape() } else { Dims::from([0]) }, |dx| {
            kernel::backward(saved, dx, db_dw.slice_mut().as_chunks_mut().0);
        });
        grads.set(0, || dx);
        for (at, column) in [(weight_at, 1), (bias_at, 0)] {
            if let Some(at) = at {
                grads.set(at, || db_dw.narrow(1, column, 1).reshape(shape.channels));
            }
        }
    }

    // ANCHOR: composed
    fn backward_composed(self, dy: &Tensor<T>, grads: &mut Grads<'_, T>) {
        let (weight_at, bias_at) = positions(self.weight.is_some(), self.bias);
        let Shape { samples, channels, size } = shape_of(&self.x);
        let flat = Dims::from([samples, channels, size]);
        let of_channel = |x: &Tensor<T>| x.reshape(Dims::from([channels, 1]));
        let (x, dy) = (self.x.reshape(flat), dy.reshape(flat));
        let (centred, variance) = if self.measured {
            let centred = &x - x.mean_keepdim([0, 2]);
            let variance = centred.square().mean_keepdim([0, 2]);
            (centred, variance)
        } else {
            (x - self.moments.narrow(1, 0, 1), self.moments.narrow(1, 1, 1))
        };
        let rstd = (variance + self.eps).rsqrt();
        let normalised = centred * &rstd;
        grads.set(0, || {
            let scale = match &self.weight {
                Some(weight) => rstd * of_channel(weight),
                None => rstd,
            };
            let felt = if self.measured {
                let along = (&dy * &normalised).mean_keepdim([0, 2]);
                &dy - dy.mean_keepdim([0, 2]) - &normalised * along
            } else {
                dy.clone()
            };
            (felt * scale).reshape(self.x.shape())
        });
        if let Some(at) = weight_at {
            grads.set(at, || (&dy * &normalised).sum([0, 2]));
        }
        if let Some(at) = bias_at {
            grads.set(at, || dy.sum([0, 2]));
        }
    }
    // ANCHOR_END: composed
}

impl<T: Float> Tensor<T> {
    /// Each channel of `[N, C, …]` with the mean 0 and the variance 1 over all else, times `weight`, plus `bias`
    /// (`[C]` each); and the statistics that were measured. As `torch.nn.functional.batch_norm` in training. `eps`,
    /// usually 10⁻⁵, is added to the variance, which is divided by n, not n − 1.
    ///
    /// ```
    /// use autograd::Tensor;
    /// let x = Tensor::from([[1.0, 20.0], [3.0, 10.0]]);
    /// let (y, statistics) = x.batch_norm(None, None, 0.0);
    /// assert_eq!(y.to_vec(), [-1.0, 1.0, 1.0, -1.0]);
    /// assert_eq!(statistics.mean.to_vec(), [2.0, 15.0]);
    /// assert_eq!(statistics.variance.to_vec(), [1.0, 25.0]);
    /// ```
    ///
    /// # Panics
    /// If this tensor has fewer than two axes, a channel has only one element, or weight or bias have another shape
    /// than `[C]`.
    #[track_caller]
    pub fn batch_norm(
        &self,
        weight: Option<&Tensor<T>>,
        bias: Option<&Tensor<T>>,
        eps: f64,
    ) -> (Tensor<T>, BatchStatistics<T>) {
        check("batch_norm", self, [("weight", weight), ("bias", bias)]);
        let Shape { samples, channels, size } = shape_of(self);
        assert!(
            samples * size != 1,
            "batch_norm: expected more than 1 value per channel when training, got an input of shape {}",
            self.shape()
        );
        let eps = T::from_f64(eps);
        // Of no elements the mean is 0 / 0.
        let mut moments = Tensor::full_of(Dims::from([channels, 2]), T::from_f64(f64::NAN));
        let y = self.normalised(weight, bias, eps, |input, y| {
            if !y.is_empty() {
                kernel::forward(input, y, moments.slice_mut().as_chunks_mut().0);
            }
        });
        let column = |column: usize| Tensor::from_fn(channels, |c| moments.slice()[2 * c + column]);
        let statistics = BatchStatistics { mean: column(0), variance: column(1) };
        (self.recorded_norm(y, weight, bias, moments, (true, eps)), statistics)
    }

    /// [`batch_norm`](Tensor::batch_norm) with these statistics in place of the batch's own, as
    /// `torch.nn.functional.batch_norm` in evaluation. No gradient goes to them.
    ///
    /// # Panics
    /// If this tensor has fewer than two axes, or statistics, weight or bias have another shape than `[C]`.
    #[track_caller]
    pub fn batch_norm_with(
        &self,
        statistics: &BatchStatistics<T>,
        weight: Option<&Tensor<T>>,
        bias: Option<&Tensor<T>>,
        eps: f64,
    ) -> Tensor<T> {
        let BatchStatistics { mean, variance } = statistics;
        check(
            "batch_norm_with",
            self,
            [("mean", Some(mean)), ("variance", Some(variance)), ("weight", weight), ("bias", bias)],
        );
        let eps = T::from_f64(eps);
        let (mean, variance) = (mean.packed(), variance.packed());
        let moments = Tensor::from_fn([self.shape()[1], 2], |i| [mean.slice(), variance.slice()][i % 2][i / 2]);
        let y = self.normalised(weight, bias, eps, |input, y| {
            kernel::normalise(input, moments.slice().as_chunks().0, y);
        });
        self.recorded_norm(y, weight, bias, moments, (false, eps))
    }

    /// What `fill` makes of the kernels' input.
    fn normalised(
        &self,
        weight: Option<&Tensor<T>>,
        bias: Option<&Tensor<T>>,
        eps: T,
        fill: impl FnOnce(Input<'_, T>, &mut [T]),
    ) -> Tensor<T> {
        let (x, weight, bias) = (self.packed(), weight.map(Tensor::packed), bias.map(Tensor::packed));
        let affine = Affine {
            weight: weight.as_ref().map_or(&[], |weight| weight.slice()),
            bias: bias.as_ref().map_or(&[], |bias| bias.slice()),
        };
        Tensor::build(*self.shape(), |y| fill(Input { x: x.slice(), shape: shape_of(self), affine, eps }, y))
    }

    #[track_caller]
    fn recorded_norm(
        &self,
        y: Tensor<T>,
        weight: Option<&Tensor<T>>,
        bias: Option<&Tensor<T>>,
        moments: Tensor<T>,
        (measured, eps): (bool, T),
    ) -> Tensor<T> {
        let inputs: Vec<_> = [Some(self), weight, bias].into_iter().flatten().collect();
        y.recorded_from(&inputs, || BatchNorm {
            x: self.clone(),
            weight: weight.cloned(),
            bias: bias.is_some(),
            moments,
            measured,
            eps,
        })
    }
}

#[track_caller]
fn check<T: Float, const N: usize>(op: &str, x: &Tensor<T>, of_channels: [(&str, Option<&Tensor<T>>); N]) {
    assert!(x.rank() >= 2, "{op}: an input of shape {}; expected [N, C, …]", x.shape());
    for (name, given) in of_channels {
        if let Some(given) = given {
            assert!(
                *given.shape() == [x.shape()[1]],
                "{op}: a {name} of shape {} for an input of shape {}, which wants [{}]",
                given.shape(),
                x.shape(),
                x.shape()[1]
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gradcheck::gradcheck_to_order;
    use crate::graph::{GradOptions, grad};
    use crate::rng::Rng;

    const EPS: f64 = 1e-5;

    #[test]
    fn gradients() {
        let mut rng = Rng::seeded(21);
        let mut random = |shape: &[usize]| Tensor::randn_of::<f64>(shape, &mut rng);
        for (shape, order) in [(&[4, 2][..], 3), (&[3, 2, 2], 3), (&[2, 3, 2, 2], 2)] {
            let channels = [shape[1]];
            let inputs = [random(shape), random(&channels), random(&channels)];
            gradcheck_to_order(&|x| x[0].batch_norm(Some(&x[1]), Some(&x[2]), EPS).0, &inputs, order).unwrap();
            gradcheck_to_order(&|x| x[0].batch_norm(Some(&x[1]), None, EPS).0, &inputs[..2], 2).unwrap();
            gradcheck_to_order(&|x| x[0].batch_norm(None, Some(&x[1]), EPS).0, &inputs[..2], 2).unwrap();
            gradcheck_to_order(&|x| x[0].batch_norm(None, None, EPS).0, &inputs[..1], 2).unwrap();
            let given = BatchStatistics { mean: random(&channels), variance: random(&channels).square() + 0.5 };
            let with = |x: &[Tensor<f64>]| x[0].batch_norm_with(&given, Some(&x[1]), Some(&x[2]), EPS);
            gradcheck_to_order(&with, &inputs, 2).unwrap();
            gradcheck_to_order(&|x| x[0].batch_norm_with(&given, None, None, EPS).square(), &inputs[..1], 2).unwrap();
        }
        let transposed = [random(&[2, 3, 4]), random(&[3])];
        gradcheck_to_order(&|x| x[0].transpose(0, 2).batch_norm(Some(&x[1]), None, EPS).0, &transposed, 2).unwrap();
    }

    fn largest(x: &Tensor<f64>) -> f64 {
        x.iter().fold(0.0, |largest, x| largest.max(x.abs()))
    }

    /// The definition, in tensor operations.
    fn composed(x: &Tensor<f64>, weight: &Tensor<f64>, bias: &Tensor<f64>, eps: f64) -> Tensor<f64> {
        let centred = x - x.mean_keepdim([0, 2]);
        let variance = centred.square().mean_keepdim([0, 2]);
        centred * (variance + eps).rsqrt() * weight.reshape([-1, 1]) + bias.reshape([-1, 1])
    }

    /// Channels that share a block, have one each, or are cut into parts and tiles.
    #[test]
    fn kernels_agree_with_the_definition() {
        let mut rng = Rng::seeded(22);
        let shapes = [
            [2, 1, 1],
            [2, 3, 1],
            [3, 70, 1],
            [5, 37, 2],
            [4, 3, 9],
            [70, 5, 25],
            [128, 65, 9],
            [3, 2, 600],
            [1, 40, 16],
            [1, 3, 1500],
            [1, 500, 300],
            [20_000, 3, 1],
            [6000, 100, 1],
            [300, 2, 2000],
            [2, 2, 300_000],
        ];
        for [n, c, size] in shapes {
            let x = Tensor::randn_of::<f64>([n, c, size], &mut rng) + 3.0;
            let [weight, bias] = [(); 2].map(|()| Tensor::randn_of::<f64>([c], &mut rng));
            let dy = Tensor::randn_of::<f64>([n, c, size], &mut rng);
            let inputs = [x, weight, bias].map(|x| x.requires_grad());
            let run = |y: Tensor<f64>| {
                let options = GradOptions { grad_outputs: Some(vec![dy.clone()]), ..Default::default() };
                let gradients = grad(&[&y], &[&inputs[0], &inputs[1], &inputs[2]], options);
                std::iter::once(y).chain(gradients).collect::<Vec<_>>()
            };
            // A large ε, so that rstd is at most 3.2.
            let (eps, rstd) = (0.1, 3.2);
            let ours = run(inputs[0].batch_norm(Some(&inputs[1]), Some(&inputs[2]), eps).0);
            let definition = run(composed(&inputs[0], &inputs[1], &inputs[2], eps));
            // Both add up sums of k = n·size terms, each in an order of its own. None adds more than 2048 + 64 terms
            // one after the other before it merges, and none has more than 4096 parts to merge: that times ε/2, of the
            // sizes of the terms, bounds the error of x̂. dx is made of sums of dy and x̂, times rstd; dw and db are
            // sums, where |x̂| ≤ √k.
            let k = (n * size) as f64;
            let rounding = f64::EPSILON * (k.min(6200.0) + 8.0);
            let normal = 2.0 * rounding * largest(&inputs[0]) * rstd;
            let (w, dy_max) = (largest(&inputs[1]).max(1.0), largest(&dy));
            let bounds = [
                w * normal + rounding * (largest(&inputs[2]) + w * k.sqrt()),
                4.0 * rstd * w * dy_max * (normal + rounding * k.sqrt()),
                k * dy_max * (normal + rounding),
                k * dy_max * rounding,
            ];
            for ((what, bound), (a, b)) in ["y", "dx", "dw", "db"].iter().zip(bounds).zip(ours.iter().zip(&definition))
            {
                let error = largest(&(a - b));
                assert!(error <= bound, "{what} of [{n}, {c}, {size}]: {error:e} > {bound:e}");
            }
        }
    }

    #[test]
    fn a_mean_far_from_zero_does_not_hide_the_variance() {
        let x = Tensor::from([[10_000.0], [10_001.0], [10_002.0], [10_003.0]]);
        let y = x.batch_norm(None, None, 0.0).0.to_vec();
        // Deviations of ±1.5 and ±0.5 over √1.25; all exact but the root and the last products.
        for (y, exact) in y.iter().zip([-1.341_640_8, -0.447_213_6, 0.447_213_6, 1.341_640_8_f32]) {
            assert!((y - exact).abs() <= 2.0 * f32::EPSILON, "{y} is not {exact}");
        }
    }

    #[test]
    fn only_what_is_wanted_is_calculated() {
        let x = Tensor::from([[1.0, 2.0, 4.0], [0.0, 1.0, 5.0], [3.0, 7.0, -1.0]]);
        let weight = Tensor::from([1.0, 2.0, 3.0]);
        let gradients = |x: &Tensor, weight: &Tensor| {
            x.batch_norm(Some(weight), None, EPS).0.square().sum(..).backward();
            (x.grad().map(|g| g.to_vec()), weight.grad().map(|g| g.to_vec()))
        };
        let (dx, dw) = gradients(&x.requires_grad(), &weight.requires_grad());
        assert_eq!(gradients(&x.requires_grad(), &weight), (dx, None));
        assert_eq!(gradients(&x, &weight.requires_grad()), (None, dw));
    }

    #[test]
    fn empty_tensors_are_no_trouble() {
        let weight = Tensor::ones([3]).requires_grad();
        let (y, statistics) = Tensor::zeros([0, 3, 2]).batch_norm(Some(&weight), None, EPS);
        y.sum(..).backward();
        assert_eq!(weight.grad().unwrap().to_vec(), [0.0; 3]);
        assert!(statistics.mean.iter().all(f32::is_nan));
        assert_eq!(*Tensor::zeros([2, 3, 0]).batch_norm(None, None, EPS).0.shape(), [2, 3, 0]);
        assert_eq!(*Tensor::zeros([2, 0]).batch_norm(None, None, EPS).0.shape(), [2, 0]);
    }

    #[test]
    #[should_panic(
        expected = "batch_norm: expected more than 1 value per channel when training, got an input of shape \
                               [1, 3]"
    )]
    fn a_single_value_is_refused() {
        Tensor::zeros([1, 3]).batch_norm(None, None, EPS);
    }

    #[test]
    #[should_panic(expected = "batch_norm: a weight of shape [2] for an input of shape [2, 3], which wants [3]")]
    fn another_shape_is_refused() {
        Tensor::zeros([2, 3]).batch_norm(Some(&Tensor::ones([2])), None, EPS);
    }
}
