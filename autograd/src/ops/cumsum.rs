//! Running sums along an axis.
//!
//! ```text
//! y[i] = x[0] + … + x[i]        dx[i] = dy[i] + … + dy[n−1]
//! ```
//!
//! The derivative is a running sum from the end, whose derivative is one from the start.

use crate::graph::{Grads, Op};
use crate::kernels::element::Number;
use crate::kernels::scan;
use crate::tensor::Tensor;
use crate::tensor::axes::resolve_axis;

#[derive(Clone, Copy)]
struct CumSum {
    axis: usize,
    from_end: bool,
}

impl<T: Number> Op<T> for CumSum {
    const NAME: &'static str = "cumsum";
    fn backward(self, dy: Tensor<T>, grads: &mut Grads<'_, T>) {
        grads.set(0, || dy.running_sums(self.axis, !self.from_end));
    }
}

impl<T: Number> Tensor<T> {
    /// The sums of the elements up to each, along `axis`, as `torch.cumsum`.
    ///
    /// ```
    /// use autograd::Tensor;
    /// assert_eq!(Tensor::from([1.0, 2.0, 3.0]).cumsum(0).to_vec(), [1.0, 3.0, 6.0]);
    /// ```
    ///
    /// # Panics
    /// If there is no such axis.
    #[track_caller]
    pub fn cumsum(&self, axis: isize) -> Tensor<T> {
        self.running_sums(resolve_axis("cumsum", axis, self.rank()), false)
    }

    #[track_caller]
    fn running_sums(&self, axis: usize, from_end: bool) -> Tensor<T> {
        let x = self.packed();
        let inner = x.shape()[axis + 1..].iter().product();
        let y = Tensor::build(*x.shape(), |y| scan::running_sums(x.slice(), x.shape()[axis], inner, from_end, y));
        y.recorded([self], || CumSum { axis, from_end })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gradcheck::check_unary;

    #[test]
    fn gradients() {
        check_unary(|x| x.cumsum(0));
        check_unary(|x| x.cumsum(-1) * x);
    }

    #[test]
    fn an_infinity_stays_and_its_opposite_makes_nan() {
        let inf = f32::INFINITY;
        let y = Tensor::from([1.0, inf, -inf, 2.0]).cumsum(0).to_vec();
        assert!(y[..2] == [1.0, inf] && y[2].is_nan() && y[3].is_nan());
        assert_eq!(*Tensor::zeros([2, 0]).cumsum(1).shape(), [2, 0]);
        assert_eq!(Tensor::of([[1_i64, 2], [3, 4]]).cumsum(0).to_vec(), [1, 2, 4, 6]);
    }
}
