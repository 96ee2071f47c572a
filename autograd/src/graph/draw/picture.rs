//! From the graph to boxes and arrows: which there are, and what is written in them.

use crate::graph::Gradient;
use crate::graph::node::{History, Node, lock};
use crate::kernels::element::Float;
use crate::tensor::{Dims, Tensor};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// Tensors with at most so many rows and columns are shown in full.
const ROWS: usize = 6;
const COLUMNS: usize = 6;

/// A drawing before anything has a place.
pub(super) struct Picture {
    pub title: Option<String>,
    /// In an order in which arrows lead from earlier boxes to later ones.
    pub boxes: Vec<Item>,
    /// From which box to which.
    pub arrows: Vec<[usize; 2]>,
    /// What there is to say about it all.
    pub notes: Vec<String>,
}

/// A box: a tensor or an operation.
pub(super) struct Item {
    pub role: Role,
    /// The label of a tensor, the symbol of an operation.
    pub name: String,
    /// Empty for a scalar.
    pub shape: String,
    /// The rows of the value; none if it is large or unknown.
    pub data: Vec<String>,
    /// The rows of the gradient.
    pub grad: Vec<String>,
    /// What else is known.
    pub hover: String,
}

impl Item {
    fn new(role: Role, name: &str) -> Item {
        let name = name.to_string();
        Item { role, name, shape: String::new(), data: Vec::new(), grad: Vec::new(), hover: String::new() }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Leaf,
    Constant,
    Result,
    Output,
    Operation,
    /// An operation that a backward pass recorded.
    Backward,
    /// What lies beyond the edge of the drawing.
    Beyond,
}

impl Role {
    pub fn is_operation(self) -> bool {
        matches!(self, Role::Operation | Role::Backward)
    }
}

/// The nodes of a graph that a drawing shows.
pub(super) struct Selection<T: Float> {
    /// By number, and so in the order in which they were calculated.
    pub shown: BTreeMap<u64, Arc<dyn Node<T>>>,
    /// How many there are beyond.
    pub hidden: usize,
}

impl<T: Float> Selection<T> {
    /// The `count` nodes that led to `output` last.
    pub fn last(count: usize, output: &Tensor<T>) -> Selection<T> {
        let mut selection = Selection { shown: BTreeMap::new(), hidden: 0 };
        let mut pending = BTreeMap::new();
        pending.extend(output.history.node().map(|node| (node.head().id, node.clone())));
        // The latest first: an input is always older, so no node comes twice.
        while let Some((id, node)) = pending.pop_last() {
            pending.extend(node.inputs().iter().filter_map(History::node).map(|node| (node.head().id, node.clone())));
            if selection.shown.len() < count {
                selection.shown.insert(id, node);
            } else {
                selection.hidden += 1;
            }
        }
        selection
    }
}

/// Makes the picture, box by box.
pub(super) struct Painter<'a, T: Float> {
    output: &'a Tensor<T>,
    labels: &'a [(Tensor<T>, String)],
    /// Which labels have found their tensor.
    used: Vec<bool>,
    /// The box of the tensor that each node made.
    box_of: HashMap<u64, usize>,
    constants: Vec<(Tensor<T>, usize)>,
    picture: Picture,
}

impl<'a, T: Float> Painter<'a, T> {
    pub fn new(output: &'a Tensor<T>, labels: &'a [(Tensor<T>, String)]) -> Self {
        Painter {
            output,
            labels,
            used: vec![false; labels.len()],
            box_of: HashMap::new(),
            constants: Vec::new(),
            picture: Picture { title: None, boxes: Vec::new(), arrows: Vec::new(), notes: Vec::new() },
        }
    }

