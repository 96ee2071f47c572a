//! The order of the steps, and where in memory each of them lies.
//!
//! What is kept lies in the order in which it is used: block after block of rows, in a block step after step, in a step
//! row after row. What a step reads and writes is one piece of memory then. Where sequences lie one after the other,
//! `[B, T, …]`, the rows of a step are T rows apart, which often is a multiple of 4 kB, and addresses with the same
//! last digits push each other out of the caches.

use crate::kernels::element::Float;
use crate::kernels::parallel;

/// Rows of the batch to a block, at the most. Fewer would read the weights more often, more would leave threads without
/// work at the usual batch of 32.
const ROWS: usize = 16;

/// Rows to a block. A batch that would be one full block, or one and a bit, goes in two halves.
pub(super) fn block_rows(batch: usize) -> usize {
    if (ROWS..2 * ROWS).contains(&batch) { batch.div_ceil(2) } else { ROWS }
}

/// The order of the steps.
#[derive(Clone, Copy, Debug, Default)]
pub struct Order<'a> {
    /// From the last step to the first.
    pub reverse: bool,
    /// How many steps of each row count, the rest being padding; all, if empty. Over padding the state stays as it is.
    pub lengths: &'a [usize],
}

impl Order<'_> {
    /// The step of a sequence of `steps` that forward takes after `taken` others; and how many it has taken before a
    /// step.
    #[inline]
    pub(super) fn step(self, taken: usize, steps: usize) -> usize {
        if self.reverse { steps - 1 - taken } else { taken }
    }

    #[inline(always)]
    pub(super) fn is_padding(self, row: usize, t: usize) -> bool {
        !self.lengths.is_empty() && t >= self.lengths[row]
    }
}

/// B, T, I and H.
#[derive(Clone, Copy, Debug)]
pub struct Sizes {
    /// B
    pub batch: usize,
    /// T
    pub steps: usize,
    /// I
    pub inputs: usize,
    /// H
    pub hidden: usize,
}

impl Sizes {
    /// B·T
    pub const fn places(self) -> usize {
        self.batch * self.steps
    }

    /// The width of what is kept of the cell for each place: four gates, and c before the step.
    pub const fn cell_width(self) -> usize {
        5 * self.hidden
    }

    /// The width of what the gates follow from: x, and h before the step.
    pub const fn joint_width(self) -> usize {
        self.inputs + self.hidden
    }

    /// The place of a row at the step that comes after so many others.
    fn place(self, row: usize, taken: usize) -> usize {
        let most = block_rows(self.batch);
        let first = row / most * most;
        first * self.steps + taken * most.min(self.batch - first) + (row - first)
    }

    /// The row of a place, and how many steps come before.
    fn row_of(self, place: usize) -> [usize; 2] {
        let most = block_rows(self.batch);
        let first = place / (most * self.steps) * most;
        let (within, rows) = (place - first * self.steps, most.min(self.batch - first));
        [first + within % rows, within / rows]
    }

    /// Copies x `[B, T, I]` to its places, the first I columns of `[B·T, I + H]`.
    pub fn place_inputs<T: Float>(self, order: Order<'_>, x: &[T], joint: &mut [T]) {
        let (inputs, width) = (self.inputs, self.joint_width());
        parallel::for_each_rows(joint, width, |first, joint| {
            for (place, to) in joint.chunks_exact_mut(width).enumerate() {
                let [row, taken] = self.row_of(first + place);
                let from = (row * self.steps + order.step(taken, self.steps)) * inputs;
                to[..inputs].copy_from_slice(&x[from..][..inputs]);
            }
        });
    }

    /// Copies `[B·T, I]` from its places to dx `[B, T, I]`.
    pub fn collect_inputs<T: Float>(self, order: Order<'_>, places: &[T], dx: &mut [T]) {
        let inputs = self.inputs;
        parallel::for_each_rows(dx, inputs, |first, dx| {
            for (i, to) in dx.chunks_exact_mut(inputs).enumerate() {
                let (row, t) = ((first + i) / self.steps, (first + i) % self.steps);
                let from = self.place(row, order.step(t, self.steps)) * inputs;
                to.copy_from_slice(&places[from..][..inputs]);
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// There and back, with so many elements that threads share them.
    #[test]
    fn inputs_find_their_way_back() {
        for reverse in [false, true] {
            let (sizes, order) =
                (Sizes { batch: 33, steps: 64, inputs: 40, hidden: 1 }, Order { reverse, lengths: &[] });
            let x: Vec<f32> = (0..sizes.places() * 40).map(|i| i as f32).collect();
            assert!(x.len() > parallel::ELEMENTS);
            let mut joint = vec![0.0; sizes.places() * sizes.joint_width()];
            sizes.place_inputs(order, &x, &mut joint);
            let places: Vec<f32> = joint.chunks_exact(41).flat_map(|row| &row[..40]).copied().collect();
            assert!(places != x);
            let mut back = vec![0.0; x.len()];
            sizes.collect_inputs(order, &places, &mut back);
            assert!(back == x);
        }
    }

    /// For batches of one block and of several, even and uneven.
    #[test]
    fn each_place_is_of_one_row_and_step() {
        for batch in [1, 3, 16, 17, 31, 32, 33, 50] {
            let sizes = Sizes { batch, steps: 5, inputs: 1, hidden: 1 };
            let mut places: Vec<usize> = (0..batch)
                .flat_map(|row| (0..5).map(move |taken| (row, taken)))
                .map(|(row, taken)| {
                    let place = sizes.place(row, taken);
                    assert_eq!(sizes.row_of(place), [row, taken]);
                    place
                })
                .collect();
            places.sort_unstable();
            assert!(places.into_iter().eq(0..sizes.places()));
        }
    }
}
