//! A second model that holds a moving average of the first one's weights.
//!
//! ```text
//! a ← λ·a + (1 − λ)·θ        after each step, for every number θ of the model
//! ```
//!
//! The weights of a model in training go to and fro about where they are going; their mean is nearer to it (B. Polyak
//! and A. Juditsky, *Acceleration of Stochastic Approximation by Averaging*, 1992). Most of all the generators of GANs,
//! which circle with their discriminators, paint better with averaged weights (Y. Yazıcı and others, *The Unusual
//! Effectiveness of Averaging in GAN Training*, 2019).

use crate::module::{Module, Part, Walk};
use crate::parameter::Buffer;
use std::ops::Deref;

/// A model whose weights are a moving average of another's, to evaluate with. Dereferences to the model.
///
/// PyTorch's `AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(decay))`, but that the first copy is made by
/// [`new`](AveragedModel::new) and not by the first update. Buffers are copied from the other model, as there. The
/// running statistics of a [`BatchNorm2d`](crate::BatchNorm2d) are then those of the other model's weights. They do not
/// fit the average, whose weights are smaller, as what is random in them cancels out: before it evaluates, let it see
/// some batches in training mode (in PyTorch, `update_bn`).
///
/// ```
/// use autograd::{Rng, Tensor};
/// use nn::Linear;
/// use nn::optim::AveragedModel;
///
/// let mut rng = Rng::seeded(0);
/// let model = Linear::new(1, 1, &mut rng);
/// model.weight.set(&Tensor::from([[1.0]]));
/// let average = AveragedModel::new(Linear::new(1, 1, &mut rng), &model, 0.9);
/// model.weight.set(&Tensor::from([[2.0]])); // … a step of training …
/// average.update(&model);
/// assert_eq!(average.weight.value().item(), 1.1); // 0.9·1 + 0.1·2
/// ```
pub struct AveragedModel<M> {
    model: M,
    decay: f32,
}

impl<M: Module> AveragedModel<M> {
    /// Makes `model` a copy of `of`, frozen and in evaluation mode. `decay` is λ: how much of the average stays at each
    /// update, so that about the last 1/(1 − λ) models count.
    ///
    /// # Panics
    /// If `decay` is not from 0 to 1; if the models differ in a shape or in how many parameters and buffers they have;
    /// if they share a parameter, which would be frozen in both.
    #[track_caller]
    pub fn new(model: M, of: &M, decay: f64) -> AveragedModel<M> {
        assert!((0.0..=1.0).contains(&decay), "AveragedModel: a decay of {decay}; it goes from 0 to 1");
        let trained = of.parameters();
        for (name, average) in model.named_parameters() {
            assert!(!trained.iter().any(|other| other.is(&average)), "AveragedModel: both models share {name}");
        }
        model.set_trainable(false);
        model.eval();
        let mut average = AveragedModel { model, decay: 0.0 };
        average.update(of);
        average.decay = decay as f32;
        average
    }

    /// Goes towards `of`, which has been trained by a step.
    ///
    /// # Panics
    /// As [`new`](AveragedModel::new).
    #[track_caller]
    pub fn update(&self, of: &M) {
        let mix = |average: &mut [f32], new: &[f32]| {
            for (average, new) in average.iter_mut().zip(new) {
                *average = self.decay * *average + (1.0 - self.decay) * new;
            }
        };
        let (here, there) = (self.model.parameters(), of.parameters());
        same_count("parameters", here.len(), there.len());
        for (average, parameter) in here.iter().zip(&there) {
            same_shape(&average.shape(), &parameter.shape());
            let new = parameter.value().detach().contiguous();
            average.update(|average| mix(average, new.try_slice().expect("it is contiguous")));
        }
        let (here, there) = (buffers(&self.model), buffers(of));
        same_count("buffers", here.len(), there.len());
        for (average, buffer) in here.iter().zip(&there) {
            same_shape(average.value().shape(), buffer.value().shape());
            average.set(&buffer.value());
        }
    }
}

#[track_caller]
fn same_count(kind: &str, here: usize, there: usize) {
    assert!(here == there, "AveragedModel: {here} {kind}, but {there} in the model that it follows");
}

#[track_caller]
fn same_shape(average: &autograd::Dims, new: &autograd::Dims) {
    assert!(average == new, "AveragedModel: an average of shape {average} of what has shape {new}");
}

/// Running statistics and the like, in the order of the model's parts.
fn buffers(model: &impl Module) -> Vec<Buffer> {
    let mut found = Vec::new();
    Walk::over(model, &mut |_, part| {
        if let Part::Buffer(buffer) = part {
            found.push(buffer.clone());
        }
    });
    found
}

impl<M> Deref for AveragedModel<M> {
    type Target = M;
    fn deref(&self) -> &M {
        &self.model
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{BatchNorm2d, Linear};
    use autograd::{Rng, Tensor};

    /// `torch.optim.swa_utils.AveragedModel(m, multi_avg_fn=get_ema_multi_avg_fn(0.75))` of weights 1, 2, 4, 8 gives
    /// 1, 1.25, 1.9375, 3.453125.
    #[test]
    fn weights_are_averaged_as_in_pytorch() {
        let mut rng = Rng::seeded(0);
        let model = Linear::without_bias(1, 1, &mut rng);
        model.weight.set(&Tensor::from([[1.0]]));
        let average = AveragedModel::new(Linear::without_bias(1, 1, &mut rng), &model, 0.75);
        assert_eq!(average.weight.value().item(), 1.0);
        for (weight, expected) in [(2.0, 1.25), (4.0, 1.9375), (8.0, 3.453_125)] {
            model.weight.set(&Tensor::from([[weight]]));
            average.update(&model);
            assert_eq!(average.weight.value().item(), expected);
        }
        assert!(!average.weight.value().has_history(), "an average is not trained");
    }

    #[test]
    fn running_statistics_are_copied() {
        let model = BatchNorm2d::new(1);
        let average = AveragedModel::new(BatchNorm2d::new(1), &model, 0.5);
        model.forward(&Tensor::full([2, 1, 2, 2], 10.0)); // the running mean goes from 0 to 1
        average.update(&model);
        let mean = |norm: &BatchNorm2d| norm.running.as_ref().unwrap().mean.value().item();
        assert_eq!((mean(&model), mean(&average)), (1.0, 1.0));
        // It evaluates: what it sees changes no statistics, here or there.
        average.forward(&Tensor::full([2, 1, 2, 2], 20.0));
        assert_eq!((mean(&model), mean(&average)), (1.0, 1.0));
    }

    #[test]
    #[should_panic(expected = "an average of shape [1, 2] of what has shape [1, 3]")]
    fn another_model_is_refused() {
        let mut rng = Rng::seeded(0);
        AveragedModel::new(Linear::new(2, 1, &mut rng), &Linear::new(3, 1, &mut rng), 0.5);
    }

    #[test]
    #[should_panic(expected = "both models share weight")]
    fn a_parameter_of_both_models_is_refused() {
        let mut rng = Rng::seeded(0);
        let (model, mut average) = (Linear::new(1, 1, &mut rng), Linear::new(1, 1, &mut rng));
        average.weight = model.weight.clone();
        AveragedModel::new(average, &model, 0.5);
    }

    #[test]
    #[should_panic(expected = "1 parameters, but 2 in the model that it follows")]
    fn a_model_with_fewer_parameters_is_refused() {
        let mut rng = Rng::seeded(0);
        AveragedModel::new(Linear::without_bias(1, 1, &mut rng), &Linear::new(1, 1, &mut rng), 0.5);
    }
}
