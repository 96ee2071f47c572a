//! Views: other shapes and orders of the same elements. They copy nothing (except `reshape`, where
//! strides cannot express the new shape, and `contiguous`, whose purpose it is).
//!
//! ```text
//! y = x reshaped          dx = dy reshaped back
//! y = x permuted          dx = dy permuted back
//! y = x expanded          dx = dy summed over the repeated axes (the engine does that)
//! y = x sliced            dx = dy put into zeros of x's shape
//! ```

use crate::graph::{Grads, Op};
use crate::kernels::element::Element;
use crate::tensor::axes::resolve_axis;
use crate::tensor::{Axes, Dims, Layout, Tensor};

// ---- reshape ----

/// Another shape of the same elements in the same order.
#[derive(Clone, Copy)]
struct Reshape {
    from: Dims,
}

impl<T: Element> Op<T> for Reshape {
    const NAME: &'static str = "reshape";
    fn backward(self, dy: Tensor<T>, grads: &mut Grads<'_, T>) {
        grads.set(0, || dy.reshape(self.from));
    }
}

/// The sizes that [`Tensor::reshape`] takes: at most one may be -1, which stands for what is left.
pub trait NewShape {
    /// The sizes, with -1 filled in for a tensor of `count` elements.
    #[track_caller]
    fn fill_in(&self, count: usize) -> Dims;
}

macro_rules! new_shape {
    ($($int:ty),*) => {$(
        impl<const N: usize> NewShape for [$int; N] {
            #[track_caller]
            fn fill_in(&self, count: usize) -> Dims {
                fill_in(&self.map(|size| size as isize), count)
            }
        }
        impl NewShape for $int {
            #[track_caller]
            fn fill_in(&self, count: usize) -> Dims {
                fill_in(&[*self as isize], count)
            }
        }
    )*};
}
new_shape!(i32, isize, usize);

impl NewShape for Dims {
    fn fill_in(&self, _: usize) -> Dims {
        *self
    }
}
impl NewShape for &Dims {
    fn fill_in(&self, _: usize) -> Dims {
        **self
    }
}
impl NewShape for &[usize] {
    #[track_caller]
    fn fill_in(&self, _: usize) -> Dims {
        Dims::from(*self)
    }
}

#[track_caller]
fn fill_in(sizes: &[isize], count: usize) -> Dims {
    let free = sizes.iter().filter(|&&size| size == -1).count();
    let negative = sizes.iter().any(|&size| size < -1);
    assert!(free <= 1 && !negative, "reshape: sizes {sizes:?}; at most one may be -1, the others not negative");
    let known: isize = sizes.iter().filter(|&&size| size != -1).product();
    assert!(free == 0 || known != 0, "reshape: with another size 0, -1 could be anything, in {sizes:?}");
    sizes.iter().map(|&size| if size == -1 { count / known as usize } else { size as usize }).collect()
}

impl<T: Element> Tensor<T> {
    /// The same elements in row-major order under another shape, as `torch.reshape`: a view where
    /// strides can express it, a copy elsewhere. One size may be -1.
    ///
    /// ```
    /// use autograd::Tensor;
    /// let x = Tensor::arange(0.0, 6.0, 1.0);
    /// assert_eq!(*x.reshape([2, -1]).shape(), [2, 3]);
    /// ```
    ///
    /// # Panics
    /// If the shape has another number of elements.
    #[track_caller]
    pub fn reshape(&self, shape: impl NewShape) -> Tensor<T> {
        let shape = shape.fill_in(self.count());
        assert!(
            shape.count() == self.count(),
            "reshape: {} ({} elements) to {shape} ({} elements)",
            self.shape(),
            self.count(),
            shape.count()
        );
        self.with_shape(shape).recorded([self], || Reshape { from: *self.shape() })
    }

    /// [`reshape`](Tensor::reshape) without history.
    pub(crate) fn with_shape(&self, shape: Dims) -> Tensor<T> {
        match self.layout().reshaped(shape) {
            Some(layout) => self.with_layout(layout),
            None => self.packed().with_layout(Layout::row_major(shape)),
        }
    }

    /// The axes from `first` on as one, as `torch.flatten(start_dim)`: `[B, C, H, W]` to `[B, C·H·W]` by `flatten(1)`.
    ///
    /// # Panics
    /// If there is no such axis.
    #[track_caller]
    pub fn flatten(&self, first: isize) -> Tensor<T> {
        self.flatten_range(first, -1)
    }

