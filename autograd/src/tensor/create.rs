//! Making tensors. The plain names make `f32`; those that end in `_of` make any type, as in
//! `Tensor::zeros_of::<f64>([2, 3])`, so that nobody has to write a type that inference cannot find.

use super::dims::Dims;
use super::handle::Tensor;
use super::nested::{Nested, flatten};
use crate::kernels::element::{Element, Float, Number};
use crate::kernels::parallel;
use crate::rng::Rng;

impl Tensor<f32> {
    /// A tensor of `f32` from a number, nested arrays, slices or vectors.
    ///
    /// ```
    /// use autograd::Tensor;
    /// let x = Tensor::from([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]);
    /// assert_eq!(*x.shape(), [2, 3]);
    /// assert_eq!(Tensor::from(0.5).rank(), 0);
    /// ```
    ///
    /// # Panics
    /// If rows have different lengths.
    #[track_caller]
    #[allow(clippy::should_implement_trait)] // `From` could not fix the type at `f32`.
    pub fn from(values: impl Nested<f32>) -> Tensor {
        Tensor::of(values)
    }

    /// A tensor of whatever type the values have.
    ///
    /// ```
    /// use autograd::Tensor;
    /// let indices = Tensor::of([0_i64, 2, 1]);
    /// let mask = Tensor::of([[true, false], [false, true]]);
    /// assert_eq!(*mask.shape(), [2, 2]);
    /// # let _ = indices;
    /// ```
    ///
    /// # Panics
    /// If rows have different lengths.
    #[track_caller]
    pub fn of<T: Element>(values: impl Nested<T>) -> Tensor<T> {
        let (shape, values) = flatten(&values);
        Tensor::build_as("from_slice", shape, |out| out.copy_from_slice(&values))
    }

    /// A tensor of the given shape with these elements in row-major order.
    ///
    /// # Panics
    /// If there are not `shape.count()` of them.
    #[track_caller]
    pub fn from_slice<T: Element>(values: &[T], shape: impl Into<Dims>) -> Tensor<T> {
        let shape = shape.into();
        assert!(
            values.len() == shape.count(),
            "from_slice: {} values for shape {shape}, which takes {}",
            values.len(),
            shape.count()
        );
        Tensor::build_as("from_slice", shape, |out| out.copy_from_slice(values))
    }

    /// A tensor of the given shape whose element at row-major position `i` is `f(i)`.
    #[track_caller]
    pub fn from_fn<T: Element>(shape: impl Into<Dims>, f: impl FnMut(usize) -> T) -> Tensor<T> {
        Tensor::named_from_fn("from_fn", shape, f)
    }

    /// A tensor of the given shape whose rows, along the last axis, `fill` writes: it is given the number of a row, in
    /// row-major order, and the row. It must write every element: what it leaves out is whatever an earlier tensor had
    /// there. Threads share the rows, which is worth it for a data set of some millions of elements;
    /// [`from_fn`](Tensor::from_fn) goes through them one by one.
    ///
    /// A tensor without axes has one row of one element; of one without elements, `fill` is not called.
    ///
    /// ```
    /// use autograd::Tensor;
    /// let bytes = [0_u8, 51, 255, 102];
    /// let x = Tensor::from_rows([2, 2], |row, to: &mut [f32]| {
    ///     for (x, &byte) in to.iter_mut().zip(&bytes[2 * row..][..2]) {
    ///         *x = f32::from(byte) / 255.0;
    ///     }
    /// });
    /// assert_eq!(x.to_vec(), [0.0, 0.2, 1.0, 0.4]);
    /// ```
    #[track_caller]
    pub fn from_rows<T: Element>(shape: impl Into<Dims>, fill: impl Fn(usize, &mut [T]) + Sync) -> Tensor<T> {
        let shape = shape.into();
        let width = shape.last().copied().unwrap_or(1);
        Tensor::build_as("from_rows", shape, |out| {
            if out.is_empty() {
                return;
            }
            parallel::for_each_rows(out, width, |first, rows| {
                rows.chunks_exact_mut(width).enumerate().for_each(|(i, row)| fill(first + i, row));
            });
        })
    }

    #[track_caller]
    fn named_from_fn<T: Element>(
        name: &'static str,
        shape: impl Into<Dims>,
        mut f: impl FnMut(usize) -> T,
    ) -> Tensor<T> {
        Tensor::build_as(name, shape.into(), |out| out.iter_mut().enumerate().for_each(|(i, x)| *x = f(i)))
    }

    /// Zeros.
    #[track_caller]
    pub fn zeros(shape: impl Into<Dims>) -> Tensor {
        Tensor::full(shape, 0.0)
    }

    /// Zeros of any type.
    #[track_caller]
    pub fn zeros_of<T: Number>(shape: impl Into<Dims>) -> Tensor<T> {
        Tensor::full_of(shape, T::ZERO)
    }

    /// Ones.
    #[track_caller]
    pub fn ones(shape: impl Into<Dims>) -> Tensor {
        Tensor::full(shape, 1.0)
    }

    /// Ones of any type.
    #[track_caller]
    pub fn ones_of<T: Number>(shape: impl Into<Dims>) -> Tensor<T> {
        Tensor::full_of(shape, T::ONE)
    }

    /// `value` everywhere.
    #[track_caller]
    pub fn full(shape: impl Into<Dims>, value: f32) -> Tensor {
        Tensor::full_of(shape, value)
    }

    /// `value` everywhere, of any type.
    #[track_caller]
    pub fn full_of<T: Element>(shape: impl Into<Dims>, value: T) -> Tensor<T> {
        Tensor::build_as("full", shape.into(), |out| out.fill(value))
    }

