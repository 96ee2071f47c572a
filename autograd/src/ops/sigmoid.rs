//! The logistic function, its logarithm, and its integral, the softplus.
//!
//! ```text
//! y = σ(x) = 1 / (1 + e⁻ˣ)            dx = y·(1 − y)·dy
//! y = ln σ(x) = −ln(1 + e⁻ˣ)          dx = σ(−x)·dy
//! y = softplus(x) = ln(1 + e^βx) / β   dx = σ(βx)·dy
//! ```
//!
//! σ saves its output; the others save x. None of them is calculated as it stands here: eˣ overflows
//! long before the results do, and ln σ(x) is about x where σ(x) is 0. See
//! [`kernels::math`](crate::kernels::math) for forms that hold everywhere.

use super::unary::{Function, Saves};
use crate::kernels::element::Float;
use crate::kernels::elementwise::Unary;
use crate::tensor::Tensor;

#[derive(Clone, Copy)]
struct Sigmoid;

impl<T: Float> Unary<T> for Sigmoid {
    #[inline(always)]
    fn eval(self, x: T) -> T {
        T::sigmoid(x)
    }
}

impl<T: Float> Function<T> for Sigmoid {
    const NAME: &'static str = "sigmoid";
    const SAVES: Saves = Saves::Output;

    #[inline(always)]
    fn derivative(self, y: T, dy: T) -> T {
        (T::ONE - y) * y * dy
    }

    fn backward(self, y: &Tensor<T>, dy: &Tensor<T>) -> Tensor<T> {
        (-y + T::ONE) * y * dy
    }
}

#[derive(Clone, Copy)]
struct LogSigmoid;

impl<T: Float> Unary<T> for LogSigmoid {
    #[inline(always)]
    fn eval(self, x: T) -> T {
        T::log_sigmoid(x)
    }
}

impl<T: Float> Function<T> for LogSigmoid {
    const NAME: &'static str = "log_sigmoid";
    const SAVES: Saves = Saves::Input;

    #[inline(always)]
    fn derivative(self, x: T, dy: T) -> T {
        T::sigmoid(-x) * dy
    }

    fn backward(self, x: &Tensor<T>, dy: &Tensor<T>) -> Tensor<T> {
        (-x).sigmoid() * dy
    }
}

#[derive(Clone, Copy)]
struct Softplus<T> {
    beta: T,
    threshold: T,
}

impl<T: Float> Unary<T> for Softplus<T> {
    #[inline(always)]
    fn eval(self, x: T) -> T {
        let scaled = x * self.beta;
        if scaled > self.threshold { x } else { T::softplus(scaled) / self.beta }
    }
}

impl<T: Float> Function<T> for Softplus<T> {
    const NAME: &'static str = "softplus";
    const SAVES: Saves = Saves::Input;

    #[inline(always)]
    fn derivative(self, x: T, dy: T) -> T {
        let scaled = x * self.beta;
        if scaled > self.threshold { dy } else { T::sigmoid(scaled) * dy }
    }

    fn backward(self, x: &Tensor<T>, dy: &Tensor<T>) -> Tensor<T> {
        let scaled = x * self.beta;
        let linear = scaled.gt(self.threshold);
        Tensor::where_(&linear, dy, &(scaled.sigmoid() * dy))
    }
}

impl<T: Float> Tensor<T> {
    /// 1 / (1 + e⁻ˣ), element by element, as `torch.sigmoid`. Any shape; the result has the same.
    ///
    /// ```
    /// use autograd::Tensor;
    /// assert_eq!(Tensor::from([-1000.0, 0.0, 1000.0]).sigmoid().to_vec(), [0.0, 0.5, 1.0]);
    /// ```
    #[track_caller]
    pub fn sigmoid(&self) -> Tensor<T> {
        Sigmoid.apply(self)
    }

    /// ln σ(x), as `torch.nn.functional.logsigmoid`. Any shape; the result has the same.
    ///
    /// ```
    /// use autograd::Tensor;
    /// let x = Tensor::from([-1000.0, 1000.0]);
    /// assert_eq!(x.log_sigmoid().to_vec(), [-1000.0, 0.0]); // x.sigmoid().log() would be -inf
    /// ```
    #[track_caller]
    pub fn log_sigmoid(&self) -> Tensor<T> {
        LogSigmoid.apply(self)
    }

