//! Softmax, its logarithm and its denominator over rows of `n`, forward and backward.
//!
//! The largest element m of a row is subtracted first, so that no exponential overflows and at least one
//! is 1:
//!
//! ```text
//! softmax     y = e^(x−m) / s        s = Σ e^(x−m)
//! log-softmax y = x − m − ln s
//! ```
//!
//! The exponentials are most of the work, and short rows would leave many of them outside whole vectors.
//! So several rows are worked on at a time: what differs from row to row is done row by row, and the
//! exponentials of all of them in one loop. They stay in the first cache meanwhile.

use super::element::Float;
use super::fold::Sum;
use super::lanes;
use super::parallel;
use super::simd::{Loop, vectorised};

/// Elements worked on at a time: as many short rows, or a piece of a long one.
pub(super) const PIECE: usize = 1024;
/// The most rows worked on at a time.
pub(super) const ROWS: usize = 64;
/// Rows from which on exponentials outside whole vectors do not matter.
const LONG: usize = 256;

/// How many rows of `n` are worked on at a time.
#[inline(always)]
pub(super) fn rows_at_a_time(n: usize) -> usize {
    (PIECE / n.max(1)).clamp(1, ROWS)
}

/// Where intermediate results go.
pub struct Scratch<T> {
    /// The largest element of each row.
    pub(super) maxima: [T; ROWS],
    /// Σ e^(x−m) of each row.
    pub(super) sums: [T; ROWS],
    /// Exponentials that nobody wants to keep.
    piece: [T; PIECE],
}

impl<T: Float> Scratch<T> {
    #[inline(always)]
    pub(super) fn new() -> Self {
        Scratch { maxima: [T::ZERO; ROWS], sums: [T::ZERO; ROWS], piece: [T::ZERO; PIECE] }
    }

    /// e = e^(x−m) for some rows, with the maxima m and the sums of e left here. If `e` is empty, the
    /// exponentials are not kept.
    #[inline(always)]
    pub(super) fn exponentials(&mut self, x: &[T], n: usize, e: &mut [T]) {
        let n = n.max(1); // rows of nothing have nothing to do
        let Scratch { maxima, sums, piece } = self;
        for (x, max) in x.chunks_exact(n).zip(maxima.iter_mut()) {
            *max = lanes::max(x);
        }
        if e.is_empty() && n > PIECE {
            let mut sum = T::ZERO;
            for x in x.chunks(PIECE) {
                let e = &mut piece[..x.len()];
                exp_of_differences(x, x.len(), &maxima[..1], e);
                sum += lanes::fold(Sum, e);
            }
            sums[0] = sum;
            return;
        }
        let e = if e.is_empty() { &mut piece[..x.len()] } else { e };
        exp_of_differences(x, n, maxima, e);
        for (e, sum) in e.chunks_exact(n).zip(sums) {
            *sum = lanes::fold(Sum, e);
        }
    }
}

/// e = e^(x−shift) for rows of `n`, each with its shift.
#[inline(always)]
fn exp_of_differences<T: Float>(x: &[T], n: usize, shifts: &[T], e: &mut [T]) {
    for ((x, e), &shift) in x.chunks_exact(n).zip(e.chunks_exact_mut(n)).zip(shifts) {
        if n < LONG {
            lanes::map(x, e, |x| x - shift);
        } else {
            for (e, &x) in e.iter_mut().zip(x) {
                *e = T::exp(x - shift);
            }
        }
    }
    if n < LONG {
        for e in e {
            *e = T::exp(*e);
        }
    }
}

/// A function of rows.
pub trait RowKernel<T: Float>: Copy + Send + Sync {
    /// Some rows of `n`, as many as are worked on at a time: writes `out`, or updates what it holds. Mark
    /// it `#[inline(always)]`.
    fn rows(self, scratch: &mut Scratch<T>, x: &[T], n: usize, out: &mut [T]);
}

