//! Bags of embeddings: one vector for each of B sets of symbols.
//!
//! ```text
//! y[b] = Σ w[j]·table[indices[j]]        over the j of bag b       table: [V, D]   indices: [N]   y: [B, D]
//!        (1/n)·Σ table[indices[j]]       n: how many there are
//!        max table[indices[j]]           for each of the D columns
//! ```
//!
//! It is the look-up, then a sum over rows that belong together, both of which are differentiable and say what they
//! save: [`embedding`](super::embedding), [`index_add`](super::index_select), and for the maximum
//! [`gather`](super::gather) of the elements that won. A bag without rows is zero.

use super::embedding::EmbeddingOptions;
use super::index_select::check_indices;
use crate::kernels::element::Number;
use crate::tensor::{Dims, Tensor};

/// What becomes of the rows of a bag.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BagMode {
    /// They are added up.
    Sum,
    /// Their mean.
    #[default]
    Mean,
    /// The largest of each column. The first of several gets the gradient; a NaN wins over all (in PyTorch only if
    /// it is the first).
    Max,
}

/// How [`Tensor::embedding_bag`] makes one row of many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EmbeddingBagOptions {
    /// What becomes of the rows.
    pub mode: BagMode,
    /// An index that does not count: it adds nothing, makes a mean no smaller, and its row learns nothing.
    pub padding_idx: Option<usize>,
    /// Give the table's gradient as rows, as [`EmbeddingOptions::sparse`].
    pub sparse: bool,
    /// The last offset is no start but the end of the last bag, which is the end of the indices: `offsets` has one
    /// more element than there are bags.
    pub include_last_offset: bool,
}

/// Which symbols are in which bag.
#[derive(Clone, Copy)]
pub struct Bags<'a, T: Number> {
    /// `[B, n]`, a bag in each row; or `[N]`, with offsets.
    pub indices: &'a Tensor<i64>,
    /// `[B]`, where in the indices each bag begins. The first is 0.
    pub offsets: Option<&'a Tensor<i64>>,
    /// A factor for each index, in the shape of the indices. For sums only.
    pub weights: Option<&'a Tensor<T>>,
}

impl<'a, T: Number> From<&'a Tensor<i64>> for Bags<'a, T> {
    /// A bag in each row.
    fn from(indices: &'a Tensor<i64>) -> Bags<'a, T> {
        Bags { indices, offsets: None, weights: None }
    }
}

impl<T: Number> Bags<'_, T> {
    /// Where each bag begins, and where the last one ends.
    #[track_caller]
    fn bounds(&self, include_last_offset: bool) -> Vec<usize> {
        let Bags { indices, offsets, weights } = self;
        let count = indices.count();
        let weights_shape = weights.map(|weights| *weights.shape()).unwrap_or(*indices.shape());
        assert!(
            weights_shape == *indices.shape(),
            "embedding_bag: weights of shape {weights_shape} for indices of shape {}",
            indices.shape()
        );
        match (&**indices.shape(), offsets) {
            (&[bags, width], None) => (0..=bags).map(|bag| bag * width).collect(),
            (&[_], Some(offsets)) => {
                let starts = offsets.to_vec();
                let grows = starts.windows(2).all(|pair| pair[0] <= pair[1]);
                let fits = starts.first().is_none_or(|&first| first == 0)
                    && starts.last().is_none_or(|&last| last <= count as i64);
                assert!(
                    offsets.rank() == 1 && grows && fits,
                    "embedding_bag: offsets {starts:?} of shape {}; a vector that grows from 0 to {count} at most, \
                     how many indices there are, is wanted",
                    offsets.shape()
                );
                assert!(
                    !include_last_offset || starts.last() == Some(&(count as i64)),
                    "embedding_bag: offsets {starts:?}; with include_last_offset the last one is {count}, how many \
                     indices there are"
                );
                let end = (!include_last_offset).then_some(count);
                starts.into_iter().map(|start| start as usize).chain(end).collect()
            }
            (_, None) => {
                panic!("embedding_bag: indices of shape {} without offsets; [bags, n] is wanted", indices.shape())
            }
            (_, Some(_)) => {
                panic!("embedding_bag: indices of shape {} with offsets; a vector is wanted", indices.shape())
            }
        }
    }
}

