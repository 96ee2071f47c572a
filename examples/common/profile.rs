//! `--profile`: where the time of the first training steps goes.

use super::Output;
use autograd::Profile;
use autograd::profile::Profiler;
use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// Steps that are not measured: in the first ones, memory is asked of the system.
const WARM_UP: usize = 3;

/// Steps that are measured, so many that chance does not matter and so few that Perfetto shows them at once.
const STEPS: usize = 50;

/// When the program began.
static LAUNCH: OnceLock<Instant> = OnceLock::new();
/// How long after that the first training step did.
static FIRST: OnceLock<Duration> = OnceLock::new();

/// The program begins.
pub fn launched() {
    LAUNCH.get_or_init(Instant::now);
}

/// A training step begins, of a model that is too small to be measured.
pub fn unmeasured_step() {
    if let Some(launch) = LAUNCH.get() {
        FIRST.get_or_init(|| launch.elapsed());
    }
}

thread_local! {
    /// What was measured so far, if anything is to be.
    static MEASURED: RefCell<Option<Measured>> = const { RefCell::new(None) };
}

#[derive(Default)]
struct Measured {
    /// Steps that were run.
    seen: usize,
    profile: Profile,
}

impl Output {
    /// With `--profile`, the first training steps after this are measured, as far as [`step`] marks them.
    pub fn profiling(&self, out: &Path) -> Profiling {
        MEASURED.set(self.profile.then(Measured::default));
        Profiling { out: out.to_path_buf() }
    }
}

/// When it is dropped, what was measured is printed, and written to `profile.json` in the output folder.
#[must_use]
pub struct Profiling {
    out: PathBuf,
}

impl Drop for Profiling {
    fn drop(&mut self) {
        let Some(Measured { seen, profile }) = MEASURED.take() else { return };
        if let Some(first) = FIRST.get() {
            println!("\nThe first training step began {:.3} s after the launch.", first.as_secs_f64());
        }
        if profile.spans().is_empty() {
            println!("--profile: no step was measured; it takes more than {WARM_UP} steps of training with autograd");
            return;
        }
        let steps = seen.min(WARM_UP + STEPS) - WARM_UP;
        println!("\nWhere the time of {steps} training steps went, after {WARM_UP} to warm up:\n\n{}", profile.table());
        let path = self.out.join("profile.json");
        match profile.write_chrome_trace(&path) {
            Ok(()) => println!("{} has them one by one, for ui.perfetto.dev", path.display()),
            Err(error) => eprintln!("cannot write {}: {error}", path.display()),
        }
    }
}

/// A training step begins; it ends when what this returns is dropped.
#[must_use]
pub fn step() -> Option<Step> {
    unmeasured_step();
    let seen = MEASURED.with_borrow_mut(|measured| {
        let measured = measured.as_mut()?;
        measured.seen += 1;
        Some(measured.seen)
    })?;
    (WARM_UP < seen && seen <= WARM_UP + STEPS).then(|| Step { profiler: Some(Profiler::start()) })
}

/// A step that is measured.
pub struct Step {
    profiler: Option<Profiler>,
}

impl Drop for Step {
    fn drop(&mut self) {
        let profile = self.profiler.take().map(Profiler::stop).unwrap_or_default();
        MEASURED.with_borrow_mut(|measured| {
            if let Some(measured) = measured {
                measured.profile.extend(profile);
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use autograd::Tensor;

    fn train(profile: bool, steps: usize) -> (Profiling, usize) {
        let profiling = Output { out: None, quick: true, profile }.profiling(&std::env::temp_dir());
        for _ in 0..steps {
            let _step = step();
            drop(Tensor::from([1.0]).exp());
        }
        let measured = |measured: &Option<Measured>| measured.as_ref().map_or(0, |m| m.profile.spans().len() / 2);
        (profiling, MEASURED.with_borrow(measured))
    }

    #[test]
    fn the_first_steps_after_the_warm_up_are_measured() {
        let cases = [(false, 99, 0), (true, 0, 0), (true, WARM_UP, 0), (true, WARM_UP + 2, 2), (true, 99, STEPS)];
        for (profile, steps, expected) in cases {
            let (profiling, measured) = train(profile, steps);
            assert_eq!(measured, expected, "of {steps} steps");
            // Nothing is left to be printed or written.
            MEASURED.take();
            drop(profiling);
        }
    }
}
