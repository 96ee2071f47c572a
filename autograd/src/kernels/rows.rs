//! Rows of a table, picked by index: copied out, and added back in.
//!
//! The table is row-major `[outer, n, width]`. Rows are picked along the middle axis by one list of
//! `k` indices, so what is picked is `[outer, k, width]`. An embedding is the case `outer = 1`.
//!
//! Adding back is where threads could meet, since an index may occur many times. A table that is small
//! beside the rows to add is therefore summed in several copies, one for each block of rows, which are
//! added up at the end. Adding to a larger one stays one thread's work: it waits for memory, and to sort
//! the rows by where they go, or to give each thread some columns, was measured to lose more by leaving
//! the order of memory than a second thread brings.

use super::element::Element;
use super::elementwise::Binary;
use super::parallel;
use super::simd::{Loop, prefetch, vectorised};
use crate::memory::Buffer;

/// Which rows of a table.
#[derive(Clone, Copy)]
pub struct Rows<'a> {
    /// The row numbers, each below `n`.
    pub indices: &'a [i64],
    /// How many rows the table has.
    pub n: usize,
    /// How many elements a row has.
    pub width: usize,
    /// A row that counts as zeros when it is copied out, and that nothing is added to.
    pub skip: Option<i64>,
}

/// The first index that is not below `n`, with its position.
pub fn first_outside(indices: &[i64], n: usize) -> Option<(usize, i64)> {
    struct Any<'a>(&'a [i64], u64);
    impl Loop for Any<'_> {
        type Out = bool;
        #[inline(always)]
        fn run(self) -> bool {
            // Every index, without leaving early, so that several are compared at once. As unsigned
            // numbers, negative ones are large.
            let mut found = false;
            for &index in self.0 {
                found |= index as u64 >= self.1;
            }
            found
        }
    }
    if !vectorised(Any(indices, n as u64)) {
        return None;
    }
    indices.iter().copied().enumerate().find(|&(_, index)| index as u64 >= n as u64)
}

/// `out[o, i] = table[o, indices[i]]`
#[inline(never)]
pub fn take<T: Element>(rows: Rows<'_>, table: &[T], out: &mut [T]) {
    /// The least work of a row, in elements: it is elsewhere in memory than the one before. (Rows of one element are a
    /// loop without calls, and wait for memory side by side.)
    const ROW: usize = 8;
    if out.is_empty() {
        return;
    }
    let work = if rows.width == 1 { 1 } else { rows.width.max(ROW) };
    parallel::for_each_rows_of(work, out, rows.width, |first, out| vectorised(Take { rows, table, first, out }));
}

/// `table[o, indices[i]] += values[o, i]`, in the order of `i` (but for the rounding of large sums, see
/// above).
#[inline(never)]
pub fn add<T: Element>(rows: Rows<'_>, values: &[T], table: &mut [T]) {
    let Rows { indices, n, width, .. } = rows;
    if values.is_empty() {
        return;
    }
    if table.len() > n * width {
        // Several tables: each is one thread's.
        let len = indices.len() * width;
        return parallel::for_each_block(table, n * width, values.len(), |outer, table| {
            vectorised(Add { rows, values: &values[outer * len..(outer + 1) * len], table });
        });
    }
    let copies = if values.len() < parallel::ELEMENTS { 1 } else { (values.len() / (8 * table.len())).min(COPIES) };
    if copies > 1 {
        add_in_copies(rows, values, table, copies);
    } else {
        vectorised(Add { rows, values, table });
    }
}

/// How many copies of a table are made at most: a few for each core of any machine we know.
const COPIES: usize = 32;

/// [`add`] into that many copies of the table, each from a block of the rows.
fn add_in_copies<T: Element>(rows: Rows<'_>, values: &[T], table: &mut [T], copies: usize) {
    let (len, width, block) = (table.len(), rows.width, rows.indices.len().div_ceil(copies));
    let mut copies = Buffer::recycled(rows.indices.len().div_ceil(block) * len);
    parallel::for_each_block(&mut copies, len, values.len(), |i, copy| {
        copy.fill(T::default());
        let range = i * block..((i + 1) * block).min(rows.indices.len());
        let values = &values[range.start * width..range.end * width];
        vectorised(Add { rows: Rows { indices: &rows.indices[range], ..rows }, values, table: copy });
    });
    for copy in copies.chunks_exact(len) {
        vectorised(PutRow(Plus, table, copy));
    }
}

