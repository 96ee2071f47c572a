//! Data for training: sets of examples, splits, and a loader that draws batches in a seeded order.

mod dataset;
mod loader;
mod position;

pub use dataset::{Dataset, Subset, TensorDataset, random_split};
pub use loader::{Batches, Loader, LoaderOptions};
pub use position::Position;
