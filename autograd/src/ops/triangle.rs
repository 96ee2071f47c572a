//! Triangles and diagonals of matrices.
//!
//! ```text
//! y = tril(x, k)      y[i, j] = x[i, j] if j − i ≤ k, else 0      dx = tril(dy, k)
//! y = triu(x, k)      y[i, j] = x[i, j] if j − i ≥ k, else 0      dx = triu(dy, k)
//! y = diagonal(x, k)  y[i] = x[i, i + k]                          dx = dy on that diagonal of zeros
//! ```
//!
//! A diagonal is a view: its stride is the sum of those of the two axes.

use crate::graph::{Grads, Op};
use crate::kernels::element::Element;
use crate::kernels::parallel;
use crate::kernels::strided::offsets;
use crate::tensor::axes::resolve_axis;
use crate::tensor::layout::merged;
use crate::tensor::{Dims, Layout, Tensor};

// ---- tril, triu ----

/// One side of diagonal `k`, the diagonal included.
#[derive(Clone, Copy)]
struct Triangle {
    lower: bool,
    k: isize,
}

impl<T: Element> Op<T> for Triangle {
    const NAME: &'static str = "triangle";
    fn backward(self, dy: Tensor<T>, grads: &mut Grads<'_, T>) {
        grads.set(0, || dy.triangle(self));
    }
}

impl<T: Element> Tensor<T> {
    #[track_caller]
    fn triangle(&self, triangle: Triangle) -> Tensor<T> {
        let Triangle { lower, k } = triangle;
        let x = self.packed();
        let (rows, columns) = (self.size(-2), self.size(-1));
        let y = Tensor::build(*self.shape(), |out| {
            if out.is_empty() {
                return;
            }
            parallel::for_each_rows(out, columns, |first, out| {
                let x = &x.slice()[first * columns..];
                for (i, (y, x)) in out.chunks_exact_mut(columns).zip(x.chunks_exact(columns)).enumerate() {
                    // The first column beyond the diagonal, of the lower triangle; the first of the upper one.
                    let diagonal = ((first + i) % rows) as isize + k;
                    let cut = if lower { diagonal.saturating_add(1) } else { diagonal };
                    let cut = (cut.max(0) as usize).min(columns);
                    let (kept, zeroed) = if lower { (0..cut, cut..columns) } else { (cut..columns, 0..cut) };
                    y[kept.clone()].copy_from_slice(&x[kept]);
                    y[zeroed].fill(T::default());
                }
            });
        });
        y.recorded([self], || triangle)
    }

    /// The lower triangle of each matrix (the last two axes), as `torch.tril`: what lies above diagonal
    /// `k` becomes 0. Diagonal 0 is the main one, 1 the one above it.
    ///
    /// ```
    /// use autograd::Tensor;
    /// let x = Tensor::from([[1.0, 2.0], [3.0, 4.0]]);
    /// assert_eq!(x.tril(0).to_vec(), [1.0, 0.0, 3.0, 4.0]);
    /// ```
    ///
    /// # Panics
    /// If the tensor has fewer than two axes.
    #[track_caller]
    pub fn tril(&self, k: isize) -> Tensor<T> {
        assert!(self.rank() >= 2, "tril: a matrix is wanted, not a tensor of shape {}", self.shape());
        self.triangle(Triangle { lower: true, k })
    }

    /// The upper triangle of each matrix (the last two axes), as `torch.triu`: what lies below diagonal
    /// `k` becomes 0. Diagonal 0 is the main one, 1 the one above it.
    ///
    /// ```
    /// use autograd::Tensor;
    /// let mask = Tensor::full_of([3, 3], true).triu(1); // what a causal attention must not see
    /// assert_eq!(mask.to_vec(), [false, true, true, false, false, true, false, false, false]);
    /// ```
    ///
    /// # Panics
    /// If the tensor has fewer than two axes.
    #[track_caller]
    pub fn triu(&self, k: isize) -> Tensor<T> {
        assert!(self.rank() >= 2, "triu: a matrix is wanted, not a tensor of shape {}", self.shape());
        self.triangle(Triangle { lower: false, k })
    }
}