    pub fn paint(mut self, Selection { shown, hidden }: &Selection<T>) -> Picture {
        for (&id, node) in shown {
            let tensor = self.tensor(&**node);
            let at = if node.slot().is_some() { self.add(tensor) } else { self.operation(&**node, tensor) };
            self.box_of.insert(id, at);
        }
        if *hidden > 0 {
            let all = shown.len() + hidden;
            self.picture.notes.push(format!("the last {} of {all} leaves and operations", shown.len()));
        }
        let unused = self.labels.iter().zip(&self.used).filter(|(_, used)| !**used).map(|((_, name), _)| name.as_str());
        let unused: Vec<_> = unused.collect();
        if !unused.is_empty() {
            self.picture.notes.push(format!("not in this drawing: {}", unused.join(", ")));
        }
        self.picture
    }

    fn add(&mut self, item: Item) -> usize {
        self.picture.boxes.push(item);
        self.picture.boxes.len() - 1
    }

    /// The boxes of an operation and of its result, `tensor`; which box is the result's.
    fn operation(&mut self, node: &dyn Node<T>, tensor: Item) -> usize {
        let mut sources = Vec::new();
        for (position, input) in node.inputs().iter().enumerate() {
            match input.node() {
                Some(input) => sources.push(self.source(&**input)),
                None => sources.extend(constant(node, position).map(|constant| self.constant(constant))),
            }
        }
        let origin = node.head().origin;
        let role = if origin.backward_of.is_some() { Role::Backward } else { Role::Operation };
        let hover = format!("{} at {origin}", node.name());
        let operation = self.add(Item { hover, ..Item::new(role, symbol(node.name())) });
        let result = self.add(tensor);
        self.picture.arrows.extend(sources.into_iter().map(|source| [source, operation]));
        self.picture.arrows.push([operation, result]);
        result
    }

    /// The box of an input: of a node that is drawn, or of what lies beyond.
    fn source(&mut self, node: &dyn Node<T>) -> usize {
        let id = node.head().id;
        if let Some(&at) = self.box_of.get(&id) {
            return at;
        }
        let hover = format!("{} at {}", node.name(), node.head().origin);
        let at = self.add(Item { hover, ..Item::new(Role::Beyond, "…") });
        self.box_of.insert(id, at);
        at
    }

    /// The box of a tensor without history: one, however often it is used.
    fn constant(&mut self, x: Tensor<T>) -> usize {
        let same = |other: &Tensor<T>| other.shares_storage(&x) && other.layout() == x.layout();
        if let Some((_, at)) = self.constants.iter().find(|(other, _)| same(other)) {
            return *at;
        }
        let label = self.labels.iter().position(|(tensor, _)| !tensor.has_history() && same(tensor));
        let name = self.name(label);
        let data = rows(&x);
        let at = self.add(Item { shape: shape(x.shape()), data, ..Item::new(Role::Constant, name) });
        self.constants.push((x, at));
        at
    }

    /// The name of a label, which is now used.
    fn name(&mut self, label: Option<usize>) -> &'a str {
        let Some(label) = label else { return "" };
        self.used[label] = true;
        &self.labels[label].1
    }

    /// The box of the tensor that a node stands for.
    fn tensor(&mut self, node: &dyn Node<T>) -> Item {
        let head = node.head();
        let is = |x: &Tensor<T>| x.history.node().is_some_and(|node| node.head().id == head.id);
        let label = self.labels.iter().position(|(tensor, _)| is(tensor));
        let value = value(node).or_else(|| Some(self.labels[label?].0.detach()));
        let gradient = match node.slot() {
            Some(slot) => lock(slot).clone().map(Gradient::into_dense),
            None => head.retained_grad(),
        };
        let role = match node.slot() {
            Some(_) => Role::Leaf,
            None if is(self.output) => Role::Output,
            None => Role::Result,
        };
        Item {
            shape: shape(&head.shape),
            data: value.as_ref().map(rows).unwrap_or_default(),
            grad: gradient.as_ref().map(rows).unwrap_or_default(),
            hover: format!("{} of shape {}, at {}", node.name(), head.shape, head.origin),
            ..Item::new(role, self.name(label))
        }
    }
}

