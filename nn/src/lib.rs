//! Layers, losses, optimisers and data tools on the [`autograd`] engine.

pub mod init;
pub mod layers;
mod module;
mod parameter;
mod summary;

pub use layers::{Linear, Sequential};
pub use module::{Describe, Layer, Module, Part, Walk};
pub use parameter::{Buffer, LayerRng, Mode, Parameter};
