//! What the engine calls: from moments to spans.
//!
//! No operation says when it begins, only how it is called, by [`recorded`](crate::Tensor::recorded), when its output
//! is there. So the recorder notes each buffer that is filled ([`part`]) and gives it to the operation that names
//! itself next. Those that have no gradient name themselves by `unrecorded`, tensors made from no other by `build_as`.
//! A view claims nothing: it may stand between an operation's kernel and its name.

use super::{Phase, Profile, Span};
use crate::graph::mode;
use crate::kernels::parallel::AmbientGuard;
use crate::tensor::Dims;
use std::cell::RefCell;
use std::marker::PhantomData;
use std::panic::Location;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Instant;

/// What is measured on a thread ends on it.
pub(super) type NotSend = PhantomData<*const ()>;

/// The row of buffers that no operation claimed.
const UNNAMED: &str = "unnamed";

thread_local! {
    /// What this thread has measured so far; `None` while it is not profiled.
    static RECORDER: RefCell<Option<Recorder>> = const { RefCell::new(None) };
}

/// Whether this thread is profiled: to be asked before anything else is done.
#[inline]
pub(crate) fn on() -> bool {
    mode::profiling()
}

/// Calls `f` with this thread's recorder. No code but this module's runs in the meantime.
fn with<R>(f: impl FnOnce(&mut Recorder) -> R) -> Option<R> {
    RECORDER.with_borrow_mut(|recorder| recorder.as_mut().map(f))
}

struct Recorder {
    spans: Vec<Span>,
    /// What was filled since the last operation gave its name.
    unclaimed: Option<Unclaimed>,
    /// Of all tensors that were made.
    bytes: usize,
    /// How many backwards of operations are running, one inside the other.
    backwards: usize,
    thread: u64,
}

#[derive(Clone, Copy)]
struct Unclaimed {
    start: Instant,
    end: Instant,
    bytes: usize,
}

impl Recorder {
    fn push(&mut self, what: What, phase: Phase, start: Instant, end: Instant, bytes: usize) {
        let What { name, shape, line } = what;
        let inside = self.backwards > 0;
        let phase = if inside { Phase::Backward } else { phase };
        let time = end.saturating_duration_since(start);
        self.spans.push(Span { name, phase, inside, start, time, bytes, shape, line, thread: self.thread });
    }

    /// Makes what nobody claimed an operation without a name.
    #[track_caller]
    fn give_up_unclaimed(&mut self) {
        if let Some(Unclaimed { start, end, bytes }) = self.unclaimed.take() {
            let what = What { name: UNNAMED, shape: Dims::from([0]), line: Location::caller() };
            self.push(what, Phase::Forward, start, end, bytes);
        }
    }
}

/// A profile that is being taken of this thread, for code that no closure fits around; else use
/// [`profile()`](super::profile). Stop it in the scope in which it was started, and what was begun in between before
/// it.
///
/// ```
/// use autograd::{Tensor, profile::Profiler};
/// let profiler = Profiler::start();
/// let y = Tensor::from([1.0, 2.0]).exp();
/// let profile = profiler.stop();
/// assert_eq!(profile.spans().last().unwrap().name, "exp");
/// # let _ = y;
/// ```
#[must_use = "dropping it throws away what was measured"]
pub struct Profiler {
    start: Instant,
    /// The profile that this one is part of.
    outer: Option<Recorder>,
    _mode: AmbientGuard,
    _this_thread: NotSend,
}

impl Profiler {
    /// Begins to measure what this thread runs.
    pub fn start() -> Profiler {
        let recorder = Recorder { spans: Vec::new(), unclaimed: None, bytes: 0, backwards: 0, thread: this_thread() };
        let outer = RECORDER.replace(Some(recorder));
        Profiler { outer, _mode: mode::profiled(), start: Instant::now(), _this_thread: PhantomData }
    }

    /// What was measured.
    #[track_caller]
    pub fn stop(self) -> Profile {
        let wall = self.start.elapsed();
        let spans = with(|recorder| {
            recorder.give_up_unclaimed();
            std::mem::take(&mut recorder.spans)
        });
        let spans = spans.expect("this profile is being taken");
        drop(self);
        with(|outer| outer.spans.extend(&spans));
        // Rayon's threads have a number only.
        let of_pool = || rayon::current_thread_index().map(|index| format!("pool thread {index}"));
        let name = std::thread::current().name().map(str::to_string).or_else(of_pool);
        Profile { spans, wall, threads: name.map(|name| (this_thread(), name)).into_iter().collect() }
    }
}

