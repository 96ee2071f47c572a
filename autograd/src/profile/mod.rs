//! Where the time and the memory of a piece of code go, operation by operation.
//!
//! ```
//! use autograd::{Rng, Tensor, profile};
//!
//! let mut rng = Rng::seeded(0);
//! let (x, w) = (Tensor::randn([32, 10], &mut rng), Tensor::randn([10, 5], &mut rng).requires_grad());
//!
//! let (loss, profile) = profile(|| {
//!     let loss = x.matmul(&w).tanh().sum(..);
//!     loss.backward();
//!     loss
//! });
//!
//! let table = profile.table();
//! println!("{table}");
//! let tanh = table.rows.iter().find(|row| row.name == "tanh").unwrap();
//! assert_eq!((tanh.forward.calls, tanh.backward.calls, tanh.forward.bytes), (1, 1, 32 * 5 * 4));
//! profile.write_chrome_trace(std::env::temp_dir().join("trace.json")).unwrap(); // open it at ui.perfetto.dev
//! # let _ = loss;
//! ```
//!
//! # What is measured
//!
//! - The *forward* of an operation: from the moment it asks for its first buffer to the moment it has its history. Its
//!   kernel is in there, with the threads that it waits for; the checks of its arguments before that are not. A view
//!   (`reshape`, `narrow`, …) has no buffer: what is measured is writing its history down.
//! - The *backward* of an operation: all that the engine does from taking its node to having handed its gradients on,
//!   adding them to those that came earlier included. The operations that a backward is written in count for it. The
//!   row `leaf` is the gathering of gradients in leaves.
//! - Time is *self time*: of operations inside of others each moment counts once. An operation that is made of others
//!   shows as those others, and itself only with what it does beside them: `linear` of a batch of sequences is a
//!   `linear` between views.
//! - Bytes are those of the tensors that were made, temporary ones too: not what kernels pack matrices into, and
//!   nothing for what is written in place.
//! - What is no operation, such as an optimiser's step, has a row of its own if it says [`timing`]; so has the kernel
//!   of an operation that is written outside of the engine, on slices, of which the engine sees only the recording. The
//!   rest is *outside*: loading data, making shapes, freeing graphs, drawing numbers one by one.
//! - Only the calling thread is watched. The loops of kernels on other threads are within its time; operations that
//!   other threads run are not. They may have a profile each, and [`Profile::extend`] puts them together.
//!
//! Off, it costs one more look at a flag for each tensor that is made: a step of `cargo bench --bench steps --
//! makemore_32`, which is all overhead, took 50.0 µs at least before there was a profiler, and 49.5 µs with it. On, it
//! reads the clock four times for an operation, so of tiny tensors the shares are right rather than the times.
//!
//! | file | what it holds |
//! |---|---|
//! | `recorder` | what the engine calls: from moments to spans |
//! | `table` | from spans to a row for each operation |
//! | `trace` | spans as a file for Perfetto |

mod recorder;
mod table;
mod trace;

pub use recorder::Profiler;
pub(crate) use recorder::{Timer, What, on, part};

use crate::tensor::Dims;
use std::collections::BTreeMap;
use std::io;
use std::marker::PhantomData;
use std::panic::Location;
use std::path::Path;
use std::time::{Duration, Instant};
pub use table::{Row, Table, Tally};

/// Runs `f` and returns what it returns, and where its time went.
///
/// This holds for the calling thread. A profile within a profile is part of both. If `f` panics, profiling is off
/// again, and what was measured is lost.
pub fn profile<R>(f: impl FnOnce() -> R) -> (R, Profile) {
    let profiler = Profiler::start();
    let result = f();
    (result, profiler.stop())
}

/// Until what this returns is dropped, time counts for `name` in a profile, but for that of the operations within: for
/// work on slices that makes no tensor.
///
/// ```
/// let ((), profile) = autograd::profile(|| {
///     let _timing = autograd::profile::timing("count the words");
/// });
/// assert_eq!(profile.table().rows[0].name, "count the words");
/// ```
#[track_caller]
pub fn timing(name: &'static str) -> Timing {
    let line = Location::caller();
    let what = What { name, shape: Dims::from([0]), line };
    Timing { _timer: on().then(|| Timer::section(what)), _this_thread: PhantomData }
}

/// Measures until it is dropped; made by [`timing`].
#[must_use = "what is measured ends when this is dropped"]
pub struct Timing {
    _timer: Option<Timer>,
    _this_thread: recorder::NotSend,
}

/// In which direction an operation ran.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// From inputs to output.
    Forward,
    /// From the gradient of the output to those of the inputs.
    Backward,
}

/// One operation that was run.
#[derive(Clone, Copy, Debug)]
pub struct Span {
    /// The operation's name.
    pub name: &'static str,
    /// Whether this was its backward; of the operations inside of that, too.
    pub phase: Phase,
    /// Whether it ran inside of another's backward, in whose time and bytes it is included.
    pub inside: bool,
    /// When it began.
    pub start: Instant,
    /// How long it took, what ran inside of it included.
    pub time: Duration,
    /// The size of the tensors that were made for it.
    pub bytes: usize,
    /// The shape of its output: of its first one, if there are several.
    pub shape: Dims,
    /// The line of the caller's code that ran the operation, of a backward the line that had run it forward.
    pub line: &'static Location<'static>,
    /// The number of the thread it ran on.
    pub thread: u64,
}

/// What was measured.
#[derive(Clone, Debug, Default)]
pub struct Profile {
    spans: Vec<Span>,
    wall: Duration,
    /// The names of threads that have one, by number.
    threads: BTreeMap<u64, String>,
}

impl Profile {
    /// All operations, in the order in which they ended.
    pub fn spans(&self) -> &[Span] {
        &self.spans
    }

    /// How long the profiled code ran.
    pub fn wall(&self) -> Duration {
        self.wall
    }

    /// Adds what was measured at another time, or on another thread. Their times add up.
    pub fn extend(&mut self, other: Profile) {
        self.spans.extend(other.spans);
        self.wall += other.wall;
        self.threads.extend(other.threads);
    }

    /// A row for each operation, those that took longest first. Print it.
    pub fn table(&self) -> Table {
        Table::new(self)
    }

    /// Every operation on a time line, in the [trace format] of Chrome: `ui.perfetto.dev` and `chrome://tracing` show
    /// it.
    ///
    /// [trace format]: https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU
    pub fn chrome_trace(&self) -> String {
        trace::write(self)
    }

    /// Writes [`chrome_trace`](Profile::chrome_trace) to a file.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn write_chrome_trace(&self, path: impl AsRef<Path>) -> io::Result<()> {
        std::fs::write(path, self.chrome_trace())
    }
}

#[cfg(test)]
mod tests {
    use super::{on, profile};
    use crate::kernels::parallel;
    use std::panic::catch_unwind;

    #[test]
    fn a_thread_is_profiled_until_the_code_ends_or_panics() {
        assert!(!on());
        assert!(profile(on).0 && !on());
        catch_unwind(|| profile(|| -> () { panic!("{}", on()) })).unwrap_err();
        assert!(!on());
    }

    #[test]
    fn a_job_that_a_waiting_kernel_is_handed_is_not_profiled() {
        assert!(!profile(|| parallel::region(on)).0);
    }
}
