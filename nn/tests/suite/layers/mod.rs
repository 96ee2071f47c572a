//! Losses and layers against what PyTorch computes: values and all gradients.

mod fixture;
mod losses;
mod modules;
