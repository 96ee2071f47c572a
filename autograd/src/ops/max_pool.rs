//! The largest element of each window of an image.
//!
//! ```text
//! y[o] = max of x over window o        i[o] = where it stands
//! dx   = dy[o] added at i[o]           for each o
//! ```
//!
//! The indices are saved, four bytes a window; neither x nor y is. Placing dy at them and picking elements from them
//! are adjoint: each is the other's backward, so that derivatives of any order are there.

use super::conv2d::Sides;
use crate::graph::{Grads, Op};
use crate::kernels::element::Float;
use crate::kernels::max_pool::{self as kernel, Windows};
use crate::memory::Buffer;
use crate::tensor::{Dims, Tensor};
use std::sync::Arc;

/// How [`Tensor::max_pool2d`] lays its windows. Sizes are (height, width).
///
/// ```
/// use autograd::MaxPool2dOptions;
/// let options = MaxPool2dOptions::new(3).stride([2, 1]).padding(1);
/// assert_eq!((options.stride, options.padding), ([2, 1], [1, 1]));
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MaxPool2dOptions {
    /// Elements of a window.
    pub kernel_size: [usize; 2],
    /// From one window to the next; as large as a window by default.
    pub stride: [usize; 2],
    /// How many −∞ are thought to stand on each side; none by default.
    pub padding: [usize; 2],
    /// From one element of a window to the next; 1 by default.
    pub dilation: [usize; 2],
    /// Whether a last window that is not all inside counts; it does not by default.
    pub ceil_mode: bool,
}

impl MaxPool2dOptions {
    /// Windows of this size, side by side: one number for both axes, or `[height, width]`.
    pub fn new(kernel_size: impl Into<Sides>) -> MaxPool2dOptions {
        let Sides(kernel_size) = kernel_size.into();
        MaxPool2dOptions { kernel_size, stride: kernel_size, padding: [0; 2], dilation: [1; 2], ceil_mode: false }
    }

    /// These options with another stride.
    pub fn stride(self, stride: impl Into<Sides>) -> Self {
        MaxPool2dOptions { stride: stride.into().0, ..self }
    }

    /// These options with another padding.
    pub fn padding(self, padding: impl Into<Sides>) -> Self {
        MaxPool2dOptions { padding: padding.into().0, ..self }
    }
}

/// How many windows there are along an axis, as PyTorch counts them.
#[track_caller]
pub(super) fn windows(op: &str, shape: &Dims, axis: usize, options: &MaxPool2dOptions) -> Windows {
    let MaxPool2dOptions { kernel_size, stride, padding, dilation, ceil_mode } = options;
    let (kernel, stride, padding, dilation) = (kernel_size[axis], stride[axis], padding[axis], dilation[axis]);
    assert!(
        kernel > 0 && stride > 0 && dilation > 0,
        "{op}: kernel_size {kernel_size:?}, stride {:?}, dilation {:?}; each must be at least 1",
        options.stride,
        options.dilation
    );
    let input = shape[shape.len() - 2 + axis];
    let span = dilation * (kernel - 1) + 1;
    assert!(
        padding <= span / 2,
        "{op}: a padding of {padding} for windows that span {span}; it must be at most half of that"
    );
    let room = (input + 2 * padding).checked_sub(span);
    let Some(room) = room.filter(|_| input > 0) else {
        panic!(
            "{op}: an input of shape {shape} with padding {:?} is smaller than a window of {kernel_size:?} (dilation {:?})",
            options.padding, options.dilation
        )
    };
    let mut output = if *ceil_mode { room.div_ceil(stride) } else { room / stride } + 1;
    // The last window must begin inside, or in the padding before.
    if *ceil_mode && (output - 1) * stride >= input + padding {
        output -= 1;
    }
    Windows { input, output, kernel, stride, padding, dilation }
}

/// Refuses what is no image.
#[track_caller]
pub(super) fn check_image(op: &str, shape: &Dims) {
    assert!(
        shape.len() == 3 || shape.len() == 4,
        "{op}: an input of shape {shape}; expected [N, C, H, W] or [C, H, W]"
    );
}

/// Where the elements of each plane of y stand in the plane of x.
#[derive(Clone)]
struct Indices {
    of: Arc<Buffer<u32>>,
    /// Height and width of a plane of x, and of y.
    planes: [[usize; 2]; 2],
}

impl Indices {
    /// `shape` with planes of this size.
    fn with_planes(shape: &Dims, plane: [usize; 2]) -> Dims {
        shape[..shape.len() - 2].iter().copied().chain(plane).collect()
    }

