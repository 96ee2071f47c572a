//! Memory from the system, and back to it.

use std::alloc::{Layout, alloc_zeroed, dealloc, handle_alloc_error};
use std::ptr::NonNull;

/// Alignment of every block: a cache line, and the widest vector register.
pub const ALIGN: usize = 64;

/// From so many bytes on a block is large.
const LARGE: usize = 1 << 20;
/// What stands before a large block: where the memory begins that it is part of.
const ORIGIN: usize = size_of::<NonNull<u8>>();

/// Zeroed memory of `size` bytes, which must be more than none, aligned to [`ALIGN`].
///
/// Zeroed so that it is initialised. Fresh pages of the system are zero, so that costs nothing for a large block; but
/// the standard library relies on it only where 16 bytes of alignment are enough, and else fills all of the memory, on
/// one thread. So a large block is aligned here, in memory that is a little larger.
pub fn take(size: usize) -> NonNull<u8> {
    let layout = layout_of(size);
    // SAFETY: more than no bytes.
    let origin = unsafe { alloc_zeroed(layout) };
    let Some(origin) = NonNull::new(origin) else { handle_alloc_error(layout) };
    if size < LARGE {
        return origin;
    }
    let address = origin.as_ptr() as usize;
    let gap = (address + ORIGIN).next_multiple_of(ALIGN) - address;
    // SAFETY: what was asked for is larger than `size` by the place of a pointer and by the alignment, so the gap has
    // room before the block; and its end is aligned for a pointer.
    unsafe {
        let start = origin.add(gap);
        start.cast::<NonNull<u8>>().sub(1).write(origin);
        start
    }
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
        Layout::from_size_align(size.saturating_add(ORIGIN + ALIGN), align_of::<NonNull<u8>>())
    };
    layout.expect("tensor larger than the address space")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_of_every_size_are_zero_aligned_and_writable() {
        let sizes: &[usize] =
            if cfg!(miri) { &[1, LARGE] } else { &[1, 64, LARGE - 1, LARGE, LARGE + 1, 5 * LARGE - 7] };
        for &size in sizes {
            let blocks = [take(size), take(size)];
            for (i, &block) in blocks.iter().enumerate() {
                assert!((block.as_ptr() as usize).is_multiple_of(ALIGN), "{size} bytes");
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
