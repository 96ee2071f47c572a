//! Embeddings: a learnt vector for each of V symbols.
//!
//! ```text
//! y[…] = table[indices[…]]                       table: [V, D]   indices: any shape   y: [.., D]
//! dtable = zeros, to which dtable[indices[…]] += dy[…]
//! ```
//!
//! It is the product of one-hot rows with the table, without the multiplications by zero. Only the
//! indices are saved. A symbol that occurs several times gets the sum of its gradients; one that does
//! not occur gets zeros. For a large table that is mostly zeros, and
//! [`sparse`](EmbeddingOptions::sparse) hands on the rows of dy as they are, with their indices.

use super::index_select::{Selection, check_indices};
use crate::graph::{Grads, Op, SparseRows};
use crate::kernels::element::Element;
use crate::tensor::{Dims, Tensor};

/// How [`Tensor::embedding_with`] treats gradients.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EmbeddingOptions {
    /// A row that learns nothing: its gradient is zero. What forward reads there is unchanged.
    pub padding_idx: Option<usize>,
    /// Give the table's gradient as [`SparseRows`] instead of a `[V, D]` tensor. Under `create_graph` it
    /// is dense all the same, since it has to be differentiable.
    pub sparse: bool,
}

/// A look-up in a table.
#[derive(Clone)]
struct Embedding {
    /// The indices, flat.
    indices: Tensor<i64>,
    /// The shape of the table.
    shape: Dims,
    options: EmbeddingOptions,
}

impl<T: Element> Op<T> for Embedding {
    const NAME: &'static str = "embedding";
    fn backward(self, dy: Tensor<T>, grads: &mut Grads<'_, T>) {
        let Embedding { indices, shape, options: EmbeddingOptions { padding_idx, sparse } } = self;
        let skip = padding_idx.map(|row| row as i64);
        let flat = [indices.count(), shape[1]];
        if sparse && !grads.create_graph() {
            grads.set_rows(0, || without(skip, SparseRows { values: dy.reshape(flat), indices, shape }));
        } else {
            grads.set(0, || dy.reshape(flat).scattered(Selection { axis: 0, indices, skip }, shape[0]));
        }
    }
}

/// The rows but those with the index `skip`.
fn without<T: Element>(skip: Option<i64>, rows: SparseRows<T>) -> SparseRows<T> {
    let all = rows.indices.slice();
    if !all.iter().any(|&index| Some(index) == skip) {
        return rows;
    }
    let kept: Vec<i64> = (0..).zip(all).filter(|&(_, &index)| Some(index) != skip).map(|(row, _)| row).collect();
    let kept = Tensor::from_slice(&kept, kept.len());
    SparseRows { indices: rows.indices.index_select(0, &kept), values: rows.values.index_select(0, &kept), ..rows }
}

impl<T: Element> Tensor<T> {
    /// The rows of this table `[V, D]` at `indices` (any shape), as `torch.nn.functional.embedding`:
    /// indices `[B, T]` give `[B, T, D]`.
    ///
    /// ```
    /// use autograd::Tensor;
    /// let table = Tensor::from([[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]]);
    /// let y = table.embedding(&Tensor::of([[2_i64, 0]]));
    /// assert_eq!(*y.shape(), [1, 2, 2]);
    /// assert_eq!(y.to_vec(), [4.0, 5.0, 0.0, 1.0]);
    /// ```
    ///
    /// # Panics
    /// If this tensor is not a matrix, or an index is negative or not below V.
    #[track_caller]
    pub fn embedding(&self, indices: &Tensor<i64>) -> Tensor<T> {
        self.embedding_with(indices, EmbeddingOptions::default())
    }

