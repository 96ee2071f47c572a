//! ReLU and its leaky and exponential relatives.
//!
//! ```text
//! relu          y = max(x, 0)                    dx = dy where y > 0, else 0
//! leaky_relu    y = x where x > 0, else s·x      dx = dy where x > 0, else s·dy
//! elu           y = x where x > 0, else α(eˣ−1)  dx = dy where x > 0, else αeˣ·dy
//! ```
//!
//! relu saves its output, which tells as much as the input and is often saved by the next layer too;
//! the others save x. At the kink, 0, each has the derivative from the left, as in PyTorch. NaN stays
//! NaN.

use super::unary::{Function, Saves};
use crate::kernels::element::{Float, Number};
use crate::kernels::elementwise::Unary;
use crate::tensor::Tensor;

#[derive(Clone, Copy)]
struct Relu;

impl<T: Number> Unary<T> for Relu {
    #[inline(always)]
    fn eval(self, x: T) -> T {
        x.maximum(T::ZERO)
    }
}

impl<T: Number> Function<T> for Relu {
    const NAME: &'static str = "relu";
    const SAVES: Saves = Saves::Output;

    #[inline(always)]
    fn derivative(self, y: T, dy: T) -> T {
        if y <= T::ZERO { T::ZERO } else { dy }
    }

    fn backward(self, y: &Tensor<T>, dy: &Tensor<T>) -> Tensor<T> {
        dy.masked_fill(&y.le(T::ZERO), T::ZERO)
    }
}

#[derive(Clone, Copy)]
struct LeakyRelu<T> {
    slope: T,
}

impl<T: Float> Unary<T> for LeakyRelu<T> {
    #[inline(always)]
    fn eval(self, x: T) -> T {
        if x > T::ZERO { x } else { x * self.slope }
    }
}

impl<T: Float> Function<T> for LeakyRelu<T> {
    const NAME: &'static str = "leaky_relu";
    const SAVES: Saves = Saves::Input;

    #[inline(always)]
    fn derivative(self, x: T, dy: T) -> T {
        if x > T::ZERO { dy } else { dy * self.slope }
    }

    fn backward(self, x: &Tensor<T>, dy: &Tensor<T>) -> Tensor<T> {
        Tensor::where_(&x.gt(T::ZERO), dy, &(dy * self.slope))
    }
}

#[derive(Clone, Copy)]
struct Elu<T> {
    alpha: T,
}

impl<T: Float> Unary<T> for Elu<T> {
    #[inline(always)]
    fn eval(self, x: T) -> T {
        if x > T::ZERO { x } else { self.alpha * T::exp_m1(x) }
    }
}

impl<T: Float> Function<T> for Elu<T> {
    const NAME: &'static str = "elu";
    const SAVES: Saves = Saves::Input;

    #[inline(always)]
    fn derivative(self, x: T, dy: T) -> T {
        if x > T::ZERO { dy } else { self.alpha * T::exp(x) * dy }
    }

    fn backward(self, x: &Tensor<T>, dy: &Tensor<T>) -> Tensor<T> {
        let positive = x.gt(T::ZERO);
        // Without the fill, eˣ could be ∞ where it is not looked at, and its own gradient there 0·∞.
        let slope = x.masked_fill(&positive, T::ZERO).exp() * self.alpha;
        Tensor::where_(&positive, dy, &(slope * dy))
    }
}

impl<T: Number> Tensor<T> {
    /// max(x, 0), element by element, as `torch.relu`. Any shape; the result has the same.
    ///
    /// ```
    /// use autograd::Tensor;
    /// assert_eq!(Tensor::from([-1.0, 0.0, 2.0]).relu().to_vec(), [0.0, 0.0, 2.0]);
    /// ```
    #[track_caller]
    pub fn relu(&self) -> Tensor<T> {
        Relu.apply(self)
    }
}

impl<T: Float> Tensor<T> {
    /// x where x > 0, else `slope`·x, as `torch.nn.functional.leaky_relu` (whose `negative_slope` is
    /// 0.01 by default). Any shape; the result has the same.
    ///
    /// ```
    /// use autograd::Tensor;
    /// assert_eq!(Tensor::from([-4.0, 2.0]).leaky_relu(0.25).to_vec(), [-1.0, 2.0]);
    /// ```
    #[track_caller]
    pub fn leaky_relu(&self, slope: T) -> Tensor<T> {
        LeakyRelu { slope }.apply(self)
    }

    /// x where x > 0, else `alpha`·(eˣ − 1), as `torch.nn.functional.elu` (whose `alpha` is 1 by
    /// default). Any shape; the result has the same.
    ///
    /// ```
    /// use autograd::Tensor;
    /// assert_eq!(Tensor::from([f32::NEG_INFINITY, 3.0]).elu(1.0).to_vec(), [-1.0, 3.0]);
    /// ```
    #[track_caller]
    pub fn elu(&self, alpha: T) -> Tensor<T> {
        Elu { alpha }.apply(self)
    }
}

#[cfg(test)]
mod tests {
    use crate::gradcheck::check_elementwise;
    use crate::ops::testing::{INF, NAN, assert_like_pytorch};

    #[test]
    fn gradients() {
        for range in [-2.0..-0.01, 0.01..2.0] {
            check_elementwise(range.clone(), |x| x.relu());
            check_elementwise(range.clone(), |x| x.leaky_relu(0.1));
            check_elementwise(range, |x| x.elu(1.5));
        }
    }

    #[test]
    fn edges() {
        let cases =
            [[0., 0., 0.], [-0., -0., 0.], [1., 1., 1.], [-1., 0., 0.], [INF, INF, 1.], [-INF, 0., 0.], [NAN, NAN, 1.]];
        assert_like_pytorch!(|x| x.relu(), cases);
        let cases = [
            [0., 0., 0.25],
            [-0., -0., 0.25],
            [1., 1., 1.],
            [-1., -0.25, 0.25],
            [INF, INF, 1.],
            [-INF, -INF, 0.25],
            [NAN, NAN, 0.25],
        ];
        assert_like_pytorch!(|x| x.leaky_relu(0.25), cases);
        // In a tensor of a few elements PyTorch says 1 for the gradient of elu at NaN, in a longer one NaN.
        let cases = [
            [0., 0., 2.],
            [-0., -0., 2.],
            [1., 1., 1.],
            [-1., -1.264_241_117_657_115_3, 0.735_758_882_342_884_7],
            [INF, INF, 1.],
            [-INF, -2., 0.],
            [NAN, NAN, NAN],
            [-32., -1.999_999_999_999_974_7, 2.532_833_109_818_835e-14],
            [1000., 1000., 1.],
        ];
        assert_like_pytorch!(|x| x.elu(2.0), cases);
    }

    #[test]
    fn second_derivative_of_elu_is_finite_where_the_exponential_is_not() {
        use crate::{GradOptions, Tensor, grad};
        let x = Tensor::from([1000.0]).requires_grad();
        let dx = grad(&[&x.elu(1.0)], &[&x], GradOptions::create_graph()).remove(0);
        assert_eq!(grad(&[&dx], &[&x], GradOptions::default())[0].item(), 0.0);
    }
}
