//! The tensor: a handle on shared storage, its shape and strides, how it is made, read and printed.
//!
//! Read [`dims`], then [`layout`] (where elements lie; broadcasting), then [`handle`].

pub mod axes;
pub mod create;
pub mod dims;
pub mod display;
pub mod handle;
pub mod index;
pub mod layout;
pub mod nested;
pub mod read;

pub use axes::Axes;
pub use dims::{Dims, MAX_RANK};
pub use handle::Tensor;
pub use index::{Ellipsis, Index, NewAxis, by};
pub use layout::Layout;
pub use nested::Nested;
