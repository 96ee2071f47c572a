//! AVX-512: thirty-two registers of 512 bits (x86-64-v4: Skylake-X, Ice Lake, Zen 4 and later).
//!
//! The tile is 8 rows by 3 vectors: 24 sums, three vectors of B, and a broadcast element of A. A step is 24
//! multiply-adds (12 cycles on the CPUs that start two each cycle, 24 on Zen 4, which starts one) for 11 loads, which
//! take half of that time or less. Why not
//!
//! - 12 × 2 (24 sums too, for 14 loads)? Rows of A that are a multiple of 4 kB apart share one set of the L1 cache,
//!   which has room for eight lines, or twelve: with twelve rows they push each other out. At 1,024 by 1,024, which is
//!   such a matrix, 12 × 2 reaches 0.80 of the peak of Zen 4, and 8 × 3 0.89, both with a kc of 256.
//! - 6 × 4 (24 sums, 10 loads)? As fast, but batches are powers of two: 8 rows would be 6 and 2, and tiles of 2 rows
//!   wait for their loads. With 8 rows of A, 6 × 4 reaches 0.70 of the peak, and 8 × 3 0.95.
//!
//! Widths that are multiples of 32 or 64 are no multiple of the tile's 48. It does not matter: their last tile has
//! fewer vectors, not vectors in vain.

use super::super::Isa;
use super::super::kernel_set::{KernelSet, kernel_set};
use super::super::simd::{Simd, one_instruction_each};
use super::avx2::Avx2;
use std::arch::x86_64::*;

/// Proof that this CPU has AVX512F, and AVX2 and FMA, which every CPU with AVX512F has, but which a virtual
/// machine may hide.
#[derive(Clone, Copy)]
pub struct Avx512(());

impl Avx512 {
    /// The token, if this CPU has the instructions.
    pub fn new() -> Option<Self> {
        (Avx2::new().is_some() && is_x86_feature_detected!("avx512f")).then_some(Avx512(()))
    }

    /// The kernels for f32.
    #[inline]
    pub(in super::super) fn kernels_f32(self) -> &'static KernelSet<f32> {
        &KERNELS_F32
    }

    /// The kernels for f64.
    #[inline]
    pub(in super::super) fn kernels_f64(self) -> &'static KernelSet<f64> {
        &KERNELS_F64
    }
}

// The blocking, for 32 kB of L1 (Zen 4) or 48 kB, and at least 1 MB of L2:
//   a panel of B, kc × nr:    1024 × 48 × 4 = 192 kB, more than L1. A tile takes it from L2, in 1024 × 24 cycles (half
//                              as many where two multiply-adds start in a cycle): 8 bytes a cycle (16). To read and
//                              write C half as often is worth more than to have half the panel nearer: at 768 to
//                              2,048 a kc of 512 is 1 to 3 % slower, one of 256 another 4;
//   a block of A, mc × kc:   144 × 1024 × 4 = 576 kB of L2;
//   a block of B, kc × nc:  1024 × 1056 × 4 = 4.3 MB of L3. 22 panels, so that 1,024 columns are one block: another of
//                              16 columns would pack all of A once more (1 % at 1,024).
static KERNELS_F32: KernelSet<f32> = kernel_set!(
    f32, Avx512, target_feature(enable = "avx512f"), isa: Isa::Avx512,
    rows: [1 2 3 4 5 6 7 8], vectors: [1 2 3], half: Avx2,
    mc: 144, kc: 1024, nc: 1056,
);
static KERNELS_F64: KernelSet<f64> = kernel_set!(
    f64, Avx512, target_feature(enable = "avx512f"), isa: Isa::Avx512,
    rows: [1 2 3 4 5 6 7 8], vectors: [1 2 3], half: Avx2,
    mc: 192, kc: 256, nc: 1008,
);

// SAFETY: each load and store touches what its docs say. A masked one does not touch, nor fault on, the
// lanes it leaves out.
unsafe impl Simd<f32> for Avx512 {
    type V = __m512;
    type Mask = __mmask16;
    const LANES: usize = 16;
    const SUMS: usize = 24;
    one_instruction_each!(
        Avx512, f32, __m512, splat: _mm512_set1_ps, mul_add: |a, b, c| _mm512_fmadd_ps(a, b, c), add: _mm512_add_ps,
        mul: _mm512_mul_ps, sum: _mm512_reduce_add_ps, load: _mm512_loadu_ps, store: _mm512_storeu_ps,
    );

