//! The engine: gradients flow from outputs back to leaves.
//!
//! Every node has a number, and an operation's inputs have smaller numbers than its output. So it is
//! enough to keep the nodes that a gradient has reached in a map ordered by number, and to take the
//! largest again and again: by the time a node is taken, everything that was calculated from it has
//! been taken before and has added its part, so its gradient is complete. There is no recursion and
//! no sorting beforehand, and a graph of a million nodes in a row holds one entry at a time.

use super::anomaly;
use super::gradient::Gradient;
use super::grads::Grads;
use super::mode;
use super::node::{Kind, Node, Recorded, lock};
use crate::kernels::element::Float;
use crate::tensor::Tensor;
use std::collections::btree_map::{BTreeMap, Entry};
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};

/// How [`Tensor::backward_with`] goes about it.
#[derive(Clone, Default)]
pub struct BackwardOptions<T: Float = f32> {
    /// dL/d(this tensor). Must be given unless the tensor has one element; then it is 1 by default.
    pub gradient: Option<Tensor<T>>,
    /// Keep what operations saved, so that backward can run through the same graph again.
    pub retain_graph: bool,
    /// Record the backward pass itself, so that gradients can be differentiated. Implies `retain_graph`.
    pub create_graph: bool,
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
    #[track_caller]
    pub fn backward_with(&self, options: BackwardOptions<T>) {
        let BackwardOptions { gradient, retain_graph, create_graph } = options;
        let pass = Pass { retain_graph: retain_graph || create_graph, create_graph, needed: None };
        pass.run(vec![seed("backward", self, gradient)], |node, gradient| {
            if let Kind::Leaf { gradient: slot } = &node.kind {
                let mut slot = lock(slot);
                *slot = Some(match slot.take() {
                    Some(earlier) => earlier.add(gradient),
                    None => gradient,
                });
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
#[track_caller]
pub fn grad<T: Float>(outputs: &[&Tensor<T>], inputs: &[&Tensor<T>], options: GradOptions<T>) -> Vec<Tensor<T>> {
    let GradOptions { grad_outputs, retain_graph, create_graph, allow_unused } = options;
    if let Some(given) = &grad_outputs {
        assert!(given.len() == outputs.len(), "grad: {} grad_outputs for {} outputs", given.len(), outputs.len());
    }
    let mut given = grad_outputs.into_iter().flatten();
    let seeds: Vec<_> = outputs.iter().map(|output| seed("grad", output, given.next())).collect();

    let mut found: HashMap<u64, Option<Tensor<T>>> = HashMap::new();
    for (position, input) in inputs.iter().enumerate() {
        let node = input.node.as_ref().unwrap_or_else(|| {
            panic!("grad: input {position}, of shape {}, does not require a gradient", input.shape())
        });
        found.insert(node.id, None);
    }
    let needed = needed_for(&seeds, &found);
    let pass = Pass { retain_graph: retain_graph || create_graph, create_graph, needed: Some(needed) };
    pass.run(seeds, |node, gradient| {
        if let Some(slot) = found.get_mut(&node.id) {
            *slot = Some(gradient.into_dense());
        }
    });

    let take = |(position, input): (usize, &&Tensor<T>)| {
        let id = input.node.as_ref().expect("checked above").id;
        match &found[&id] {
            Some(gradient) => gradient.clone(),
            None if allow_unused => input.zeros_like(),
            None => panic!(
                "grad: no output depends on input {position}, of shape {}; allow_unused gives zeros instead",
                input.shape()
            ),
        }
    };
    inputs.iter().enumerate().map(take).collect()
}

/// A node that a gradient has reached, and the sum of what has reached it so far.
struct Pending<T: Float> {
    node: Arc<Node<T>>,
    gradient: Gradient<T>,
}

/// The node of an output and the gradient to start from.
#[track_caller]
fn seed<T: Float>(caller: &str, output: &Tensor<T>, gradient: Option<Tensor<T>>) -> Pending<T> {
    let Some(node) = output.node.clone() else {
        panic!("{caller}: a tensor of shape {} that was calculated from no leaf that requires a gradient", output.shape())
    };
    let gradient = gradient.unwrap_or_else(|| {
        assert!(
            output.count() == 1,
            "{caller}: a tensor of shape {} is not a single number; sum it, or give its gradient",
            output.shape()
        );
        output.ones_like()
    });
    assert!(
        gradient.shape() == output.shape(),
        "{caller}: a gradient of shape {} for a tensor of shape {}",
        gradient.shape(),
        output.shape()
    );
    Pending { node, gradient: Gradient::Dense(gradient) }
}

/// The numbers of all nodes on a path from the outputs to one of the `wanted` nodes.
fn needed_for<T: Float>(seeds: &[Pending<T>], wanted: &HashMap<u64, Option<Tensor<T>>>) -> HashSet<u64> {
    // Nodes older than all wanted ones lead to none of them.
    let oldest = wanted.keys().copied().min().unwrap_or(u64::MAX);
    let mut reached: BTreeMap<u64, Vec<u64>> = BTreeMap::new();
    let mut stack: Vec<_> = seeds.iter().map(|seed| seed.node.clone()).collect();
    while let Some(node) = stack.pop() {
        if let Entry::Vacant(entry) = reached.entry(node.id) {
            let inputs: Vec<_> = node.inputs().into_iter().flatten().filter(|input| input.id >= oldest).collect();
            entry.insert(inputs.iter().map(|input| input.id).collect());
            stack.extend(inputs);
        }
    }
    // Ascending, so that a node's inputs are decided before the node is.
    let mut needed = HashSet::new();
    for (id, inputs) in reached {
        if wanted.contains_key(&id) || inputs.iter().any(|input| needed.contains(input)) {
            needed.insert(id);
        }
    }
    needed
}

/// One backward pass.
struct Pass {
    retain_graph: bool,
    create_graph: bool,
    /// The nodes whose gradients are needed; all, if `None`.
    needed: Option<HashSet<u64>>,
}

impl Pass {
    fn needs(&self, id: u64) -> bool {
        self.needed.as_ref().is_none_or(|needed| needed.contains(&id))
    }

    /// Lets gradients flow from the seeds; `arrive` is called with every node's complete gradient.
    #[track_caller]
    fn run<T: Float>(&self, seeds: Vec<Pending<T>>, mut arrive: impl FnMut(&Arc<Node<T>>, Gradient<T>)) {
        let _flags = mode::Flags::record(self.create_graph);
        let mut pending = BTreeMap::new();
        for Pending { node, gradient } in seeds {
            accumulate(&mut pending, &node, gradient);
        }
        while let Some((_, Pending { node, mut gradient })) = pending.pop_last() {
            if node.has_hooks() {
                gradient = Gradient::Dense(node.run_hooks(gradient.into_dense()));
            }
            match &node.kind {
                Kind::Leaf { .. } => arrive(&node, gradient),
                Kind::Op { state, .. } => {
                    if self.needed.is_some() {
                        arrive(&node, gradient.clone());
                    }
                    self.step(&node, state, gradient.into_dense(), &mut pending);
                }
            }
        }
    }

    /// The backward of one operation: from the gradient of its output to those of its inputs.
    #[track_caller]
    fn step<T: Float>(
        &self,
        node: &Arc<Node<T>>,
        state: &Mutex<Option<Recorded<T>>>,
        dy: Tensor<T>,
        pending: &mut BTreeMap<u64, Pending<T>>,
    ) {
        let inputs = match &*lock(state) {
            Some(recorded) => recorded.inputs.clone(),
            None => freed(node),
        };
        let wanted: Vec<bool> = inputs.iter().map(|input| input.as_ref().is_some_and(|x| self.needs(x.id))).collect();
        if !wanted.contains(&true) {
            return;
        }
        let recorded = if self.retain_graph { lock(state).as_ref().map(Recorded::again) } else { lock(state).take() };
        let Some(Recorded { op, output, .. }) = recorded else { freed(node) };
        let output = output.map(|mut y| {
            y.node = self.create_graph.then(|| node.clone());
            y
        });
        let check = mode::anomaly_enabled() && anomaly::first_anomaly(&dy).is_none();

        let mut grads = Grads { inputs: &inputs, wanted: &wanted, output, create_graph: self.create_graph, set: Vec::with_capacity(inputs.len()) };
        op.backward_boxed(dy, &mut grads);
        for (input, gradient) in grads.set {
            let target = inputs[input].as_ref().expect("only wanted gradients are set");
            let gradient = gradient.fitted(node, input, target);
            if check {
                anomaly::check_backward(node.name(), input, &gradient.clone().into_dense(), node.location);
            }
            accumulate(pending, target, gradient);
        }
    }
}

/// Adds to the gradient that has reached a node: the first is moved there, later ones are added to it.
fn accumulate<T: Float>(pending: &mut BTreeMap<u64, Pending<T>>, node: &Arc<Node<T>>, gradient: Gradient<T>) {
    match pending.entry(node.id) {
        Entry::Vacant(entry) => {
            entry.insert(Pending { node: node.clone(), gradient });
        }
        Entry::Occupied(entry) => {
            let (id, earlier) = entry.remove_entry();
            pending.insert(id, Pending { node: earlier.node, gradient: earlier.gradient.add(gradient) });
        }
    }
}

impl<T: Float> Gradient<T> {
    /// This gradient in the shape of the input it is for: summed over the axes along which the input
    /// was broadcast.
    fn fitted(self, op: &Node<T>, input: usize, target: &Node<T>) -> Gradient<T> {
        match self {
            Gradient::Dense(dx) if *dx.shape() != target.shape => {
                let Some(dx) = dx.try_sum_to(target.shape) else {
                    panic!(
                        "backward: {} at {} gave input {input}, of shape {}, a gradient of shape {}",
                        op.name(),
                        op.location,
                        target.shape,
                        dx.shape()
                    )
                };
                Gradient::Dense(dx)
            }
            other => other,
        }
    }
}

impl<T: Float> Recorded<T> {
    /// A copy, for a backward that leaves the graph as it is.
    fn again(&self) -> Recorded<T> {
        Recorded { op: self.op.clone_box(), inputs: self.inputs.clone(), output: self.output.clone() }
    }
}

#[cold]
#[track_caller]
fn freed<T: Float>(node: &Node<T>) -> ! {
    panic!(
        "backward: the graph was freed by an earlier backward, at {} ({}); to go back through it twice, the first \
         must set retain_graph",
        node.name(),
        node.location
    )
}
