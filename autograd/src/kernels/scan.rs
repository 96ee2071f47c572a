//! Running sums, and products of all but one.

use super::element::Number;
use super::parallel;
use super::simd::{Loop, vectorised};

/// Running sums along the middle axis of `[outer, n, inner]`; from its end, if `from_end`.
#[inline(never)]
pub fn running_sums<T: Number>(x: &[T], n: usize, inner: usize, from_end: bool, out: &mut [T]) {
    struct Matrix<'a, T>(&'a [T], usize, bool, &'a mut [T]);
    impl<T: Number> Loop for Matrix<'_, T> {
        type Out = ();
        #[inline(always)]
        fn run(self) {
            let Matrix(x, inner, from_end, out) = self;
            let n = x.len() / inner;
            if inner == 1 {
                let mut sum = T::ZERO;
                for i in 0..n {
                    let at = if from_end { n - 1 - i } else { i };
                    sum += x[at];
                    out[at] = sum;
                }
                return;
            }
            out.copy_from_slice(x);
            for i in 1..n {
                // The row before, and the one it is added to.
                let (before, row) = if from_end { (n - i, n - i - 1) } else { (i - 1, i) };
                let (low, high) = out.split_at_mut(before.max(row) * inner);
                let (low, high) = (&mut low[before.min(row) * inner..], &mut high[..inner]);
                let (row, before) = if from_end { (low, high) } else { (high, low) };
                for (sum, &before) in row.iter_mut().zip(&*before) {
                    *sum = before + *sum;
                }
            }
        }
    }
    assert_eq!(x.len(), out.len());
    if !out.is_empty() {
        parallel::for_each_block(out, n * inner, x.len(), |i, out| {
            vectorised(Matrix(&x[i * n * inner..(i + 1) * n * inner], inner, from_end, out));
        });
    }
}

/// For each row of `n`, each element's factor·Π of the *other* elements: what comes before it times what
/// comes after it, so that a zero divides nothing.
#[inline(never)]
pub fn products_of_others<T: Number>(x: &[T], n: usize, factors: &[T], out: &mut [T]) {
    assert!(x.len() == out.len() && x.len() == factors.len() * n);
    if out.is_empty() {
        return;
    }
    parallel::for_each_rows(out, n, |first, out| {
        let x = &x[first * n..];
        for ((x, out), &factor) in x.chunks_exact(n).zip(out.chunks_exact_mut(n)).zip(&factors[first..]) {
            let mut before = factor;
            for (out, &x) in out.iter_mut().zip(x) {
                *out = before;
                before = before * x;
            }
            let mut after = T::ONE;
            for (out, &x) in out.iter_mut().zip(x).rev() {
                *out = *out * after;
                after = after * x;
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::is_tested_here;

    #[test]
    fn running_sums_agree_with_the_definition() {
        let cases = [(1, 1, 1), (2, 5, 1), (3, 4, 5), (0, 2, 2), (2, 0, 3), (30, 5, 4), (300, 20, 30), (1, 70_000, 1)];
        for (outer, n, inner) in cases.into_iter().filter(|(outer, n, inner)| is_tested_here(outer * n * inner)) {
            let x: Vec<i64> = (0..outer * n * inner).map(|i| (i * 7919 % 1013) as i64).collect();
            for from_end in [false, true] {
                let mut out = vec![-1; x.len()];
                running_sums(&x, n, inner, from_end, &mut out);
                // Each differs from its neighbour by an element; the first is one.
                for (flat, &sum) in out.iter().enumerate() {
                    let i = flat / inner % n;
                    let before = match from_end {
                        true if i + 1 < n => out[flat + inner],
                        false if i > 0 => out[flat - inner],
                        _ => 0,
                    };
                    assert_eq!(sum - before, x[flat], "{outer}, {n}, {inner}, {from_end}");
                }
            }
        }
    }

    #[test]
    fn products_of_others_agree_with_the_definition() {
        let x = [2, 3, 5, 7, 0, 3, 0, 2, 2, 0, 3, 4];
        let mut out = [0; 12];
        products_of_others(&x, 4, &[1, 10, -1], &mut out);
        assert_eq!(out, [105, 70, 42, 30, 0, 0, 0, 0, 0, -24, 0, 0]);
    }
}