    #[track_caller]
    fn pick<T: Float>(self, x: &Tensor<T>) -> Tensor<T> {
        let [from, to] = self.planes;
        let packed = x.packed();
        let y = Tensor::build(Indices::with_planes(x.shape(), to), |y| {
            kernel::pick(packed.slice(), &self.of, from[0] * from[1], to[0] * to[1], y);
        });
        y.recorded([x], || Pick(self))
    }

    #[track_caller]
    fn place<T: Float>(self, y: &Tensor<T>) -> Tensor<T> {
        let [to, from] = self.planes;
        let packed = y.packed();
        let x = Tensor::build(Indices::with_planes(y.shape(), to), |x| {
            kernel::place(packed.slice(), &self.of, to[0] * to[1], from[0] * from[1], x);
        });
        x.recorded([y], || Place(self))
    }
}

/// A maximum is an element that was picked.
#[derive(Clone)]
struct Pick(Indices);

impl<T: Float> Op<T> for Pick {
    const NAME: &'static str = "max_pool2d";
    fn backward(self, dy: Tensor<T>, grads: &mut Grads<'_, T>) {
        grads.set(0, || self.0.place(&dy));
    }
}

/// Back to where they were picked from.
#[derive(Clone)]
struct Place(Indices);

impl<T: Float> Op<T> for Place {
    const NAME: &'static str = "max_pool2d backward";
    fn backward(self, dx: Tensor<T>, grads: &mut Grads<'_, T>) {
        grads.set(0, || self.0.pick(&dx));
    }
}

impl<T: Float> Tensor<T> {
    /// The largest element of each window, as `torch.nn.functional.max_pool2d`: `[N, C, H, W]` (or `[C, H, W]`) to
    /// `[N, C, H', W']` with
    ///
    /// ```text
    /// H' = ⌊(H + 2·padding − dilation·(kernel_size − 1) − 1) / stride⌋ + 1
    /// ```
    ///
    /// A NaN wins. The gradient goes to the largest element, the first of several.
    ///
    /// ```
    /// use autograd::{MaxPool2dOptions, Tensor};
    /// let x = Tensor::arange(0.0, 16.0, 1.0).reshape([1, 1, 4, 4]);
    /// let y = x.max_pool2d(&MaxPool2dOptions::new(2));
    /// assert_eq!(y.to_vec(), [5.0, 7.0, 13.0, 15.0]);
    /// ```
    ///
    /// # Panics
    /// If this tensor is no image, is smaller than a window, or the padding is more than half a window.
    #[track_caller]
    pub fn max_pool2d(&self, options: &MaxPool2dOptions) -> Tensor<T> {
        self.max_pooled("max_pool2d", options).0
    }

    /// [`max_pool2d`](Tensor::max_pool2d), and the position of each maximum in its channel, counted row by row; as
    /// with `return_indices=True`.
    ///
    /// # Panics
    /// As [`max_pool2d`](Tensor::max_pool2d).
    #[track_caller]
    pub fn max_pool2d_with_indices(&self, options: &MaxPool2dOptions) -> (Tensor<T>, Tensor<i64>) {
        let (y, indices) = self.max_pooled("max_pool2d_with_indices", options);
        let indices = Tensor::from_fn(*y.shape(), |i| i64::from(indices[i]));
        (y, indices)
    }

