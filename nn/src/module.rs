//! Modules: anything with parameters. One walk visits everything by name; the rest follows from it.

use crate::parameter::{Buffer, LayerRng, Mode, Parameter};
use autograd::Tensor;

/// Anything with parameters, or parts that have some: a layer, a model.
///
/// For a struct of layers, [`impl_module!`](crate::impl_module) writes it in one line:
///
/// ```
/// use autograd::{Rng, Tensor};
/// use nn::{Linear, Module, impl_module};
///
/// struct Mlp {
///     fc1: Linear,
///     fc2: Linear,
/// }
/// impl_module!(Mlp { fc1, fc2 });
///
/// impl Mlp {
///     fn forward(&self, x: &Tensor) -> Tensor {
///         let hidden = self.fc1.forward(x).tanh(); // [B, 16]
///         self.fc2.forward(&hidden) // [B, 1]
///     }
/// }
///
/// let mut rng = Rng::seeded(0);
/// let model = Mlp { fc1: Linear::new(2, 16, &mut rng), fc2: Linear::new(16, 1, &mut rng) };
/// let names: Vec<_> = model.named_parameters().into_iter().map(|(name, _)| name).collect();
/// assert_eq!(names, ["fc1.weight", "fc1.bias", "fc2.weight", "fc2.bias"]);
/// ```
pub trait Module {
    /// Shows the walk every part, by name.
    fn visit(&self, walk: &mut Walk<'_>);

    /// What a summary says of this module, as PyTorch prints it: `Linear(in_features=2, out_features=16, bias=True)`.
    /// By default the name of the type, and then the summary lists what is inside. Empty for what is no
    /// layer: parameters, buffers, numbers.
    fn describe(&self) -> String {
        let path = std::any::type_name::<Self>();
        let end = path.find('<').unwrap_or(path.len());
        path[..end].rsplit("::").next().unwrap_or(path).to_string()
    }

    /// All parameters with their full names, as PyTorch names them: `fc1.weight`. One that stands in
    /// several places (tied weights) is listed once, at the first.
    fn named_parameters(&self) -> Vec<(String, Parameter)> {
        let mut found: Vec<(String, Parameter)> = Vec::new();
        Walk::over(self, &mut |name, part| {
            if let Part::Parameter(parameter) = part
                && !found.iter().any(|(_, other)| other.is(parameter))
            {
                found.push((name.to_string(), parameter.clone()));
            }
        });
        found
    }

    /// All parameters, each once.
    fn parameters(&self) -> Vec<Parameter> {
        self.named_parameters().into_iter().map(|(_, parameter)| parameter).collect()
    }

    /// Everything that a checkpoint saves, by name: parameters (tied ones under each name) and buffers.
    fn state(&self) -> Vec<(String, Tensor)> {
        let mut found = Vec::new();
        Walk::over(self, &mut |name, part| match part {
            Part::Parameter(parameter) => found.push((name.to_string(), parameter.value().detach())),
            Part::Buffer(buffer) => found.push((name.to_string(), buffer.value())),
            _ => {}
        });
        found
    }

    /// How many numbers all parameters hold.
    fn parameter_count(&self) -> usize {
        self.parameters().iter().map(|parameter| parameter.shape().count()).sum()
    }

    /// Forgets all gradients.
    fn zero_grad(&self) {
        self.parameters().iter().for_each(Parameter::zero_grad);
    }

    /// Switches to training: dropout drops, batch norm measures.
    fn train(&self) {
        set_training(self, true);
    }

    /// Switches to evaluating.
    fn eval(&self) {
        set_training(self, false);
    }

    /// Lets gradients gather in all parameters, or in none: `set_trainable(false)` freezes the module, as
    /// `requires_grad_(False)`.
    fn set_trainable(&self, trainable: bool) {
        self.parameters().iter().for_each(|parameter| parameter.set_trainable(trainable));
    }

    /// A text for a person: the modules as PyTorch prints them, and how many parameters each has.
    ///
    /// ```
    /// use autograd::Rng;
    /// use nn::{Linear, Module, Sequential, layers::Tanh};
    /// let mut rng = Rng::seeded(0);
    /// let model = Sequential::new().then(Linear::new(4, 8, &mut rng)).then(Tanh).then(Linear::new(8, 1, &mut rng));
    /// let expected = "\
    /// Sequential(                                              49
    ///   (0): Linear(in_features=4, out_features=8, bias=True)  40
    ///   (1): Tanh()
    ///   (2): Linear(in_features=8, out_features=1, bias=True)   9
    /// )
    /// 49 parameters, 49 of them trainable";
    /// assert_eq!(model.summary(), expected);
    /// ```
    fn summary(&self) -> String {
        super::summary::summary(self)
    }
}

fn set_training<M: Module + ?Sized>(module: &M, training: bool) {
    Walk::over(module, &mut |_, part| {
        if let Part::Mode(mode) = part {
            mode.set_training(training);
        }
    });
}

/// A module that turns one tensor into another, so that it can stand in a [`Sequential`](crate::Sequential).
pub trait Layer: Module + Send + Sync {
    /// The layer's output.
    #[track_caller]
    fn forward(&self, x: &Tensor) -> Tensor;
}

/// A part that a walk has come to.
#[derive(Clone, Copy)]
pub enum Part<'a> {
    /// A module, before its own parts.
    Module(&'a dyn Describe),
    /// A parameter.
    Parameter(&'a Parameter),
    /// A buffer.
    Buffer(&'a Buffer),
    /// The switch between training and evaluating.
    Mode(&'a Mode),
    /// A layer's random numbers.
    Rng(&'a LayerRng),
}

/// Anything that can be described: every module.
pub trait Describe {
    /// As [`Module::describe`].
    fn text(&self) -> String;
}

impl<M: Module + ?Sized> Describe for &M {
    fn text(&self) -> String {
        self.describe()
    }
}

/// A walk over a module and its parts, which keeps the names of the modules it is inside of.
pub struct Walk<'f> {
    path: String,
    found: &'f mut dyn FnMut(&str, Part<'_>),
}

impl Walk<'_> {
    /// Calls `found` with the full name of each part of `module`, and the part.
    pub fn over<M: Module + ?Sized>(module: &M, found: &mut dyn FnMut(&str, Part<'_>)) {
        let mut walk = Walk { path: String::new(), found };
        walk.meet(Part::Module(&module));
        module.visit(&mut walk);
    }

    /// Shows the walk a part that is itself a module (parameters and buffers are).
    pub fn child<M: Module + ?Sized>(&mut self, name: impl std::fmt::Display, module: &M) {
        use std::fmt::Write;
        let outer = self.path.len();
        let dot = if outer == 0 { "" } else { "." };
        write!(self.path, "{dot}{name}").expect("writing to a string cannot fail");
        self.meet(Part::Module(&module));
        module.visit(self);
        self.path.truncate(outer);
    }

    /// Shows the walk what stands here.
    pub fn meet(&mut self, part: Part<'_>) {
        (self.found)(&self.path, part);
    }
}

macro_rules! leaf {
    ($($kind:ident),*) => {$(
        impl Module for $kind {
            fn visit(&self, walk: &mut Walk<'_>) {
                walk.meet(leaf!(part $kind)(self));
            }
            fn describe(&self) -> String {
                String::new()
            }
        }
    )*};
    (part LayerRng) => { Part::Rng };
    (part $kind:ident) => { Part::$kind };
}
leaf!(Parameter, Buffer, Mode, LayerRng);

macro_rules! nothing_to_visit {
    ($($t:ty),*) => {$(
        impl Module for $t {
            fn visit(&self, _: &mut Walk<'_>) {}
            fn describe(&self) -> String {
                String::new()
            }
        }
    )*};
}
nothing_to_visit!(bool, usize, isize, f32, f64, i64, &'static str);

impl<M: Module> Module for Option<M> {
    fn visit(&self, walk: &mut Walk<'_>) {
        if let Some(module) = self {
            module.visit(walk);
        }
    }
    fn describe(&self) -> String {
        self.as_ref().map(Module::describe).unwrap_or_default()
    }
}

/// Named by position, as PyTorch's `ModuleList`: `layers.0.weight`.
impl<M: Module> Module for Vec<M> {
    fn visit(&self, walk: &mut Walk<'_>) {
        for (i, module) in self.iter().enumerate() {
            walk.child(i, module);
        }
    }
    fn describe(&self) -> String {
        "ModuleList".to_string()
    }
}

impl<M: Module + ?Sized> Module for Box<M> {
    fn visit(&self, walk: &mut Walk<'_>) {
        (**self).visit(walk);
    }
    fn describe(&self) -> String {
        (**self).describe()
    }
}

/// Writes [`Module`] for a struct, from the list of all its fields.
///
/// Fields are modules, parameters, buffers, options and vectors of these, and plain numbers, which hold
/// nothing to visit. Type parameters of the struct are modules:
///
/// ```
/// use nn::{Layer, Linear, Module, impl_module};
///
/// struct Residual<L> {
///     inner: L,
///     scale: f32,
/// }
/// impl_module!(Residual<L> { inner, scale });
/// ```
///
/// A field that is left out, and would never be trained or saved, does not compile:
///
/// ```compile_fail,E0027
/// use nn::{Linear, Module, impl_module};
///
/// struct Mlp {
///     fc1: Linear,
///     fc2: Linear,
/// }
/// impl_module!(Mlp { fc1 });
/// ```
#[macro_export]
macro_rules! impl_module {
    ($module:ident $(<$($type:ident),+ $(,)?>)? { $($field:ident),* $(,)? }) => {
        impl $(<$($type: $crate::Module),+>)? $crate::Module for $module $(<$($type),+>)? {
            fn visit(&self, walk: &mut $crate::Walk<'_>) {
                let $module { $($field),* } = self;
                $(walk.child(stringify!($field), $field);)*
            }
        }
    };
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::{Dropout, Linear, Sequential};
    use autograd::Rng;

    struct Inner<L> {
        layer: L,
        running: Buffer,
    }
    impl_module!(Inner<L> { layer, running });

    struct Outer {
        first: Linear,
        blocks: Vec<Inner<Linear>>,
        tail: Sequential,
        gate: Option<Parameter>,
        absent: Option<Linear>,
        boxed: Box<Linear>,
        width: usize,
    }
    impl_module!(Outer { first, blocks, tail, gate, absent, boxed, width });

    fn outer() -> Outer {
        let mut rng = Rng::seeded(1);
        let block = |rng: &mut Rng| Inner { layer: Linear::new(2, 2, rng), running: Buffer::new(Tensor::zeros([2])) };
        Outer {
            first: Linear::new(3, 2, &mut rng),
            blocks: vec![block(&mut rng), block(&mut rng)],
            tail: Sequential::new().then(Dropout::new(0.5, &mut rng)).then(Linear::without_bias(2, 1, &mut rng)),
            gate: Some(Parameter::new(Tensor::ones([2]))),
            absent: None,
            boxed: Box::new(Linear::without_bias(1, 1, &mut rng)),
            width: 2,
        }
    }

    #[test]
    fn names_are_paths_as_in_pytorch() {
        let model = outer();
        let names: Vec<_> = model.named_parameters().into_iter().map(|(name, _)| name).collect();
        let expected = [
            "first.weight",
            "first.bias",
            "blocks.0.layer.weight",
            "blocks.0.layer.bias",
            "blocks.1.layer.weight",
            "blocks.1.layer.bias",
            "tail.1.weight",
            "gate",
            "boxed.weight",
        ];
        assert_eq!(names, expected);
        assert_eq!(model.parameter_count(), 6 + 2 + 2 * (4 + 2) + 2 + 2 + 1);
        let state: Vec<_> = model.state().into_iter().map(|(name, _)| name).collect();
        assert!(state.contains(&"blocks.1.running".to_string()));
        assert_eq!(state.len(), expected.len() + 2);
    }

    #[test]
    fn tied_weights_are_one_parameter_under_two_names() {
        let mut rng = Rng::seeded(2);
        let first = Linear::without_bias(2, 2, &mut rng);
        let second = Linear { weight: first.weight.clone(), bias: None };
        let model = vec![first, second];
        assert_eq!(model.named_parameters().len(), 1);
        assert_eq!(model.parameter_count(), 4);
        let state: Vec<_> = model.state().into_iter().map(|(name, _)| name).collect();
        assert_eq!(state, ["0.weight", "1.weight"]);

        let x = Tensor::ones([1, 2]);
        model[1].forward(&model[0].forward(&x)).sum(..).backward();
        let both = model[0].weight.grad().unwrap();
        // The parts from each place: the first as if the second were constant, and the other way round.
        let weight = model[0].weight.value().detach();
        let part = |trained: usize| {
            let leaf = weight.requires_grad();
            let weights = if trained == 0 { [&leaf, &weight] } else { [&weight, &leaf] };
            x.linear(weights[0], None).linear(weights[1], None).sum(..).backward();
            leaf.grad().unwrap()
        };
        assert_eq!(both.to_vec(), (part(1) + part(0)).to_vec());

        model[0].weight.update(|weight| weight.fill(0.5));
        assert_eq!(model[1].weight.value().to_vec(), [0.5; 4]);
        model.zero_grad();
        assert!(model[1].weight.grad().is_none());
    }

    #[test]
    fn train_and_eval_reach_every_layer() {
        let model = outer();
        let modes = || {
            let mut modes = Vec::new();
            Walk::over(&model, &mut |name, part| {
                if let Part::Mode(mode) = part {
                    modes.push((name.to_string(), mode.is_training()));
                }
            });
            modes
        };
        assert_eq!(modes(), [("tail.0.mode".to_string(), true)]);
        model.eval();
        assert_eq!(modes(), [("tail.0.mode".to_string(), false)]);
        model.train();
        assert_eq!(modes(), [("tail.0.mode".to_string(), true)]);
    }

    #[test]
    fn a_frozen_module_gathers_no_gradient_and_lets_others_pass_through() {
        let mut rng = Rng::seeded(3);
        let (first, second) = (Linear::new(2, 3, &mut rng), Linear::new(3, 1, &mut rng));
        let loss = || second.forward(&first.forward(&Tensor::ones([4, 2]))).sum(..);
        second.set_trainable(false);
        loss().backward();
        assert!(first.weight.grad().is_some());
        assert!(second.parameters().iter().all(|parameter| parameter.grad().is_none() && !parameter.is_trainable()));
        second.set_trainable(true);
        loss().backward();
        assert!(second.parameters().iter().all(|parameter| parameter.grad().is_some()));
    }
}
