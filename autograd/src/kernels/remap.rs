//! Copies in which each axis has an index map of its own: what flip, roll, repeat and pad are.
//!
//! ```text
//! out[i, j, …] = x[maps[0][i], maps[1][j], …]
//! ```

use super::parallel;

/// In a map: no element of x, but the fill value.
pub const FILL: usize = usize::MAX;

/// Copies row-major `x` of shape `shape` to row-major `out`, whose size along each axis is the length
/// of that axis's map.
#[inline(never)]
pub fn remap<T: Copy + Send + Sync>(x: &[T], shape: &[usize], maps: &[Vec<usize>], fill: T, out: &mut [T]) {
    assert_eq!(shape.len(), maps.len());
    assert_eq!(out.len(), maps.iter().map(Vec::len).product::<usize>());
    if out.is_empty() {
        return;
    }
    // The axes at the end that stay as they are move as one row.
    let stays =
        |&axis: &usize| maps[axis].len() == shape[axis] && maps[axis].iter().enumerate().all(|(i, &at)| i == at);
    let mut mapped = shape.len();
    while mapped > 0 && stays(&(mapped - 1)) {
        mapped -= 1;
    }
    let width: usize = shape[mapped..].iter().product();
    let Some((last, outer)) = maps[..mapped].split_last() else {
        return parallel::for_each_chunk(out, |start, out| out.copy_from_slice(&x[start..start + out.len()]));
    };
    let mut strides = vec![width; mapped];
    for axis in (1..mapped).rev() {
        strides[axis - 1] = strides[axis] * shape[axis];
    }
    parallel::for_each_rows(out, last.len() * width, |first, out| {
        for (row, out) in (first..).zip(out.chunks_exact_mut(last.len() * width)) {
            match start_of(row, outer, &strides) {
                None => out.fill(fill),
                Some(start) if width == 1 => {
                    for (y, &at) in out.iter_mut().zip(last) {
                        *y = if at == FILL { fill } else { x[start + at] };
                    }
                }
                Some(start) => {
                    for (y, &at) in out.chunks_exact_mut(width).zip(last) {
                        match at {
                            FILL => y.fill(fill),
                            at => y.copy_from_slice(&x[start + at * width..][..width]),
                        }
                    }
                }
            }
        }
    });
}

/// Where in x the row number `row` of the outer axes is found; `None` if nowhere.
fn start_of(mut row: usize, outer: &[Vec<usize>], strides: &[usize]) -> Option<usize> {
    let mut start = 0;
    for (map, stride) in outer.iter().zip(strides).rev() {
        match map[row % map.len()] {
            FILL => return None,
            at => start += at * stride,
        }
        row /= map.len();
    }
    Some(start)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::is_tested_here;

    #[test]
    fn copies_agree_with_the_definition() {
        let same = |n: usize| (0..n).collect::<Vec<_>>();
        let back = |n: usize| (0..n).rev().collect::<Vec<_>>();
        let cases: Vec<(Vec<usize>, Vec<Vec<usize>>)> = vec![
            (vec![], vec![]),
            (vec![4], vec![same(4)]),
            (vec![4], vec![vec![FILL, 3, 3, 0, FILL]]),
            (vec![3, 4], vec![back(3), same(4)]),
            (vec![3, 4], vec![same(3), back(4)]),
            (vec![2, 3, 4], vec![vec![1, FILL, 0], back(3), vec![0, 0, 1, FILL, 3]]),
            (vec![2, 3, 4], vec![vec![], back(3), same(4)]),
            (vec![20, 30], vec![back(20), same(30)]),
            (vec![700], vec![same(700)]),
            (vec![300, 400], vec![back(300), same(400)]),
            (vec![300, 400], vec![same(300), vec![7; 500]]),
            (vec![70_000], vec![same(70_000)]),
        ];
        for (shape, maps) in cases {
            if !is_tested_here(shape.iter().product()) {
                continue;
            }
            let x: Vec<i64> = (0..shape.iter().product::<usize>() as i64).collect();
            let mut out = vec![0; maps.iter().map(Vec::len).product()];
            remap(&x, &shape, &maps, -7, &mut out);
            let expected = |mut flat: usize| {
                let (mut at, mut stride) = (Some(0), 1);
                for (map, size) in maps.iter().zip(&shape).rev() {
                    let index = map[flat % map.len()];
                    at = if index == FILL { None } else { at.map(|at| at + index * stride) };
                    stride *= size;
                    flat /= map.len();
                }
                at.map_or(-7, |at| x[at])
            };
            assert!(out.iter().enumerate().all(|(i, &y)| y == expected(i)), "shape {shape:?}, maps {maps:?}");
        }
    }
}
