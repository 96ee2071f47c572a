//! Layers.

mod activations;
mod linear;
mod sequential;

pub use activations::{Flatten, Identity, Tanh};
pub use linear::Linear;
pub use sequential::Sequential;
