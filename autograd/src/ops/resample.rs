//! Images of another size: averages over windows, and enlargements.
//!
//! ```text
//! y[i, j]  = Σₕ Σ_w R[i, h]·C[j, w]·x[h, w]        for each channel
//! dx[h, w] = Σᵢ Σⱼ  R[i, h]·C[j, w]·dy[i, j]
//! ```
//!
//! An average has weights 1/n over a window, the nearest neighbour a single 1, bilinear interpolation two weights a
//! row and a column. Backward is the same operation with both matrices transposed, and so is its own backward; only the
//! matrices are saved, a few numbers for each row and column.

use super::conv2d::Sides;
use super::max_pool::{MaxPool2dOptions, check_image, windows};
use crate::graph::{Grads, Op};
use crate::kernels::element::Float;
use crate::kernels::resample::{Taps, resample};
use crate::tensor::{Dims, Tensor};
use std::marker::PhantomData;
use std::sync::Arc;

/// A name for the operation.
trait Kind: Clone + Send + Sync + 'static {
    const NAME: &'static str;
}

macro_rules! kind {
    ($kind:ident, $name:literal) => {
        #[derive(Clone)]
        struct $kind;
        impl Kind for $kind {
            const NAME: &'static str = $name;
        }
    };
}
kind!(Average, "avg_pool2d");
kind!(Adaptive, "adaptive_avg_pool2d");
kind!(Upsample, "upsample");

/// R and C.
#[derive(Clone)]
struct Resample<T: Float, K> {
    rows: Arc<Taps<T>>,
    columns: Arc<Taps<T>>,
    kind: PhantomData<K>,
}

impl<T: Float, K: Kind> Resample<T, K> {
    fn new(rows: Taps<T>, columns: Taps<T>) -> Self {
        Resample { rows: Arc::new(rows), columns: Arc::new(columns), kind: PhantomData }
    }

    #[track_caller]
    fn apply(self, x: &Tensor<T>) -> Tensor<T> {
        let image = [self.rows.outputs(), self.columns.outputs()];
        let shape: Dims = x.shape()[..x.rank() - 2].iter().copied().chain(image).collect();
        let packed = x.packed();
        Tensor::build(shape, |y| resample(packed.slice(), &self.rows, &self.columns, y)).recorded([x], || self)
    }
}

impl<T: Float, K: Kind> Op<T> for Resample<T, K> {
    const NAME: &'static str = K::NAME;
    fn backward(self, dy: Tensor<T>, grads: &mut Grads<'_, T>) {
        grads.set(0, || Resample::<T, K>::new(self.rows.transposed(), self.columns.transposed()).apply(&dy));
    }
}

// ---- averages ----

/// How [`Tensor::avg_pool2d`] lays its windows. Sizes are (height, width).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AvgPool2dOptions {
    /// Elements of a window.
    pub kernel_size: [usize; 2],
    /// From one window to the next; as large as a window by default.
    pub stride: [usize; 2],
    /// How many zeros are thought to stand on each side; none by default.
    pub padding: [usize; 2],
    /// Whether a last window that is not all inside counts; it does not by default.
    pub ceil_mode: bool,
    /// Whether the zeros of the padding count as elements; they do by default.
    pub count_include_pad: bool,
    /// What the sum is divided by instead of the number of elements.
    pub divisor_override: Option<usize>,
}

impl AvgPool2dOptions {
    /// Windows of this size, side by side: one number for both axes, or `[height, width]`.
    pub fn new(kernel_size: impl Into<Sides>) -> AvgPool2dOptions {
        let Sides(kernel_size) = kernel_size.into();
        AvgPool2dOptions {
            kernel_size,
            stride: kernel_size,
            padding: [0; 2],
            ceil_mode: false,
            count_include_pad: true,
            divisor_override: None,
        }
    }

    /// These options with another stride.
    pub fn stride(self, stride: impl Into<Sides>) -> Self {
        AvgPool2dOptions { stride: stride.into().0, ..self }
    }

    /// These options with another padding.
    pub fn padding(self, padding: impl Into<Sides>) -> Self {
        AvgPool2dOptions { padding: padding.into().0, ..self }
    }

