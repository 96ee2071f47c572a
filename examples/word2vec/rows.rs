//! The two loops that all of word2vec's time goes into: products of one vector with several rows of a table, and sums
//! of rows, each times a factor.
//!
//! Rows are read where they are. Whatever is added up stays in registers: up to 96 numbers of a sum, which is twelve of
//! AVX2's sixteen registers, and nearly all of a vector of 100. To be called inside of a
//! [`Loop`](autograd::kernels::simd::Loop), whose instruction set they get.

use autograd::Float;
use autograd::kernels::lanes::sum_of_two;

/// A row of a table, times a factor.
#[derive(Clone, Copy)]
pub struct Term<T> {
    pub factor: T,
    pub row: u32,
}

/// out\[i\] = x · table\[rows\[i\]\], for rows as long as `x`.
#[inline(always)]
pub fn dots<T: Float>(x: &[T], rows: &[u32], table: &[T], out: &mut [T]) {
    let width = x.len();
    for (out, &row) in out.iter_mut().zip(rows) {
        let start = row as usize * width;
        *out = sum_of_two(x, &table[start..start + width], |a, b| a * b);
    }
}

/// out = Σ factor·table\[row\], for rows as long as `out`.
#[inline(always)]
pub fn combine<T: Float>(terms: &[Term<T>], table: &[T], out: &mut [T]) {
    let width = out.len();
    let mut at = 0;
    while at + 96 <= width {
        block::<T, 96>(terms, table, at, out);
        at += 96;
    }
    while at + 32 <= width {
        block::<T, 32>(terms, table, at, out);
        at += 32;
    }
    while at + 8 <= width {
        block::<T, 8>(terms, table, at, out);
        at += 8;
    }
    if at + 4 <= width {
        block::<T, 4>(terms, table, at, out);
        at += 4;
    }
    while at < width {
        block::<T, 1>(terms, table, at, out);
        at += 1;
    }
}

/// [`combine`] for the columns from `at` to `at + N`.
#[inline(always)]
fn block<T: Float, const N: usize>(terms: &[Term<T>], table: &[T], at: usize, out: &mut [T]) {
    let width = out.len();
    let mut sum = [T::ZERO; N];
    for term in terms {
        let start = term.row as usize * width + at;
        let row = &table[start..start + N];
        for i in 0..N {
            sum[i] += term.factor * row[i];
        }
    }
    out[at..at + N].copy_from_slice(&sum);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Small whole numbers, so that sums are exact in any order.
    fn number(i: usize) -> f64 {
        (i * 7919 % 23) as f64 - 11.0
    }

    #[test]
    fn loops_agree_with_their_definitions_at_any_width_and_count() {
        for width in [0, 1, 3, 4, 7, 8, 9, 31, 32, 45, 96, 100, 237] {
            let table: Vec<f64> = (0..20 * width).map(number).collect();
            let row = |row: u32| &table[row as usize * width..(row as usize + 1) * width];
            for count in 0..15 {
                let rows: Vec<u32> = (0..count).map(|i| i * 7 % 20).collect();
                let x: Vec<f64> = (0..width).map(|i| number(i + 5)).collect();
                let mut products = vec![f64::NAN; rows.len()];
                dots(&x, &rows, &table, &mut products);
                for (&product, &i) in products.iter().zip(&rows) {
                    assert_eq!(product, x.iter().zip(row(i)).map(|(a, b)| a * b).sum::<f64>(), "{width} {count}");
                }
                let terms: Vec<_> = rows.iter().map(|&row| Term { factor: number(row as usize + 3), row }).collect();
                let mut sums = vec![f64::NAN; width];
                combine(&terms, &table, &mut sums);
                for (i, &sum) in sums.iter().enumerate() {
                    assert_eq!(sum, terms.iter().map(|term| term.factor * row(term.row)[i]).sum::<f64>(), "{width}");
                }
            }
        }
    }
}
