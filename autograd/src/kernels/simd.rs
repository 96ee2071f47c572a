//! One generic loop, compiled once for each instruction set.
//!
//! The element-wise kernels are plain Rust loops that the compiler vectorises. It may use only the
//! instructions that it was told of, so [`vectorised`] runs a loop inside a function that has been
//! told of AVX-512, of AVX2, or of nothing beyond the target's baseline (on aarch64 that includes
//! NEON), whichever the machine has. This works because [`Loop::run`] is `#[inline(always)]`: its body
//! becomes part of the function that it is called from.
//!
//! So loops are `for` loops here. The closure of a `for_each`, a `fold` or a `from_fn` is a function of
//! its own, which the compiler may leave outside: then it is compiled for the baseline.

/// A loop to be compiled for each instruction set. Mark `run` `#[inline(always)]`, and all it calls.
pub trait Loop {
    /// What the loop returns.
    type Out;
    /// The loop.
    fn run(self) -> Self::Out;
}

// ANCHOR: vectorised
/// Runs `body` with the widest instructions that this machine has.
#[inline(never)]
pub fn vectorised<L: Loop>(body: L) -> L::Out {
    #[cfg(target_arch = "x86_64")]
    {
        #[target_feature(enable = "avx512f,avx512vl,avx512dq,avx512bw,avx2,fma")]
        fn avx512<L: Loop>(body: L) -> L::Out {
            body.run()
        }
        #[target_feature(enable = "avx2,fma")]
        fn avx2<L: Loop>(body: L) -> L::Out {
            body.run()
        }
        if has_avx512() {
            // SAFETY: the machine has what `avx512` is compiled for, as just asked.
            return unsafe { avx512(body) };
        }
        if has_avx2() {
            // SAFETY: and here what `avx2` is.
            return unsafe { avx2(body) };
        }
    }
    body.run()
}
// ANCHOR_END: vectorised

/// Has the machine fetch what lies at `at` into the caches, to be read soon. It may be anywhere, as nothing is read
/// yet.
#[inline(always)]
pub fn prefetch<T>(at: *const T) {
    #[cfg(all(target_arch = "x86_64", not(miri)))]
    // SAFETY: every x86-64 has the instruction, and it never faults.
    unsafe {
        std::arch::x86_64::_mm_prefetch::<{ std::arch::x86_64::_MM_HINT_T0 }>(at.cast())
    };
    #[cfg(not(all(target_arch = "x86_64", not(miri))))]
    let _ = at;
}

/// The same for what is to be written soon: the line is taken out of other cores' caches at once, and not at the first
/// write.
#[inline(always)]
pub fn prefetch_to_write<T>(at: *mut T) {
    // Not the intrinsic, which is this instruction only in functions that are compiled for CPUs known to have it.
    #[cfg(all(target_arch = "x86_64", not(miri)))]
    // SAFETY: it never faults on an address. An x86-64 that does not know it (Intel's before 2014) takes it for a
    // `nop`; the first of 2004 may not, and stop the program.
    unsafe {
        std::arch::asm!("prefetchw [{0}]", in(reg) at, options(nostack, preserves_flags, readonly))
    };
    #[cfg(not(all(target_arch = "x86_64", not(miri))))]
    let _ = at;
}

/// Whether the machine has the AVX-512 subset that server and desktop parts share, and what `avx512` above
/// names beside it: CPUID tells of each on its own.
#[cfg(target_arch = "x86_64")]
#[inline]
fn has_avx512() -> bool {
    is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512vl")
        && is_x86_feature_detected!("avx512dq")
        && is_x86_feature_detected!("avx512bw")
        && has_avx2()
}

/// Whether the machine has AVX2 and fused multiply-add.
#[cfg(target_arch = "x86_64")]
#[inline]
fn has_avx2() -> bool {
    is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma")
}
