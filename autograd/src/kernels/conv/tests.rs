//! The fast ones against the definition, on every instruction set. Values are small integers, so that sums are exact in
//! whatever order they are added up, and results are equal or wrong.

use super::{Conv, reference};
use crate::kernels::element::Float;
use crate::kernels::gemm::Isa;

/// Integers from −3 to 3.
fn integers<T: Float>(count: usize, seed: usize) -> Vec<T> {
    (0..count).map(|i| T::from_f64(((i * 7919 + seed * 104_729 + i * i % 31) % 7) as f64 - 3.0)).collect()
}

fn elements(shape: [usize; 4]) -> usize {
    shape.iter().product()
}

fn check<T: Float>(conv: &Conv) {
    let (x, w, dy) = (
        integers::<T>(elements(conv.input_shape()), 1),
        integers::<T>(elements(conv.weight_shape()), 2),
        integers::<T>(elements(conv.output_shape()), 3),
    );
    let (y_bias, x_bias) = (integers::<T>(conv.output_shape()[1], 4), integers::<T>(conv.input_shape()[1], 5));
    let (mut want_y, mut want_dx, mut want_dw) = (dy.clone(), x.clone(), w.clone());
    reference::forward(conv, &x, &w, &mut want_y);
    reference::input_grad(conv, &dy, &w, &mut want_dx);
    reference::weight_grad(conv, &x, &dy, &mut want_dw);
    let biased = |values: &[T], bias: &[T], pixels: [usize; 2]| -> Vec<T> {
        let channel = |i: usize| i / (pixels[0] * pixels[1]) % bias.len();
        values.iter().enumerate().map(|(i, &value)| value + bias[channel(i)]).collect()
    };
    for isa in Isa::available() {
        let mut y = vec![T::from_f64(f64::NAN); dy.len()];
        conv.forward_on(isa, &x, &w, None, &mut y);
        assert!(y == want_y, "forward on {isa:?}: {conv:?}");
        conv.forward_on(isa, &x, &w, Some(&y_bias), &mut y);
        assert!(y == biased(&want_y, &y_bias, conv.output), "forward with a bias on {isa:?}: {conv:?}");

        let mut dx = vec![T::from_f64(f64::NAN); x.len()];
        conv.input_grad_on(isa, &dy, &w, None, &mut dx);
        assert!(dx == want_dx, "input_grad on {isa:?}: {conv:?}");
        conv.input_grad_on(isa, &dy, &w, Some(&x_bias), &mut dx);
        assert!(dx == biased(&want_dx, &x_bias, conv.input), "input_grad with a bias on {isa:?}: {conv:?}");

        let mut dw = vec![T::from_f64(f64::NAN); w.len()];
        conv.weight_grad_on(isa, &x, &dy, &mut dw);
        assert!(dw == want_dw, "weight_grad on {isa:?}: {conv:?}");
    }
}

/// A convolution over as many windows as fit, plus `dropped` rows and columns that no window sees.
fn conv(batch: usize, [groups, in_channels, out_channels]: [usize; 3], axes: [Axis; 2], dropped: usize) -> Conv {
    let each = |f: fn(&Axis) -> usize| [f(&axes[0]), f(&axes[1])];
    let fit = |axis: &Axis| (axis.output - 1) * axis.stride + axis.dilation * (axis.kernel - 1) + 1;
    let input = axes.each_ref().map(|axis| (fit(axis) + dropped.min(axis.stride - 1)).saturating_sub(2 * axis.padding));
    let (kernel, stride, padding, dilation) =
        (each(|a| a.kernel), each(|a| a.stride), each(|a| a.padding), each(|a| a.dilation));
    let output = [0, 1].map(|axis| {
        Conv::windows(input[axis], kernel[axis], stride[axis], padding[axis], dilation[axis]).expect("windows fit")
    });
    Conv { batch, groups, in_channels, out_channels, input, kernel, output, stride, padding, dilation }
}

