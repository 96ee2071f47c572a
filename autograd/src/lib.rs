//! Tensors and reverse-mode differentiation, written to be read: start with `README.md`, a map of the source.
//!
//! ```
//! use autograd::{Rng, Tensor};
//!
//! let mut rng = Rng::seeded(0);
//! let x = Tensor::randn([32, 3], &mut rng);
//! let w = Tensor::randn([3, 1], &mut rng).requires_grad();
//!
//! let loss = (x.matmul(&w).tanh() - 0.5).square().mean(..); // recorded as it runs
//! loss.backward();
//! assert_eq!(*w.grad().unwrap().shape(), [3, 1]);
//! ```
//!
//! - A [`Tensor`] is a value: it never changes under a reader, and views of it copy nothing. Its operations are
//!   methods with PyTorch's names; [`ops`] has one family a file.
//! - A tensor that [`requires_grad`](Tensor::requires_grad) is a leaf: [`backward`](Tensor::backward) adds to its
//!   [`grad`](Tensor::grad). The function [`grad`] returns gradients instead, of any order.
//! - An operation of one's own is a type that implements [`Op`]. [`gradcheck`] compares gradients with differences.
//! - [`draw()`] draws a graph, [`detect_anomaly`] names the operation that first gave a NaN, [`no_grad`] records
//!   nothing.
//! - [`profile()`] measures the time and the memory of each operation, as a table and as a trace.
//! - [`on_pool`] is where to train: on one of the threads that large operations share their work with.
//! - [`kernels`] has the loops below: the matrix product, maths functions, reductions.

#[cfg(not(test))]
#[doc(hidden)]
pub mod compiled;
pub mod gradcheck;
pub mod graph;
pub mod kernels;
pub mod memory;
pub mod ops;
pub mod profile;
mod rng;
pub mod tensor;

pub use graph::{BackwardOptions, GradOptions, Grads, MultiOp, Op, detect_anomaly, grad, grad_enabled, no_grad};
pub use graph::{Drawing, draw, watch};
pub use graph::{recorded_together, with_grad};
pub use kernels::element::{Element, Float, Number};
pub use kernels::parallel::on_pool;
pub use ops::batch_norm::BatchStatistics;
pub use ops::binary_cross_entropy::{BceWithLogits, BinaryCrossEntropy};
pub use ops::conv_transpose2d::ConvTranspose2dOptions;
pub use ops::conv1d::Conv1dOptions;
pub use ops::conv2d::{Conv2dOptions, Sides};
pub use ops::cross_entropy::{CrossEntropy, Targets};
pub use ops::embedding::EmbeddingOptions;
pub use ops::embedding_bag::{BagMode, Bags, EmbeddingBagOptions};
pub use ops::max_pool::MaxPool2dOptions;
pub use ops::nll_loss::NllLoss;
pub use ops::recurrent::{RecurrentWeights, SequenceOptions};
pub use ops::reduction::Reduction;
pub use ops::resample::{AvgPool2dOptions, UpsampleMode, UpsampleSize};
pub use ops::rnn::RnnNonlinearity;
pub use profile::{Profile, profile};
pub use rng::{Rng, RngState};
pub use tensor::{Axes, Dims, Ellipsis, MAX_RANK, NewAxis, Tensor, by};
