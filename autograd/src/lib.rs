//! Tensors and reverse-mode differentiation.
#![allow(missing_docs)]
pub mod kernels;
pub mod memory;