    /// Along one axis of an image of this shape.
    #[track_caller]
    fn taps<T: Float>(&self, shape: &Dims, axis: usize) -> Taps<T> {
        let AvgPool2dOptions { kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override } = *self;
        assert!(divisor_override != Some(0), "avg_pool2d: a divisor_override of 0");
        let windows = windows(
            "avg_pool2d",
            shape,
            axis,
            &MaxPool2dOptions { stride, padding, ceil_mode, ..MaxPool2dOptions::new(kernel_size) },
        );
        let (input, padding) = (windows.input, windows.padding);
        // From before the padding on; what lies behind the padding after counts as little as it does in PyTorch.
        let row = |window: usize| {
            let start = window * windows.stride;
            let end = (start + windows.kernel).min(input + 2 * padding);
            let inside = start.max(padding) - padding..end.clamp(padding, input + padding) - padding;
            let divisor = match divisor_override {
                // Of the product of rows and columns.
                Some(divisor) => {
                    if axis == 0 {
                        divisor
                    } else {
                        1
                    }
                }
                None if count_include_pad => end - start,
                None => inside.len(),
            };
            inside.map(move |index| (index, T::ONE / T::from_f64(divisor as f64)))
        };
        Taps::new(input, (0..windows.output).map(row))
    }
}

impl<T: Float> Tensor<T> {
    /// The average of each window, as `torch.nn.functional.avg_pool2d`: `[N, C, H, W]` (or `[C, H, W]`) to
    /// `[N, C, H', W']` with
    ///
    /// ```text
    /// H' = ⌊(H + 2·padding − kernel_size) / stride⌋ + 1
    /// ```
    ///
    /// ```
    /// use autograd::{AvgPool2dOptions, Tensor};
    /// let x = Tensor::arange(0.0, 16.0, 1.0).reshape([1, 1, 4, 4]);
    /// let y = x.avg_pool2d(&AvgPool2dOptions::new(2));
    /// assert_eq!(y.to_vec(), [2.5, 4.5, 10.5, 12.5]);
    /// ```
    ///
    /// # Panics
    /// If this tensor is no image, is smaller than a window, or the padding is more than half a window.
    #[track_caller]
    pub fn avg_pool2d(&self, options: &AvgPool2dOptions) -> Tensor<T> {
        check_image("avg_pool2d", self.shape());
        let (rows, columns) = (options.taps(self.shape(), 0), options.taps(self.shape(), 1));
        Resample::<T, Average>::new(rows, columns).apply(self)
    }

    /// Averages over as many windows as the output has elements, which share the image as evenly as they can: window i
    /// of H' goes from ⌊i·H/H'⌋ to ⌈(i + 1)·H/H'⌉. As `torch.nn.functional.adaptive_avg_pool2d`: `[N, C, H, W]` (or
    /// `[C, H, W]`) to `[N, C, H', W']`. 1 is the average of
    /// the whole image.
    ///
    /// # Panics
    /// If this tensor is no image, or has no elements to share.
    #[track_caller]
    pub fn adaptive_avg_pool2d(&self, output_size: impl Into<Sides>) -> Tensor<T> {
        let Sides(output_size) = output_size.into();
        check_image("adaptive_avg_pool2d", self.shape());
        let image = [self.size(-2), self.size(-1)];
        assert!(
            !image.contains(&0),
            "adaptive_avg_pool2d: an input of shape {} has nothing to average to {output_size:?}",
            self.shape()
        );
        let [rows, columns] = [0, 1].map(|axis| {
            let (input, output) = (image[axis], output_size[axis]);
            let row = |window: usize| {
                let inside = window * input / output..((window + 1) * input).div_ceil(output);
                let weight = T::ONE / T::from_f64(inside.len() as f64);
                inside.map(move |index| (index, weight))
            };
            Taps::new(input, (0..output).map(row))
        });
        Resample::<T, Adaptive>::new(rows, columns).apply(self)
    }
}

// ---- enlargement ----

/// How large [`Tensor::upsample`] makes an image. (height, width).
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum UpsampleSize {
    /// So many elements.
    Size([usize; 2]),
    /// So many times as many elements, rounded down.
    Scale([f64; 2]),
}

impl From<[usize; 2]> for UpsampleSize {
    fn from(size: [usize; 2]) -> UpsampleSize {
        UpsampleSize::Size(size)
    }
}

