//! Losses: a struct with named options, or a function with PyTorch's defaults.
//!
//! ```
//! use autograd::Tensor;
//! use nn::losses::{CrossEntropyLoss, mse_loss};
//! let (x, y) = (Tensor::from([1.0, 2.0]), Tensor::from([1.0, 4.0]));
//! assert_eq!(mse_loss(&x, &y).item(), 2.0);
//!
//! let loss = CrossEntropyLoss { label_smoothing: 0.1, ..Default::default() };
//! let logits = Tensor::from([[0.5, -1.0, 2.0]]);
//! assert!(loss.forward(&logits, &Tensor::of([2_i64])).item() > logits.cross_entropy(&Tensor::of([2_i64])).item());
//! ```
//!
//! | what is compared | struct | function |
//! |---|---|---|
//! | logits with classes, or with probabilities of classes | [`CrossEntropyLoss`] | [`Tensor::cross_entropy`] |
//! | log-probabilities with classes | [`NllLoss`] | [`Tensor::nll_loss`] |
//! | logits with yes (1) or no (0), or anything between | [`BceWithLogitsLoss`] | [`Tensor::bce_with_logits`] |
//! | probabilities with yes or no | [`BceLoss`] | [`Tensor::binary_cross_entropy`] |
//! | log-probabilities with probabilities | [`KlDivLoss`] | [`kl_div`] |
//! | scores with classes, by a margin | [`MultiMarginLoss`] | [`multi_margin_loss`] |
//! | scores with ±1, by a margin | [`HingeLoss`] | [`hinge_loss`] |
//! | numbers with numbers | [`MseLoss`], [`L1Loss`], [`SmoothL1Loss`], [`HuberLoss`] | [`mse_loss`], [`l1_loss`], … |
//! | pairs of vectors, alike or not | [`CosineEmbeddingLoss`] | [`cosine_embedding_loss`] |
//! | distances, of what is alike or not | [`HingeEmbeddingLoss`] | [`hinge_embedding_loss`] |
//! | an anchor with what is near and what is far | [`TripletMarginLoss`] | [`triplet_margin_loss`] |
//! | scores with scores, which to be larger | [`MarginRankingLoss`] | [`margin_ranking_loss`] |
//!
//! | of two networks that play against each other | |
//! |---|---|
//! | what each of them wants | [`GanLoss`] |
//! | a smooth discriminator | [`gradient_penalty`], [`r1_penalty`] |
//! | a smooth generator | [`PathLength`] |
//!
//! Those of the first table have a `reduction`: the mean by default, or the sum, or none, which leaves a loss for each
//! element. Names, options and defaults are those of `torch.nn`. Where PyTorch would broadcast a target to its input,
//! which is nearly always a mistake, these refuse.
//!
//! [`Tensor::cross_entropy`]: autograd::Tensor::cross_entropy
//! [`Tensor::nll_loss`]: autograd::Tensor::nll_loss
//! [`Tensor::bce_with_logits`]: autograd::Tensor::bce_with_logits
//! [`Tensor::binary_cross_entropy`]: autograd::Tensor::binary_cross_entropy

mod adversarial;
mod cosine_embedding;
mod hinge;
mod huber;
mod kl_div;
mod l1;
mod margin_ranking;
mod mse;
mod multi_margin;
mod pointwise;
#[cfg(test)]
mod testing;
mod triplet_margin;

pub use adversarial::{GanLoss, PathLength, gradient_penalty, gradient_penalty_at, r1_penalty};
pub use autograd::{BceWithLogits as BceWithLogitsLoss, BinaryCrossEntropy as BceLoss};
pub use autograd::{CrossEntropy as CrossEntropyLoss, NllLoss, Reduction};
pub use cosine_embedding::{CosineEmbeddingLoss, cosine_embedding_loss};
pub use hinge::{HingeEmbeddingLoss, HingeLoss, hinge_embedding_loss, hinge_loss};
pub use huber::{HuberLoss, SmoothL1Loss, huber_loss, smooth_l1_loss};
pub use kl_div::{KlDivLoss, kl_div};
pub use l1::{L1Loss, l1_loss};
pub use margin_ranking::{MarginRankingLoss, margin_ranking_loss};
pub use mse::{MseLoss, mse_loss};
pub use multi_margin::{MultiMarginLoss, multi_margin_loss};
pub use triplet_margin::{TripletMarginLoss, triplet_margin_loss};