/// What `watch` saw of the value of a node.
fn value<T: Float>(node: &dyn Node<T>) -> Option<Tensor<T>> {
    Some(lock(node.head().extras.get()?).seen.as_ref()?.value.clone())
}

/// The input without history at this position, if `watch` saw it.
fn constant<T: Float>(node: &dyn Node<T>, position: usize) -> Option<Tensor<T>> {
    let extras = lock(node.head().extras.get()?);
    let constants = &extras.seen.as_ref()?.constants;
    constants.iter().find(|(at, _)| *at == position).map(|(_, constant)| constant.clone())
}

fn symbol(operation: &'static str) -> &'static str {
    match operation {
        "add" => "+",
        "sub" | "neg" => "−",
        "mul" => "×",
        "div" => "÷",
        "matmul" => "@",
        name => name,
    }
}

fn shape(shape: &Dims) -> String {
    if shape.is_empty() { String::new() } else { shape.to_string() }
}

/// The elements of a small tensor, a line for each row; none of a large one.
fn rows<T: Float>(x: &Tensor<T>) -> Vec<String> {
    let columns = x.shape().last().copied().unwrap_or(1);
    if x.rank() > 2 || x.count() == 0 || columns > COLUMNS || x.count() / columns > ROWS {
        return Vec::new();
    }
    let numbers = in_one_format(&x.iter().map(T::to_f64).collect::<Vec<_>>());
    let width = numbers.iter().map(|number| number.chars().count()).max().unwrap_or(0);
    numbers
        .chunks(columns)
        .map(|row| row.iter().map(|x| format!("{x:>width$}")).collect::<Vec<_>>().join("  "))
        .collect()
}

/// Numbers to four decimals, or as many of these as they all need; to three digits and an exponent if the
/// largest of them is too small or too large for that.
fn in_one_format(numbers: &[f64]) -> Vec<String> {
    let finite = || numbers.iter().map(|x| x.abs()).filter(|x| x.is_finite() && *x != 0.0);
    let largest = finite().fold(0.0, f64::max);
    if largest != 0.0 && !(1e-3..1e6).contains(&largest) {
        return numbers.iter().map(|x| if x.is_finite() { format!("{x:.2e}") } else { x.to_string() }).collect();
    }
    let needed = |x: f64| format!("{x:.4}").trim_end_matches('0').split('.').nth(1).map_or(0, str::len);
    let decimals = finite().map(needed).max().unwrap_or(0).max(1);
    numbers.iter().map(|x| format!("{x:.decimals$}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_one_tensor_share_a_format() {
        assert_eq!(in_one_format(&[1.0, -2.5, 0.0]), ["1.0", "-2.5", "0.0"]);
        assert_eq!(in_one_format(&[0.123_456_7, 3.0]), ["0.1235", "3.0000"]);
        assert_eq!(in_one_format(&[1.0001, 1.25e-7, f64::NAN]), ["1.0001", "0.0000", "NaN"]);
        assert_eq!(in_one_format(&[-3.5e-4, 1.25e-7]), ["-3.50e-4", "1.25e-7"]);
        assert_eq!(in_one_format(&[2e7, 0.0]), ["2.00e7", "0.00e0"]);
        assert_eq!(in_one_format(&[f64::INFINITY, 1.0]), ["inf", "1.0"]);
    }

    #[test]
    fn large_tensors_are_not_written_out() {
        assert_eq!(rows(&Tensor::from(2.0)), ["2.0"]);
        assert_eq!(rows(&Tensor::from([[1.0, 10.0], [100.0, 0.5]])), ["  1.0   10.0", "100.0    0.5"]);
        assert!(rows(&Tensor::zeros([7, 2])).is_empty());
        assert!(rows(&Tensor::zeros(7)).is_empty());
        assert!(rows(&Tensor::zeros([1, 1, 1])).is_empty());
        assert!(rows(&Tensor::zeros([2, 0])).is_empty());
    }
}
