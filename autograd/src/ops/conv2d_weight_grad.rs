//! The gradient of a convolution with respect to its weight, as an operation of its own.
//!
//! ```text
//! W[o, c, ky, kx] = Σ over n, oy, ox of  Y[n, o, oy, ox] · X[n, c, oy·stride + ky·dilation − padding, …]
//! ```
//!
//! It is the third of the maps that [`conv2d`](super::conv2d) is about. Nobody starts from it: it is recorded when a
//! gradient is itself differentiated, as a gradient penalty does. Its gradients are dX = I(Y, dW) and dY = F(X, dW).

use super::conv_transpose2d::input_grad;
use super::conv2d::{Saved, forward};
use crate::graph::{Grads, Op};
use crate::kernels::conv::Conv;
use crate::kernels::element::Float;
use crate::tensor::{Dims, Tensor};

/// G(X, Y)
#[derive(Clone)]
struct Conv2dWeightGrad<T: Float>(Saved<T>);

impl<T: Float> Op<T> for Conv2dWeightGrad<T> {
    const NAME: &'static str = "conv2d_weight_grad";
    fn backward(self, dw: Tensor<T>, grads: &mut Grads<'_, T>) {
        let Saved { conv, first: x, second: y, .. } = self.0;
        if let Some(y) = y {
            grads.set(0, || input_grad(conv, &y, &dw, None));
        }
        if let Some(x) = x {
            grads.set(1, || forward(conv, &x, &dw, None));
        }
    }
}

/// G(X, Y), recorded. Its gradients are checked where it comes from, in [`conv2d`](super::conv2d).
#[track_caller]
pub(super) fn weight_grad<T: Float>(conv: Conv, x: &Tensor<T>, y: &Tensor<T>) -> Tensor<T> {
    let dw = {
        let (x, y) = (x.packed(), y.packed());
        Tensor::build(Dims::from(conv.weight_shape()), |dw| conv.weight_grad(x.slice(), y.slice(), dw))
    };
    dw.recorded([x, y], || Conv2dWeightGrad(Saved::of(conv, x, y, false)))
}
