//! A border of one value around a tensor.
//!
//! ```text
//! y = x with `before` and `after` more indices along an axis, all of them `value`
//! dx = the part of dy where x went
//! ```
//!
//! A negative number cuts off instead, and dx has zeros there.

use super::flip::remapped;
use crate::graph::{Grads, Op};
use crate::kernels::element::Element;
use crate::kernels::remap::FILL;
use crate::tensor::{Dims, Tensor};

/// A border around x.
#[derive(Clone, Copy)]
struct Pad {
    /// The shape of x.
    shape: Dims,
    /// How many indices were put in front of each axis.
    before: Dims,
}

impl<T: Element> Op<T> for Pad {
    const NAME: &'static str = "pad";
    fn backward(self, dy: Tensor<T>, grads: &mut Grads<'_, T>) {
        grads.set(0, || {
            let mut dx = dy;
            for (axis, (&before, &size)) in self.before.iter().zip(self.shape.iter()).enumerate() {
                if size < dx.shape()[axis] {
                    dx = dx.sliced(axis, before, 1, size);
                }
            }
            dx
        });
    }
}

impl<T: Element> Tensor<T> {
    /// This tensor with a border of `value`, as `torch.nn.functional.pad` in mode `"constant"`. `sizes`
    /// are pairs (before, after) for the last axes, **the last axis first**: `[(left, right), (top, bottom)]`
    /// pads the two last axes of an image. A negative size cuts off.
    ///
    /// ```
    /// use autograd::Tensor;
    /// let x = Tensor::from([[1.0, 2.0], [3.0, 4.0]]);
    /// let y = x.pad([(1, 0), (0, 1)], 9.0);
    /// assert_eq!(y.to_vec(), [9.0, 1.0, 2.0, 9.0, 3.0, 4.0, 9.0, 9.0, 9.0]);
    /// ```
    ///
    /// # Panics
    /// If there are more pairs than axes, or more is cut off than is there.
    #[track_caller]
    pub fn pad<const N: usize>(&self, sizes: [(isize, isize); N], value: T) -> Tensor<T> {
        assert!(N <= self.rank(), "pad: {N} pairs of sizes for the {} axes of shape {}", self.rank(), self.shape());
        let mut kept = self.clone();
        let mut before = Dims::repeat(0, self.rank());
        let mut maps: Vec<Vec<usize>> = self.shape().iter().map(|&size| (0..size).collect()).collect();
        for (i, (front, back)) in sizes.into_iter().enumerate() {
            let axis = self.rank() - 1 - i;
            let size = self.shape()[axis] as isize;
            let (cut_front, cut_back) = ((-front).max(0), (-back).max(0));
            let left = size - cut_front - cut_back;
            assert!(
                left >= 0,
                "pad: {front} before and {back} after axis {axis} of shape {}, which has only {size} to cut off",
                self.shape()
            );
            if left < size {
                kept = kept.sliced(axis, cut_front as usize, 1, left as usize);
            }
            let border = |size: isize| std::iter::repeat_n(FILL, size.max(0) as usize);
            before[axis] = front.max(0) as usize;
            maps[axis] = border(front).chain(0..left as usize).chain(border(back)).collect();
        }
        remapped(&kept, &maps, value).recorded([&kept], || Pad { shape: *kept.shape(), before })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gradcheck::check_unary;

    #[test]
    fn gradients() {
        check_unary(|x| x.pad([(1, 2)], 0.5) * 2.0);
        check_unary(|x| x.pad([(-1, 1)], 0.0));
        check_unary(|x| (x * x).unsqueeze(0).pad([(0, 1), (2, -1)], 0.5));
    }

    #[test]
    fn pads_and_cuts() {
        let x = Tensor::from_fn([2, 3], |i| i as i64);
        assert_eq!(x.pad([(1, 0), (0, 1)], -1).to_vec(), [-1, 0, 1, 2, -1, 3, 4, 5, -1, -1, -1, -1]);
        assert_eq!(x.pad([(-1, 1)], 9).to_vec(), [1, 2, 9, 4, 5, 9]);
        assert_eq!(x.pad([(-3, 1)], 9).to_vec(), [9, 9]);
        assert_eq!(x.pad([], 9).to_vec(), x.to_vec());
        assert_eq!(Tensor::of([true]).pad([(1, 0)], false).to_vec(), [false, true]);
        assert_eq!(Tensor::zeros([0]).pad([(1, 1)], 2.0).to_vec(), [2.0, 2.0]);
    }

    #[test]
    #[should_panic(expected = "pad: -2 before and -2 after axis 1 of shape [2, 3], which has only 3 to cut off")]
    fn cutting_off_too_much_is_refused() {
        Tensor::zeros([2, 3]).pad([(-2, -2)], 0.0);
    }
}
