//! The recurrent part of an LSTM over a sequence, forward and backward, for one layer in one direction.
//!
//! What does not wait for the step before is left to the caller, as one matrix product over all steps: the input's
//! share of the gates, and in backward the gradients of input and weights. Here is the rest, step by step: the hidden
//! state's share of the gates, a product with packed weights, and the cell itself, one pass over what is in the first
//! cache.
//!
//! Rows of the batch never meet, so they are cut into blocks that go through the whole sequence each on its own:
//! threads wait for each other once, at the end, and not once a step. How many rows a block has depends on the batch
//! and not on the machine, so the result is the same bits at any number of threads.
//!
//! To read: `places.rs` (the order of the steps, and where they lie), `cell.rs` (a step's arithmetic), then this file.
//!
//! Glossary: B batch, T steps, I inputs, H hidden; `i, f, g, o` the input, forget, cell and output gates, in PyTorch's
//! order. A *place* is a pair of row and step, and where it lies.

mod cell;
mod places;

pub use places::{Order, Sizes};

use super::element::Float;
use super::gemm::{Gemm, MatMut, MatRef, PackedB, Right, transpose_padded};
use super::parallel;
use super::simd::vectorised;
use crate::memory::Buffer;
use cell::{CellBackward, CellForward};
use places::block_rows;

/// Multiply-adds of a step's product up to which packing the weights does not pay.
const UNPACKED: usize = 1 << 19;

/// The recurrent weights as a right operand, ready for many products with the same few rows.
enum Recurrent<'a, T: Float> {
    /// A small one, row-major as it is.
    InPlace(MatRef<'a, T>),
    /// A small one, made row-major because W_hh lies the other way.
    Transposed { weight: Buffer<T>, cols: usize },
    /// In the kernel's own order.
    Packed(PackedB<T>),
}

impl<'a, T: Float> Recurrent<'a, T> {
    /// W_hhᵀ `[H, 4H]`, of W_hh `[4H, H]`.
    fn forward(weight: &'a [T], Sizes { batch, hidden, .. }: Sizes) -> Self {
        let weight = MatRef::row_major(weight, 4 * hidden, hidden);
        if is_large(batch, hidden) {
            return Recurrent::Packed(PackedB::new(weight.t()));
        }
        let mut transposed = Buffer::recycled(4 * hidden * hidden);
        transpose_padded(weight, 4 * hidden, &mut transposed);
        Recurrent::Transposed { weight: transposed, cols: 4 * hidden }
    }

    /// W_hh `[4H, H]`.
    fn backward(weight: &'a [T], Sizes { batch, hidden, .. }: Sizes) -> Self {
        let weight = MatRef::row_major(weight, 4 * hidden, hidden);
        if is_large(batch, hidden) { Recurrent::Packed(PackedB::new(weight)) } else { Recurrent::InPlace(weight) }
    }

    fn right(&self) -> Right<'_, T> {
        match self {
            Recurrent::InPlace(weight) => (*weight).into(),
            Recurrent::Transposed { weight, cols } => MatRef::row_major(weight, weight.len() / cols, *cols).into(),
            Recurrent::Packed(weight) => weight.into(),
        }
    }
}

/// Whether a step's product is one for which packing the weights pays.
fn is_large(batch: usize, hidden: usize) -> bool {
    batch.min(block_rows(batch)) * 4 * hidden * hidden > UNPACKED
}

/// Some rows of the batch, all their steps.
struct Block<'a, T> {
    /// `[T, rows, 5H]`: i, f, g, o, and c before the step.
    cells: &'a mut [T],
    /// `[T, rows, I + H]`: x, and h before the step; empty in backward.
    joint: &'a mut [T],
    /// `[rows, 2H]`: h and c, or their gradients.
    state: &'a mut [T],
    /// `[rows, T, H]`: the outputs; empty in backward.
    y: &'a mut [T],
    /// `[rows, T, H]`: the gradients of the outputs; empty in forward, or if there are none.
    dy: &'a [T],
    /// `[4H]`: the sums of the gates' gradients; empty in forward.
    sums: &'a mut [T],
    /// Those of the block's rows.
    order: Order<'a>,
}

/// Takes so many elements off the beginning, or none where there are none to begin with.
fn take<'a, T>(from: &mut &'a mut [T], len: usize) -> &'a mut [T] {
    let len = if from.is_empty() { 0 } else { len };
    from.split_off_mut(..len).expect("the caller checked")
}

/// Cuts a batch into blocks and runs `work` on each, on several threads if that pays.
fn for_each_block<T: Float>(sizes: Sizes, whole: Block<'_, T>, work: impl Fn(Block<'_, T>) + Sync) {
    let Sizes { batch, steps, hidden, .. } = sizes;
    let Block { mut cells, mut joint, mut state, mut y, mut dy, mut sums, order } = whole;
    let most = block_rows(batch);
    let mut blocks = Vec::with_capacity(batch.div_ceil(most));
    for first in (0..batch).step_by(most) {
        let rows = most.min(batch - first);
        let places = rows * steps;
        let lengths = order.lengths.get(first..first + rows).unwrap_or(&[]);
        blocks.push(Some(Block {
            cells: take(&mut cells, places * sizes.cell_width()),
            joint: take(&mut joint, places * sizes.joint_width()),
            state: take(&mut state, rows * 2 * hidden),
            y: take(&mut y, places * hidden),
            dy: if dy.is_empty() { dy } else { dy.split_off(..places * hidden).expect("the caller checked") },
            sums: take(&mut sums, 4 * hidden),
            order: Order { lengths, ..order },
        }));
    }
    // A step's product is 4·H² multiply-adds a row, and its share of the work is by far the largest.
    let elements = batch * steps * 4 * hidden * hidden / 16;
    parallel::for_each_block(&mut blocks, 1, elements, |_, block| {
        work(block[0].take().expect("each block comes once"));
    });
}

