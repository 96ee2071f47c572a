//! The syntax of [`Tensor::index`](crate::Tensor::index): what stands between the brackets of `x[…]` in
//! Python stands in a tuple here.
//!
//! | Python | here | |
//! |---|---|---|
//! | `x[2]`, `x[-1]` | `2`, `-1` | one index; the axis disappears |
//! | `x[:]` | `..` | the whole axis |
//! | `x[1:3]`, `x[1:]`, `x[:-1]` | `1..3`, `1..`, `..-1` | a range; ends count from the back if negative |
//! | | `1..=3`, `..=-2` | a range with its last index |
//! | `x[1:9:2]`, `x[::2]` | `by(1..9, 2)`, `by(.., 2)` | every second index of a range |
//! | `x[..., 0]` | `(Ellipsis, 0)` | as many whole axes as are left |
//! | `x[:, None]` | `(.., NewAxis)` | a new axis of size 1 |

use super::dims::Dims;
use std::ops::{Range, RangeFrom, RangeFull, RangeInclusive, RangeTo, RangeToInclusive};

/// As many whole axes as the other entries leave.
#[derive(Clone, Copy, Debug)]
pub struct Ellipsis;

/// A new axis of size 1.
#[derive(Clone, Copy, Debug)]
pub struct NewAxis;

/// Every `step`-th index of a range; made by [`by`].
#[derive(Clone, Copy, Debug)]
pub struct By<R>(R, usize);

/// Every `step`-th index of `range`, from its first on: `by(1..9, 2)`, `by(.., 3)`.
///
/// ```
/// use autograd::{Tensor, by};
/// let x = Tensor::arange(0.0, 10.0, 1.0);
/// assert_eq!(x.index(by(1..-1, 3)).to_vec(), [1.0, 4.0, 7.0]);
/// ```
pub fn by<R: Slice>(range: R, step: usize) -> By<R> {
    By(range, step)
}

/// What one entry picks.
#[derive(Clone, Copy, Debug)]
pub enum Pick {
    /// One index of an axis, which disappears.
    At(isize),
    /// A range of an axis.
    Slice(Bounds, usize),
    /// As many whole axes as are left.
    Ellipsis,
    /// A new axis of size 1.
    NewAxis,
}

/// The first index of a range and the one behind its last, counted from the back if negative; `None`
/// for the ends of the axis.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// The first index.
    pub start: Option<isize>,
    /// The index behind the last.
    pub end: Option<isize>,
}

impl Bounds {
    /// The range within an axis of `size`: first index and length. As in Python, ends beyond the axis
    /// are moved to it, and an end before the start leaves nothing.
    fn within(self, size: usize) -> (usize, usize) {
        let resolve = |end: isize| {
            let from_start = if end < 0 { end.saturating_add_unsigned(size) } else { end };
            (from_start.max(0) as usize).min(size)
        };
        let start = self.start.map_or(0, resolve);
        (start, self.end.map_or(size, resolve).saturating_sub(start))
    }
}

/// Ranges that can stand in an index.
pub trait Slice {
    /// The ends of the range.
    fn bounds(&self) -> Bounds;
}

/// One entry of an index.
pub trait Entry {
    /// What the entry picks.
    fn pick(&self) -> Pick;
}

/// What [`Tensor::index`](crate::Tensor::index) takes: one [`Entry`], a tuple of up to eight, or, where
/// their number is known only at run time, a slice of [`Pick`]s.
pub trait Index {
    /// What each entry picks.
    fn picks(&self) -> Vec<Pick>;
}

impl Slice for RangeFull {
    fn bounds(&self) -> Bounds {
        Bounds { start: None, end: None }
    }
}

/// The index behind the last one. Behind -1 lies the end, which no number names.
fn behind(last: isize) -> Option<isize> {
    if last == -1 { None } else { last.checked_add(1) }
}

macro_rules! integers {
    ($($int:ty),*) => {$(
        impl Entry for $int {
            fn pick(&self) -> Pick {
                Pick::At(*self as isize)
            }
        }
        integers!(slice Range<$int>, |range| Some(range.start as isize), Some(range.end as isize));
        integers!(slice RangeInclusive<$int>, |range| Some(*range.start() as isize), behind(*range.end() as isize));
        integers!(slice RangeFrom<$int>, |range| Some(range.start as isize), None);
        integers!(slice RangeTo<$int>, |range| None, Some(range.end as isize));
        integers!(slice RangeToInclusive<$int>, |range| None, behind(range.end as isize));
    )*};
    (slice $range:ty, |$r:ident| $start:expr, $end:expr) => {
        impl Slice for $range {
            fn bounds(&self) -> Bounds {
                let $r = self;
                Bounds { start: $start, end: $end }
            }
        }
        impl Entry for $range {
            fn pick(&self) -> Pick {
                Pick::Slice(self.bounds(), 1)
            }
        }
    };
}
integers!(i32, i64, isize, usize);

impl Entry for RangeFull {
    fn pick(&self) -> Pick {
        Pick::Slice(self.bounds(), 1)
    }
}
impl<R: Slice> Entry for By<R> {
    fn pick(&self) -> Pick {
        Pick::Slice(self.0.bounds(), self.1)
    }
}
impl Entry for Pick {
    fn pick(&self) -> Pick {
        *self
    }
}
impl Entry for Ellipsis {
    fn pick(&self) -> Pick {
        Pick::Ellipsis
    }
}
impl Entry for NewAxis {
    fn pick(&self) -> Pick {
        Pick::NewAxis
    }
}

