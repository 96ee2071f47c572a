//! Memory from the system, and back to it.

use std::alloc::{Layout, alloc_zeroed, dealloc, handle_alloc_error};
use std::ptr::NonNull;

/// What every block is aligned to at least: a cache line, and the widest vector register.
pub const ALIGN: usize = 64;

/// From so many bytes on a block is large.
const LARGE: usize = 1 << 20;
/// A huge page of Linux on most machines. Elsewhere no block is large enough for one.
const HUGE_PAGE: usize = if cfg!(all(target_os = "linux", not(miri))) { 2 << 20 } else { usize::MAX };
/// What stands before a large block: where the memory begins that it is part of.
const ORIGIN: usize = size_of::<NonNull<u8>>();

/// Zeroed memory of `size` bytes, which must be more than none, aligned to [`ALIGN`].
///
/// Zeroed so that it is initialised. Fresh pages of the system are zero, so that costs nothing for a large block; but
/// the standard library relies on it only where 16 bytes of alignment are enough, and else fills all of the memory, on
/// one thread. So a large block is aligned here, in memory that is larger by as much; what nobody touches of that is no
/// page yet.
pub fn take(size: usize) -> NonNull<u8> {
    let layout = layout_of(size);
    // SAFETY: more than no bytes.
    let origin = unsafe { alloc_zeroed(layout) };
    let Some(origin) = NonNull::new(origin) else { handle_alloc_error(layout) };
    if size < LARGE {
        return origin;
    }
    let address = origin.as_ptr() as usize;
    let gap = (address + ORIGIN).next_multiple_of(align_of_large(size)) - address;
    // SAFETY: what was asked for is larger than `size` by the place of a pointer and by the alignment, so the gap has
    // room before the block; and its end is aligned for a pointer.
    unsafe {
        let start = origin.add(gap);
        start.cast::<NonNull<u8>>().sub(1).write(origin);
        ask_for_huge_pages(start.as_ptr(), size);
        start
    }
}

/// Asks Linux for huge pages, where a block fills them. Unless the machine is set to give them to everybody, a program
/// gets them only so.
///
/// A core remembers where some thousand pages are. Pages of 4 kB are then some megabytes, and large matrices are more;
/// the step from row to row is often one to another page. With huge pages `makemore_16384`, `cdcgan_128` and
/// `cifar_cnn_64` take 0.96 to 0.98 of the time (`cargo bench --bench steps`, in turn with the commit before, Zen 4),
/// and there no more memory.
fn ask_for_huge_pages(start: *mut u8, size: usize) {
    let whole = size / HUGE_PAGE * HUGE_PAGE;
    #[cfg(target_os = "linux")]
    if whole > 0 {
        // SAFETY: it changes no byte. Where it is refused, the pages stay small.
        unsafe { libc::madvise(start.cast(), whole, libc::MADV_HUGEPAGE) };
    }
    #[cfg(not(target_os = "linux"))]
    let _ = (start, whole);
}

/// What a large block of `size` bytes is aligned to.
fn align_of_large(size: usize) -> usize {
    if size < HUGE_PAGE { ALIGN } else { HUGE_PAGE }
}

/// Gives a block back.
///
/// # Safety
/// `start` must be from [`take`] with the same size, and nobody may use the memory any more.
pub unsafe fn give_back(start: NonNull<u8>, size: usize) {
    // SAFETY: the caller's; before a large block stands where its memory begins.
    unsafe {
        let origin = if size < LARGE { start } else { start.cast::<NonNull<u8>>().sub(1).read() };
        dealloc(origin.as_ptr(), layout_of(size));
    }
}

/// What is asked of the allocator for a block.
fn layout_of(size: usize) -> Layout {
    let layout = if size < LARGE {
        Layout::from_size_align(size, ALIGN)
    } else {
        Layout::from_size_align(size.saturating_add(ORIGIN + align_of_large(size)), align_of::<NonNull<u8>>())
    };
    layout.expect("tensor larger than the address space")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_of_every_size_are_zero_aligned_and_writable() {
        let sizes: &[usize] = if cfg!(miri) {
            &[1, LARGE]
        } else {
            &[1, 64, LARGE - 1, LARGE, LARGE + 1, 2 * LARGE - 1, 2 * LARGE, 5 * LARGE - 7]
        };
        for &size in sizes {
            let blocks = [take(size), take(size)];
            for (i, &block) in blocks.iter().enumerate() {
                let align = if size < LARGE { ALIGN } else { align_of_large(size) };
                assert!((block.as_ptr() as usize).is_multiple_of(align), "{size} bytes");
                // SAFETY: so many bytes of a block that nobody else has.
                let bytes = unsafe { std::slice::from_raw_parts_mut(block.as_ptr(), size) };
                assert!(bytes.iter().all(|&byte| byte == 0), "{size} bytes");
                bytes.fill(i as u8 + 1);
            }
            for (i, block) in blocks.into_iter().enumerate() {
                // SAFETY: as above; each is given back once.
                unsafe {
                    let bytes = std::slice::from_raw_parts(block.as_ptr(), size);
                    assert!(bytes.iter().all(|&byte| byte == i as u8 + 1), "{size} bytes");
                    give_back(block, size);
                }
            }
        }
    }
}
