//! Convolutions.

use crate::init;
use crate::module::{Layer, Module, Walk};
use crate::parameter::{Parameter, value_of};
use crate::summary::python;
use autograd::{Conv1dOptions, Conv2dOptions, ConvTranspose2dOptions, Rng, Sides, Tensor};

/// A window of weights that slides over images, as `torch.nn.Conv2d`: `[N, C, H, W]` to `[N, O, H′, W′]`, by
/// [`Tensor::conv2d`].
///
/// Parameters: `weight` `[O, C / groups, kernel height, kernel width]`, `bias` `[O]`, both uniform in ±1/√fan_in at the
/// start, where fan_in is the number of weights that an output is calculated from.
///
/// ```
/// use autograd::{Conv2dOptions, Rng, Tensor};
/// use nn::Conv2d;
/// let options = Conv2dOptions::default().stride(2).padding(1);
/// let conv = Conv2d::with_options(3, 16, 3, options, &mut Rng::seeded(0));
/// assert_eq!(*conv.forward(&Tensor::zeros([8, 3, 32, 32])).shape(), [8, 16, 16, 16]);
/// ```
pub struct Conv2d {
    /// `[O, C / groups, kernel height, kernel width]`
    pub weight: Parameter,
    /// `[O]`
    pub bias: Option<Parameter>,
    /// How the windows lie.
    pub options: Conv2dOptions,
}

impl Conv2d {
    /// A layer that takes every window, with a bias. The kernel is one number for both sides, or `[height, width]`.
    ///
    /// # Panics
    /// If the kernel is 0.
    #[track_caller]
    pub fn new(in_channels: usize, out_channels: usize, kernel: impl Into<Sides>, rng: &mut Rng) -> Conv2d {
        Conv2d::with_options(in_channels, out_channels, kernel, Conv2dOptions::default(), rng)
    }

    /// A layer with a stride, padding, dilation or groups.
    ///
    /// # Panics
    /// If a number of channels is not a multiple of the groups, or the kernel, a stride or a dilation is 0.
    #[track_caller]
    pub fn with_options(
        in_channels: usize,
        out_channels: usize,
        kernel: impl Into<Sides>,
        options: Conv2dOptions,
        rng: &mut Rng,
    ) -> Conv2d {
        let Sides([height, width]) = kernel.into();
        let Conv2dOptions { stride, dilation, groups, .. } = options;
        check_options("Conv2d", [in_channels, out_channels], groups, [&[height, width], &stride, &dilation]);
        let shape = [out_channels, in_channels / options.groups, height, width];
        let (weight, bias) = parameters(&shape, out_channels, rng);
        Conv2d { weight, bias: Some(bias), options }
    }

    /// The same layer without its bias: before a normalisation, which would take it away again.
    pub fn without_bias(self) -> Conv2d {
        Conv2d { bias: None, ..self }
    }

    /// The layer's output.
    ///
    /// # Panics
    /// If the channels of `x` are not the layer's, or its images smaller than a window.
    #[track_caller]
    pub fn forward(&self, x: &Tensor) -> Tensor {
        check_channels("Conv2d", x, self.weight.shape()[1] * self.options.groups, 2);
        x.conv2d(&self.weight.value(), value_of(&self.bias).as_ref(), &self.options)
    }
}

impl Module for Conv2d {
    fn visit(&self, walk: &mut Walk<'_>) {
        let Conv2d { weight, bias, options: _ } = self;
        walk.child("weight", weight);
        walk.child("bias", bias);
    }

    fn describe(&self) -> String {
        let Conv2dOptions { stride, padding, dilation, groups } = self.options;
        let shape = self.weight.shape();
        let channels = [shape[1] * groups, shape[0]];
        let geometry = Geometry { kernel: &shape[2..], stride: &stride, padding: &padding, dilation: &dilation };
        geometry.describe("Conv2d", channels, None, groups, self.bias.is_some())
    }
}

impl Layer for Conv2d {
    #[track_caller]
    fn forward(&self, x: &Tensor) -> Tensor {
        self.forward(x)
    }
}

/// A window of weights that slides over sequences, as `torch.nn.Conv1d`: `[N, C, L]` to `[N, O, L′]`, by
/// [`Tensor::conv1d`].
///
/// Parameters: `weight` `[O, C / groups, kernel]`, `bias` `[O]`, both uniform in ±1/√fan_in at the start.
pub struct Conv1d {
    /// `[O, C / groups, kernel]`
    pub weight: Parameter,
    /// `[O]`
    pub bias: Option<Parameter>,
    /// How the windows lie.
    pub options: Conv1dOptions,
}