#[derive(Clone, Copy)]
struct Axis {
    output: usize,
    kernel: usize,
    stride: usize,
    padding: usize,
    dilation: usize,
}

#[test]
fn a_sweep_agrees_with_the_definition() {
    for (stride, padding, dilation) in
        [(1, 0, 1), (1, 1, 1), (2, 0, 1), (2, 1, 1), (1, 2, 2), (2, 2, 3), (3, 1, 1), (3, 0, 2), (1, 4, 1)]
    {
        for (groups, kernel, dropped) in [(1, [3, 3], 0), (2, [3, 2], 1), (3, [1, 4], 2), (1, [1, 1], 0)] {
            let height = Axis { output: 5, kernel: kernel[0], stride, padding: padding.min(kernel[0]), dilation };
            let width = Axis { output: 7, kernel: kernel[1], stride, padding: padding.min(kernel[1]), dilation };
            check::<f32>(&conv(2, [groups, 3, 2], [height, width], dropped));
        }
    }
    // Axes that differ in everything.
    let height = Axis { output: 4, kernel: 2, stride: 3, padding: 1, dilation: 1 };
    let width = Axis { output: 9, kernel: 5, stride: 1, padding: 3, dilation: 2 };
    check::<f64>(&conv(3, [2, 2, 3], [height, width], 2));
    check::<f32>(&conv(3, [2, 2, 3], [width, height], 2));
}

#[test]
fn sizes_around_tiles_and_tasks_agree_with_the_definition() {
    let axis = |output: usize, stride: usize| Axis { output, kernel: 3, stride, padding: 1, dilation: 1 };
    // One window a sample: many samples share a product; depthwise; channels beyond a block of rows.
    for (batch, channels, outputs, stride) in [
        (1, [1, 1, 1], [1, 1], 1),
        (300, [1, 5, 7], [1, 1], 1),
        (37, [1, 3, 4], [3, 3], 2),
        (9, [4, 1, 1], [6, 17], 1),
        (5, [1, 17, 33], [16, 16], 1),
        (2, [1, 40, 130], [13, 13], 2),
        (17, [1, 2, 3], [5, 31], 1),
    ] {
        if !crate::kernels::is_tested_here(batch * outputs[0] * outputs[1]) {
            continue;
        }
        let conv = conv(batch, channels, [axis(outputs[0], stride), axis(outputs[1], stride)], 0);
        check::<f32>(&conv);
        check::<f64>(&conv);
    }
}

#[test]
fn nothing_in_nothing_out() {
    let axis = Axis { output: 3, kernel: 2, stride: 1, padding: 0, dilation: 1 };
    check::<f32>(&conv(0, [1, 2, 3], [axis, axis], 0));
    check::<f32>(&conv(2, [1, 2, 0], [axis, axis], 0));
    check::<f32>(&conv(2, [1, 0, 2], [axis, axis], 0));
}

#[test]
fn the_same_bits_at_any_number_of_threads() {
    let axis = Axis { output: 14, kernel: 3, stride: 2, padding: 1, dilation: 1 };
    let conv = conv(16, [1, 16, 24], [axis, axis], 1);
    let values = |count: usize, seed: usize| -> Vec<f32> {
        integers::<f32>(count, seed).iter().enumerate().map(|(i, x)| x * 0.1 + (i % 13) as f32 * 0.01).collect()
    };
    let (x, w) = (values(elements(conv.input_shape()), 1), values(elements(conv.weight_shape()), 2));
    let dy = values(elements(conv.output_shape()), 3);
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
        pool.install(|| {
            let (mut y, mut dx, mut dw) = (dy.clone(), x.clone(), w.clone());
            conv.forward(&x, &w, None, &mut y);
            conv.input_grad(&dy, &w, None, &mut dx);
            conv.weight_grad(&x, &dy, &mut dw);
            [y, dx, dw].map(|values| values.iter().map(|x| x.to_bits()).collect::<Vec<_>>())
        })
    };
    let one = run(1);
    assert!(one == run(2) && one == run(3));
}