/// What [`forward`] reads and writes.
pub struct Forward<'a, T> {
    /// B, T, I and H.
    pub sizes: Sizes,
    /// The order of the steps.
    pub order: Order<'a>,
    /// W_hh `[4H, H]`
    pub weight: &'a [T],
    /// `[B·T, 5H]`: in, the input's share of the gates, biases included, in the first 4H of each row; out, the gates
    /// and c before each step.
    pub cells: &'a mut [T],
    /// `[B·T, I + H]`: out, h before each step in the last H of each row.
    pub joint: &'a mut [T],
    /// `[B, 2H]`: h and c, from the initial to the final ones.
    pub state: &'a mut [T],
    /// `[B, T, H]`: out, the hidden state after each step, zero over padding.
    pub y: &'a mut [T],
}

/// Runs the sequence.
#[inline(never)]
pub fn forward<T: Float>(Forward { sizes, order, weight, cells, joint, state, y }: Forward<'_, T>) {
    let Sizes { steps, hidden, .. } = sizes;
    check(sizes, order, weight, cells, state);
    assert!(joint.len() == sizes.places() * sizes.joint_width() && y.len() == sizes.places() * hidden);
    if y.is_empty() {
        return;
    }
    let recurrent = Recurrent::forward(weight, sizes);
    for_each_block(sizes, Block { cells, joint, state, y, dy: &[], sums: &mut [], order }, |block| {
        let Block { cells, joint, state, y, order, .. } = block;
        let (rows, width) = (state.len() / (2 * hidden), sizes.cell_width());
        let of_steps = cells.chunks_exact_mut(rows * width).zip(joint.chunks_exact_mut(rows * sizes.joint_width()));
        // ANCHOR: steps
        for (taken, (cells, joint)) in of_steps.enumerate() {
            let h = MatRef::new(state, [rows, hidden], [2 * hidden, 1]);
            let gates = MatMut::new(cells, [rows, 4 * hidden], [width, 1]);
            Gemm::new(h, recurrent.right()).serial().accumulate(gates);
            vectorised(CellForward { sizes, t: order.step(taken, steps), order, cells, joint, state, y });
        }
        // ANCHOR_END: steps
    });
}

/// What [`backward`] reads and writes.
pub struct Backward<'a, T> {
    /// B, T, I and H.
    pub sizes: Sizes,
    /// The order of the steps forward.
    pub order: Order<'a>,
    /// W_hh `[4H, H]`
    pub weight: &'a [T],
    /// `[B·T, 5H]`: in, what [`forward`] left; out, dL/d(the gates' sums) in the place of the gates, from which the
    /// gradients of input and weights follow.
    pub cells: &'a mut [T],
    /// `[B, 2H]`: the gradients of h and c, from those of the final ones to those of the initial ones.
    pub d_state: &'a mut [T],
    /// `[B, T, H]`, or empty for zeros.
    pub dy: &'a [T],
    /// `[4H]`: out, the gates' gradients summed over all rows and steps.
    pub d_bias: &'a mut [T],
}

/// Runs backward through the sequence.
#[inline(never)]
pub fn backward<T: Float>(Backward { sizes, order, weight, cells, d_state, dy, d_bias }: Backward<'_, T>) {
    let Sizes { batch, steps, hidden, .. } = sizes;
    check(sizes, order, weight, cells, d_state);
    assert!(d_bias.len() == 4 * hidden && (dy.is_empty() || dy.len() == sizes.places() * hidden));
    d_bias.fill(T::ZERO);
    if cells.is_empty() {
        return;
    }
    let recurrent = Recurrent::backward(weight, sizes);
    let mut sums = Buffer::filled(batch.div_ceil(block_rows(batch)) * 4 * hidden, T::ZERO);
    for_each_block(
        sizes,
        Block { cells, joint: &mut [], state: d_state, y: &mut [], dy, sums: &mut sums, order },
        |block| {
            let Block { cells, state, dy, sums, order, .. } = block;
            let (rows, width) = (state.len() / (2 * hidden), sizes.cell_width());
            for (taken, cells) in cells.chunks_exact_mut(rows * width).enumerate().rev() {
                vectorised(CellBackward { sizes, t: order.step(taken, steps), order, cells, d_state: state, dy, sums });
                let d_gates = MatRef::new(cells, [rows, 4 * hidden], [width, 1]);
                let dh = MatMut::new(state, [rows, hidden], [2 * hidden, 1]);
                Gemm::new(d_gates, recurrent.right()).serial().accumulate(dh);
            }
        },
    );
    for sums in sums.chunks_exact(4 * hidden) {
        for (total, &sum) in d_bias.iter_mut().zip(sums) {
            *total += sum;
        }
    }
}

/// Panics unless all lengths go together.
fn check<T>(sizes: Sizes, order: Order<'_>, weight: &[T], cells: &[T], state: &[T]) {
    let Sizes { batch, hidden, .. } = sizes;
    assert!(weight.len() == 4 * hidden * hidden && state.len() == batch * 2 * hidden);
    assert!(cells.len() == sizes.places() * sizes.cell_width());
    assert!(order.lengths.is_empty() || order.lengths.len() == batch);
}
