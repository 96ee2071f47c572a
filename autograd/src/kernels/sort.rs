//! The order of the elements of each row of `n`.

use super::element::Element;
use super::parallel;
use crate::memory::Buffer;
use std::cmp::Ordering;

/// From small to large, NaN behind everything, as PyTorch and NumPy sort. Both zeros are equal.
fn ascending<T: Element>(a: T, b: T) -> Ordering {
    let is_nan = |x: T| x.partial_cmp(&x).is_none();
    a.partial_cmp(&b).unwrap_or_else(|| is_nan(a).cmp(&is_nan(b)))
}

/// Writes, for each row of `n`, the positions of the first `k` elements in ascending (or descending)
/// order; equal ones stay in the order they have.
#[inline(never)]
pub fn positions<T: Element>(x: &[T], n: usize, k: usize, descending: bool, out: &mut [i64]) {
    if out.is_empty() {
        return;
    }
    assert!(k <= n && x.len() / n == out.len() / k);
    let rows = parallel::chunk_len(x.len()).div_ceil(n);
    parallel::for_each_block(out, rows * k, x.len(), |i, out| {
        let x = &x[i * rows * n..];
        let mut all = Buffer::recycled(if k < n { n } else { 0 });
        for (x, out) in x.chunks_exact(n).zip(out.chunks_exact_mut(k)) {
            let order = |&i: &i64, &j: &i64| {
                let (a, b) = (x[i as usize], x[j as usize]);
                (if descending { ascending(b, a) } else { ascending(a, b) }).then(i.cmp(&j))
            };
            if k < n {
                number(&mut all);
                all.select_nth_unstable_by(k - 1, order);
                out.copy_from_slice(&all[..k]);
            } else {
                number(out);
            }
            out.sort_unstable_by(order);
        }
    });
}

/// 0, 1, 2, …
fn number(positions: &mut [i64]) {
    for (i, position) in positions.iter_mut().enumerate() {
        *position = i as i64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_k_are_the_beginning_of_the_whole_order() {
        let n = 200;
        let x: Vec<f32> =
            (0..3 * n).map(|i| if i % 31 == 0 { f32::NAN } else { (i * 7919 % 41) as f32 - 20.0 }).collect();
        for descending in [false, true] {
            let mut whole = vec![-1; 3 * n];
            positions(&x, n, n, descending, &mut whole);
            for (x, order) in x.chunks(n).zip(whole.chunks(n)) {
                for pair in order.windows(2) {
                    let (a, b) = (x[pair[0] as usize], x[pair[1] as usize]);
                    let in_order = if descending { a.is_nan() || a >= b } else { b.is_nan() || a <= b };
                    let stable = a != b && !(a.is_nan() && b.is_nan()) || pair[0] < pair[1];
                    assert!(in_order && stable, "{a} at {} before {b} at {}", pair[0], pair[1]);
                }
            }
            for k in [0, 1, 7, 199] {
                let mut some = vec![-1; 3 * k];
                positions(&x, n, k, descending, &mut some);
                assert!((0..3).all(|row| some[row * k..][..k] == whole[row * n..][..k]), "{k}");
            }
        }
    }
}