    /// [`embedding`](Tensor::embedding) with options.
    ///
    /// ```
    /// use autograd::Tensor;
    /// use autograd::ops::embedding::EmbeddingOptions;
    /// let table = Tensor::zeros([3, 1]).requires_grad();
    /// let options = EmbeddingOptions { padding_idx: Some(0), ..Default::default() };
    /// table.embedding_with(&Tensor::of([2_i64, 0, 2]), options).sum(..).backward();
    /// assert_eq!(table.grad().unwrap().to_vec(), [0.0, 0.0, 2.0]);
    /// ```
    ///
    /// # Panics
    /// As [`embedding`](Tensor::embedding), and if `padding_idx` is not below V.
    #[track_caller]
    pub fn embedding_with(&self, indices: &Tensor<i64>, options: EmbeddingOptions) -> Tensor<T> {
        let &[rows, width] = &**self.shape() else {
            panic!("embedding: a table of shape {}; a matrix [V, D] is wanted", self.shape())
        };
        if let Some(row) = options.padding_idx {
            assert!(
                row < rows,
                "embedding: padding_idx {row} is outside a table of {rows} rows, of shape {}",
                self.shape()
            );
        }
        check_indices("embedding", indices, rows, || format!("a table of {rows} rows, of shape {}", self.shape()));
        let flat = indices.packed().with_shape(indices.count().into());
        let selection = Selection { axis: 0, indices: flat, skip: None };
        let y = self.pick(&selection).with_shape(indices.shape().inserted(indices.rank(), width));
        y.recorded([self], || Embedding { indices: selection.indices, shape: *self.shape(), options })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gradcheck::gradcheck_to_order;
    use crate::graph::Gradient;
    use crate::rng::Rng;

    fn padded(row: usize, sparse: bool) -> EmbeddingOptions {
        EmbeddingOptions { padding_idx: Some(row), sparse }
    }

    #[test]
    fn gradients() {
        let mut rng = Rng::seeded(4);
        let table = [Tensor::randn_of::<f64>([4, 3], &mut rng)];
        let index_sets = [
            Tensor::of([1_i64, 3, 1]),
            Tensor::of([[0_i64, 2], [2, 2]]),
            Tensor::of([[[0_i64], [3]], [[3], [1]]]).transpose(0, 1),
            Tensor::full_of(Dims::SCALAR, 2_i64),
        ];
        for indices in &index_sets {
            gradcheck_to_order(&|x| x[0].embedding(indices), &table, 3).unwrap();
            gradcheck_to_order(&|x| (&x[0] * &x[0]).embedding(indices), &table, 3).unwrap();
            let few = Tensor::of([2_i64, 1, 2]);
            gradcheck_to_order(&|x| x[0].t().embedding(&few) * 2.0, &table, 2).unwrap();
            gradcheck_to_order(&|x| x[0].sliced(1, 0, 2, 2).embedding(indices), &table, 2).unwrap();
            gradcheck_to_order(
                &|x| x[0].embedding_with(indices, EmbeddingOptions { sparse: true, ..Default::default() }),
                &table,
                2,
            )
            .unwrap();
        }
    }

    /// The padding row is read like any other but learns nothing, in first and second derivatives:
    /// the same as a look-up in a table whose padding row is detached.
    #[test]
    fn the_padding_row_learns_nothing() {
        let mut rng = Rng::seeded(5);
        let values = Tensor::randn_of::<f64>([4, 3], &mut rng);
        let indices = Tensor::of([[1_i64, 3], [3, 0]]);
        let mask = Tensor::of([[1.0, 1.0, 1.0, 0.0]]).t(); // [4, 1]
        for sparse in [false, true] {
            let derivatives = |look_up: &dyn Fn(&Tensor<f64>) -> Tensor<f64>| {
                let table = values.requires_grad();
                let y = look_up(&table);
                let loss = (&y * &y * &y).sum(..);
                let options = crate::GradOptions { create_graph: true, ..Default::default() };
                let first = crate::grad(&[&loss], &[&table], options).remove(0);
                let second = crate::grad(&[&(&first * &first).sum(..)], &[&table], Default::default()).remove(0);
                [y.to_vec(), first.to_vec(), second.to_vec()]
            };
            let ours = derivatives(&|table| table.embedding_with(&indices, padded(3, sparse)));
            let masked = derivatives(&|table| (table * &mask + table.detach() * (-&mask + 1.0)).embedding(&indices));
            assert_eq!(ours, masked);
        }
    }

    #[test]
    fn a_sparse_gradient_is_the_dense_one_in_rows() {
        let indices = Tensor::of([2_i64, 0, 3, 2]);
        let gradient = |sparse| {
            let table = Tensor::arange(0.0, 8.0, 1.0).reshape([4, 2]).requires_grad();
            let y = table.embedding_with(&indices, padded(0, sparse));
            (&y * &y).sum(..).backward();
            table.gradient().unwrap()
        };
        let Gradient::Sparse(rows) = gradient(true) else { panic!("sparse was asked for") };
        assert_eq!(rows.indices.to_vec(), [2, 3, 2], "without the padding row");
        assert_eq!(rows.to_dense().to_vec(), gradient(false).into_dense().to_vec());
        assert_eq!(rows.to_dense().to_vec(), [0.0, 0.0, 0.0, 0.0, 16.0, 20.0, 12.0, 14.0]);
    }

    #[test]
    fn no_indices_and_no_columns() {
        let none = Tensor::from_slice::<i64>(&[], [0, 3]);
        assert_eq!(*Tensor::zeros([2, 5]).embedding(&none).shape(), [0, 3, 5]);
        assert_eq!(*Tensor::zeros([2, 0]).embedding(&Tensor::of([1_i64])).shape(), [1, 0]);
    }

    #[test]
    #[should_panic(
        expected = "embedding: index 27, at [1, 0] of the indices, is outside a table of 27 rows, of shape \
                               [27, 50]; indices go from 0 to 26"
    )]
    fn an_index_outside_the_table_is_refused() {
        Tensor::zeros([27, 50]).embedding(&Tensor::of([[0_i64, 26], [27, 1]]));
    }
}
