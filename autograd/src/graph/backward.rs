//! The engine: gradients flow from outputs back to leaves.
//!
//! Every node has a number, and an operation's inputs have smaller numbers than its output. So it is
//! enough to keep the nodes that a gradient has reached in a map ordered by number, and to take the
//! largest again and again: by the time a node is taken, everything that was calculated from it has
//! been taken before and has added its part, so its gradient is complete. There is no recursion and
//! no sorting beforehand, and a graph of a million nodes in a row holds one entry at a time.

use super::anomaly;
use super::gradient::{Gradient, Incoming};
use super::grads::{Grads, Sink};
use super::hooks::pass_hooks;
use super::leaf::gather;
use super::mode;
use super::node::{History, Node};
use crate::kernels::element::{Element, Float};
use crate::profile::{self, Timer, What};
use crate::tensor::{Dims, Tensor};
use std::collections::btree_map::{BTreeMap, Entry};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// How [`Tensor::backward_with`] goes about it.
#[derive(Clone, Default)]
pub struct BackwardOptions<T: Float = f32> {
    /// dL/d(this tensor). Must be given unless the tensor has one element; then it is 1 by default.
    pub gradient: Option<Tensor<T>>,
    /// Keep what operations saved, so that backward can run through the same graph again.
    pub retain_graph: bool,
}

/// How [`grad`] goes about it.
#[derive(Clone, Default)]
pub struct GradOptions<T: Float = f32> {
    /// dL/d(output) for each output; 1 by default, for outputs of one element.
    pub grad_outputs: Option<Vec<Tensor<T>>>,
    /// Keep what operations saved, so that backward can run through the same graph again.
    pub retain_graph: bool,
    /// Record the backward pass itself, so that gradients can be differentiated. Implies `retain_graph`.
    pub create_graph: bool,
    /// Return zeros for an input that no output depends on, instead of panicking.
    pub allow_unused: bool,
}

impl<T: Float> GradOptions<T> {
    /// Options with `create_graph`.
    pub fn create_graph() -> Self {
        GradOptions { create_graph: true, ..Default::default() }
    }
}

impl<T: Float> Tensor<T> {
    /// Adds d(this tensor)/d(leaf) to the gradient of every leaf that this tensor was calculated from.
    ///
    /// What operations saved is freed on the way; a second call panics, unless the first is
    /// [`backward_with`](Tensor::backward_with) `retain_graph`.
    ///
    /// # Panics
    /// If the tensor has more than one element, or no history, or its graph has been freed.
    #[track_caller]
    pub fn backward(&self) {
        self.backward_with(BackwardOptions::default());
    }

    /// [`backward`](Tensor::backward) with options.
    ///
    /// ```
    /// use autograd::{BackwardOptions, Tensor};
    /// let x = Tensor::from([1.0, 2.0]).requires_grad();
    /// let y = &x * &x;
    /// let dy = Some(Tensor::from([1.0, 10.0]));
    /// y.backward_with(BackwardOptions { gradient: dy, ..Default::default() });
    /// assert_eq!(x.grad().unwrap().to_vec(), [2.0, 40.0]);
    /// ```
    ///
    /// # Panics
    /// As [`backward`](Tensor::backward), and if `gradient` has another shape than this tensor.
    #[inline(never)]
    #[track_caller]
    pub fn backward_with(&self, options: BackwardOptions<T>) {
        let BackwardOptions { gradient, retain_graph } = options;
        let pass = Pass { retain_graph, create_graph: false, needed: None };
        pass.run([seed("backward", self, gradient)], |node, gradient| {
            if let Some(slot) = node.slot() {
                gather(slot, gradient);
            }
        });
    }
}

