//! Tensors and reverse-mode differentiation.
#![allow(missing_docs)]
pub mod gradcheck;
pub mod graph;
pub mod kernels;
pub mod memory;
pub mod ops;
mod rng;
pub mod tensor;

pub use graph::{BackwardOptions, GradOptions, Grads, Op, detect_anomaly, grad, grad_enabled, no_grad, with_grad};
pub use graph::{Drawing, draw, watch};
pub use kernels::element::{Element, Float, Number};
pub use ops::binary_cross_entropy::{BceWithLogits, BinaryCrossEntropy};
pub use ops::cross_entropy::CrossEntropy;
pub use ops::nll_loss::NllLoss;
pub use ops::reduction::Reduction;
pub use rng::{Rng, RngState};
pub use tensor::{Axes, Dims, Ellipsis, MAX_RANK, NewAxis, Tensor, by};
