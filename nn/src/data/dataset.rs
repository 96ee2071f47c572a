//! Sets of examples.

use autograd::{Number, Rng, Tensor};
use std::sync::Arc;

/// A set of examples that can be taken out by number, several at once.
pub trait Dataset: Send + Sync {
    /// Several examples together.
    type Batch: Send + 'static;

    /// How many examples there are.
    fn len(&self) -> usize;

    /// Whether there are none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The examples of these numbers, in this order.
    ///
    /// # Panics
    /// If a number is not below [`len`](Dataset::len).
    #[track_caller]
    fn batch(&self, indices: &[usize]) -> Self::Batch;
}

/// Two tensors whose first axes count the same examples: inputs and targets, as `torch.utils.data.TensorDataset`.
#[derive(Clone)]
pub struct TensorDataset<X: Number = f32, Y: Number = f32> {
    x: Tensor<X>,
    y: Tensor<Y>,
}

impl<X: Number, Y: Number> TensorDataset<X, Y> {
    /// The set of the rows of `x` `[N, …]` and `y` `[N, …]`.
    ///
    /// # Panics
    /// If the tensors have other numbers of rows, or none is there to count.
    #[track_caller]
    pub fn new(x: Tensor<X>, y: Tensor<Y>) -> TensorDataset<X, Y> {
        let fits = x.rank() > 0 && y.rank() > 0 && x.size(0) == y.size(0);
        assert!(
            fits,
            "TensorDataset: tensors of shapes {} and {}; their first axes must be the same",
            x.shape(),
            y.shape()
        );
        TensorDataset { x: x.detach(), y: y.detach() }
    }
}

impl<X: Number, Y: Number> Dataset for TensorDataset<X, Y> {
    type Batch = (Tensor<X>, Tensor<Y>);

    fn len(&self) -> usize {
        self.x.size(0)
    }

    #[track_caller]
    fn batch(&self, indices: &[usize]) -> Self::Batch {
        let rows: Vec<i64> = indices.iter().map(|&i| i as i64).collect();
        let rows = Tensor::from_slice(&rows, rows.len()); // [B]
        (self.x.index_select(0, &rows), self.y.index_select(0, &rows))
    }
}

/// Some examples of a set.
pub struct Subset<D> {
    dataset: Arc<D>,
    indices: Vec<usize>,
}

impl<D> Subset<D> {
    /// Which examples of the whole set these are.
    pub fn indices(&self) -> &[usize] {
        &self.indices
    }
}

impl<D: Dataset> Dataset for Subset<D> {
    type Batch = D::Batch;

    fn len(&self) -> usize {
        self.indices.len()
    }

    #[track_caller]
    fn batch(&self, indices: &[usize]) -> D::Batch {
        let indices: Vec<usize> = indices.iter().map(|&i| self.indices[i]).collect();
        self.dataset.batch(&indices)
    }
}

/// Cuts a set into random parts of the given sizes, as `torch.utils.data.random_split`.
///
/// # Panics
/// If the sizes do not add up to that of the set.
#[track_caller]
pub fn random_split<D: Dataset, const N: usize>(dataset: D, sizes: [usize; N], rng: &mut Rng) -> [Subset<D>; N] {
    assert!(
        sizes.iter().sum::<usize>() == dataset.len(),
        "random_split: parts of sizes {sizes:?} of {} examples",
        dataset.len()
    );
    let mut order: Vec<usize> = (0..dataset.len()).collect();
    rng.shuffle(&mut order);
    let dataset = Arc::new(dataset);
    let mut rest = &order[..];
    sizes.map(|size| {
        let (part, others) = rest.split_at(size);
        rest = others;
        Subset { dataset: dataset.clone(), indices: part.to_vec() }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_split_holds_every_example_once() {
        let data = TensorDataset::new(Tensor::arange(0.0, 10.0, 1.0), Tensor::arange_of(0_i64, 10, 1));
        let parts = random_split(data, [7, 0, 3], &mut Rng::seeded(3));
        assert_eq!(parts.each_ref().map(Dataset::len), [7, 0, 3]);
        let mut all: Vec<usize> = parts.iter().flat_map(|part| part.indices().to_vec()).collect();
        let (x, y) = parts[2].batch(&[1, 0]);
        assert_eq!(y.to_vec(), [parts[2].indices()[1] as i64, parts[2].indices()[0] as i64]);
        assert_eq!(x.to_vec(), y.to_vec().iter().map(|&i| i as f32).collect::<Vec<_>>());
        all.sort_unstable();
        assert_eq!(all, (0..10).collect::<Vec<_>>());
    }

    #[test]
    #[should_panic(expected = "TensorDataset: tensors of shapes [2, 3] and [3]")]
    fn tensors_of_other_lengths_are_refused() {
        TensorDataset::new(Tensor::zeros([2, 3]), Tensor::zeros([3]));
    }
}
