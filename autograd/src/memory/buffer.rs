//! A fixed-length array of plain numbers, aligned to a cache line, on memory from the pool.

use super::pool::{self, Block};
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};

/// Types whose values are plain bytes, so that memory of a previous owner may be read as them.
///
/// # Safety
/// `size_of::<Self>()` zero bytes must be a valid `Self`; if [`ANY_BITS`](Plain::ANY_BITS), then any
/// initialised bytes. `Self` must not need dropping, and its alignment must be at most [`pool::ALIGN`].
pub unsafe trait Plain: Copy + Send + Sync + 'static {
    /// Whether every bit pattern is a value.
    const ANY_BITS: bool;
}

// SAFETY: numbers without niches: every bit pattern is a value.
unsafe impl Plain for f32 {
    const ANY_BITS: bool = true;
}
// SAFETY: as above.
unsafe impl Plain for f64 {
    const ANY_BITS: bool = true;
}
// SAFETY: as above.
unsafe impl Plain for i64 {
    const ANY_BITS: bool = true;
}
// SAFETY: as above.
unsafe impl Plain for u32 {
    const ANY_BITS: bool = true;
}
// SAFETY: a zero byte is `false`; other bytes but one are not a `bool`, and `ANY_BITS` says so.
unsafe impl Plain for bool {
    const ANY_BITS: bool = false;
}

/// An owned `[T]` whose memory returns to the pool when it is dropped.
pub struct Buffer<T> {
    block: Block,
    len: usize,
    of: PhantomData<T>,
}

impl<T: Plain> Buffer<T> {
    /// A buffer of `len` elements whose content is arbitrary (zeros, or what a previous owner left).
    ///
    /// For outputs that are about to be written in full.
    pub fn recycled(len: usize) -> Self {
        let bytes = len.checked_mul(size_of::<T>()).expect("tensor larger than the address space");
        let block = pool::take(bytes);
        if !T::ANY_BITS {
            // SAFETY: the block holds at least `bytes` bytes and has no other owner.
            unsafe { block.as_ptr().write_bytes(0, bytes) };
        }
        Buffer { block, len, of: PhantomData }
    }

    /// A buffer of `len` copies of `value`.
    pub fn filled(len: usize, value: T) -> Self {
        let mut buffer = Self::recycled(len);
        buffer.fill(value);
        buffer
    }
}

impl<T> Deref for Buffer<T> {
    type Target = [T];

    #[inline]
    fn deref(&self) -> &[T] {
        // SAFETY: the block holds at least `len` elements of `T: Plain`, aligned and initialised
        // (the pool hands out zeroed or previously written memory only), and `self` owns it.
        unsafe { std::slice::from_raw_parts(self.block.as_ptr().cast(), self.len) }
    }
}

impl<T> DerefMut for Buffer<T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut [T] {
        // SAFETY: as in `deref`, and `&mut self` is the only way to the block.
        unsafe { std::slice::from_raw_parts_mut(self.block.as_ptr().cast(), self.len) }
    }
}

// SAFETY: a buffer owns its memory alone; sending it sends `T`s.
unsafe impl<T: Send> Send for Buffer<T> {}
// SAFETY: a shared buffer gives out `&[T]` only.
unsafe impl<T: Sync> Sync for Buffer<T> {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_is_aligned_and_holds_what_was_written() {
        for len in [0, 1, 15, 16, 17, 1000, if cfg!(miri) { 1003 } else { 100_003 }] {
            let mut buffer = Buffer::<f32>::filled(len, 1.5);
            assert_eq!(buffer.as_ptr() as usize % pool::ALIGN, 0);
            assert_eq!(buffer.len(), len);
            assert!(buffer.iter().all(|&x| x == 1.5));
            if let Some(last) = buffer.last_mut() {
                *last = 2.0;
                assert_eq!(buffer[len - 1], 2.0);
            }
        }
    }

    #[test]
    fn a_dropped_buffer_serves_the_next_of_its_size() {
        let _alone = pool::tests::alone();
        // A size no other test uses, so that tests in parallel do not take the block.
        const LEN: usize = if cfg!(miri) { 7_777 } else { 777_777 };
        let first = Buffer::<f64>::filled(LEN, 3.0);
        let address = first.as_ptr();
        drop(first);
        let second = Buffer::<f64>::recycled(LEN - 7);
        assert_eq!(second.as_ptr(), address, "one size class, so the same block");
    }
}
