//! Softmax along an axis, and its logarithm.
//!
//! ```text
//! y  = e^x / Σ e^x             dx = y·(dy − Σ y·dy)
//! y  = ln softmax x = x − l    dx = dy − e^y·Σ dy          l = ln Σ e^x
//! ```
//!
//! The sums are along the axis. Both derivatives need only the output, which is what is saved. The
//! kernels subtract a row's largest element first, so nothing overflows.

use super::rows::RowsAlong;
use crate::graph::{Grads, Op};
use crate::kernels::element::Float;
use crate::kernels::softmax::{self as kernel, RowKernel};
use crate::tensor::Tensor;
use crate::tensor::axes::resolve_axis;

/// Whether it is the logarithm.
#[derive(Clone, Copy)]
struct Softmax<const LOG: bool> {
    axis: usize,
}

impl<T: Float, const LOG: bool> Op<T> for Softmax<LOG> {
    const NAME: &'static str = if LOG { "log_softmax" } else { "softmax" };
    const SAVES_OUTPUT: bool = true;

    fn backward(self, dy: Tensor<T>, grads: &mut Grads<'_, T>) {
        let y = grads.output();
        let axis = self.axis;
        if grads.create_graph() {
            grads.set(0, || {
                if LOG {
                    // The softmax of y is e^y, because that sums to 1.
                    &dy - y.softmax(axis as isize) * dy.sum_keepdim(axis)
                } else {
                    &y * (&dy - (&dy * &y).sum_keepdim(axis))
                }
            });
        } else if LOG {
            grads.set(0, || backward(kernel::LogSoftmaxBackward, &y, dy, axis));
        } else {
            grads.set(0, || backward(kernel::SoftmaxBackward, &y, dy, axis));
        }
    }
}

/// y = the kernel of `x` along `axis`, without history.
fn forward<T: Float>(kernel: impl RowKernel<T>, x: &Tensor<T>, axis: usize) -> Tensor<T> {
    let along = RowsAlong::new(x.shape(), [axis].into());
    let x = along.pack(x);
    along.join(&Tensor::build(*x.shape(), |y| kernel::rows(kernel, x.slice(), along.n, y)))
}

/// dx = the kernel of `y` and `dy` along `axis`: in place of dy, if no other handle shares its storage.
fn backward<T: Float>(kernel: impl RowKernel<T>, y: &Tensor<T>, dy: Tensor<T>, axis: usize) -> Tensor<T> {
    let along = RowsAlong::new(y.shape(), [axis].into());
    let (y, mut dx) = (along.pack(y), along.pack(&dy));
    drop(dy);
    kernel::rows(kernel, y.slice(), along.n, dx.slice_mut());
    along.join(&dx)
}

impl<T: Float> Tensor<T> {
    /// e^x / Σ e^x along `axis`, as `torch.softmax`: the same shape, and along that axis it sums to 1.
    ///
    /// ```
    /// use autograd::Tensor;
    /// let y = Tensor::from([[0.0, 0.0], [1000.0, 0.0]]).softmax(-1);
    /// assert_eq!(y.to_vec(), [0.5, 0.5, 1.0, 0.0]);
    /// ```
    ///
    /// # Panics
    /// If there is no such axis.
    #[track_caller]
    pub fn softmax(&self, axis: isize) -> Tensor<T> {
        let axis = resolve_axis("softmax", axis, self.rank());
        forward(kernel::Softmax, self, axis).recorded([self], || Softmax::<false> { axis })
    }

    /// ln [`softmax`](Tensor::softmax), as `torch.log_softmax`. It stays finite where the softmax itself
    /// rounds to 0.
    ///
    /// ```
    /// use autograd::Tensor;
    /// let y = Tensor::from([1000.0, 0.0]).log_softmax(-1);
    /// assert_eq!(y.to_vec(), [0.0, -1000.0]);
    /// ```
    ///
    /// # Panics
    /// If there is no such axis.
    #[track_caller]
    pub fn log_softmax(&self, axis: isize) -> Tensor<T> {
        let axis = resolve_axis("log_softmax", axis, self.rank());
        forward(kernel::LogSoftmax, self, axis).recorded([self], || Softmax::<true> { axis })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gradcheck::check_unary;
    use crate::rng::Rng;

    #[test]
    fn gradients() {
        check_unary(|x| x.softmax(-1));
        check_unary(|x| x.softmax(0));
        check_unary(|x| x.log_softmax(-1));
        check_unary(|x| x.log_softmax(0));
    }

    #[test]
    fn every_axis_agrees_with_the_definition() {
        let x = Tensor::randn_of::<f64>([3, 4, 5], &mut Rng::seeded(5));
        let e = Tensor::from_fn([3, 4, 5], |i| x.to_vec()[i].exp());
        for axis in 0..3 {
            let expected = &e / e.sum_keepdim(axis);
            let close = |a: &Tensor<f64>, b: &Tensor<f64>| a.iter().zip(b.iter()).all(|(a, b)| (a - b).abs() < 1e-14);
            assert!(close(&x.softmax(axis), &expected));
            let ln = x.log_softmax(axis);
            let exponentials = Tensor::from_fn([3, 4, 5], |i| ln.to_vec()[i].exp());
            assert!(close(&exponentials, &expected));
        }
    }

    #[test]
    fn infinities_and_nan_as_pytorch() {
        let inf = f32::INFINITY;
        let all_nan = |x: &Tensor| x.iter().all(f32::is_nan);
        for x in [[-inf, -inf], [inf, 0.0], [f32::NAN, 0.0]] {
            assert!(all_nan(&Tensor::from(x).softmax(0)) && all_nan(&Tensor::from(x).log_softmax(0)), "{x:?}");
        }
        assert_eq!(Tensor::from([-inf, 1.0]).softmax(0).to_vec(), [0.0, 1.0]);
        assert_eq!(Tensor::from([-inf, 1.0]).log_softmax(0).to_vec(), [-inf, 0.0]);
        assert_eq!(*Tensor::zeros([0, 3]).softmax(0).shape(), [0, 3]);
        assert_eq!(*Tensor::zeros([3, 0]).log_softmax(1).shape(), [3, 0]);
    }
}
