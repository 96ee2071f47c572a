//! Nested arrays and vectors as sources of tensors.

use super::dims::Dims;
use crate::kernels::element::Element;

/// A scalar, or an array, slice or vector of what is itself nested: `2.0`, `[1, 2]`, `[[1.0, 2.0], [3.0, 4.0]]`.
///
/// `T` is the type of the numbers at the bottom. It is a parameter, so that where `T` is known, as in
/// [`Tensor::from`](crate::Tensor::from), it decides the type of literals.
pub trait Nested<T: Element> {
    /// How many levels of nesting.
    const DEPTH: usize;

    /// Writes the sizes of the levels to `sizes`, as the first entry of each level has them.
    fn sizes(&self, sizes: &mut [usize]);

    /// Appends the numbers in row-major order.
    ///
    /// # Panics
    /// If a part does not have the sizes of the first one.
    #[track_caller]
    fn flatten_into(&self, sizes: &[usize], out: &mut Vec<T>);
}

/// The shape and the numbers of `values`.
#[track_caller]
pub(crate) fn flatten<T: Element, A: Nested<T>>(values: &A) -> (Dims, Vec<T>) {
    let mut shape = Dims::repeat(0, A::DEPTH);
    values.sizes(&mut shape);
    let mut out = Vec::with_capacity(shape.count());
    values.flatten_into(&shape, &mut out);
    (shape, out)
}

macro_rules! scalar {
    ($($t:ty),*) => {$(
        impl Nested<$t> for $t {
            const DEPTH: usize = 0;
            fn sizes(&self, _: &mut [usize]) {}
            fn flatten_into(&self, _: &[usize], out: &mut Vec<$t>) {
                out.push(*self);
            }
        }
    )*};
}
scalar!(f32, f64, i64, bool);

impl<T: Element, A: Nested<T>> Nested<T> for [A] {
    const DEPTH: usize = A::DEPTH + 1;

    fn sizes(&self, sizes: &mut [usize]) {
        sizes[0] = self.len();
        if let Some(first) = self.first() {
            first.sizes(&mut sizes[1..]);
        }
    }

    #[track_caller]
    fn flatten_into(&self, sizes: &[usize], out: &mut Vec<T>) {
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
        impl<T: Element, A: Nested<T>, $($generics)*> Nested<T> for $t {
            const DEPTH: usize = A::DEPTH + 1;
            fn sizes(&self, sizes: &mut [usize]) {
                self[..].sizes(sizes)
            }
            #[track_caller]
            fn flatten_into(&self, sizes: &[usize], out: &mut Vec<T>) {
                self[..].flatten_into(sizes, out)
            }
        }
    )*};
}
as_slice!([const N: usize] [A; N], [const N: usize] &[A; N], [] Vec<A>, [] &[A], [] &Vec<A>);
