//! When and how a kernel uses more than one thread.
//!
//! Two rules hold everywhere. Work is cut into chunks whose bounds depend on its size alone, never on
//! how many threads there are, so results are the same bits at any number of threads. And a kernel
//! runs on the calling thread unless the work is large enough to pay for waking another.

use rayon::prelude::*;
use std::cell::Cell;
use std::marker::PhantomData;
use std::ops::Range;
use std::panic::Location;

/// Elements below which an element-wise kernel stays on the calling thread: about 20 µs of work. Few for Miri, which
/// is ten thousand times slower, so that it sees threads at work.
pub const ELEMENTS: usize = if cfg!(miri) { 1 << 8 } else { 1 << 16 };

/// What the floors above keep for the code that runs on this thread (see `graph::mode`).
///
/// It lives down here because a kernel that waits for other threads may be handed a *stolen* job of the
/// user's in the meantime, which must not run under what was set for the code that waits.
#[derive(Clone, Copy, Default)]
pub struct Ambient {
    /// Bits that the graph gives meanings to; none is set on a fresh thread.
    pub flags: u8,
    /// While an operation's backward runs: the operation, and the line of the caller's code it was run on.
    pub differentiating: Option<(&'static str, &'static Location<'static>)>,
}

thread_local! {
    static AMBIENT: Cell<Ambient> = const { Cell::new(Ambient { flags: 0, differentiating: None }) };
}

/// What is set for this thread.
#[inline]
pub fn ambient() -> Ambient {
    AMBIENT.get()
}

/// Sets `ambient` for this thread until the guard is dropped, in a panic too.
#[inline]
#[must_use = "dropping the guard puts the former settings back"]
pub fn set_ambient(ambient: Ambient) -> AmbientGuard {
    AmbientGuard(AMBIENT.replace(ambient))
}

/// Puts the former settings back when it is dropped.
pub struct AmbientGuard(Ambient);

impl Drop for AmbientGuard {
    fn drop(&mut self) {
        AMBIENT.set(self.0);
    }
}

/// Runs `work`, which uses rayon, with this thread's settings put aside.
pub fn region<R>(work: impl FnOnce() -> R) -> R {
    let _aside = set_ambient(Ambient::default());
    work()
}

/// Runs `work` on a thread of rayon's and returns what it returns; a panic, too, comes through.
///
/// An operation with enough to do shares it with rayon's threads. From `main`, or any thread that is not one of them,
/// each such operation wakes a first of them, which wakes the others, and sleeps until the first wakes it in turn. In
/// here the calling thread is one of them itself, and only the others need be woken: a training step takes 1 to 8 %
/// less time on two threads (`cargo bench --bench steps` runs like this). So the examples train in here from the
/// beginning to the end. With a single thread `work` runs where it is.
///
/// `no_grad` and the like hold in `work`, too; a [`profile`](crate::profile()) is of one thread, so take it inside.
///
/// Enter it once, before threads are started that `work` waits for, such as a loader's; not once a step: a thread of the
/// pool that waits inside of a kernel may be handed `work`, and would then wait for itself.
///
/// ```
/// use autograd::{Tensor, on_pool};
///
/// let sum = on_pool(|| Tensor::ones([1000, 1000]).sum(..).item());
/// assert_eq!(sum, 1e6);
/// ```
// ANCHOR: on_pool
pub fn on_pool<R: Send>(work: impl FnOnce() -> R + Send) -> R {
    if rayon::current_num_threads() == 1 {
        return work();
    }
    let ambient = ambient();
    rayon::scope(|_| {
        let _along = set_ambient(ambient);
        work()
    })
}
// ANCHOR_END: on_pool

/// The chunk length for `len` elements: one chunk below [`ELEMENTS`], else a few chunks a core of any
/// machine we know, each a whole number of cache lines.
pub fn chunk_len(len: usize) -> usize {
    if len < ELEMENTS { len.max(1) } else { len.div_ceil(32).next_multiple_of(ELEMENTS / 64).max(ELEMENTS / 4) }
}

/// Calls `job(i)` for each `i` below `count`: on several threads if `work`, in element operations, is
/// enough to pay for waking them.
///
/// `job` is a trait object so that rayon's machinery is compiled once, not once more for each kernel;
/// that was a third of this crate's code and build time, for one indirect call a block.
pub fn for_each_index(count: usize, work: usize, job: &(dyn Fn(usize) + Sync)) {
    // A single thread is not handed the work: it may be the one that waits for what this thread makes, such as batches.
    if work < ELEMENTS || count <= 1 || rayon::current_num_threads() == 1 {
        (0..count).for_each(job);
    } else {
        // Jobs are handed out one by one: in longer runs, a thread that is done waits for the other's last run.
        region(|| (0..count).into_par_iter().with_max_len(1).for_each(job));
    }
}

/// A slice that several threads write to, each to blocks of its own.
struct Blocks<U> {
    start: *mut U,
    count: usize,
    len: usize,
}

// SAFETY: a pointer into a slice of `U`s; `block` says why no element is handed out twice.
unsafe impl<U: Send> Sync for Blocks<U> {}

impl<U> Blocks<U> {
    fn of(slice: &mut [U], len: usize) -> Blocks<U> {
        Blocks { start: slice.as_mut_ptr(), count: slice.len(), len }
    }

