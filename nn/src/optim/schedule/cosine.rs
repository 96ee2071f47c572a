//! Learning rates that fall along half a cosine (Loshchilov and Hutter 2017):
//!
//! ```text
//! lr = eta_min + (base - eta_min)·(1 + cos(π·t/T))/2
//! ```

use super::Schedule;
use std::f64::consts::PI;

/// From the base at step 0 to `eta_min` at step `t_max`, and up again the same way after that, as
/// `torch.optim.lr_scheduler.CosineAnnealingLR`.
#[derive(Clone, Debug, PartialEq)]
#[doc(alias = "CosineAnnealingLR")]
pub struct CosineAnnealingLr {
    /// T: the step at which it is lowest.
    pub t_max: usize,
    /// The lowest learning rate.
    pub eta_min: f64,
}

impl CosineAnnealingLr {
    /// Falls to 0 within `t_max` steps.
    pub fn new(t_max: usize) -> CosineAnnealingLr {
        CosineAnnealingLr { t_max, eta_min: 0.0 }
    }
}

impl Schedule for CosineAnnealingLr {
    #[track_caller]
    fn lr_at(&self, base: f64, step: usize) -> f64 {
        assert!(self.t_max > 0, "CosineAnnealingLr: t_max is 0, and must be at least 1");
        half_cosine(base, self.eta_min, step, self.t_max)
    }
}

/// Falls to `eta_min` within `t_0` steps and starts again from the base; each time takes `t_mult` times as
/// long as the one before. As `torch.optim.lr_scheduler.CosineAnnealingWarmRestarts`.
#[derive(Clone, Debug, PartialEq)]
pub struct CosineAnnealingWarmRestarts {
    /// How many steps the first fall takes.
    pub t_0: usize,
    /// How much longer each fall is than the one before.
    pub t_mult: usize,
    /// Where a fall would end: the step at which it would get there starts again.
    pub eta_min: f64,
}

impl CosineAnnealingWarmRestarts {
    /// Falls to 0 every `t_0` steps.
    pub fn new(t_0: usize) -> CosineAnnealingWarmRestarts {
        CosineAnnealingWarmRestarts { t_0, t_mult: 1, eta_min: 0.0 }
    }
}

impl Schedule for CosineAnnealingWarmRestarts {
    #[track_caller]
    fn lr_at(&self, base: f64, step: usize) -> f64 {
        let &CosineAnnealingWarmRestarts { t_0, t_mult, eta_min } = self;
        assert!(
            t_0 > 0 && t_mult > 0,
            "CosineAnnealingWarmRestarts: t_0 is {t_0} and t_mult is {t_mult}, and both must be at least 1"
        );
        let (mut since_restart, mut length) = if t_mult == 1 { (step % t_0, t_0) } else { (step, t_0) };
        while since_restart >= length {
            since_restart -= length;
            length *= t_mult;
        }
        half_cosine(base, eta_min, since_restart, length)
    }
}

fn half_cosine(base: f64, eta_min: f64, step: usize, length: usize) -> f64 {
    eta_min + (base - eta_min) * (1.0 + (PI * step as f64 / length as f64).cos()) / 2.0
}
