//! A learning rate by a function of your own.

use super::Schedule;

/// base·f(step), as `torch.optim.lr_scheduler.LambdaLR`.
///
/// ```
/// use nn::optim::{LambdaLr, Schedule};
/// let schedule = LambdaLr(|step| 1.0 / (1.0 + step as f64));
/// assert_eq!(schedule.lr_at(0.5, 4), 0.1);
/// ```
#[derive(Clone, Debug)]
#[doc(alias = "LambdaLR")]
pub struct LambdaLr<F: Fn(usize) -> f64>(
    /// The factor of a step.
    pub F,
);

impl<F: Fn(usize) -> f64> Schedule for LambdaLr<F> {
    fn lr_at(&self, base: f64, step: usize) -> f64 {
        base * (self.0)(step)
    }
}