    #[track_caller]
    fn max_pooled(&self, op: &str, options: &MaxPool2dOptions) -> (Tensor<T>, Arc<Buffer<u32>>) {
        check_image(op, self.shape());
        let axes = [windows(op, self.shape(), 0, options), windows(op, self.shape(), 1, options)];
        let planes = [axes.map(|axis| axis.input), axes.map(|axis| axis.output)];
        let shape = Indices::with_planes(self.shape(), planes[1]);
        let x = self.packed();
        let mut indices = Buffer::recycled(shape.count());
        let y = Tensor::build(shape, |y| kernel::forward(x.slice(), axes, y, &mut indices));
        let of = Arc::new(indices);
        let y = y.recorded([self], || Pick(Indices { of: of.clone(), planes }));
        (y, of)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gradcheck::gradcheck_to_order;
    use crate::rng::Rng;

    fn sweep() -> impl Iterator<Item = MaxPool2dOptions> {
        let each = |sizes: &'static [[usize; 2]]| sizes.iter().copied();
        each(&[[2, 2], [3, 2], [1, 3]]).flat_map(move |kernel_size| {
            each(&[[1, 1], [2, 2], [2, 3], [3, 4]]).flat_map(move |stride| {
                each(&[[0, 0], [1, 1]]).flat_map(move |padding| {
                    each(&[[1, 1], [2, 1], [1, 2]]).flat_map(move |dilation| {
                        [false, true].map(|ceil_mode| {
                            let half = |i: usize| padding[i].min((dilation[i] * (kernel_size[i] - 1)).div_ceil(2));
                            MaxPool2dOptions { kernel_size, stride, padding: [half(0), half(1)], dilation, ceil_mode }
                        })
                    })
                })
            })
        })
    }

    /// Window by window, as the definition has it.
    fn reference(x: &Tensor, options: &MaxPool2dOptions) -> (Vec<f32>, Vec<i64>) {
        let axes = [0, 1].map(|axis| windows("max_pool2d", x.shape(), axis, options));
        let (height, width) = (axes[0].input, axes[1].input);
        let (mut values, mut indices) = (vec![], vec![]);
        for plane in x.to_vec().chunks(height * width) {
            for row in 0..axes[0].output {
                for column in 0..axes[1].output {
                    let mut best: Option<(f32, usize)> = None;
                    for tap in 0..axes[0].kernel * axes[1].kernel {
                        let (i, j) = (tap / axes[1].kernel, tap % axes[1].kernel);
                        let at = |axis: &Windows, window: usize, tap: usize| {
                            (window * axis.stride + tap * axis.dilation) as isize - axis.padding as isize
                        };
                        let (i, j) = (at(&axes[0], row, i), at(&axes[1], column, j));
                        if (0..height as isize).contains(&i) && (0..width as isize).contains(&j) {
                            let at = i as usize * width + j as usize;
                            if best.is_none_or(|(value, _)| plane[at] > value || plane[at].is_nan()) {
                                best = Some((plane[at], at));
                            }
                        }
                    }
                    let (value, at) = best.unwrap_or((f32::NEG_INFINITY, kernel::NOWHERE as usize));
                    values.push(value);
                    indices.push(at as i64);
                }
            }
        }
        (values, indices)
    }

    #[test]
    fn agrees_with_the_definition() {
        let mut rng = Rng::seeded(1);
        for shape in [[2, 3, 7, 5], [1, 2, 5, 9], [3, 1, 6, 40]] {
            // Few values, so that there are ties; a NaN, and a corner that is all −∞.
            let mut x = Tensor::randint(0, 6, shape, &mut rng).cast::<f32>();
            x.slice_mut()[8] = f32::NAN;
            for i in [0, 1, shape[3], shape[3] + 1] {
                x.slice_mut()[i] = f32::NEG_INFINITY;
            }
            for options in sweep() {
                let (y, indices) = x.max_pool2d_with_indices(&options);
                let (values, places) = reference(&x, &options);
                assert_eq!(indices.to_vec(), places, "{options:?} of {shape:?}");
                let same = y.iter().zip(&values).all(|(a, &b)| a == b || a.is_nan() && b.is_nan());
                assert!(same, "{options:?} of {shape:?}: {y} is not {values:?}");
            }
        }
    }

    #[test]
    fn gradients() {
        // Elements far apart, so that no step of the differences changes which one is the largest.
        let x = Tensor::from_fn([1, 2, 5, 6], |i| (i * 37 % 60) as f64 / 8.0);
        for options in sweep().step_by(7) {
            gradcheck_to_order(&|x| x[0].max_pool2d(&options).square(), std::slice::from_ref(&x), 2).unwrap();
        }
        let options = MaxPool2dOptions::new(2);
        gradcheck_to_order(&|x| x[0].transpose(1, 3).max_pool2d(&options), &[x], 2).unwrap();
    }

    #[test]
    fn images_that_are_none_are_empty() {
        let x = Tensor::zeros([0, 3, 4, 4]).requires_grad();
        let y = x.max_pool2d(&MaxPool2dOptions::new(2));
        assert_eq!(*y.shape(), [0, 3, 2, 2]);
        y.sum(..).backward();
        assert_eq!(*x.grad().unwrap().shape(), [0, 3, 4, 4]);
    }

    #[test]
    #[should_panic(expected = "max_pool2d: a padding of 2 for windows that span 3; it must be at most half of that")]
    fn too_much_padding_is_refused() {
        let options = MaxPool2dOptions { padding: [2, 1], ..MaxPool2dOptions::new(3) };
        Tensor::zeros([1, 1, 4, 4]).max_pool2d(&options);
    }

    #[test]
    #[should_panic(expected = "max_pool2d: an input of shape [1, 2, 4] with padding [0, 0] is smaller than a window")]
    fn an_image_smaller_than_a_window_is_refused() {
        Tensor::zeros([1, 2, 4]).max_pool2d(&MaxPool2dOptions::new(3));
    }
}
