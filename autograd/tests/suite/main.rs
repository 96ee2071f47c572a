//! What the engine promises, one theme a module. One binary, because each has a copy of all the kernels that it
//! uses. Only what counts allocations is a binary of its own: `tests/memory.rs`.

mod conformance;
mod determinism;
mod display;
mod engine;
mod properties;