    /// The first element.
    fn start(&self) -> *mut U {
        self.start
    }

    /// The `i`-th block of `len` elements; the last may be shorter.
    ///
    /// # Safety
    /// While the slice is borrowed, no `i` may be asked for twice.
    #[allow(clippy::mut_from_ref, reason = "each block is handed out once")]
    unsafe fn block(&self, i: usize) -> &mut [U] {
        // Saturating, lest a block length from afar wrap around to a block that was handed out.
        let from = i.saturating_mul(self.len).min(self.count);
        let to = from.saturating_add(self.len).min(self.count);
        // SAFETY: inside the slice, and blocks of different `i` do not overlap.
        unsafe { std::slice::from_raw_parts_mut(self.start.add(from), to - from) }
    }
}

/// Calls `f(i, block)` for the `i`-th block of `len` elements of `out` (the last may be shorter): on
/// several threads if `work`, in element operations, is enough.
#[inline]
pub fn for_each_block<U: Send>(out: &mut [U], len: usize, work: usize, f: impl Fn(usize, &mut [U]) + Sync) {
    if out.len() <= len {
        if !out.is_empty() {
            f(0, out);
        }
        return;
    }
    let count = out.len().div_ceil(len);
    let blocks = Blocks::of(out, len);
    for_each_index(count, work, &|i| {
        // SAFETY: `for_each_index` calls with each index once, and `out` stays borrowed until it returns.
        f(i, unsafe { blocks.block(i) });
    });
}

/// [`for_each_block`] of two outputs at once: `f(i, block of a, block of b)` with blocks of `len.0` and
/// `len.1` elements.
#[inline]
pub fn for_each_block_of_two<A: Send, B: Send>(
    (a, b): (&mut [A], &mut [B]),
    len: (usize, usize),
    work: usize,
    f: impl Fn(usize, &mut [A], &mut [B]) + Sync,
) {
    let count = a.len().div_ceil(len.0.max(1));
    let (a, b) = (Blocks::of(a, len.0), Blocks::of(b, len.1));
    for_each_index(count, work, &|i| {
        // SAFETY: as in `for_each_block`.
        let (a, b) = unsafe { (a.block(i), b.block(i)) };
        f(i, a, b);
    });
}

/// How a matrix is cut into windows: so many rows and columns each, fewer at the end. All windows of the first columns
/// come first.
#[derive(Clone, Copy)]
pub struct Windows {
    /// Elements of a row of the matrix.
    pub width: usize,
    /// Rows of a window.
    pub rows: usize,
    /// Columns of a window.
    pub columns: usize,
}

/// Some rows of some columns of a matrix that several threads write to, each to a window of its own.
pub struct Window<'a, U> {
    start: *mut U,
    width: usize,
    rows: Range<usize>,
    columns: Range<usize>,
    of: PhantomData<&'a mut [U]>,
}

impl<U> Window<'_, U> {
    /// These columns of a row, both counted as in the matrix.
    ///
    /// # Panics
    /// If they are not in the window.
    #[inline(always)]
    pub fn row(&mut self, row: usize, columns: Range<usize>) -> &mut [U] {
        assert!(self.rows.contains(&row) && columns.start <= columns.end);
        assert!(self.columns.start <= columns.start && columns.end <= self.columns.end);
        // SAFETY: inside the window, which lies inside the matrix and is this thread's own while it is borrowed.
        unsafe { std::slice::from_raw_parts_mut(self.start.add(row * self.width + columns.start), columns.len()) }
    }
}

