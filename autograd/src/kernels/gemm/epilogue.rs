//! What a product does to each element of C on its way to memory, beyond `alpha` and `beta`.

use super::GemmFloat;
use super::microkernel::Finish;
use std::ptr::null;

/// A function applied to every element of the result, after the biases.
#[derive(Clone, Copy, Default)]
pub enum Activation<'a, T> {
    /// The result as it is.
    #[default]
    None,
    /// max(0, x), while the tile is in registers. NaN stays NaN.
    Relu,
    /// Any element-wise function, given as a loop over a slice. It is called once for every element, on
    /// runs of neighbours (up to a row of a block) that are still in the cache they were written to,
    /// from several threads at once.
    Map(&'a (dyn Fn(&mut [T]) + Sync)),
}

/// C = activation(alpha·A·B + beta·C + row_bias + col_bias).
///
/// Biases and relu act on the registers that hold a finished tile: they cost no pass over C. An
/// activation that is a function is given runs of a finished block while it is in the L2 cache.
#[derive(Clone, Copy)]
pub(super) struct Epilogue<'a, T> {
    pub alpha: T,
    pub beta: T,
    /// One value a row of C: what a convolution adds to each channel.
    pub row_bias: Option<&'a [T]>,
    /// One value a column of C: what a linear layer adds to each feature.
    pub col_bias: Option<&'a [T]>,
    pub activation: Activation<'a, T>,
}

impl<T: GemmFloat> Epilogue<'_, T> {
    /// What a kernel does at the end of a block whose first element is (i, j): `first` and `last` say whether
    /// the block's part of k is.
    #[inline]
    pub fn finish(&self, [i, j]: [usize; 2], first: bool, last: bool) -> Finish<T> {
        let bias = |bias: Option<&[T]>, at: usize| bias.filter(|_| last).map_or(null(), |bias| bias[at..].as_ptr());
        let (alpha, beta) = (self.alpha, if first { self.beta } else { T::ONE });
        let (row_bias, col_bias) = (bias(self.row_bias, i), bias(self.col_bias, j));
        let relu = last && matches!(self.activation, Activation::Relu);
        let plain = alpha == T::ONE && beta == T::ZERO && row_bias.is_null() && col_bias.is_null() && !relu;
        Finish { alpha, beta, row_bias, col_bias, relu, plain }
    }

    /// The same for the transposed problem.
    pub fn t(self) -> Self {
        Epilogue { row_bias: self.col_bias, col_bias: self.row_bias, ..self }
    }
}