impl Conv1d {
    /// A layer that takes every window, with a bias.
    ///
    /// # Panics
    /// If the kernel is 0.
    #[track_caller]
    pub fn new(in_channels: usize, out_channels: usize, kernel: usize, rng: &mut Rng) -> Conv1d {
        Conv1d::with_options(in_channels, out_channels, kernel, Conv1dOptions::default(), rng)
    }

    /// A layer with a stride, padding, dilation or groups.
    ///
    /// # Panics
    /// If a number of channels is not a multiple of the groups, or the kernel, a stride or a dilation is 0.
    #[track_caller]
    pub fn with_options(
        in_channels: usize,
        out_channels: usize,
        kernel: usize,
        options: Conv1dOptions,
        rng: &mut Rng,
    ) -> Conv1d {
        let Conv1dOptions { stride, dilation, groups, .. } = options;
        check_options("Conv1d", [in_channels, out_channels], groups, [&[kernel], &[stride], &[dilation]]);
        let (weight, bias) = parameters(&[out_channels, in_channels / options.groups, kernel], out_channels, rng);
        Conv1d { weight, bias: Some(bias), options }
    }

    /// The same layer without its bias.
    pub fn without_bias(self) -> Conv1d {
        Conv1d { bias: None, ..self }
    }

    /// The layer's output.
    ///
    /// # Panics
    /// If the channels of `x` are not the layer's, or its sequences shorter than a window.
    #[track_caller]
    pub fn forward(&self, x: &Tensor) -> Tensor {
        check_channels("Conv1d", x, self.weight.shape()[1] * self.options.groups, 1);
        x.conv1d(&self.weight.value(), value_of(&self.bias).as_ref(), &self.options)
    }
}

impl Module for Conv1d {
    fn visit(&self, walk: &mut Walk<'_>) {
        let Conv1d { weight, bias, options: _ } = self;
        walk.child("weight", weight);
        walk.child("bias", bias);
    }

    fn describe(&self) -> String {
        let Conv1dOptions { stride, padding, dilation, groups } = self.options;
        let shape = self.weight.shape();
        let channels = [shape[1] * groups, shape[0]];
        let geometry = Geometry { kernel: &shape[2..], stride: &[stride], padding: &[padding], dilation: &[dilation] };
        geometry.describe("Conv1d", channels, None, groups, self.bias.is_some())
    }
}

impl Layer for Conv1d {
    #[track_caller]
    fn forward(&self, x: &Tensor) -> Tensor {
        self.forward(x)
    }
}

/// A brush of weights that paints larger images, as `torch.nn.ConvTranspose2d`: `[N, C, H, W]` to `[N, O, H′, W′]`, by
/// [`Tensor::conv_transpose2d`].
///
/// Parameters: `weight` `[C, O / groups, kernel height, kernel width]` (the other way round than a convolution's),
/// `bias` `[O]`, both uniform in ±1/√(O / groups · kernel height · kernel width) at the start, as PyTorch has it.
///
/// ```
/// use autograd::{ConvTranspose2dOptions, Rng, Tensor};
/// use nn::ConvTranspose2d;
/// let options = ConvTranspose2dOptions::default().stride(2);
/// let conv = ConvTranspose2d::with_options(64, 1, 4, options, &mut Rng::seeded(0));
/// assert_eq!(*conv.forward(&Tensor::zeros([8, 64, 13, 13])).shape(), [8, 1, 28, 28]);
/// ```
pub struct ConvTranspose2d {
    /// `[C, O / groups, kernel height, kernel width]`
    pub weight: Parameter,
    /// `[O]`
    pub bias: Option<Parameter>,
    /// How the windows lie.
    pub options: ConvTranspose2dOptions,
}

impl ConvTranspose2d {
    /// A layer with a stride of 1 and a bias. The kernel is one number for both sides, or `[height, width]`.
    ///
    /// # Panics
    /// If the kernel is 0.
    #[track_caller]
    pub fn new(in_channels: usize, out_channels: usize, kernel: impl Into<Sides>, rng: &mut Rng) -> ConvTranspose2d {
        ConvTranspose2d::with_options(in_channels, out_channels, kernel, ConvTranspose2dOptions::default(), rng)
    }

