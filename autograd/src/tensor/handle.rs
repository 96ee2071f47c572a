//! The handle: shared storage, a layout over it, and perhaps a history.

use super::dims::Dims;
use super::layout::Layout;
use crate::graph::History;
use crate::kernels::element::{Element, Number};
use crate::kernels::strided;
use crate::memory::Buffer;
use crate::profile::{self, Timer, What};
use std::panic::Location;
use std::sync::Arc;

/// An n-dimensional array that may know how it was calculated.
///
/// A tensor is an immutable value and a cheap handle: cloning it, and taking views of it
/// (transposing, slicing, broadcasting, reshaping where possible), copies no element. Storage is
/// written in place only where a single handle owns it.
///
/// The element type `T` is `f32` (the default), `f64`, `i64` or `bool`. Tensors of floats may carry a
/// *history*, the [graph](crate::graph) that [`backward`](Tensor::backward) walks.
///
/// ```
/// use autograd::Tensor;
/// let x = Tensor::from([[1.0, 2.0], [3.0, 4.0]]).requires_grad();
/// let y = (&x * &x).sum(..);
/// y.backward();
/// assert_eq!(x.grad().unwrap().to_vec(), [2.0, 4.0, 6.0, 8.0]);
/// ```
// ANCHOR: tensor
pub struct Tensor<T: Element = f32> {
    values: Arc<Values<T>>,
    // The only upward reference between the floors: a tensor and its history name each other.
    pub(crate) history: History<T>,
}

/// A tensor without its history. Behind a pointer, because tensors are handed from function to function, saved and
/// given back many times in a step, and a layout alone is nineteen numbers.
struct Values<T> {
    storage: Arc<Buffer<T>>,
    layout: Layout,
}
// ANCHOR_END: tensor

impl<T: Element> Clone for Tensor<T> {
    #[inline]
    fn clone(&self) -> Self {
        Tensor { values: self.values.clone(), history: self.history.clone() }
    }
}

impl<T: Element> Tensor<T> {
    /// The output of a kernel: `fill` writes all `shape.count()` elements.
    #[inline]
    pub(crate) fn build(shape: Dims, fill: impl FnOnce(&mut [T])) -> Tensor<T> {
        let count = shape.count();
        let _timing = profile::part(count * size_of::<T>());
        Tensor::fill(count, shape, fill)
    }

    /// The same for a tensor that is made from no other, by an operation of this name.
    #[inline]
    #[track_caller]
    pub(crate) fn build_as(name: &'static str, shape: Dims, fill: impl FnOnce(&mut [T])) -> Tensor<T> {
        let (count, line) = (shape.count(), Location::caller());
        let _timing = profile::on().then(|| Timer::whole(What { name, shape, line }, count * size_of::<T>()));
        Tensor::fill(count, shape, fill)
    }

    /// Without history.
    #[inline]
    fn on(storage: Arc<Buffer<T>>, layout: Layout) -> Tensor<T> {
        Tensor { values: Arc::new(Values { storage, layout }), history: History::NONE }
    }

    #[inline]
    fn fill(count: usize, shape: Dims, fill: impl FnOnce(&mut [T])) -> Tensor<T> {
        let mut buffer = Buffer::recycled(count);
        fill(&mut buffer);
        Tensor::on(Arc::new(buffer), Layout::row_major(shape))
    }

    /// One number as part of an operation.
    pub(crate) fn scalar(value: T) -> Tensor<T> {
        Tensor::build(Dims::SCALAR, |out| out.fill(value))
    }

    /// The same values without history: gradients stop here.
    #[inline]
    pub fn detach(&self) -> Tensor<T> {
        Tensor { values: self.values.clone(), history: History::NONE }
    }

    /// Other elements of the same storage, or the same elements in another order; without history.
    #[inline]
    pub(crate) fn with_layout(&self, layout: Layout) -> Tensor<T> {
        Tensor::on(self.values.storage.clone(), layout)
    }

    /// The size of each axis.
    #[inline]
    pub fn shape(&self) -> &Dims {
        &self.values.layout.shape
    }

