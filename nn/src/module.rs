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

    /// What a summary says of this module, as PyTorch prints it: `Linear(in_features=2, out_features=16)`.
    /// Empty for what is no layer: parameters, buffers, numbers.
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

    /// A table for a person: every module and parameter with its shape and count.
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

/// Writes [`Module`] for a struct, from the list of all its fields: a field left out does not compile.
///
/// Fields are modules, parameters, buffers, options and vectors of these, and plain numbers, which hold
/// nothing to visit.
#[macro_export]
macro_rules! impl_module {
    ($module:ident { $($field:ident),* $(,)? }) => {
        impl $crate::Module for $module {
            fn visit(&self, walk: &mut $crate::Walk<'_>) {
                let $module { $($field),* } = self;
                $(walk.child(stringify!($field), $field);)*
            }
        }
    };
}
