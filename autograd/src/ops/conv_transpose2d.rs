//! Transposed convolution: the gradient of a convolution with respect to its input, used forward.
//!
//! ```text
//! Y[n, c, iy·stride + ky·dilation − padding, …] = b[c] + Σ over o, ky, kx of  X[n, o, iy, ix] · W[o, c, ky, kx]
//! ```
//!
//! X `[N, O, H, W]`, W `[O, C / groups, kernel height, kernel width]`, b `[C]`, Y `[N, C, H′, W′]`: every element of X
//! paints the weight, times itself, on the larger Y. H′ is
//! `(H − 1)·stride − 2·padding + dilation·(kernel − 1) + output_padding + 1`. Several sizes of image have the same
//! number of windows; `output_padding` says which of them Y is.
//!
//! The gradients are the other two maps of [`conv2d`](super::conv2d): dX = F(dY, W), a convolution, and dW = G(dY, X).

use super::conv2d::{Saved, Sides, check_bias, forward};
use super::conv2d_weight_grad::weight_grad;
use crate::graph::{Grads, Op};
use crate::kernels::conv::Conv;
use crate::kernels::element::Float;
use crate::tensor::{Dims, Tensor};

/// How the windows of a [`conv_transpose2d`](Tensor::conv_transpose2d) lie. Axes are height and width, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConvTranspose2dOptions {
    /// Pixels of the output from a window to the next.
    pub stride: [usize; 2],
    /// Pixels that are cut off on either side of the output.
    pub padding: [usize; 2],
    /// Pixels that are added at the bottom and on the right.
    pub output_padding: [usize; 2],
    /// Pixels from a tap of a window to the next.
    pub dilation: [usize; 2],
    /// Parts of the channels that never meet.
    pub groups: usize,
}

impl Default for ConvTranspose2dOptions {
    /// PyTorch's: every window, nothing cut off.
    fn default() -> Self {
        ConvTranspose2dOptions { stride: [1, 1], padding: [0, 0], output_padding: [0, 0], dilation: [1, 1], groups: 1 }
    }
}

impl ConvTranspose2dOptions {
    /// These options with another stride: one number for both axes, or `[height, width]`.
    pub fn stride(self, stride: impl Into<Sides>) -> Self {
        ConvTranspose2dOptions { stride: stride.into().0, ..self }
    }

    /// These options with another padding: one number for both axes, or `[height, width]`.
    pub fn padding(self, padding: impl Into<Sides>) -> Self {
        ConvTranspose2dOptions { padding: padding.into().0, ..self }
    }

    /// These options with another output padding: one number for both axes, or `[height, width]`.
    pub fn output_padding(self, output_padding: impl Into<Sides>) -> Self {
        ConvTranspose2dOptions { output_padding: output_padding.into().0, ..self }
    }

    /// These options with another dilation: one number for both axes, or `[height, width]`.
    pub fn dilation(self, dilation: impl Into<Sides>) -> Self {
        ConvTranspose2dOptions { dilation: dilation.into().0, ..self }
    }

    /// These options with so many groups of channels.
    pub fn groups(self, groups: usize) -> Self {
        ConvTranspose2dOptions { groups, ..self }
    }
}

/// I(X, W) + b. The geometry is that of the convolution whose input is this one's output.
#[derive(Clone)]
struct ConvTranspose2d<T: Float>(Saved<T>);

impl<T: Float> Op<T> for ConvTranspose2d<T> {
    const NAME: &'static str = "conv_transpose2d";
    fn backward(self, dy: Tensor<T>, grads: &mut Grads<'_, T>) {
        let Saved { conv, first: x, second: weight, bias } = self.0;
        if let Some(weight) = weight {
            grads.set(0, || forward(conv, &dy, &weight, None));
        }
        if let Some(x) = x {
            grads.set(1, || weight_grad(conv, &dy, &x));
        }
        if bias {
            grads.set(2, || dy.sum([0, 2, 3]));
        }
    }
}

