//! Pooling and enlargement of images, as layers for [`Sequential`](crate::Sequential).

use crate::module::{Layer, Module, Walk};
use crate::summary::python;
use autograd::{AvgPool2dOptions, MaxPool2dOptions, Sides, Tensor, UpsampleMode, UpsampleSize};
use std::fmt::Debug;

/// As PyTorch prints a pair: one number for two that are equal.
fn pair<T: Debug + PartialEq>([height, width]: &[T; 2]) -> String {
    if height == width { format!("{height:?}") } else { format!("({height:?}, {width:?})") }
}

macro_rules! layer {
    ($layer:ident, |$d:ident| $description:expr, |$s:ident, $x:ident| $y:expr) => {
        impl $layer {
            /// The layer's output.
            ///
            /// # Panics
            /// As the tensor's method.
            #[track_caller]
            pub fn forward(&self, $x: &Tensor) -> Tensor {
                let $s = self;
                $y
            }
        }
        impl Module for $layer {
            fn visit(&self, _: &mut Walk<'_>) {}
            fn describe(&self) -> String {
                let $d = self;
                $description
            }
        }
        impl Layer for $layer {
            #[track_caller]
            fn forward(&self, x: &Tensor) -> Tensor {
                self.forward(x)
            }
        }
    };
}

/// The largest element of each window, as `torch.nn.MaxPool2d`: `[N, C, H, W]` to `[N, C, H', W']`; see
/// [`Tensor::max_pool2d`].
///
/// ```
/// use autograd::{MaxPool2dOptions, Tensor};
/// use nn::MaxPool2d;
/// let x = Tensor::zeros([8, 3, 28, 28]);
/// assert_eq!(*MaxPool2d::new(2).forward(&x).shape(), [8, 3, 14, 14]);
/// let options = MaxPool2dOptions::new(3).stride(2).padding(1);
/// assert_eq!(*MaxPool2d { options }.forward(&x).shape(), [8, 3, 14, 14]);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct MaxPool2d {
    /// How the windows lie.
    pub options: MaxPool2dOptions,
}

impl MaxPool2d {
    /// Windows of this size, side by side: one number for both axes, or `[height, width]`.
    pub fn new(kernel_size: impl Into<Sides>) -> MaxPool2d {
        MaxPool2d { options: MaxPool2dOptions::new(kernel_size) }
    }
}

layer!(
    MaxPool2d,
    |layer| {
        let MaxPool2dOptions { kernel_size, stride, padding, dilation, ceil_mode } = &layer.options;
        let (kernel, stride, padding) = (pair(kernel_size), pair(stride), pair(padding));
        let (dilation, ceil) = (pair(dilation), python(*ceil_mode));
        format!(
            "MaxPool2d(kernel_size={kernel}, stride={stride}, padding={padding}, dilation={dilation}, ceil_mode={ceil})"
        )
    },
    |layer, x| x.max_pool2d(&layer.options)
);

/// The average of each window, as `torch.nn.AvgPool2d`: `[N, C, H, W]` to `[N, C, H', W']`; see
/// [`Tensor::avg_pool2d`].
#[derive(Clone, Copy, Debug)]
pub struct AvgPool2d {
    /// How the windows lie, and what counts.
    pub options: AvgPool2dOptions,
}

impl AvgPool2d {
    /// Windows of this size, side by side: one number for both axes, or `[height, width]`.
    pub fn new(kernel_size: impl Into<Sides>) -> AvgPool2d {
        AvgPool2d { options: AvgPool2dOptions::new(kernel_size) }
    }
}

layer!(
    AvgPool2d,
    |layer| {
        let AvgPool2dOptions { kernel_size, stride, padding, .. } = &layer.options;
        format!("AvgPool2d(kernel_size={}, stride={}, padding={})", pair(kernel_size), pair(stride), pair(padding))
    },
    |layer, x| x.avg_pool2d(&layer.options)
);

/// Averages over as many windows as the output has elements, as `torch.nn.AdaptiveAvgPool2d`: `[N, C, H, W]` to
/// `[N, C, H', W']`, whatever H and W are.
///
/// ```
/// use autograd::Tensor;
/// use nn::AdaptiveAvgPool2d;
/// let pool = AdaptiveAvgPool2d::new(1);
/// assert_eq!(*pool.forward(&Tensor::zeros([8, 3, 7, 5])).shape(), [8, 3, 1, 1]);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct AdaptiveAvgPool2d {
    /// (H', W')
    pub output_size: [usize; 2],
}

