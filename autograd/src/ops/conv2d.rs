//! Convolution of images.
//!
//! ```text
//! Y[n, o, oy, ox] = b[o] + Σ over c, ky, kx of  W[o, c, ky, kx] · X[n, c, oy·stride + ky·dilation − padding, …]
//! ```
//!
//! X `[N, C, H, W]`, W `[O, C / groups, kernel height, kernel width]`, b `[O]`, Y `[N, O, H′, W′]`, where H′ is
//! `(H + 2·padding − dilation·(kernel − 1) − 1) / stride + 1`, rounded down, and W′ the like. With groups, channels are
//! cut into as many parts, and each part of Y is calculated from the same part of X. (What is called convolution here
//! is, as everywhere in this field, a correlation: the window is not mirrored.)
//!
//! Y is linear in X and linear in W. So there are three maps, which are each other's gradients:
//!
//! ```text
//! forward      Y  = F(X, W)          dX = I(dY, W)          dW = G(X, dY)
//! input_grad   X  = I(Y, W)          dY = F(dX, W)          dW = G(dX, Y)
//! weight_grad  W  = G(X, Y)          dX = I(Y, dW)          dY = F(X, dW)
//! ```
//!
//! Each is an operation, in this file, in [`conv_transpose2d`](super::conv_transpose2d) (I, which is a transposed
//! convolution) and in [`conv2d_weight_grad`](super::conv2d_weight_grad). So every order of derivative is made of the
//! same three kernels, in [`kernels::conv`](crate::kernels::conv).

use super::conv_transpose2d::input_grad;
use super::conv2d_weight_grad::weight_grad;
use crate::graph::{Grads, Op};
use crate::kernels::conv::Conv;
use crate::kernels::element::Float;
use crate::tensor::{Dims, Tensor};

/// How the windows of a [`conv2d`](Tensor::conv2d) lie. Axes are height and width, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conv2dOptions {
    /// Pixels from a window to the next.
    pub stride: [usize; 2],
    /// Zeros that are added on either side.
    pub padding: [usize; 2],
    /// Pixels from a tap of a window to the next.
    pub dilation: [usize; 2],
    /// Parts of the channels that never meet.
    pub groups: usize,
}

impl Default for Conv2dOptions {
    /// PyTorch's: every window, no padding.
    fn default() -> Self {
        Conv2dOptions { stride: [1, 1], padding: [0, 0], dilation: [1, 1], groups: 1 }
    }
}

impl Conv2dOptions {
    /// These options with another stride: one number for both axes, or `[height, width]`.
    pub fn stride(self, stride: impl Into<Sides>) -> Self {
        Conv2dOptions { stride: stride.into().0, ..self }
    }

    /// These options with another padding: one number for both axes, or `[height, width]`.
    pub fn padding(self, padding: impl Into<Sides>) -> Self {
        Conv2dOptions { padding: padding.into().0, ..self }
    }

    /// These options with another dilation: one number for both axes, or `[height, width]`.
    pub fn dilation(self, dilation: impl Into<Sides>) -> Self {
        Conv2dOptions { dilation: dilation.into().0, ..self }
    }

    /// These options with so many groups of channels.
    pub fn groups(self, groups: usize) -> Self {
        Conv2dOptions { groups, ..self }
    }
}

/// A number for each side of an image, `[height, width]`, which is made of one for both.
///
/// ```
/// use autograd::Sides;
/// assert_eq!(Sides::from(3), Sides::from([3, 3]));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sides(pub [usize; 2]);

impl From<usize> for Sides {
    fn from(both: usize) -> Self {
        Sides([both, both])
    }
}

impl From<[usize; 2]> for Sides {
    fn from(sides: [usize; 2]) -> Self {
        Sides(sides)
    }
}

/// What each of the three maps saves: its geometry, and each operand that the other's gradient needs.
#[derive(Clone)]
pub(super) struct Saved<T: Float> {
    pub conv: Conv,
    pub first: Option<Tensor<T>>,
    pub second: Option<Tensor<T>>,
    /// Whether a bias was added.
    pub bias: bool,
}

impl<T: Float> Saved<T> {
    pub(super) fn of(conv: Conv, first: &Tensor<T>, second: &Tensor<T>, bias: bool) -> Self {
        Saved {
            conv,
            first: second.has_history().then(|| first.clone()),
            second: first.has_history().then(|| second.clone()),
            bias,
        }
    }
}

/// F(X, W) + b
#[derive(Clone)]
struct Conv2d<T: Float>(Saved<T>);