    /// The axes from `first` to `last`, both included, as one, as `torch.flatten(start_dim, end_dim)`: `[B, C, H, W]`
    /// to `[B, C, H·W]` by `flatten_range(2, -1)`. A scalar becomes `[1]`.
    ///
    /// # Panics
    /// If there are no such axes, or `first` comes after `last`.
    #[track_caller]
    pub fn flatten_range(&self, first: isize, last: isize) -> Tensor<T> {
        if self.rank() == 0 {
            return self.reshape(1);
        }
        let range = [first, last].map(|axis| resolve_axis("flatten", axis, self.rank()));
        assert!(
            range[0] <= range[1],
            "flatten: axes {first} to {last} of a tensor of shape {}; the first comes after the last",
            self.shape()
        );
        let (before, rest) = self.shape().split_at(range[0]);
        let (flat, after) = rest.split_at(range[1] + 1 - range[0]);
        let sizes = before.iter().copied().chain([flat.iter().product()]).chain(after.iter().copied());
        self.reshape(sizes.collect::<Dims>())
    }

    /// With a new axis of size 1 at `axis`, as `torch.unsqueeze`.
    ///
    /// # Panics
    /// If `axis` is not from -rank-1 to rank.
    #[track_caller]
    pub fn unsqueeze(&self, axis: isize) -> Tensor<T> {
        let axis = resolve_axis("unsqueeze", axis, self.rank() + 1);
        self.reshape(self.shape().inserted(axis, 1))
    }

    /// Without the axis `axis`, if it has size 1, as `torch.squeeze`.
    ///
    /// # Panics
    /// If there is no such axis.
    #[track_caller]
    pub fn squeeze(&self, axis: isize) -> Tensor<T> {
        let axis = resolve_axis("squeeze", axis, self.rank());
        if self.shape()[axis] == 1 { self.reshape(self.shape().without(&[axis])) } else { self.clone() }
    }
}

// ---- permute ----

/// The axes in another order.
#[derive(Clone, Copy)]
struct Permute {
    /// Where each axis of the result comes from.
    axes: Dims,
}

impl<T: Element> Op<T> for Permute {
    const NAME: &'static str = "permute";
    fn backward(self, dy: Tensor<T>, grads: &mut Grads<'_, T>) {
        let mut back = self.axes;
        for (to, &from) in self.axes.iter().enumerate() {
            back[from] = to;
        }
        grads.set(0, || dy.permuted(back));
    }
}

impl<T: Element> Tensor<T> {
    #[track_caller]
    pub(crate) fn permuted(&self, axes: Dims) -> Tensor<T> {
        self.with_layout(self.layout().permuted(&axes)).recorded([self], || Permute { axes })
    }

    /// The axes in the order given, as `torch.permute`: `[2, 0, 1]` makes the last axis the first.
    ///
    /// # Panics
    /// If `axes` does not name every axis once.
    #[track_caller]
    pub fn permute<const N: usize>(&self, axes: [isize; N]) -> Tensor<T> {
        assert!(N == self.rank(), "permute: {N} axes named for a tensor of shape {}", self.shape());
        // Checks that each is there and named once; what it returns is in ascending order.
        axes.resolve("permute", N);
        self.permuted(axes.iter().map(|&axis| resolve_axis("permute", axis, N)).collect())
    }

    /// With two axes exchanged, as `torch.transpose`.
    ///
    /// # Panics
    /// If there is no such axis.
    #[track_caller]
    pub fn transpose(&self, a: isize, b: isize) -> Tensor<T> {
        let (a, b) = (resolve_axis("transpose", a, self.rank()), resolve_axis("transpose", b, self.rank()));
        let mut axes: Dims = (0..self.rank()).collect();
        axes.swap(a, b);
        self.permuted(axes)
    }

    /// The transposed matrix (of each matrix in a batch: the last two axes are exchanged).
    ///
    /// # Panics
    /// If the tensor has fewer than two axes.
    #[track_caller]
    pub fn t(&self) -> Tensor<T> {
        assert!(self.rank() >= 2, "t: a matrix is wanted, not a tensor of shape {}", self.shape());
        self.transpose(-2, -1)
    }
}

// ---- expand ----

/// Repeated along axes of size 1 and along new axes in front.
#[derive(Clone, Copy)]
struct Expand;

impl<T: Element> Op<T> for Expand {
    const NAME: &'static str = "expand";
    fn backward(self, dy: Tensor<T>, grads: &mut Grads<'_, T>) {
        // The engine sums a gradient to the shape of its input.
        grads.set(0, || dy);
    }
}

/// [`Tensor::expand`] to a shape that is known to fit.
#[track_caller]
pub(crate) fn expand_to<T: Element>(x: &Tensor<T>, shape: Dims) -> Tensor<T> {
    let layout = x.layout().broadcast_to(shape).expect("a shape that fits");
    x.with_layout(layout).recorded([x], || Expand)
}

impl<T: Element> Tensor<T> {
    /// Broadcast to `shape` without copying, as `torch.expand`.
    ///
    /// # Panics
    /// If `shape` cannot be reached by repeating axes of size 1 and adding axes in front.
    #[track_caller]
    pub fn expand(&self, shape: impl Into<Dims>) -> Tensor<T> {
        let shape = shape.into();
        assert!(
            self.layout().broadcast_to(shape).is_some(),
            "expand: {} to {shape}; only axes of size 1 repeat, and new ones in front",
            self.shape()
        );
        expand_to(self, shape)
    }
}