impl<T: Number> Tensor<T> {
    /// One row for each bag of rows of this table `[V, D]`: `[B, D]`, as `torch.nn.functional.embedding_bag`.
    ///
    /// ```
    /// use autograd::Tensor;
    /// use autograd::ops::embedding_bag::{BagMode, Bags, EmbeddingBagOptions};
    /// let table = Tensor::from([[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]]);
    /// // A bag in each row.
    /// let mean = table.embedding_bag(&Tensor::of([[0_i64, 2], [1, 1]]), EmbeddingBagOptions::default());
    /// assert_eq!(mean.to_vec(), [2.0, 3.0, 2.0, 3.0]);
    /// // Bags of one, none and two.
    /// let (indices, offsets) = (Tensor::of([2_i64, 0, 1]), Tensor::of([0_i64, 1, 1]));
    /// let bags = Bags { offsets: Some(&offsets), ..Bags::from(&indices) };
    /// let sum = table.embedding_bag(bags, EmbeddingBagOptions { mode: BagMode::Sum, ..Default::default() });
    /// assert_eq!(sum.to_vec(), [4.0, 5.0, 0.0, 0.0, 2.0, 4.0]);
    /// ```
    ///
    /// # Panics
    /// If this tensor is not a matrix; an index is negative or not below V, or `padding_idx` is not; offsets are
    /// given with a matrix of indices, or not with a vector, or do not grow from 0; weights have another shape than
    /// the indices, or the mode is not [`BagMode::Sum`]; the last offset is not the number of indices with
    /// `include_last_offset` (PyTorch takes others too, and then divides a mean by another number than it adds up).
    #[track_caller]
    pub fn embedding_bag<'a>(&self, bags: impl Into<Bags<'a, T>>, options: EmbeddingBagOptions) -> Tensor<T> {
        let bags = bags.into();
        let EmbeddingBagOptions { mode, padding_idx, sparse, include_last_offset } = options;
        assert!(
            bags.weights.is_none() || mode == BagMode::Sum,
            "embedding_bag: weights are for BagMode::Sum, not for {mode:?}"
        );
        assert!(self.rank() == 2, "embedding_bag: a table of shape {}; [V, D] is wanted", self.shape());
        let table_rows = self.shape()[0];
        if let Some(row) = padding_idx {
            assert!(row < table_rows, "embedding_bag: padding_idx {row} is outside a table of {table_rows} rows");
        }
        let bounds = bags.bounds(include_last_offset);
        check_indices("embedding_bag", bags.indices, table_rows, || format!("a table of shape {}", self.shape()));
        let count = bounds.len() - 1;
        // What counts: which index is in which bag, without padding.
        let indices = bags.indices.to_vec();
        let skip = padding_idx.map(|row| row as i64);
        let (mut kept, mut bag_of) = (Vec::with_capacity(indices.len()), Vec::with_capacity(indices.len()));
        let mut sizes = vec![0_usize; count];
        for (bag, bound) in bounds.windows(2).enumerate() {
            for place in bound[0]..bound[1] {
                if Some(indices[place]) != skip {
                    kept.push(place as i64);
                    bag_of.push(bag as i64);
                    sizes[bag] += 1;
                }
            }
        }
        let all = kept.len() == indices.len();
        let vector = |values: &[i64]| Tensor::from_slice(values, values.len());
        let picked: Vec<i64> = kept.iter().map(|&place| indices[place as usize]).collect();
        let look_up = EmbeddingOptions { padding_idx, sparse };
        let mut rows = self.embedding_with(&vector(&picked), look_up); // [n, D]
        if let Some(weights) = bags.weights {
            let flat = weights.reshape(weights.count());
            let flat = if all { flat } else { flat.index_select(0, &vector(&kept)) };
            rows = &rows * &flat.reshape([kept.len(), 1]);
        }
        let zeros = Tensor::zeros_of::<T>([count, self.shape()[1]]);
        match mode {
            BagMode::Sum => zeros.index_add(0, &vector(&bag_of), &rows),
            BagMode::Mean => {
                let shares: Vec<T> = sizes.iter().map(|&size| T::from_f64(1.0 / size.max(1) as f64)).collect();
                zeros.index_add(0, &vector(&bag_of), &rows) * Tensor::from_slice(&shares, [count, 1])
            }
            BagMode::Max => {
                let filled: Vec<i64> = (0..count).filter(|&bag| sizes[bag] > 0).map(|bag| bag as i64).collect();
                let winners = winners(&rows, sizes.iter().copied().filter(|&size| size > 0));
                zeros.index_add(0, &vector(&filled), &rows.gather(0, &winners))
            }
        }
    }
}