    /// How far apart neighbours along each axis lie in memory, in elements.
    #[inline]
    pub fn strides(&self) -> &Dims {
        &self.values.layout.strides
    }

    /// Shape, strides and offset.
    #[inline]
    pub fn layout(&self) -> &Layout {
        &self.values.layout
    }

    /// The number of axes.
    #[inline]
    pub fn rank(&self) -> usize {
        self.values.layout.shape.len()
    }

    /// The number of elements.
    #[inline]
    pub fn count(&self) -> usize {
        self.values.layout.shape.count()
    }

    /// The size of one axis; a negative one counts from the end.
    ///
    /// # Panics
    /// If there is no such axis.
    #[inline]
    #[track_caller]
    pub fn size(&self, axis: isize) -> usize {
        self.values.layout.shape[super::axes::resolve_axis("size", axis, self.rank())]
    }

    /// Whether the elements lie one behind the other in row-major order.
    #[inline]
    pub fn is_contiguous(&self) -> bool {
        self.values.layout.is_contiguous()
    }

    /// Whether two handles look at the same storage.
    pub fn shares_storage(&self, other: &Tensor<T>) -> bool {
        Arc::ptr_eq(&self.values.storage, &other.values.storage)
    }

    /// The storage from this tensor's first element on. Index it with this tensor's strides.
    #[inline]
    pub(crate) fn view(&self) -> &[T] {
        // An empty view of a view may start behind the end.
        self.values.storage.get(self.values.layout.offset..).unwrap_or(&[])
    }

    /// The elements in row-major order, if they lie so in memory.
    #[inline]
    pub(crate) fn as_slice(&self) -> Option<&[T]> {
        let start = self.values.layout.offset;
        self.is_contiguous()
            .then(|| if self.count() == 0 { &[][..] } else { &self.values.storage[start..start + self.count()] })
    }

    /// These elements in row-major order in memory; copies them only if they are not already. Without history.
    #[inline]
    pub(crate) fn packed(&self) -> Tensor<T> {
        if self.is_contiguous() {
            return self.detach();
        }
        Tensor::build(self.values.layout.shape, |out| strided::copy(self.view(), self.shape(), self.strides(), out))
    }

    /// The elements of a tensor that [`packed`](Tensor::packed) returned.
    #[inline]
    pub(crate) fn slice(&self) -> &[T] {
        self.as_slice().expect("the tensor is packed")
    }

    /// The elements for writing, if no other handle shares them and they are row-major.
    #[inline]
    pub(crate) fn slice_mut_if_unique(&mut self) -> Option<&mut [T]> {
        if !self.is_contiguous() {
            return None;
        }
        let (start, count) = (self.values.layout.offset, self.count());
        let storage = Arc::get_mut(&mut Arc::get_mut(&mut self.values)?.storage)?;
        Some(if count == 0 { &mut [] } else { &mut storage[start..start + count] })
    }

    // ANCHOR: slice_mut
    /// The elements in row-major order for writing in place.
    ///
    /// If another handle shares the storage, this handle first moves to a copy of its own, so no other
    /// handle ever sees a value change. The history is left as it is: this is how an optimiser updates
    /// a leaf. On a tensor with a calculated history the gradient would no longer be that of its values.
    pub fn slice_mut(&mut self) -> &mut [T] {
        if self.slice_mut_if_unique().is_none() {
            let own = Tensor::build_as("slice_mut", self.values.layout.shape, |out| {
                strided::copy(self.view(), self.shape(), self.strides(), out);
            });
            self.values = own.values;
        }
        self.slice_mut_if_unique().expect("just made unique and row-major")
    }
    // ANCHOR_END: slice_mut
}

impl<T: Number> Tensor<T> {
    /// The output of a kernel that adds to what is there: `fill` starts from zeros.
    #[inline]
    pub(crate) fn build_on_zeros(shape: Dims, fill: impl FnOnce(&mut [T])) -> Tensor<T> {
        Tensor::build(shape, |out| {
            out.fill(T::ZERO);
            fill(out);
        })
    }
}
