//! Softmax, its logarithm and its denominator over rows of `n`, forward and backward.
//!
//! The largest element m of a row is subtracted first, so that no exponential overflows and at least one
//! is 1:
//!
//! ```text
//! softmax     y = e^(x−m) / s        s = Σ e^(x−m)
//! log-softmax y = x − l              l = m + ln s
//! ```

use super::element::Float;
use super::lanes;
use super::parallel;
use super::simd::{Loop, vectorised};

/// A function of rows.
pub trait RowKernel<T: Float>: Copy + Send + Sync {
    /// One row: writes `out`, or updates what it holds. Mark it `#[inline(always)]`.
    fn row(self, x: &[T], out: &mut [T]);
}

/// `out` = the kernel of each row of `x`.
pub fn rows<T: Float, K: RowKernel<T>>(kernel: K, x: &[T], n: usize, out: &mut [T]) {
    struct Rows<'a, K, T>(K, &'a [T], usize, &'a mut [T]);
    impl<T: Float, K: RowKernel<T>> Loop for Rows<'_, K, T> {
        type Out = ();
        #[inline(always)]
        fn run(self) {
            let Rows(kernel, x, n, out) = self;
            for (x, out) in x.chunks_exact(n).zip(out.chunks_exact_mut(n)) {
                kernel.row(x, out);
            }
        }
    }
    assert_eq!(x.len(), out.len());
    if n == 0 {
        return;
    }
    parallel::for_each_rows(out, n, |first, out| {
        vectorised(Rows(kernel, &x[first * n..first * n + out.len()], n, out));
    });
}

/// y = softmax(x)
#[derive(Clone, Copy)]
pub struct Softmax;

impl<T: Float> RowKernel<T> for Softmax {
    #[inline(always)]
    fn row(self, x: &[T], y: &mut [T]) {
        let (_, sum) = exponentials(x, y);
        let scale = T::ONE / sum;
        for y in y {
            *y = *y * scale;
        }
    }
}

/// y = ln softmax(x)
#[derive(Clone, Copy)]
pub struct LogSoftmax;

impl<T: Float> RowKernel<T> for LogSoftmax {
    #[inline(always)]
    fn row(self, x: &[T], y: &mut [T]) {
        let max = lanes::max(x);
        let ln_sum = T::ln(lanes::sum_of(x, |x| T::exp(x - max)));
        for (y, &x) in y.iter_mut().zip(x) {
            *y = (x - max) - ln_sum;
        }
    }
}

/// dx = y·(dy − Σ y·dy), in place of dy.
#[derive(Clone, Copy)]
pub struct SoftmaxBackward;

impl<T: Float> RowKernel<T> for SoftmaxBackward {
    #[inline(always)]
    fn row(self, y: &[T], dx: &mut [T]) {
        let dot = lanes::sum_of_two(y, dx, |y, dy| y * dy);
        for (dx, &y) in dx.iter_mut().zip(y) {
            *dx = y * (*dx - dot);
        }
    }
}

/// dx = dy − e^y·Σ dy, in place of dy.
#[derive(Clone, Copy)]
pub struct LogSoftmaxBackward;

impl<T: Float> RowKernel<T> for LogSoftmaxBackward {
    #[inline(always)]
    fn row(self, y: &[T], dx: &mut [T]) {
        let sum = lanes::sum_of(dx, |dy| dy);
        lanes::zip_in_place(dx, y, |dy, y| dy - T::exp(y) * sum);
    }
}

/// e = e^(x−m); returns (m, Σ e).
#[inline(always)]
pub(super) fn exponentials<T: Float>(x: &[T], e: &mut [T]) -> (T, T) {
    let max = lanes::max(x);
    (max, lanes::map_and_sum(x, e, |x| T::exp(x - max)))
}

/// ln Σ eˣ of each row: −∞ of an empty one, ∞ where an element is ∞.
pub fn logsumexp<T: Float>(x: &[T], n: usize, out: &mut [T]) {
    struct Rows<'a, T>(&'a [T], usize, &'a mut [T]);
    impl<T: Float> Loop for Rows<'_, T> {
        type Out = ();
        #[inline(always)]
        fn run(self) {
            for (x, out) in self.0.chunks_exact(self.1).zip(self.2) {
                let max = lanes::max(x);
                // ∞ − ∞ would be NaN.
                let shift = if max == T::LEAST || max == T::GREATEST { T::ZERO } else { max };
                *out = shift + T::ln(lanes::sum_of(x, |x| T::exp(x - shift)));
            }
        }
    }
    assert_eq!(x.len(), out.len() * n);
    if n == 0 {
        return out.fill(T::LEAST);
    }
    let rows = parallel::chunk_len(x.len()).div_ceil(n);
    parallel::for_each_block(out, rows, x.len(), |i, out| {
        let at = i * rows * n;
        vectorised(Rows(&x[at..at + out.len() * n], n, out));
    });
}

/// dx = e^(x−y)·dy for rows of `n`, each with its y = logsumexp(x) and its dy.
pub fn logsumexp_backward<T: Float>(x: &[T], n: usize, y: &[T], dy: &[T], dx: &mut [T]) {
    struct Rows<'a, T>(&'a [T], usize, &'a [T], &'a [T], &'a mut [T]);
    impl<T: Float> Loop for Rows<'_, T> {
        type Out = ();
        #[inline(always)]
        fn run(self) {
            let Rows(x, n, y, dy, dx) = self;
            for ((x, dx), (&y, &dy)) in x.chunks_exact(n).zip(dx.chunks_exact_mut(n)).zip(y.iter().zip(dy)) {
                lanes::map_and_sum(x, dx, |x| T::exp(x - y) * dy);
            }
        }
    }
    assert!(x.len() == dx.len() && x.len() == y.len() * n && y.len() == dy.len());
    if n == 0 {
        return;
    }
    parallel::for_each_rows(dx, n, |first, dx| {
        let rows = first..first + dx.len() / n;
        vectorised(Rows(&x[first * n..first * n + dx.len()], n, &y[rows.clone()], &dy[rows], dx));
    });
}