/// In a panic too.
impl Drop for Profiler {
    fn drop(&mut self) {
        RECORDER.set(self.outer.take());
    }
}

/// Threads are numbered as they are first profiled.
fn this_thread() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    thread_local!(static NUMBER: u64 = NEXT.fetch_add(1, Relaxed));
    NUMBER.with(|number| *number)
}

/// If this thread is profiled: until what this returns is dropped, a buffer of so many bytes is filled for the
/// operation that will name itself next. Of 0 bytes, if it writes in place.
#[inline]
pub(crate) fn part(bytes: usize) -> Option<Part> {
    on().then(|| Part { start: Instant::now(), bytes })
}

/// See [`part`].
pub(crate) struct Part {
    start: Instant,
    bytes: usize,
}

impl Drop for Part {
    #[cold]
    fn drop(&mut self) {
        let Part { start, bytes } = *self;
        with(|recorder| {
            recorder.bytes += bytes;
            let earlier = recorder.unclaimed.unwrap_or(Unclaimed { start, end: start, bytes: 0 });
            recorder.unclaimed =
                Some(Unclaimed { start: earlier.start.min(start), end: Instant::now(), bytes: earlier.bytes + bytes });
        });
    }
}

/// Which operation a [`Timer`] is for.
#[derive(Clone, Copy)]
pub(crate) struct What {
    pub name: &'static str,
    pub shape: Dims,
    pub line: &'static Location<'static>,
}

/// Measures one operation until it is dropped. To be made only where this thread is profiled.
#[must_use]
pub(crate) struct Timer {
    what: What,
    start: Instant,
    kind: Kind,
}

enum Kind {
    /// An operation that names itself, and perhaps claims what was filled before.
    Named { claims: bool },
    /// A tensor that is made from no other.
    Whole { bytes: usize },
    /// The caller's own.
    Section,
    /// A backward; how many bytes there had been before it.
    Backward { before: usize },
}

impl Timer {
    /// An operation whose output is there. A view `claims` nothing.
    pub fn named(what: What, claims: bool) -> Timer {
        Timer { what, start: Instant::now(), kind: Kind::Named { claims } }
    }

    /// The making of a tensor from no other.
    pub fn whole(what: What, bytes: usize) -> Timer {
        Timer { what, start: Instant::now(), kind: Kind::Whole { bytes } }
    }

    /// See [`timing`](super::timing).
    pub fn section(what: What) -> Timer {
        with(Recorder::give_up_unclaimed);
        Timer { what, start: Instant::now(), kind: Kind::Section }
    }

    /// All that becomes of a node in a backward pass.
    #[cold]
    pub fn backward(what: What) -> Timer {
        let before = with(|recorder| {
            recorder.give_up_unclaimed();
            recorder.backwards += 1;
            recorder.bytes
        });
        Timer { what, start: Instant::now(), kind: Kind::Backward { before: before.unwrap_or(0) } }
    }
}

impl Drop for Timer {
    #[cold]
    fn drop(&mut self) {
        let (what, start, end) = (self.what, self.start, Instant::now());
        with(|recorder| match self.kind {
            Kind::Named { claims } => {
                let claimed = if claims { recorder.unclaimed.take() } else { None };
                let Unclaimed { start, bytes, .. } = claimed.unwrap_or(Unclaimed { start, end, bytes: 0 });
                recorder.push(what, Phase::Forward, start, end, bytes);
            }
            Kind::Whole { bytes } => {
                recorder.bytes += bytes;
                recorder.push(what, Phase::Forward, start, end, bytes);
            }
            Kind::Section => recorder.push(what, Phase::Forward, start, end, 0),
            Kind::Backward { before } => {
                // What it filled and did not name is its own.
                recorder.unclaimed = None;
                recorder.backwards = recorder.backwards.saturating_sub(1);
                recorder.push(what, Phase::Backward, start, end, recorder.bytes.saturating_sub(before));
            }
        });
    }
}