/// I(X, W) + b, recorded.
#[track_caller]
pub(super) fn input_grad<T: Float>(
    conv: Conv,
    x: &Tensor<T>,
    weight: &Tensor<T>,
    bias: Option<&Tensor<T>>,
) -> Tensor<T> {
    let y = {
        let (x, weight, bias) = (x.packed(), weight.packed(), bias.map(Tensor::packed));
        let bias = bias.as_ref().map(|bias| bias.slice());
        Tensor::build(Dims::from(conv.input_shape()), |y| conv.input_grad(x.slice(), weight.slice(), bias, y))
    };
    let inputs: Vec<&Tensor<T>> = [x, weight].into_iter().chain(bias).collect();
    y.recorded_from(&inputs, || ConvTranspose2d(Saved::of(conv, x, weight, bias.is_some())))
}

impl<T: Float> Tensor<T> {
    /// The transposed convolution of images with a weight, plus a bias a channel, as
    /// `torch.nn.functional.conv_transpose2d`: `[N, O, H, W]` and `[O, C / groups, kernel height, kernel width]` to
    /// `[N, C, H′, W′]` (the formula is at the top of [`ops::conv_transpose2d`](mod@crate::ops::conv_transpose2d)). Of
    /// one image, `[O, H, W]`, it gives one.
    ///
    /// ```
    /// use autograd::{ConvTranspose2dOptions, Tensor};
    /// let pixels = Tensor::from([[[1.0, 2.0]]]); // [1, 1, 2]
    /// let brush = Tensor::from([[[[1.0, 10.0, 100.0]]]]); // [1, 1, 1, 3]
    /// let options = ConvTranspose2dOptions { stride: [1, 2], ..Default::default() };
    /// assert_eq!(pixels.conv_transpose2d(&brush, None, &options).to_vec(), [1.0, 10.0, 102.0, 20.0, 200.0]);
    /// ```
    ///
    /// # Panics
    /// If the shapes do not fit, a stride or a dilation is 0, more is cut off than there is, or an output padding is
    /// not smaller than the stride or the dilation.
    #[track_caller]
    pub fn conv_transpose2d(
        &self,
        weight: &Tensor<T>,
        bias: Option<&Tensor<T>>,
        options: &ConvTranspose2dOptions,
    ) -> Tensor<T> {
        if self.rank() == 3 {
            return self.unsqueeze(0).conv_transpose2d(weight, bias, options).squeeze(0);
        }
        input_grad(geometry(self, weight, bias, options), self, weight, bias)
    }
}

