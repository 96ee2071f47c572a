//! What this thread records: gradients or none, and whether it looks for anomalies.

use crate::kernels::parallel;

/// The bits of the thread's flags. Zero, what a fresh thread has, means: record, look for nothing.
const NO_GRAD: u8 = 1;
const ANOMALY: u8 = 2;

/// Whether operations on this thread are recorded.
#[inline]
pub fn grad_enabled() -> bool {
    parallel::ambient() & NO_GRAD == 0
}

/// Whether this thread looks for the first NaN or infinity.
#[inline]
pub fn anomaly_enabled() -> bool {
    parallel::ambient() & ANOMALY != 0
}

/// Runs `f` without recording: what it calculates has no history, and nothing is saved for backward.
///
/// ```
/// use autograd::{Tensor, no_grad};
/// let w = Tensor::from([1.0, 2.0]).requires_grad();
/// let y = no_grad(|| &w * &w);
/// assert!(!y.has_history());
/// ```
pub fn no_grad<R>(f: impl FnOnce() -> R) -> R {
    with_flags(parallel::ambient() | NO_GRAD, f)
}

/// Runs `f` recording, or not: `with_grad(true, ..)` inside [`no_grad`] records again.
pub fn with_grad<R>(record: bool, f: impl FnOnce() -> R) -> R {
    let _flags = Flags::record(record);
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
    with_flags(parallel::ambient() | ANOMALY, f)
}

fn with_flags<R>(flags: u8, f: impl FnOnce() -> R) -> R {
    let _flags = Flags::set(flags);
    f()
}

/// Holds the thread's flags; dropping it puts the former ones back, in a panic too.
pub(super) struct Flags(u8);

impl Flags {
    fn set(flags: u8) -> Flags {
        Flags(parallel::set_ambient(flags))
    }

    /// Records, or not, until the value is dropped.
    pub(super) fn record(record: bool) -> Flags {
        let others = parallel::ambient() & !NO_GRAD;
        Flags::set(if record { others } else { others | NO_GRAD })
    }
}

impl Drop for Flags {
    fn drop(&mut self) {
        parallel::set_ambient(self.0);
    }
}
