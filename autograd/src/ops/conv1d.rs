//! Convolution of sequences: a [`conv2d`](super::conv2d) of images that are one pixel high.

use super::conv2d::Conv2dOptions;
use crate::kernels::element::Float;
use crate::tensor::Tensor;

/// How the windows of a [`conv1d`](Tensor::conv1d) lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conv1dOptions {
    /// Elements from a window to the next.
    pub stride: usize,
    /// Zeros that are added at either end.
    pub padding: usize,
    /// Elements from a tap of a window to the next.
    pub dilation: usize,
    /// Parts of the channels that never meet.
    pub groups: usize,
}

impl Default for Conv1dOptions {
    /// PyTorch's: every window, no padding.
    fn default() -> Self {
        Conv1dOptions { stride: 1, padding: 0, dilation: 1, groups: 1 }
    }
}

impl Conv1dOptions {
    /// These options with another stride.
    pub fn stride(self, stride: usize) -> Self {
        Conv1dOptions { stride, ..self }
    }

    /// These options with another padding.
    pub fn padding(self, padding: usize) -> Self {
        Conv1dOptions { padding, ..self }
    }

    /// These options with another dilation.
    pub fn dilation(self, dilation: usize) -> Self {
        Conv1dOptions { dilation, ..self }
    }

    /// These options with so many groups of channels.
    pub fn groups(self, groups: usize) -> Self {
        Conv1dOptions { groups, ..self }
    }
}

impl<T: Float> Tensor<T> {
    /// The convolution of sequences with a weight, plus a bias a channel, as `torch.nn.functional.conv1d`: `[N, C, L]`
    /// and `[O, C / groups, kernel]` to `[N, O, L′]`, where L′ is
    /// `(L + 2·padding − dilation·(kernel − 1) − 1) / stride + 1`, rounded down. Of one sequence, `[C, L]`, it gives
    /// one.
    ///
    /// ```
    /// use autograd::{Conv1dOptions, Tensor};
    /// let x = Tensor::from([[1.0, 2.0, 4.0, 8.0]]); // [1, 4]
    /// let sum_of_two = Tensor::from([[[1.0, 1.0]]]); // [1, 1, 2]
    /// assert_eq!(x.conv1d(&sum_of_two, None, &Conv1dOptions::default()).to_vec(), [3.0, 6.0, 12.0]);
    /// ```
    ///
    /// # Panics
    /// If the shapes do not fit, a stride or a dilation is 0, or the sequence is shorter than a window.
    #[track_caller]
    pub fn conv1d(&self, weight: &Tensor<T>, bias: Option<&Tensor<T>>, options: &Conv1dOptions) -> Tensor<T> {
        let &Conv1dOptions { stride, padding, dilation, groups } = options;
        assert!(
            (self.rank() == 3 || self.rank() == 2) && weight.rank() == 3,
            "conv1d: an input of shape {} and a weight of shape {}; they must be [N, C, L] and [O, C / groups, kernel]",
            self.shape(),
            weight.shape()
        );
        let options = Conv2dOptions { stride: [1, stride], padding: [0, padding], dilation: [1, dilation], groups };
        self.unsqueeze(-2).conv2d(&weight.unsqueeze(-2), bias, &options).squeeze(-2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gradcheck::gradcheck_to_order;
    use crate::rng::Rng;

    #[test]
    fn gradients() {
        let mut rng = Rng::seeded(35);
        let plain = Conv1dOptions::default();
        for options in [plain, Conv1dOptions { stride: 2, padding: 2, dilation: 3, groups: 2 }] {
            let mut random = |shape: &[usize]| Tensor::randn_of::<f64>(shape, &mut rng);
            let inputs = [random(&[2, 2 * options.groups, 7]), random(&[4, 2, 3]), random(&[4])];
            gradcheck_to_order(&|x| x[0].conv1d(&x[1], Some(&x[2]), &options), &inputs, 2).unwrap();
        }
    }

    #[test]
    #[should_panic(expected = "conv1d: an input of shape [4] and a weight of shape [1, 1, 2]")]
    fn a_vector_is_refused() {
        Tensor::zeros([4]).conv1d(&Tensor::zeros([1, 1, 2]), None, &Conv1dOptions::default());
    }
}
