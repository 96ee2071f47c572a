//! Learning rates that fall by a factor: base·γⁿ, where n counts the falls until now.

use super::Schedule;

/// Falls by `gamma` every `step_size` steps: base·γ^⌊step/step_size⌋, as `torch.optim.lr_scheduler.StepLR`.
#[derive(Clone, Debug, PartialEq)]
#[doc(alias = "StepLR")]
pub struct StepLr {
    /// How many steps there are between two falls.
    pub step_size: usize,
    /// γ: what is left after a fall.
    pub gamma: f64,
}

impl StepLr {
    /// Falls to a tenth every `step_size` steps.
    pub fn new(step_size: usize) -> StepLr {
        StepLr { step_size, gamma: 0.1 }
    }
}

impl Schedule for StepLr {
    #[track_caller]
    fn lr_at(&self, base: f64, step: usize) -> f64 {
        assert!(self.step_size > 0, "StepLr: step_size is 0, and must be at least 1");
        base * power(self.gamma, step / self.step_size)
    }
}

/// Falls by `gamma` at each of `milestones`, as `torch.optim.lr_scheduler.MultiStepLR`.
#[derive(Clone, Debug, PartialEq)]
#[doc(alias = "MultiStepLR")]
pub struct MultiStepLr {
    /// The steps at which it falls, in any order. One that stands there twice counts twice.
    pub milestones: Vec<usize>,
    /// γ: what is left after a fall.
    pub gamma: f64,
}

impl MultiStepLr {
    /// Falls to a tenth at each of these steps.
    pub fn new(milestones: impl Into<Vec<usize>>) -> MultiStepLr {
        MultiStepLr { milestones: milestones.into(), gamma: 0.1 }
    }
}

impl Schedule for MultiStepLr {
    fn lr_at(&self, base: f64, step: usize) -> f64 {
        base * power(self.gamma, self.milestones.iter().filter(|&&milestone| milestone <= step).count())
    }
}

/// Falls by `gamma` every step: base·γ^step, as `torch.optim.lr_scheduler.ExponentialLR`.
#[derive(Clone, Debug, PartialEq)]
#[doc(alias = "ExponentialLR")]
pub struct ExponentialLr {
    /// γ: what is left after a step.
    pub gamma: f64,
}

impl Schedule for ExponentialLr {
    fn lr_at(&self, base: f64, step: usize) -> f64 {
        base * power(self.gamma, step)
    }
}

fn power(gamma: f64, falls: usize) -> f64 {
    gamma.powf(falls as f64)
}