/// The gradients of the sum of `outputs` with respect to `inputs`, which may be leaves or anything
/// calculated on the way. Touches no leaf's slot: threads that share parameters collect their own
/// gradients with it.
///
/// ```
/// use autograd::{GradOptions, Tensor, grad};
/// let x = Tensor::from(3.0).requires_grad();
/// let y = &x * &x * &x;
/// let dx = grad(&[&y], &[&x], GradOptions::create_graph()).remove(0); // 3x²
/// let ddx = grad(&[&dx], &[&x], GradOptions::default()).remove(0); // 6x
/// assert_eq!((dx.item(), ddx.item()), (27.0, 18.0));
/// ```
///
/// # Panics
/// If an output has more than one element and no `grad_outputs`, or no history; if an input has no
/// history, or no output depends on it (unless `allow_unused`); if the graph has been freed.
#[inline(never)]
#[track_caller]
pub fn grad<T: Float>(outputs: &[&Tensor<T>], inputs: &[&Tensor<T>], options: GradOptions<T>) -> Vec<Tensor<T>> {
    let GradOptions { grad_outputs, retain_graph, create_graph, allow_unused } = options;
    if let Some(given) = &grad_outputs {
        assert!(given.len() == outputs.len(), "grad: {} grad_outputs for {} outputs", given.len(), outputs.len());
    }
    let mut given = grad_outputs.into_iter().flatten();
    let mut seeds = Vec::with_capacity(outputs.len());
    for output in outputs {
        seeds.push(seed("grad", output, given.next()));
    }
    let mut found: HashMap<u64, Option<Tensor<T>>> = HashMap::new();
    let mut ids = Vec::with_capacity(inputs.len());
    for (position, input) in inputs.iter().enumerate() {
        let Some(node) = input.history.node() else {
            panic!("grad: input {position}, of shape {}, does not require a gradient", input.shape())
        };
        found.insert(node.head().id, None);
        ids.push(node.head().id);
    }

    let needed = Some(needed_for(&seeds, &found));
    let pass = Pass { retain_graph: retain_graph || create_graph, create_graph, needed };
    pass.run(seeds, |node, gradient| {
        if let Some(slot) = found.get_mut(&node.head().id) {
            *slot = Some(gradient.into_dense());
        }
    });

    let mut gradients = Vec::with_capacity(inputs.len());
    for (position, (input, id)) in inputs.iter().zip(ids).enumerate() {
        gradients.push(match &found[&id] {
            Some(gradient) => gradient.clone(),
            None if allow_unused => input.zeros_like(),
            None => panic!(
                "grad: no output depends on input {position}, of shape {}; allow_unused gives zeros instead",
                input.shape()
            ),
        });
    }
    gradients
}

/// A node that a gradient has reached, and the sum of what has reached it so far.
struct Pending<T: Float> {
    node: Arc<dyn Node<T>>,
    gradient: Incoming<T>,
}

/// The nodes that gradients have reached, by their numbers.
type Waiting<T> = BTreeMap<u64, Pending<T>>;

/// The node of an output and the gradient to start from.
#[track_caller]
fn seed<T: Float>(caller: &str, output: &Tensor<T>, gradient: Option<Tensor<T>>) -> Pending<T> {
    let Some(node) = output.history.node() else {
        panic!(
            "{caller}: a tensor of shape {} that was calculated from no leaf that requires a gradient",
            output.shape()
        )
    };
    let gradient = match gradient {
        Some(gradient) => gradient,
        None if output.count() == 1 => output.ones_like(),
        None => panic!(
            "{caller}: a tensor of shape {} is not a single number; sum it, or give its gradient",
            output.shape()
        ),
    };
    assert!(
        gradient.shape() == output.shape(),
        "{caller}: a gradient of shape {} for a tensor of shape {}",
        gradient.shape(),
        output.shape()
    );
    Pending { node: node.clone(), gradient: Incoming::Gradient(Gradient::Dense(gradient)) }
}

/// The numbers of all nodes on a path from the outputs to one of the `wanted` nodes.
fn needed_for<T: Float>(seeds: &[Pending<T>], wanted: &HashMap<u64, Option<Tensor<T>>>) -> HashSet<u64> {
    // Nodes older than all wanted ones lead to none of them.
    let oldest = wanted.keys().copied().min().unwrap_or(u64::MAX);
    let mut reached = BTreeMap::new();
    let mut stack: Vec<_> = seeds.iter().map(|seed| &seed.node).collect();
    while let Some(node) = stack.pop() {
        if let Entry::Vacant(entry) = reached.entry(node.head().id) {
            entry.insert(node);
            stack.extend(node.inputs().iter().filter_map(History::node).filter(|input| input.head().id >= oldest));
        }
    }
    // Ascending, so that a node's inputs are decided before the node is.
    let mut needed = HashSet::new();
    for (id, node) in reached {
        let mut inputs = node.inputs().iter().filter_map(History::node);
        if wanted.contains_key(&id) || inputs.any(|input| needed.contains(&input.head().id)) {
            needed.insert(id);
        }
    }
    needed
}

/// One backward pass.
pub(super) struct Pass {
    retain_graph: bool,
    pub(super) create_graph: bool,
    /// The nodes whose gradients are needed; all, if `None`.
    needed: Option<HashSet<u64>>,
}

impl Pass {
    /// Whether the gradient of an input with this history is wanted.
    #[inline]
    pub(super) fn wants<T: Element>(&self, input: &History<T>) -> bool {
        let needs = |id| self.needed.as_ref().is_none_or(|needed| needed.contains(id));
        input.node().is_some_and(|node| needs(&node.head().id))
    }

