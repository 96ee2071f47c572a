//! AVX2 with FMA: sixteen registers of 256 bits (x86-64-v3: Haswell, Zen and later).
//!
//! The tile is 6 rows by 2 vectors. Two multiply-adds start each cycle and take four to finish, so at
//! least eight sums must be under way; twelve of them, two vectors of B and a broadcast element of A fill
//! the sixteen registers. A step is 12 multiply-adds (6 cycles) for 8 loads, of which three fit a cycle.

use super::super::Isa;
use super::super::kernel_set::{KernelSet, kernel_set};
use super::super::simd::{Simd, one_instruction_each};
use std::arch::x86_64::*;

/// Proof that this CPU has AVX2 and FMA.
#[derive(Clone, Copy)]
pub struct Avx2(());

impl Avx2 {
    /// The token, if this CPU has the instructions.
    pub fn new() -> Option<Self> {
        (is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma")).then_some(Avx2(()))
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

// The blocking, for 32 kB of L1 and 512 kB (Zen) or 256 kB (Haswell) of L2:
//   a panel of B, kc × nr:    512 × 16 × 4 = 32 kB, of which most stays in L1 for a whole LOOP 1, and the rest comes
//                             from L2. With a kc of 256 all of it stays, but C is read and written twice as often,
//                             which is 2 to 4 % slower from 512 on;
//   a block of A, mc × kc:     96 × 512 × 4 = 192 kB of L2, where it stays for a whole LOOP 2;
//   a block of B, kc × nc: 512 × 2048 × 4 = 4 MB of L3.
static KERNELS_F32: KernelSet<f32> = kernel_set!(
    f32, Avx2, target_feature(enable = "avx2,fma"), isa: Isa::Avx2,
    rows: [1 2 3 4 5 6], vectors: [1 2],
    mc: 96, kc: 512, nc: 2048,
);
static KERNELS_F64: KernelSet<f64> = kernel_set!(
    f64, Avx2, target_feature(enable = "avx2,fma"), isa: Isa::Avx2,
    rows: [1 2 3 4 5 6], vectors: [1 2],
    mc: 96, kc: 256, nc: 1024,
);

/// The first few lanes, as a number and as bits.
///
/// Loads use the bits. Stores do not: `vmaskmov` to memory is microcode on AMD (a dozen cycles and more), so
/// they store a half, a quarter and an eighth of the register as the bits of the number say.
#[derive(Clone, Copy)]
pub struct Mask {
    lanes: usize,
    bits: __m256i,
}

/// Windows into this make masks: eight lanes of ones, then eight of zeros.
static MASK_32: [i32; 16] = [-1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0];
static MASK_64: [i64; 8] = [-1, -1, -1, -1, 0, 0, 0, 0];

// SAFETY: each load and store touches what its docs say. A `vmaskmov` does not touch, nor fault on, the lanes
// it leaves out.
unsafe impl Simd<f32> for Avx2 {
    type V = __m256;
    type Mask = Mask;
    const LANES: usize = 8;
    const SUMS: usize = 12;
    one_instruction_each!(
        Avx2, f32, __m256, splat: _mm256_set1_ps, mul_add: |a, b, c| _mm256_fmadd_ps(a, b, c), add: _mm256_add_ps,
        mul: _mm256_mul_ps, sum: sum_f32, load: _mm256_loadu_ps, store: _mm256_storeu_ps,
    );

    #[inline(always)]
    fn relu(self, v: __m256) -> __m256 {
        // `maxps` returns its second operand if either is NaN.
        // SAFETY: the token.
        unsafe { _mm256_max_ps(_mm256_setzero_ps(), v) }
    }
    #[inline(always)]
    fn mask(self, lanes: usize) -> Mask {
        debug_assert!(lanes <= 8);
        // SAFETY: elements 8 - lanes .. 16 - lanes, of sixteen.
        let bits = unsafe { _mm256_loadu_si256(MASK_32.as_ptr().wrapping_add(8 - lanes).cast()) };
        Mask { lanes, bits }
    }
    /// # Safety
    /// As [`Simd`] asks of load_first.
    #[inline(always)]
    unsafe fn load_first(self, from: *const f32, mask: Mask) -> __m256 {
        // SAFETY: the caller vouches for the lanes of the mask.
        unsafe { _mm256_maskload_ps(from, mask.bits) }
    }
    /// # Safety
    /// As [`Simd`] asks of store_first.
    #[inline(always)]
    unsafe fn store_first(self, mut to: *mut f32, v: __m256, Mask { lanes, .. }: Mask) {
        // SAFETY: the caller vouches for the lanes of the mask, and no others are stored.
        unsafe {
            if lanes & 8 != 0 {
                return _mm256_storeu_ps(to, v);
            }
            let mut left = _mm256_castps256_ps128(v);
            if lanes & 4 != 0 {
                _mm_storeu_ps(to, left);
                left = _mm256_extractf128_ps::<1>(v);
                to = to.add(4);
            }
            if lanes & 2 != 0 {
                // Not `_mm_storel_pd`, whose pointer Rust takes for one to an `f64`.
                _mm_storel_epi64(to.cast(), _mm_castps_si128(left));
                left = _mm_movehl_ps(left, left);
                to = to.add(2);
            }
            if lanes & 1 != 0 {
                _mm_store_ss(to, left);
            }
        }
    }

    /// # Safety
    /// As [`Simd`] asks of transpose.
    #[inline(always)]
    unsafe fn transpose(self, lines: &[*const f32], at: usize, to: *mut f32, to_stride: usize) {
        debug_assert!(lines.len() == 8);
        // SAFETY: the token, and the caller vouches for eight lines and for both blocks.
        unsafe {
            for half in [0, 4] {
                // Elements half..half + 4 of line i beside those of line i + 4.
                let mut r = [_mm256_setzero_ps(); 4];
                for (i, r) in r.iter_mut().enumerate() {
                    let low = _mm_loadu_ps(lines.get_unchecked(i).add(at + half));
                    let high = _mm_loadu_ps(lines.get_unchecked(i + 4).add(at + half));
                    *r = _mm256_insertf128_ps::<1>(_mm256_castps128_ps256(low), high);
                }
                // 4 × 4 transposes in both halves at once.
                let (t0, t1) = (_mm256_unpacklo_ps(r[0], r[1]), _mm256_unpackhi_ps(r[0], r[1]));
                let (t2, t3) = (_mm256_unpacklo_ps(r[2], r[3]), _mm256_unpackhi_ps(r[2], r[3]));
                let to = to.add(half * to_stride);
                _mm256_storeu_ps(to, _mm256_shuffle_ps::<0b01_00_01_00>(t0, t2));
                _mm256_storeu_ps(to.add(to_stride), _mm256_shuffle_ps::<0b11_10_11_10>(t0, t2));
                _mm256_storeu_ps(to.add(2 * to_stride), _mm256_shuffle_ps::<0b01_00_01_00>(t1, t3));
                _mm256_storeu_ps(to.add(3 * to_stride), _mm256_shuffle_ps::<0b11_10_11_10>(t1, t3));
            }
        }
    }
}

// SAFETY: as for f32.
unsafe impl Simd<f64> for Avx2 {
    type V = __m256d;
    type Mask = Mask;
    const LANES: usize = 4;
    const SUMS: usize = 12;
    one_instruction_each!(
        Avx2, f64, __m256d, splat: _mm256_set1_pd, mul_add: |a, b, c| _mm256_fmadd_pd(a, b, c), add: _mm256_add_pd,
        mul: _mm256_mul_pd, sum: sum_f64, load: _mm256_loadu_pd, store: _mm256_storeu_pd,
    );

    #[inline(always)]
    fn relu(self, v: __m256d) -> __m256d {
        // SAFETY: the token.
        unsafe { _mm256_max_pd(_mm256_setzero_pd(), v) }
    }
    #[inline(always)]
    fn mask(self, lanes: usize) -> Mask {
        debug_assert!(lanes <= 4);
        // SAFETY: elements 4 - lanes .. 8 - lanes, of eight.
        let bits = unsafe { _mm256_loadu_si256(MASK_64.as_ptr().wrapping_add(4 - lanes).cast()) };
        Mask { lanes, bits }
    }
    /// # Safety
    /// As [`Simd`] asks of load_first.
    #[inline(always)]
    unsafe fn load_first(self, from: *const f64, mask: Mask) -> __m256d {
        // SAFETY: the caller vouches for the lanes of the mask.
        unsafe { _mm256_maskload_pd(from, mask.bits) }
    }
    /// # Safety
    /// As [`Simd`] asks of store_first.
    #[inline(always)]
    unsafe fn store_first(self, mut to: *mut f64, v: __m256d, Mask { lanes, .. }: Mask) {
        // SAFETY: the caller vouches for the lanes of the mask, and no others are stored.
        unsafe {
            if lanes & 4 != 0 {
                return _mm256_storeu_pd(to, v);
            }
            let mut left = _mm256_castpd256_pd128(v);
            if lanes & 2 != 0 {
                _mm_storeu_pd(to, left);
                left = _mm256_extractf128_pd::<1>(v);
                to = to.add(2);
            }
            if lanes & 1 != 0 {
                _mm_store_sd(to, left);
            }
        }
    }

    /// # Safety
    /// As [`Simd`] asks of transpose.
    #[inline(always)]
    unsafe fn transpose(self, lines: &[*const f64], at: usize, to: *mut f64, to_stride: usize) {
        debug_assert!(lines.len() == 4);
        // SAFETY: the token, and the caller vouches for four lines and for both blocks.
        unsafe {
            let mut r = [_mm256_setzero_pd(); 4];
            for (i, r) in r.iter_mut().enumerate() {
                *r = _mm256_loadu_pd(lines.get_unchecked(i).add(at));
            }
            let (t0, t1) = (_mm256_unpacklo_pd(r[0], r[1]), _mm256_unpackhi_pd(r[0], r[1]));
            let (t2, t3) = (_mm256_unpacklo_pd(r[2], r[3]), _mm256_unpackhi_pd(r[2], r[3]));
            _mm256_storeu_pd(to, _mm256_permute2f128_pd::<0x20>(t0, t2));
            _mm256_storeu_pd(to.add(to_stride), _mm256_permute2f128_pd::<0x20>(t1, t3));
            _mm256_storeu_pd(to.add(2 * to_stride), _mm256_permute2f128_pd::<0x31>(t0, t2));
            _mm256_storeu_pd(to.add(3 * to_stride), _mm256_permute2f128_pd::<0x31>(t1, t3));
        }
    }
}

/// The sum of the lanes, halves first.
#[target_feature(enable = "avx2")]
#[inline]
fn sum_f32(v: __m256) -> f32 {
    let v = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps::<1>(v));
    let v = _mm_add_ps(v, _mm_movehl_ps(v, v));
    _mm_cvtss_f32(_mm_add_ss(v, _mm_movehdup_ps(v)))
}

/// The same of four numbers.
#[target_feature(enable = "avx2")]
#[inline]
fn sum_f64(v: __m256d) -> f64 {
    let v = _mm_add_pd(_mm256_castpd256_pd128(v), _mm256_extractf128_pd::<1>(v));
    _mm_cvtsd_f64(_mm_add_sd(v, _mm_unpackhi_pd(v, v)))
}
