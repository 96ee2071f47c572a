//! Layers, losses, optimisers and data tools on the [`autograd`] engine, under PyTorch's names. `README.md` is a map of
//! the source.
//!
//! - A model is a struct of layers that [`impl_module!`] makes a [`Module`]: parameters by name, training and
//!   evaluation, a summary. [`layers`] has what it is made of, [`init`] what its weights start as.
//! - [`losses`] say how wrong it is, and [`optim`], whose page shows a training loop, makes it less so.
//! - [`data`] draws batches, [`metrics`] judge, and [`checkpoint`] saves and resumes.
//! - [`text`] turns text into indices, and reads, writes and judges word vectors.
//!
//! A convolutional network and its training, from images to a file of weights:
//!
//! ```
//! use autograd::{Conv2dOptions, Rng, Tensor, no_grad};
//! use nn::checkpoint::{load_module, save_module};
//! use nn::layers::MaxPool2d;
//! use nn::optim::{Adam, AdamOptions, Optimizer};
//! use nn::{BatchNorm2d, Conv2d, Linear, Module, impl_module};
//!
//! struct Cnn {
//!     conv: Conv2d,
//!     norm: BatchNorm2d,
//!     pool: MaxPool2d,
//!     output: Linear,
//! }
//! impl_module!(Cnn { conv, norm, pool, output });
//!
//! impl Cnn {
//!     fn new(rng: &mut Rng) -> Cnn {
//!         Cnn {
//!             conv: Conv2d::with_options(1, 8, 3, Conv2dOptions::default().padding(1), rng),
//!             norm: BatchNorm2d::new(8),
//!             pool: MaxPool2d::new(2),
//!             output: Linear::new(8 * 4 * 4, 10, rng),
//!         }
//!     }
//!
//!     fn forward(&self, images: &Tensor) -> Tensor {
//!         let x = self.norm.forward(&self.conv.forward(images)).relu(); // [N, 1, 8, 8] -> [N, 8, 8, 8]
//!         let x = self.pool.forward(&x); // [N, 8, 4, 4]
//!         self.output.forward(&x.flatten(1)) // [N, 128] -> [N, 10]
//!     }
//! }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let mut rng = Rng::seeded(0);
//! let images = Tensor::randn([32, 1, 8, 8], &mut rng);
//! let labels = Tensor::from_fn([32], |i| (i % 10) as i64); // Tensor<i64>; of a Vec: Tensor::from_slice(&labels, 32)
//!
//! let model = Cnn::new(&mut rng);
//! let mut adam = Adam::new(model.named_parameters(), AdamOptions { lr: 1e-2, ..Default::default() });
//! let mut losses = Vec::new();
//! for _ in 0..20 {
//!     let loss = model.forward(&images).cross_entropy(&labels);
//!     adam.zero_grad();
//!     loss.backward();
//!     adam.step();
//!     losses.push(loss.item());
//! }
//! assert!(losses[19] < losses[0] / 4.0);
//!
//! let file = std::env::temp_dir().join("nn-example-cnn.safetensors");
//! save_module(&model, &file)?;
//! let same = Cnn::new(&mut rng);
//! load_module(&same, &file)?;
//! model.eval(); // batch norm goes by its running statistics
//! same.eval();
//! assert_eq!(no_grad(|| model.forward(&images)).to_vec(), no_grad(|| same.forward(&images)).to_vec());
//! # std::fs::remove_file(&file)?;
//! # Ok(())
//! # }
//! ```

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