// ---- diagonal ----

/// Diagonal `k` of two axes.
#[derive(Clone, Copy)]
struct Diagonal {
    k: isize,
    axes: [usize; 2],
}

impl Diagonal {
    /// The layout of the diagonal of a tensor: the two axes disappear, and it becomes the last.
    fn of(self, layout: &Layout) -> Layout {
        let Diagonal { k, axes: [row, column] } = self;
        let (down, right) = ((-k).max(0) as usize, k.max(0) as usize);
        let size = |axis: usize, skipped: usize| layout.shape[axis].saturating_sub(skipped);
        let count = size(row, down).min(size(column, right));
        let first = if count == 0 { 0 } else { down * layout.strides[row] + right * layout.strides[column] };
        let rest = layout.shape.without(&self.axes);
        Layout {
            shape: rest.inserted(rest.len(), count),
            strides: layout
                .strides
                .without(&self.axes)
                .inserted(rest.len(), layout.strides[row] + layout.strides[column]),
            offset: layout.offset + first,
        }
    }
}

/// y = a diagonal of x.
#[derive(Clone, Copy)]
struct TakeDiagonal {
    diagonal: Diagonal,
    /// The shape of x.
    from: Dims,
}

impl<T: Element> Op<T> for TakeDiagonal {
    const NAME: &'static str = "diagonal";
    fn backward(self, dy: Tensor<T>, grads: &mut Grads<'_, T>) {
        grads.set(0, || dy.on_diagonal(self.diagonal, self.from));
    }
}

/// y = zeros, with x on a diagonal.
#[derive(Clone, Copy)]
struct OnDiagonal(Diagonal);

impl<T: Element> Op<T> for OnDiagonal {
    const NAME: &'static str = "diag_embed";
    fn backward(self, dy: Tensor<T>, grads: &mut Grads<'_, T>) {
        grads.set(0, || dy.take_diagonal(self.0));
    }
}

impl<T: Element> Tensor<T> {
    #[track_caller]
    fn take_diagonal(&self, diagonal: Diagonal) -> Tensor<T> {
        let from = *self.shape();
        self.with_layout(diagonal.of(self.layout())).recorded([self], || TakeDiagonal { diagonal, from })
    }

    /// Zeros of shape `shape` with this tensor on a diagonal.
    #[track_caller]
    fn on_diagonal(&self, diagonal: Diagonal, shape: Dims) -> Tensor<T> {
        let there = diagonal.of(&Layout::row_major(shape));
        let y = Tensor::build(shape, |out| {
            parallel::for_each_chunk(out, |_, out| out.fill(T::default()));
            let runs = merged(&there.shape, [&there.strides, self.strides()]);
            for [to, from] in offsets(&runs, 0..self.count()) {
                out[there.offset + to] = self.view()[from];
            }
        });
        y.recorded([self], || OnDiagonal(diagonal))
    }

    /// Diagonal `k` of the matrices that the axes `row` and `column` make, as `torch.diagonal`: these axes
    /// disappear, and the diagonal becomes the last. Diagonal 0 is the main one, 1 the one above it. A view.
    ///
    /// ```
    /// use autograd::Tensor;
    /// let x = Tensor::from([[1.0, 2.0], [3.0, 4.0]]);
    /// assert_eq!(x.diagonal(0, 0, 1).to_vec(), [1.0, 4.0]);
    /// assert_eq!(x.diagonal(1, 0, 1).to_vec(), [2.0]);
    /// ```
    ///
    /// # Panics
    /// If there is no such axis, or both are the same.
    #[track_caller]
    pub fn diagonal(&self, k: isize, row: isize, column: isize) -> Tensor<T> {
        let axes = [row, column].map(|axis| resolve_axis("diagonal", axis, self.rank()));
        assert!(axes[0] != axes[1], "diagonal: axis {row} and axis {column} of shape {} are the same", self.shape());
        self.take_diagonal(Diagonal { k, axes })
    }

