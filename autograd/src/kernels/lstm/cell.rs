//! The cell: one step of some rows, forward and backward, in one pass over what is in the first cache.

use super::places::{Order, Sizes};
use crate::kernels::element::Float;
use crate::kernels::simd::{Loop, prefetch};

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
pub(super) struct CellForward<'a, T> {
    pub sizes: Sizes,
    pub t: usize,
    pub order: Order<'a>,
    /// `[rows, 5H]`, of this step.
    pub cells: &'a mut [T],
    /// `[rows, I + H]`, of this step.
    pub joint: &'a mut [T],
    pub state: &'a mut [T],
    pub y: &'a mut [T],
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
pub(super) struct CellBackward<'a, T> {
    pub sizes: Sizes,
    pub t: usize,
    pub order: Order<'a>,
    /// `[rows, 5H]`, of this step.
    pub cells: &'a mut [T],
    pub d_state: &'a mut [T],
    pub dy: &'a [T],
    pub sums: &'a mut [T],
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