/// `out` = the kernel of each row of `x`.
#[inline(never)]
pub fn rows<T: Float, K: RowKernel<T>>(kernel: K, x: &[T], n: usize, out: &mut [T]) {
    struct Rows<'a, K, T>(K, &'a [T], usize, &'a mut [T]);
    impl<T: Float, K: RowKernel<T>> Loop for Rows<'_, K, T> {
        type Out = ();
        #[inline(always)]
        fn run(self) {
            let Rows(kernel, x, n, out) = self;
            let mut scratch = Scratch::new();
            let len = rows_at_a_time(n) * n;
            for (x, out) in x.chunks(len).zip(out.chunks_mut(len)) {
                kernel.rows(&mut scratch, x, n, out);
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
    fn rows(self, scratch: &mut Scratch<T>, x: &[T], n: usize, y: &mut [T]) {
        scratch.exponentials(x, n, y);
        for (y, &sum) in y.chunks_exact_mut(n).zip(&scratch.sums) {
            lanes::scale(y, T::ONE / sum);
        }
    }
}

/// y = ln softmax(x)
#[derive(Clone, Copy)]
pub struct LogSoftmax;

impl<T: Float> RowKernel<T> for LogSoftmax {
    #[inline(always)]
    fn rows(self, scratch: &mut Scratch<T>, x: &[T], n: usize, y: &mut [T]) {
        scratch.exponentials(x, n, &mut []);
        let Scratch { maxima, sums, .. } = scratch;
        for sum in &mut sums[..x.len() / n] {
            *sum = T::ln(*sum);
        }
        for ((x, y), (&mut max, &mut ln_sum)) in
            x.chunks_exact(n).zip(y.chunks_exact_mut(n)).zip(maxima.iter_mut().zip(sums))
        {
            lanes::map(x, y, |x| (x - max) - ln_sum);
        }
    }
}

/// dx = y·(dy − Σ y·dy), in place of dy.
#[derive(Clone, Copy)]
pub struct SoftmaxBackward;

impl<T: Float> RowKernel<T> for SoftmaxBackward {
    #[inline(always)]
    fn rows(self, _: &mut Scratch<T>, y: &[T], n: usize, dx: &mut [T]) {
        for (y, dx) in y.chunks_exact(n).zip(dx.chunks_exact_mut(n)) {
            let dot = lanes::sum_of_two(y, dx, |y, dy| y * dy);
            lanes::update(dx, y, |dy, y| y * (dy - dot));
        }
    }
}

/// dx = dy − e^y·Σ dy, in place of dy.
#[derive(Clone, Copy)]
pub struct LogSoftmaxBackward;

impl<T: Float> RowKernel<T> for LogSoftmaxBackward {
    #[inline(always)]
    fn rows(self, scratch: &mut Scratch<T>, y: &[T], n: usize, dx: &mut [T]) {
        if n > PIECE {
            let sum = lanes::fold(Sum, dx);
            for (dx, &y) in dx.iter_mut().zip(y) {
                *dx = *dx - T::exp(y) * sum;
            }
            return;
        }
        let e = &mut scratch.piece[..y.len()];
        for (e, &y) in e.iter_mut().zip(y) {
            *e = T::exp(y);
        }
        for (e, dx) in e.chunks_exact(n).zip(dx.chunks_exact_mut(n)) {
            let sum = lanes::fold(Sum, dx);
            lanes::update(dx, e, |dy, e| dy - e * sum);
        }
    }
}

/// ln Σ eˣ of each row: −∞ of an empty one, ∞ where an element is ∞.
#[inline(never)]
pub fn logsumexp<T: Float>(x: &[T], n: usize, out: &mut [T]) {
    struct Rows<'a, T>(&'a [T], usize, &'a mut [T]);
    impl<T: Float> Loop for Rows<'_, T> {
        type Out = ();
        #[inline(always)]
        fn run(self) {
            let Rows(x, n, out) = self;
            let mut scratch = Scratch::new();
            let rows = rows_at_a_time(n);
            for (x, out) in x.chunks(rows * n).zip(out.chunks_mut(rows)) {
                scratch.exponentials(x, n, &mut []);
                for (y, &sum) in out.iter_mut().zip(&scratch.sums) {
                    *y = T::ln(sum);
                }
                for ((y, &max), x) in out.iter_mut().zip(&scratch.maxima).zip(x.chunks_exact(n)) {
                    *y = if max.is_finite() { max + *y } else { of_infinite(x, max) };
                }
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

/// ln Σ eˣ of a row whose largest element is not finite, so that e^(x−m) would be that of ∞ − ∞.
#[cold]
fn of_infinite<T: Float>(x: &[T], max: T) -> T {
    x.iter().copied().find(|x| x.is_nan()).unwrap_or(max)
}

/// dx = e^(x−y)·dy for rows of `n`, each with its y = logsumexp(x) and its dy.
#[inline(never)]
pub fn logsumexp_backward<T: Float>(x: &[T], n: usize, y: &[T], dy: &[T], dx: &mut [T]) {
    struct Rows<'a, T>(&'a [T], usize, &'a [T], &'a [T], &'a mut [T]);
    impl<T: Float> Loop for Rows<'_, T> {
        type Out = ();
        #[inline(always)]
        fn run(self) {
            let Rows(x, n, y, dy, dx) = self;
            let rows = rows_at_a_time(n);
            for ((x, dx), y) in x.chunks(rows * n).zip(dx.chunks_mut(rows * n)).zip(y.chunks(rows)) {
                exp_of_differences(x, n, y, dx);
            }
            for (dx, &dy) in dx.chunks_exact_mut(n).zip(dy) {
                lanes::scale(dx, dy);
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
