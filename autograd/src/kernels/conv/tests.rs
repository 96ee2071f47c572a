//! The fast ones against the definition, on every instruction set. Values are small integers, so that sums are exact in
//! whatever order they are added up, and results are equal or wrong; in tiles, whose points are no integers, after
//! rounding.

use super::single::Single;
use super::winograd::{Order, Winograd};
use super::{Conv, Way, reference};
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
    // Winograd's points are no integers: sums are a little off, and rounded they are right.
    let agree = |got: &[T], want: &[T], exact: bool| {
        let rounded = |value: T| if exact { value.to_f64() } else { value.to_f64().round() };
        got.len() == want.len() && got.iter().zip(want).all(|(&got, &want)| rounded(got) == want.to_f64())
    };
    // Every way that there is, wherever it is possible.
    let mut ways = vec![Way::Windows];
    ways.extend(Single::of(conv).map(Way::Single));
    if let Some(winograd) = Winograd::possible(conv) {
        ways.extend([Order::ByTask, Order::ByPlace].map(|order| Way::Winograd(winograd.in_order(order))));
    }
    for (isa, way) in Isa::available().into_iter().flat_map(|isa| ways.iter().map(move |way| (isa, way))) {
        let (exact, name) = (!matches!(way, Way::Winograd(_)), format!("{isa:?}, {way:?}: {conv:?}"));
        let forward = |bias: Option<&[T]>| {
            let mut y = vec![T::from_f64(f64::NAN); dy.len()];
            conv.forward_by(way, isa, &x, &w, bias, &mut y);
            y
        };
        assert!(agree(&forward(None), &want_y, exact), "forward on {name}");
        let want = biased(&want_y, &y_bias, conv.output);
        assert!(agree(&forward(Some(&y_bias)), &want, exact), "forward with a bias on {name}");

        let input_grad = |bias: Option<&[T]>| {
            let mut dx = vec![T::from_f64(f64::NAN); x.len()];
            conv.input_grad_by(way, isa, &dy, &w, bias, &mut dx);
            dx
        };
        assert!(agree(&input_grad(None), &want_dx, exact), "input_grad on {name}");
        let want = biased(&want_dx, &x_bias, conv.input);
        assert!(agree(&input_grad(Some(&x_bias)), &want, exact), "input_grad with a bias on {name}");

        let mut dw = vec![T::from_f64(f64::NAN); w.len()];
        conv.weight_grad_by(way, isa, &x, &dy, &mut dw);
        assert!(agree(&dw, &want_dw, exact), "weight_grad on {name}");
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
        for (groups, kernel, dropped) in
            [(1, [3, 3], 0), (2, [3, 2], 1), (3, [1, 4], 2), (1, [1, 1], 0), (1, [2, 2], 0)]
        {
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
fn images_of_one_window_agree_with_the_definition() {
    // The whole image; some of it; with padding around it, and between taps.
    for (batch, channels, kernel, padding, dilation, dropped) in [
        (5, [1, 3, 4], [3, 2], 0, 1, 0),
        (130, [2, 5, 3], [4, 4], 0, 1, 1),
        (1, [3, 2, 1], [3, 4], 1, 1, 0),
        (7, [1, 40, 17], [2, 3], 1, 2, 1),
        (0, [1, 2, 2], [2, 2], 0, 1, 0),
        // So many elements that threads share them.
        (500, [2, 5, 3], [4, 4], 0, 1, 1),
        // No pixel at all, only padding.
        (2, [1, 2, 3], [2, 2], 1, 1, 0),
    ] {
        let axis = |kernel: usize| Axis { output: 1, kernel, stride: 2, padding, dilation };
        let conv = conv(batch, channels, [axis(kernel[0]), axis(kernel[1])], dropped);
        assert!(Single::of(&conv).is_some(), "{conv:?}");
        check::<f32>(&conv);
        check::<f64>(&conv);
    }
}

#[test]
fn tiles_of_every_size_of_image_agree_with_the_definition() {
    // Images of one tile, of several rows of tiles and of so many that a block cuts them; part of a tile at either
    // edge; eights of samples that are full, or not.
    for (batch, channels, outputs, padding) in [
        (5, [1, 3, 2], [4, 4], 0),
        (4, [2, 3, 5], [7, 16], 1),
        (3, [1, 2, 2], [33, 34], 2),
        (17, [1, 5, 4], [5, 19], 1),
        (41, [1, 11, 9], [3, 5], 1),
        (2, [1, 19, 33], [12, 11], 0),
        (9, [2, 17, 16], [5, 6], 6),
        (1, [1, 1, 1], [1, 2], 1),
    ] {
        for (kernel, stride) in [(3, 1), (2, 1), (4, 1), (4, 2), (6, 2), (8, 2)] {
            let axis = |output: usize| Axis { output, kernel, stride, padding, dilation: 1 };
            let conv = conv(batch, channels, [axis(outputs[0]), axis(outputs[1])], 1);
            if crate::kernels::is_tested_here(elements(conv.output_shape()) * conv.in_channels) {
                check::<f32>(&conv);
                check::<f64>(&conv);
            }
        }
    }
}

/// What `winograd/mod.rs` says of its errors, held against the definition in f64.
#[test]
fn fewer_multiplications_cost_little_accuracy() {
    if cfg!(miri) {
        return; // Arithmetic, of which the other tests have enough.
    }
    for (kernel, stride) in [(3, 1), (2, 1), (4, 1), (4, 2), (6, 2), (8, 2)] {
        let axis = Axis { output: 15, kernel, stride, padding: 1, dilation: 1 };
        accuracy(&conv(16, [1, 32, 32], [axis, axis], 0));
    }
}

fn accuracy(conv: &Conv) {
    let mut rng = crate::Rng::seeded(1);
    let mut normal = |shape: [usize; 4]| crate::Tensor::<f32>::randn(shape, &mut rng).to_vec();
    let (x, w, dy) = (normal(conv.input_shape()), normal(conv.weight_shape()), normal(conv.output_shape()));
    let exact = |values: &[f32]| values.iter().map(|&x| f64::from(x)).collect::<Vec<f64>>();
    let (x64, w64, dy64) = (exact(&x), exact(&w), exact(&dy));
    let (mut want_y, mut want_dx, mut want_dw) = (dy64.clone(), x64.clone(), w64.clone());
    reference::forward(conv, &x64, &w64, &mut want_y);
    reference::input_grad(conv, &dy64, &w64, &mut want_dx);
    reference::weight_grad(conv, &x64, &dy64, &mut want_dw);
    let winograd = Winograd::of(conv).expect("as many channels as it pays for");
    let (mut y, mut dx, mut dw) = (dy.clone(), x.clone(), w.clone());
    let error = |got: &[f32], want: &[f64]| -> f64 {
        let squares: f64 = got.iter().zip(want).map(|(&got, want)| (f64::from(got) - want).powi(2)).sum();
        (squares / want.len() as f64).sqrt()
    };
    let isa = Isa::best();
    conv.forward_by(&Way::Windows, isa, &x, &w, None, &mut y);
    conv.input_grad_by(&Way::Windows, isa, &dy, &w, None, &mut dx);
    conv.weight_grad_by(&Way::Windows, isa, &x, &dy, &mut dw);
    let direct = [error(&y, &want_y), error(&dx, &want_dx), error(&dw, &want_dw)];
    let values = [&want_y, &want_dx, &want_dw].map(|values| error(&vec![0.0; values.len()], values));
    for winograd in [Order::ByTask, Order::ByPlace].map(|order| winograd.in_order(order)) {
        winograd.forward(isa, &x, &w, None, &mut y);
        winograd.input_grad(isa, &dy, &w, None, &mut dx);
        winograd.weight_grad(isa, &x, &dy, &mut dw);
        let tiled = [error(&y, &want_y), error(&dx, &want_dx), error(&dw, &want_dw)];
        for ((tiled, direct), values) in tiled.into_iter().zip(direct).zip(values) {
            assert!(tiled <= 7.0 * direct, "root mean square errors {tiled:e} and {direct:e} of {winograd:?}");
            let bound = 12.0 * f64::from(f32::EPSILON) * values;
            assert!(tiled <= bound, "a root mean square error of {tiled:e} where values are {values:e}, {winograd:?}");
        }
    }
}

#[test]
fn nothing_in_nothing_out() {
    let axis = Axis { output: 3, kernel: 2, stride: 1, padding: 0, dilation: 1 };
    check::<f32>(&conv(0, [1, 2, 3], [axis, axis], 0));
    check::<f32>(&conv(0, [1, 2, 3], [Axis { kernel: 3, ..axis }; 2], 0));
    check::<f32>(&conv(2, [1, 2, 0], [axis, axis], 0));
    check::<f32>(&conv(2, [1, 0, 2], [axis, axis], 0));
    check::<f32>(&conv(2, [1, 2, 0], [Axis { kernel: 3, ..axis }; 2], 0));
    check::<f32>(&conv(2, [1, 0, 2], [Axis { kernel: 3, ..axis }; 2], 0));
    // Images without pixels: all that windows see is padding.
    check::<f32>(&conv(2, [1, 2, 3], [Axis { output: 2, kernel: 3, padding: 2, ..axis }; 2], 0));
}

/// Nothing around the images on one axis, so that their rows are one, and something on the other; and images so wide
/// that blocks cut a row of tiles.
#[test]
fn tiles_with_padding_that_differs_by_axis_agree_with_the_definition() {
    for (padding, outputs) in [([1, 0], [9, 6]), ([0, 2], [6, 9]), ([5, 0], [7, 5]), ([0, 1], [2, 150])] {
        for (kernel, stride) in [(3, 1), (4, 2)] {
            let axis =
                |axis: usize| Axis { output: outputs[axis], kernel, stride, padding: padding[axis], dilation: 1 };
            let conv = conv(10, [1, 3, 2], [axis(0), axis(1)], 0);
            if crate::kernels::is_tested_here(elements(conv.output_shape()) * conv.in_channels) {
                check::<f32>(&conv);
            }
        }
    }
}

#[test]
fn the_same_bits_at_any_number_of_threads() {
    let axis = |output: usize, kernel: usize, stride: usize| Axis { output, kernel, stride, padding: 1, dilation: 1 };
    // With windows; with tiles in either order; one window an image.
    let windows = conv(32, [1, 16, 24], [axis(15, 3, 2); 2], 1);
    assert!(Winograd::of(&windows).is_none() && Single::of(&windows).is_none());
    bits_do_not_depend_on_threads(&windows);
    for (batch, groups, kernel, stride, order) in [
        (32, 2, 3, 1, Order::ByPlace),
        (32, 1, 4, 2, Order::ByPlace),
        (if cfg!(miri) { 32 } else { 200 }, 1, 3, 1, Order::ByTask),
    ] {
        let conv = conv(batch, [groups, 16, 24], [axis(15, kernel, stride); 2], 1);
        let winograd = Winograd::of_weight_grad(&conv).expect("by way of tiles");
        assert!(winograd.order() == order || cfg!(miri));
        bits_do_not_depend_on_threads(&conv);
    }
    let single = conv(500, [2, 5, 3], [axis(1, 6, 2); 2], 1);
    assert!(Single::of(&single).is_some());
    bits_do_not_depend_on_threads(&single);
}

fn bits_do_not_depend_on_threads(conv: &Conv) {
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
