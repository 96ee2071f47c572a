//! Where the largest or the smallest element of each row of `n` stands: the first, if there are several,
//! and the first NaN, if there is one.

use super::element::Number;
use super::fold::Fold;
use super::lanes::{self, LANES};
use super::parallel;
use super::simd::{Loop, vectorised};

/// The position in each row of what it folds to by [`Max`](super::fold::Max) or [`Min`](super::fold::Min).
///
/// # Panics
/// If `n` is 0.
#[inline(never)]
pub fn positions<T: Number, F: Fold<T>>(extreme: F, x: &[T], n: usize, out: &mut [i64]) {
    struct Rows<'a, F, T>(F, &'a [T], usize, &'a mut [i64]);
    impl<T: Number, F: Fold<T>> Loop for Rows<'_, F, T> {
        type Out = ();
        #[inline(always)]
        fn run(self) {
            for (x, out) in self.1.chunks_exact(self.2).zip(self.3) {
                *out = position(x, lanes::fold(self.0, x)) as i64;
            }
        }
    }
    assert!(n > 0 && x.len() == out.len() * n);
    let rows = parallel::chunk_len(x.len()).div_ceil(n);
    parallel::for_each_block(out, rows, x.len(), |i, out| {
        let at = i * rows * n;
        vectorised(Rows(extreme, &x[at..at + out.len() * n], n, out));
    });
}

/// Where `wanted`, or if that is a NaN, the first NaN stands.
#[inline(always)]
fn position<T: Number>(x: &[T], wanted: T) -> usize {
    let is_wanted = |x: T| x == wanted || (wanted.is_nan() && x.is_nan());
    // Whole blocks first: they have no branch for each element.
    let mut at = 0;
    for block in x.as_chunks::<LANES>().0 {
        let mut found = false;
        for &x in block {
            found |= is_wanted(x);
        }
        if found {
            break;
        }
        at += LANES;
    }
    at + x[at..].iter().position(|&x| is_wanted(x)).expect("an element of the row")
}

#[cfg(test)]
mod tests {
    use super::super::fold::{Max, Min};
    use super::*;

    #[test]
    fn the_first_of_several_and_the_first_nan() {
        for n in [1, 2, 15, 16, 17, 33, 100] {
            for at in [0, n / 2, n - 1] {
                let mut x = vec![3.0_f32; 2 * n];
                x[at..n].fill(5.0);
                x[n + at] = f32::NAN;
                x[2 * n - 1] = f32::NAN;
                let mut out = [-1; 2];
                positions(Max, &x, n, &mut out);
                assert_eq!(out, [at as i64; 2], "{n}");
                positions(Min, &x, n, &mut out);
                assert_eq!(out, [0, at as i64], "{n}");
            }
        }
    }
}
