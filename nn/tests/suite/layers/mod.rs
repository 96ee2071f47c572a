//! Losses and layers against what PyTorch computes: values and all gradients.

mod fixture;
mod layers;
mod losses;
