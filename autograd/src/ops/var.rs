//! Variance and standard deviation over axes.
//!
//! ```text
//! y = Σ (x − mean)² / (n − c)       dx = 2(x − mean)/(n − c)·dy
//! s = √y                            dx = (x − mean)/((n − c)·s)·dy, 0 where s = 0
//! ```
//!
//! c, the correction, is 1 for the unbiased estimate from a sample and 0 for the variance of the numbers
//! themselves. The mean is saved along with x, unless the gradient is to be differentiated again: then it
//! is calculated once more, recorded.

use super::rows::RowsAlong;
use super::signed_power::SignedPower;
use super::unary::Function;
use crate::graph::{Grads, Op};
use crate::kernels::element::Float;
use crate::kernels::variance;
use crate::tensor::{Axes, Dims, Tensor};

/// A variance, or if `ROOT`, a standard deviation.
#[derive(Clone)]
struct Var<T: Float, const ROOT: bool> {
    x: Tensor<T>,
    /// With its axes kept.
    mean: Tensor<T>,
    axes: Dims,
    /// n − c
    divisor: T,
}

impl<T: Float, const ROOT: bool> Op<T> for Var<T, ROOT> {
    const NAME: &'static str = if ROOT { "std" } else { "var" };
    const SAVES_OUTPUT: bool = ROOT;

    fn backward(self, dy: Tensor<T>, grads: &mut Grads<'_, T>) {
        let Var { x, mean, axes, divisor } = self;
        let kept = *mean.shape();
        let mean = if grads.create_graph() { x.mean_keepdim(axes) } else { mean };
        let dy = dy.reshape(kept);
        let factor = if ROOT {
            let reciprocal = SignedPower { exponent: -T::ONE, odd: false };
            dy * (reciprocal.apply(&grads.output().reshape(kept)) / divisor)
        } else {
            dy * (T::from_f64(2.0) / divisor)
        };
        grads.set(0, || (x - mean) * factor);
    }
}

impl<T: Float> Tensor<T> {
    /// The variance over `axes`, which disappear, as `torch.var`. `correction` is what is subtracted from
    /// the number of elements that the sum of squares is divided by: 1 for the unbiased estimate
    /// (PyTorch's default), 0 for the variance of these very numbers (which normalisation uses).
    ///
    /// ```
    /// use autograd::Tensor;
    /// let x = Tensor::from([1.0, 2.0, 3.0, 4.0]);
    /// assert_eq!(x.var(.., 0).item(), 1.25);
    /// assert_eq!(x.var(.., 1).item(), 5.0 / 3.0);
    /// ```
    ///
    /// NaN over no elements, or over one with a correction of 1.
    ///
    /// # Panics
    /// If there is no such axis, or one is named twice.
    #[track_caller]
    pub fn var(&self, axes: impl Axes, correction: usize) -> Tensor<T> {
        self.var_along(axes.resolve("var", self.rank()), correction, false)
    }

    /// [`var`](Tensor::var) over `axes`, which stay with size 1.
    ///
    /// # Panics
    /// If there is no such axis, or one is named twice.
    #[track_caller]
    pub fn var_keepdim(&self, axes: impl Axes, correction: usize) -> Tensor<T> {
        self.var_along(axes.resolve("var", self.rank()), correction, true)
    }

    /// The standard deviation over `axes`, which disappear, as `torch.std`: the root of the
    /// [variance](Tensor::var). Where it is 0, its gradient is taken to be 0.
    ///
    /// # Panics
    /// If there is no such axis, or one is named twice.
    #[track_caller]
    pub fn std(&self, axes: impl Axes, correction: usize) -> Tensor<T> {
        self.std_along(axes.resolve("std", self.rank()), correction, false)
    }

    /// [`std`](Tensor::std) over `axes`, which stay with size 1.
    ///
    /// # Panics
    /// If there is no such axis, or one is named twice.
    #[track_caller]
    pub fn std_keepdim(&self, axes: impl Axes, correction: usize) -> Tensor<T> {
        self.std_along(axes.resolve("std", self.rank()), correction, true)
    }

    #[track_caller]
    fn var_along(&self, axes: Dims, correction: usize, keepdim: bool) -> Tensor<T> {
        let (y, op) = self.variance::<false>(axes, correction, keepdim);
        y.recorded([self], || op)
    }

    #[track_caller]
    fn std_along(&self, axes: Dims, correction: usize, keepdim: bool) -> Tensor<T> {
        let (mut y, op) = self.variance::<true>(axes, correction, keepdim);
        for y in y.slice_mut() {
            *y = y.sqrt();
        }
        y.recorded([self], || op)
    }

    /// The variance, without history, and what its backward needs.
    fn variance<const ROOT: bool>(&self, axes: Dims, correction: usize, keepdim: bool) -> (Tensor<T>, Var<T, ROOT>) {
        let along = RowsAlong::new(self.shape(), axes);
        let x = along.pack(self);
        let divisor = T::from_f64(along.n.saturating_sub(correction) as f64);
        let mut mean = Tensor::build(along.reduced(true), |_| {});
        let y = Tensor::build(along.reduced(keepdim), |y| {
            variance::variance(x.slice(), along.n, divisor, mean.slice_mut(), y);
        });
        (y, Var { x: self.clone(), mean, axes, divisor })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gradcheck::check_unary;

    #[test]
    fn gradients() {
        for correction in [0, 1] {
            check_unary(|x| x.var(.., correction));
            check_unary(|x| x.var(-1, correction));
            check_unary(|x| x.var_keepdim(0, 0) * x);
        }
        check_unary(|x| x.std(.., 1));
        check_unary(|x| (x * x + x).std_keepdim(-1, 0) * x);
    }

    #[test]
    fn several_axes_at_once() {
        let x = Tensor::arange(0.0, 24.0, 1.0).reshape([2, 3, 4]);
        // Each of 3 rows is 0..4 twice, shifted by multiples of 4 and by 12: ((x − 1.5)² summed twice + 8·6²) / 8.
        assert_eq!(x.var([0, 2], 0).to_vec(), [37.25; 3]);
        assert_eq!(*x.std_keepdim([0, 2], 1).shape(), [1, 3, 1]);
    }

    /// Values from PyTorch 2.15.
    #[test]
    fn too_few_elements_and_equal_ones_as_pytorch() {
        let at = |x: &Tensor, f: fn(&Tensor) -> Tensor| {
            let x = x.requires_grad();
            let y = f(&x);
            y.backward();
            (y.item(), x.grad().unwrap().to_vec())
        };
        let (one, same) = (Tensor::from([3.0]), Tensor::from([3.0, 3.0]));
        for (y, dx) in [at(&one, |x| x.var(0, 1)), at(&one, |x| x.std(0, 1))] {
            assert!(y.is_nan() && dx[0].is_nan());
        }
        assert_eq!(at(&one, |x| x.std(0, 0)), (0.0, vec![0.0]));
        assert_eq!(at(&same, |x| x.var(0, 1)), (0.0, vec![0.0; 2]));
        assert_eq!(at(&same, |x| x.std(0, 1)), (0.0, vec![0.0; 2]));
        assert!(Tensor::zeros([0]).var(0, 1).item().is_nan());
        assert!(Tensor::zeros([2, 0]).var(1, 0).iter().all(f32::is_nan));
        assert_eq!(Tensor::from([1.0, 2.0]).var(0, 5).item(), f32::INFINITY);
        assert!(Tensor::from([1.0, f32::INFINITY]).std(0, 1).item().is_nan());
    }
}
