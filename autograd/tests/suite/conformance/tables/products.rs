//! Products of matrices, what layers are made of, and losses.

use super::{Entry, op};
use autograd::{CrossEntropy, NllLoss, Reduction, Rng};

pub fn table() -> Vec<Entry> {
    vec![
        op("matmul", |x| x[0].matmul(&x[1])),
        op("dot", |x| x[0].dot(&x[1])),
        op("outer", |x| x[0].outer(&x[1])),
        op("addmm", |x| x[0].addmm(&x[1], &x[2])),
        op("linear(w, b)", |x| x[0].linear(&x[1], Some(&x[2]))),
        op("linear(w)", |x| x[0].linear(&x[1], None)),
        op("layer_norm(4)", |x| x[0].layer_norm(4, None, None, 1e-5)),
        op("layer_norm([2, 3], w, b)", |x| x[0].layer_norm([2, 3], Some(&x[1]), Some(&x[2]), 1e-3)),
        op("layer_norm(3, w)", |x| x[0].layer_norm(3, Some(&x[1]), None, 1e-5)),
        op("dropout(0.0)", |x| x[0].dropout(0.0, &mut Rng::seeded(1))),
        op("dropout(1.0)", |x| x[0].dropout(1.0, &mut Rng::seeded(1))),
        op("binary_cross_entropy", |x| x[0].binary_cross_entropy(&x[1])),
        op("bce_with_logits", |x| x[0].bce_with_logits(&x[1])),
        op("cross_entropy(i)", |x| x[0].cross_entropy(x.i(1))),
        op("cross_entropy(p)", |x| x[0].cross_entropy(&x[1])),
        op("cross_entropy_with(i, weight, smoothing, sum)", |x| {
            let (weight, reduction) = (Some(x[2].detach()), Reduction::Sum);
            x[0].cross_entropy_with(
                x.i(1),
                &CrossEntropy { weight, label_smoothing: 0.25, reduction, ..Default::default() },
            )
        }),
        op("nll_loss", |x| x[0].nll_loss(x.i(1))),
        op("nll_loss_with(weight, none)", |x| {
            let (weight, reduction) = (Some(x[2].detach()), Reduction::None);
            x[0].nll_loss_with(x.i(1), &NllLoss { weight, ignore_index: 0, reduction })
        }),
        op("twice: x.matmul(x.t())", |x| x[0].matmul(&x[0].t())),
        op("twice: a.matmul(b)", |x| x[0].matmul(&x[1])),
        op("twice: linear", |x| x[0].linear(&x[1], Some(&x[2]))),
        op("twice: layer_norm", |x| x[0].layer_norm(4, Some(&x[1]), Some(&x[2]), 1e-3)),
        op("twice: cross_entropy", |x| x[0].cross_entropy(x.i(1))),
        op("twice: bce_with_logits", |x| x[0].bce_with_logits(&x[1])),
    ]
}
