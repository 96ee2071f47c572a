//! Rows of a table, picked by index: copied out, and added back in.
//!
//! The table is row-major `[outer, n, width]`. Rows are picked along the middle axis by one list of
//! `k` indices, so what is picked is `[outer, k, width]`. An embedding is the case `outer = 1`.
//!
//! Adding back is where threads could meet, since an index may occur many times. There are two ways
//! around that, chosen by the sizes alone. A table that is small beside the rows to add is summed
//! in several copies, one for each block of rows, which are added up at the end. For a larger one the
//! rows are first sorted by where they go; then each thread owns a part of the table.

use super::element::Element;
use super::parallel;
use super::simd::{Loop, vectorised};
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
            self.0.iter().fold(false, |found, &index| found | (index as u64 >= self.1))
        }
    }
    if !vectorised(Any(indices, n as u64)) {
        return None;
    }
    indices.iter().copied().enumerate().find(|&(_, index)| index as u64 >= n as u64)
}

/// `out[o, i] = table[o, indices[i]]`
pub fn take<T: Element>(rows: Rows<'_>, table: &[T], out: &mut [T]) {
    let Rows { indices, n, width, skip } = rows;
    if out.is_empty() {
        return;
    }
    parallel::for_each_rows(out, width, |first, out| {
        let (mut start, mut i) = (first / indices.len() * n * width, first % indices.len());
        for row in out.chunks_exact_mut(width) {
            if i == indices.len() {
                (start, i) = (start + n * width, 0);
            }
            if Some(indices[i]) == skip {
                row.fill(T::default());
            } else {
                let at = start + indices[i] as usize * width;
                row.copy_from_slice(&table[at..at + width]);
            }
            i += 1;
        }
    });
}

/// `table[o, indices[i]] += values[o, i]`, in the order of `i` (but for the rounding of large sums, see
/// above).
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
    // Rows that one block of work takes.
    let block = parallel::chunk_len(values.len()).div_ceil(width);
    let blocks = indices.len().div_ceil(block);
    if blocks == 1 {
        vectorised(Add { rows, values, table });
    } else if blocks * table.len() <= values.len() {
        add_in_copies(rows, values, table, block);
    } else {
        add_sorted(rows, values, table);
    }
}

/// [`add`] into one copy of the table for each block of rows.
fn add_in_copies<T: Element>(rows: Rows<'_>, values: &[T], table: &mut [T], block: usize) {
    let (len, width) = (table.len(), rows.width);
    let mut copies = Buffer::filled(rows.indices.len().div_ceil(block) * len, T::default());
    parallel::for_each_block(&mut copies, len, values.len(), |i, table| {
        let range = i * block..((i + 1) * block).min(rows.indices.len());
        let values = &values[range.start * width..range.end * width];
        vectorised(Add { rows: Rows { indices: &rows.indices[range], ..rows }, values, table });
    });
    for copy in copies.chunks_exact(len) {
        vectorised(AddRow { sum: table, row: copy });
    }
}

/// [`add`] with the rows sorted by where they go, each thread owning a part of the table.
fn add_sorted<T: Element>(rows: Rows<'_>, values: &[T], table: &mut [T]) {
    let Rows { indices, n, width, skip } = rows;
    // A counting sort: `starts[r]..starts[r + 1]` of `order` are the positions of index `r`, ascending.
    let mut starts = vec![0; n + 1];
    for &index in indices {
        starts[index as usize + 1] += 1;
    }
    for row in 0..n {
        starts[row + 1] += starts[row];
    }
    let (mut next, mut order) = (starts.clone(), vec![0; indices.len()]);
    for (position, &index) in indices.iter().enumerate() {
        order[next[index as usize]] = position;
        next[index as usize] += 1;
    }
    let block = parallel::chunk_len(table.len()).div_ceil(width);
    parallel::for_each_block(table, block * width, values.len(), |i, table| {
        vectorised(AddSorted { first: i * block, starts: &starts, order: &order, skip, width, values, table });
    });
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
                AddRow { sum: &mut table[at..at + width], row }.run();
            }
        }
    }
}

struct AddSorted<'a, T> {
    first: usize,
    starts: &'a [usize],
    order: &'a [usize],
    skip: Option<i64>,
    width: usize,
    values: &'a [T],
    table: &'a mut [T],
}

impl<T: Element> Loop for AddSorted<'_, T> {
    type Out = ();
    #[inline(always)]
    fn run(self) {
        let AddSorted { first, starts, order, skip, width, values, table } = self;
        for (row, sum) in (first..).zip(table.chunks_exact_mut(width)) {
            if Some(row as i64) == skip {
                continue;
            }
            for &position in &order[starts[row]..starts[row + 1]] {
                AddRow { sum, row: &values[position * width..(position + 1) * width] }.run();
            }
        }
    }
}

struct AddRow<'a, T> {
    sum: &'a mut [T],
    row: &'a [T],
}

impl<T: Element> Loop for AddRow<'_, T> {
    type Out = ();
    #[inline(always)]
    fn run(self) {
        // Rows of embeddings are short. In groups of one vector register, little is left over for the
        // slow loop at the end, which the compiler's own unrolling would leave most of the row to.
        const GROUP: usize = 16;
        let (sums, sum_rest) = self.sum.as_chunks_mut::<GROUP>();
        let (xs, x_rest) = self.row.as_chunks::<GROUP>();
        for (sum, x) in sums.iter_mut().zip(xs) {
            for (sum, &x) in sum.iter_mut().zip(x) {
                *sum = sum.plus(x);
            }
        }
        for (sum, &x) in sum_rest.iter_mut().zip(x_rest) {
            *sum = sum.plus(x);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Indices that repeat, skip some rows, and favour small ones.
    fn indices(k: usize, n: usize) -> Vec<i64> {
        (0..k).map(|i| ((i * 7919 % 1013) * (i % 5 + 1) % n) as i64).collect()
    }

    /// One way of every kind: sequential, several tables, copies, sorted.
    const CASES: [(usize, usize, usize, usize); 9] = [
        (1, 5, 7, 3),
        (1, 1, 3, 1),
        (1, 9, 0, 4),
        (1, 9, 4, 0),
        (3, 4, 6, 5),
        (40, 30, 50, 60),
        (1, 27, 5000, 50),
        (1, 4000, 3000, 40),
        (1, 100_000, 80_000, 1),
    ];

    #[test]
    fn take_agrees_with_its_definition() {
        for (outer, n, k, width) in CASES {
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
        for (outer, n, k, width) in CASES {
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
        for (outer, n, k, width) in CASES {
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