/// For each column of groups of so many rows, which row has the largest element: the first of equals, and a NaN
/// before all others.
fn winners<T: Number>(rows: &Tensor<T>, groups: impl Iterator<Item = usize>) -> Tensor<i64> {
    let rows = rows.packed();
    let (values, width) = (rows.slice(), rows.shape()[1]);
    let (mut winners, mut first) = (Vec::new(), 0);
    for size in groups {
        let begin = winners.len();
        winners.resize(begin + width, first as i64);
        for row in first + 1..first + size {
            for (column, winner) in winners[begin..].iter_mut().enumerate() {
                let (best, x) = (values[*winner as usize * width + column], values[row * width + column]);
                if x > best || (x.is_nan() && !best.is_nan()) {
                    *winner = row as i64;
                }
            }
        }
        first += size;
    }
    let bags = winners.len().checked_div(width).unwrap_or(0);
    Tensor::from_slice(&winners, Dims::from([bags, width]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gradcheck::gradcheck_to_order;
    use crate::rng::Rng;

    const MODES: [BagMode; 3] = [BagMode::Sum, BagMode::Mean, BagMode::Max];

    #[test]
    fn gradients() {
        let mut rng = Rng::seeded(6);
        // No two alike, nor their squares: a maximum has a kink where two are equal.
        let table = Tensor::from_fn([5, 3], |i| 0.1 + (i * 7 % 15) as f64 / 10.0);
        let weights = Tensor::randn_of::<f64>([6], &mut rng);
        let (indices, offsets) = (Tensor::of([1_i64, 3, 3, 0, 4, 2]), Tensor::of([0_i64, 2, 2, 5]));
        let bags = Bags { offsets: Some(&offsets), ..Bags::from(&indices) };
        for mode in MODES {
            for padding_idx in [None, Some(3), Some(2)] {
                for sparse in [false, true] {
                    let options = EmbeddingBagOptions { mode, padding_idx, sparse, ..Default::default() };
                    gradcheck_to_order(&|x| x[0].embedding_bag(bags, options), std::slice::from_ref(&table), 2)
                        .unwrap();
                    gradcheck_to_order(
                        &|x| (&x[0] * &x[0]).embedding_bag(bags, options),
                        std::slice::from_ref(&table),
                        2,
                    )
                    .unwrap();
                }
            }
        }
        for padding_idx in [None, Some(3)] {
            let options = EmbeddingBagOptions { mode: BagMode::Sum, padding_idx, ..Default::default() };
            let weighted = |x: &[Tensor<f64>]| x[0].embedding_bag(Bags { weights: Some(&x[1]), ..bags }, options);
            gradcheck_to_order(&weighted, &[table.clone(), weights.clone()], 2).unwrap();
        }
    }

    /// What PyTorch 2.15's `embedding_bag` gives for a table of 0.5, 1, -1.5, … and this bag, and its gradients for
    /// dy = 1, 2, 3, ….
    #[test]
    fn values_are_those_of_pytorch() {
        let table = Tensor::from([[0.5, 1.0], [-1.5, 2.0], [3.0, -0.25], [0.5, 4.0]]);
        let (indices, offsets) = (Tensor::of([1_i64, 3, 3, 0, 2, 1]), Tensor::of([0_i64, 2, 2, 5]));
        let weights = Tensor::from([0.5, 2.0, -1.0, 1.5, 0.25, 3.0]);
        let run = |mode, padding_idx, weights: Option<&Tensor>| {
            let table = table.requires_grad();
            let bags = Bags { indices: &indices, offsets: Some(&offsets), weights };
            let options = EmbeddingBagOptions { mode, padding_idx, ..Default::default() };
            let y = table.embedding_bag(bags, options);
            let dy = Tensor::arange(1.0, (y.count() + 1) as f32, 1.0).reshape(*y.shape());
            (&y * dy).sum(..).backward();
            (y.to_vec(), table.grad().unwrap().to_vec())
        };
        // Sums of at most three numbers of a few bits, but for thirds.
        let check = |(y, dx): (Vec<f32>, Vec<f32>), expected_y: &[f32], expected_dx: &[f32]| {
            for (found, expected) in [(y, expected_y), (dx, expected_dx)] {
                let close = |(a, b): (&f32, &f32)| (a - b).abs() <= 2.0 * f32::EPSILON * b.abs();
                assert!(
                    found.len() == expected.len() && found.iter().zip(expected).all(close),
                    "{found:?} {expected:?}"
                );
            }
        };
        check(
            run(BagMode::Sum, None, None),
            &[-1.0, 6.0, 0.0, 0.0, 4.0, 4.75, -1.5, 2.0],
            &[5.0, 6.0, 8.0, 10.0, 5.0, 6.0, 6.0, 8.0],
        );
        check(
            run(BagMode::Sum, None, Some(&weights)),
            &[0.25, 9.0, 0.0, 0.0, 1.0, -2.5625, -4.5, 6.0],
            &[7.5, 9.0, 21.5, 25.0, 1.25, 1.5, -3.0, -2.0],
        );
        check(
            run(BagMode::Sum, Some(3), None),
            &[-1.5, 2.0, 0.0, 0.0, 3.5, 0.75, -1.5, 2.0],
            &[5.0, 6.0, 8.0, 10.0, 5.0, 6.0, 0.0, 0.0],
        );
        check(
            run(BagMode::Sum, Some(3), Some(&weights)),
            &[-0.75, 1.0, 0.0, 0.0, 1.5, 1.4375, -4.5, 6.0],
            &[7.5, 9.0, 21.5, 25.0, 1.25, 1.5, 0.0, 0.0],
        );
        check(
            run(BagMode::Mean, None, None),
            &[-0.5, 3.0, 0.0, 0.0, 1.3333334, 1.5833334, -1.5, 2.0],
            &[1.6666667, 2.0, 7.5, 9.0, 1.6666667, 2.0, 2.1666667, 3.0],
        );
        check(
            run(BagMode::Mean, Some(3), None),
            &[-1.5, 2.0, 0.0, 0.0, 1.75, 0.375, -1.5, 2.0],
            &[2.5, 3.0, 8.0, 10.0, 2.5, 3.0, 0.0, 0.0],
        );
        check(
            run(BagMode::Max, None, None),
            &[0.5, 4.0, 0.0, 0.0, 3.0, 4.0, -1.5, 2.0],
            &[0.0, 0.0, 7.0, 8.0, 5.0, 0.0, 1.0, 8.0],
        );
        check(
            run(BagMode::Max, Some(3), None),
            &[-1.5, 2.0, 0.0, 0.0, 3.0, 1.0, -1.5, 2.0],
            &[0.0, 6.0, 8.0, 10.0, 5.0, 0.0, 0.0, 0.0],
        );
    }

    #[test]
    fn a_matrix_of_indices_has_a_bag_in_each_row() {
        let table = Tensor::arange(0.0, 8.0, 1.0).reshape([4, 2]);
        let matrix = Tensor::of([[3_i64, 1, 1], [2, 0, 3]]);
        let flat = matrix.reshape(6);
        let with_offsets = Bags { offsets: Some(&Tensor::of([0_i64, 3])), ..Bags::from(&flat) };
        for mode in MODES {
            let options = EmbeddingBagOptions { mode, ..Default::default() };
            let expected = table.embedding_bag(with_offsets, options).to_vec();
            assert_eq!(table.embedding_bag(&matrix, options).to_vec(), expected);
        }
        let bounds = Bags { offsets: Some(&Tensor::of([0_i64, 3, 6])), ..with_offsets };
        let options = EmbeddingBagOptions { include_last_offset: true, ..Default::default() };
        assert_eq!(
            table.embedding_bag(bounds, options).to_vec(),
            table.embedding_bag(with_offsets, Default::default()).to_vec()
        );
        let nothing = Tensor::from_slice::<i64>(&[], [2, 0]);
        for mode in MODES {
            let options = EmbeddingBagOptions { mode, ..Default::default() };
            assert_eq!(table.embedding_bag(&nothing, options).to_vec(), [0.0; 4]);
        }
    }

    #[test]
    fn a_maximum_passes_a_nan_on() {
        let table = Tensor::from([[1.0], [f32::NAN], [3.0]]);
        let options = EmbeddingBagOptions { mode: BagMode::Max, ..Default::default() };
        let y = table.embedding_bag(&Tensor::of([[0_i64, 1, 2], [2, 0, 2]]), options).to_vec();
        assert!(y[0].is_nan() && y[1] == 3.0);
    }

    #[test]
    #[should_panic(
        expected = "embedding_bag: offsets [0, 3, 2] of shape [3]; a vector that grows from 0 to 4 at most, \
                               how many indices there are, is wanted"
    )]
    fn offsets_that_go_back_are_refused() {
        let (indices, offsets) = (Tensor::of([0_i64, 1, 0, 1]), Tensor::of([0_i64, 3, 2]));
        let bags = Bags { offsets: Some(&offsets), ..Bags::from(&indices) };
        Tensor::zeros([2, 2]).embedding_bag(bags, EmbeddingBagOptions::default());
    }

    #[test]
    #[should_panic(expected = "embedding_bag: weights are for BagMode::Sum, not for Mean")]
    fn weights_of_a_mean_are_refused() {
        let (indices, weights) = (Tensor::of([[0_i64, 1]]), Tensor::zeros([1, 2]));
        let bags = Bags { weights: Some(&weights), ..Bags::from(&indices) };
        Tensor::zeros([2, 2]).embedding_bag(bags, EmbeddingBagOptions::default());
    }

    #[test]
    #[should_panic(expected = "embedding_bag: index 3, at [1, 0] of the indices, is outside a table of shape [3, 1]")]
    fn an_index_beyond_the_table_is_refused_where_it_stands() {
        // Padding before it does not move it.
        let options = EmbeddingBagOptions { padding_idx: Some(0), ..Default::default() };
        Tensor::zeros([3, 1]).embedding_bag(&Tensor::of([[0_i64, 0], [3, 1]]), options);
    }

    #[test]
    #[should_panic(expected = "embedding_bag: a table of shape [3]; [V, D] is wanted")]
    fn a_vector_is_no_table() {
        Tensor::zeros([3]).embedding_bag(&Tensor::of([[0_i64]]), EmbeddingBagOptions::default());
    }

    #[test]
    #[should_panic(expected = "embedding_bag: padding_idx 3 is outside a table of 3 rows")]
    fn a_padding_row_beyond_the_table_is_refused() {
        let options = EmbeddingBagOptions { padding_idx: Some(3), ..Default::default() };
        Tensor::zeros([3, 1]).embedding_bag(&Tensor::of([[0_i64]]), options);
    }
}
