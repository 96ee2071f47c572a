//! Drawing the graph: every operation and every tensor that led to a result, left to right, with the
//! data and the gradient of the small ones. As SVG, for a browser, or as DOT, for Graphviz.
//!
//! ```
//! use autograd::{Tensor, draw, watch};
//! let (x, w) = (Tensor::from([2.0, 3.0]), Tensor::from([-1.0, 0.5]).requires_grad());
//!
//! let loss = watch(|| (&x * &w).sum(..).tanh());
//! loss.backward();
//!
//! let drawing = draw(&loss).label(&x, "x").label(&w, "w").label(&loss, "loss");
//! std::fs::write(std::env::temp_dir().join("graph.svg"), drawing.svg()).unwrap();
//! ```
//!
//! The graph itself remembers operations and shapes, and no values but those that some backward reads.
//! What [`watch`] runs is remembered in full. Without it, a drawing shows the values of the tensors that
//! were labelled, because the caller hands it those, and the gradients of leaves and of tensors told to
//! [`retain_grad`](Tensor::retain_grad); of everything else, the shape.
//!
//! | file | what it does |
//! |---|---|
//! | `picture` | from the graph to boxes and arrows |
//! | `layout` | where each box goes, and how the arrows get there |
//! | `svg`, `dot` | writing it down |

mod dot;
mod layout;
mod picture;
mod svg;

use super::mode;
use crate::kernels::element::{Element, Float};
use crate::tensor::Tensor;
use picture::{Painter, Picture, Selection};

/// Runs `f` and remembers the value of every tensor with a history that it calculates, and of the
/// constants that go into them, for [`draw`]; backward then leaves their gradients there, too.
///
/// All of that stays in memory as long as the graph does: this is for looking at a graph, not for
/// training. It holds for the calling thread.
pub fn watch<R>(f: impl FnOnce() -> R) -> R {
    mode::watch(f)
}

/// A drawing of how `output` was calculated.
///
/// # Panics
/// If `output` has no history.
#[track_caller]
pub fn draw<T: Float>(output: &Tensor<T>) -> Drawing<T> {
    assert!(
        output.has_history(),
        "draw: a tensor of shape {} without history: there is no graph to draw",
        output.shape()
    );
    Drawing { output: output.clone(), labels: Vec::new(), title: None, max_nodes: MAX_NODES }
}

/// How many nodes of the graph a drawing shows unless told.
const MAX_NODES: usize = 300;

/// A drawing to be: made by [`draw`], written by [`svg`](Drawing::svg) or [`dot`](Drawing::dot).
pub struct Drawing<T: Float = f32> {
    output: Tensor<T>,
    labels: Vec<(Tensor<T>, String)>,
    title: Option<String>,
    max_nodes: usize,
}

impl<T: Float> Drawing<T> {
    /// Names `tensor` in the drawing, and shows its value even if nothing was watched.
    pub fn label(mut self, tensor: &Tensor<T>, name: impl Into<String>) -> Self {
        self.labels.push((tensor.clone(), name.into()));
        self
    }

    /// A line above the drawing.
    pub fn title(mut self, title: impl Into<String>) -> Self {
        self.title = Some(title.into());
        self
    }

    /// Shows at most so many leaves and operations, those calculated last; 300 unless told. Where the
    /// drawing stops, it says so.
    pub fn max_nodes(mut self, count: usize) -> Self {
        self.max_nodes = count.max(1);
        self
    }

    /// The drawing as a picture that any browser shows: one file that needs no other. Hovering over a
    /// box tells the line of code that it comes from.
    pub fn svg(&self) -> String {
        svg::write(&self.picture())
    }

    /// The drawing in the language of Graphviz: `dot -Tpng graph.dot -o graph.png`.
    ///
    /// ```
    /// use autograd::{Tensor, draw};
    /// let a = Tensor::from(2.0).requires_grad();
    /// let dot = draw(&(&a + &a)).label(&a, "a").dot();
    /// assert_eq!(dot.matches("->").count(), 3); // a to +, twice, and + to its result
    /// ```
    pub fn dot(&self) -> String {
        dot::write(&self.picture())
    }

    fn picture(&self) -> Picture {
        let nodes = Selection::last(self.max_nodes, &self.output);
        let picture = Painter::new(&self.output, &self.labels).paint(&nodes);
        Picture { title: self.title.clone(), ..picture }
    }
}

/// What [`watch`] remembers of a node.
pub(super) struct Seen<T: Element> {
    /// The value of the tensor.
    value: Tensor<T>,
    /// The inputs without history, with their positions.
    constants: Vec<(usize, Tensor<T>)>,
}

/// Remembers `y`, freshly calculated from `inputs`.
#[cold]
pub(super) fn remember<T: Element>(y: &Tensor<T>, inputs: &[&Tensor<T>]) {
    let constants = inputs.iter().enumerate().filter(|(_, x)| !x.has_history());
    let constants = constants.map(|(i, x)| (i, (*x).clone())).collect();
    if let Some(node) = y.history.node() {
        let mut extras = node.head().extras();
        extras.wait_for_gradient();
        extras.seen = Some(Box::new(Seen { value: y.detach(), constants }));
    }
    for x in inputs {
        let Some(node) = x.history.node() else { continue };
        let mut extras = node.head().extras();
        match &mut extras.seen {
            // A leaf may have been updated since it was last used.
            Some(seen) => seen.value = x.detach(),
            None => {
                extras.wait_for_gradient();
                extras.seen = Some(Box::new(Seen { value: x.detach(), constants: Vec::new() }));
            }
        }
    }
}
