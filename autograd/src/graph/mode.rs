//! What this thread records: gradients or none, whether it looks for anomalies, whether it is profiled.

use super::node::Origin;
use crate::kernels::parallel::{self, Ambient, AmbientGuard, set_ambient};

/// The bits of the thread's flags. Zero, what a fresh thread has, means: record, look for nothing, keep
/// no values.
const NO_GRAD: u8 = 1;
const ANOMALY: u8 = 2;
const WATCH: u8 = 4;
const PROFILE: u8 = 8;

/// Whether operations on this thread are recorded.
#[inline]
pub fn grad_enabled() -> bool {
    parallel::ambient().flags & NO_GRAD == 0
}

/// Whether this thread looks for the first NaN or infinity.
#[inline]
pub fn anomaly_enabled() -> bool {
    parallel::ambient().flags & ANOMALY != 0
}

/// Whether this thread remembers values for a drawing.
#[inline]
pub(super) fn watching() -> bool {
    parallel::ambient().flags & WATCH != 0
}

/// Whether this thread is profiled.
#[inline]
pub(crate) fn profiling() -> bool {
    parallel::ambient().flags & PROFILE != 0
}

/// Runs `f` without recording: what it calculates has no history, and nothing is saved for backward.
///
/// This holds for the calling thread. Jobs that `f` gives to other threads record as those do.
///
/// ```
/// use autograd::{Tensor, no_grad};
/// let w = Tensor::from([1.0, 2.0]).requires_grad();
/// let y = no_grad(|| &w * &w);
/// assert!(!y.has_history());
/// ```
pub fn no_grad<R>(f: impl FnOnce() -> R) -> R {
    with_grad(false, f)
}

/// Runs `f` recording, or not: `with_grad(true, ..)` inside [`no_grad`] records again.
pub fn with_grad<R>(record: bool, f: impl FnOnce() -> R) -> R {
    let _mode = recording(record);
    f()
}

/// Runs `f` in anomaly mode: the first operation that makes a NaN or an infinity out of finite
/// numbers, forward or backward, panics with its name and the line of the caller's code it stands on.
///
/// It looks at every element of every result, so it is for finding a fault, not for training.
///
/// ```should_panic
/// use autograd::{Tensor, detect_anomaly};
/// let x = Tensor::from([1.0, 0.0]).requires_grad();
/// // sqrt is finite at 0, its derivative is not.
/// detect_anomaly(|| x.sqrt().sum(..).backward());
/// ```
pub fn detect_anomaly<R>(f: impl FnOnce() -> R) -> R {
    let _mode = with_flag(ANOMALY);
    f()
}

/// [`watch`](super::watch)
pub(super) fn watch<R>(f: impl FnOnce() -> R) -> R {
    let _mode = with_flag(WATCH);
    f()
}

/// Until the guard is dropped, this thread is profiled.
pub(crate) fn profiled() -> AmbientGuard {
    with_flag(PROFILE)
}

fn with_flag(flag: u8) -> AmbientGuard {
    let ambient = parallel::ambient();
    set_ambient(Ambient { flags: ambient.flags | flag, ..ambient })
}

/// Records, or not, until the guard is dropped.
pub(super) fn recording(record: bool) -> AmbientGuard {
    let ambient = parallel::ambient();
    let others = ambient.flags & !NO_GRAD;
    set_ambient(Ambient { flags: if record { others } else { others | NO_GRAD }, ..ambient })
}

/// Until the guard is dropped, the backward of an operation runs: what it records says so, and whether
/// its results are finite is for the engine to look at, which knows the line.
pub(super) fn differentiating(op: &'static str, origin: Origin) -> AmbientGuard {
    let flags = parallel::ambient().flags & !ANOMALY;
    set_ambient(Ambient { flags, differentiating: Some((origin.backward_of.unwrap_or(op), origin.line)) })
}