impl<E: Entry> Index for E {
    fn picks(&self) -> Vec<Pick> {
        vec![self.pick()]
    }
}

impl<E: Entry> Index for &[E] {
    fn picks(&self) -> Vec<Pick> {
        self.iter().map(Entry::pick).collect()
    }
}

macro_rules! tuples {
    ($first:ident $($rest:ident)*) => {
        impl<$first: Entry, $($rest: Entry),*> Index for ($first, $($rest,)*) {
            #[allow(non_snake_case)] // The macro has but one list of names.
            fn picks(&self) -> Vec<Pick> {
                let ($first, $($rest,)*) = self;
                vec![$first.pick(), $($rest.pick()),*]
            }
        }
        tuples!($($rest)*);
    };
    () => {};
}
tuples!(A B C D E F G H);

/// Part of an axis: `count` indices from `start` on, `step` apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct AxisPart {
    pub start: usize,
    pub step: usize,
    pub count: usize,
}

/// What an index picks from a tensor of shape `shape`: a part of each axis, and the shape of the
/// result, in which the axes of single indices are missing and the new ones stand.
#[track_caller]
pub(crate) fn resolve(picks: &[Pick], shape: &Dims) -> (Vec<AxisPart>, Dims) {
    let used = picks.iter().filter(|pick| matches!(pick, Pick::At(_) | Pick::Slice(..))).count();
    assert!(used <= shape.len(), "index: {used} entries for the {} axes of shape {shape}", shape.len());
    let ellipses = picks.iter().filter(|pick| matches!(pick, Pick::Ellipsis)).count();
    assert!(ellipses <= 1, "index: {ellipses} ellipses; one at most, or which axes they stand for is not said");

    let mut parts = Vec::with_capacity(shape.len());
    let mut sizes = Vec::with_capacity(shape.len());
    let whole = |size| AxisPart { start: 0, step: 1, count: size };
    // Without an ellipsis, the axes that are not named are the last.
    for pick in picks.iter().chain((ellipses == 0).then_some(&Pick::Ellipsis)) {
        let axis = parts.len();
        match *pick {
            Pick::At(index) => {
                let size = shape[axis];
                let from_start = if index < 0 { index.saturating_add_unsigned(size) } else { index };
                if from_start < 0 || from_start as usize >= size {
                    out_of_range(index, axis, shape);
                }
                parts.push(AxisPart { start: from_start as usize, step: 1, count: 1 });
            }
            Pick::Slice(bounds, step) => {
                assert!(step > 0, "index: steps of 0 along axis {axis} of shape {shape}; they must be positive");
                let (start, length) = bounds.within(shape[axis]);
                parts.push(AxisPart { start, step, count: length.div_ceil(step) });
                sizes.push(length.div_ceil(step));
            }
            Pick::Ellipsis => {
                for &size in &shape[axis..axis + shape.len() - used] {
                    parts.push(whole(size));
                    sizes.push(size);
                }
            }
            Pick::NewAxis => sizes.push(1),
        }
    }
    (parts, Dims::from(sizes))
}

#[cold]
#[track_caller]
fn out_of_range(index: isize, axis: usize, shape: &Dims) -> ! {
    match shape[axis] {
        0 => panic!("index: {index} along axis {axis} of shape {shape}, which is empty"),
        size => panic!(
            "index: {index} along axis {axis} of shape {shape}; indices go from {} to {}",
            -(size as isize),
            size - 1
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_clamp_as_in_python() {
        let within = |range: &dyn Slice| range.bounds().within(5);
        assert_eq!(within(&(1..3)), (1, 2));
        assert_eq!(within(&(-2..)), (3, 2));
        assert_eq!(within(&(..-1)), (0, 4));
        assert_eq!(within(&(1..=-1)), (1, 4));
        assert_eq!(within(&(..=-2)), (0, 4));
        assert_eq!(within(&(0..=0_usize)), (0, 1));
        assert_eq!(within(&(-9..99)), (0, 5));
        assert_eq!(within(&(4..2)).1, 0);
        assert_eq!(within(&(7..9)).1, 0);
        assert_eq!(within(&(isize::MIN..isize::MAX)), (0, 5));
        assert_eq!(within(&(0..=isize::MAX)), (0, 5));
        assert_eq!(within(&..), (0, 5));
    }

    #[test]
    fn shapes_of_mixed_entries() {
        let shape = Dims::from([2, 3, 4, 5]);
        let result = |index: &dyn Index| resolve(&index.picks(), &shape).1;
        assert_eq!(result(&1), [3, 4, 5]);
        assert_eq!(result(&(Ellipsis, 1)), [2, 3, 4]);
        assert_eq!(result(&(1, Ellipsis, by(.., 2))), [3, 4, 3]);
        assert_eq!(result(&(.., NewAxis, -1, Ellipsis, NewAxis)), [2, 1, 4, 5, 1]);
        assert_eq!(result(&(0, 0, 0, 0)), Dims::SCALAR);
        assert_eq!(result(&(0, Ellipsis, 0, 0, 0)), Dims::SCALAR);
    }
}
