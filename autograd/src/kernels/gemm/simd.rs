//! The few vector operations that the kernels are written in.
//!
//! A kernel is written once, over [`Simd`]; each file of [`isa`](super::isa) maps the operations to the
//! instructions of one CPU family. A value that implements [`Simd`] is a *token*: it exists only where
//! the CPU has the instructions, so its methods need no further proof.

/// Vectors of `T` on one instruction set.
///
/// # Safety
/// Loads and stores must touch exactly the elements that their docs name.
pub(super) unsafe trait Simd<T>: Copy + 'static {
    /// A vector register.
    type V: Copy;
    /// Chooses the first few lanes of a vector.
    type Mask: Copy;
    /// Elements in a vector.
    const LANES: usize;
    /// Vectors of sums that the registers hold beside a kernel's operands.
    const SUMS: usize;

    /// The token, without asking the CPU.
    ///
    /// # Safety
    /// The CPU must have the instructions.
    unsafe fn assume() -> Self;

    /// All lanes `x`.
    fn splat(self, x: T) -> Self::V;
    /// a·b + c, rounded once where the CPU can.
    fn mul_add(self, a: Self::V, b: Self::V, c: Self::V) -> Self::V;
    /// a + b.
    fn add(self, a: Self::V, b: Self::V) -> Self::V;
    /// a·b.
    fn mul(self, a: Self::V, b: Self::V) -> Self::V;
    /// max(0, v), NaN where v is NaN.
    fn relu(self, v: Self::V) -> Self::V;
    /// The sum of the lanes.
    fn sum(self, v: Self::V) -> T;

    /// The mask of the first `lanes` lanes, of which there must be at most `LANES`.
    fn mask(self, lanes: usize) -> Self::Mask;

    /// Loads `LANES` elements; no alignment needed.
    ///
    /// # Safety
    /// They must be readable.
    unsafe fn load(self, from: *const T) -> Self::V;
    /// Stores `LANES` elements; no alignment needed.
    ///
    /// # Safety
    /// They must be writable.
    unsafe fn store(self, to: *mut T, v: Self::V);
    /// Loads the elements that the mask chooses, and zeros elsewhere.
    ///
    /// # Safety
    /// The chosen elements must be readable; the others are not touched.
    unsafe fn load_first(self, from: *const T, mask: Self::Mask) -> Self::V;
    /// Stores the elements that the mask chooses.
    ///
    /// # Safety
    /// The chosen elements must be writable; the others are not touched.
    unsafe fn store_first(self, to: *mut T, v: Self::V, mask: Self::Mask);

    /// Side of the square blocks that [`Simd::transpose`] transposes, at most [`MAX_SIDE`].
    const SIDE: usize = Self::LANES;

    /// Transposes a square block: column j of the `SIDE` lines that begin at `lines[i] + at` is written to
    /// `to + j * to_stride`, in the order of j, so that a column may reach into the next one's place.
    ///
    /// # Safety
    /// `lines` must have `SIDE` pointers, each readable for `SIDE` from `at` on, and each place be writable for `SIDE`.
    #[inline(always)]
    unsafe fn transpose(self, lines: &[*const T], at: usize, to: *mut T, to_stride: usize)
    where
        T: Copy,
    {
        for j in 0..Self::SIDE {
            for (i, line) in lines.iter().enumerate() {
                // SAFETY: both inside the blocks that the caller vouches for.
                unsafe { *to.add(j * to_stride + i) = *line.add(at + j) };
            }
        }
    }
}

/// The largest [`Simd::SIDE`].
pub(super) const MAX_SIDE: usize = 16;

/// The operations of [`Simd`] that are one instruction: for vectors `$v` of `$t` and the token `$token`, the name
/// of each.
macro_rules! one_instruction_each {
    (
        $token:ident, $t:ty, $v:ty, splat: $splat:path, mul_add: |$a:ident, $b:ident, $c:ident| $mul_add:expr,
        add: $add:path, mul: $mul:path, sum: $sum:path, load: $load:path, store: $store:path $(,)?
    ) => {
        /// # Safety
        /// As [`Simd`] asks of assume.
        #[inline(always)]
        unsafe fn assume() -> Self {
            // The caller vouches for the instructions; from here on the token is the proof.
            $token(())
        }
        #[inline(always)]
        fn splat(self, x: $t) -> $v {
            // SAFETY: the token proves that the CPU has the instruction; so in all that follow.
            unsafe { $splat(x) }
        }
        #[inline(always)]
        fn mul_add(self, $a: $v, $b: $v, $c: $v) -> $v {
            // SAFETY: the token.
            unsafe { $mul_add }
        }
        #[inline(always)]
        fn add(self, a: $v, b: $v) -> $v {
            // SAFETY: the token.
            unsafe { $add(a, b) }
        }
        #[inline(always)]
        fn mul(self, a: $v, b: $v) -> $v {
            // SAFETY: the token.
            unsafe { $mul(a, b) }
        }
        #[inline(always)]
        fn sum(self, v: $v) -> $t {
            // SAFETY: the token.
            unsafe { $sum(v) }
        }
        /// # Safety
        /// As [`Simd`] asks of load.
        #[inline(always)]
        unsafe fn load(self, from: *const $t) -> $v {
            // SAFETY: the token, and the caller vouches for a vector of elements, aligned or not.
            unsafe { $load(from) }
        }
        /// # Safety
        /// As [`Simd`] asks of store.
        #[inline(always)]
        unsafe fn store(self, to: *mut $t, v: $v) {
            // SAFETY: as for `load`.
            unsafe { $store(to, v) }
        }
    };
}
pub(super) use one_instruction_each;
