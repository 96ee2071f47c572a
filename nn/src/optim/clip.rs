//! Gradients that are made smaller before a step: all of them together, or each on its own.

use crate::parameter::Parameter;
use autograd::graph::{Gradient, SparseRows};
use autograd::kernels::elementwise::{Unary, map_in_place};
use autograd::{Tensor, no_grad};

/// How [`clip_grad_norm_with`] goes about it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ClipOptions {
    /// The p of the norm: 2 by default; `f64::INFINITY` for the largest absolute value.
    pub norm_type: f64,
    /// Whether a norm that is NaN or infinite is an error; otherwise all gradients are scaled by what
    /// comes of it: to NaN, or to 0.
    pub error_if_nonfinite: bool,
}

impl Default for ClipOptions {
    fn default() -> Self {
        ClipOptions { norm_type: 2.0, error_if_nonfinite: false }
    }
}

/// The gradients have no finite norm, so they are left as they are.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[error("the gradients' total norm of order {norm_type} is {norm}, so they cannot be clipped")]
pub struct NonFiniteNorm {
    /// The norm.
    pub norm: f32,
    /// Its p.
    pub norm_type: f64,
}

/// Scales all gradients so that their norm, taken as if they were one vector, is at most `max_norm`.
/// Returns the norm they had. As `torch.nn.utils.clip_grad_norm_`.
///
/// ```
/// use autograd::Tensor;
/// use nn::Parameter;
/// use nn::optim::clip_grad_norm;
///
/// let w = Parameter::new(Tensor::from([0.0, 0.0]));
/// (w.value() * Tensor::from([3.0, 4.0])).sum(..).backward();
/// assert_eq!(clip_grad_norm(&[w.clone()], 0.5), 5.0);
/// let clipped = w.grad().unwrap();
/// assert!((clipped.value_at([0]) - 0.3).abs() < 1e-6 && (clipped.value_at([1]) - 0.4).abs() < 1e-6);
/// ```
pub fn clip_grad_norm(parameters: &[Parameter], max_norm: f64) -> f32 {
    clip_grad_norm_with(parameters, max_norm, ClipOptions::default()).expect("no error was asked for")
}

/// [`clip_grad_norm`] with options.
///
/// # Errors
/// If the norm is not finite, and `error_if_nonfinite` is set. Then nothing changes.
pub fn clip_grad_norm_with(
    parameters: &[Parameter],
    max_norm: f64,
    options: ClipOptions,
) -> Result<f32, NonFiniteNorm> {
    let ClipOptions { norm_type, error_if_nonfinite } = options;
    let norm = grad_norm(parameters, norm_type);
    if error_if_nonfinite && !norm.is_finite() {
        return Err(NonFiniteNorm { norm, norm_type });
    }
    let factor = max_norm as f32 / (norm + 1e-6);
    // A NaN is no reason to leave the gradients as they are.
    if factor < 1.0 || factor.is_nan() {
        parameters.iter().for_each(|parameter| change(parameter, Scale(factor)));
    }
    Ok(norm)
}

/// The norm of all gradients, taken as if they were one vector: 0 if there are none. Sparse ones are
/// coalesced first. As `torch.nn.utils.get_total_norm`.
pub fn grad_norm(parameters: &[Parameter], norm_type: f64) -> f32 {
    let norm = |gradient: Gradient| match gradient {
        Gradient::Dense(gradient) => norm_of(&gradient, norm_type),
        Gradient::Sparse(rows) => norm_of(&rows.coalesced().values, norm_type),
    };
    let norms: Vec<f32> = parameters.iter().filter_map(|parameter| parameter.gradient().map(norm)).collect();
    norm_of(&Tensor::from_slice(&norms, norms.len()), norm_type)
}

fn norm_of(x: &Tensor, norm_type: f64) -> f32 {
    // Nothing has no largest element, and adds nothing.
    if x.count() == 0 { 0.0 } else { no_grad(|| x.norm(norm_type, ..).item()) }
}

/// Limits each number of each gradient to [-`limit`, `limit`], as `torch.nn.utils.clip_grad_value_`.
///
/// # Panics
/// If the limit is negative or NaN.
#[track_caller]
pub fn clip_grad_value(parameters: &[Parameter], limit: f64) {
    assert!(limit >= 0.0, "clip_grad_value: a limit of {limit}, which must not be negative");
    parameters.iter().for_each(|parameter| change(parameter, Limit(limit as f32)));
}

#[derive(Clone, Copy)]
struct Scale(f32);

impl Unary<f32> for Scale {
    #[inline(always)]
    fn eval(self, x: f32) -> f32 {
        x * self.0
    }
}

#[derive(Clone, Copy)]
struct Limit(f32);

impl Unary<f32> for Limit {
    #[inline(always)]
    fn eval(self, x: f32) -> f32 {
        x.clamp(-self.0, self.0)
    }
}

/// Changes each number of a gradient, in place if nobody else looks at it. Sparse ones become coalesced.
fn change<F: Unary<f32>>(parameter: &Parameter, f: F) {
    let leaf = parameter.value();
    let apply = |values: Tensor| {
        // Clipping is no part of the function that a gradient with a history can be differentiated as.
        let mut plain = values.detach();
        drop(values);
        map_in_place(f, plain.slice_mut());
        plain
    };
    let changed = match leaf.take_gradient() {
        None => return,
        Some(Gradient::Dense(gradient)) => Gradient::Dense(apply(gradient)),
        Some(Gradient::Sparse(rows)) => {
            let SparseRows { indices, values, shape } = rows.coalesced();
            drop(rows);
            Gradient::Sparse(Box::new(SparseRows { indices, values: apply(values), shape }))
        }
    };
    leaf.set_gradient(Some(changed));
}