/// How many rows ahead of the one that is copied the beginning of another is fetched: a row of a large table comes
/// from memory, which takes longer than to copy it. To pick a batch of 16,384 contexts of three letters took half the
/// time on one thread (`index_select` in `RAYON_NUM_THREADS=1 cargo run --example makemore -- direct --data names.txt
/// --batch 16384 --profile`, Zen 4).
const AHEAD: usize = 16;

struct Take<'a, T> {
    rows: Rows<'a>,
    table: &'a [T],
    /// The number of the first row of `out`.
    first: usize,
    out: &'a mut [T],
}

impl<T: Element> Loop for Take<'_, T> {
    type Out = ();
    #[inline(always)]
    fn run(self) {
        let Take { rows: Rows { indices, n, width, skip }, table, first, out } = self;
        let (mut start, mut i) = (first / indices.len() * n * width, first % indices.len());
        if width == 1 {
            let mut out = out;
            while !out.is_empty() {
                // To the end of this table.
                let (here, next) = out.split_at_mut(out.len().min(indices.len() - i));
                for (y, &index) in here.iter_mut().zip(&indices[i..]) {
                    *y = if Some(index) == skip { T::default() } else { table[start + index as usize] };
                }
                (out, start, i) = (next, start + n, 0);
            }
            return;
        }
        for row in out.chunks_exact_mut(width) {
            if i == indices.len() {
                (start, i) = (start + n * width, 0);
            }
            if let Some(&index) = indices.get(i + AHEAD) {
                prefetch(table.as_ptr().wrapping_add(start.wrapping_add((index as usize).wrapping_mul(width))));
            }
            if Some(indices[i]) == skip {
                row.fill(T::default());
            } else {
                let at = start + indices[i] as usize * width;
                PutRow(Put, row, &table[at..at + width]).run();
            }
            i += 1;
        }
    }
}

struct Add<'a, T> {
    rows: Rows<'a>,
    values: &'a [T],
    table: &'a mut [T],
}

impl<T: Element> Loop for Add<'_, T> {
    type Out = ();
    #[inline(always)]
    fn run(self) {
        let Add { rows: Rows { indices, width, skip, .. }, values, table } = self;
        if width == 1 {
            for (&index, &x) in indices.iter().zip(values) {
                if Some(index) != skip {
                    table[index as usize] = table[index as usize].plus(x);
                }
            }
            return;
        }
        for (&index, row) in indices.iter().zip(values.chunks_exact(width)) {
            if Some(index) != skip {
                let at = index as usize * width;
                PutRow(Plus, &mut table[at..at + width], row).run();
            }
        }
    }
}

/// A new element goes in place of what is there.
#[derive(Clone, Copy)]
pub struct Put;
impl<T: Element> Binary<T> for Put {
    #[inline(always)]
    fn eval(self, _: T, new: T) -> T {
        new
    }
}

/// A new element is added to what is there.
#[derive(Clone, Copy)]
pub struct Plus;
impl<T: Element> Binary<T> for Plus {
    #[inline(always)]
    fn eval(self, there: T, new: T) -> T {
        there.plus(new)
    }
}

/// A row that goes to another, of the same length.
struct PutRow<'a, T, F>(F, &'a mut [T], &'a [T]);

impl<T: Element, F: Binary<T>> Loop for PutRow<'_, T, F> {
    type Out = ();
    #[inline(always)]
    fn run(self) {
        let PutRow(how, to, from) = self;
        // Rows of embeddings are short. In groups of one vector register, and then of a quarter, little is
        // left for single elements, which the compiler's own unrolling would leave most of a row to.
        let (to, to_rest) = to.as_chunks_mut::<16>();
        let (from, from_rest) = from.as_chunks::<16>();
        for (to, from) in to.iter_mut().zip(from) {
            put_group(how, to, from);
        }
        let (to, to_rest) = to_rest.as_chunks_mut::<4>();
        let (from, from_rest) = from_rest.as_chunks::<4>();
        for (to, from) in to.iter_mut().zip(from) {
            put_group(how, to, from);
        }
        for (to, &from) in to_rest.iter_mut().zip(from_rest) {
            *to = how.eval(*to, from);
        }
    }
}

