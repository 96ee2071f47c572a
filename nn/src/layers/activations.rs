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
    /// max(0, x), as `torch.nn.ReLU`.
    Relu as "ReLU()", |x| x.relu()
}
layer! {
    /// tanh x, as `torch.nn.Tanh`.
    Tanh as "Tanh()", |x| x.tanh()
}
layer! {
    /// 1 / (1 + e⁻ˣ), as `torch.nn.Sigmoid`.
    Sigmoid as "Sigmoid()", |x| x.sigmoid()
}
layer! {
    /// ln(1 / (1 + e⁻ˣ)), as `torch.nn.LogSigmoid`.
    LogSigmoid as "LogSigmoid()", |x| x.log_sigmoid()
}
layer! {
    /// x·Φ(x), as `torch.nn.GELU`.
    Gelu as "GELU(approximate='none')", |x| x.gelu()
}
layer! {
    /// [`Gelu`] by way of tanh, as `torch.nn.GELU(approximate="tanh")`.
    GeluTanh as "GELU(approximate='tanh')", |x| x.gelu_tanh()
}
layer! {
    /// x / (1 + e⁻ˣ), as `torch.nn.SiLU`.
    Silu as "SiLU()", |x| x.silu()
}
layer! {
    /// x, or `negative_slope`·x where it is negative, as `torch.nn.LeakyReLU`.
    LeakyRelu {
        /// 0.01 by default.
        negative_slope: f32 = 0.01,
    } as "LeakyReLU(negative_slope={negative_slope:?})", |s, x| x.leaky_relu(s.negative_slope)
}
layer! {
    /// x, or `alpha`·(eˣ − 1) where it is negative, as `torch.nn.ELU`.
    Elu {
        /// 1 by default.
        alpha: f32 = 1.0,
    } as "ELU(alpha={alpha:?})", |s, x| x.elu(s.alpha)
}
layer! {
    /// ln(1 + e^βx) / β, or x where βx is above `threshold`, as `torch.nn.Softplus`.
    Softplus {
        /// β; 1 by default.
        beta: f32 = 1.0,
        /// 20 by default.
        threshold: f32 = 20.0,
    } as "Softplus(beta={beta:?}, threshold={threshold:?})", |s, x| x.softplus_with(s.beta, s.threshold)
}
layer! {
    /// x between two bounds, as `torch.nn.Hardtanh`.
    Hardtanh {
        /// −1 by default.
        low: f32 = -1.0,
        /// 1 by default.
        high: f32 = 1.0,
    } as "Hardtanh(min_val={low:?}, max_val={high:?})", |s, x| x.hardtanh(s.low, s.high)
}
layer! {
    /// Exponentials that sum to 1 along an axis, as `torch.nn.Softmax`.
    Softmax {
        /// The axis; the last by default.
        axis: isize = -1,
    } as "Softmax(dim={axis})", |s, x| x.softmax(s.axis)
}
layer! {
    /// The logarithm of [`Softmax`], as `torch.nn.LogSoftmax`.
    LogSoftmax {
        /// The axis; the last by default.
        axis: isize = -1,
    } as "LogSoftmax(dim={axis})", |s, x| x.log_softmax(s.axis)
}
layer! {
    /// The axes from `first` to `last` as one, as `torch.nn.Flatten`: `[B, C, H, W]` to `[B, C·H·W]`.
    Flatten {
        /// 1 by default, which leaves the batch alone.
        first: isize = 1,
        /// −1 by default, the last of all.
        last: isize = -1,
    } as "Flatten(start_dim={first}, end_dim={last})", |s, x| x.flatten_range(s.first, s.last)
}
layer! {
    /// x itself, as `torch.nn.Identity`.
    Identity as "Identity()", |x| x.clone()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn read_as_in_pytorch() {
        assert_eq!(Relu.describe(), "ReLU()");
        assert_eq!(LeakyRelu::default().describe(), "LeakyReLU(negative_slope=0.01)");
        assert_eq!(Elu { alpha: 2.0 }.describe(), "ELU(alpha=2.0)");
        assert_eq!(Softplus::default().describe(), "Softplus(beta=1.0, threshold=20.0)");
        assert_eq!(Hardtanh::default().describe(), "Hardtanh(min_val=-1.0, max_val=1.0)");
        assert_eq!(Softmax::default().describe(), "Softmax(dim=-1)");
        assert_eq!(Flatten::default().describe(), "Flatten(start_dim=1, end_dim=-1)");
    }

    #[test]
    fn options_reach_the_function() {
        let x = Tensor::from([[-2.0, 0.5], [3.0, -0.25]]);
        assert_eq!(LeakyRelu { negative_slope: 0.5 }.forward(&x).to_vec(), [-1.0, 0.5, 3.0, -0.125]);
        assert_eq!(Hardtanh { low: -0.5, high: 2.0 }.forward(&x).to_vec(), [-0.5, 0.5, 2.0, -0.25]);
        assert_eq!(Softplus { beta: 1.0, threshold: 0.0 }.forward(&x).value_at([1, 0]), 3.0);
        assert_eq!(*Flatten { first: 0, ..Default::default() }.forward(&x).shape(), [4]);
        assert_eq!(*Flatten { first: 1, last: -2 }.forward(&Tensor::zeros([2, 3, 4, 5])).shape(), [2, 12, 5]);
        assert_eq!(*Flatten::default().forward(&Tensor::zeros([2, 3, 4])).shape(), [2, 12]);
        for (axis, sums) in [(0, [1.0, 1.0]), (-1, [1.0, 1.0])] {
            let y = Softmax { axis }.forward(&x);
            // Two terms, each rounded, of a sum of 1.
            assert!(y.sum(axis).iter().zip(sums).all(|(sum, one)| (sum - one).abs() <= 4.0 * f32::EPSILON));
            let logs = LogSoftmax { axis }.forward(&x);
            assert!(logs.exp().iter().zip(y.iter()).all(|(a, b)| (a - b).abs() <= 8.0 * f32::EPSILON));
        }
    }
}
