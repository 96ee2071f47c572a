//! Element-wise kernels: one function, applied to the elements of one operand, of two or of three, each
//! broadcast with its own strides.
//!
//! The functions are types with an `#[inline(always)]` method rather than closures, because only what
//! is inlined is compiled for the instruction set of the loop around it (see [`simd`](super::simd)).
//! They are plain arithmetic without fused multiply-add, so an element-wise result is the same bits on
//! every instruction set.
//!
//! Every kernel here is the same loop, `Rows`, in which the elements of each operand lie side by side.
//! An operand whose elements do not is copied, a block at a time, to where they do: the copy stays in
//! the first cache, so broadcasting costs little more than reading. A loop for each combination of
//! strides would gain less than that, and be compiled again for each function, type and instruction set.

use super::parallel;
use super::simd::{Loop, vectorised};
use super::strided::{Run, merged, offsets};

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

/// A function of three elements.
pub trait Ternary<A, B = A, C = A, U = A>: Copy + Send + Sync {
    /// The function. Mark it `#[inline(always)]`.
    fn eval(self, a: A, b: B, c: C) -> U;
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

/// In place of an operand that a kernel does not have: any number of nothings, which take no memory.
const NONE: Operand<'_, ()> = Operand { data: &[(); usize::MAX], strides: &[0; 8] };

/// `y[i, j, …] = f(x[i, j, …])`
pub fn map<T: Copy + Sync, U: Copy + Send, F: Unary<T, U>>(f: F, shape: &[usize], x: Operand<'_, T>, y: &mut [U]) {
    run(Map(f), shape, (x, NONE, NONE), y);
}

/// `x[i] = f(x[i])`
pub fn map_in_place<T: Copy + Send, F: Unary<T>>(f: F, x: &mut [T]) {
    run(MapInPlace(f), &[x.len()], (NONE, NONE, NONE), x);
}

/// `out[i, j, …] = f(a[i, j, …], b[i, j, …])`
pub fn zip<A, B, U, F>(f: F, shape: &[usize], a: Operand<'_, A>, b: Operand<'_, B>, out: &mut [U])
where
    A: Copy + Sync,
    B: Copy + Sync,
    U: Copy + Send,
    F: Binary<A, B, U>,
{
    run(Zip(f), shape, (a, b, NONE), out);
}

/// `a[i, j, …] = f(a[i, j, …], b[i, j, …])` with `a` row-major.
pub fn zip_in_place<A, B, F>(f: F, shape: &[usize], a: &mut [A], b: Operand<'_, B>)
where
    A: Copy + Send,
    B: Copy + Sync,
    F: Binary<A, B>,
{
    run(ZipInPlace(f), shape, (b, NONE, NONE), a);
}

/// `out[i, j, …] = f(a[i, j, …], b[i, j, …], c[i, j, …])`
pub fn zip3<A, B, C, U, F>(f: F, shape: &[usize], operands: Operands<'_, A, B, C>, out: &mut [U])
where
    A: Copy + Sync,
    B: Copy + Sync,
    C: Copy + Sync,
    U: Copy + Send,
    F: Ternary<A, B, C, U>,
{
    run(Zip3(f), shape, operands, out);
}

/// Three operands that broadcast to one shape.
pub type Operands<'a, A, B, C> = (Operand<'a, A>, Operand<'a, B>, Operand<'a, C>);

/// What happens to one element of the output.
trait Step<A, B, C, U>: Copy + Send + Sync {
    fn write(self, y: &mut U, a: A, b: B, c: C);
}

#[derive(Clone, Copy)]
struct Map<F>(F);
impl<T, U, F: Unary<T, U>> Step<T, (), (), U> for Map<F> {
    #[inline(always)]
    fn write(self, y: &mut U, x: T, (): (), (): ()) {
        *y = self.0.eval(x);
    }
}

#[derive(Clone, Copy)]
struct MapInPlace<F>(F);
impl<T: Copy, F: Unary<T>> Step<(), (), (), T> for MapInPlace<F> {
    #[inline(always)]
    fn write(self, x: &mut T, (): (), (): (), (): ()) {
        *x = self.0.eval(*x);
    }
}

#[derive(Clone, Copy)]
struct Zip<F>(F);
impl<A, B, U, F: Binary<A, B, U>> Step<A, B, (), U> for Zip<F> {
    #[inline(always)]
    fn write(self, y: &mut U, a: A, b: B, (): ()) {
        *y = self.0.eval(a, b);
    }
}

#[derive(Clone, Copy)]
struct ZipInPlace<F>(F);
impl<A: Copy, B, F: Binary<A, B>> Step<B, (), (), A> for ZipInPlace<F> {
    #[inline(always)]
    fn write(self, a: &mut A, b: B, (): (), (): ()) {
        *a = self.0.eval(*a, b);
    }
}

#[derive(Clone, Copy)]
struct Zip3<F>(F);
impl<A, B, C, U, F: Ternary<A, B, C, U>> Step<A, B, C, U> for Zip3<F> {
    #[inline(always)]
    fn write(self, y: &mut U, a: A, b: B, c: C) {
        *y = self.0.eval(a, b, c);
    }
}

/// Takes `step` for every element of `out`, in parallel if they are many.
#[inline]
fn run<A, B, C, U, F>(step: F, shape: &[usize], (a, b, c): Operands<'_, A, B, C>, out: &mut [U])
where
    A: Copy + Sync,
    B: Copy + Sync,
    C: Copy + Sync,
    U: Send,
    F: Step<A, B, C, U>,
{
    assert_eq!(out.len(), shape.iter().product::<usize>());
    if out.is_empty() {
        return;
    }
    let runs = merged(shape, [a.strides, b.strides, c.strides]);
    let (a, b, c) = (a.data, b.data, c.data);
    match *runs {
        [] => step.write(&mut out[0], a[0], b[0], c[0]),
        [inner] => parallel::for_each_chunk(out, |start, out| {
            let [at_a, at_b, at_c] = inner.strides.map(|stride| start * stride);
            let inner = Run { size: out.len(), ..inner };
            vectorised(Rows { step, a: &a[at_a..], b: &b[at_b..], c: &c[at_c..], inner, outer: &[], first: 0, out });
        }),
        [ref outer @ .., inner] => parallel::for_each_rows(out, inner.size, |first, out| {
            vectorised(Rows { step, a, b, c, inner, outer, first, out });
        }),
    }
}

/// Some rows of the output, and the operands.
struct Rows<'a, F, A, B, C, U> {
    step: F,
    a: &'a [A],
    b: &'a [B],
    c: &'a [C],
    /// A row.
    inner: Run<3>,
    /// The runs over rows.
    outer: &'a [Run<3>],
    /// The number of the first row of `out`.
    first: usize,
    out: &'a mut [U],
}

impl<A: Copy, B: Copy, C: Copy, U, F: Step<A, B, C, U>> Loop for Rows<'_, F, A, B, C, U> {
    type Out = ();
    #[inline(always)]
    fn run(self) {
        let Rows { step, a, b, c, inner: Run { size, strides }, outer, first, out } = self;
        let (mut a, mut b, mut c) = (Side::new(a, strides[0]), Side::new(b, strides[1]), Side::new(c, strides[2]));
        let count = out.len() / size;
        // Without a copy to make, a row is one block.
        let block = if a.is_direct() && b.is_direct() && c.is_direct() { size } else { BLOCK };
        for (row, [at_a, at_b, at_c]) in out.chunks_exact_mut(size).zip(offsets(outer, first..first + count)) {
            for (i, out) in row.chunks_mut(block).enumerate() {
                let (start, len) = (i * block, out.len());
                let (a, b, c) = (a.block(at_a, start, len), b.block(at_b, start, len), c.block(at_c, start, len));
                for (((y, &a), &b), &c) in out.iter_mut().zip(a).zip(b).zip(c) {
                    step.write(y, a, b, c);
                }
            }
        }
    }
}

/// Elements of a block: 1 KiB an operand in `f32`.
const BLOCK: usize = 256;

/// An operand that hands out its elements side by side.
enum Side<'a, T> {
    /// They lie so.
    Direct(&'a [T]),
    /// They are copied.
    Copied(Copied<'a, T>),
}

struct Copied<'a, T> {
    data: &'a [T],
    stride: usize,
    copy: [T; BLOCK],
    /// Of an operand that repeats one element: which one `copy` holds, and how often.
    repeated: (usize, usize),
}

impl<'a, T: Copy> Side<'a, T> {
    #[inline(always)]
    fn new(data: &'a [T], stride: usize) -> Self {
        if stride == 1 || size_of::<T>() == 0 {
            Side::Direct(data)
        } else {
            Side::Copied(Copied { data, stride, copy: [data[0]; BLOCK], repeated: (0, BLOCK) })
        }
    }