    /// A layer with a stride, padding, dilation or groups.
    ///
    /// # Panics
    /// If a number of channels is not a multiple of the groups; if the kernel, a stride or a dilation is 0; or if an
    /// output padding is not smaller than the stride or the dilation beside it.
    #[track_caller]
    pub fn with_options(
        in_channels: usize,
        out_channels: usize,
        kernel: impl Into<Sides>,
        options: ConvTranspose2dOptions,
        rng: &mut Rng,
    ) -> ConvTranspose2d {
        let Sides([height, width]) = kernel.into();
        let ConvTranspose2dOptions { stride, dilation, groups, output_padding, .. } = options;
        check_options("ConvTranspose2d", [in_channels, out_channels], groups, [&[height, width], &stride, &dilation]);
        assert!(
            (0..2).all(|axis| output_padding[axis] < stride[axis].max(dilation[axis])),
            "ConvTranspose2d: an output padding of {output_padding:?} with a stride of {stride:?} and a dilation of \
             {dilation:?}; it must be smaller than one of them on each side"
        );
        let shape = [in_channels, out_channels / options.groups, height, width];
        let (weight, bias) = parameters(&shape, out_channels, rng);
        ConvTranspose2d { weight, bias: Some(bias), options }
    }

    /// The same layer without its bias: before a normalisation, which would take it away again.
    pub fn without_bias(self) -> ConvTranspose2d {
        ConvTranspose2d { bias: None, ..self }
    }

    /// The layer's output.
    ///
    /// # Panics
    /// If the channels of `x` are not the layer's, or the options do not fit its images.
    #[track_caller]
    pub fn forward(&self, x: &Tensor) -> Tensor {
        check_channels("ConvTranspose2d", x, self.weight.shape()[0], 2);
        x.conv_transpose2d(&self.weight.value(), value_of(&self.bias).as_ref(), &self.options)
    }
}

impl Module for ConvTranspose2d {
    fn visit(&self, walk: &mut Walk<'_>) {
        let ConvTranspose2d { weight, bias, options: _ } = self;
        walk.child("weight", weight);
        walk.child("bias", bias);
    }

    fn describe(&self) -> String {
        let ConvTranspose2dOptions { stride, padding, output_padding, dilation, groups } = self.options;
        let shape = self.weight.shape();
        let channels = [shape[0], shape[1] * groups];
        let geometry = Geometry { kernel: &shape[2..], stride: &stride, padding: &padding, dilation: &dilation };
        geometry.describe("ConvTranspose2d", channels, Some(&output_padding), groups, self.bias.is_some())
    }
}

impl Layer for ConvTranspose2d {
    #[track_caller]
    fn forward(&self, x: &Tensor) -> Tensor {
        self.forward(x)
    }
}

/// Panics unless a layer with these channels, and this kernel, stride and dilation, is possible.
#[track_caller]
fn check_options(name: &str, channels: [usize; 2], groups: usize, sizes: [&[usize]; 3]) {
    assert!(
        groups > 0 && channels.iter().all(|channels| channels.is_multiple_of(groups)),
        "{name}: {} channels in and {} out, of which at least one number is not a multiple of {groups} groups",
        channels[0],
        channels[1]
    );
    let [kernel, stride, dilation] = sizes;
    assert!(
        sizes.concat().iter().all(|&size| size > 0),
        "{name}: a kernel of {kernel:?} with a stride of {stride:?} and a dilation of {dilation:?}; all must be at least 1"
    );
}

/// Panics unless `x` has the channels of the layer, followed by so many axes.
#[track_caller]
fn check_channels(name: &str, x: &Tensor, channels: usize, axes: usize) {
    let rank = x.rank();
    let fits = (rank == axes + 1 || rank == axes + 2) && x.shape()[rank - axes - 1] == channels;
    let rest = if axes == 1 { "L" } else { "H, W" };
    assert!(
        fits,
        "{name}: an input of shape {} for a layer of {channels} channels in; it must be [N, {channels}, {rest}], or \
         [{channels}, {rest}] without a batch",
        x.shape()
    );
}

/// A weight of this shape, and a bias.
fn parameters(shape: &[usize], out_channels: usize, rng: &mut Rng) -> (Parameter, Parameter) {
    // PyTorch's fan_in is the product of all sizes but the first, of a transposed convolution's weight, too.
    let fan_in = shape[1..].iter().product();
    let weight = Parameter::new(init::default_uniform(shape, fan_in, rng));
    (weight, Parameter::new(init::default_uniform([out_channels], fan_in, rng)))
}

/// What PyTorch prints of a convolution.
struct Geometry<'a> {
    kernel: &'a [usize],
    stride: &'a [usize],
    padding: &'a [usize],
    dilation: &'a [usize],
}

