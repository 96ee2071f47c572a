//! The operations, one family a file: the maths, the forward, the backward, the gradient check.
//!
//! Start with [`tanh`](mod@tanh), which is complete in itself, and [`unary`], the frame that it and its
//! siblings stand in; then [`arithmetic`], [`matmul`](mod@matmul).

pub mod arithmetic;
pub mod binary;
pub mod cat;
pub mod cross_entropy;
pub mod dropout;
pub mod embedding;
pub mod index_select;
pub mod linear;
pub mod matmul;
pub mod reduce;
pub mod reduction;
pub mod softmax;
pub mod tanh;
pub mod unary;
pub mod views;
