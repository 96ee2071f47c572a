//! The operations, one family a file: the maths, the forward, the backward, the gradient check.
//!
//! Start with [`tanh`](mod@tanh), which is complete in itself, and [`unary`], the frame that it and its
//! siblings stand in; then [`arithmetic`], [`matmul`](mod@matmul).

pub mod argmax;
pub mod arithmetic;
pub mod binary;
pub mod cat;
mod classes;
pub mod cross_entropy;
pub mod cumsum;
pub mod dropout;
pub mod embedding;
pub mod flip;
pub mod gather;
pub mod index;
pub mod index_select;
pub mod linear;
pub mod logsumexp;
pub mod matmul;
pub mod max;
pub mod nll_loss;
pub mod norm;
pub mod one_hot;
pub mod outer;
pub mod pad;
pub mod prod;
pub mod reduce;
pub mod reduction;
pub mod repeat;
mod rows;
mod signed_power;
pub mod softmax;
pub mod tanh;
pub mod triangle;
pub mod unary;
pub mod var;
pub mod views;
