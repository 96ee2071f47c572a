//! Layers, losses, optimisers and data tools on the [`autograd`] engine, under PyTorch's names. `README.md` is a map of
//! the source.
//!
//! - A model is a struct of layers that [`impl_module!`] makes a [`Module`]: parameters by name, training and
//!   evaluation, a summary. [`layers`] has what it is made of, [`init`] what its weights start as.
//! - [`losses`] say how wrong it is, and [`optim`], whose page shows a training loop, makes it less so.
//! - [`data`] draws batches, [`metrics`] judge, and [`checkpoint`] saves and resumes.
//! - [`text`] turns text into indices, and reads, writes and judges word vectors.

pub mod checkpoint;
pub mod data;
mod files;
pub mod init;
pub mod layers;
pub mod losses;
pub mod metrics;
mod module;
pub mod optim;
mod parameter;
mod summary;
pub mod text;

pub use layers::{
    AdaIn, AdaptiveAvgPool2d, AvgPool2d, BatchNorm1d, BatchNorm2d, Conv1d, Conv2d, ConvTranspose2d, Dropout, Dropout2d,
    Embedding, EmbeddingBag, GroupNorm, Gru, InstanceNorm2d, LayerNorm, Linear, Lstm, LstmState, MaxPool2d,
    PixelShuffle, PixelUnshuffle, Rnn, Sequential, SpectralNorm, Upsample,
};
pub use module::{Describe, Layer, Module, Part, Walk};
pub use parameter::{Buffer, LayerRng, Mode, Parameter};
