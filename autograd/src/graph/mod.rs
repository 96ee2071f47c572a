//! The graph: how a tensor remembers what it was calculated from, and how gradients flow back.
//!
//! | file | what it holds |
//! |---|---|
//! | `node` | a node: one operation that was run, or a leaf; and how graphs are dropped |
//! | [`op`] | the trait of operations, and how one is recorded |
//! | [`outputs`] | the same for operations with several outputs |
//! | [`backward`] | the engine: `backward` and `grad` |
//! | [`grads`] | what an operation's backward hands its gradients to |
//! | [`gradient`] | a gradient on its way: dense, or rows of a table |
//! | [`mode`] | `no_grad`, the anomaly mode that finds the first NaN, and whether there is a profile |
//! | [`leaf`] | leaves, where gradients gather |
//! | [`hooks`] | looking at gradients, or changing them, as they pass |
//! | [`mod@draw`] | the graph as a picture |

mod anomaly;
pub mod backward;
pub mod draw;
pub mod gradient;
pub mod grads;
pub mod hooks;
pub mod leaf;
pub mod mode;
mod node;
pub mod op;
pub mod outputs;

pub use backward::{BackwardOptions, GradOptions, grad};
pub use draw::{Drawing, draw, watch};
pub use gradient::{Gradient, SparseRows};
pub use grads::Grads;
pub use mode::{detect_anomaly, grad_enabled, no_grad, with_grad};
pub(crate) use node::History;
pub use op::Op;
pub use outputs::{MultiOp, recorded_together};
