//! Joining tensors along an axis, and taking them apart again.
//!
//! ```text
//! y = cat(x₁, x₂, …)      dxᵢ = the part of dy where xᵢ went
//! y = stack(x₁, x₂, …)    a cat along a new axis of size 1
//! split, chunk, unbind    narrow, several times
//! ```

use crate::graph::{Grads, Op};
use crate::kernels::element::Element;
use crate::tensor::axes::resolve_axis;
use crate::tensor::{Dims, Tensor};

/// A join along `axis` of parts of these sizes there.
#[derive(Clone)]
struct Cat {
    axis: usize,
    sizes: Vec<usize>,
}

impl<T: Element> Op<T> for Cat {
    const NAME: &'static str = "cat";
    fn backward(self, dy: Tensor<T>, grads: &mut Grads<'_, T>) {
        let mut start = 0;
        for (input, size) in self.sizes.into_iter().enumerate() {
            grads.set(input, || dy.sliced(self.axis, start, 1, size));
            start += size;
        }
    }
}

impl Tensor<f32> {
    /// The parts one behind the other along `axis`, as `torch.cat`. Of any element type.
    ///
    /// ```
    /// use autograd::Tensor;
    /// let (a, b) = (Tensor::zeros([2, 1]), Tensor::ones([2, 2]));
    /// assert_eq!(Tensor::cat(&[&a, &b], 1).to_vec(), [0., 1., 1., 0., 1., 1.]);
    /// ```
    ///
    /// # Panics
    /// If there are no parts, or their shapes differ elsewhere than in `axis`.
    #[track_caller]
    pub fn cat<T: Element>(parts: &[&Tensor<T>], axis: isize) -> Tensor<T> {
        let Some(first) = parts.first() else { panic!("cat: no tensors to join") };
        let axis = resolve_axis("cat", axis, first.rank());
        let mut shape = *first.shape();
        shape[axis] = 0;
        for (i, part) in parts.iter().enumerate() {
            assert!(
                part.rank() == shape.len() && part.shape().replaced(&[axis], 0) == shape.replaced(&[axis], 0),
                "cat: part {i} has shape {}, the first {}; they may differ in axis {axis} only",
                part.shape(),
                first.shape()
            );
            shape[axis] += part.shape()[axis];
        }
        let inner: usize = shape[axis + 1..].iter().product();
        let row = shape[axis] * inner;
        let y = Tensor::build(shape, |out| {
            let mut start = 0;
            for part in parts {
                let part = part.packed();
                let width = part.shape()[axis] * inner;
                if width > 0 {
                    for (out, x) in out.chunks_exact_mut(row).zip(part.slice().chunks_exact(width)) {
                        out[start..start + width].copy_from_slice(x);
                    }
                }
                start += width;
            }
        });
        y.recorded_from(parts, || Cat { axis, sizes: parts.iter().map(|part| part.shape()[axis]).collect() })
    }

    /// The parts, all of one shape, along a new axis `axis`, as `torch.stack`. Of any element type.
    ///
    /// # Panics
    /// If there are no parts, or their shapes differ.
    #[track_caller]
    pub fn stack<T: Element>(parts: &[&Tensor<T>], axis: isize) -> Tensor<T> {
        let Some(first) = parts.first() else { panic!("stack: no tensors to join") };
        let axis = resolve_axis("stack", axis, first.rank() + 1) as isize;
        let mut rows = Vec::with_capacity(parts.len());
        for (i, part) in parts.iter().enumerate() {
            assert!(
                part.shape() == first.shape(),
                "stack: part {i} has shape {}, the first {}; they must be the same",
                part.shape(),
                first.shape()
            );
            rows.push(part.unsqueeze(axis));
        }
        Tensor::cat(&rows.iter().collect::<Vec<_>>(), axis)
    }
}

impl<T: Element> Tensor<T> {
    /// Parts of `size` along `axis` (the last may be smaller), as `torch.split`. Views.
    ///
    /// # Panics
    /// If `size` is 0 or there is no such axis.
    #[track_caller]
    pub fn split(&self, size: usize, axis: isize) -> Vec<Tensor<T>> {
        assert!(size > 0, "split: parts of size 0 of a tensor of shape {}", self.shape());
        let axis = resolve_axis("split", axis, self.rank());
        let whole = self.shape()[axis];
        let parts = whole.div_ceil(size).max(1);
        (0..parts).map(|i| self.sliced(axis, i * size, 1, size.min(whole - i * size))).collect()
    }

    /// Parts of the given sizes along `axis`, as `torch.split` with a list. Views.
    ///
    /// # Panics
    /// If the sizes do not add up to that of the axis, or there is no such axis.
    #[track_caller]
    pub fn split_sizes(&self, sizes: &[usize], axis: isize) -> Vec<Tensor<T>> {
        let axis = resolve_axis("split", axis, self.rank());
        assert!(
            sizes.iter().sum::<usize>() == self.shape()[axis],
            "split: sizes {sizes:?} do not add up to axis {axis} of shape {}",
            self.shape()
        );
        let mut start = 0;
        let part = |&size: &usize| {
            start += size;
            self.sliced(axis, start - size, 1, size)
        };
        sizes.iter().map(part).collect()
    }

    /// At most `count` parts of equal size along `axis` (the last may be smaller), as `torch.chunk`. Views.
    ///
    /// # Panics
    /// If `count` is 0 or there is no such axis.
    #[track_caller]
    pub fn chunk(&self, count: usize, axis: isize) -> Vec<Tensor<T>> {
        assert!(count > 0, "chunk: no parts of a tensor of shape {}", self.shape());
        let size = self.shape()[resolve_axis("chunk", axis, self.rank())];
        self.split(size.div_ceil(count).max(1), axis)
    }

    /// The slices along `axis`, without that axis, as `torch.unbind`. Views.
    ///
    /// # Panics
    /// If there is no such axis.
    #[track_caller]
    pub fn unbind(&self, axis: isize) -> Vec<Tensor<T>> {
        let axis = resolve_axis("unbind", axis, self.rank());
        let shape: Dims = self.shape().without(&[axis]);
        (0..self.shape()[axis]).map(|i| self.sliced(axis, i, 1, 1).reshape(shape)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gradcheck::{check_unary, gradcheck_to_order};
    use crate::rng::Rng;

    #[test]
    fn gradients() {
        let mut rng = Rng::seeded(8);
        let inputs = [Tensor::randn_of::<f64>([2, 1, 3], &mut rng), Tensor::randn_of::<f64>([2, 2, 3], &mut rng)];
        gradcheck_to_order(&|x| Tensor::cat(&[&x[0], &x[1], &x[0]], 1), &inputs, 2).unwrap();
        check_unary(|x| Tensor::stack(&[x, &(x * x)], -1));
        check_unary(|x| x.split(2, 0).pop().unwrap());
        check_unary(|x| x.unbind(-1).iter().map(|x| x * x).reduce(|a, b| a * b).unwrap());
    }

    #[test]
    fn parts_join_to_the_whole() {
        let x = Tensor::arange(0.0, 30.0, 1.0).reshape([2, 5, 3]);
        for parts in [x.split(2, 1), x.chunk(3, 1), x.split_sizes(&[1, 0, 4], 1)] {
            assert_eq!(Tensor::cat(&parts.iter().collect::<Vec<_>>(), 1).to_vec(), x.to_vec());
        }
        assert_eq!(Tensor::stack(&x.unbind(1).iter().collect::<Vec<_>>(), 1).to_vec(), x.to_vec());
    }
}
