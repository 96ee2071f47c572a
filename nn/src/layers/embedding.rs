//! A learnt vector for each symbol.

use crate::init;
use crate::module::{Module, Walk};
use crate::parameter::Parameter;
use autograd::ops::embedding::EmbeddingOptions;
use autograd::{Rng, Tensor};

/// The rows of a table at the given indices, as `torch.nn.Embedding`: indices of any shape `[…]`, each below
/// the number of rows, to `[…, width]`.
///
/// Parameter: `weight` `[rows, width]`, N(0, 1) at the start.
///
/// ```
/// use autograd::{Rng, Tensor};
/// use nn::Embedding;
/// let embedding = Embedding::new(27, 10, &mut Rng::seeded(0));
/// let y = embedding.forward(&Tensor::of([[0_i64, 5, 13], [5, 13, 13]]));
/// assert_eq!(*y.shape(), [2, 3, 10]);
/// ```
pub struct Embedding {
    /// `[rows, width]`
    pub weight: Parameter,
    /// A row that stands for nothing: it starts at zero and learns nothing.
    pub padding_idx: Option<usize>,
    /// Give the weight's gradient as the rows that were used ([`SparseRows`](autograd::graph::SparseRows)),
    /// for a large table and an optimiser that takes them.
    pub sparse: bool,
}

impl Embedding {
    /// A table of `rows` vectors of `width` numbers.
    pub fn new(rows: usize, width: usize, rng: &mut Rng) -> Embedding {
        Embedding::from_table(init::normal([rows, width], 0.0, 1.0, rng))
    }

    /// A table whose row `padding_idx` is zero and stays as it is.
    ///
    /// # Panics
    /// If there is no such row.
    #[track_caller]
    pub fn with_padding(rows: usize, width: usize, padding_idx: usize, rng: &mut Rng) -> Embedding {
        assert!(padding_idx < rows, "Embedding: padding_idx {padding_idx} is outside a table of {rows} rows");
        let mut table = init::normal([rows, width], 0.0, 1.0, rng);
        table.slice_mut()[padding_idx * width..(padding_idx + 1) * width].fill(0.0);
        Embedding { padding_idx: Some(padding_idx), ..Embedding::from_table(table) }
    }

    /// This table `[rows, width]`, to be trained further, as `Embedding.from_pretrained(table, freeze=False)`.
    ///
    /// # Panics
    /// If it is not a matrix.
    #[track_caller]
    pub fn from_table(table: Tensor) -> Embedding {
        assert!(table.rank() == 2, "Embedding: a table of shape {}; [rows, width] is wanted", table.shape());
        Embedding { weight: Parameter::new(table), padding_idx: None, sparse: false }
    }

    /// These vectors `[rows, width]`, learnt elsewhere, as PyTorch's `Embedding.from_pretrained`: frozen, they stay
    /// as they are, pass gradients to no one, and are saved with the model all the same.
    ///
    /// # Panics
    /// If they are no matrix.
    #[track_caller]
    pub fn from_pretrained(vectors: &Tensor, freeze: bool) -> Embedding {
        let embedding = Embedding::from_table(vectors.detach());
        embedding.weight.set_trainable(!freeze);
        embedding
    }

    /// With sparse gradients.
    pub fn sparse(self) -> Embedding {
        Embedding { sparse: true, ..self }
    }

    /// The rows at `indices`.
    ///
    /// # Panics
    /// If an index is negative or not below the number of rows.
    #[track_caller]
    pub fn forward(&self, indices: &Tensor<i64>) -> Tensor {
        let options = EmbeddingOptions { padding_idx: self.padding_idx, sparse: self.sparse };
        self.weight.value().embedding_with(indices, options)
    }
}

impl Module for Embedding {
    fn visit(&self, walk: &mut Walk<'_>) {
        let Embedding { weight, padding_idx: _, sparse: _ } = self;
        walk.child("weight", weight);
    }

    fn describe(&self) -> String {
        let shape = self.weight.shape();
        let padding = self.padding_idx.map(|row| format!(", padding_idx={row}")).unwrap_or_default();
        let sparse = if self.sparse { ", sparse=True" } else { "" };
        format!("Embedding({}, {}{padding}{sparse})", shape[0], shape[1])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::init::testing::Moments;
    use autograd::graph::Gradient;

    #[test]
    fn starts_from_the_standard_normal_distribution() {
        let table = Embedding::new(500, 200, &mut Rng::seeded(1)).weight.value();
        Moments { mean: 0.0, variance: 1.0, kurtosis: 3.0 }.check(&table);
    }

    #[test]
    fn the_padding_row_is_zero_and_learns_nothing() {
        for sparse in [false, true] {
            let embedding = Embedding { sparse, ..Embedding::with_padding(4, 2, 1, &mut Rng::seeded(2)) };
            let y = embedding.forward(&Tensor::of([1_i64, 3, 1, 3]));
            assert_eq!(y.narrow(0, 0, 1).to_vec(), [0.0, 0.0]);
            y.sum(..).backward();
            assert_eq!(embedding.weight.grad().unwrap().to_vec(), [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 2.0, 2.0]);
            assert_eq!(matches!(embedding.weight.gradient(), Some(Gradient::Sparse(_))), sparse);
        }
    }

    #[test]
    fn pretrained_vectors_learn_only_if_they_are_not_frozen() {
        use crate::optim::{Adam, AdamOptions, Optimizer};
        for freeze in [true, false] {
            let vectors = Tensor::from([[1.0, 2.0], [3.0, 4.0]]);
            let embedding = Embedding::from_pretrained(&vectors, freeze);
            let scale = Parameter::new(Tensor::ones([2]));
            let parameters = vec![embedding.weight.clone(), scale.clone()];
            let mut adam = Adam::new(parameters, AdamOptions { weight_decay: 0.1, ..Default::default() });
            (embedding.forward(&Tensor::of([0_i64, 1])) * scale.value()).sum(..).backward();
            adam.step();
            assert_eq!(embedding.weight.value().to_vec() == vectors.to_vec(), freeze);
            assert!(scale.value().to_vec() != [1.0, 1.0]);
            assert_eq!(embedding.state().len(), 1);
            assert_eq!(vectors.to_vec(), [1.0, 2.0, 3.0, 4.0], "the vectors that were given are not written to");
        }
    }

    #[test]
    fn describes_itself() {
        let mut rng = Rng::seeded(3);
        assert_eq!(Embedding::new(27, 10, &mut rng).describe(), "Embedding(27, 10)");
        let padded = Embedding::with_padding(27, 10, 0, &mut rng).sparse();
        assert_eq!(padded.describe(), "Embedding(27, 10, padding_idx=0, sparse=True)");
    }

    #[test]
    #[should_panic(expected = "embedding: index 4, at [1] of the indices, is outside a table of 4 rows")]
    fn an_index_outside_the_table_is_refused() {
        Embedding::new(4, 2, &mut Rng::seeded(4)).forward(&Tensor::of([0_i64, 4]));
    }
}
