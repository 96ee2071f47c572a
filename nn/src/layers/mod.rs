//! Layers.

mod activations;
mod batch_norm;
mod conv;
mod dropout;
mod embedding;
mod embedding_bag;
mod instance_norm;
mod layer_norm;
mod linear;
mod pooling;
mod recurrent;
mod sequential;
mod spectral_norm;

pub use activations::{
    Elu, Flatten, Gelu, GeluTanh, Hardtanh, Identity, LeakyRelu, LogSigmoid, LogSoftmax, Relu, Sigmoid, Silu, Softmax,
    Softplus, Tanh,
};
pub use batch_norm::{BatchNorm, BatchNorm1d, BatchNorm2d, NormOptions, RunningStatistics};
pub use conv::{Conv1d, Conv2d, ConvTranspose2d};
pub use dropout::{Dropout, Dropout2d};
pub use embedding::Embedding;
pub use embedding_bag::EmbeddingBag;
pub use instance_norm::{AdaIn, GroupNorm, InstanceNorm2d};
pub use layer_norm::LayerNorm;
pub use linear::Linear;
pub use pooling::{AdaptiveAvgPool2d, AvgPool2d, MaxPool2d, PixelShuffle, PixelUnshuffle, Upsample};
pub use recurrent::{Gru, GruCell, Lstm, LstmCell, LstmState, RecurrentOptions, Rnn, RnnCell};
pub use sequential::Sequential;
pub use spectral_norm::{SpectralNorm, Weighted};