// ANCHOR: backward
impl<T: Float> Op<T> for Conv2d<T> {
    const NAME: &'static str = "conv2d";
    fn backward(self, dy: Tensor<T>, grads: &mut Grads<'_, T>) {
        let Saved { conv, first: x, second: weight, bias } = self.0;
        if let Some(weight) = weight {
            grads.set(0, || input_grad(conv, &dy, &weight, None));
        }
        if let Some(x) = x {
            grads.set(1, || weight_grad(conv, &x, &dy));
        }
        if bias {
            grads.set(2, || dy.sum([0, 2, 3]));
        }
    }
}
// ANCHOR_END: backward

/// F(X, W) + b, recorded.
#[track_caller]
pub(super) fn forward<T: Float>(conv: Conv, x: &Tensor<T>, weight: &Tensor<T>, bias: Option<&Tensor<T>>) -> Tensor<T> {
    let y = {
        let (x, weight, bias) = (x.packed(), weight.packed(), bias.map(Tensor::packed));
        let bias = bias.as_ref().map(|bias| bias.slice());
        Tensor::build(Dims::from(conv.output_shape()), |y| conv.forward(x.slice(), weight.slice(), bias, y))
    };
    let inputs: Vec<&Tensor<T>> = [x, weight].into_iter().chain(bias).collect();
    y.recorded_from(&inputs, || Conv2d(Saved::of(conv, x, weight, bias.is_some())))
}

impl<T: Float> Tensor<T> {
    /// The convolution of images with a weight, plus a bias a channel, as `torch.nn.functional.conv2d`:
    /// `[N, C, H, W]` and `[O, C / groups, kernel height, kernel width]` to `[N, O, H′, W′]` (the formula is at the top
    /// of [`ops::conv2d`](mod@crate::ops::conv2d)). Of one image, `[C, H, W]`, it gives one.
    ///
    /// ```
    /// use autograd::{Conv2dOptions, Tensor};
    /// // How much each pixel differs from the one on its left.
    /// let image = Tensor::from([[[1.0, 1.0, 5.0, 5.0]]]); // [1, 1, 4]
    /// let edges = Tensor::from([[[[-1.0, 1.0]]]]); // [1, 1, 1, 2]
    /// assert_eq!(image.conv2d(&edges, None, &Conv2dOptions::default()).to_vec(), [0.0, 4.0, 0.0]);
    /// ```
    ///
    /// Windows of two to four taps a side, and of twice as many with a stride of 2, may be calculated with fewer
    /// multiplications ([`kernels::conv`](crate::kernels::conv)), as may be their gradients. Then a NaN or an infinity
    /// in the image may reach outputs whose windows are a few pixels away, and what would be exactly 0 may be a
    /// rounding error.
    ///
    /// # Panics
    /// If the shapes do not fit, a stride or a dilation is 0, or the image is smaller than a window.
    #[track_caller]
    pub fn conv2d(&self, weight: &Tensor<T>, bias: Option<&Tensor<T>>, options: &Conv2dOptions) -> Tensor<T> {
        if self.rank() == 3 {
            return self.unsqueeze(0).conv2d(weight, bias, options).squeeze(0);
        }
        forward(geometry(self, weight, bias, options), self, weight, bias)
    }
}

/// The geometry of a convolution whose arguments fit.
#[track_caller]
fn geometry<T: Float>(x: &Tensor<T>, weight: &Tensor<T>, bias: Option<&Tensor<T>>, options: &Conv2dOptions) -> Conv {
    let &Conv2dOptions { stride, padding, dilation, groups } = options;
    let (&[batch, channels, height, width], &[outputs, in_channels, kernel_height, kernel_width]) =
        (&x.shape()[..], &weight.shape()[..])
    else {
        panic!(
            "conv2d: an input of shape {} and a weight of shape {}; they must be [N, C, H, W] and \
             [O, C / groups, kernel height, kernel width]",
            x.shape(),
            weight.shape()
        )
    };
    let divides = groups > 0 && outputs.is_multiple_of(groups) && channels == in_channels * groups;
    assert!(
        divides,
        "conv2d: an input of shape {} and a weight of shape {} in {groups} groups; the weight's first size must be a \
         multiple of the groups, and its second the input's channels divided by them",
        x.shape(),
        weight.shape()
    );
    check_bias("conv2d", bias, outputs);
    let (input, kernel) = ([height, width], [kernel_height, kernel_width]);
    let windows = [0, 1].map(|axis| {
        Conv::windows(input[axis], kernel[axis], stride[axis], padding[axis], dilation[axis])
            .filter(|_| dilation[axis] > 0)
    });
    let [Some(rows), Some(columns)] = windows else {
        panic!(
            "conv2d: an input of shape {} and a weight of shape {} with {options:?}; strides and dilations must be at \
             least 1, and the padded image at least as large as a window",
            x.shape(),
            weight.shape()
        )
    };
    let (out_channels, output) = (outputs / groups, [rows, columns]);
    Conv { batch, groups, in_channels, out_channels, input, kernel, output, stride, padding, dilation }
}