    /// `start, start + step, …` up to, not including, `end`.
    ///
    /// ```
    /// use autograd::Tensor;
    /// assert_eq!(Tensor::arange(0.0, 1.0, 0.25).to_vec(), [0.0, 0.25, 0.5, 0.75]);
    /// ```
    ///
    /// # Panics
    /// If `step` is 0, or leads away from `end`.
    #[track_caller]
    pub fn arange(start: f32, end: f32, step: f32) -> Tensor {
        Tensor::arange_of(start, end, step)
    }

    /// [`arange`](Tensor::arange) of any type: `Tensor::arange_of(0_i64, 10, 2)`.
    ///
    /// # Panics
    /// If `step` is 0, or leads away from `end`.
    #[track_caller]
    pub fn arange_of<T: Number>(start: T, end: T, step: T) -> Tensor<T> {
        let count = (end.to_f64() - start.to_f64()) / step.to_f64();
        assert!(step != T::ZERO && count >= 0.0, "arange: from {start} to {end} in steps of {step} never arrives");
        // From the index each time, so that rounding does not add up.
        Tensor::from_fn(count.ceil() as usize, |i| T::from_f64(start.to_f64() + i as f64 * step.to_f64()))
    }

    /// `count` numbers at equal distances from `start` to `end`, both included.
    #[track_caller]
    pub fn linspace(start: f32, end: f32, count: usize) -> Tensor {
        Tensor::linspace_of(start, end, count)
    }

    /// [`linspace`](Tensor::linspace) of any float type.
    #[track_caller]
    pub fn linspace_of<T: Float>(start: T, end: T, count: usize) -> Tensor<T> {
        let (start, end, last) = (start.to_f64(), end.to_f64(), count.saturating_sub(1).max(1) as f64);
        // A weighted mean, which hits both ends exactly.
        Tensor::from_fn(count, |i| T::from_f64((start * (last - i as f64) + end * i as f64) / last))
    }

    /// The identity matrix of `n` rows.
    #[track_caller]
    pub fn eye(n: usize) -> Tensor {
        Tensor::eye_of(n)
    }

    /// The identity matrix of `n` rows, of any type.
    #[track_caller]
    pub fn eye_of<T: Number>(n: usize) -> Tensor<T> {
        Tensor::from_fn([n, n], |i| if i / n == i % n { T::ONE } else { T::ZERO })
    }

    /// Uniform random numbers from [0, 1).
    ///
    /// ```
    /// use autograd::{Rng, Tensor};
    /// let mut rng = Rng::seeded(7);
    /// let x = Tensor::rand([2, 3], &mut rng);
    /// assert!(x.iter().all(|x| (0.0..1.0).contains(&x)));
    /// ```
    #[track_caller]
    pub fn rand(shape: impl Into<Dims>, rng: &mut Rng) -> Tensor {
        Tensor::rand_of(shape, rng)
    }

    /// Uniform random numbers from [0, 1), of any float type.
    #[track_caller]
    pub fn rand_of<T: Float>(shape: impl Into<Dims>, rng: &mut Rng) -> Tensor<T> {
        // On the grid of `T`'s own numbers, rounded down: rounding to nearest could give 1.
        let steps = 2.0 / T::EPSILON.to_f64();
        Tensor::named_from_fn("rand", shape, |_| T::from_f64((rng.uniform() * steps).floor() / steps))
    }

    /// Random numbers from the standard normal distribution.
    #[track_caller]
    pub fn randn(shape: impl Into<Dims>, rng: &mut Rng) -> Tensor {
        Tensor::randn_of(shape, rng)
    }

    /// Random numbers from the standard normal distribution, of any float type.
    #[track_caller]
    pub fn randn_of<T: Float>(shape: impl Into<Dims>, rng: &mut Rng) -> Tensor<T> {
        Tensor::named_from_fn("randn", shape, |_| T::from_f64(rng.normal()))
    }

    /// Random integers from `low` to, not including, `high`.
    ///
    /// # Panics
    /// If there are none.
    #[track_caller]
    pub fn randint(low: i64, high: i64, shape: impl Into<Dims>, rng: &mut Rng) -> Tensor<i64> {
        assert!(low < high, "randint: no integer from {low} up to, not including, {high}");
        let span = high.abs_diff(low);
        Tensor::named_from_fn("randint", shape, |_| low.wrapping_add_unsigned(rng.below(span)))
    }
}

impl<T: Element> Tensor<T> {
    /// `value` everywhere, in the shape of this tensor.
    #[track_caller]
    pub fn full_like(&self, value: T) -> Tensor<T> {
        Tensor::full_of(*self.shape(), value)
    }
}

impl<T: Number> Tensor<T> {
    /// Zeros in the shape of this tensor.
    #[track_caller]
    pub fn zeros_like(&self) -> Tensor<T> {
        self.full_like(T::ZERO)
    }

    /// Ones in the shape of this tensor.
    #[track_caller]
    pub fn ones_like(&self) -> Tensor<T> {
        self.full_like(T::ONE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// With nothing to fill, with one number, and with so many rows that threads share them.
    #[test]
    fn rows_are_filled_once_each() {
        for shape in [&[][..], &[0], &[3, 0], &[0, 3], &[5], &[300, 7, 41], &[100_000, 1]] {
            let x = Tensor::from_rows(shape, |row, to| {
                let first = row * to.len();
                for (column, x) in to.iter_mut().enumerate() {
                    *x = (first + column) as f64;
                }
            });
            assert_eq!(*x.shape(), *shape);
            assert!(x.to_vec().into_iter().eq((0..shape.iter().product::<usize>()).map(|i| i as f64)), "{shape:?}");
        }
    }
}
