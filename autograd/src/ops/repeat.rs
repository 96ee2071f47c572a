//! Copies of a tensor side by side, and of each element beside itself.
//!
//! ```text
//! y = repeat(x, r)               y = x x x …              dx = Σ over the copies of dy
//! y = repeat_interleave(x, r)    y = x₀ x₀ … x₁ x₁ …      dx[i] = Σ over the copies of i of dy
//! ```
//!
//! [`expand`](Tensor::expand) repeats without copying, where an axis of size 1 will do.

use super::flip::remapped;
use crate::graph::{Grads, Op};
use crate::kernels::element::{Element, Number};
use crate::tensor::axes::resolve_axis;
use crate::tensor::{Dims, Tensor};

// ---- repeat ----

/// Several copies along each axis.
#[derive(Clone, Copy)]
struct Repeat {
    /// The shape of x, with as many axes as y has.
    shape: Dims,
}

impl<T: Number> Op<T> for Repeat {
    const NAME: &'static str = "repeat";
    fn backward(self, dy: Tensor<T>, grads: &mut Grads<'_, T>) {
        grads.set(0, || {
            let mut dx = dy;
            for (axis, &size) in self.shape.iter().enumerate() {
                if size != dx.shape()[axis] {
                    let copies = dx.shape()[axis].checked_div(size).unwrap_or(0);
                    dx = dx.summed_copies(axis, [copies, size], 1);
                }
            }
            dx
        });
    }
}

impl<T: Number> Tensor<T> {
    /// With `axis` seen as two axes of these sizes, the sum over one of the two.
    #[track_caller]
    fn summed_copies(&self, axis: usize, sizes: [usize; 2], copies: usize) -> Tensor<T> {
        let outer: usize = self.shape()[..axis].iter().product();
        let inner: usize = self.shape()[axis + 1..].iter().product();
        let kept = sizes[2 - copies];
        self.reshape([outer, sizes[0], sizes[1], inner]).sum(copies).reshape(self.shape().replaced(&[axis], kept))
    }

    /// `counts[i]` copies of this tensor along axis `i`, as `torch.repeat`. With more counts than axes, the
    /// first make new axes in front.
    ///
    /// ```
    /// use autograd::Tensor;
    /// let x = Tensor::from([1.0, 2.0]);
    /// assert_eq!(x.repeat([3]).to_vec(), [1.0, 2.0, 1.0, 2.0, 1.0, 2.0]);
    /// assert_eq!(*x.repeat([3, 2]).shape(), [3, 4]);
    /// ```
    ///
    /// # Panics
    /// If there are fewer counts than axes.
    #[track_caller]
    pub fn repeat(&self, counts: impl Into<Dims>) -> Tensor<T> {
        let counts = counts.into();
        assert!(
            counts.len() >= self.rank(),
            "repeat: counts {counts} for shape {}; one for each axis is wanted, and more for new axes in front",
            self.shape()
        );
        let mut shape = Dims::repeat(1, counts.len());
        shape[counts.len() - self.rank()..].copy_from_slice(self.shape());
        let x = self.reshape(shape);
        let map = |(&size, &count): (&usize, &usize)| (0..count).flat_map(|_| 0..size).collect();
        let maps: Vec<Vec<usize>> = shape.iter().zip(counts.iter()).map(map).collect();
        remapped(&x, &maps, T::ZERO).recorded([&x], || Repeat { shape })
    }
}

// ---- repeat_interleave ----

/// Each index of an axis several times in a row.
#[derive(Clone, Copy)]
struct RepeatInterleave {
    axis: usize,
    /// How many there were.
    size: usize,
    count: usize,
}

impl<T: Number> Op<T> for RepeatInterleave {
    const NAME: &'static str = "repeat_interleave";
    fn backward(self, dy: Tensor<T>, grads: &mut Grads<'_, T>) {
        grads.set(0, || dy.summed_copies(self.axis, [self.size, self.count], 2));
    }
}

