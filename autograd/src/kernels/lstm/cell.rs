//! The cell: one step of some rows, forward and backward, in one pass over what is in the first cache.

use super::places::{Order, Sizes};
use crate::kernels::element::Float;
use crate::kernels::simd::{Loop, prefetch};

/// Elements of a row at a time, a *piece*: whole vectors of any instruction set, in arrays, which the compiler knows not
/// to overlap.
const W: usize = 16;

/// The elements from `at` on, with zeros behind them where a row is shorter than a piece.
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

/// What a step reads of a piece of a row, and does with it.
trait Piece<Row>: Sized {
    /// The piece from `at` on.
    fn load(row: &Row, at: usize) -> Self;
    /// Writes what follows from it.
    fn step(self, row: &mut Row, at: usize);
}

/// All pieces of a row of so many elements.
///
/// The last one ends with the row, and so may have elements of the one before, too. It is loaded before anything is
/// written: what both have comes out the same twice. (With a part of a piece in its place, and zeros behind it, the step
/// of `vowel_lstm_64` took a tenth longer: 50 elements a row.)
#[inline(always)]
fn pieces<Row, P: Piece<Row>>(row: &mut Row, hidden: usize) {
    let last_at = hidden.saturating_sub(W);
    let last = P::load(row, last_at);
    for at in (0..last_at).step_by(W) {
        P::load(row, at).step(row, at);
    }
    last.step(row, last_at);
}

/// Something for each gate.
struct Gates<P> {
    i: P,
    f: P,
    g: P,
    o: P,
}

impl<'a, T: Float> Gates<&'a mut [T]> {
    /// Those side by side in `[4H]`.
    #[inline(always)]
    fn of(gates: &'a mut [T], hidden: usize) -> Self {
        let (i, rest) = gates.split_at_mut(hidden);
        let (f, rest) = rest.split_at_mut(hidden);
        let (g, o) = rest.split_at_mut(hidden);
        Gates { i, f, g, o }
    }

    #[inline(always)]
    fn load(&self, at: usize) -> Gates<[T; W]> {
        Gates { i: load(self.i, at), f: load(self.f, at), g: load(self.g, at), o: load(self.o, at) }
    }

    #[inline(always)]
    fn store(&mut self, at: usize, Gates { i, f, g, o }: Gates<[T; W]>) {
        store(self.i, at, i);
        store(self.f, at, f);
        store(self.g, at, g);
        store(self.o, at, o);
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
    /// `[rows, 2H]`
    pub state: &'a mut [T],
    /// `[rows, T, H]`
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
            let (gates, c_before) = cell.split_at_mut(4 * hidden);
            let (h, c) = state.split_at_mut(hidden);
            let (h_before, y) = (&mut joint[inputs..], &mut y[(row * steps + t) * hidden..][..hidden]);
            if order.is_padding(row, t) {
                h_before.copy_from_slice(h);
                c_before.copy_from_slice(c);
                y.fill(T::ZERO);
                continue;
            }
            let mut row = ForwardRow { gates: Gates::of(gates, hidden), h, c, h_before, c_before, y };
            pieces::<_, ForwardPiece<T>>(&mut row, hidden);
        }
    }
}

struct ForwardRow<'a, T> {
    gates: Gates<&'a mut [T]>,
    h: &'a mut [T],
    c: &'a mut [T],
    h_before: &'a mut [T],
    c_before: &'a mut [T],
    y: &'a mut [T],
}

struct ForwardPiece<T> {
    gates: Gates<[T; W]>,
    h: [T; W],
    c: [T; W],
}

