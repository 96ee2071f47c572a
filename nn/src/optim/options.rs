//! What the options of several optimisers share.

/// Panics if one of these options is negative, infinite or NaN.
#[track_caller]
pub(super) fn not_negative<const N: usize>(optimizer: &str, options: [(&str, f64); N]) {
    for (option, value) in options {
        assert!(
            value >= 0.0 && value.is_finite(),
            "{optimizer}: {option} is {value}, and must be finite and not negative"
        );
    }
}

/// Panics if one of these options is not a fraction: at least 0 and below 1.
#[track_caller]
pub(super) fn fractions<const N: usize>(optimizer: &str, options: [(&str, f64); N]) {
    for (option, value) in options {
        assert!((0.0..1.0).contains(&value), "{optimizer}: {option} is {value}, and must be at least 0 and below 1");
    }
}

/// The two methods of a [`Rule`](super::Rule) whose learning rate is its field `lr`.
macro_rules! learning_rate {
    () => {
        fn lr(&self) -> f64 {
            self.lr
        }

        fn set_lr(&mut self, lr: f64) {
            self.lr = lr;
        }
    };
}
pub(super) use learning_rate;

/// The gradient with that of the penalty λ/2·x² on the value x.
#[inline(always)]
pub(super) fn decayed(gradient: f32, value: f32, weight_decay: f32) -> f32 {
    // Without decay, an infinite value must not make a NaN.
    if weight_decay == 0.0 { gradient } else { gradient + weight_decay * value }
}
