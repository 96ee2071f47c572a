//! Memory for tensors: aligned buffers that come from, and go back to, one process-wide pool.
//!
//! A training step makes and drops the same few dozen tensors each time. Asking the system for that
//! memory again and again costs page faults that are slower than the arithmetic, so a dropped
//! [`Buffer`] is kept in the [`pool`] and handed to the next one of its size class.

mod buffer;
pub mod pool;
mod system;

pub use buffer::{Buffer, Plain};