/// The geometry of the convolution that this one is the gradient of.
#[track_caller]
fn geometry<T: Float>(
    x: &Tensor<T>,
    weight: &Tensor<T>,
    bias: Option<&Tensor<T>>,
    options: &ConvTranspose2dOptions,
) -> Conv {
    let &ConvTranspose2dOptions { stride, padding, output_padding, dilation, groups } = options;
    let (&[batch, channels, height, width], &[rows, in_channels, kernel_height, kernel_width]) =
        (&x.shape()[..], &weight.shape()[..])
    else {
        panic!(
            "conv_transpose2d: an input of shape {} and a weight of shape {}; they must be [N, O, H, W] and \
             [O, C / groups, kernel height, kernel width]",
            x.shape(),
            weight.shape()
        )
    };
    assert!(
        groups > 0 && channels == rows && channels.is_multiple_of(groups),
        "conv_transpose2d: an input of shape {} and a weight of shape {} in {groups} groups; the weight's first size must \
         be the input's channels, a multiple of the groups",
        x.shape(),
        weight.shape()
    );
    check_bias("conv_transpose2d", bias, in_channels * groups);
    let (output, kernel) = ([height, width], [kernel_height, kernel_width]);
    let sizes = [0, 1].map(|axis| {
        let taps = dilation[axis].checked_mul(kernel[axis].checked_sub(1)?)?;
        let painted = output[axis].checked_sub(1)?.checked_mul(stride[axis])?.checked_add(taps)? + 1;
        let fits = stride[axis] > 0 && dilation[axis] > 0 && output_padding[axis] < stride[axis].max(dilation[axis]);
        (painted + output_padding[axis]).checked_sub(2 * padding[axis]).filter(|&size| size > 0 && fits)
    });
    let [Some(height), Some(width)] = sizes else {
        panic!(
            "conv_transpose2d: an input of shape {} and a weight of shape {} with {options:?}; no size may be 0, strides \
             and dilations must be at least 1, output paddings smaller than one of them, and paddings cut off less than \
             there is",
            x.shape(),
            weight.shape()
        )
    };
    let (input, out_channels) = ([height, width], channels / groups);
    Conv { batch, groups, in_channels, out_channels, input, kernel, output, stride, padding, dilation }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gradcheck::gradcheck_to_order;
    use crate::rng::Rng;

    #[test]
    fn gradients() {
        let plain = ConvTranspose2dOptions::default();
        let cases: [([usize; 4], [usize; 4], ConvTranspose2dOptions); 4] = [
            ([2, 3, 2, 3], [3, 2, 2, 2], plain),
            ([1, 2, 3, 2], [2, 2, 3, 2], ConvTranspose2dOptions { stride: [2, 3], padding: [1, 0], ..plain }),
            (
                [2, 4, 2, 2],
                [4, 1, 2, 3],
                ConvTranspose2dOptions { stride: [2, 3], output_padding: [1, 2], groups: 2, ..plain },
            ),
            (
                [1, 2, 3, 3],
                [2, 1, 2, 2],
                ConvTranspose2dOptions { dilation: [2, 3], padding: [1, 1], output_padding: [1, 2], ..plain },
            ),
        ];
        let mut rng = Rng::seeded(33);
        for (x, weight, options) in cases {
            let mut random = |shape: &[usize]| Tensor::randn_of::<f64>(shape, &mut rng);
            let inputs = [random(&x), random(&weight), random(&[weight[1] * options.groups])];
            gradcheck_to_order(&|x| x[0].conv_transpose2d(&x[1], Some(&x[2]), &options), &inputs, 2).unwrap();
            gradcheck_to_order(&|x| x[0].conv_transpose2d(&x[1], None, &options).tanh(), &inputs[..2], 3).unwrap();
        }
    }

    /// ⟨F(x, w), y⟩ = ⟨x, I(y, w)⟩, which is what transposed means.
    #[test]
    fn it_is_the_transpose_of_a_convolution() {
        let mut rng = Rng::seeded(34);
        let (x, weight) =
            (Tensor::randn_of::<f64>([2, 3, 7, 8], &mut rng), Tensor::randn_of::<f64>([4, 3, 3, 2], &mut rng));
        let options = super::super::conv2d::Conv2dOptions { stride: [2, 3], padding: [1, 0], ..Default::default() };
        let y = x.conv2d(&weight, None, &options);
        let other = Tensor::randn_of::<f64>(*y.shape(), &mut rng);
        let options =
            ConvTranspose2dOptions { stride: [2, 3], padding: [1, 0], output_padding: [0, 0], ..Default::default() };
        let back = other.conv_transpose2d(&weight, None, &options); // [2, 3, 7, 8]
        assert_eq!(back.shape(), x.shape());
        let (left, right) = ((y * &other).sum(..).item(), (x * back).sum(..).item());
        assert!((left - right).abs() < 1e-12 * left.abs().max(1.0), "{left} and {right}");
    }

    #[test]
    #[should_panic(expected = "output paddings smaller than one of them")]
    fn too_much_output_padding_is_refused() {
        let options = ConvTranspose2dOptions { stride: [2, 2], output_padding: [2, 0], ..Default::default() };
        Tensor::zeros([1, 1, 2, 2]).conv_transpose2d(&Tensor::zeros([1, 1, 2, 2]), None, &options);
    }

    #[test]
    #[should_panic(expected = "conv_transpose2d: an input of shape [1, 2, 2, 2] and a weight of shape [3, 1, 2, 2]")]
    fn other_channels_are_refused() {
        let options = ConvTranspose2dOptions::default();
        Tensor::zeros([1, 2, 2, 2]).conv_transpose2d(&Tensor::zeros([3, 1, 2, 2]), None, &options);
    }
}
