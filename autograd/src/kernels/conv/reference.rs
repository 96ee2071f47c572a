//! The definition of a convolution and of its gradients, and the oracle of the fast ones.

use super::Conv;
use crate::kernels::element::Float;

/// Calls `f(input, weight, output)` with the places of the three for every product in the definition.
// ANCHOR: reference
pub fn for_each_product(conv: &Conv, mut f: impl FnMut(usize, usize, usize)) {
    let Conv { batch, groups, in_channels, out_channels, input, kernel, output, stride, padding, dilation } = *conv;
    let pixel = |out: usize, tap: usize, axis: usize| {
        let padded = out * stride[axis] + tap * dilation[axis];
        padded.checked_sub(padding[axis]).filter(|&at| at < input[axis])
    };
    for (n, group, o, c) in product4([batch, groups, out_channels, in_channels]) {
        let in_channel = (n * groups + group) * in_channels + c;
        let out_channel = (n * groups + group) * out_channels + o;
        let pair = (group * out_channels + o) * in_channels + c;
        for (oy, ox, ky, kx) in product4([output[0], output[1], kernel[0], kernel[1]]) {
            if let (Some(iy), Some(ix)) = (pixel(oy, ky, 0), pixel(ox, kx, 1)) {
                f(
                    (in_channel * input[0] + iy) * input[1] + ix,
                    (pair * kernel[0] + ky) * kernel[1] + kx,
                    (out_channel * output[0] + oy) * output[1] + ox,
                );
            }
        }
    }
}

/// Y, [`Conv::output_shape`].
pub fn forward<T: Float>(conv: &Conv, x: &[T], weight: &[T], y: &mut [T]) {
    y.fill(T::ZERO);
    for_each_product(conv, |i, w, o| y[o] += weight[w] * x[i]);
}

/// dX, [`Conv::input_shape`].
pub fn input_grad<T: Float>(conv: &Conv, dy: &[T], weight: &[T], dx: &mut [T]) {
    dx.fill(T::ZERO);
    for_each_product(conv, |i, w, o| dx[i] += weight[w] * dy[o]);
}

/// dW, [`Conv::weight_shape`].
pub fn weight_grad<T: Float>(conv: &Conv, x: &[T], dy: &[T], dw: &mut [T]) {
    dw.fill(T::ZERO);
    for_each_product(conv, |i, w, o| dw[w] += x[i] * dy[o]);
}
// ANCHOR_END: reference

/// All combinations of four numbers below these, the last one the fastest.
fn product4([a, b, c, d]: [usize; 4]) -> impl Iterator<Item = (usize, usize, usize, usize)> {
    (0..a).flat_map(move |i| (0..b).flat_map(move |j| (0..c).flat_map(move |k| (0..d).map(move |l| (i, j, k, l)))))
}
