//! Optimisers, schedules and clipping against what PyTorch computes, and what else a user relies on.

mod clipping;
mod early_stopping;
mod fixture;
mod optimizers;
mod schedules;
mod sparse;
mod state;
