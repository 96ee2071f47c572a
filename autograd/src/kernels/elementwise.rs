//! Element-wise kernels: one function, applied to the elements of one operand, of two or of three, each
//! broadcast with its own strides.
//!
//! The functions are types with an `#[inline(always)]` method rather than closures, because only what
//! is inlined is compiled for the instruction set of the loop around it (see [`simd`](super::simd)).
//! They are plain arithmetic without fused multiply-add, so an element-wise result is the same bits on
//! every instruction set.
//!
//! Every kernel here is the same loop, `SideBySide`, and that is all that is compiled for each function, type and
//! instruction set. Which elements it gets is decided outside, in `broadcast`: an operand whose elements do not lie
//! side by side is copied, a block at a time, to where they do. The copy stays in the first cache, so broadcasting
//! costs little more than reading.

use super::parallel;
use super::simd::{Loop, vectorised};
use super::strided::{Run, copy_row, merged, offsets};

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
#[inline(never)]
pub fn update<A: Copy + Send, B: Copy + Sync, F: Binary<A, B>>(f: F, a: &mut [A], b: &[B]) {
    assert_eq!(a.len(), b.len());
    parallel::for_each_chunk(a, |start, a| {
        let (b, none) = (&b[start..start + a.len()], &NONE.data[..a.len()]);
        vectorised(SideBySide { step: ZipInPlace(f), a: b, b: none, c: none, out: a });
    });
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
#[inline(never)]
fn run<A, B, C, U, F>(step: F, shape: &[usize], operands: Operands<'_, A, B, C>, out: &mut [U])
where
    A: Copy + Sync,
    B: Copy + Sync,
    C: Copy + Sync,
    U: Send,
    F: Step<A, B, C, U>,
{
    broadcast(shape, operands, out, &|a, b, c, out| vectorised(SideBySide { step, a, b, c, out }));
}

// ANCHOR: loop
/// The loop: as many elements of each operand as of the output, side by side.
struct SideBySide<'a, F, A, B, C, U> {
    step: F,
    a: &'a [A],
    b: &'a [B],
    c: &'a [C],
    out: &'a mut [U],
}

impl<A: Copy, B: Copy, C: Copy, U, F: Step<A, B, C, U>> Loop for SideBySide<'_, F, A, B, C, U> {
    type Out = ();
    #[inline(always)]
    fn run(self) {
        for (((y, &a), &b), &c) in self.out.iter_mut().zip(self.a).zip(self.b).zip(self.c) {
            self.step.write(y, a, b, c);
        }
    }
}
// ANCHOR_END: loop

/// A loop over elements that lie side by side.
type Straight<'a, A, B, C, U> = &'a (dyn Fn(&[A], &[B], &[C], &mut [U]) + Sync);

/// Runs `straight` on all elements of `out`, part by part, each with the elements of the operands that belong to it.
/// Compiled once for each combination of types, whatever the function is.
#[inline(never)]
fn broadcast<A, B, C, U>(
    shape: &[usize],
    (a, b, c): Operands<'_, A, B, C>,
    out: &mut [U],
    straight: Straight<'_, A, B, C, U>,
) where
    A: Copy + Sync,
    B: Copy + Sync,
    C: Copy + Sync,
    U: Send,
{
    assert_eq!(out.len(), shape.iter().product::<usize>());
    if out.is_empty() {
        return;
    }
    let runs = merged(shape, [a.strides, b.strides, c.strides]);
    let (a, b, c) = (a.data, b.data, c.data);
    match *runs {
        [] => straight(&a[..1], &b[..1], &c[..1], out),
        [inner] => parallel::for_each_chunk(out, |start, out| {
            let [at_a, at_b, at_c] = inner.strides.map(|stride| start * stride);
            let inner = Run { size: out.len(), ..inner };
            Rows { inner, outer: &[], first: 0 }.run((&a[at_a..], &b[at_b..], &c[at_c..]), out, straight);
        }),
        [ref outer @ .., inner] => parallel::for_each_rows(out, inner.size, |first, out| {
            Rows { inner, outer, first }.run((a, b, c), out, straight);
        }),
    }
}

/// Elements that are copied at a time: 1 KiB an operand in `f32`.
const BLOCK: usize = 256;

