//! Images of another size: each element of the output is a weighted sum of some of the input's, and the weights are
//! products of one for the row and one for the column.
//!
//! ```text
//! y[i, j] = Σₕ Σ_w R[i, h]·C[j, w]·x[h, w]
//! ```
//!
//! R and C are matrices with few entries. Averages over windows are of this kind, and enlargements; and the adjoint
//! of one of them, with both matrices transposed, is another.

use super::element::Float;
use super::parallel;
use super::simd::{Loop, vectorised};

/// Which inputs each output is made of, and how much of each: a matrix of few entries, row by row.
#[derive(Clone, Debug, PartialEq)]
pub struct Taps<T> {
    inputs: usize,
    /// Where the entries of each row start, and where the last ones end.
    starts: Vec<usize>,
    /// Index of the input, and weight.
    entries: Vec<(usize, T)>,
}

impl<T: Float> Taps<T> {
    /// From the entries of each output in turn.
    pub fn new<R: IntoIterator<Item = (usize, T)>>(inputs: usize, rows: impl Iterator<Item = R>) -> Taps<T> {
        let mut taps = Taps { inputs, starts: vec![0], entries: Vec::new() };
        for row in rows {
            taps.entries.extend(row);
            taps.starts.push(taps.entries.len());
        }
        assert!(taps.entries.iter().all(|&(input, _)| input < inputs));
        taps
    }

    /// How many inputs there are.
    pub fn inputs(&self) -> usize {
        self.inputs
    }

    /// How many outputs there are.
    pub fn outputs(&self) -> usize {
        self.starts.len() - 1
    }

    /// The entries of an output.
    #[inline(always)]
    fn of(&self, output: usize) -> &[(usize, T)] {
        &self.entries[self.starts[output]..self.starts[output + 1]]
    }

    /// From outputs back to inputs.
    pub fn transposed(&self) -> Taps<T> {
        let mut rows = vec![Vec::new(); self.inputs];
        for output in 0..self.outputs() {
            for &(input, weight) in self.of(output) {
                rows[input].push((output, weight));
            }
        }
        Taps::new(self.outputs(), rows.into_iter())
    }
}

/// y from x, plane by plane.
#[inline(never)]
pub fn resample<T: Float>(x: &[T], rows: &Taps<T>, columns: &Taps<T>, y: &mut [T]) {
    let [plane, out] = [rows.inputs() * columns.inputs(), rows.outputs() * columns.outputs()];
    assert!(x.len() * out == y.len() * plane);
    if y.is_empty() {
        return;
    }
    if plane == 0 {
        return y.fill(T::ZERO);
    }
    let larger = x.len().max(y.len());
    let planes = (parallel::chunk_len(larger) / plane.max(out)).max(1);
    parallel::for_each_block(y, planes * out, larger, |i, y| {
        let first = i * planes;
        let x = &x[first * plane..(first + y.len() / out) * plane];
        let mut row = vec![T::ZERO; columns.inputs()];
        vectorised(Planes { x, rows, columns, row: &mut row, y });
    });
}

struct Planes<'a, T> {
    x: &'a [T],
    rows: &'a Taps<T>,
    columns: &'a Taps<T>,
    /// A weighted sum of rows of x.
    row: &'a mut [T],
    y: &'a mut [T],
}

impl<T: Float> Loop for Planes<'_, T> {
    type Out = ();
    #[inline(always)]
    fn run(self) {
        let Planes { x, rows, columns, row, y } = self;
        let (width, out) = (columns.inputs(), columns.outputs());
        let (plane_of_x, plane_of_y) = (rows.inputs() * width, rows.outputs() * out);
        for (x, y) in x.chunks_exact(plane_of_x).zip(y.chunks_exact_mut(plane_of_y)) {
            for output in 0..rows.outputs() {
                let taps = rows.of(output);
                if output > 0 && taps == rows.of(output - 1) {
                    // The same as the row before, as in enlarging to the nearest.
                    y.copy_within((output - 1) * out..output * out, output * out);
                    continue;
                }
                row.fill(T::ZERO);
                for (i, &(from, weight)) in taps.iter().enumerate() {
                    let x = &x[from * width..(from + 1) * width];
                    if i == 0 {
                        for (sum, &x) in row.iter_mut().zip(x) {
                            *sum = x * weight;
                        }
                    } else {
                        for (sum, &x) in row.iter_mut().zip(x) {
                            *sum += x * weight;
                        }
                    }
                }
                for (column, y) in y[output * out..(output + 1) * out].iter_mut().enumerate() {
                    let mut taps = columns.of(column).iter();
                    // Not from 0, which would make a zero of a negative one.
                    let Some(&(from, weight)) = taps.next() else {
                        *y = T::ZERO;
                        continue;
                    };
                    let mut sum = row[from] * weight;
                    for &(from, weight) in taps {
                        sum += row[from] * weight;
                    }
                    *y = sum;
                }
            }
        }
    }
}
