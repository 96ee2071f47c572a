//! A learning rate that moves along a line, and then stays: warm-up.

use super::Schedule;

/// From `start_factor`·base at step 0 to `end_factor`·base at step `total_iters`, where it stays, as
/// `torch.optim.lr_scheduler.LinearLR`.
///
/// The defaults are a warm-up: from a third of the base to all of it in 5 steps.
#[derive(Clone, Debug, PartialEq)]
#[doc(alias = "LinearLR")]
pub struct LinearLr {
    /// What it starts as, in parts of the base: above 0 and at most 1.
    pub start_factor: f64,
    /// What it ends as: at least 0 and at most 1.
    pub end_factor: f64,
    /// How many steps it takes.
    pub total_iters: usize,
}

impl Default for LinearLr {
    fn default() -> Self {
        LinearLr { start_factor: 1.0 / 3.0, end_factor: 1.0, total_iters: 5 }
    }
}

impl Schedule for LinearLr {
    #[track_caller]
    fn lr_at(&self, base: f64, step: usize) -> f64 {
        let &LinearLr { start_factor: start, end_factor: end, total_iters } = self;
        assert!(start > 0.0 && start <= 1.0, "LinearLr: start_factor is {start}, and must be above 0 and at most 1");
        assert!((0.0..=1.0).contains(&end), "LinearLr: end_factor is {end}, and must be at least 0 and at most 1");
        assert!(total_iters > 0, "LinearLr: total_iters is 0, and must be at least 1");
        base * (start + (end - start) * step.min(total_iters) as f64 / total_iters as f64)
    }
}
