//! NEON: thirty-two registers of 128 bits, on every 64-bit Arm CPU.
//!
//! The tile is 8 rows by 3 vectors: 24 sums, three vectors of B, and a broadcast element of A. A step is 24
//! multiply-adds for 11 loads. The large cores start up to four multiply-adds a cycle with a latency of
//! four, so they want sixteen independent sums.

use super::super::Isa;
use super::super::kernel_set::{KernelSet, kernel_set};
use super::super::simd::{Simd, one_instruction_each};
use std::arch::aarch64::*;

/// Proof that this CPU has NEON.
#[derive(Clone, Copy)]
pub struct Neon(());

impl Neon {
    /// The token, if this CPU has the instructions, as every 64-bit Arm CPU does.
    pub fn new() -> Option<Self> {
        std::arch::is_aarch64_feature_detected!("neon").then_some(Neon(()))
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

// The blocking, for 64 kB of L1 and 512 kB of L2 (Neoverse; Apple's caches are larger):
//   a panel of B, kc × nr:    256 × 12 × 4 = 12 kB of L1;
//   a block of A, mc × kc:    96 × 256 × 4 = 96 kB of L2;
//   a block of B, kc × nc: 256 × 2016 × 4 = 2 MB of the shared cache.
static KERNELS_F32: KernelSet<f32> = kernel_set!(
    f32, Neon, target_feature(enable = "neon"), isa: Isa::Neon,
    rows: [1 2 3 4 5 6 7 8], vectors: [1 2 3],
    mc: 96, kc: 256, nc: 2016,
);
static KERNELS_F64: KernelSet<f64> = kernel_set!(
    f64, Neon, target_feature(enable = "neon"), isa: Isa::Neon,
    rows: [1 2 3 4 5 6 7 8], vectors: [1 2 3],
    mc: 96, kc: 256, nc: 1008,
);

// SAFETY: each load and store touches what its docs say.
unsafe impl Simd<f32> for Neon {
    type V = float32x4_t;
    /// How many lanes: NEON has no masked loads and stores, so those go through an array.
    type Mask = usize;
    const LANES: usize = 4;
    const SUMS: usize = 24;
    one_instruction_each!(
        Neon, f32, float32x4_t, splat: vdupq_n_f32, mul_add: |a, b, c| vfmaq_f32(c, a, b), add: vaddq_f32,
        mul: vmulq_f32, sum: vaddvq_f32, load: vld1q_f32, store: vst1q_f32,
    );

    #[inline(always)]
    fn relu(self, v: float32x4_t) -> float32x4_t {
        // `fmax` returns NaN if either operand is.
        // SAFETY: the token.
        unsafe { vmaxq_f32(vdupq_n_f32(0.0), v) }
    }
    #[inline(always)]
    fn mask(self, lanes: usize) -> usize {
        debug_assert!(lanes <= 4);
        lanes
    }
    #[inline(always)]
    unsafe fn load_first(self, from: *const f32, lanes: usize) -> float32x4_t {
        let mut x = [0.0; 4];
        // SAFETY: the caller vouches for the first `lanes` elements, of which there are at most 4.
        unsafe {
            for (i, x) in x.iter_mut().enumerate() {
                if i < lanes {
                    *x = *from.add(i);
                }
            }
            vld1q_f32(x.as_ptr())
        }
    }
    #[inline(always)]
    unsafe fn store_first(self, to: *mut f32, v: float32x4_t, lanes: usize) {
        let mut x = [0.0; 4];
        // SAFETY: the caller vouches for the first `lanes` elements, of which there are at most 4.
        unsafe {
            vst1q_f32(x.as_mut_ptr(), v);
            for (i, &x) in x.iter().enumerate() {
                if i < lanes {
                    *to.add(i) = x;
                }
            }
        }
    }

    #[inline(always)]
    unsafe fn transpose(self, lines: &[*const f32], at: usize, to: *mut f32, to_stride: usize) {
        debug_assert!(lines.len() == 4);
        // SAFETY: the token, and the caller vouches for the lines and both blocks.
        unsafe {
            let (r0, r1) = (vld1q_f32(lines[0].add(at)), vld1q_f32(lines[1].add(at)));
            let (r2, r3) = (vld1q_f32(lines[2].add(at)), vld1q_f32(lines[3].add(at)));
            // Pairs of two rows, then pairs of pairs.
            let (t0, t1) = (vreinterpretq_f64_f32(vtrn1q_f32(r0, r1)), vreinterpretq_f64_f32(vtrn2q_f32(r0, r1)));
            let (t2, t3) = (vreinterpretq_f64_f32(vtrn1q_f32(r2, r3)), vreinterpretq_f64_f32(vtrn2q_f32(r2, r3)));
            vst1q_f32(to, vreinterpretq_f32_f64(vtrn1q_f64(t0, t2)));
            vst1q_f32(to.add(to_stride), vreinterpretq_f32_f64(vtrn1q_f64(t1, t3)));
            vst1q_f32(to.add(2 * to_stride), vreinterpretq_f32_f64(vtrn2q_f64(t0, t2)));
            vst1q_f32(to.add(3 * to_stride), vreinterpretq_f32_f64(vtrn2q_f64(t1, t3)));
        }
    }
}

// SAFETY: each load and store touches what its docs say.
unsafe impl Simd<f64> for Neon {
    type V = float64x2_t;
    /// How many lanes: NEON has no masked loads and stores, so those go through an array.
    type Mask = usize;
    const LANES: usize = 2;
    const SUMS: usize = 24;
    one_instruction_each!(
        Neon, f64, float64x2_t, splat: vdupq_n_f64, mul_add: |a, b, c| vfmaq_f64(c, a, b), add: vaddq_f64,
        mul: vmulq_f64, sum: vaddvq_f64, load: vld1q_f64, store: vst1q_f64,
    );

    #[inline(always)]
    fn relu(self, v: float64x2_t) -> float64x2_t {
        // `fmax` returns NaN if either operand is.
        // SAFETY: the token.
        unsafe { vmaxq_f64(vdupq_n_f64(0.0), v) }
    }
    #[inline(always)]
    fn mask(self, lanes: usize) -> usize {
        debug_assert!(lanes <= 2);
        lanes
    }
    #[inline(always)]
    unsafe fn load_first(self, from: *const f64, lanes: usize) -> float64x2_t {
        let mut x = [0.0; 2];
        // SAFETY: the caller vouches for the first `lanes` elements, of which there are at most 2.
        unsafe {
            for (i, x) in x.iter_mut().enumerate() {
                if i < lanes {
                    *x = *from.add(i);
                }
            }
            vld1q_f64(x.as_ptr())
        }
    }
    #[inline(always)]
    unsafe fn store_first(self, to: *mut f64, v: float64x2_t, lanes: usize) {
        let mut x = [0.0; 2];
        // SAFETY: the caller vouches for the first `lanes` elements, of which there are at most 2.
        unsafe {
            vst1q_f64(x.as_mut_ptr(), v);
            for (i, &x) in x.iter().enumerate() {
                if i < lanes {
                    *to.add(i) = x;
                }
            }
        }
    }

    #[inline(always)]
    unsafe fn transpose(self, lines: &[*const f64], at: usize, to: *mut f64, to_stride: usize) {
        debug_assert!(lines.len() == 2);
        // SAFETY: the token, and the caller vouches for the lines and both blocks.
        unsafe {
            let (r0, r1) = (vld1q_f64(lines[0].add(at)), vld1q_f64(lines[1].add(at)));
            vst1q_f64(to, vtrn1q_f64(r0, r1));
            vst1q_f64(to.add(to_stride), vtrn2q_f64(r0, r1));
        }
    }
}
