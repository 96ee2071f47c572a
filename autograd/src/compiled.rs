//! The engine for `f32`, compiled once.
//!
//! A generic function is compiled where its type is known: in every program, example and test that uses it, anew. Only
//! for one that is `#[inline(never)]` does the compiler ask first whether a crate below has been compiled with that
//! type already, and then calls what is there. So the doors to all that is large are `#[inline(never)]` (a kernel's
//! entrance, the recording of an operation with all that its backward needs, a backward pass), and this file goes
//! through each of them. Nobody calls it. A door that is missing here costs whoever uses it time to build, nothing
//! else.
//!
//! What it saves: to build one example anew (`touch examples/cdcgan/main.rs; time cargo build --example cdcgan`) takes
//! 24 s of two idle cores, and took 81 before this file was here.

use crate::graph::{GradOptions, grad};
use crate::kernels::gemm::{Gemm, MatMut, MatRef};
use crate::ops::batch_norm::BatchStatistics;
use crate::ops::{
    conv_transpose2d::*, conv1d::*, conv2d::*, cross_entropy::*, embedding::*, embedding_bag::*, max_pool::*,
    nll_loss::*, recurrent::*, resample::*, rnn::*,
};
use crate::{Element, Float, Number, Rng, Tensor};

/// Everything for `f32`. Not for `f64`, which few programs use: it would take as long again.
pub fn in_f32(x: &Tensor<f32>, indices: &Tensor<i64>, mask: &Tensor<bool>) {
    everything(x, indices, mask);
    let _ = (x.cast::<f64>(), x.cast::<i64>());
}

/// What integers and truth values are used for.
pub fn in_others(indices: &Tensor<i64>, mask: &Tensor<bool>) {
    of_elements(indices, indices, mask);
    let _ = (indices + indices, indices * indices, indices + 1, indices.argmax(0), indices.cast::<f32>());
    let _ = (indices.one_hot(2), indices.one_hot_of::<f32>(2), mask.cast::<f32>(), mask.contiguous(), mask.to_vec());
    let _ = (mask.logical_and(mask), mask.logical_or(mask), mask.logical_xor(mask), mask.logical_not(), mask.nonzero());
    let _ = (mask.all(), mask.any(), mask.count_true());
}

fn everything<T: Float>(x: &Tensor<T>, indices: &Tensor<i64>, mask: &Tensor<bool>) {
    of_elements(x, indices, mask);
    arithmetic(x);
    functions(x, mask);
    reductions(x);
    products(x);
    losses(x, indices);
    selections(x, indices);
    images(x);
    sequences(x);
    x.requires_grad().backward();
    grad(&[x], &[x], GradOptions::default());
}

fn of_elements<T: Element>(x: &Tensor<T>, indices: &Tensor<i64>, mask: &Tensor<bool>) {
    let _ = (x.contiguous(), x.packed(), x.to_vec(), x.index_select(0, indices), x.index(0), x.flip(0), x.eq(x));
    let _ = (x.sort(0, true), x.argsort(0, true), x.masked_select(mask), Tensor::where_(mask, x, x));
    let _ = (Tensor::cat(&[x, x], 0), Tensor::stack(&[x, x], 0), x.unsqueeze(0), x.squeeze(0), x.expand([1]));
    let _ = (x.permute([0]), x.transpose(0, 0), x.t(), x.reshape([1]), x.flatten(0), x.flatten_range(0, 1));
    let _ = (x.narrow(0, 0, 1), x.split(1, 0), x.split_sizes(&[1], 0), x.chunk(1, 0), x.unbind(0));
}

#[allow(clippy::eq_op, reason = "what is calculated does not matter")]
fn arithmetic<T: Number>(x: &Tensor<T>) {
    let _ = (x + x, x - x, x * x, x / x, -x, x + T::ONE, x - T::ONE, x * T::ONE, x / T::ONE);
    let _ = (x.clone() + x.clone(), x.clone() - x, x.clone() * x, x.clone() / x);
    let _ = (x.lt(x), x.le(x), x.gt(x), x.ge(x), x.ne(x), x.maximum(x), x.minimum(x), x.abs(), x.sign());
    let _ = (x.square(), x.relu(), x.clamp(T::ZERO, T::ONE), x.clamp_min(T::ZERO), x.clamp_max(T::ONE));
    let _ = x.hardtanh(T::ZERO, T::ONE);
}

