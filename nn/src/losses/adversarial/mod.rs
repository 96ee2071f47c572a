//! What generators and discriminators learn from: the losses of the game between them, and the penalties that keep the
//! discriminator, or the generator, smooth.

mod game;
mod path_length;
mod penalties;

pub use game::GanLoss;
pub use path_length::PathLength;
pub use penalties::{gradient_penalty, gradient_penalty_at, r1_penalty};
