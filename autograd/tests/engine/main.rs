//! What the engine promises, one theme a file. One binary, so that it is linked once.

mod anomaly;
mod create_graph;
mod custom_op;
mod depth;
mod drawing;
mod freed;
mod gradients;
mod hooks;
mod modes;
mod panics;
mod threads;
