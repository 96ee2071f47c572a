//! The logarithm of a sum of exponentials: a maximum that is smooth.
//!
//! ```text
//! y = ln Σ e^x        dx = e^(x−y)·dy = softmax(x)·dy
//! ```
//!
//! Input and output are saved. The kernel subtracts a row's largest element first, so nothing overflows.

use super::rows::RowsAlong;
use crate::graph::{Grads, Op};
use crate::kernels::element::Float;
use crate::kernels::softmax as kernel;
use crate::tensor::{Axes, Tensor};

#[derive(Clone)]
struct LogSumExp<T: Float> {
    x: Tensor<T>,
    along: RowsAlong,
}

impl<T: Float> Op<T> for LogSumExp<T> {
    const NAME: &'static str = "logsumexp";
    const SAVES_OUTPUT: bool = true;

    fn backward(self, dy: Tensor<T>, grads: &mut Grads<'_, T>) {
        let LogSumExp { x, along } = self;
        let y = grads.output();
        if grads.create_graph() {
            grads.set(0, || {
                // Not by softmax, which has no value in a row with an infinity.
                let slope = (along.split(&x) - along.column(&y)).exp();
                along.join(&(slope * along.column(&dy)))
            });
        } else {
            grads.set(0, || {
                let (x, y, dy) = (along.pack(&x), y.packed(), dy.packed());
                along.join(&Tensor::build(*x.shape(), |dx| {
                    kernel::logsumexp_backward(x.slice(), along.n, y.slice(), dy.slice(), dx);
                }))
            });
        }
    }
}

impl<T: Float> Tensor<T> {
    /// ln Σ e^x over `axes`, which disappear, as `torch.logsumexp`: −∞ over no elements.
    ///
    /// ```
    /// use autograd::Tensor;
    /// let y = Tensor::from([1000.0, 1000.0]).logsumexp(..);
    /// assert!((y.item() - (1000.0 + 2.0_f32.ln())).abs() < 1e-4);
    /// ```
    ///
    /// # Panics
    /// If there is no such axis, or one is named twice.
    #[track_caller]
    pub fn logsumexp(&self, axes: impl Axes) -> Tensor<T> {
        self.logsumexp_along(RowsAlong::new(self.shape(), axes.resolve("logsumexp", self.rank())), false)
    }

    /// [`logsumexp`](Tensor::logsumexp) over `axes`, which stay with size 1.
    ///
    /// # Panics
    /// If there is no such axis, or one is named twice.
    #[track_caller]
    pub fn logsumexp_keepdim(&self, axes: impl Axes) -> Tensor<T> {
        self.logsumexp_along(RowsAlong::new(self.shape(), axes.resolve("logsumexp", self.rank())), true)
    }

    #[track_caller]
    fn logsumexp_along(&self, along: RowsAlong, keepdim: bool) -> Tensor<T> {
        let x = along.pack(self);
        let y = Tensor::build(along.reduced(keepdim), |y| kernel::logsumexp(x.slice(), along.n, y));
        y.recorded([self], || LogSumExp { x: self.clone(), along })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gradcheck::check_unary;
    use crate::graph::{GradOptions, grad};

    #[test]
    fn gradients() {
        check_unary(|x| x.logsumexp(..));
        check_unary(|x| x.logsumexp(-1));
        check_unary(|x| x.logsumexp_keepdim(0) * x);
    }

    #[test]
    fn several_axes_at_once() {
        let x = Tensor::arange_of(0.0_f64, 24.0, 1.0).reshape([2, 3, 4]);
        let y = x.logsumexp([0, 2]);
        assert_eq!(*y.shape(), [3]);
        for (i, y) in y.iter().enumerate() {
            let expected: f64 = (0..24).filter(|flat| flat / 4 % 3 == i).map(|flat| (flat as f64).exp()).sum();
            // A sum of 8 terms, each and the logarithm within an ulp or two.
            assert!((y - expected.ln()).abs() < 16.0 * f64::EPSILON * y.abs());
        }
    }

    /// Values from PyTorch 2.15.
    #[test]
    fn infinities_and_nan_as_pytorch() {
        let (inf, nan) = (f32::INFINITY, f32::NAN);
        for (x, y, dx) in [
            ([-inf, -inf], -inf, [nan, nan]),
            ([inf, 0.0], inf, [nan, 0.0]),
            ([nan, 0.0], nan, [nan, nan]),
            ([-inf, 1.0], 1.0, [0.0, 1.0]),
        ] {
            let same = |a: f32, b: f32| a == b || a.is_nan() && b.is_nan();
            let leaf = Tensor::from(x).requires_grad();
            for create_graph in [false, true] {
                let result = leaf.logsumexp(..);
                assert!(same(result.item(), y), "{x:?}");
                let options = GradOptions { create_graph, ..Default::default() };
                let gradient = grad(&[&result], &[&leaf], options).remove(0);
                assert!(gradient.iter().zip(dx).all(|(a, b)| same(a, b)), "{x:?}: {:?}", gradient.to_vec());
            }
        }
        assert_eq!(Tensor::zeros([2, 0]).logsumexp(1).to_vec(), [-inf, -inf]);
    }
}
