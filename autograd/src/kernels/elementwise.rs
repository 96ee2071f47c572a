//! Element-wise kernels: one function, applied to every element of one operand or two.
//!
//! The functions are types with an `#[inline(always)]` method rather than closures, because only what
//! is inlined is compiled for the instruction set of the loop around it (see [`simd`](super::simd)).
//! They are plain arithmetic without fused multiply-add, so an element-wise result is the same bits on
//! every instruction set.

use super::parallel;
use super::simd::{Loop, vectorised};
use super::strided::{Run, Runs, for_each_offset, merged};

/// A function of one element.
pub trait Unary<T, U = T>: Copy + Send + Sync {
    /// The function. Mark it `#[inline(always)]`.
    fn eval(self, x: T) -> U;
}

/// A function of two elements.
pub trait Binary<A, B = A, U = A>: Copy + Send + Sync {
    /// The function. Mark it `#[inline(always)]`.
    fn eval(self, a: A, b: B) -> U;
}

/// `y[i] = f(x[i])`
pub fn map<T: Copy + Sync, U: Copy + Send, F: Unary<T, U>>(f: F, x: &[T], y: &mut [U]) {
    struct Map<'a, F, T, U>(F, &'a [T], &'a mut [U]);
    impl<T: Copy, U, F: Unary<T, U>> Loop for Map<'_, F, T, U> {
        type Out = ();
        #[inline(always)]
        fn run(self) {
            for (y, &x) in self.2.iter_mut().zip(self.1) {
                *y = self.0.eval(x);
            }
        }
    }
    assert_eq!(x.len(), y.len());
    parallel::for_each_chunk(y, |start, y| vectorised(Map(f, &x[start..start + y.len()], y)));
}

/// `x[i] = f(x[i])`
pub fn map_in_place<T: Copy + Send, F: Unary<T>>(f: F, x: &mut [T]) {
    struct Map<'a, F, T>(F, &'a mut [T]);
    impl<T: Copy, F: Unary<T>> Loop for Map<'_, F, T> {
        type Out = ();
        #[inline(always)]
        fn run(self) {
            for x in self.1 {
                *x = self.0.eval(*x);
            }
        }
    }
    parallel::for_each_chunk(x, |_, x| vectorised(Map(f, x)));
}

/// `a[i] = f(a[i], b[i])`
pub fn update<A: Copy + Send, B: Copy + Sync, F: Binary<A, B>>(f: F, a: &mut [A], b: &[B]) {
    struct Update<'a, F, A, B>(F, &'a mut [A], &'a [B]);
    impl<A: Copy, B: Copy, F: Binary<A, B>> Loop for Update<'_, F, A, B> {
        type Out = ();
        #[inline(always)]
        fn run(self) {
            for (a, &b) in self.1.iter_mut().zip(self.2) {
                *a = self.0.eval(*a, b);
            }
        }
    }
    assert_eq!(a.len(), b.len());
    parallel::for_each_chunk(a, |start, a| vectorised(Update(f, a, &b[start..start + a.len()])));
}

/// An operand of a broadcast: its elements from the first on, and a stride for each axis of the result.
#[derive(Clone, Copy)]
pub struct Operand<'a, T> {
    /// The elements.
    pub data: &'a [T],
    /// How far apart neighbours along each axis are; 0 repeats.
    pub strides: &'a [usize],
}

/// `out[i, j, …] = f(a[i, j, …], b[i, j, …])`, with each operand's own strides.
pub fn zip<A, B, U, F>(f: F, shape: &[usize], a: Operand<'_, A>, b: Operand<'_, B>, out: &mut [U])
where
    A: Copy + Sync,
    B: Copy + Sync,
    U: Copy + Send,
    F: Binary<A, B, U>,
{
    if out.is_empty() {
        return;
    }
    let runs = merged(shape, [a.strides, b.strides]);
    let Some((&inner, outer)) = runs.split_last() else {
        out[0] = f.eval(a.data[0], b.data[0]);
        return;
    };
    if outer.is_empty() {
        parallel::for_each_chunk(out, |start, out| {
            let (a, b) = (&a.data[start * inner.strides[0]..], &b.data[start * inner.strides[1]..]);
            let inner = Run { size: out.len(), ..inner };
            vectorised(Rows { f, a, b, inner, outer: &[], first: 0, out });
        });
    } else {
        parallel::for_each_rows(out, inner.size, |first, out| {
            vectorised(Rows { f, a: a.data, b: b.data, inner, outer, first, out });
        });
    }
}

/// Some rows of a broadcast.
struct Rows<'a, F, A, B, U> {
    f: F,
    a: &'a [A],
    b: &'a [B],
    /// A row.
    inner: Run<2>,
    /// The runs over rows.
    outer: &'a [Run<2>],
    /// The number of the first row of `out`.
    first: usize,
    out: &'a mut [U],
}

