//! The recurrent part of an LSTM over a sequence, forward and backward, for one layer in one direction.
//!
//! What does not wait for the step before is left to the caller, as one matrix product over all steps: the input's share
//! of the gates, and in backward the gradients of input and weights. Here is the rest, step by step: the hidden state's
//! share of the gates, a product with packed weights, and the cell itself, one pass over what is in the first cache.
//!
//! Rows of the batch never meet, so they are cut into blocks that go through the whole sequence each on its own: threads
//! wait for each other once, at the end, and not once a step. How many rows a block has depends on the batch and not on
//! the machine, so the result is the same bits at any number of threads.
//!
//! What is kept lies in the order in which it is used: block after block of rows, in a block step after step, in a step row
//! after row. What a step reads and writes is one piece of memory then. Where sequences lie one after the other, `[B, T, …]`,
//! the rows of a step are T rows apart, which often is a multiple of 4 kB, and addresses with the same last digits push
//! each other out of the caches.
//!
//! Glossary: B batch, T steps, I inputs, H hidden; `i, f, g, o` the input, forget, cell and output gates, in PyTorch's
//! order. A *place* is a pair of row and step, and where it lies.

use super::element::Float;
use super::gemm::{Gemm, MatMut, MatRef, PackedB, Right};
use super::parallel;
use super::simd::{Loop, prefetch, vectorised};
use crate::memory::Buffer;

/// Rows of the batch to a block, at the most. Fewer would read the weights more often, more would leave threads without
/// work at the usual batch of 32.
const ROWS: usize = 16;

/// Multiply-adds of a step's product up to which packing the weights does not pay.
const UNPACKED: usize = 1 << 19;

/// Rows to a block. A batch that would be one full block, or one and a bit, goes in two halves.
fn block_rows(batch: usize) -> usize {
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
    /// The step of a sequence of `steps` that forward takes after `taken` others; and how many it has taken before a step.
    #[inline]
    fn step(self, taken: usize, steps: usize) -> usize {
        if self.reverse { steps - 1 - taken } else { taken }
    }

    #[inline(always)]
    fn is_padding(self, row: usize, t: usize) -> bool {
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

/// The recurrent weights as a right operand, ready for many products with the same few rows.
enum Recurrent<T: Float> {
    /// Row-major, `[rows, cols]`: the kernels for small products read it where it is.
    Small { weight: Buffer<T>, rows: usize, cols: usize },
    /// In the kernel's own order.
    Packed(PackedB<T>),
}

impl<T: Float> Recurrent<T> {
    fn new(weight: MatRef<'_, T>, batch: usize) -> Self {
        let (rows, cols) = (weight.rows(), weight.cols());
        if batch.min(block_rows(batch)) * rows * cols > UNPACKED {
            return Recurrent::Packed(PackedB::new(weight));
        }
        let mut copy = Buffer::recycled(rows * cols);
        for (i, row) in copy.chunks_exact_mut(cols.max(1)).enumerate() {
            for (j, x) in row.iter_mut().enumerate() {
                *x = weight.at(i, j);
            }
        }
        Recurrent::Small { weight: copy, rows, cols }
    }

    fn right(&self) -> Right<'_, T> {
        match self {
            Recurrent::Small { weight, rows, cols } => MatRef::row_major(weight, *rows, *cols).into(),
            Recurrent::Packed(weight) => weight.into(),
        }
    }
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
    /// `[B·T, 5H]`: in, the input's share of the gates, biases included, in the first 4H of each row; out, the gates and c
    /// before each step.
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
    let Sizes { batch, steps, hidden, .. } = sizes;
    check(sizes, order, weight, cells, state);
    assert!(joint.len() == sizes.places() * sizes.joint_width() && y.len() == sizes.places() * hidden);
    if y.is_empty() {
        return;
    }
    let recurrent = Recurrent::new(MatRef::row_major(weight, 4 * hidden, hidden).t(), batch); // [H, 4H]
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
    let recurrent = Recurrent::new(MatRef::row_major(weight, 4 * hidden, hidden), batch);
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

/// Elements at a time: whole vectors of any instruction set, in arrays, which the compiler knows not to overlap.
const W: usize = 16;

/// The elements from `at` on; zeros behind the end.
#[inline(always)]
fn load<T: Float>(from: &[T], at: usize) -> [T; W] {
    if let Some(whole) = from[at..].first_chunk::<W>() {
        return *whole;
    }
    let mut values = [T::ZERO; W];
    for (value, &x) in values.iter_mut().zip(&from[at..]) {
        *value = x;
    }
    values
}

/// Writes the elements from `at` on, as far as there are any.
#[inline(always)]
fn store<T: Float>(to: &mut [T], at: usize, values: [T; W]) {
    if let Some(whole) = to[at..].first_chunk_mut::<W>() {
        *whole = values;
        return;
    }
    for (x, value) in to[at..].iter_mut().zip(values) {
        *x = value;
    }
}

/// The parts of a row of what is kept of the cell.
struct Parts<'a, T> {
    i: &'a mut [T],
    f: &'a mut [T],
    g: &'a mut [T],
    o: &'a mut [T],
    c: &'a mut [T],
}

impl<'a, T> Parts<'a, T> {
    #[inline(always)]
    fn of(cell: &'a mut [T], hidden: usize) -> Self {
        let (i, rest) = cell.split_at_mut(hidden);
        let (f, rest) = rest.split_at_mut(hidden);
        let (g, rest) = rest.split_at_mut(hidden);
        let (o, c) = rest.split_at_mut(hidden);
        Parts { i, f, g, o, c }
    }
}

/// One step of all rows:
///
/// ```text
/// i, f, o = sigmoid(their sums)    g = tanh(its sum)
/// c ← f·c + i·g                    h ← o·tanh(c)
/// ```
struct CellForward<'a, T> {
    sizes: Sizes,
    t: usize,
    order: Order<'a>,
    /// `[rows, 5H]`, of this step.
    cells: &'a mut [T],
    /// `[rows, I + H]`, of this step.
    joint: &'a mut [T],
    state: &'a mut [T],
    y: &'a mut [T],
}