impl From<[f64; 2]> for UpsampleSize {
    fn from(scale: [f64; 2]) -> UpsampleSize {
        UpsampleSize::Scale(scale)
    }
}

impl From<f64> for UpsampleSize {
    fn from(scale: f64) -> UpsampleSize {
        UpsampleSize::Scale([scale; 2])
    }
}

/// What stands between the elements of an enlarged image.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum UpsampleMode {
    /// The element at the place rounded down.
    #[default]
    Nearest,
    /// A weighted mean of the four elements around the place.
    Bilinear {
        /// Whether the centres of the corners stay in the corners; else their outer edges do.
        align_corners: bool,
    },
}

impl UpsampleMode {
    /// Along one axis. `scale` is given if the size was not.
    fn taps<T: Float>(self, input: usize, output: usize, scale: Option<f64>) -> Taps<T> {
        // As in PyTorch, whatever the factor was that led to such a size.
        if self == UpsampleMode::Nearest && (output == input || output == 2 * input) {
            return Taps::new(input, (0..output).map(|position| [(position / (output / input), T::ONE)]));
        }
        let whole = |x: usize| T::from_f64(x as f64);
        // How far two neighbours of the output are apart in the input.
        let step = match self {
            UpsampleMode::Bilinear { align_corners: true } if output > 1 => whole(input - 1) / whole(output - 1),
            UpsampleMode::Bilinear { align_corners: true } => T::ZERO,
            _ => scale.map_or(whole(input) / whole(output), |scale| T::from_f64(1.0 / scale)),
        };
        let half = T::from_f64(0.5);
        let row = |position: usize| {
            let place = match self {
                UpsampleMode::Bilinear { align_corners: false } => {
                    (step * (whole(position) + half) - half).maximum(T::ZERO)
                }
                _ => step * whole(position),
            };
            let low = (place.to_f64().floor() as usize).min(input - 1);
            if self == UpsampleMode::Nearest {
                return vec![(low, T::ONE)];
            }
            let high = (low + 1).min(input - 1);
            let part = (place - whole(low)).maximum(T::ZERO).minimum(T::ONE);
            // Two entries even where one weighs nothing, as in PyTorch: an infinity there gives NaN.
            vec![(low, T::ONE - part), (high, part)]
        };
        Taps::new(input, (0..output).map(row))
    }
}

