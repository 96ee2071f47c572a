//! Optimisers, schedules and clipping against what PyTorch computes, and what else a user relies on.

mod fixture;
mod optimizers;
mod sparse;
mod state;
