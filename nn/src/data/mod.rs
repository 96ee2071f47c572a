//! Data for training: sets of examples, splits, and a loader that draws batches in a seeded order.
//!
//! | files of images | reader |
//! |---|---|
//! | MNIST and its kin | [`read_mnist`], [`read_mnist_pair`] |
//! | CIFAR-10, CIFAR-100 (binary version) | [`read_cifar10`], [`read_cifar100`] |
//! | any IDX file | [`read_idx`] |
//! | a folder of PNG or JPEG files for each class | `ImageFolder`, with the feature `images` |
//!
//! [`random_horizontal_flip`], [`random_shift`] and [`random_crop`] change images, [`Normalize`] their values.
//! [`grid`] puts images side by side; with the feature `images`, `Picture` and `save_gif` make PNG and GIF of them.
//! What a file says of itself is checked before it is believed: a broken one gives a [`DataError`] with file and place,
//! no panic, and no memory is asked for that it has no bytes for.

mod augment;
mod cifar;
mod dataset;
mod error;
mod grid;
mod idx;
mod labelled;
mod loader;
mod mnist;
#[cfg(feature = "images")]
mod pictures;
mod position;
mod source;

pub use augment::{Border, Normalize, RandomCrop, random_crop, random_horizontal_flip, random_shift};
pub use cifar::{Cifar100, read_cifar10, read_cifar10_batch, read_cifar100, read_cifar100_batch};
pub use dataset::{Dataset, Subset, TensorDataset, random_split};
pub use error::{DataError, Offset};
pub use grid::{Grid, grid};
pub use idx::read_idx;
pub use labelled::{LabelledImages, Splits};
pub use loader::{Batches, Loader, LoaderOptions};
pub use mnist::{read_mnist, read_mnist_pair};
#[cfg(feature = "images")]
pub use pictures::{Channels, ImageFolder, ImageFolderOptions, Picture, save_gif};
pub use position::Position;
