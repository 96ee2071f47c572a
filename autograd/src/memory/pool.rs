//! The buffer pool: free blocks of memory, kept by size class.
//!
//! Sizes are rounded up to a class; there are eight classes to each doubling, so at most 1/8 of a
//! block is unused. [`take`] pops a free block of the class or asks the system; dropping a [`Block`]
//! pushes it back, unless the pool already keeps [`limit`] bytes, in which case the system gets it.
//! Each class has a lock of its own, held for a push or a pop only.

use super::system;
pub use super::system::ALIGN;
use std::ptr::NonNull;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// Classes to a doubling of the size.
const STEPS: usize = 8;
/// The smallest class: one cache line.
const SMALLEST: usize = ALIGN;
/// Enough classes for blocks up to 2^47 bytes.
const CLASSES: usize = 42 * STEPS;

/// Free blocks of each class.
static FREE: [Mutex<Vec<FreeBlock>>; CLASSES] = [const { Mutex::new(Vec::new()) }; CLASSES];
/// Bytes in all of `FREE`.
static KEPT: AtomicUsize = AtomicUsize::new(0);
/// Most bytes that `FREE` may hold.
static LIMIT: AtomicUsize = AtomicUsize::new(4 << 30);
/// Bytes in blocks that someone holds, and the most that it has been.
static LIVE: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);
/// Blocks that had to come from the system.
static FROM_SYSTEM: AtomicUsize = AtomicUsize::new(0);

struct FreeBlock(NonNull<u8>);
// SAFETY: a free block has no other owner, so any thread may take it.
unsafe impl Send for FreeBlock {}

/// Memory of one size class, aligned to [`ALIGN`], initialised with arbitrary bytes, owned alone.
pub struct Block {
    start: NonNull<u8>,
    class: u32,
}

impl Block {
    /// The first byte. Valid for reads and writes of the size that was asked for, while `self` lives.
    pub fn as_ptr(&self) -> *mut u8 {
        self.start.as_ptr()
    }
}

/// The class of a block of `bytes` bytes.
///
/// Above [`SMALLEST`], write `bytes - 1` in binary: the exponent picks the doubling and the next
/// three bits one of its eight steps.
fn class_of(bytes: usize) -> usize {
    if bytes <= SMALLEST {
        return 0;
    }
    let last = bytes - 1;
    let exponent = last.ilog2() as usize;
    let step = (last >> (exponent - 3)) & (STEPS - 1);
    (exponent - SMALLEST.ilog2() as usize) * STEPS + step + 1
}

/// The size in bytes of the blocks of a class.
fn size_of_class(class: usize) -> usize {
    if class == 0 {
        return SMALLEST;
    }
    let (doubling, step) = ((class - 1) / STEPS, (class - 1) % STEPS);
    ((SMALLEST << doubling) / STEPS) * (STEPS + step + 1)
}

// ANCHOR: take
/// A block of at least `bytes` bytes.
pub fn take(bytes: usize) -> Block {
    let class = class_of(bytes);
    assert!(class < CLASSES, "a tensor of {bytes} bytes is larger than the address space");
    let size = size_of_class(class);
    let live = LIVE.fetch_add(size, Relaxed) + size;
    PEAK.fetch_max(live, Relaxed);

    let free = FREE[class].lock().unwrap_or_else(|poisoned| poisoned.into_inner()).pop();
    let start = match free {
        Some(FreeBlock(start)) => {
            KEPT.fetch_sub(size, Relaxed);
            start
        }
        None => {
            FROM_SYSTEM.fetch_add(1, Relaxed);
            system::take(size)
        }
    };
    Block { start, class: class as u32 }
}
// ANCHOR_END: take

impl Drop for Block {
    fn drop(&mut self) {
        let class = self.class as usize;
        let size = size_of_class(class);
        LIVE.fetch_sub(size, Relaxed);
        if KEPT.fetch_add(size, Relaxed) + size <= LIMIT.load(Relaxed) {
            FREE[class].lock().unwrap_or_else(|poisoned| poisoned.into_inner()).push(FreeBlock(self.start));
        } else {
            KEPT.fetch_sub(size, Relaxed);
            // SAFETY: `take` has it from there, with this size, and nobody else owns it.
            unsafe { system::give_back(self.start, size) };
        }
    }
}

/// Gives all free blocks back to the system.
pub fn trim() {
    for (class, free) in FREE.iter().enumerate() {
        let blocks = std::mem::take(&mut *free.lock().unwrap_or_else(|poisoned| poisoned.into_inner()));
        for FreeBlock(start) in blocks {
            KEPT.fetch_sub(size_of_class(class), Relaxed);
            // SAFETY: `take` has it from there, with this size, and the free list was its only owner.
            unsafe { system::give_back(start, size_of_class(class)) };
        }
    }
}

/// The most bytes of free blocks that the pool keeps.
pub fn limit() -> usize {
    LIMIT.load(Relaxed)
}

/// Sets [`limit`]; 4 GiB unless told. Takes effect as blocks come back.
pub fn set_limit(bytes: usize) {
    LIMIT.store(bytes, Relaxed);
}

/// What the pool holds and has handed out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stats {
    /// Bytes in blocks that are in use.
    pub live: usize,
    /// The most bytes that were in use at one time, since the last [`reset_peak`].
    pub peak: usize,
    /// Bytes in free blocks that the pool keeps.
    pub kept: usize,
    /// How often a block had to be asked of the system since the program began.
    pub from_system: usize,
}

/// The pool's counters now.
pub fn stats() -> Stats {
    Stats {
        live: LIVE.load(Relaxed),
        peak: PEAK.load(Relaxed),
        kept: KEPT.load(Relaxed),
        from_system: FROM_SYSTEM.load(Relaxed),
    }
}

/// Starts a new measurement of [`Stats::peak`] at what is live now.
pub fn reset_peak() {
    PEAK.store(LIVE.load(Relaxed), Relaxed);
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use std::sync::MutexGuard;

    /// For tests that watch what the pool keeps.
    pub fn alone() -> MutexGuard<'static, ()> {
        static ALONE: Mutex<()> = Mutex::new(());
        ALONE.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    #[test]
    fn free_blocks_are_kept_up_to_the_limit_and_until_they_are_trimmed() {
        let _alone = alone();
        // Of a class that no other test uses.
        const BYTES: usize = 3_333_333;
        let kept = || FREE[class_of(BYTES)].lock().unwrap().len();
        drop([take(BYTES), take(BYTES)]);
        assert_eq!(kept(), 2);
        let again = take(BYTES - 1);
        assert_eq!(kept(), 1);
        // SAFETY: so many bytes of a block that is alive.
        unsafe { again.as_ptr().add(BYTES - 2).write(1) };

        let limit = limit();
        set_limit(0);
        drop(again);
        set_limit(limit);
        assert_eq!(kept(), 1, "kept beyond the limit");
        trim();
        assert_eq!(kept(), 0, "kept after a trim");
    }

    #[test]
    fn classes_fit_and_waste_at_most_an_eighth() {
        for bytes in (0..10_000).chain((14..40).flat_map(|e| [(1 << e) - 1, 1 << e, (1 << e) + 1])) {
            let class = class_of(bytes);
            let size = size_of_class(class);
            assert!(size >= bytes, "{bytes} bytes in class {class} of {size}");
            assert!(bytes <= SMALLEST || size_of_class(class - 1) < bytes, "{bytes} fits the class below");
            assert!(size - bytes <= SMALLEST.max(bytes / 7), "{bytes} bytes in {size}");
        }
    }
}