    #[inline(always)]
    fn relu(self, v: __m512) -> __m512 {
        // `max` returns its second operand if either is NaN.
        // SAFETY: the token; for Miri, which has no `max` of 512 bits, as many numbers in an array.
        unsafe {
            #[cfg(not(miri))]
            let max = _mm512_max_ps(_mm512_setzero_ps(), v);
            #[cfg(miri)]
            let max = std::mem::transmute(Simd::<f32>::relu(
                super::portable::Portable::<16>,
                std::mem::transmute::<__m512, [f32; 16]>(v),
            ));
            max
        }
    }
    #[inline(always)]
    fn mask(self, lanes: usize) -> __mmask16 {
        debug_assert!(lanes <= 16);
        ((1u32 << lanes) - 1) as __mmask16
    }
    /// # Safety
    /// As [`Simd`] asks of load_first.
    #[inline(always)]
    unsafe fn load_first(self, from: *const f32, mask: __mmask16) -> __m512 {
        // SAFETY: the caller vouches for the lanes of the mask.
        unsafe { _mm512_maskz_loadu_ps(mask, from) }
    }
    /// # Safety
    /// As [`Simd`] asks of store_first.
    #[inline(always)]
    unsafe fn store_first(self, to: *mut f32, v: __m512, mask: __mmask16) {
        // SAFETY: the caller vouches for the lanes of the mask.
        unsafe { _mm512_mask_storeu_ps(to, mask, v) }
    }

    const SIDE: usize = <Avx2 as Simd<f32>>::SIDE;

    /// # Safety
    /// As [`Simd`] asks of transpose.
    #[inline(always)]
    unsafe fn transpose(self, lines: &[*const f32], at: usize, to: *mut f32, to_stride: usize) {
        // SAFETY: the token proves AVX2 too, and the caller vouches for the lines and both blocks.
        unsafe { <Avx2 as Simd<f32>>::assume().transpose(lines, at, to, to_stride) }
    }
}

// SAFETY: each load and store touches what its docs say. A masked one does not touch, nor fault on, the
// lanes it leaves out.
unsafe impl Simd<f64> for Avx512 {
    type V = __m512d;
    type Mask = __mmask8;
    const LANES: usize = 8;
    const SUMS: usize = 24;
    one_instruction_each!(
        Avx512, f64, __m512d, splat: _mm512_set1_pd, mul_add: |a, b, c| _mm512_fmadd_pd(a, b, c), add: _mm512_add_pd,
        mul: _mm512_mul_pd, sum: _mm512_reduce_add_pd, load: _mm512_loadu_pd, store: _mm512_storeu_pd,
    );

    #[inline(always)]
    fn relu(self, v: __m512d) -> __m512d {
        // `max` returns its second operand if either is NaN.
        // SAFETY: the token; for Miri, which has no `max` of 512 bits, as many numbers in an array.
        unsafe {
            #[cfg(not(miri))]
            let max = _mm512_max_pd(_mm512_setzero_pd(), v);
            #[cfg(miri)]
            let max = std::mem::transmute(Simd::<f64>::relu(
                super::portable::Portable::<8>,
                std::mem::transmute::<__m512d, [f64; 8]>(v),
            ));
            max
        }
    }
    #[inline(always)]
    fn mask(self, lanes: usize) -> __mmask8 {
        debug_assert!(lanes <= 8);
        ((1u32 << lanes) - 1) as __mmask8
    }
    /// # Safety
    /// As [`Simd`] asks of load_first.
    #[inline(always)]
    unsafe fn load_first(self, from: *const f64, mask: __mmask8) -> __m512d {
        // SAFETY: the caller vouches for the lanes of the mask.
        unsafe { _mm512_maskz_loadu_pd(mask, from) }
    }
    /// # Safety
    /// As [`Simd`] asks of store_first.
    #[inline(always)]
    unsafe fn store_first(self, to: *mut f64, v: __m512d, mask: __mmask8) {
        // SAFETY: the caller vouches for the lanes of the mask.
        unsafe { _mm512_mask_storeu_pd(to, mask, v) }
    }

    const SIDE: usize = <Avx2 as Simd<f64>>::SIDE;

    /// # Safety
    /// As [`Simd`] asks of transpose.
    #[inline(always)]
    unsafe fn transpose(self, lines: &[*const f64], at: usize, to: *mut f64, to_stride: usize) {
        // SAFETY: the token proves AVX2 too, and the caller vouches for the lines and both blocks.
        unsafe { <Avx2 as Simd<f64>>::assume().transpose(lines, at, to, to_stride) }
    }
}