/// Panics unless a bias has one value a channel.
#[track_caller]
pub(super) fn check_bias<T: Float>(name: &str, bias: Option<&Tensor<T>>, channels: usize) {
    if let Some(bias) = bias {
        assert!(
            *bias.shape() == [channels],
            "{name}: a bias of shape {} for {channels} channels; it must be [{channels}]",
            bias.shape()
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gradcheck::gradcheck_to_order;
    use crate::rng::Rng;

    /// Sizes of a test: input, weight, and how the windows lie.
    type Case = ([usize; 4], [usize; 4], Conv2dOptions);

    fn cases() -> Vec<Case> {
        let plain = Conv2dOptions::default();
        vec![
            ([2, 2, 4, 3], [3, 2, 2, 2], plain),
            ([1, 2, 5, 6], [2, 2, 3, 2], Conv2dOptions { stride: [2, 1], padding: [1, 0], ..plain }),
            ([2, 4, 4, 5], [2, 2, 2, 3], Conv2dOptions { stride: [1, 2], padding: [2, 1], groups: 2, ..plain }),
            // Rows and columns that no window sees.
            ([1, 1, 6, 6], [1, 1, 2, 2], Conv2dOptions { stride: [3, 4], ..plain }),
            ([1, 2, 5, 5], [2, 1, 2, 2], Conv2dOptions { dilation: [2, 3], groups: 2, ..plain }),
        ]
    }

    #[test]
    fn gradients() {
        let mut rng = Rng::seeded(31);
        for (x, weight, options) in cases() {
            let mut random = |shape: &[usize]| Tensor::randn_of::<f64>(shape, &mut rng);
            let inputs = [random(&x), random(&weight), random(&weight[..1])];
            gradcheck_to_order(&|x| x[0].conv2d(&x[1], Some(&x[2]), &options), &inputs, 2).unwrap();
            // The third derivative of what is linear in each: only the mixed one is not zero.
            gradcheck_to_order(&|x| x[0].conv2d(&x[1], None, &options).tanh(), &inputs[..2], 3).unwrap();
        }
    }

    #[test]
    fn layouts() {
        // Integers, whose sums are exact in the order that any batch adds them up in.
        let x = Tensor::from_fn([2, 6, 5, 3], |i| (i * 5 % 7) as f32 - 3.0);
        let weight = Tensor::from_fn([4, 3, 2, 2], |i| (i * 3 % 5) as f32 - 2.0);
        let options = Conv2dOptions::default();
        let turned = x.permute([0, 3, 2, 1]); // [2, 3, 5, 6]
        let (ours, same) =
            (turned.conv2d(&weight, None, &options), turned.contiguous().conv2d(&weight, None, &options));
        assert_eq!(ours.to_vec(), same.to_vec());
        // An image alone.
        let (one, all) = (turned.narrow(0, 1, 1).squeeze(0), same.narrow(0, 1, 1).squeeze(0));
        assert_eq!(one.conv2d(&weight, None, &options).shape(), all.shape());
        assert_eq!(one.conv2d(&weight, None, &options).to_vec(), all.to_vec());
    }

    #[test]
    fn only_what_is_wanted_is_saved() {
        let (x, weight) = (Tensor::ones([1, 1, 3, 3]), Tensor::ones([1, 1, 2, 2]).requires_grad());
        x.conv2d(&weight, None, &Conv2dOptions::default()).sum(..).backward();
        assert_eq!(weight.grad().unwrap().to_vec(), [4.0; 4]);
        assert!(x.grad().is_none());
    }

    #[test]
    #[should_panic(expected = "conv2d: an input of shape [1, 3, 4, 4] and a weight of shape [2, 2, 3, 3] in 1 groups")]
    fn other_channels_are_refused() {
        Tensor::zeros([1, 3, 4, 4]).conv2d(&Tensor::zeros([2, 2, 3, 3]), None, &Conv2dOptions::default());
    }

    #[test]
    #[should_panic(expected = "the padded image at least as large as a window")]
    fn an_image_smaller_than_a_window_is_refused() {
        Tensor::zeros([1, 1, 2, 2]).conv2d(&Tensor::zeros([1, 1, 3, 3]), None, &Conv2dOptions::default());
    }

    #[test]
    #[should_panic(expected = "conv2d: a bias of shape [3] for 2 channels; it must be [2]")]
    fn another_bias_is_refused() {
        let (x, weight, bias) = (Tensor::zeros([1, 1, 2, 2]), Tensor::zeros([2, 1, 1, 1]), Tensor::zeros([3]));
        x.conv2d(&weight, Some(&bias), &Conv2dOptions::default());
    }
}
