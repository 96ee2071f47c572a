//! The same elements in another order along some axes: flip and roll.
//!
//! ```text
//! y = flip(x)        y[i] = x[n − 1 − i]          dx = flip(dy)
//! y = roll(x, s)     y[i] = x[(i − s) mod n]      dx = roll(dy, −s)
//! ```
//!
//! Nothing is saved but the axes.

use crate::graph::{Grads, Op};
use crate::kernels::element::Element;
use crate::kernels::remap::remap;
use crate::tensor::axes::resolve_axis;
use crate::tensor::{Axes, Dims, Tensor};

/// x with the map of each axis applied, without history; elements that a map leads nowhere are `fill`.
pub(super) fn remapped<T: Element>(x: &Tensor<T>, maps: &[Vec<usize>], fill: T) -> Tensor<T> {
    let x = x.packed();
    let shape = maps.iter().map(Vec::len).collect();
    Tensor::build(shape, |out| remap(x.slice(), x.shape(), maps, fill, out))
}

// ---- flip ----

/// These axes backwards.
#[derive(Clone, Copy)]
struct Flip {
    axes: Dims,
}

impl<T: Element> Op<T> for Flip {
    const NAME: &'static str = "flip";
    fn backward(self, dy: Tensor<T>, grads: &mut Grads<'_, T>) {
        grads.set(0, || dy.flip(self.axes));
    }
}

impl<T: Element> Tensor<T> {
    /// The elements in reverse order along `axes`, as `torch.flip`. A copy.
    ///
    /// ```
    /// use autograd::Tensor;
    /// let x = Tensor::from([[1.0, 2.0], [3.0, 4.0]]);
    /// assert_eq!(x.flip(-1).to_vec(), [2.0, 1.0, 4.0, 3.0]);
    /// assert_eq!(x.flip(..).to_vec(), [4.0, 3.0, 2.0, 1.0]);
    /// ```
    ///
    /// # Panics
    /// If there is no such axis, or one is named twice.
    #[track_caller]
    pub fn flip(&self, axes: impl Axes) -> Tensor<T> {
        let axes = axes.resolve("flip", self.rank());
        let map = |(axis, &size): (usize, &usize)| {
            if axes.contains(&axis) { (0..size).rev().collect() } else { (0..size).collect() }
        };
        let maps: Vec<Vec<usize>> = self.shape().iter().enumerate().map(map).collect();
        remapped(self, &maps, T::default()).recorded([self], || Flip { axes })
    }
}

// ---- roll ----

/// Each axis moved on by so many places.
#[derive(Clone, Copy)]
struct Roll {
    /// Less than the size of its axis.
    shifts: Dims,
}

impl<T: Element> Op<T> for Roll {
    const NAME: &'static str = "roll";
    fn backward(self, dy: Tensor<T>, grads: &mut Grads<'_, T>) {
        let back = |(&shift, &size): (&usize, &usize)| if shift == 0 { 0 } else { size - shift };
        let shifts = self.shifts.iter().zip(dy.shape().iter()).map(back).collect();
        grads.set(0, || dy.rolled(shifts));
    }
}

impl<T: Element> Tensor<T> {
    #[track_caller]
    fn rolled(&self, shifts: Dims) -> Tensor<T> {
        let map = |(&shift, &size): (&usize, &usize)| (size - shift..size).chain(0..size - shift).collect();
        let maps: Vec<Vec<usize>> = shifts.iter().zip(self.shape().iter()).map(map).collect();
        remapped(self, &maps, T::default()).recorded([self], || Roll { shifts })
    }

    /// The elements moved by `shifts[i]` places along `axes[i]`; those that leave at one end come back at
    /// the other. As `torch.roll`. A copy.
    ///
    /// ```
    /// use autograd::Tensor;
    /// let x = Tensor::from([1.0, 2.0, 3.0, 4.0]);
    /// assert_eq!(x.roll([1], [0]).to_vec(), [4.0, 1.0, 2.0, 3.0]);
    /// assert_eq!(x.roll([-1], [0]).to_vec(), [2.0, 3.0, 4.0, 1.0]);
    /// ```
    ///
    /// # Panics
    /// If there is no such axis.
    #[track_caller]
    pub fn roll<const N: usize>(&self, shifts: [isize; N], axes: [isize; N]) -> Tensor<T> {
        let mut total = Dims::repeat(0, self.rank());
        for (shift, axis) in shifts.into_iter().zip(axes) {
            let axis = resolve_axis("roll", axis, self.rank());
            let size = self.shape()[axis].max(1);
            total[axis] = (total[axis] + shift.rem_euclid(size as isize) as usize) % size;
        }
        self.rolled(total)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gradcheck::check_unary;

    #[test]
    fn gradients() {
        check_unary(|x| x.flip(-1) * x);
        check_unary(|x| x.flip(..));
        check_unary(|x| x.roll([1], [0]) * x);
        check_unary(|x| x.roll([-2, 1], [-1, 0]));
    }

    #[test]
    fn several_axes_at_once() {
        let x = Tensor::from_fn([2, 3, 2], |i| i as i64);
        assert_eq!(x.flip([0, 2]).to_vec(), [7, 6, 9, 8, 11, 10, 1, 0, 3, 2, 5, 4]);
        assert_eq!(x.roll([1, 7], [0, 1]).to_vec(), [10, 11, 6, 7, 8, 9, 4, 5, 0, 1, 2, 3]);
        assert_eq!(x.roll([2, -1], [1, 1]).to_vec(), x.roll([1], [1]).to_vec());
        assert_eq!(*Tensor::zeros([0, 2]).roll([3], [0]).flip(..).shape(), [0, 2]);
        assert_eq!(Tensor::of(true).flip(..).to_vec(), [true]);
    }

    #[test]
    #[should_panic(expected = "flip: axis 2 of a tensor with 2 axes; axes go from -2 to 1")]
    fn an_axis_too_many_is_refused() {
        Tensor::zeros([2, 3]).flip(2);
    }
}