    /// ln(1 + eˣ), a smooth relu, as `torch.nn.functional.softplus`. Any shape; the result has the same.
    ///
    /// ```
    /// use autograd::Tensor;
    /// assert_eq!(Tensor::from([-1000.0, 1000.0]).softplus().to_vec(), [0.0, 1000.0]);
    /// ```
    #[track_caller]
    pub fn softplus(&self) -> Tensor<T> {
        self.softplus_with(T::ONE, T::from_f64(20.0))
    }

    /// ln(1 + e^βx) / β, and just x where βx > `threshold`: `torch.nn.functional.softplus` with its
    /// parameters. Any shape; the result has the same.
    #[track_caller]
    pub fn softplus_with(&self, beta: T, threshold: T) -> Tensor<T> {
        Softplus { beta, threshold }.apply(self)
    }
}

#[cfg(test)]
mod tests {
    use crate::gradcheck::check_elementwise;
    use crate::ops::testing::{INF, NAN, assert_like_pytorch};

    #[test]
    fn gradients() {
        check_elementwise(-3.0..3.0, |x| x.sigmoid());
        check_elementwise(-3.0..3.0, |x| x.log_sigmoid());
        check_elementwise(-3.0..3.0, |x| x.softplus());
        check_elementwise(-3.0..3.0, |x| x.softplus_with(2.0, 20.0));
        check_elementwise(1.01..3.0, |x| x.softplus_with(2.0, 2.0));
    }

    #[test]
    fn edges() {
        let cases = [
            [0., 0.5, 0.25],
            [-0., 0.5, 0.25],
            [1., 0.731_058_578_630_004_9, 0.196_611_933_241_481_85],
            [-1., 0.268_941_421_369_995_1, 0.196_611_933_241_481_85],
            [-32., 1.266_416_554_909_401_6e-14, 1.266_416_554_909_385_5e-14],
            [INF, 1., 0.],
            [-INF, 0., 0.],
            [NAN, NAN, NAN],
        ];
        assert_like_pytorch!(|x| x.sigmoid(), cases);
        let cases = [
            [0., -0.693_147_180_559_945_3, 0.5],
            [-0., -0.693_147_180_559_945_3, 0.5],
            [1., -0.313_261_687_518_222_86, 0.268_941_421_369_995_1],
            [-1., -1.313_261_687_518_222_8, 0.731_058_578_630_004_9],
            [32., -1.266_416_554_909_409_5e-14, 1.266_416_554_909_401_5e-14],
            [-1000., -1000., 1.],
            [INF, 0., 0.],
            [-INF, -INF, 1.],
            [NAN, NAN, NAN],
        ];
        assert_like_pytorch!(|x| x.log_sigmoid(), cases);
        let cases = [
            [0., 0.693_147_180_559_945_3, 0.5],
            [1., 1.313_261_687_518_222_8, 0.731_058_578_630_004_9],
            [-1., 0.313_261_687_518_222_86, 0.268_941_421_369_995_1],
            [20., 20.000_000_002_061_153, 0.999_999_997_938_846_4],
            [20.5, 20.5, 1.],
            [-32., 1.266_416_554_909_409_5e-14, 1.266_416_554_909_401_5e-14],
            [1000., 1000., 1.],
            [INF, INF, 1.],
            [-INF, 0., 0.],
            [NAN, NAN, NAN],
        ];
        assert_like_pytorch!(|x| x.softplus(), cases);
        let cases = [
            [0., 0.346_573_590_279_972_64, 0.5],
            [1., 1.063_464_005_521_486_3, 0.880_797_077_977_882_4],
            [1.25, 1.25, 1.],
            [-1., 0.063_464_005_521_486_25, 0.119_202_922_022_117_55],
            [-16., 6.332_082_774_547_047_5e-15, 1.266_416_554_909_401_5e-14],
            [INF, INF, 1.],
            [-INF, 0., 0.],
            [NAN, NAN, NAN],
        ];
        assert_like_pytorch!(|x| x.softplus_with(2.0, 2.0), cases);
    }
}
