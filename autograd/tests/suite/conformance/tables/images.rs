//! What images go through beside convolutions: normalisation, pooling, enlargement.

use super::{Entry, op};
use autograd::{AvgPool2dOptions, BatchStatistics, MaxPool2dOptions, Tensor, UpsampleMode};

pub fn table() -> Vec<Entry> {
    let mut table = vec![
        op("batch_norm", |x| measured(x[0].batch_norm(None, None, 1e-5))),
        op("batch_norm(w, b)", |x| measured(x[0].batch_norm(Some(&x[1]), Some(&x[2]), 1e-3))),
        op("batch_norm_with(w, b)", |x| {
            let statistics = BatchStatistics { mean: x[3].detach(), variance: x[4].detach() };
            x[0].batch_norm_with(&statistics, Some(&x[1]), Some(&x[2]), 1e-3)
        }),
        op("twice: batch_norm", |x| x[0].batch_norm(Some(&x[1]), Some(&x[2]), 1e-3).0),
        op("instance_norm(w, b)", |x| x[0].instance_norm(Some(&x[1]), Some(&x[2]), 1e-3).0),
        op("group_norm(2, w, b)", |x| x[0].group_norm(2, Some(&x[1]), Some(&x[2]), 1e-3)),
        op("twice: adain", |x| x[0].adain(&x[1], &x[2], 1e-3)),
        op("twice: max_pool2d", |x| x[0].max_pool2d(&MaxPool2dOptions::new([2, 2])).square()),
        op("adaptive_avg_pool2d([2, 3])", |x| x[0].adaptive_avg_pool2d([2, 3])),
        op("adaptive_avg_pool2d([1, 1])", |x| x[0].adaptive_avg_pool2d([1, 1])),
        op("twice: adaptive_avg_pool2d([3, 2])", |x| x[0].adaptive_avg_pool2d([3, 2]).powi(3)),
        op("twice: upsample", |x| x[0].upsample([5, 3], UpsampleMode::Bilinear { align_corners: false }).powi(3)),
        op("pixel_shuffle(2)", |x| x[0].pixel_shuffle(2)),
        op("pixel_unshuffle(2)", |x| x[0].pixel_unshuffle(2)),
        op("flatten_range(1, -2)", |x| x[0].flatten_range(1, -2)),
    ];
    for (name, options) in max_pools() {
        table.push(op(name, move |x| {
            let (y, indices) = x[0].max_pool2d_with_indices(&options);
            (y, indices)
        }));
    }
    for (name, options) in avg_pools() {
        table.push(op(name, move |x| x[0].avg_pool2d(&options)));
    }
    let [nearest, edges, corners] = [
        UpsampleMode::Nearest,
        UpsampleMode::Bilinear { align_corners: false },
        UpsampleMode::Bilinear { align_corners: true },
    ];
    for (name, mode) in
        [("upsample nearest", nearest), ("upsample bilinear", edges), ("upsample bilinear, corners aligned", corners)]
    {
        table.push(op(name, move |x| {
            let sizes = [[7, 4], [2, 9], [1, 1]].map(|size| x[0].upsample(size, mode));
            let scales = [[2.0, 3.0], [1.5, 0.75], [2.3, 1.0]].map(|scale| x[0].upsample(scale, mode));
            sizes.into_iter().chain(scales).collect::<Vec<_>>()
        }));
    }
    table
}

fn measured((y, statistics): (Tensor<f64>, BatchStatistics<f64>)) -> Vec<Tensor<f64>> {
    vec![y, statistics.mean, statistics.variance]
}

/// As in make_ops.py.
fn max_pools() -> Vec<(&'static str, MaxPool2dOptions)> {
    let new = MaxPool2dOptions::new;
    vec![
        ("max_pool2d([2, 2])", new([2, 2])),
        ("max_pool2d([3, 2], stride [1, 2])", MaxPool2dOptions { stride: [1, 2], ..new([3, 2]) }),
        (
            "max_pool2d([3, 3], stride [2, 2], padding [1, 1])",
            MaxPool2dOptions { stride: [2, 2], padding: [1, 1], ..new([3, 3]) },
        ),
        (
            "max_pool2d([2, 3], stride [2, 3], padding [1, 0], ceil)",
            MaxPool2dOptions { padding: [1, 0], ceil_mode: true, ..new([2, 3]) },
        ),
        (
            "max_pool2d([2, 2], stride [1, 1], dilation [2, 1])",
            MaxPool2dOptions { stride: [1, 1], dilation: [2, 1], ..new([2, 2]) },
        ),
    ]
}

/// As in make_ops.py.
fn avg_pools() -> Vec<(&'static str, AvgPool2dOptions)> {
    let new = AvgPool2dOptions::new;
    let padded = AvgPool2dOptions { stride: [2, 1], padding: [1, 1], ..new([3, 2]) };
    vec![
        ("avg_pool2d([2, 2])", new([2, 2])),
        ("avg_pool2d([3, 2], padding)", padded),
        ("avg_pool2d([3, 2], padding not counted)", AvgPool2dOptions { count_include_pad: false, ..padded }),
        ("avg_pool2d([3, 2], padding, ceil)", AvgPool2dOptions { ceil_mode: true, ..padded }),
        (
            "avg_pool2d([3, 2], padding not counted, ceil)",
            AvgPool2dOptions { ceil_mode: true, count_include_pad: false, ..padded },
        ),
        ("avg_pool2d([3, 2], divisor 5)", AvgPool2dOptions { divisor_override: Some(5), ..padded }),
    ]
}
