//! chainrule: a deep-learning library whose engine is written from scratch, to be read.
pub use autograd;
pub use nn;