impl<T: Float> Loop for CellForward<'_, T> {
    type Out = ();
    #[inline(always)]
    fn run(self) {
        let CellForward { sizes, t, order, cells, joint, state, y } = self;
        let Sizes { steps, inputs, hidden, .. } = sizes;
        let rows = cells.chunks_exact_mut(sizes.cell_width()).zip(joint.chunks_exact_mut(sizes.joint_width()));
        for (row, ((cell, joint), state)) in rows.zip(state.chunks_exact_mut(2 * hidden)).enumerate() {
            let (Parts { i, f, g, o, c }, h) = (Parts::of(cell, hidden), &mut joint[inputs..]);
            let (h_state, c_state) = state.split_at_mut(hidden);
            let y = &mut y[(row * steps + t) * hidden..][..hidden];
            if order.is_padding(row, t) {
                h.copy_from_slice(h_state);
                c.copy_from_slice(c_state);
                y.fill(T::ZERO);
                continue;
            }
            for at in (0..hidden).step_by(W) {
                let (mut gate_i, mut gate_f) = (load(i, at), load(f, at));
                let (mut gate_g, mut gate_o) = (load(g, at), load(o, at));
                let (mut new_c, mut new_h) = (load(c_state, at), load(h_state, at));
                store(c, at, new_c);
                store(h, at, new_h);
                for l in 0..W {
                    gate_i[l] = gate_i[l].sigmoid();
                }
                for l in 0..W {
                    gate_f[l] = gate_f[l].sigmoid();
                }
                for l in 0..W {
                    gate_g[l] = gate_g[l].tanh();
                }
                for l in 0..W {
                    gate_o[l] = gate_o[l].sigmoid();
                }
                for l in 0..W {
                    new_c[l] = gate_f[l] * new_c[l] + gate_i[l] * gate_g[l];
                }
                for l in 0..W {
                    new_h[l] = gate_o[l] * new_c[l].tanh();
                }
                store(i, at, gate_i);
                store(f, at, gate_f);
                store(g, at, gate_g);
                store(o, at, gate_o);
                store(c_state, at, new_c);
                store(h_state, at, new_h);
                store(y, at, new_h);
            }
        }
    }
}

