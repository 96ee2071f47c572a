//! What optimisers have in common: groups of parameters with their options, the step over all of them,
//! and the state of each.

use super::Optimizer;
use super::state::{Reader, State, StateError};
use crate::parameter::Parameter;
use autograd::graph::{Gradient, SparseRows};
use autograd::kernels::update::{Elements, Update, update, update_rows};
use autograd::{Element, Tensor};

/// An optimiser's formula. It is implemented by the optimiser's options.
///
/// ```
/// use autograd::Tensor;
/// use autograd::kernels::update::Update;
/// use nn::Parameter;
/// use nn::optim::groups::{Change, Groups, Rule};
/// use nn::optim::Optimizer;
///
/// /// Steps of one size, in the direction of the gradient's sign.
/// #[derive(Clone)]
/// struct SignSgd {
///     lr: f64,
/// }
///
/// impl Rule for SignSgd {
///     const NAME: &'static str = "SignSgd";
///     type Step = Step;
///     fn check(&self) {}
///     fn lr(&self) -> f64 {
///         self.lr
///     }
///     fn set_lr(&mut self, lr: f64) {
///         self.lr = lr;
///     }
///     fn at_step(&self, _: u64) -> Step {
///         Step { lr: self.lr as f32 }
///     }
///     fn apply(&self, step: Step, change: Change<'_>) {
///         change.by::<0, _>(step);
///     }
/// }
///
/// #[derive(Clone, Copy)]
/// struct Step {
///     lr: f32,
/// }
///
/// impl Update<0> for Step {
///     #[inline(always)]
///     fn eval(self, value: f32, gradient: f32, state: [f32; 0]) -> (f32, [f32; 0]) {
///         (value - self.lr * gradient.signum(), state)
///     }
/// }
///
/// let w = Parameter::new(Tensor::from([1.0, 1.0]));
/// let mut optimizer = Groups::new([w.clone()], SignSgd { lr: 0.5 });
/// (w.value() * Tensor::from([3.0, -0.1])).sum(..).backward();
/// optimizer.step();
/// assert_eq!(w.value().to_vec(), [0.5, 1.5]);
/// ```
pub trait Rule {
    /// The optimiser's name, for messages.
    const NAME: &'static str;

    /// The formula with all coefficients of one step worked out.
    type Step: Copy;

    /// Panics if an option makes no sense.
    #[track_caller]
    fn check(&self);

    /// The learning rate.
    fn lr(&self) -> f64;

    /// Changes the learning rate.
    fn set_lr(&mut self, lr: f64);

    /// Changes the momentum; false if the optimiser knows none.
    fn set_momentum(&mut self, _momentum: f64) -> bool {
        false
    }

    /// The names of the tensors that are kept for each parameter. They start as
    /// [`initial`](Rule::initial) at the parameter's first step.
    fn state(&self) -> &'static [&'static str] {
        &[]
    }

    /// What the state starts as.
    fn initial(&self) -> f32 {
        0.0
    }

    /// Why a gradient of this kind is refused, and what to use instead; `None` if it is taken.
    fn refusal(&self, sparse: bool) -> Option<&'static str> {
        sparse.then_some("takes no sparse gradients; use SparseAdam or Adagrad, or make the embedding dense")
    }

    /// The formula of a parameter's `step`-th step, counted from 1.
    fn at_step(&self, step: u64) -> Self::Step;

    /// Calls [`change.by`](Change::by) with the formula, and the number of tensors in [`state`](Rule::state).
    fn apply(&self, step: Self::Step, change: Change<'_>);
}

/// A parameter that is about to change: its values, its gradient, and what is kept for it.
pub struct Change<'a> {
    value: &'a mut [f32],
    gradient: &'a [f32],
    /// The rows that the gradient is of, and their width; all, if `None`.
    rows: Option<(&'a [i64], usize)>,
    state: &'a mut [Tensor],
    /// Whether the state was made for this very step.
    pub fresh: bool,
}

impl Change<'_> {
    /// Changes every value that has a gradient, in one pass over value, gradient and `S` tensors of state.
    ///
    /// # Panics
    /// If there is another number of state tensors than `S`.
    pub fn by<const S: usize, U: Update<S>>(self, formula: U) {
        let Change { value, gradient, rows, state, .. } = self;
        let state: &mut [Tensor; S] = state.try_into().expect("as many tensors as the rule names");
        let of = Elements { value, gradient, state: state.each_mut().map(Tensor::slice_mut) };
        match rows {
            None => update(formula, of),
            Some((rows, width)) => update_rows(formula, rows, width, of),
        }
    }
}

