//! Sums and means over axes, and the sum that undoes broadcasting.
//!
//! ```text
//! y = Σ x over some axes      dx = dy, repeated along those axes
//! y = (1/n)·Σ x               dx = dy / n, repeated
//! ```

use super::unary::map;
use super::views::expand_to;
use crate::graph::{Grads, Op};
use crate::kernels::element::{Float, Number};
use crate::kernels::elementwise::Unary;
use crate::kernels::reduce::{Fold, Sum, fold_axis};
use crate::tensor::{Axes, Dims, Tensor};

/// Folds `axes` (ascending) of `x`; they stay, with size 1. Without history.
pub(crate) fn fold<T: Number, F: Fold<T>>(f: F, x: &Tensor<T>, axes: &[usize]) -> Tensor<T> {
    if axes.is_empty() {
        return map(Term(f), x);
    }
    let mut x = x.packed();
    // Neighbouring axes are folded at once; runs of them from the last to the first, so that the
    // innermost, whose elements lie side by side, goes first and leaves the least for the others.
    let mut end = axes.len();
    while end > 0 {
        let mut start = end - 1;
        while start > 0 && axes[start - 1] + 1 == axes[start] {
            start -= 1;
        }
        let (first, last) = (axes[start], axes[end - 1]);
        let n = x.shape()[first..=last].iter().product();
        let inner = x.shape()[last + 1..].iter().product();
        let shape = x.shape().replaced(&axes[start..end], 1);
        x = Tensor::build(shape, |out| match end == axes.len() {
            true => fold_axis(f, x.slice(), n, inner, out),
            false => fold_axis(f.merge_only(), x.slice(), n, inner, out),
        });
        end = start;
    }
    x
}

/// The term that an element becomes in a fold.
#[derive(Clone, Copy)]
struct Term<F>(F);

impl<T: Number, F: Fold<T>> Unary<T> for Term<F> {
    #[inline(always)]
    fn eval(self, x: T) -> T {
        self.0.term(x)
    }
}

/// A sum over `axes` of a tensor of shape `shape`.
#[derive(Clone, Copy)]
struct SumOver {
    shape: Dims,
    axes: Dims,
}

impl<T: Number> Op<T> for SumOver {
    const NAME: &'static str = "sum";
    fn backward(self, dy: Tensor<T>, grads: &mut Grads<'_, T>) {
        let kept = self.shape.replaced(&self.axes, 1);
        grads.set(0, || expand_to(&dy.reshape(kept), self.shape));
    }
}

impl<T: Number> Tensor<T> {
    /// The sum over `axes`, which disappear: `x.sum(-1)`, `x.sum([0, 2])`, `x.sum(..)` for all.
    /// As `torch.sum`.
    ///
    /// ```
    /// use autograd::Tensor;
    /// let x = Tensor::from([[1.0, 2.0], [3.0, 4.0]]);
    /// assert_eq!(x.sum(0).to_vec(), [4.0, 6.0]);
    /// assert_eq!(x.sum(..).item(), 10.0);
    /// ```
    ///
    /// # Panics
    /// If there is no such axis, or one is named twice.
    #[track_caller]
    pub fn sum(&self, axes: impl Axes) -> Tensor<T> {
        let axes = axes.resolve("sum", self.rank());
        self.sum_axes(axes, self.shape().without(&axes))
    }

    /// The sum over `axes`, which stay with size 1.
    ///
    /// # Panics
    /// If there is no such axis, or one is named twice.
    #[track_caller]
    pub fn sum_keepdim(&self, axes: impl Axes) -> Tensor<T> {
        let axes = axes.resolve("sum", self.rank());
        self.sum_axes(axes, self.shape().replaced(&axes, 1))
    }

    #[track_caller]
    fn sum_axes(&self, axes: Dims, shape: Dims) -> Tensor<T> {
        let y = fold(Sum, self, &axes);
        y.with_shape(shape).recorded([self], || SumOver { shape: *self.shape(), axes })
    }

    /// The sum over the axes along which `shape` would be broadcast to this shape, or `None` if it would not.
    #[track_caller]
    pub(crate) fn try_sum_to(&self, shape: Dims) -> Option<Tensor<T>> {
        if *self.shape() == shape {
            return Some(self.clone());
        }
        let missing = self.rank().checked_sub(shape.len())?;
        let mut axes: Dims = (0..missing).collect();
        for (axis, &size) in shape.iter().enumerate() {
            let here = self.shape()[missing + axis];
            if size == 1 && here != 1 {
                axes = axes.iter().copied().chain([missing + axis]).collect();
            } else if size != here {
                return None;
            }
        }
        Some(self.sum_axes(axes, shape))
    }
}

impl<T: Float> Tensor<T> {
    /// The mean over `axes`, which disappear. As `torch.mean`: over no elements it is NaN.
    ///
    /// # Panics
    /// If there is no such axis, or one is named twice.
    #[track_caller]
    pub fn mean(&self, axes: impl Axes) -> Tensor<T> {
        let axes = axes.resolve("mean", self.rank());
        self.sum_axes(axes, self.shape().without(&axes)) * self.one_over(&axes)
    }

    /// The mean over `axes`, which stay with size 1.
    ///
    /// # Panics
    /// If there is no such axis, or one is named twice.
    #[track_caller]
    pub fn mean_keepdim(&self, axes: impl Axes) -> Tensor<T> {
        let axes = axes.resolve("mean", self.rank());
        self.sum_axes(axes, self.shape().replaced(&axes, 1)) * self.one_over(&axes)
    }

    /// 1 / the number of elements that a mean over `axes` takes in.
    fn one_over(&self, axes: &[usize]) -> T {
        T::ONE / T::from_f64(axes.iter().map(|&axis| self.shape()[axis]).product::<usize>() as f64)
    }
}

#[cfg(test)]
mod tests {
    use crate::gradcheck::check_unary;

    #[test]
    fn gradients() {
        check_unary(|x| x.sum(..));
        check_unary(|x| x.sum(-1));
        check_unary(|x| x.sum_keepdim(0) * x);
        check_unary(|x| x.mean(..));
        check_unary(|x| x.mean_keepdim(-1) * x);
    }
}
