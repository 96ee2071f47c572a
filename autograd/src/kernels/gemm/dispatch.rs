//! Which instruction set: asked of the CPU once, or forced by a test or a bench.

use super::isa;
use super::kernel_set::KernelSet;
use crate::kernels::element::Number;
use std::sync::OnceLock;

/// The instruction sets that there are kernels for, from the least to the most preferred.
///
/// Every one exists on every target, so that code can name it; [`Isa::is_available`] says whether this
/// machine can run it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Isa {
    /// No instructions by hand: arrays that the compiler maps as it can.
    Portable,
    /// Arm's 128-bit vectors, which every 64-bit Arm CPU has.
    Neon,
    /// 256-bit vectors with fused multiply-add (x86-64-v3).
    Avx2,
    /// 512-bit vectors (the AVX512F subset).
    Avx512,
}

impl Isa {
    /// All of them.
    pub const ALL: [Isa; 4] = [Isa::Portable, Isa::Neon, Isa::Avx2, Isa::Avx512];

    /// Those that this machine can run. The first is always [`Isa::Portable`], the last [`Isa::best`].
    pub fn available() -> Vec<Isa> {
        Isa::ALL.into_iter().filter(|isa| isa.is_available()).collect()
    }

    /// Whether this machine can run it.
    pub fn is_available(self) -> bool {
        f32::kernels(self).is_some()
    }

    /// The one that products run on unless told otherwise.
    pub fn best() -> Isa {
        best_kernels::<f32>().isa
    }
}

/// The kernels for the best instruction set, which the CPU is asked for once.
#[inline]
pub(super) fn best_kernels<T: GemmFloat>() -> &'static KernelSet<T> {
    T::best_kernels()
}

/// The kernels for an instruction set.
///
/// # Panics
/// If this machine does not have it.
#[track_caller]
pub(super) fn kernels<T: GemmFloat>(isa: Isa) -> &'static KernelSet<T> {
    T::kernels(isa).unwrap_or_else(|| panic!("gemm: this machine has no {isa:?}; it has {:?}", Isa::available()))
}

/// The element types of products: `f32` and `f64`.
pub trait GemmFloat: Number + Sealed {}
impl GemmFloat for f32 {}
impl GemmFloat for f64 {}

/// What differs between the element types. In a private module, so nobody else implements it.
pub trait Sealed: Sized + 'static {
    /// The kernels for one instruction set, if this machine can run it.
    #[doc(hidden)]
    fn kernels(isa: Isa) -> Option<&'static KernelSet<Self>>;

    /// The kernels for [`Isa::best`].
    #[doc(hidden)]
    fn best_kernels() -> &'static KernelSet<Self>;

    /// The `matrixmultiply` crate's product. Shapes are `[m, k, n]`, strides `[row, column]`.
    ///
    /// # Safety
    /// As for `matrixmultiply::sgemm`.
    #[doc(hidden)]
    unsafe fn matrixmultiply(
        shape: [usize; 3],
        a: (*const Self, [isize; 2]),
        b: (*const Self, [isize; 2]),
        c: Output<Self>,
    );
}

/// The last operands of [`Sealed::matrixmultiply`].
pub struct Output<T> {
    pub(super) alpha: T,
    pub(super) beta: T,
    pub(super) c: *mut T,
    pub(super) strides: [isize; 2],
}

macro_rules! gemm_float {
    ($t:ty, $kernels:ident, $portable:ident, $matrixmultiply:path) => {
        impl Sealed for $t {
            #[inline]
            fn kernels(isa: Isa) -> Option<&'static KernelSet<$t>> {
                match isa {
                    Isa::Portable => Some(&isa::portable::$portable),
                    #[cfg(target_arch = "aarch64")]
                    Isa::Neon => isa::neon::Neon::new().map(isa::neon::Neon::$kernels),
                    #[cfg(target_arch = "x86_64")]
                    Isa::Avx2 => isa::avx2::Avx2::new().map(isa::avx2::Avx2::$kernels),
                    #[cfg(target_arch = "x86_64")]
                    Isa::Avx512 => isa::avx512::Avx512::new().map(isa::avx512::Avx512::$kernels),
                    _ => None,
                }
            }

            #[inline]
            fn best_kernels() -> &'static KernelSet<$t> {
                static BEST: OnceLock<&KernelSet<$t>> = OnceLock::new();
                BEST.get_or_init(|| kernels(Isa::available().pop().unwrap_or(Isa::Portable)))
            }

            unsafe fn matrixmultiply(
                [m, k, n]: [usize; 3],
                (a, [a_row, a_col]): (*const $t, [isize; 2]),
                (b, [b_row, b_col]): (*const $t, [isize; 2]),
                Output { alpha, beta, c, strides: [c_row, c_col] }: Output<$t>,
            ) {
                // SAFETY: the caller keeps that crate's contract.
                unsafe { $matrixmultiply(m, k, n, alpha, a, a_row, a_col, b, b_row, b_col, beta, c, c_row, c_col) }
            }
        }
    };
}
gemm_float!(f32, kernels_f32, KERNELS_F32, matrixmultiply::sgemm);
gemm_float!(f64, kernels_f64, KERNELS_F64, matrixmultiply::dgemm);