    // ANCHOR: engine
    /// Lets gradients flow from the seeds; `arrive` is called with every node's complete gradient.
    #[track_caller]
    fn run<T: Float>(
        &self,
        seeds: impl IntoIterator<Item = Pending<T>>,
        mut arrive: impl FnMut(&dyn Node<T>, Gradient<T>),
    ) {
        let _mode = mode::recording(self.create_graph);
        let mut waiting = Waiting::new();
        for Pending { node, gradient } in seeds {
            accumulate(&mut waiting, &node, gradient);
        }
        while let Some((_, Pending { node, mut gradient })) = waiting.pop_last() {
            let _timing = profile::on().then(|| Timer::backward(what(&*node)));
            gradient.for_each(|gradient| pass_hooks(&*node, gradient));
            if !self.create_graph {
                // A gradient given by the caller, or by a hook, may have one.
                gradient.for_each(Gradient::forget_history);
            }
            if node.slot().is_some() {
                arrive(&*node, gradient.into_gradient());
                continue;
            }
            if self.needed.is_some()
                && let Incoming::Gradient(gradient) = &gradient
            {
                arrive(&*node, gradient.clone());
            }
            if node.inputs().iter().any(|input| self.wants(input)) {
                gradient.for_each(|dy| _ = dy.make_dense());
                if !self.step(&node, gradient, &mut waiting) {
                    freed(&*node);
                }
            }
        }
    }
    // ANCHOR_END: engine

    /// The backward of one operation: from the gradient of its output to those of its inputs. False if
    /// what it saved has been freed.
    fn step<T: Float>(&self, node: &Arc<dyn Node<T>>, dy: Incoming<T>, waiting: &mut Waiting<T>) -> bool {
        let check = mode::anomaly_enabled() && dy.dense().iter().all(|dy| anomaly::first_anomaly(dy).is_none());
        let _mode = mode::differentiating(node.name(), node.head().origin);
        let mut inputs = Inputs { node, waiting, check, set: 0 };
        let mut grads = Grads { node, pass: self, output: None, sink: &mut inputs };
        if !node.backward(dy, self.retain_graph, &mut grads) {
            return false;
        }
        let set = inputs.set;
        for (input, history) in node.inputs().iter().enumerate().take(64) {
            assert!(
                set & bit(input) != 0 || !self.wants(history),
                "backward: {} at {} set no gradient of its input {input}; if there is none, it must set zeros",
                node.name(),
                node.head().origin
            );
        }
        true
    }
}

/// The inputs of an operation whose backward runs.
struct Inputs<'a, T: Float> {
    node: &'a Arc<dyn Node<T>>,
    waiting: &'a mut Waiting<T>,
    /// Whether to look for anomalies.
    check: bool,
    /// Which inputs a gradient has been set for, of the first 64.
    set: u64,
}

/// The bit of an input in a set of the first 64.
fn bit(input: usize) -> u64 {
    1_u64.checked_shl(input as u32).unwrap_or(0)
}

impl<T: Float> Sink<T> for Inputs<'_, T> {
    fn add(&mut self, input: usize, mut gradient: Incoming<T>) {
        self.set |= bit(input);
        let target = self.node.inputs()[input].node().expect("only wanted gradients are set");
        fit(&mut gradient, &**self.node, input, target.head().shape);
        if self.check {
            gradient.dense().iter().for_each(|dx| anomaly::check_backward(&**self.node, input, dx));
        }
        accumulate(self.waiting, target, gradient);
    }

    fn reached(&mut self, input: usize) -> Option<&mut [T]> {
        let target = self.node.inputs()[input].node()?;
        let Incoming::Gradient(Gradient::Dense(so_far)) = &mut self.waiting.get_mut(&target.head().id)?.gradient else {
            return None;
        };
        let so_far = so_far.slice_mut_if_unique().filter(|_| !self.check)?;
        self.set |= bit(input);
        Some(so_far)
    }
}

/// The name of a node in a profile.
fn what<T: Float>(node: &dyn Node<T>) -> What {
    What { name: node.name(), shape: node.head().shape, line: node.head().origin.line }
}

/// Adds to the gradient that has reached a node: the first is moved there, later ones are added to it.
fn accumulate<T: Float>(waiting: &mut Waiting<T>, node: &Arc<dyn Node<T>>, gradient: Incoming<T>) {
    match waiting.entry(node.head().id) {
        Entry::Vacant(entry) => _ = entry.insert(Pending { node: node.clone(), gradient }),
        Entry::Occupied(entry) => entry.into_mut().gradient.add(gradient),
    }
}

/// Brings a gradient into the shape of the input it is for: sums it over the axes along which the input was broadcast.
fn fit<T: Float>(gradient: &mut Incoming<T>, op: &dyn Node<T>, input: usize, shape: Dims) {
    if let Incoming::Gradient(Gradient::Dense(dx)) = gradient
        && *dx.shape() != shape
    {
        match dx.try_sum_to(shape) {
            Some(sum) => *dx = sum,
            None => panic!(
                "backward: {} at {} gave input {input}, of shape {shape}, a gradient of shape {}",
                op.name(),
                op.head().origin,
                dx.shape()
            ),
        }
    }
}

#[cold]
#[track_caller]
fn freed<T: Float>(node: &dyn Node<T>) -> ! {
    panic!(
        "backward: the graph was freed by an earlier backward, at {} ({}); to go back through it twice, the first \
         must set retain_graph",
        node.name(),
        node.head().origin
    )
}
