//! How callers name axes: `-1`, `[0, 2]`, or `..` for all of them.

use super::dims::Dims;
use std::ops::RangeFull;

/// One axis, several, or (`..`) all. Negative ones count from the end.
pub trait Axes {
    /// The axes as indices, in ascending order, each once.
    #[track_caller]
    fn resolve(&self, op: &str, rank: usize) -> Dims;
}

/// The index of `axis` in a tensor of `rank` axes. A scalar has none (PyTorch lets it be addressed as if it had one).
#[inline]
#[track_caller]
pub(crate) fn resolve_axis(op: &str, axis: isize, rank: usize) -> usize {
    let from_start = if axis < 0 { axis + rank as isize } else { axis };
    if from_start < 0 || from_start >= rank as isize {
        out_of_range(op, axis, rank);
    }
    from_start as usize
}

#[cold]
#[track_caller]
fn out_of_range(op: &str, axis: isize, rank: usize) -> ! {
    if rank == 0 {
        panic!("{op}: axis {axis} of a scalar, which has none")
    }
    panic!("{op}: axis {axis} of a tensor with {rank} axes; axes go from {} to {}", -(rank as isize), rank - 1)
}

#[track_caller]
fn resolve_all(op: &str, axes: impl Iterator<Item = isize>, rank: usize) -> Dims {
    let mut seen = [false; super::dims::MAX_RANK];
    for axis in axes {
        let index = resolve_axis(op, axis, rank);
        assert!(!seen[index], "{op}: axis {axis} is named twice");
        seen[index] = true;
    }
    (0..rank).filter(|&axis| seen[axis]).collect()
}

impl Axes for RangeFull {
    #[track_caller]
    fn resolve(&self, _: &str, rank: usize) -> Dims {
        (0..rank).collect()
    }
}

macro_rules! axes {
    ($($int:ty),*) => {$(
        impl Axes for $int {
            #[track_caller]
            fn resolve(&self, op: &str, rank: usize) -> Dims {
                Dims::repeat(resolve_axis(op, *self as isize, rank), 1)
            }
        }
        impl<const N: usize> Axes for [$int; N] {
            #[track_caller]
            fn resolve(&self, op: &str, rank: usize) -> Dims {
                resolve_all(op, self.iter().map(|&axis| axis as isize), rank)
            }
        }
        impl Axes for &[$int] {
            #[track_caller]
            fn resolve(&self, op: &str, rank: usize) -> Dims {
                resolve_all(op, self.iter().map(|&axis| axis as isize), rank)
            }
        }
    )*};
}
axes!(i32, isize, usize);

impl Axes for Dims {
    #[track_caller]
    fn resolve(&self, op: &str, rank: usize) -> Dims {
        resolve_all(op, self.iter().map(|&axis| axis as isize), rank)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_resolve_from_either_end() {
        assert_eq!((-1).resolve("sum", 3), [2]);
        assert_eq!([2, 0].resolve("sum", 3), [0, 2]);
        assert_eq!((..).resolve("sum", 2), [0, 1]);
        assert_eq!((..).resolve("sum", 0), []);
    }

    #[test]
    #[should_panic(expected = "sum: axis 3 of a tensor with 3 axes; axes go from -3 to 2")]
    fn an_axis_too_many_is_refused() {
        3.resolve("sum", 3);
    }

    #[test]
    #[should_panic(expected = "sum: axis -1 is named twice")]
    fn an_axis_named_twice_is_refused() {
        [1, -1].resolve("sum", 2);
    }
}