// ---- contiguous ----

/// A copy in row-major order.
#[derive(Clone, Copy)]
struct Contiguous;

impl<T: Element> Op<T> for Contiguous {
    const NAME: &'static str = "contiguous";
    fn backward(self, dy: Tensor<T>, grads: &mut Grads<'_, T>) {
        grads.set(0, || dy);
    }
}

impl<T: Element> Tensor<T> {
    /// The same values, row-major in memory: this tensor itself if it already is, else a copy.
    #[track_caller]
    pub fn contiguous(&self) -> Tensor<T> {
        if self.is_contiguous() { self.clone() } else { self.packed().recorded([self], || Contiguous) }
    }
}

// ---- slice ----

/// Every `step`-th index along an axis, from `start` on.
#[derive(Clone, Copy)]
struct Slice {
    from: Dims,
    axis: usize,
    start: usize,
    step: usize,
}

impl<T: Element> Op<T> for Slice {
    const NAME: &'static str = "slice";
    fn backward(self, dy: Tensor<T>, grads: &mut Grads<'_, T>) {
        let Slice { from, axis, start, step } = self;
        grads.set(0, || dy.unsliced(from, axis, start, step));
    }
}

/// The reverse of [`Slice`]: into zeros of the shape it was taken from.
#[derive(Clone, Copy)]
struct Unslice {
    axis: usize,
    start: usize,
    step: usize,
    count: usize,
}

impl<T: Element> Op<T> for Unslice {
    const NAME: &'static str = "unslice";
    fn backward(self, dy: Tensor<T>, grads: &mut Grads<'_, T>) {
        let Unslice { axis, start, step, count } = self;
        grads.set(0, || dy.sliced(axis, start, step, count));
    }
}

impl<T: Element> Tensor<T> {
    /// `count` indices along `axis`, from `start` in steps of `step`; known to be in range.
    #[track_caller]
    pub(crate) fn sliced(&self, axis: usize, start: usize, step: usize, count: usize) -> Tensor<T> {
        let from = *self.shape();
        self.with_layout(self.layout().sliced(axis, start, step, count)).recorded([self], || Slice {
            from,
            axis,
            start,
            step,
        })
    }

    #[track_caller]
    fn unsliced(&self, shape: Dims, axis: usize, start: usize, step: usize) -> Tensor<T> {
        let inner: usize = shape[axis + 1..].iter().product();
        let (size, count) = (shape[axis], self.shape()[axis]);
        let packed = self.packed();
        Tensor::build(shape, |out| {
            out.fill(T::default());
            if packed.count() == 0 {
                return;
            }
            for (out, x) in out.chunks_exact_mut(size * inner).zip(packed.slice().chunks_exact(count * inner)) {
                for (i, row) in x.chunks_exact(inner).enumerate() {
                    let at = (start + i * step) * inner;
                    out[at..at + inner].copy_from_slice(row);
                }
            }
        })
        .recorded([self], || Unslice { axis, start, step, count })
    }

    /// `length` indices along `axis`, from `start` on, as `torch.narrow`. A view.
    ///
    /// # Panics
    /// If they are not all there.
    #[track_caller]
    pub fn narrow(&self, axis: isize, start: usize, length: usize) -> Tensor<T> {
        let axis = resolve_axis("narrow", axis, self.rank());
        let end = start.saturating_add(length);
        assert!(
            end <= self.shape()[axis],
            "narrow: indices {start}..{end} of axis {axis} of a tensor of shape {}",
            self.shape()
        );
        self.sliced(axis, start, 1, length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gradcheck::check_unary;

    #[test]
    fn gradients() {
        check_unary(|x| x.reshape([-1]) * 2.0);
        check_unary(|x| x.transpose(0, -1));
        check_unary(|x| x.unsqueeze(0).expand(x.shape().inserted(0, 3)));
        check_unary(|x| x.narrow(-1, 1, 1) * x);
        check_unary(|x| x.transpose(0, -1).contiguous().flatten(0));
    }

    #[test]
    #[should_panic(expected = "reshape: sizes [-2, -3]; at most one may be -1, the others not negative")]
    fn two_negative_sizes_are_no_product() {
        Tensor::zeros([6]).reshape([-2, -3]);
    }

    #[test]
    #[should_panic(expected = "permute: axis -1 is named twice")]
    fn an_axis_that_is_named_twice_is_refused() {
        Tensor::zeros([2, 3]).permute([1, -1]);
    }

    #[test]
    fn views_share_storage() {
        let x = Tensor::arange(0.0, 24.0, 1.0).reshape([2, 3, 4]);
        let y = x.permute([2, 0, 1]).narrow(0, 1, 2);
        assert!(y.shares_storage(&x));
        assert_eq!(y.to_vec(), [1., 5., 9., 13., 17., 21., 2., 6., 10., 14., 18., 22.]);
    }
}