/// Some rows of the output.
struct Rows<'a> {
    /// A row.
    inner: Run<3>,
    /// The runs over rows.
    outer: &'a [Run<3>],
    /// The number of the first row.
    first: usize,
}

impl Rows<'_> {
    fn run<A: Copy, B: Copy, C: Copy, U>(
        &self,
        (a, b, c): (&[A], &[B], &[C]),
        out: &mut [U],
        straight: Straight<'_, A, B, C, U>,
    ) {
        let size = self.inner.size;
        let count = out.len() / size;
        let mut starts = offsets(self.outer, self.first..self.first + count);
        // Short rows go together, as many as a block holds.
        let together = if count > 1 { (BLOCK / size).max(1) } else { 1 };
        let (mut a, mut b, mut c) = (self.side(a, 0, together), self.side(b, 1, together), self.side(c, 2, together));
        // Without a copy to make, a row is one part.
        let direct = a.is_direct() && b.is_direct() && c.is_direct();
        let part = if together == 1 && direct { size } else { BLOCK };
        // Where the rows of a block begin.
        let mut places = [[0; 3]; BLOCK];
        for rows in out.chunks_mut(together * size) {
            if together == 1 {
                let Some([at_a, at_b, at_c]) = starts.next() else { return };
                for (i, out) in rows.chunks_mut(part).enumerate() {
                    let (start, len) = (i * part, out.len());
                    straight(a.part(at_a, start, len), b.part(at_b, start, len), c.part(at_c, start, len), out);
                }
            } else {
                let places = &mut places[..rows.len() / size];
                for place in places.iter_mut() {
                    let Some(start) = starts.next() else { return };
                    *place = start;
                }
                straight(a.rows(places, 0, size), b.rows(places, 1, size), c.rows(places, 2, size), rows);
            }
        }
    }

    /// An operand, the `index`-th, of which so many rows are wanted together.
    fn side<'a, T: Copy>(&self, data: &'a [T], index: usize, together: usize) -> Side<'a, T> {
        let stride = self.inner.strides[index];
        // Whether each row begins where the one before ends.
        let mut end = self.inner.size;
        let dense = self.outer.iter().rev().all(|run| {
            let follows = run.strides[index] == end;
            end *= run.size;
            follows
        });
        if size_of::<T>() == 0 || stride == 1 && (together == 1 || dense) {
            Side::Direct(data)
        } else {
            Side::Copied(Copied { data, stride, copy: [data[0]; BLOCK], repeated: (0, BLOCK) })
        }
    }
}

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
    /// Of an operand that repeats one element along a row: which one `copy` begins with, and how often.
    repeated: (usize, usize),
}

impl<T: Copy> Side<'_, T> {
    fn is_direct(&self) -> bool {
        matches!(self, Side::Direct(_))
    }

    /// Elements `start..start + len` of the row that begins at `at`.
    fn part(&mut self, at: usize, start: usize, len: usize) -> &[T] {
        match self {
            Side::Direct(data) => &data[at + start..at + start + len],
            Side::Copied(side) => side.part(at, start, len),
        }
    }

    /// Rows of `size` elements, of which operand `index` begins at these places.
    fn rows(&mut self, places: &[[usize; 3]], index: usize, size: usize) -> &[T] {
        match self {
            Side::Direct(data) => &data[places[0][index]..][..places.len() * size],
            Side::Copied(side) => {
                for (row, place) in side.copy.chunks_exact_mut(size).zip(places) {
                    copy_row(&side.data[place[index]..], side.stride, row);
                }
                &side.copy[..places.len() * size]
            }
        }
    }
}

impl<T: Copy> Copied<'_, T> {
    fn part(&mut self, at: usize, start: usize, len: usize) -> &[T] {
        let copy = &mut self.copy[..len];
        if self.stride > 0 {
            copy_row(&self.data[at + start * self.stride..], self.stride, copy);
        } else if self.repeated.0 != at || self.repeated.1 < len {
            copy.fill(self.data[at]);
            self.repeated = (at, len);
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
            // Short rows, of which a block holds several.
            (&[LONG / 3, 3], [&[3, 1], &[1, 0], &[0, 1]]),
            (&[LONG / 3, 3], [&[4, 1], &[0, 0], &[6, 2]]),
            (&[2, 200], [&[200, 1], &[0, 1], &[201, 1]]),
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
