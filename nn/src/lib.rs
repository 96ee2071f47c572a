//! Layers, losses, optimisers and data tools on the [`autograd`] engine.

pub mod checkpoint;
pub mod data;
pub mod init;
pub mod layers;
pub mod losses;
pub mod metrics;
mod module;
pub mod optim;
mod parameter;
mod summary;

pub use layers::{Dropout, Embedding, LayerNorm, Linear, Sequential};
pub use module::{Describe, Layer, Module, Part, Walk};
pub use parameter::{Buffer, LayerRng, Mode, Parameter};