/// Calls `f(i, window, block)` for the `i`-th window of the matrix `a` and the `i`-th block of `len` elements of `b`
/// (the last may be shorter, or empty): on several threads if `work`, in element operations, is enough.
#[inline]
pub fn for_each_window_and_block<A: Send, B: Send>(
    (a, cut): (&mut [A], Windows),
    (b, len): (&mut [B], usize),
    work: usize,
    f: impl Fn(usize, Window<'_, A>, &mut [B]) + Sync,
) {
    let Windows { width, rows, columns } = cut;
    let height = a.len() / width.max(1);
    assert!(height * width == a.len() && rows > 0 && columns > 0);
    let parts = height.div_ceil(rows);
    let (a, b) = (Blocks::of(a, 1), Blocks::of(b, len));
    for_each_index(parts * width.div_ceil(columns), work, &|i| {
        let (top, left) = (i % parts * rows, i / parts * columns);
        let window = Window {
            start: a.start(),
            width,
            rows: top..(top + rows).min(height),
            columns: left..(left + columns).min(width),
            of: PhantomData,
        };
        // SAFETY: as in `for_each_block`; windows of different `i` do not overlap either.
        f(i, window, unsafe { b.block(i) });
    });
}

/// Calls `f(start, chunk)` for every chunk of `out`, on several threads if there is enough work.
#[inline]
pub fn for_each_chunk<U: Send>(out: &mut [U], f: impl Fn(usize, &mut [U]) + Sync) {
    let len = chunk_len(out.len());
    let work = out.len();
    for_each_block(out, len, work, |i, chunk| f(i * len, chunk));
}

/// [`for_each_chunk`] over whole rows of `width` elements; `f` gets the number of the first row.
#[inline]
pub fn for_each_rows<U: Send>(out: &mut [U], width: usize, f: impl Fn(usize, &mut [U]) + Sync) {
    for_each_rows_of(width, out, width, f);
}

/// [`for_each_rows`] where a row takes as long as `work` elements.
#[inline]
pub fn for_each_rows_of<U: Send>(work: usize, out: &mut [U], width: usize, f: impl Fn(usize, &mut [U]) + Sync) {
    let all = (out.len() / width.max(1)).saturating_mul(work);
    let rows = chunk_len(all).div_ceil(work.max(1));
    for_each_block(out, rows * width, all, |i, chunk| f(i * rows, chunk));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_region_puts_the_settings_aside_and_back() {
        let guard = set_ambient(Ambient { flags: 5, ..Ambient::default() });
        assert_eq!(region(ambient).flags, 0);
        assert_eq!(ambient().flags, 5);
        drop(guard);
        assert_eq!(ambient().flags, 0);
    }

    #[test]
    fn windows_cover_everything_once_in_order() {
        for (height, width, rows, columns) in [(0, 3, 1, 1), (4, 6, 2, 3), (5, 7, 2, 3), (3, 100, 5, 64), (1, 1, 9, 9)]
        {
            let mut out = vec![0; height * width];
            let mut blocks = vec![0; height.div_ceil(rows) * width.div_ceil(columns) * 2];
            let cut = Windows { width, rows, columns };
            // Enough work for several threads.
            for_each_window_and_block((&mut out, cut), (&mut blocks, 2), ELEMENTS, |i, mut window, block| {
                for row in window.rows.clone() {
                    let columns = window.columns.clone();
                    window.row(row, columns).iter_mut().for_each(|x| *x += i + 1);
                }
                block.fill(i + 1);
            });
            let windows_below = height.div_ceil(rows);
            for (at, &x) in out.iter().enumerate() {
                assert_eq!(x, at % width / columns * windows_below + at / width / rows + 1);
            }
            assert!(blocks.iter().enumerate().all(|(at, &x)| x == at / 2 + 1));
        }
    }

    #[test]
    #[should_panic(expected = "self.columns.start <= columns.start")]
    fn a_window_ends_where_it_ends() {
        let cut = Windows { width: 4, rows: 1, columns: 2 };
        for_each_window_and_block((&mut [0; 4], cut), (&mut [(); 0], 1), 0, |_, mut window, _| {
            window.row(0, 1..3);
        });
    }

    #[test]
    #[should_panic(expected = "columns.start <= columns.end")]
    fn a_window_has_no_row_that_ends_before_it_starts() {
        let cut = Windows { width: 4, rows: 1, columns: 2 };
        for_each_window_and_block((&mut [0; 4], cut), (&mut [(); 0], 1), 0, |_, mut window, _| {
            window.row(0, 2..1);
        });
    }

    #[test]
    fn chunks_cover_everything_once() {
        for len in [0, 1, 100, ELEMENTS - 1, ELEMENTS, ELEMENTS * 5 + 3] {
            let mut out = vec![0u32; len];
            for_each_chunk(&mut out, |start, chunk| {
                for (i, x) in chunk.iter_mut().enumerate() {
                    *x += (start + i) as u32;
                }
            });
            assert!(out.iter().enumerate().all(|(i, &x)| i as u32 == x));
        }
    }
}
