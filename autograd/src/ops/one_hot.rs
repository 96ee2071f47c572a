//! Indices as rows with a single one.
//!
//! ```text
//! y[…, c] = 1 if indices[…] = c, else 0
//! ```
//!
//! Indices are integers, so there is no gradient. Where a one-hot matrix would only be multiplied by a
//! table, [`embedding`](Tensor::embedding) does the same without it; where it would only pick the
//! probability of a target, [`gather`](Tensor::gather) does.

use super::index_select::check_indices;
use crate::kernels::element::Number;
use crate::tensor::Tensor;

impl Tensor<i64> {
    /// Each index as a row of `classes` zeros with a one at the index, in `f32`: `[..]` to
    /// `[.., classes]`. As `torch.nn.functional.one_hot`, whose result is of integers.
    ///
    /// ```
    /// use autograd::Tensor;
    /// let y = Tensor::of([2_i64, 0]).one_hot(3);
    /// assert_eq!(y.to_vec(), [0.0, 0.0, 1.0, 1.0, 0.0, 0.0]);
    /// ```
    ///
    /// # Panics
    /// If an index is negative or not below `classes`.
    #[track_caller]
    pub fn one_hot(&self, classes: usize) -> Tensor {
        self.one_hot_of(classes)
    }

    /// [`one_hot`](Tensor::one_hot) of any type: `indices.one_hot_of::<i64>(10)`.
    ///
    /// # Panics
    /// As [`one_hot`](Tensor::one_hot).
    #[track_caller]
    pub fn one_hot_of<T: Number>(&self, classes: usize) -> Tensor<T> {
        check_indices("one_hot", self, classes, || format!("{classes} classes"));
        let indices = self.packed();
        Tensor::build_on_zeros(self.shape().inserted(self.rank(), classes), |out| {
            for (row, &index) in indices.slice().iter().enumerate() {
                out[row * classes + index as usize] = T::ONE;
            }
        })
        .unrecorded("one_hot")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tensor::Dims;

    #[test]
    fn any_shape_and_type() {
        let indices = Tensor::of([[0_i64, 1], [2, 2]]).t();
        let y = indices.one_hot_of::<i64>(3);
        assert_eq!(*y.shape(), [2, 2, 3]);
        assert_eq!(y.to_vec(), [1, 0, 0, 0, 0, 1, 0, 1, 0, 0, 0, 1]);
        assert_eq!(Tensor::full_of(Dims::SCALAR, 1_i64).one_hot(2).to_vec(), [0.0, 1.0]);
        assert_eq!(*Tensor::from_slice::<i64>(&[], [0]).one_hot(2).shape(), [0, 2]);
    }

    #[test]
    #[should_panic(expected = "one_hot: index 3, at [1] of the indices, is outside 3 classes; indices go from 0 to 2")]
    fn an_index_outside_is_refused() {
        Tensor::of([0_i64, 3]).one_hot(3);
    }
}
