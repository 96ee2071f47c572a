//! Nested arrays and vectors as sources of tensors.

use super::dims::Dims;
use crate::kernels::element::Element;

/// A scalar, or an array, slice or vector of what is itself nested: `2.0`, `[1, 2]`, `[[1.0, 2.0], [3.0, 4.0]]`.
pub trait Nested {
    /// The type of the numbers at the bottom.
    type Item: Element;
    /// How many levels of nesting.
    const DEPTH: usize;

    /// Writes the sizes of the levels to `sizes`, as the first entry of each level has them.
    fn sizes(&self, sizes: &mut [usize]);

    /// Appends the numbers in row-major order.
    ///
    /// # Panics
    /// If a part does not have the sizes of the first one.
    #[track_caller]
    fn flatten_into(&self, sizes: &[usize], out: &mut Vec<Self::Item>);
}

/// The shape and the numbers of `values`.
#[track_caller]
pub(crate) fn flatten<A: Nested>(values: &A) -> (Dims, Vec<A::Item>) {
    let mut shape = Dims::repeat(0, A::DEPTH);
    values.sizes(&mut shape);
    let mut out = Vec::with_capacity(shape.count());
    values.flatten_into(&shape, &mut out);
    (shape, out)
}

macro_rules! scalar {
    ($($t:ty),*) => {$(
        impl Nested for $t {
            type Item = $t;
            const DEPTH: usize = 0;
            fn sizes(&self, _: &mut [usize]) {}
            fn flatten_into(&self, _: &[usize], out: &mut Vec<$t>) {
                out.push(*self);
            }
        }
    )*};
}
scalar!(f32, f64, i64, bool);

impl<A: Nested> Nested for [A] {
    type Item = A::Item;
    const DEPTH: usize = A::DEPTH + 1;

    fn sizes(&self, sizes: &mut [usize]) {
        sizes[0] = self.len();
        if let Some(first) = self.first() {
            first.sizes(&mut sizes[1..]);
        }
    }

    #[track_caller]
    fn flatten_into(&self, sizes: &[usize], out: &mut Vec<A::Item>) {
        assert!(
            self.len() == sizes[0],
            "from: a ragged nested array: a row of {} entries among rows of {}",
            self.len(),
            sizes[0]
        );
        for part in self {
            part.flatten_into(&sizes[1..], out);
        }
    }
}

macro_rules! as_slice {
    ($([$($generics:tt)*] $t:ty),*) => {$(
        impl<A: Nested, $($generics)*> Nested for $t {
            type Item = A::Item;
            const DEPTH: usize = A::DEPTH + 1;
            fn sizes(&self, sizes: &mut [usize]) {
                self[..].sizes(sizes)
            }
            #[track_caller]
            fn flatten_into(&self, sizes: &[usize], out: &mut Vec<A::Item>) {
                self[..].flatten_into(sizes, out)
            }
        }
    )*};
}
as_slice!([const N: usize] [A; N], [const N: usize] &[A; N], [] Vec<A>, [] &[A], [] &Vec<A>);
