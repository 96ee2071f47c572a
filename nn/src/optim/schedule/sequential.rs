//! One schedule after the other.

use super::Schedule;

/// Follows the first schedule up to the first milestone, the second up to the second, and so on; each
/// starts at its own step 0. As `torch.optim.lr_scheduler.SequentialLR`.
///
/// ```
/// use nn::optim::{CosineAnnealingLr, LinearLr, Schedule, SequentialLr};
/// let warm_up = LinearLr { start_factor: 0.1, end_factor: 1.0, total_iters: 10 };
/// let schedule = SequentialLr::new(vec![Box::new(warm_up), Box::new(CosineAnnealingLr::new(90))], [10]);
/// assert!((schedule.lr_at(1.0, 5) - 0.55).abs() < 1e-12);
/// assert_eq!(schedule.lr_at(1.0, 10), 1.0);
/// assert_eq!(schedule.lr_at(1.0, 100), 0.0);
/// ```
#[doc(alias = "SequentialLR")]
pub struct SequentialLr {
    schedules: Vec<Box<dyn Schedule>>,
    milestones: Vec<usize>,
}

impl SequentialLr {
    /// These schedules, where the step at `milestones[i]` is the first of `schedules[i + 1]`.
    ///
    /// # Panics
    /// If there is not one milestone fewer than schedules, or they do not ascend.
    #[track_caller]
    pub fn new(schedules: Vec<Box<dyn Schedule>>, milestones: impl Into<Vec<usize>>) -> SequentialLr {
        let milestones = milestones.into();
        assert!(
            milestones.len() + 1 == schedules.len(),
            "SequentialLr: {} milestones for {} schedules, which take one fewer",
            milestones.len(),
            schedules.len()
        );
        assert!(milestones.is_sorted(), "SequentialLr: the milestones {milestones:?} do not ascend");
        SequentialLr { schedules, milestones }
    }

    /// The schedule that a step falls to, and the number of the step there.
    fn current(&self, step: usize) -> (&dyn Schedule, usize) {
        let passed = self.milestones.partition_point(|&milestone| milestone <= step);
        let start = if passed == 0 { 0 } else { self.milestones[passed - 1] };
        (&*self.schedules[passed], step - start)
    }
}

impl Schedule for SequentialLr {
    #[track_caller]
    fn lr_at(&self, base: f64, step: usize) -> f64 {
        let (schedule, step) = self.current(step);
        schedule.lr_at(base, step)
    }

    #[track_caller]
    fn momentum_at(&self, step: usize) -> Option<f64> {
        let (schedule, step) = self.current(step);
        schedule.momentum_at(step)
    }
}