    /// The square matrix (of each vector in a batch: the last axis) with this vector on diagonal `k` and
    /// zeros elsewhere, as `torch.diag_embed`: `[.., n]` to `[.., n + |k|, n + |k|]`.
    ///
    /// # Panics
    /// If the tensor is a scalar.
    #[track_caller]
    pub fn diag_embed(&self, k: isize) -> Tensor<T> {
        let size = self.shape()[resolve_axis("diag_embed", -1, self.rank())] + k.unsigned_abs();
        let row = self.rank() - 1;
        self.on_diagonal(Diagonal { k, axes: [row, row + 1] }, self.shape().replaced(&[row], size).inserted(row, size))
    }

    /// Of a matrix, diagonal `k`; of a vector, the matrix that has it on diagonal `k`. As `torch.diag`.
    ///
    /// ```
    /// use autograd::Tensor;
    /// let x = Tensor::from([1.0, 2.0]);
    /// assert_eq!(x.diag(0).to_vec(), [1.0, 0.0, 0.0, 2.0]);
    /// assert_eq!(x.diag(0).diag(0).to_vec(), [1.0, 2.0]);
    /// ```
    ///
    /// # Panics
    /// If the tensor is neither a matrix nor a vector.
    #[track_caller]
    pub fn diag(&self, k: isize) -> Tensor<T> {
        match self.rank() {
            1 => self.diag_embed(k),
            2 => self.diagonal(k, 0, 1),
            _ => panic!("diag: a vector or a matrix is wanted, not a tensor of shape {}", self.shape()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gradcheck::check_unary;

    #[test]
    fn gradients() {
        for k in [-1, 0, 2] {
            check_unary(|x| x.unsqueeze(0).tril(k) * 2.0);
            check_unary(|x| (x * x).unsqueeze(-1).triu(k));
            check_unary(|x| x.unsqueeze(1).repeat_interleave(2, 1).diagonal(k.min(1), 0, -1) * 2.0);
            check_unary(|x| x.diag_embed(k) * 2.0);
        }
    }

    #[test]
    fn triangles_of_matrices_that_are_not_square() {
        let x = Tensor::from_fn([2, 3], |i| i as i64 + 1);
        assert_eq!(x.tril(0).to_vec(), [1, 0, 0, 4, 5, 0]);
        assert_eq!(x.tril(-1).to_vec(), [0, 0, 0, 4, 0, 0]);
        assert_eq!(x.tril(9).to_vec(), x.to_vec());
        assert_eq!(x.triu(1).to_vec(), [0, 2, 3, 0, 0, 6]);
        assert_eq!(x.triu(-9).to_vec(), x.to_vec());
        assert_eq!(x.triu(3).to_vec(), [0; 6]);
        assert_eq!(x.t().tril(0).to_vec(), [1, 0, 2, 5, 3, 6]);
    }

    #[test]
    fn diagonals() {
        let x = Tensor::from_fn([2, 3, 4], |i| i as i64);
        assert!(x.diagonal(1, -2, -1).shares_storage(&x));
        assert_eq!(x.diagonal(1, -2, -1).to_vec(), [1, 6, 11, 13, 18, 23]);
        assert_eq!(x.diagonal(-1, 0, 2).to_vec(), [12, 16, 20]);
        assert_eq!(*x.diagonal(9, 1, 2).shape(), [2, 0]);
        let y = Tensor::from_fn([2, 2], |i| i as i64 + 1).diag_embed(-1);
        assert_eq!(y.to_vec(), [0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 0, 3, 0, 0, 0, 4, 0]);
    }

    #[test]
    #[should_panic(expected = "diagonal: axis 1 and axis -1 of shape [2, 3] are the same")]
    fn a_diagonal_of_one_axis_is_refused() {
        Tensor::zeros([2, 3]).diagonal(0, 1, -1);
    }
}
