//! Reading the elements out.

use super::handle::Tensor;
use crate::kernels::element::Element;

impl<T: Element> Tensor<T> {
    /// The only element.
    ///
    /// # Panics
    /// If there is not exactly one.
    #[inline]
    #[track_caller]
    pub fn item(&self) -> T {
        assert!(self.count() == 1, "item: a tensor of shape {} has {} elements, not one", self.shape(), self.count());
        self.view()[0]
    }

    /// The elements in row-major order.
    pub fn to_vec(&self) -> Vec<T> {
        self.detach().contiguous().slice().to_vec()
    }

    /// The elements in row-major order, one at a time; copies nothing if they lie so in memory.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = T> + use<T> {
        let packed = self.detach().contiguous();
        (0..self.count()).map(move |i| packed.slice()[i])
    }

    /// The elements in row-major order as a slice, if they lie so in memory. Otherwise call
    /// [`contiguous`](Tensor::contiguous) first.
    pub fn try_slice(&self) -> Option<&[T]> {
        self.as_slice()
    }

    /// The element at `index`, which has one entry for each axis.
    ///
    /// # Panics
    /// If `index` has another number of entries or one of them is out of range.
    #[track_caller]
    pub fn value_at<const N: usize>(&self, index: [usize; N]) -> T {
        let in_range = N == self.rank() && index.iter().zip(self.shape().iter()).all(|(i, size)| i < size);
        assert!(in_range, "value_at: {index:?} in a tensor of shape {}", self.shape());
        self.view()[index.iter().zip(self.strides().iter()).map(|(i, stride)| i * stride).sum::<usize>()]
    }
}
