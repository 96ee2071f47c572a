//! The two loops that all of word2vec's time goes into: products of one vector with several rows of a table, and sums
//! of rows, each times a factor.
//!
//! Rows are read where they are. Whatever is added up stays in registers: a tile of six products at once, or 32
//! numbers of a sum. To be called inside of a [`Loop`](autograd::kernels::simd::Loop), whose instruction set they get.

use autograd::Float;

/// A row of a table, times a factor.
#[derive(Clone, Copy)]
pub struct Term<T> {
    pub factor: T,
    pub row: u32,
}

/// out\[i\] = x · table\[rows\[i\]\], for rows as long as `x`.
#[inline(always)]
pub fn dots<T: Float>(x: &[T], rows: &[u32], table: &[T], out: &mut [T]) {
    let mut at = 0;
    while at + 6 <= rows.len() {
        tile::<T, 6>(x, &rows[at..at + 6], table, &mut out[at..at + 6]);
        at += 6;
    }
    while at + 2 <= rows.len() {
        tile::<T, 2>(x, &rows[at..at + 2], table, &mut out[at..at + 2]);
        at += 2;
    }
    if at < rows.len() {
        tile::<T, 1>(x, &rows[at..], table, &mut out[at..]);
    }
}

/// Numbers that are worked on at once: a vector of `f32` with AVX2.
const LANES: usize = 8;

#[inline(always)]
fn tile<T: Float, const R: usize>(x: &[T], rows: &[u32], table: &[T], out: &mut [T]) {
    let width = x.len();
    let mut y = [&table[..0]; R];
    for r in 0..R {
        let start = rows[r] as usize * width;
        y[r] = &table[start..start + width];
    }
    let mut lanes = [[T::ZERO; LANES]; R];
    let whole = width / LANES * LANES;
    let mut at = 0;
    while at < whole {
        let x = &x[at..at + LANES];
        for r in 0..R {
            let y = &y[r][at..at + LANES];
            for l in 0..LANES {
                lanes[r][l] += x[l] * y[l];
            }
        }
        at += LANES;
    }
    for r in 0..R {
        let mut sum = T::ZERO;
        for i in whole..width {
            sum += x[i] * y[r][i];
        }
        let halves = lanes[r];
        let mut quarters = [T::ZERO; LANES / 2];
        for l in 0..LANES / 2 {
            quarters[l] = halves[l] + halves[l + LANES / 2];
        }
        out[r] = ((quarters[0] + quarters[2]) + (quarters[1] + quarters[3])) + sum;
    }
}

/// out = Σ factor·table\[row\], for rows as long as `out`.
#[inline(always)]
pub fn combine<T: Float>(terms: &[Term<T>], table: &[T], out: &mut [T]) {
    let width = out.len();
    let mut at = 0;
    while at + 32 <= width {
        block::<T, 32>(terms, table, at, out);
        at += 32;
    }
    while at + LANES <= width {
        block::<T, LANES>(terms, table, at, out);
        at += LANES;
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
        for width in [0, 1, 3, 4, 7, 8, 9, 31, 32, 45, 100] {
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
