//! What the options of several optimisers share.

use std::ops::Range;

/// Panics if an option is outside of `range`, or NaN.
#[track_caller]
pub(super) fn check(optimizer: &str, option: &str, value: f64, range: Range<f64>) {
    let Range { start, end } = range;
    assert!(
        (start..end).contains(&value),
        "{optimizer}: {option} is {value}, and must be at least {start} and below {end}"
    );
}

/// The gradient with that of the penalty λ/2·x² on the value x.
#[inline(always)]
pub(super) fn decayed(gradient: f32, value: f32, weight_decay: f32) -> f32 {
    // Without decay, an infinite value must not make a NaN.
    if weight_decay == 0.0 { gradient } else { gradient + weight_decay * value }
}