impl<T: Number> Tensor<T> {
    /// Each index of `axis` `count` times in a row, as `torch.repeat_interleave` with a number.
    ///
    /// ```
    /// use autograd::Tensor;
    /// let x = Tensor::from([1.0, 2.0]);
    /// assert_eq!(x.repeat_interleave(2, 0).to_vec(), [1.0, 1.0, 2.0, 2.0]);
    /// ```
    ///
    /// # Panics
    /// If there is no such axis.
    #[track_caller]
    pub fn repeat_interleave(&self, count: usize, axis: isize) -> Tensor<T> {
        let axis = resolve_axis("repeat_interleave", axis, self.rank());
        let size = self.shape()[axis];
        let mut maps: Vec<Vec<usize>> = self.shape().iter().map(|&size| (0..size).collect()).collect();
        maps[axis] = (0..size).flat_map(|i| std::iter::repeat_n(i, count)).collect();
        remapped(self, &maps, T::ZERO).recorded([self], || RepeatInterleave { axis, size, count })
    }
}

impl<T: Element> Tensor<T> {
    /// Index `i` of `axis` `counts[i]` times in a row, as `torch.repeat_interleave` with a tensor.
    ///
    /// ```
    /// use autograd::Tensor;
    /// let x = Tensor::from([1.0, 2.0, 3.0]);
    /// assert_eq!(x.repeat_interleave_each(&Tensor::of([2_i64, 0, 1]), 0).to_vec(), [1.0, 1.0, 3.0]);
    /// ```
    ///
    /// # Panics
    /// If there is no such axis, `counts` is not a vector of its size, or one of them is negative.
    #[track_caller]
    pub fn repeat_interleave_each(&self, counts: &Tensor<i64>, axis: isize) -> Tensor<T> {
        let axis = resolve_axis("repeat_interleave_each", axis, self.rank());
        assert!(
            *counts.shape() == [self.shape()[axis]],
            "repeat_interleave_each: counts of shape {} for axis {axis} of shape {}; [{}] would fit",
            counts.shape(),
            self.shape(),
            self.shape()[axis]
        );
        let mut indices = Vec::new();
        for (i, count) in counts.iter().enumerate() {
            assert!(count >= 0, "repeat_interleave_each: index {i} of axis {axis} {count} times");
            indices.extend(std::iter::repeat_n(i as i64, count as usize));
        }
        self.index_select(axis as isize, &Tensor::from_slice(&indices, indices.len()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gradcheck::check_unary;

    #[test]
    fn gradients() {
        check_unary(|x| x.repeat(x.shape().replaced(&[0], 2)) * 2.0);
        check_unary(|x| x.repeat(Dims::repeat(2, x.rank() + 1)));
        check_unary(|x| x.repeat(Dims::repeat(0, x.rank())).sum(..) + (x * x).sum(..));
        check_unary(|x| x.repeat_interleave(3, -1) * 2.0);
        check_unary(|x| (x * x).repeat_interleave(2, 0));
        check_unary(|x| {
            let counts = Tensor::from_fn(x.size(0), |i| i as i64 % 3);
            x.repeat_interleave_each(&counts, 0) * 2.0
        });
    }

    #[test]
    fn order_and_shape() {
        let x = Tensor::from_fn([2, 2], |i| i as i64);
        assert_eq!(x.repeat([2, 1]).to_vec(), [0, 1, 2, 3, 0, 1, 2, 3]);
        assert_eq!(x.repeat([1, 2]).to_vec(), [0, 1, 0, 1, 2, 3, 2, 3]);
        assert_eq!(*x.repeat([3, 0, 1]).shape(), [3, 0, 2]);
        assert_eq!(x.repeat_interleave(2, 1).to_vec(), [0, 0, 1, 1, 2, 2, 3, 3]);
        assert_eq!(*Tensor::zeros([0, 2]).repeat([3, 2]).shape(), [0, 4]);
        assert_eq!(*Tensor::zeros([]).repeat([3]).shape(), [3]);
    }

    #[test]
    #[should_panic(expected = "repeat: counts [2] for shape [2, 3]; one for each axis is wanted")]
    fn too_few_counts_are_refused() {
        Tensor::zeros([2, 3]).repeat([2]);
    }
}