/// All of it is read before anything is written: then it is one operation on registers.
#[inline(always)]
fn put_group<T: Copy, F: Binary<T>, const N: usize>(how: F, to: &mut [T; N], from: &[T; N]) {
    let (mut result, new) = (*to, *from);
    for i in 0..N {
        result[i] = how.eval(result[i], new[i]);
    }
    *to = result;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::is_tested_here;

    /// Indices that repeat, skip some rows, and favour small ones.
    fn indices(k: usize, n: usize) -> Vec<i64> {
        (0..k).map(|i| ((i * 7919 % 1013) * (i % 5 + 1) % n) as i64).collect()
    }

    /// One way of every kind: sequential, several tables, copies.
    const CASES: [(usize, usize, usize, usize); 14] = [
        (1, 5, 7, 3),
        (1, 1, 3, 1),
        (1, 9, 0, 4),
        (1, 9, 4, 0),
        (3, 4, 6, 5),
        (4, 3, 20, 10),
        (1, 5, 400, 3),
        (40, 30, 50, 60),
        (1, 27, 5000, 50),
        (1, 50, 20_000, 3),
        (3, 50, 7_001, 3),
        (1, 4000, 3000, 40),
        (1, 170, 14_000, 50),
        (1, 100_000, 80_000, 1),
    ];

    fn cases() -> impl Iterator<Item = (usize, usize, usize, usize)> {
        CASES.into_iter().filter(|&(outer, n, k, width)| is_tested_here(outer * n.max(k) * width))
    }

    #[test]
    fn take_agrees_with_its_definition() {
        for (outer, n, k, width) in cases() {
            let table: Vec<i64> = (0..(outer * n * width) as i64).collect();
            let indices = indices(k, n);
            for skip in [None, Some(1)] {
                let mut out = vec![-1; outer * k * width];
                take(Rows { indices: &indices, n, width, skip }, &table, &mut out);
                for (at, &x) in out.iter().enumerate() {
                    let (o, i, j) = (at / (k * width), at / width % k, at % width);
                    let expected = table[(o * n + indices[i] as usize) * width + j];
                    assert_eq!(x, if Some(indices[i]) == skip { 0 } else { expected });
                }
            }
        }
    }

    #[test]
    fn add_agrees_with_its_definition() {
        for (outer, n, k, width) in cases() {
            // Integers, so that the order of addition does not matter.
            let values: Vec<i64> = (0..outer * k * width).map(|i| (i * 31 % 97) as i64).collect();
            let indices = indices(k, n);
            for skip in [None, Some(1)] {
                let mut table: Vec<i64> = (0..(outer * n * width) as i64).collect();
                let mut expected = table.clone();
                for (at, &x) in values.iter().enumerate() {
                    let (o, i, j) = (at / (k * width), at / width % k, at % width);
                    if Some(indices[i]) != skip {
                        expected[(o * n + indices[i] as usize) * width + j] += x;
                    }
                }
                add(Rows { indices: &indices, n, width, skip }, &values, &mut table);
                assert!(table == expected, "outer {outer}, n {n}, k {k}, width {width}, skip {skip:?}");
            }
        }
    }

    #[test]
    fn sums_are_the_same_bits_at_any_number_of_threads() {
        for (outer, n, k, width) in cases() {
            let values: Vec<f32> = (0..outer * k * width).map(|i| (i as f32).sin()).collect();
            let indices = indices(k, n);
            let sums = |threads| {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
                let mut table = vec![0.0_f32; outer * n * width];
                pool.install(|| add(Rows { indices: &indices, n, width, skip: None }, &values, &mut table));
                table.iter().map(|x| x.to_bits()).collect::<Vec<_>>()
            };
            let one = sums(1);
            assert!(one == sums(2) && one == sums(5), "outer {outer}, n {n}, k {k}, width {width}");
        }
    }

    #[test]
    fn an_index_outside_is_found() {
        assert_eq!(first_outside(&[0, 4, 2], 5), None);
        assert_eq!(first_outside(&[0, 5, 9], 5), Some((1, 5)));
        assert_eq!(first_outside(&[0, 1, 2, -1], 5), Some((3, -1)));
        assert_eq!(first_outside(&[], 0), None);
    }
}