impl Geometry<'_> {
    /// As PyTorch prints it: what is as usual is left out.
    fn describe(
        &self,
        name: &str,
        [inputs, outputs]: [usize; 2],
        output_padding: Option<&[usize]>,
        groups: usize,
        bias: bool,
    ) -> String {
        let mut text =
            format!("{name}({inputs}, {outputs}, kernel_size={}, stride={}", tuple(self.kernel), tuple(self.stride));
        let output_padding = output_padding.unwrap_or(&[]);
        for (what, sizes, usual) in
            [("padding", self.padding, 0), ("dilation", self.dilation, 1), ("output_padding", output_padding, 0)]
        {
            if sizes.iter().any(|&size| size != usual) {
                text += &format!(", {what}={}", tuple(sizes));
            }
        }
        if groups != 1 {
            text += &format!(", groups={groups}");
        }
        if !bias {
            text += &format!(", bias={}", python(false));
        }
        text + ")"
    }
}

/// As Python prints a tuple.
fn tuple(sizes: &[usize]) -> String {
    let sizes: Vec<String> = sizes.iter().map(usize::to_string).collect();
    if sizes.len() == 1 { format!("({},)", sizes[0]) } else { format!("({})", sizes.join(", ")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn read_as_in_pytorch() {
        let mut rng = Rng::seeded(1);
        let conv = Conv2d::new(3, 4, 3, &mut rng);
        assert_eq!(conv.describe(), "Conv2d(3, 4, kernel_size=(3, 3), stride=(1, 1))");
        let options = Conv2dOptions { stride: [2, 1], padding: [1, 0], dilation: [1, 2], groups: 2 };
        let conv = Conv2d::with_options(4, 6, [2, 3], options, &mut rng).without_bias();
        assert_eq!(
            conv.describe(),
            "Conv2d(4, 6, kernel_size=(2, 3), stride=(2, 1), padding=(1, 0), dilation=(1, 2), groups=2, bias=False)"
        );
        let options = ConvTranspose2dOptions { stride: [2, 2], output_padding: [1, 0], ..Default::default() };
        let conv = ConvTranspose2d::with_options(4, 6, 3, options, &mut rng);
        assert_eq!(conv.describe(), "ConvTranspose2d(4, 6, kernel_size=(3, 3), stride=(2, 2), output_padding=(1, 0))");
        let conv = Conv1d::with_options(4, 6, 3, Conv1dOptions { padding: 1, ..Default::default() }, &mut rng);
        assert_eq!(conv.describe(), "Conv1d(4, 6, kernel_size=(3,), stride=(1,), padding=(1,))");
    }

    #[test]
    fn weights_start_within_the_bounds_of_pytorch() {
        let mut rng = Rng::seeded(2);
        let largest = |x: &Parameter| x.value().iter().fold(0.0, |largest: f32, x| largest.max(x.abs()));
        let options = Conv2dOptions { groups: 2, ..Default::default() };
        let conv = Conv2d::with_options(32, 64, 3, options, &mut rng);
        assert_eq!(conv.weight.shape(), [64, 16, 3, 3]);
        let bound = 1.0 / 12.0; // 1/√(16·9)
        assert!((0.9 * bound..=bound).contains(&largest(&conv.weight)));
        assert!((0.8 * bound..=bound).contains(&largest(&conv.bias.expect("a bias"))));
        let conv = ConvTranspose2d::new(5, 16, 3, &mut rng);
        assert_eq!(conv.weight.shape(), [5, 16, 3, 3]);
        assert_eq!(conv.bias.as_ref().expect("a bias").shape(), [16]);
        assert!((0.9 * bound..=bound).contains(&largest(&conv.weight)));
    }

    #[test]
    #[should_panic(expected = "Conv2d: 3 channels in and 4 out, of which at least one number is not a multiple of 2")]
    fn channels_that_groups_do_not_divide_are_refused() {
        Conv2d::with_options(3, 4, 3, Conv2dOptions::default().groups(2), &mut Rng::seeded(1));
    }

    #[test]
    #[should_panic(
        expected = "ConvTranspose2d: a kernel of [4, 4] with a stride of [2, 0] and a dilation of [1, 1]; all"
    )]
    fn a_stride_of_0_is_refused_where_the_layer_is_made() {
        let options = ConvTranspose2dOptions::default().stride([2, 0]);
        ConvTranspose2d::with_options(3, 4, 4, options, &mut Rng::seeded(1));
    }

    #[test]
    #[should_panic(
        expected = "Conv2d: an input of shape [2, 3, 8, 8] for a layer of 4 channels in; it must be [N, 4, H, W]"
    )]
    fn images_with_other_channels_are_refused() {
        let conv = Conv2d::with_options(4, 6, 3, Conv2dOptions::default().groups(2), &mut Rng::seeded(1));
        conv.forward(&Tensor::zeros([2, 3, 8, 8]));
    }
}
