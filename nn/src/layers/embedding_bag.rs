//! A learnt vector for each set of symbols.

use crate::init;
use crate::module::{Module, Walk};
use crate::parameter::Parameter;
use autograd::{BagMode, Bags, EmbeddingBagOptions, Rng, Tensor};

/// The sum, the mean or the maximum of a table's rows for each bag of indices, as `torch.nn.EmbeddingBag`: indices
/// `[B, n]`, or `[N]` with the offsets where each of the B bags begins, to `[B, width]`. It is how a text, or a
/// word's n-grams, become one vector whatever their number.
///
/// Parameter: `weight` `[rows, width]`, N(0, 1) at the start.
///
/// ```
/// use autograd::{BagMode, Bags, Rng, Tensor};
/// use nn::EmbeddingBag;
/// let mut rng = Rng::seeded(0);
/// let layer = EmbeddingBag::new(27, 10, BagMode::Mean, &mut rng);
/// assert_eq!(*layer.forward(&Tensor::of([[0_i64, 5, 13], [5, 13, 13]])).shape(), [2, 10]);
/// let offsets = Tensor::of([0_i64, 1]);
/// let indices = Tensor::of([4_i64, 7, 7]);
/// let bags = Bags { offsets: Some(&offsets), ..Bags::from(&indices) };
/// assert_eq!(*layer.forward(bags).shape(), [2, 10]);
/// ```
pub struct EmbeddingBag {
    /// `[rows, width]`
    pub weight: Parameter,
    /// What becomes of the rows of a bag, and which row counts for nothing.
    pub options: EmbeddingBagOptions,
}

impl EmbeddingBag {
    /// A table of `rows` vectors of `width` numbers.
    pub fn new(rows: usize, width: usize, mode: BagMode, rng: &mut Rng) -> EmbeddingBag {
        let weight = Parameter::new(init::normal([rows, width], 0.0, 1.0, rng));
        EmbeddingBag { weight, options: EmbeddingBagOptions { mode, ..Default::default() } }
    }

    /// A row for each bag.
    ///
    /// # Panics
    /// As [`Tensor::embedding_bag`].
    #[track_caller]
    pub fn forward<'a>(&self, bags: impl Into<Bags<'a, f32>>) -> Tensor {
        self.weight.value().embedding_bag(bags, self.options)
    }
}

impl Module for EmbeddingBag {
    fn visit(&self, walk: &mut Walk<'_>) {
        let EmbeddingBag { weight, options: _ } = self;
        walk.child("weight", weight);
    }

    fn describe(&self) -> String {
        let shape = self.weight.shape();
        let mode = format!("{:?}", self.options.mode).to_lowercase();
        let padding = self.options.padding_idx.map(|row| format!(", padding_idx={row}")).unwrap_or_default();
        let sparse = if self.options.sparse { ", sparse=True" } else { "" };
        format!("EmbeddingBag({}, {}, mode='{mode}'{padding}{sparse})", shape[0], shape[1])
    }
}
