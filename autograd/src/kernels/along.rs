//! Elements picked along an axis by a tensor of indices, one index for each element: what `gather`
//! reads and `scatter` writes.
//!
//! An index tensor of shape `[a, b, c]` along axis 1 leads its element `[i, j, k]` to element
//! `[i, index[i, j, k], k]` of another tensor. So that tensor is walked with its own strides but for
//! the axis, whose stride is 0 in the walk and is multiplied by the index instead.

use super::elementwise::{Binary, Operand};
use super::parallel;
use super::strided::{merged, offsets};

/// An index that leads nowhere: reads as the type's default, and writes nothing.
pub const NOWHERE: i64 = -1;

/// Where the indices lead.
#[derive(Clone, Copy)]
pub struct Along<'a> {
    /// The indices, row-major; [`NOWHERE`], or in range.
    pub index: &'a [i64],
    /// Their shape, of at least one axis.
    pub shape: &'a [usize],
    /// Which axis they are along.
    pub axis: usize,
    /// The strides of the tensor that they lead into, as many as `shape` has sizes.
    pub strides: &'a [usize],
}

impl Along<'_> {
    /// The strides of the walk.
    fn walk(&self) -> Vec<usize> {
        let mut walk = self.strides.to_vec();
        walk[self.axis] = 0;
        walk
    }
}

/// `out[i, j, k] = x[i, index[i, j, k], k]`, for `axis` 1 of three.
#[inline(never)]
pub fn gather<T: Copy + Default + Send + Sync>(along: Along<'_>, x: &[T], out: &mut [T]) {
    let Along { index, shape, axis, strides } = along;
    assert_eq!(index.len(), out.len());
    if out.is_empty() {
        return;
    }
    let (walk, step) = (along.walk(), strides[axis]);
    let runs = merged(shape, [&walk]);
    let (size, stride, outer) = match runs.split_last() {
        Some((inner, outer)) => (inner.size, inner.strides[0], outer),
        None => (1, 0, &[][..]),
    };
    parallel::for_each_rows(out, size, |first, out| {
        let count = out.len() / size;
        let rows = out.chunks_exact_mut(size).zip(index[first * size..].chunks_exact(size));
        for ((row, indices), [at]) in rows.zip(offsets(outer, first..first + count)) {
            for (i, (y, &index)) in row.iter_mut().zip(indices).enumerate() {
                *y = if index == NOWHERE { T::default() } else { x[at + i * stride + index as usize * step] };
            }
        }
    });
}

/// `y[i, index[i, j, k], k] = f(that, x[i, j, k])`, for `axis` 1 of three, in row-major order of the
/// indices. `y` is row-major; `x` has a stride for each axis of the indices.
#[inline(never)]
pub fn scatter<T: Copy + Send + Sync, F: Binary<T>>(f: F, along: Along<'_>, x: Operand<'_, T>, y: &mut [T]) {
    let Along { index, shape, axis, strides } = along;
    if index.is_empty() {
        return;
    }
    if axis == 0 {
        return scatter_part(f, along, x, y);
    }
    // Each index of the first axis has a part of `y` to itself.
    let inner = index.len() / shape[0];
    let rows = parallel::chunk_len(index.len()).div_ceil(inner);
    parallel::for_each_block(y, rows * strides[0], index.len(), |i, y| {
        let first = (i * rows).min(shape[0]);
        let last = (first + rows).min(shape[0]);
        if first < last {
            let mut part = shape.to_vec();
            part[0] = last - first;
            let along = Along { index: &index[first * inner..last * inner], shape: &part, ..along };
            scatter_part(f, along, Operand { data: &x.data[first * x.strides[0]..], ..x }, y);
        }
    });
}

