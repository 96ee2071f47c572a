//! An operation of this example's own: the mean of some rows of a table, for many bags of rows at once.
//!
//! ```text
//! y[b] = 1/nᵦ · Σ table[row]  over the nᵦ rows of bag b        table: [V, D]   y: [B, D]
//! dtable[row] += dy[b]/nᵦ     for each place of the row in a bag
//! ```
//!
//! It agrees with `torch.nn.EmbeddingBag(mode="mean")`. Skip-gram looks words up with bags of one row, CBOW
//! averages the words of a context, and with subwords every word is the mean of its parts.
//!
//! The gradient is sparse: the rows used, ascending, each once. Which places each row has is worked out when the bags
//! are made, so that every row of the gradient is added up by itself, in a fixed order: the same bits at any
//! number of threads.

use crate::lists::Lists;
use crate::rows::{Term, combine};
use autograd::graph::SparseRows;
use autograd::kernels::parallel::for_each_block;
use autograd::kernels::simd::{Loop, vectorised};
use autograd::profile::timing;
use autograd::{Float, Grads, Op, Tensor};
use std::sync::Arc;

/// Rows of a table, in bags.
pub struct Bags {
    rows: Lists,
    /// The bag of each item of `rows`.
    bag_of: Vec<u32>,
    /// The rows that are used, ascending,
    used: Tensor<i64>,
    /// and their places among the items of `rows`.
    places: Lists,
}

impl Bags {
    /// # Panics
    /// If a bag is empty.
    pub fn new(rows: Lists) -> Bags {
        assert!(rows.iter().all(|bag| !bag.is_empty()), "Bags: an empty bag has no mean");
        let (used, places) = rows.distinct_places();
        Bags { bag_of: rows.owners(), used: Tensor::from_slice(&used, used.len()), places, rows }
    }

    /// The rows of each bag.
    pub fn rows(&self) -> &Lists {
        &self.rows
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.rows.len()
    }
}

/// Rows of a result that are calculated as one piece of work. Fixed, so that it does not depend on the threads.
pub const BLOCK: usize = 32;

#[derive(Clone)]
struct BagMean {
    bags: Arc<Bags>,
    /// The shape of the table.
    shape: [usize; 2],
}

/// The mean of each bag of rows of `table` `[V, D]`: `[B, D]`.
#[track_caller]
pub fn bag_mean<T: Float>(table: &Tensor<T>, bags: &Arc<Bags>) -> Tensor<T> {
    // The engine sees the history alone, and not the loops before it: they are a row of their own in a profile.
    let _timing = timing("loops of bag_mean");
    let &[rows, width] = &**table.shape() else { panic!("bag_mean: a table of shape {}", table.shape()) };
    let last = bags.used.iter().last().unwrap_or(-1);
    assert!(last < rows as i64, "bag_mean: row {last} of a table of {rows} rows");
    let packed = table.contiguous();
    let source = packed.try_slice().expect("made contiguous");
    let mut means = Tensor::zeros_of([bags.len(), width]);
    for_each_block(means.slice_mut(), BLOCK * width, bags.rows.items().len() * width, |block, out| {
        let terms_of = Forward { bags };
        vectorised(Sums { terms_of, first: block * BLOCK, source, width, out });
    });
    means.recorded([table], || BagMean { bags: bags.clone(), shape: [rows, width] })
}

impl<T: Float> Op<T> for BagMean {
    const NAME: &'static str = "bag_mean";

