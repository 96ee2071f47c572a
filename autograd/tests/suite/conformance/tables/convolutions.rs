//! Convolutions: everything that moves a window, combined with everything else that does.

use super::{Entry, op};
use autograd::{Conv1dOptions, Conv2dOptions, ConvTranspose2dOptions};

pub fn table() -> Vec<Entry> {
    let mut table = vec![
        op("conv2d of an image", |x| x[0].conv2d(&x[1], None, &Conv2dOptions::default())),
        op("conv2d of transposed operands", |x| x[0].conv2d(&x[1], None, &Conv2dOptions::default())),
        op("conv_transpose2d of an image", |x| x[0].conv_transpose2d(&x[1], None, &ConvTranspose2dOptions::default())),
        op("conv1d", |x| x[0].conv1d(&x[1], Some(&x[2]), &Conv1dOptions::default())),
        op("conv1d(stride 2, padding 2, dilation 3, groups 2)", |x| {
            x[0].conv1d(&x[1], None, &Conv1dOptions { stride: 2, padding: 2, dilation: 3, groups: 2 })
        }),
    ];
    for stride in [[1, 1], [2, 2], [2, 3]] {
        for dilation in [[1, 1], [2, 1]] {
            for groups in [1, 2] {
                for padding in [[0, 0], [1, 1], [2, 1]] {
                    let options = Conv2dOptions { stride, padding, dilation, groups };
                    table.push(op(
                        format!(
                            "conv2d(stride {stride:?}, padding {padding:?}, dilation {dilation:?}, groups {groups})"
                        ),
                        move |x| x[0].conv2d(&x[1], Some(&x[2]), &options),
                    ));
                }
                for padding in [[0, 0], [1, 2]] {
                    for output_padding in [[0, 0], [1, 0], [1, 2]] {
                        if (0..2).any(|axis| output_padding[axis] >= stride[axis].max(dilation[axis])) {
                            continue; // Neither library takes it.
                        }
                        let options = ConvTranspose2dOptions { stride, padding, output_padding, dilation, groups };
                        table.push(op(
                            format!(
                                "conv_transpose2d(stride {stride:?}, padding {padding:?}, \
                                 output_padding {output_padding:?}, dilation {dilation:?}, groups {groups})"
                            ),
                            move |x| x[0].conv_transpose2d(&x[1], Some(&x[2]), &options),
                        ));
                    }
                }
            }
        }
    }
    table
}