    #[inline(always)]
    fn is_direct(&self) -> bool {
        matches!(self, Side::Direct(_))
    }

    /// Elements `start..start + len` of the row that begins at `at`.
    #[inline(always)]
    fn block(&mut self, at: usize, start: usize, len: usize) -> &[T] {
        match self {
            Side::Direct(data) => &data[at + start..at + start + len],
            Side::Copied(side) => side.block(at, start, len),
        }
    }
}

impl<T: Copy> Copied<'_, T> {
    #[inline(always)]
    fn block(&mut self, at: usize, start: usize, len: usize) -> &[T] {
        let copy = &mut self.copy[..len];
        if self.stride == 0 {
            let (held, count) = self.repeated;
            if at != held || len > count {
                copy.fill(self.data[at]);
                self.repeated = (at, len);
            }
        } else {
            let from = at + start * self.stride;
            for (i, x) in copy.iter_mut().enumerate() {
                *x = self.data[from + i * self.stride];
            }
        }
        copy
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::strided;

    /// The same polynomial of one, two and three variables.
    #[derive(Clone, Copy)]
    struct Horner;
    impl Unary<f32> for Horner {
        #[inline(always)]
        fn eval(self, a: f32) -> f32 {
            Binary::eval(self, a, 0.0)
        }
    }
    impl Binary<f32> for Horner {
        #[inline(always)]
        fn eval(self, a: f32, b: f32) -> f32 {
            Ternary::eval(self, a, b, 0.0)
        }
    }
    impl Ternary<f32> for Horner {
        #[inline(always)]
        fn eval(self, a: f32, b: f32, c: f32) -> f32 {
            (a * 3.0 + b) * 5.0 + c
        }
    }

    /// The elements of an operand, copied to where they lie side by side.
    fn packed(shape: &[usize], x: Operand<'_, f32>) -> Vec<f32> {
        let mut out = vec![0.0; shape.iter().product()];
        strided::copy(x.data, shape, x.strides, &mut out);
        out
    }

    #[test]
    fn broadcasts_agree_with_the_plain_loop() {
        /// Long enough for several threads.
        const LONG: usize = parallel::ELEMENTS + 51;
        const SIDE: usize = LONG.isqrt() + 1;
        let data: Vec<f32> = (0..2 * LONG + 10).map(|i| (i * 7919 % 1013) as f32).collect();
        let cases: &[(&[usize], [&[usize]; 3])] = &[
            (&[], [&[], &[], &[]]),
            (&[1], [&[1], &[0], &[5]]),
            (&[7], [&[1], &[1], &[1]]),
            (&[7], [&[0], &[1], &[0]]),
            (&[255], [&[0], &[1], &[2]]),
            (&[257], [&[1], &[0], &[0]]),
            (&[LONG], [&[1], &[0], &[2]]),
            (&[LONG], [&[1], &[2], &[1]]),
            (&[SIDE, SIDE], [&[SIDE, 1], &[0, 1], &[1, 0]]),
            (&[SIDE, SIDE], [&[1, 0], &[SIDE, 1], &[SIDE, 1]]),
            (&[SIDE, SIDE], [&[1, SIDE], &[SIDE, 1], &[0, 0]]),
            (&[2, 3, 70], [&[3, 1, 0], &[0, 5, 1], &[1, 0, 0]]),
            (&[3, 4, 5], [&[20, 5, 1], &[1, 0, 3], &[0, 0, 1]]),
            (&[2, 0, 5], [&[0, 5, 1], &[1, 0, 3], &[0, 0, 0]]),
            (&[SIDE, 1, SIDE], [&[SIDE, 7, 1], &[1, 0, 0], &[0, 0, 1]]),
        ];
        for (shape, strides) in cases {
            let [a, b, c] = [0, 1, 2].map(|i| Operand { data: &data[i * 5..], strides: strides[i] });
            let (x, y, z) = (packed(shape, a), packed(shape, b), packed(shape, c));
            let count = x.len();
            let of = |f: &dyn Fn(usize) -> f32| (0..count).map(f).collect::<Vec<_>>();
            let mut out = vec![0.0; count];

            map(Horner, shape, a, &mut out);
            assert_eq!(out, of(&|i| Unary::eval(Horner, x[i])), "map of {shape:?}");
            zip(Horner, shape, a, b, &mut out);
            assert_eq!(out, of(&|i| Binary::eval(Horner, x[i], y[i])), "zip of {shape:?}");
            zip3(Horner, shape, (a, b, c), &mut out);
            assert_eq!(out, of(&|i| Ternary::eval(Horner, x[i], y[i], z[i])), "zip3 of {shape:?}");

            let mut left = x.clone();
            map_in_place(Horner, &mut left);
            assert_eq!(left, of(&|i| Unary::eval(Horner, x[i])), "map_in_place of {shape:?}");
            let mut left = x.clone();
            zip_in_place(Horner, shape, &mut left, b);
            assert_eq!(left, of(&|i| Binary::eval(Horner, x[i], y[i])), "zip_in_place of {shape:?}");
        }
    }
}