impl<A: Copy, B: Copy, U, F: Binary<A, B, U>> Loop for Rows<'_, F, A, B, U> {
    type Out = ();
    #[inline(always)]
    fn run(self) {
        let Rows { f, a, b, inner: Run { size, strides }, outer, first, out } = self;
        let mut rows = out.chunks_exact_mut(size);
        let count = rows.len();
        for_each_offset(outer, first..first + count, |[at_a, at_b]| {
            let row = rows.next().expect("as many rows as offsets");
            match strides {
                [1, 1] => {
                    for ((y, &a), &b) in row.iter_mut().zip(&a[at_a..at_a + size]).zip(&b[at_b..at_b + size]) {
                        *y = f.eval(a, b);
                    }
                }
                [1, 0] => {
                    let b = b[at_b];
                    for (y, &a) in row.iter_mut().zip(&a[at_a..at_a + size]) {
                        *y = f.eval(a, b);
                    }
                }
                [0, 1] => {
                    let a = a[at_a];
                    for (y, &b) in row.iter_mut().zip(&b[at_b..at_b + size]) {
                        *y = f.eval(a, b);
                    }
                }
                [stride_a, stride_b] => {
                    for (i, y) in row.iter_mut().enumerate() {
                        *y = f.eval(a[at_a + i * stride_a], b[at_b + i * stride_b]);
                    }
                }
            }
        });
    }
}

/// `a[i, j, …] = f(a[i, j, …], b[i, j, …])` with `a` row-major and `b` broadcast to its shape.
pub fn zip_in_place<A, B, F>(f: F, shape: &[usize], a: &mut [A], b: Operand<'_, B>)
where
    A: Copy + Send,
    B: Copy + Sync,
    F: Binary<A, B>,
{
    struct InPlace<'a, F, A, B> {
        f: F,
        a: &'a mut [A],
        b: &'a [B],
        runs: &'a Runs<1>,
        first: usize,
    }
    impl<A: Copy, B: Copy, F: Binary<A, B>> Loop for InPlace<'_, F, A, B> {
        type Out = ();
        #[inline(always)]
        fn run(self) {
            let InPlace { f, a, b, runs, first } = self;
            let Some((&Run { size, strides: [stride] }, outer)) = runs.split_last() else { return };
            let mut rows = a.chunks_exact_mut(size);
            let count = rows.len();
            for_each_offset(outer, first..first + count, |[at]| {
                let row = rows.next().expect("as many rows as offsets");
                match stride {
                    1 => {
                        for (a, &b) in row.iter_mut().zip(&b[at..at + size]) {
                            *a = f.eval(*a, b);
                        }
                    }
                    0 => {
                        let b = b[at];
                        for a in row {
                            *a = f.eval(*a, b);
                        }
                    }
                    stride => {
                        for (i, a) in row.iter_mut().enumerate() {
                            *a = f.eval(*a, b[at + i * stride]);
                        }
                    }
                }
            });
        }
    }
    if a.is_empty() {
        return;
    }
    let runs = merged(shape, [b.strides]);
    match &*runs {
        [] => a[0] = f.eval(a[0], b.data[0]),
        &[Run { strides: [stride], .. }] => parallel::for_each_chunk(a, |start, a| {
            let runs = merged(&[a.len()], [&[stride]]);
            if runs.is_empty() {
                a[0] = f.eval(a[0], b.data[start * stride]);
            } else {
                vectorised(InPlace { f, a, b: &b.data[start * stride..], runs: &runs, first: 0 });
            }
        }),
        [.., Run { size, .. }] => parallel::for_each_rows(a, *size, |first, a| {
            vectorised(InPlace { f, a, b: b.data, runs: &runs, first });
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::strided;

    #[derive(Clone, Copy)]
    struct Axpy;
    impl Binary<f32> for Axpy {
        #[inline(always)]
        fn eval(self, a: f32, b: f32) -> f32 {
            2.0 * a + b
        }
    }

    /// Both operands copied out first, then one plain loop.
    fn naive(shape: &[usize], a: Operand<'_, f32>, b: Operand<'_, f32>) -> Vec<f32> {
        let count = shape.iter().product();
        let (mut x, mut y) = (vec![0.0; count], vec![0.0; count]);
        strided::copy(a.data, shape, a.strides, &mut x);
        strided::copy(b.data, shape, b.strides, &mut y);
        x.iter().zip(&y).map(|(&a, &b)| Axpy.eval(a, b)).collect()
    }

    #[test]
    fn broadcasts_agree_with_the_plain_loop() {
        let data: Vec<f32> = (0..150_000).map(|i| (i * 7919 % 1013) as f32).collect();
        let cases: &[(&[usize], &[usize], &[usize])] = &[
            (&[], &[], &[]),
            (&[1], &[1], &[0]),
            (&[7], &[1], &[1]),
            (&[7], &[0], &[1]),
            (&[70_001], &[1], &[0]),
            (&[70_001], &[1], &[2]),
            (&[300, 300], &[300, 1], &[0, 1]),
            (&[300, 300], &[1, 300], &[300, 1]),
            (&[3, 4, 5], &[20, 5, 1], &[1, 0, 3]),
            (&[2, 0, 5], &[0, 5, 1], &[1, 0, 3]),
            (&[300, 1, 300], &[300, 7, 1], &[1, 0, 0]),
        ];
        for (shape, strides_a, strides_b) in cases {
            let (a, b) = (Operand { data: &data, strides: strides_a }, Operand { data: &data[5..], strides: strides_b });
            let expected = naive(shape, a, b);
            let mut out = vec![0.0; expected.len()];
            zip(Axpy, shape, a, b, &mut out);
            assert_eq!(out, expected, "zip of {shape:?}");

            let mut left = vec![0.0; expected.len()];
            strided::copy(a.data, shape, a.strides, &mut left);
            zip_in_place(Axpy, shape, &mut left, b);
            assert_eq!(left, expected, "zip_in_place of {shape:?}");
        }
    }
}
