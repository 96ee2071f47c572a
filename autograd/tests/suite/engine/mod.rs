//! The graph and what it promises, one theme a file.

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
mod profile;
mod threads;