impl<T: Float> Piece<ForwardRow<'_, T>> for ForwardPiece<T> {
    #[inline(always)]
    fn load(row: &ForwardRow<'_, T>, at: usize) -> Self {
        ForwardPiece { gates: row.gates.load(at), h: load(row.h, at), c: load(row.c, at) }
    }

    #[inline(always)]
    fn step(self, row: &mut ForwardRow<'_, T>, at: usize) {
        let ForwardPiece { gates: Gates { mut i, mut f, mut g, mut o }, mut h, mut c } = self;
        store(row.h_before, at, h);
        store(row.c_before, at, c);
        for l in 0..W {
            i[l] = i[l].sigmoid();
        }
        for l in 0..W {
            f[l] = f[l].sigmoid();
        }
        for l in 0..W {
            g[l] = g[l].tanh();
        }
        for l in 0..W {
            o[l] = o[l].sigmoid();
        }
        for l in 0..W {
            c[l] = f[l] * c[l] + i[l] * g[l];
        }
        for l in 0..W {
            h[l] = o[l] * c[l].tanh();
        }
        row.gates.store(at, Gates { i, f, g, o });
        store(row.h, at, h);
        store(row.c, at, c);
        store(row.y, at, h);
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
    /// `[rows, 2H]`
    pub d_state: &'a mut [T],
    /// `[rows, T, H]`, or empty.
    pub dy: &'a [T],
    /// `[4H]`
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
            let next = cell.as_ptr().wrapping_sub(sizes.cell_width());
            let (gates, c_before) = cell.split_at_mut(4 * hidden);
            if order.is_padding(row, t) {
                // The state passed by, and so do its gradients.
                gates.fill(T::ZERO);
                continue;
            }
            let (dh, dc) = d_state.split_at_mut(hidden);
            let dy = if dy.is_empty() { dy } else { &dy[(row * steps + t) * hidden..][..hidden] };
            let (gates, sums) = (Gates::of(gates, hidden), Gates::of(sums, hidden));
            let mut row = BackwardRow { gates, c_before, dh, dc, dy, sums, next, dy_stride: steps * hidden };
            pieces::<_, BackwardPiece<T>>(&mut row, hidden);
            dh.fill(T::ZERO);
        }
    }
}

struct BackwardRow<'a, T> {
    gates: Gates<&'a mut [T]>,
    c_before: &'a [T],
    dh: &'a [T],
    dc: &'a mut [T],
    dy: &'a [T],
    sums: Gates<&'a mut [T]>,
    /// The cell of the row before, which comes next.
    next: *const T,
    /// From a row's dy to that of the row before.
    dy_stride: usize,
}

impl<T: Float> BackwardRow<'_, T> {
    /// Has the machine fetch what comes next, while there is something to calculate.
    #[inline(always)]
    fn fetch_next(&self, at: usize) {
        let hidden = self.dh.len();
        for part in 0..5 {
            prefetch(self.next.wrapping_add(part * hidden + at));
        }
        if !self.dy.is_empty() {
            prefetch(self.dy.as_ptr().wrapping_add(at).wrapping_sub(self.dy_stride));
        }
    }
}

struct BackwardPiece<T> {
    gates: Gates<[T; W]>,
    c_before: [T; W],
    dh: [T; W],
    dc: [T; W],
    sums: Gates<[T; W]>,
}

impl<T: Float> Piece<BackwardRow<'_, T>> for BackwardPiece<T> {
    #[inline(always)]
    fn load(row: &BackwardRow<'_, T>, at: usize) -> Self {
        BackwardPiece {
            gates: row.gates.load(at),
            c_before: load(row.c_before, at),
            dh: load(row.dh, at),
            dc: load(row.dc, at),
            sums: row.sums.load(at),
        }
    }

    #[inline(always)]
    fn step(self, row: &mut BackwardRow<'_, T>, at: usize) {
        row.fetch_next(at);
        let BackwardPiece { gates: Gates { i, f, g, o }, c_before, mut dh, mut dc, mut sums } = self;
        if !row.dy.is_empty() {
            let dy = load(row.dy, at);
            for l in 0..W {
                dh[l] += dy[l];
            }
        }
        // Again, rather than from memory: it takes no longer, and need not be kept.
        let mut tanh_c = [T::ZERO; W];
        for l in 0..W {
            tanh_c[l] = (f[l] * c_before[l] + i[l] * g[l]).tanh();
        }
        let [mut d_i, mut d_f, mut d_g, mut d_o] = [[T::ZERO; W]; 4];
        for l in 0..W {
            d_o[l] = dh[l] * tanh_c[l] * o[l] * (T::ONE - o[l]);
            dc[l] += dh[l] * o[l] * (T::ONE - tanh_c[l] * tanh_c[l]);
            d_i[l] = dc[l] * g[l] * i[l] * (T::ONE - i[l]);
            d_f[l] = dc[l] * c_before[l] * f[l] * (T::ONE - f[l]);
            d_g[l] = dc[l] * i[l] * (T::ONE - g[l] * g[l]);
            dc[l] = dc[l] * f[l];
        }
        // Summed up while it is in registers: to read all of it again would take as long as everything here.
        for l in 0..W {
            sums.i[l] += d_i[l];
            sums.f[l] += d_f[l];
            sums.g[l] += d_g[l];
            sums.o[l] += d_o[l];
        }
        store(row.dc, at, dc);
        row.gates.store(at, Gates { i: d_i, f: d_f, g: d_g, o: d_o });
        row.sums.store(at, sums);
    }
}