impl<T: Float> Tensor<T> {
    /// An image of another size, usually a larger one, as `torch.nn.functional.interpolate`: `[N, C, H, W]` (or
    /// `[C, H, W]`) to `[N, C, H', W']`. `size` is `[height, width]`, or a factor, or a factor each.
    ///
    /// ```
    /// use autograd::{Tensor, UpsampleMode};
    /// let x = Tensor::from([[[[1.0, 2.0]]]]);
    /// assert_eq!(x.upsample([1, 4], UpsampleMode::Nearest).to_vec(), [1.0, 1.0, 2.0, 2.0]);
    /// let bilinear = UpsampleMode::Bilinear { align_corners: false };
    /// assert_eq!(x.upsample([1.0, 2.0], bilinear).to_vec(), [1.0, 1.25, 1.75, 2.0]);
    /// ```
    ///
    /// # Panics
    /// If this tensor is no image, or input or output have no rows or no columns.
    #[track_caller]
    pub fn upsample(&self, size: impl Into<UpsampleSize>, mode: UpsampleMode) -> Tensor<T> {
        check_image("upsample", self.shape());
        let size = size.into();
        let image = [self.size(-2), self.size(-1)];
        let (output, scales) = match size {
            UpsampleSize::Size(size) => (size, [None; 2]),
            UpsampleSize::Scale(scale) => {
                ([0, 1].map(|axis| (image[axis] as f64 * scale[axis]).floor() as usize), scale.map(Some))
            }
        };
        assert!(
            !image.contains(&0) && !output.contains(&0),
            "upsample: an input of shape {} to {size:?}; both must have rows and columns",
            self.shape()
        );
        let [rows, columns] = [0, 1].map(|axis| mode.taps(image[axis], output[axis], scales[axis]));
        Resample::<T, Upsample>::new(rows, columns).apply(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gradcheck::gradcheck_to_order;
    use crate::rng::Rng;

    #[test]
    fn gradients() {
        let mut rng = Rng::seeded(1);
        let x = [Tensor::randn_of::<f64>([2, 2, 5, 4], &mut rng)];
        for (kernel_size, stride, padding) in
            [([2, 2], [2, 2], [0, 0]), ([3, 2], [2, 1], [1, 1]), ([1, 3], [3, 2], [0, 1])]
        {
            for (ceil_mode, count_include_pad) in [(false, true), (true, false), (true, true)] {
                let divisor_override = None;
                let options =
                    AvgPool2dOptions { kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override };
                gradcheck_to_order(&|x| x[0].avg_pool2d(&options).square(), &x, 3).unwrap();
            }
        }
        for size in [[1, 1], [2, 3], [5, 4], [7, 9]] {
            gradcheck_to_order(&|x| x[0].adaptive_avg_pool2d(size).square(), &x, 2).unwrap();
            for mode in [
                UpsampleMode::Nearest,
                UpsampleMode::Bilinear { align_corners: false },
                UpsampleMode::Bilinear { align_corners: true },
            ] {
                gradcheck_to_order(&|x| x[0].upsample(size, mode).square(), &x, 2).unwrap();
            }
        }
        gradcheck_to_order(&|x| x[0].transpose(1, 3).upsample(2.0, UpsampleMode::Nearest), &x, 2).unwrap();
    }

    /// Sums over all entries of both matrices, by definition, on images for several threads.
    #[test]
    fn the_kernel_agrees_with_the_definition() {
        let mut rng = Rng::seeded(2);
        for [planes, height, width, rows, columns] in [[300, 7, 5, 3, 9], [2, 70, 300, 140, 600], [90, 32, 32, 16, 16]]
        {
            // Small integers, so that sums are exact.
            let x = Tensor::randint(-8, 9, [planes, height, width], &mut rng).cast::<f64>();
            let mut matrix = |inputs: usize, outputs: usize| {
                let mut row = |_| {
                    let first = rng.below(inputs as u64) as usize;
                    (first..inputs.min(first + 3)).map(|i| (i, 1.0 + (i % 4) as f64)).collect::<Vec<_>>()
                };
                Taps::<f64>::new(inputs, (0..outputs).map(&mut row))
            };
            let (r, c) = (matrix(height, rows), matrix(width, columns));
            let dense = |taps: &Taps<f64>| {
                let unit = Tensor::eye_of::<f64>(taps.inputs());
                let mut out = vec![0.0; taps.inputs() * taps.outputs()];
                let one = Taps::new(1, [[(0, 1.0)]].into_iter());
                // Each unit vector is an image of one row.
                resample(&unit.to_vec(), &one, taps, &mut out);
                Tensor::from_slice(&out, [taps.inputs(), taps.outputs()])
            };
            let mut y = vec![0.0; planes * rows * columns];
            resample(&x.to_vec(), &r, &c, &mut y);
            let expected = dense(&r).t().matmul(&x).matmul(&dense(&c));
            assert_eq!(y, expected.to_vec());
            assert_eq!(r.transposed().transposed(), r);
        }
    }

    #[test]
    fn images_that_are_none_are_empty() {
        let x = Tensor::zeros([0, 3, 4, 4]).requires_grad();
        let y = x.avg_pool2d(&AvgPool2dOptions::new(2));
        assert_eq!(*y.shape(), [0, 3, 2, 2]);
        y.sum(..).backward();
        assert_eq!(*x.grad().unwrap().shape(), [0, 3, 4, 4]);
        assert_eq!(*x.adaptive_avg_pool2d([0, 2]).shape(), [0, 3, 0, 2]);
    }

    #[test]
    #[should_panic(expected = "avg_pool2d: an input of shape [4, 4]; expected [N, C, H, W] or [C, H, W]")]
    fn a_matrix_is_no_image() {
        Tensor::zeros([4, 4]).avg_pool2d(&AvgPool2dOptions::new(2));
    }

    #[test]
    #[should_panic(
        expected = "upsample: an input of shape [1, 1, 4, 4] to Scale([0.1, 0.1]); both must have rows and \
                               columns"
    )]
    fn nothing_is_no_size() {
        Tensor::zeros([1, 1, 4, 4]).upsample(0.1, UpsampleMode::Nearest);
    }
}
