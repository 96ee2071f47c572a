//! Layers.

mod activations;
mod dropout;
mod embedding;
mod linear;
mod sequential;

pub use activations::{Flatten, Identity, Tanh};
pub use dropout::Dropout;
pub use embedding::Embedding;
pub use linear::Linear;
pub use sequential::Sequential;
