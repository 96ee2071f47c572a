//! Layers.

mod activations;
mod conv;
mod dropout;
mod embedding;
mod embedding_bag;
mod layer_norm;
mod linear;
mod recurrent;
mod sequential;

pub use activations::{
    Elu, Flatten, Gelu, GeluTanh, Hardtanh, Identity, LeakyRelu, LogSigmoid, LogSoftmax, Relu, Sigmoid, Silu, Softmax,
    Softplus, Tanh,
};
pub use conv::{Conv1d, Conv2d, ConvTranspose2d};
pub use dropout::Dropout;
pub use embedding::Embedding;
pub use embedding_bag::EmbeddingBag;
pub use layer_norm::LayerNorm;
pub use linear::Linear;
pub use recurrent::{Gru, GruCell, Lstm, LstmCell, LstmState, RecurrentOptions, Rnn, RnnCell};
pub use sequential::Sequential;
