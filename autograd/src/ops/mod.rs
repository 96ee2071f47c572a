//! The operations, one family a file: the maths, the forward, the backward, the gradient check.
//!
//! Start with [`tanh`](mod@tanh), which is complete in itself, and [`unary`], the frame that it and its
//! siblings stand in; then [`arithmetic`], [`matmul`](mod@matmul).

pub mod abs;
pub mod argmax;
pub mod arithmetic;
pub mod binary;
pub mod binary_cross_entropy;
pub mod cast;
pub mod cat;
pub mod clamp;
mod classes;
pub mod compare;
pub mod cross_entropy;
pub mod cumsum;
pub mod dropout;
pub mod embedding;
pub mod embedding_bag;
pub mod erf;
pub mod exp;
pub mod flip;
pub mod function2;
pub mod gather;
pub mod gelu;
pub mod gru;
pub mod index;
pub mod index_select;
pub mod layer_norm;
pub mod linear;
pub mod log;
pub mod logical;
pub mod logsumexp;
pub mod lstm;
pub mod masked;
pub mod matmul;
pub mod max;
pub mod maximum;
pub mod nll_loss;
pub mod norm;
pub mod one_hot;
pub mod outer;
pub mod pad;
pub mod pow;
pub mod power;
pub mod prod;
pub mod recurrent;
pub mod reduce;
pub mod reduction;
pub mod relu;
pub mod repeat;
pub mod rnn;
mod rows;
pub mod sigmoid;
mod signed_power;
pub mod silu;
pub mod softmax;
pub mod sort;
pub mod sqrt;
pub mod tanh;
#[cfg(test)]
mod testing;
pub mod triangle;
pub mod trig;
pub mod unary;
pub mod var;
pub mod views;