/// Parameters with their names, in the order given: from [`named_parameters`](crate::Module::named_parameters),
/// or from plain [`parameters`](crate::Module::parameters), which are named by their position.
pub struct Parameters(Vec<(Option<String>, Parameter)>);

impl From<Vec<(String, Parameter)>> for Parameters {
    fn from(named: Vec<(String, Parameter)>) -> Parameters {
        Parameters(named.into_iter().map(|(name, parameter)| (Some(name), parameter)).collect())
    }
}
impl From<Vec<Parameter>> for Parameters {
    fn from(plain: Vec<Parameter>) -> Parameters {
        Parameters(plain.into_iter().map(|parameter| (None, parameter)).collect())
    }
}
impl<const N: usize> From<[Parameter; N]> for Parameters {
    fn from(plain: [Parameter; N]) -> Parameters {
        plain.to_vec().into()
    }
}

/// An optimiser: groups of parameters, each with its own options. The type of the options says which
/// optimiser it is: [`Adam`](super::Adam) is `Groups<AdamOptions>`.
pub struct Groups<R: Rule> {
    groups: Vec<Group<R>>,
}

struct Group<R> {
    options: R,
    slots: Vec<Slot>,
}

/// A parameter and what is kept for it.
struct Slot {
    name: String,
    parameter: Parameter,
    /// The steps it has seen.
    step: u64,
    /// What `state` holds: empty before the first step.
    kept: &'static [&'static str],
    state: Vec<Tensor>,
}

impl<R: Rule> Groups<R> {
    /// An optimiser of these parameters, in one group.
    ///
    /// # Panics
    /// If there are none, if one stands there twice or two have the same name, or if an option makes no sense.
    #[track_caller]
    pub fn new(parameters: impl Into<Parameters>, options: R) -> Groups<R> {
        let parameters = parameters.into();
        assert!(!parameters.0.is_empty(), "{}: no parameters to optimise", R::NAME);
        let mut optimizer = Groups { groups: Vec::new() };
        optimizer.add_group(parameters, options);
        optimizer
    }

    /// Adds a group of parameters with options of its own. Parameters without names go on counting.
    ///
    /// # Panics
    /// As [`new`](Groups::new); other groups count too.
    #[track_caller]
    pub fn add_group(&mut self, parameters: impl Into<Parameters>, options: R) {
        options.check();
        let mut slots: Vec<Slot> = Vec::new();
        let earlier = self.slots().count();
        for (i, (name, parameter)) in parameters.into().0.into_iter().enumerate() {
            let name = name.unwrap_or_else(|| (earlier + i).to_string());
            for other in self.slots().chain(&slots) {
                assert!(
                    !other.parameter.is(&parameter),
                    "{}: {} and {name} are one parameter, which can be optimised only once",
                    R::NAME,
                    other.name
                );
                assert!(
                    other.name != name,
                    "{}: two parameters are called {name}, but the state is saved by name; give one of them a prefix",
                    R::NAME
                );
            }
            slots.push(Slot { name, parameter, step: 0, kept: &[], state: Vec::new() });
        }
        self.groups.push(Group { options, slots });
    }

    /// The options of one group.
    ///
    /// # Panics
    /// If there is no such group.
    #[track_caller]
    pub fn options(&self, group: usize) -> &R {
        self.check_group(group);
        &self.groups[group].options
    }

    /// Changes the options of one group, from the next step on.
    ///
    /// # Panics
    /// If there is no such group, or an option makes no sense.
    #[track_caller]
    pub fn set_options(&mut self, group: usize, options: R) {
        self.check_group(group);
        options.check();
        self.groups[group].options = options;
    }

    #[track_caller]
    fn check_group(&self, group: usize) {
        let count = self.groups.len();
        assert!(group < count, "{}: there is no group {group}, only {count}", R::NAME);
    }

    fn slots(&self) -> impl Iterator<Item = &Slot> {
        self.groups.iter().flat_map(|group| &group.slots)
    }
}

impl<R: Rule> Optimizer for Groups<R> {
    #[track_caller]
    fn step(&mut self) {
        let _timing = autograd::profile::timing(R::NAME);
        for Group { options, slots } in &mut self.groups {
            // Parameters of a group nearly always share their number of steps, and so the coefficients.
            let mut latest = None;
            for slot in slots {
                if let Err(reason) = slot.step(options, &mut latest) {
                    panic!("{}: {}, of shape {}: {reason}", R::NAME, slot.name, slot.parameter.shape());
                }
            }
        }
    }

