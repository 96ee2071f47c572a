//! Products of matrices, what layers are made of, and losses.

use super::{Entry, op};
use crate::conformance::fixture::Args;
use autograd::ops::embedding_bag::{BagMode, Bags, EmbeddingBagOptions};
use autograd::{CrossEntropy, NllLoss, RecurrentWeights, Reduction, Rng, RnnNonlinearity, SequenceOptions, Tensor};

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
        op("embedding_bag(sum, offsets, weights)", |x| {
            let bags = Bags { indices: x.i(1), offsets: Some(x.i(2)), weights: Some(&x[3]) };
            x[0].embedding_bag(bags, EmbeddingBagOptions { mode: BagMode::Sum, ..Default::default() })
        }),
        op("embedding_bag(mean, offsets, padding)", |x| {
            let bags = Bags { indices: x.i(1), offsets: Some(x.i(2)), weights: None };
            x[0].embedding_bag(bags, EmbeddingBagOptions { padding_idx: Some(2), ..Default::default() })
        }),
        op("embedding_bag(max)", |x| {
            x[0].embedding_bag(x.i(1), EmbeddingBagOptions { mode: BagMode::Max, ..Default::default() })
        }),
        op("lstm", |x| lstm(x, &order(false, None))),
        op("lstm(reverse)", |x| lstm(x, &order(true, None))),
        op("lstm(lengths 1 3)", |x| lstm(x, &order(false, Some([1, 3])))),
        op("lstm(reverse, lengths 2 1)", |x| lstm(x, &order(true, Some([2, 1])))),
        op("gru", |x| x[0].gru(&x[1], &weights(x, 2), &order(false, None)).to_vec()),
        op("gru(reverse, lengths 1 2)", |x| x[0].gru(&x[1], &weights(x, 2), &order(true, Some([1, 2]))).to_vec()),
        op("rnn(tanh)", |x| x[0].rnn(&x[1], &weights(x, 2), RnnNonlinearity::Tanh, &order(false, None)).to_vec()),
        op("rnn(relu)", |x| x[0].rnn(&x[1], &weights(x, 2), RnnNonlinearity::Relu, &order(false, None)).to_vec()),
    ]
}

fn order(reverse: bool, lengths: Option<[usize; 2]>) -> SequenceOptions {
    SequenceOptions { reverse, lengths: lengths.map(Vec::from) }
}

/// W_ih, W_hh, b_ih and b_hh, which stand from `first` on.
fn weights(x: &Args, first: usize) -> RecurrentWeights<f64> {
    let [weight_ih, weight_hh, b_ih, b_hh] = [0, 1, 2, 3].map(|i| x[first + i].clone());
    RecurrentWeights { weight_ih, weight_hh, bias: Some([b_ih, b_hh]) }
}

fn lstm(x: &Args, options: &SequenceOptions) -> Vec<Tensor<f64>> {
    x[0].lstm([&x[1], &x[2]], &weights(x, 3), options).to_vec()
}
