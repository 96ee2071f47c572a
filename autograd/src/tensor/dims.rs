//! A short list of sizes, one for each axis, kept inline: shapes and strides are made for every
//! operation, so they must not cost an allocation.

use std::fmt;
use std::ops::{Deref, DerefMut};

/// The most axes a tensor can have.
pub const MAX_RANK: usize = 8;

/// The sizes (or strides) of a tensor's axes. Dereferences to `[usize]`.
#[derive(Clone, Copy)]
pub struct Dims {
    rank: u8,
    of: [usize; MAX_RANK],
}

impl Dims {
    /// The dims of a scalar: none.
    pub const SCALAR: Dims = Dims { rank: 0, of: [0; MAX_RANK] };

    /// `rank` times `value`.
    #[track_caller]
    pub fn repeat(value: usize, rank: usize) -> Dims {
        assert!(rank <= MAX_RANK, "a tensor can have at most {MAX_RANK} axes, not {rank}");
        let mut of = [0; MAX_RANK];
        of[..rank].fill(value);
        Dims { rank: rank as u8, of }
    }

    /// How many elements a tensor of this shape has.
    ///
    /// # Panics
    /// If they are more than a `usize` counts: a view that repeats one element can be asked for any shape.
    #[inline]
    #[track_caller]
    pub fn count(&self) -> usize {
        let mut count = 1_usize;
        for &size in self.iter() {
            let Some(product) = count.checked_mul(size) else { self.too_many() };
            count = product;
        }
        count
    }

    #[cold]
    #[track_caller]
    fn too_many(&self) -> ! {
        panic!("a tensor of shape {self} has more elements than can be counted")
    }

    /// The strides of a row-major tensor of this shape.
    #[inline]
    pub fn row_major_strides(&self) -> Dims {
        let mut strides = *self;
        let mut stride = 1;
        for axis in (0..self.len()).rev() {
            strides[axis] = stride;
            stride *= self[axis];
        }
        strides
    }

    /// These dims with `value` put in at `axis`.
    #[track_caller]
    pub fn inserted(&self, axis: usize, value: usize) -> Dims {
        let mut dims = Dims::repeat(value, self.len() + 1);
        dims[..axis].copy_from_slice(&self[..axis]);
        dims[axis + 1..].copy_from_slice(&self[axis..]);
        dims
    }

    /// These dims without those at `axes`.
    pub fn without(&self, axes: &[usize]) -> Dims {
        self.iter().enumerate().filter(|(axis, _)| !axes.contains(axis)).map(|(_, &size)| size).collect()
    }

    /// These dims with `value` at each of `axes`.
    pub fn replaced(&self, axes: &[usize], value: usize) -> Dims {
        let mut dims = *self;
        for &axis in axes {
            dims[axis] = value;
        }
        dims
    }
}

impl Deref for Dims {
    type Target = [usize];
    #[inline]
    fn deref(&self) -> &[usize] {
        &self.of[..self.rank as usize]
    }
}

impl DerefMut for Dims {
    #[inline]
    fn deref_mut(&mut self) -> &mut [usize] {
        &mut self.of[..self.rank as usize]
    }
}

impl PartialEq for Dims {
    /// A loop, as a call of `memcmp` takes longer than the few sizes do, and shapes are compared with every operation.
    #[inline]
    fn eq(&self, other: &Dims) -> bool {
        self.rank == other.rank && self.iter().zip(other.iter()).all(|(a, b)| a == b)
    }
}
impl Eq for Dims {}

impl PartialEq<[usize]> for Dims {
    fn eq(&self, other: &[usize]) -> bool {
        **self == *other
    }
}
impl<const N: usize> PartialEq<[usize; N]> for Dims {
    fn eq(&self, other: &[usize; N]) -> bool {
        **self == *other
    }
}

/// As in `[2, 3]`.
impl fmt::Debug for Dims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}
impl fmt::Display for Dims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

impl From<&[usize]> for Dims {
    #[track_caller]
    fn from(sizes: &[usize]) -> Dims {
        let mut dims = Dims::repeat(0, sizes.len());
        dims.copy_from_slice(sizes);
        dims
    }
}
impl<const N: usize> From<[usize; N]> for Dims {
    #[track_caller]
    fn from(sizes: [usize; N]) -> Dims {
        Dims::from(&sizes[..])
    }
}
impl<const N: usize> From<&[usize; N]> for Dims {
    #[track_caller]
    fn from(sizes: &[usize; N]) -> Dims {
        Dims::from(&sizes[..])
    }
}
impl From<&Dims> for Dims {
    fn from(dims: &Dims) -> Dims {
        *dims
    }
}
impl From<Vec<usize>> for Dims {
    #[track_caller]
    fn from(sizes: Vec<usize>) -> Dims {
        Dims::from(&sizes[..])
    }
}
/// The shape of a vector.
impl From<usize> for Dims {
    fn from(len: usize) -> Dims {
        Dims::repeat(len, 1)
    }
}

impl FromIterator<usize> for Dims {
    #[track_caller]
    fn from_iter<I: IntoIterator<Item = usize>>(sizes: I) -> Dims {
        let mut dims = Dims::SCALAR;
        for size in sizes {
            assert!((dims.rank as usize) < MAX_RANK, "a tensor can have at most {MAX_RANK} axes");
            dims.of[dims.rank as usize] = size;
            dims.rank += 1;
        }
        dims
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strides_are_those_of_row_major_order() {
        assert_eq!(Dims::from([2, 3, 4]).row_major_strides(), [12, 4, 1]);
        assert_eq!(Dims::SCALAR.row_major_strides(), Dims::SCALAR);
        assert_eq!(Dims::SCALAR.count(), 1);
        assert_eq!(Dims::from([2, 0, 4]).count(), 0);
    }

    #[test]
    #[should_panic(expected = "has more elements than can be counted")]
    fn a_product_that_overflows_is_not_a_small_count() {
        // 2 to the power of twice half the bits: 0, if it wrapped around.
        let half = 1_usize << (usize::BITS / 2);
        Dims::from([half, half]).count();
    }

    #[test]
    fn inserting_and_removing_are_inverse() {
        let dims = Dims::from([2, 3]);
        assert_eq!(dims.inserted(1, 7), [2, 7, 3]);
        assert_eq!(dims.inserted(2, 7).without(&[2]), dims);
        assert_eq!(dims.replaced(&[0], 1), [1, 3]);
    }

    #[test]
    #[should_panic(expected = "at most 8 axes")]
    fn a_ninth_axis_is_refused() {
        let _ = Dims::from([1; 9]);
    }
}