// ANCHOR: backward
/// One step of all rows, backward, from dh and dc:
///
/// ```text
/// dh ← dh + dy
/// do = dh·tanh(c)                  dc ← dc + dh·o·(1 − tanh²(c))
/// di = dc·g    df = dc·c before    dg = dc·i
/// dc ← dc·f
/// d(sum) = di·i·(1 − i), df·f·(1 − f), dg·(1 − g²), do·o·(1 − o)
/// ```
///
/// and dh is left zero, for the product of the gates' gradients with the weights to be added to.
// ANCHOR_END: backward
struct CellBackward<'a, T> {
    sizes: Sizes,
    t: usize,
    order: Order<'a>,
    /// `[rows, 5H]`, of this step.
    cells: &'a mut [T],
    d_state: &'a mut [T],
    dy: &'a [T],
    sums: &'a mut [T],
}

impl<T: Float> Loop for CellBackward<'_, T> {
    type Out = ();
    #[inline(always)]
    fn run(self) {
        let CellBackward { sizes, t, order, cells, d_state, dy, sums } = self;
        let Sizes { steps, hidden, .. } = sizes;
        let rows = cells.chunks_exact_mut(sizes.cell_width()).zip(d_state.chunks_exact_mut(2 * hidden));
        // From the last to the first, as steps are taken: the cell that comes next is always the one before in memory.
        for (row, (cell, d_state)) in rows.enumerate().rev() {
            let (next, dy_at) = (cell.as_ptr().wrapping_sub(sizes.cell_width()), (row * steps + t) * hidden);
            let Parts { i, f, g, o, c } = Parts::of(cell, hidden);
            if order.is_padding(row, t) {
                // The state passed by, and so do its gradients.
                for gate in [i, f, g, o] {
                    gate.fill(T::ZERO);
                }
                continue;
            }
            let (dh, dc) = d_state.split_at_mut(hidden);
            let dy = if dy.is_empty() { dy } else { &dy[dy_at..][..hidden] };
            for at in (0..hidden).step_by(W) {
                // What comes next, while there is something to calculate.
                for part in 0..5 {
                    prefetch(next.wrapping_add(part * hidden + at));
                }
                if !dy.is_empty() {
                    prefetch(dy.as_ptr().wrapping_add(at).wrapping_sub(steps * hidden));
                }
                let (gate_i, gate_f, gate_g, gate_o) = (load(i, at), load(f, at), load(g, at), load(o, at));
                let (c_before, mut dh_here, mut dc_here) = (load(c, at), load(dh, at), load(dc, at));
                let mut tanh_c = [T::ZERO; W];
                if !dy.is_empty() {
                    let dy = load(dy, at);
                    for l in 0..W {
                        dh_here[l] += dy[l];
                    }
                }
                // Again, rather than from memory: it takes no longer, and need not be kept.
                for l in 0..W {
                    tanh_c[l] = (gate_f[l] * c_before[l] + gate_i[l] * gate_g[l]).tanh();
                }
                let [mut d_i, mut d_f, mut d_g, mut d_o] = [[T::ZERO; W]; 4];
                for l in 0..W {
                    d_o[l] = dh_here[l] * tanh_c[l] * gate_o[l] * (T::ONE - gate_o[l]);
                    dc_here[l] += dh_here[l] * gate_o[l] * (T::ONE - tanh_c[l] * tanh_c[l]);
                    d_i[l] = dc_here[l] * gate_g[l] * gate_i[l] * (T::ONE - gate_i[l]);
                    d_f[l] = dc_here[l] * c_before[l] * gate_f[l] * (T::ONE - gate_f[l]);
                    d_g[l] = dc_here[l] * gate_i[l] * (T::ONE - gate_g[l] * gate_g[l]);
                    dc_here[l] = dc_here[l] * gate_f[l];
                }
                store(dc, at, dc_here);
                // Summed up while it is in registers: to read all of it again would take as long as everything here.
                for (gate, (to, d)) in
                    [(&mut *i, d_i), (&mut *f, d_f), (&mut *g, d_g), (&mut *o, d_o)].into_iter().enumerate()
                {
                    store(to, at, d);
                    let sum = &mut sums[gate * hidden..(gate + 1) * hidden];
                    let mut total = load(sum, at);
                    for l in 0..W {
                        total[l] += d[l];
                    }
                    store(sum, at, total);
                }
            }
            dh.fill(T::ZERO);
        }
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