    fn zero_grad(&self) {
        self.slots().for_each(|slot| slot.parameter.zero_grad());
    }

    fn group_count(&self) -> usize {
        self.groups.len()
    }

    #[track_caller]
    fn group_lr(&self, group: usize) -> f64 {
        self.options(group).lr()
    }

    #[track_caller]
    fn set_group_lr(&mut self, group: usize, lr: f64) {
        self.check_group(group);
        self.groups[group].options.set_lr(lr);
    }

    #[track_caller]
    fn set_momentum(&mut self, momentum: f64) {
        for group in &mut self.groups {
            assert!(group.options.set_momentum(momentum), "set_momentum: {} has no momentum", R::NAME);
        }
    }

    fn state(&self) -> State {
        let mut state = State::default();
        for (i, group) in self.groups.iter().enumerate() {
            state.scalars.insert(lr_name(i), group.options.lr());
        }
        for Slot { name, step, kept, state: tensors, .. } in self.slots() {
            state.scalars.insert(format!("{name}.step"), *step as f64);
            for (what, tensor) in kept.iter().zip(tensors) {
                state.tensors.insert(format!("{name}.{what}"), tensor.clone());
            }
        }
        state
    }

    fn load_state(&mut self, state: &State) -> Result<(), StateError> {
        let mut reader = Reader::new(state);
        let lrs: Vec<f64> =
            (0..self.groups.len()).map(|i| reader.scalar(lr_name(i), |lr| !lr.is_nan()).unwrap_or_default()).collect();
        let mut loaded = Vec::new();
        for group in &self.groups {
            for Slot { name, parameter, .. } in &group.slots {
                let step = reader.count(format!("{name}.step"));
                let kept = if step == Some(0) { &[] } else { group.options.state() };
                let shape = parameter.shape();
                let tensors: Vec<_> =
                    kept.iter().filter_map(|what| reader.tensor(format!("{name}.{what}"), shape)).collect();
                loaded.push((step.unwrap_or_default(), kept, tensors));
            }
        }
        reader.finish()?;
        for (group, lr) in self.groups.iter_mut().zip(lrs) {
            group.options.set_lr(lr);
        }
        for (slot, (step, kept, tensors)) in self.groups.iter_mut().flat_map(|group| &mut group.slots).zip(loaded) {
            (slot.step, slot.kept, slot.state) = (step, kept, tensors);
        }
        Ok(())
    }
}

fn lr_name(group: usize) -> String {
    format!("groups.{group}.lr")
}

impl Slot {
    /// Changes the parameter, if it has a gradient. `latest` is the last formula worked out, and for which step.
    fn step<R: Rule>(&mut self, options: &R, latest: &mut Option<(u64, R::Step)>) -> Result<(), &'static str> {
        let Slot { parameter, step, kept, state, .. } = self;
        let change = |value: &mut [f32], gradient: &Gradient| {
            let (shape, sparse) = match gradient {
                Gradient::Dense(gradient) => (*gradient.shape(), false),
                Gradient::Sparse(rows) => (rows.shape, true),
            };
            if let Some(reason) = options.refusal(sparse) {
                return Err(reason);
            }
            *step += 1;
            let fresh = *kept != options.state();
            if fresh {
                let begin = |what| match kept.iter().position(|earlier| earlier == what) {
                    Some(i) => state[i].clone(),
                    None => Tensor::full(shape, options.initial()),
                };
                *state = options.state().iter().map(begin).collect();
                *kept = options.state();
            }
            let formula = match *latest {
                Some((at, formula)) if at == *step => formula,
                _ => options.at_step(*step),
            };
            *latest = Some((*step, formula));
            match gradient {
                Gradient::Dense(gradient) => {
                    let gradient = row_major(gradient);
                    options.apply(formula, Change { value, gradient: slice(&gradient), rows: None, state, fresh });
                }
                Gradient::Sparse(rows) => {
                    let SparseRows { indices, values, .. } = rows.coalesced();
                    let width = shape[1..].iter().product();
                    let rows = Some((slice(&indices), width));
                    options.apply(formula, Change { value, gradient: slice(&values), rows, state, fresh });
                }
            }
            Ok(())
        };
        parameter.update_by_gradient(change).unwrap_or(Ok(()))
    }
}

/// The same gradient in row-major order: one of a sum, say, is a single number seen from everywhere.
fn row_major(gradient: &Tensor) -> Tensor {
    if gradient.is_contiguous() { gradient.clone() } else { gradient.detach().contiguous() }
}

fn slice<T: Element>(tensor: &Tensor<T>) -> &[T] {
    tensor.try_slice().expect("row-major")
}
