//! Plain arrays for vectors: no instruction set at all, so any CPU, Miri, and the tests have it.
//!
//! The tests also use it to walk the micro-kernel through the geometry of a CPU they do not run on:
//! [`Portable`] takes any number of lanes.

use super::super::Isa;
use super::super::kernel_set::{KernelSet, kernel_set};
use super::super::simd::Simd;
use std::array::from_fn;

/// The token of vectors of `LANES` elements that the compiler maps as it can. Needs no proof.
#[derive(Clone, Copy)]
pub struct Portable<const LANES: usize>;

// Sixteen registers of 128 bits is what x86-64 promises, so 4 rows by 2 vectors of 4 (or of 2).
pub(in super::super) static KERNELS_F32: KernelSet<f32> = kernel_set!(
    f32, Portable<4>, inline, isa: Isa::Portable,
    rows: [1 2 3 4], vectors: [1 2],
    mc: 64, kc: 256, nc: 1024,
);
pub(in super::super) static KERNELS_F64: KernelSet<f64> = kernel_set!(
    f64, Portable<2>, inline, isa: Isa::Portable,
    rows: [1 2 3 4], vectors: [1 2],
    mc: 64, kc: 256, nc: 512,
);

macro_rules! portable {
    ($t:ty) => {
        // SAFETY: each load and store touches what its docs say.
        unsafe impl<const LANES: usize> Simd<$t> for Portable<LANES> {
            type V = [$t; LANES];
            type Mask = usize;
            const LANES: usize = LANES;
            const SUMS: usize = 8;

            #[inline(always)]
            unsafe fn assume() -> Self {
                Portable
            }
            #[inline(always)]
            fn splat(self, x: $t) -> Self::V {
                [x; LANES]
            }
            // Two roundings: without the instruction, a fused multiply-add is a slow library call.
            #[inline(always)]
            fn mul_add(self, a: Self::V, b: Self::V, c: Self::V) -> Self::V {
                from_fn(|i| a[i] * b[i] + c[i])
            }
            #[inline(always)]
            fn add(self, a: Self::V, b: Self::V) -> Self::V {
                from_fn(|i| a[i] + b[i])
            }
            #[inline(always)]
            fn mul(self, a: Self::V, b: Self::V) -> Self::V {
                from_fn(|i| a[i] * b[i])
            }
            #[inline(always)]
            fn relu(self, v: Self::V) -> Self::V {
                v.map(|x| if x < 0.0 { 0.0 } else { x })
            }
            #[inline(always)]
            fn sum(self, v: Self::V) -> $t {
                v.iter().sum()
            }
            #[inline(always)]
            fn mask(self, lanes: usize) -> usize {
                debug_assert!(lanes <= LANES);
                lanes
            }
            #[inline(always)]
            unsafe fn load(self, from: *const $t) -> Self::V {
                // SAFETY: the caller vouches for `LANES` elements; an array is aligned as its elements.
                unsafe { *from.cast() }
            }
            #[inline(always)]
            unsafe fn store(self, to: *mut $t, v: Self::V) {
                // SAFETY: the caller vouches for `LANES` elements.
                unsafe { *to.cast() = v }
            }
            #[inline(always)]
            unsafe fn load_first(self, from: *const $t, lanes: usize) -> Self::V {
                // SAFETY: the caller vouches for the first `lanes` elements.
                from_fn(|i| if i < lanes { unsafe { *from.add(i) } } else { 0.0 })
            }
            #[inline(always)]
            unsafe fn store_first(self, to: *mut $t, v: Self::V, lanes: usize) {
                for (i, x) in v.into_iter().enumerate().take(lanes) {
                    // SAFETY: the caller vouches for the first `lanes` elements.
                    unsafe { *to.add(i) = x }
                }
            }
        }
    };
}
portable!(f32);
portable!(f64);