impl AdaptiveAvgPool2d {
    /// To this size: one number for both axes, or `[height, width]`.
    pub fn new(output_size: impl Into<Sides>) -> AdaptiveAvgPool2d {
        AdaptiveAvgPool2d { output_size: output_size.into().0 }
    }
}

layer!(
    AdaptiveAvgPool2d,
    |layer| format!("AdaptiveAvgPool2d(output_size={})", pair(&layer.output_size)),
    |layer, x| x.adaptive_avg_pool2d(layer.output_size)
);

/// An image of another size, usually a larger one, as `torch.nn.Upsample`: `[N, C, H, W]` to `[N, C, H', W']`.
///
/// ```
/// use autograd::{Tensor, UpsampleMode};
/// use nn::Upsample;
/// let x = Tensor::zeros([8, 3, 7, 5]);
/// assert_eq!(*Upsample::new(2.0, UpsampleMode::Nearest).forward(&x).shape(), [8, 3, 14, 10]);
/// let bilinear = UpsampleMode::Bilinear { align_corners: false };
/// assert_eq!(*Upsample::new([9, 9], bilinear).forward(&x).shape(), [8, 3, 9, 9]);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Upsample {
    /// How large the output is.
    pub size: UpsampleSize,
    /// What stands between the elements.
    pub mode: UpsampleMode,
}

impl Upsample {
    /// To `[height, width]`, by a factor, or by a factor each.
    pub fn new(size: impl Into<UpsampleSize>, mode: UpsampleMode) -> Upsample {
        Upsample { size: size.into(), mode }
    }
}

layer!(
    Upsample,
    |layer| {
        let size = match layer.size {
            UpsampleSize::Size(size) => format!("size={}", pair(&size)),
            UpsampleSize::Scale(scale) => format!("scale_factor={}", pair(&scale)),
        };
        let mode = if layer.mode == UpsampleMode::Nearest { "nearest" } else { "bilinear" };
        format!("Upsample({size}, mode='{mode}')")
    },
    |layer, x| x.upsample(layer.size, layer.mode)
);

/// `[N, C·r², H, W]` to `[N, C, H·r, W·r]`, as `torch.nn.PixelShuffle`; see [`Tensor::pixel_shuffle`].
#[derive(Clone, Copy, Debug)]
pub struct PixelShuffle {
    /// r
    pub upscale_factor: usize,
}

layer!(PixelShuffle, |layer| format!("PixelShuffle(upscale_factor={})", layer.upscale_factor), |layer, x| x
    .pixel_shuffle(layer.upscale_factor));

/// `[N, C, H·r, W·r]` to `[N, C·r², H, W]`, as `torch.nn.PixelUnshuffle`; see [`Tensor::pixel_unshuffle`].
#[derive(Clone, Copy, Debug)]
pub struct PixelUnshuffle {
    /// r
    pub downscale_factor: usize,
}

layer!(PixelUnshuffle, |layer| format!("PixelUnshuffle(downscale_factor={})", layer.downscale_factor), |layer, x| x
    .pixel_unshuffle(layer.downscale_factor));

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn read_as_in_pytorch() {
        assert_eq!(
            MaxPool2d::new(2).describe(),
            "MaxPool2d(kernel_size=2, stride=2, padding=0, dilation=1, ceil_mode=False)"
        );
        let options = MaxPool2dOptions::new([2, 3]).stride([1, 2]);
        assert_eq!(
            MaxPool2d { options }.describe(),
            "MaxPool2d(kernel_size=(2, 3), stride=(1, 2), padding=0, dilation=1, ceil_mode=False)"
        );
        assert_eq!(AvgPool2d::new(2).describe(), "AvgPool2d(kernel_size=2, stride=2, padding=0)");
        assert_eq!(AdaptiveAvgPool2d::new([1, 2]).describe(), "AdaptiveAvgPool2d(output_size=(1, 2))");
        assert_eq!(Upsample::new(2.0, UpsampleMode::Nearest).describe(), "Upsample(scale_factor=2.0, mode='nearest')");
        let bilinear = UpsampleMode::Bilinear { align_corners: true };
        assert_eq!(Upsample::new([3, 4], bilinear).describe(), "Upsample(size=(3, 4), mode='bilinear')");
        assert_eq!(PixelShuffle { upscale_factor: 2 }.describe(), "PixelShuffle(upscale_factor=2)");
        assert_eq!(PixelUnshuffle { downscale_factor: 2 }.describe(), "PixelUnshuffle(downscale_factor=2)");
    }
}