    fn backward(self, dy: Tensor<T>, grads: &mut Grads<'_, T>) {
        let BagMean { bags, shape } = self;
        if grads.create_graph() {
            // In tensor operations: each place takes its share of dy, and adds it to its row.
            grads.set(0, || {
                let shares: Vec<T> = bags
                    .bag_of
                    .iter()
                    .map(|&bag| T::from_f64(1.0 / bags.rows.get(bag as usize).len() as f64))
                    .collect();
                let bag_of: Vec<i64> = bags.bag_of.iter().map(|&bag| i64::from(bag)).collect();
                let rows: Vec<i64> = bags.rows.items().iter().map(|&row| i64::from(row)).collect();
                let count = rows.len();
                let dy = dy.embedding(&Tensor::from_slice(&bag_of, count)); // [items, D]
                let dy = dy * Tensor::from_slice(&shares, [count, 1]);
                Tensor::zeros_of(shape).index_add(0, &Tensor::from_slice(&rows, count), &dy) // [V, D]
            });
            return;
        }
        grads.set_rows(0, || {
            let (dy, width) = (dy.contiguous(), shape[1]);
            let source = dy.try_slice().expect("made contiguous");
            let mut values = Tensor::zeros_of([bags.places.len(), width]);
            for_each_block(values.slice_mut(), BLOCK * width, bags.rows.items().len() * width, |block, out| {
                let terms_of = Backward { bags: &bags };
                vectorised(Sums { terms_of, first: block * BLOCK, source, width, out });
            });
            SparseRows { indices: bags.used.clone(), values, shape: shape.into() }
        });
    }
}

/// Which rows, times which factors, make up one row of a result.
pub trait TermsOf<T> {
    /// Adds them to `terms`. Mark it `#[inline(always)]`.
    fn push(&self, row: usize, terms: &mut Vec<Term<T>>);
}

struct Forward<'a> {
    bags: &'a Bags,
}

impl<T: Float> TermsOf<T> for Forward<'_> {
    #[inline(always)]
    fn push(&self, bag: usize, terms: &mut Vec<Term<T>>) {
        let rows = self.bags.rows.get(bag);
        let factor = T::from_f64(1.0 / rows.len() as f64);
        for &row in rows {
            terms.push(Term { factor, row });
        }
    }
}

struct Backward<'a> {
    bags: &'a Bags,
}

impl<T: Float> TermsOf<T> for Backward<'_> {
    #[inline(always)]
    fn push(&self, row: usize, terms: &mut Vec<Term<T>>) {
        for &place in self.bags.places.get(row) {
            let bag = self.bags.bag_of[place as usize];
            terms.push(Term { factor: T::from_f64(1.0 / self.bags.rows.get(bag as usize).len() as f64), row: bag });
        }
    }
}

/// Some rows of a result, from row `first` on, each a sum of rows of `source`.
pub struct Sums<'a, T, F> {
    pub terms_of: F,
    pub first: usize,
    pub source: &'a [T],
    pub width: usize,
    pub out: &'a mut [T],
}

impl<T: Float, F: TermsOf<T>> Loop for Sums<'_, T, F> {
    type Out = ();
    #[inline(always)]
    fn run(self) {
        let mut terms = Vec::with_capacity(256);
        for (i, out) in self.out.chunks_exact_mut(self.width).enumerate() {
            terms.clear();
            self.terms_of.push(self.first + i, &mut terms);
            combine(&terms, self.source, out);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use autograd::Rng;
    use autograd::gradcheck::gradcheck_to_order;

    #[test]
    fn gradients() {
        let table = Tensor::randn_of::<f64>([9, 5], &mut Rng::seeded(1));
        for rows in [Lists::from([&[3][..], &[0, 3, 3], &[8, 1]]), Lists::from([&[2][..], &[2], &[0]])] {
            let bags = Arc::new(Bags::new(rows));
            gradcheck_to_order(&|x| bag_mean(&x[0], &bags).square(), std::slice::from_ref(&table), 2).unwrap();
        }
    }

    #[test]
    fn a_bag_is_the_mean_of_its_rows() {
        let table = Tensor::from([[0.0, 2.0], [4.0, 6.0], [5.0, 1.0]]).requires_grad();
        let bags = Arc::new(Bags::new(Lists::from([&[1, 0][..], &[2]])));
        let y = bag_mean(&table, &bags);
        assert_eq!(y.to_vec(), [2.0, 4.0, 5.0, 1.0]);
        (y * Tensor::from([[2.0, 4.0], [1.0, 3.0]])).sum(..).backward();
        assert_eq!(table.grad().unwrap().to_vec(), [1.0, 2.0, 1.0, 2.0, 1.0, 3.0]);
    }
}