fn functions<T: Float>(x: &Tensor<T>, mask: &Tensor<bool>) {
    let _ = (x.exp(), x.expm1(), x.log(), x.log1p(), x.sqrt(), x.rsqrt(), x.reciprocal(), x.sin(), x.cos(), x.erf());
    let _ = (x.tanh(), x.sigmoid(), x.log_sigmoid(), x.softplus(), x.softplus_with(T::ONE, T::ONE), x.silu());
    let _ = (x.gelu(), x.gelu_tanh(), x.leaky_relu(T::ONE), x.elu(T::ONE));
    let _ = (x.powi(3), x.powf(T::ONE), x.pow(x), x.masked_fill(mask, T::ZERO));
    let _ = (x.dropout(0.5, &mut Rng::seeded(0)), x.isnan(), x.isinf(), x.isfinite());
    let _ = (Tensor::rand_of::<T>(0, &mut Rng::seeded(0)), Tensor::randn_of::<T>(0, &mut Rng::seeded(0)));
}

fn reductions<T: Float>(x: &Tensor<T>) {
    let _ = (x.sum(..), x.mean(..), x.prod(0), x.max(0), x.min(0), x.argmax(0), x.argmin(0), x.var(0, 1), x.std(0, 1));
    let _ = (x.sum_keepdim(0), x.mean_keepdim(0), x.prod_keepdim(0), x.max_keepdim(0), x.min_keepdim(0));
    let _ = (x.argmax_keepdim(0), x.argmin_keepdim(0), x.var_keepdim(0, 1), x.std_keepdim(0, 1));
    let _ = (x.norm(2.0, ..), x.norm_keepdim(2.0, 0), x.logsumexp(0), x.logsumexp_keepdim(0), x.cumsum(0));
    let _ = (x.softmax(0), x.log_softmax(0), x.layer_norm(0, Some(x), Some(x), 0.0));
}

fn products<T: Float>(x: &Tensor<T>) {
    let _ = (x.matmul(x), x.linear(x, Some(x)), x.addmm(x, x), x.dot(x), x.outer(x));
    let (mut c, a) = ([T::ZERO], [T::ONE]);
    let a = MatRef::row_major(&a, 1, 1);
    Gemm::new(a, a).write(MatMut::row_major(&mut c, 1, 1));
}

fn losses<T: Float>(x: &Tensor<T>, indices: &Tensor<i64>) {
    let _ = (x.cross_entropy(indices), x.cross_entropy(x), x.cross_entropy_with(x, &CrossEntropy::default()));
    let _ = (x.nll_loss(indices), x.nll_loss_with(indices, &NllLoss::default()));
    let _ = (x.binary_cross_entropy(x), x.bce_with_logits(x));
}

fn selections<T: Float>(x: &Tensor<T>, indices: &Tensor<i64>) {
    let _ = (x.gather(0, indices), x.scatter(0, indices, x), x.scatter_add(0, indices, x), x.index_add(0, indices, x));
    let _ = (x.scatter_value(0, indices, T::ZERO), x.topk(1, 0, true), x.pad([(0, 0)], T::ZERO), x.roll([1], [0]));
    let _ = (x.repeat([2]), x.repeat_interleave(2, 0), x.repeat_interleave_each(indices, 0));
    let _ = (x.tril(0), x.triu(0), x.diagonal(0, 0, 1), x.diag_embed(0), x.diag(0));
    let _ = (x.embedding(indices), x.embedding_with(indices, EmbeddingOptions::default()));
    x.embedding_bag(Bags::from(indices), EmbeddingBagOptions::default());
}

fn images<T: Float>(x: &Tensor<T>) {
    let some = Some(x);
    let statistics = BatchStatistics { mean: x.clone(), variance: x.clone() };
    let _ = (x.conv1d(x, some, &Conv1dOptions::default()), x.conv2d(x, some, &Conv2dOptions::default()));
    let _ = x.conv_transpose2d(x, some, &ConvTranspose2dOptions::default());
    let _ = (x.batch_norm(some, some, 0.0), x.batch_norm_with(&statistics, some, some, 0.0));
    let _ = (x.group_norm(1, some, some, 0.0), x.instance_norm(some, some, 0.0), x.adain(x, x, 0.0));
    let pool = MaxPool2dOptions::new(2);
    let _ = (x.max_pool2d(&pool), x.max_pool2d_with_indices(&pool), x.avg_pool2d(&AvgPool2dOptions::new(2)));
    let _ = (x.adaptive_avg_pool2d(1), x.upsample([2.0, 2.0], UpsampleMode::Nearest));
    let _ = (x.pixel_shuffle(2), x.pixel_unshuffle(2));
}

fn sequences<T: Float>(x: &Tensor<T>) {
    let weights = RecurrentWeights { weight_ih: x.clone(), weight_hh: x.clone(), bias: None };
    let options = SequenceOptions::default();
    let _ = (x.lstm([x, x], &weights, &options), x.gru(x, &weights, &options));
    let _ = x.rnn(x, &weights, RnnNonlinearity::Tanh, &options);
}