fn scatter_part<T: Copy, F: Binary<T>>(f: F, along: Along<'_>, x: Operand<'_, T>, y: &mut [T]) {
    let (walk, step) = (along.walk(), along.strides[along.axis]);
    let runs = merged(along.shape, [&walk, x.strides]);
    let (size, strides, outer) = match runs.split_last() {
        Some((inner, outer)) => (inner.size, inner.strides, outer),
        None => (1, [0, 0], &[][..]),
    };
    let rows = along.index.chunks_exact(size);
    let count = rows.len();
    for (row, [at_y, at_x]) in rows.zip(offsets(outer, 0..count)) {
        for (i, &index) in row.iter().enumerate() {
            if index != NOWHERE {
                let at = at_y + i * strides[0] + index as usize * step;
                y[at] = f.eval(y[at], x.data[at_x + i * strides[1]]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::is_tested_here;

    #[derive(Clone, Copy)]
    struct Horner;
    impl Binary<i64> for Horner {
        /// Depends on the order of the operands.
        fn eval(self, a: i64, b: i64) -> i64 {
            a.wrapping_mul(3).wrapping_add(b)
        }
    }

    /// Every position of `shape` in row-major order.
    fn positions(shape: &[usize]) -> impl Iterator<Item = Vec<usize>> {
        let (count, shape) = (shape.iter().product::<usize>(), shape.to_vec());
        (0..count).map(move |mut flat| {
            let mut position = vec![0; shape.len()];
            for (i, &size) in position.iter_mut().zip(&shape).rev() {
                *i = flat % size;
                flat /= size;
            }
            position
        })
    }

    fn offset(position: &[usize], strides: &[usize]) -> usize {
        position.iter().zip(strides).map(|(i, stride)| i * stride).sum()
    }

    fn row_major(shape: &[usize]) -> Vec<usize> {
        (0..shape.len()).map(|axis| shape[axis + 1..].iter().product()).collect()
    }

    #[test]
    fn both_agree_with_their_definitions() {
        // The shape of the indices, that of the other tensor, and the axis.
        let cases: &[(&[usize], &[usize], usize)] = &[
            (&[3], &[5], 0),
            (&[1], &[1], 0),
            (&[0], &[4], 0),
            (&[4, 3], &[2, 3], 0),
            (&[4, 3], &[4, 7], 1),
            (&[2, 3], &[5, 4], 0),
            (&[2, 3, 4], &[2, 6, 4], 1),
            (&[2, 3, 4], &[3, 6, 5], 1),
            (&[2, 1, 4], &[2, 1, 9], 2),
            (&[30, 10], &[31, 9], 1),
            (&[11, 30], &[7, 30], 0),
            (&[300, 400], &[301, 50], 1),
            (&[400, 300], &[70, 300], 0),
        ];
        for &(shape, of, axis) in cases {
            let count: usize = shape.iter().product();
            if !is_tested_here(count) {
                continue;
            }
            let index: Vec<i64> =
                (0..count).map(|i| if i % 7 == 3 { NOWHERE } else { (i * 7919 % 1013 % of[axis]) as i64 }).collect();
            let strides = row_major(of);
            let along = Along { index: &index, shape, axis, strides: &strides };
            let at = |position: &[usize], index: i64| {
                let mut there = position.to_vec();
                there[axis] = index as usize;
                offset(&there, &strides)
            };
            let big: Vec<i64> = (0..of.iter().product::<usize>() as i64).collect();
            let mut out = vec![0; count];
            gather(along, &big, &mut out);
            let read = |(p, &i): (Vec<usize>, &i64)| if i == NOWHERE { 0 } else { big[at(&p, i)] };
            let expected: Vec<i64> = positions(shape).zip(&index).map(read).collect();
            assert!(out == expected, "gather of {shape:?} along axis {axis} of {of:?}");

            // The small tensor stored with its axes the other way round.
            let small: Vec<i64> = (0..count as i64).map(|i| i * i % 89).collect();
            let mut reversed = row_major(&shape.iter().rev().copied().collect::<Vec<_>>());
            reversed.reverse();
            for small_strides in [row_major(shape), reversed] {
                let (mut y, mut expected) = (big.clone(), big.clone());
                scatter(Horner, along, Operand { data: &small, strides: &small_strides }, &mut y);
                for (position, &index) in positions(shape).zip(&index) {
                    if index != NOWHERE {
                        let sum = &mut expected[at(&position, index)];
                        *sum = Horner.eval(*sum, small[offset(&position, &small_strides)]);
                    }
                }
                assert!(y == expected, "scatter of {shape:?} along axis {axis} of {of:?}");
            }
        }
    }
}
