//! Activations and other functions without parameters, as layers for [`Sequential`](crate::Sequential).
//!
//! In a forward pass of one's own the tensor's method is shorter: `x.relu()` for `Relu.forward(&x)`.

use crate::module::{Layer, Module, Walk};
use autograd::Tensor;

/// A layer that is a function of its input: its fields with their defaults, how PyTorch prints it, and the function.
macro_rules! layer {
    ($(#[$doc:meta])* $name:ident as $printed:literal, |$x:ident| $y:expr) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default)]
        pub struct $name;
        layer!(impl $name {}, |_s| $printed.to_string(), |_s, $x| $y);
    };
    (
        $(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident: $type:ty = $default:expr),+ $(,)? }
        as $printed:literal, |$s:ident, $x:ident| $y:expr
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug)]
        pub struct $name {
            $($(#[$field_doc])* pub $field: $type,)+
        }
        impl Default for $name {
            fn default() -> $name {
                $name { $($field: $default),+ }
            }
        }
        layer!(impl $name { $($field),+ }, |$s| format!($printed, $($field = $s.$field),+), |$s, $x| $y);
    };
    (impl $name:ident { $($field:ident),* }, |$d:ident| $description:expr, |$s:ident, $x:ident| $y:expr) => {
        impl Module for $name {
            fn visit(&self, _: &mut Walk<'_>) {}
            fn describe(&self) -> String {
                let $d = self;
                $description
            }
        }
        impl Layer for $name {
            #[track_caller]
            fn forward(&self, $x: &Tensor) -> Tensor {
                let $s = self;
                $y
            }
        }
    };
}

layer! {
    /// tanh x, as `torch.nn.Tanh`.
    Tanh as "Tanh()", |x| x.tanh()
}
layer! {
    /// x itself, as `torch.nn.Identity`.
    Identity as "Identity()", |x| x.clone()
}
layer! {
    /// The axes from `first` on as one, as `torch.nn.Flatten`: `[B, C, H, W]` to `[B, C·H·W]`.
    Flatten {
        /// The first axis to be flattened. 1 by default, which leaves the batch alone.
        first: isize = 1,
    } as "Flatten(start_dim={first}, end_dim=-1)", |s, x| x.flatten(s.first)
}
