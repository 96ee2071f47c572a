//! In-place updates: one pass over values, their gradients, and what an optimiser keeps for each of them.
//!
//! An optimiser's formula is an [`Update`]: from one value, its gradient and `S` numbers of state to the
//! new value and state. The loops here run it over whole slices, or over some rows of a table, so that
//! each element is read and written once, however long the formula.

use super::parallel;
use super::simd::{Loop, vectorised};
use std::array;

/// How one value changes.
pub trait Update<const S: usize>: Copy + Send + Sync {
    /// The new value and the new state. Mark it `#[inline(always)]`.
    fn eval(self, value: f32, gradient: f32, state: [f32; S]) -> (f32, [f32; S]);
}

/// What an update runs over: all of one length in [`update`]. In [`update_rows`], `value` and `state` are
/// whole tables, and `gradient` only has the rows that change.
pub struct Elements<'a, const S: usize> {
    /// What changes.
    pub value: &'a mut [f32],
    /// dL/d(value)
    pub gradient: &'a [f32],
    /// What the optimiser keeps.
    pub state: [&'a mut [f32]; S],
}

impl<'a, const S: usize> Elements<'a, S> {
    /// The first `table` elements of value and state with the first `gradient` of the gradient, and the rest.
    fn split_at(self, table: usize, gradient: usize) -> (Elements<'a, S>, Elements<'a, S>) {
        let (value, values) = self.value.split_at_mut(table);
        let (head, tail) = self.gradient.split_at(gradient);
        let mut rests: [&mut [f32]; S] = array::from_fn(|_| Default::default());
        let mut rest = rests.iter_mut();
        let states = self.state.map(|state| {
            let (state, others) = state.split_at_mut(table);
            *rest.next().expect("one for each state") = others;
            state
        });
        (Elements { value, gradient: head, state: states }, Elements { value: values, gradient: tail, state: rests })
    }

    fn reborrow(&mut self) -> Elements<'_, S> {
        Elements { value: self.value, gradient: self.gradient, state: self.state.each_mut().map(|state| &mut **state) }
    }

    #[track_caller]
    fn check(&self) {
        let len = self.value.len();
        assert!(self.state.iter().all(|state| state.len() == len), "update: state and value differ in length");
    }
}

/// `value[i], state[..][i] = f(value[i], gradient[i], state[..][i])`
///
/// # Panics
/// If the slices differ in length.
#[track_caller]
#[inline(never)]
pub fn update<const S: usize, U: Update<S>>(f: U, of: Elements<'_, S>) {
    of.check();
    let len = of.value.len();
    assert_eq!(of.gradient.len(), len, "update: gradient and value differ in length");
    let chunk = parallel::chunk_len(len);
    if len <= chunk {
        return vectorised(All { f, of });
    }
    let (mut parts, mut rest) = (Vec::with_capacity(len.div_ceil(chunk)), of);
    while rest.value.len() > chunk {
        let (part, others) = rest.split_at(chunk, chunk);
        parts.push(part);
        rest = others;
    }
    parts.push(rest);
    parallel::for_each_block(&mut parts, 1, len, |_, part| vectorised(All { f, of: part[0].reborrow() }));
}

/// [`update`] of the rows of a table, each `width` long, that `rows` names: ascending, each once.
///
/// # Panics
/// If `rows` are not ascending rows of the table, or the gradient does not have as many.
#[track_caller]
#[inline(never)]
pub fn update_rows<const S: usize, U: Update<S>>(f: U, rows: &[i64], width: usize, of: Elements<'_, S>) {
    of.check();
    assert_eq!(of.gradient.len(), rows.len() * width, "update_rows: a row of gradient for each row that changes");
    assert!(rows.is_sorted_by(|a, b| a < b), "update_rows: rows must be ascending, each once");
    if width == 0 || rows.is_empty() {
        return;
    }
    let last = rows[rows.len() - 1];
    assert!(rows[0] >= 0 && last < (of.value.len() / width) as i64, "update_rows: row {last} is not in the table");
    let len = of.gradient.len();
    let block = parallel::chunk_len(len).div_ceil(width);
    if rows.len() <= block {
        return vectorised(Rows { f, rows, first: 0, width, of });
    }
    // Blocks of rows own disjoint stretches of the table, since rows ascend.
    let (mut parts, mut rest, mut first) = (Vec::with_capacity(rows.len().div_ceil(block)), of, 0);
    for rows in rows.chunks(block) {
        let end = rows[rows.len() - 1] as usize + 1;
        let (part, others) = rest.split_at((end - first) * width, rows.len() * width);
        parts.push(Rows { f, rows, first, width, of: part });
        (rest, first) = (others, end);
    }
    parallel::for_each_block(&mut parts, 1, len, |_, part| {
        let Rows { rows, first, ref mut of, .. } = part[0];
        vectorised(Rows { f, rows, first, width, of: of.reborrow() });
    });
}

/// Elements that are worked on at once. They are copied to arrays of their own first: the compiler knows
/// that these do not overlap, whatever the number of slices.
const LANES: usize = 16;

struct All<'a, const S: usize, U> {
    f: U,
    of: Elements<'a, S>,
}

impl<const S: usize, U: Update<S>> Loop for All<'_, S, U> {
    type Out = ();
    #[inline(always)]
    fn run(self) {
        let All { f, of: Elements { value, gradient, mut state } } = self;
        let whole = value.len() / LANES * LANES;
        let mut at = 0;
        while at < whole {
            let here = at..at + LANES;
            let (mut values, mut gradients, mut states) = ([0.0; LANES], [0.0; LANES], [[0.0; LANES]; S]);
            values.copy_from_slice(&value[here.clone()]);
            gradients.copy_from_slice(&gradient[here.clone()]);
            for (copy, state) in states.iter_mut().zip(&state) {
                copy.copy_from_slice(&state[here.clone()]);
            }
            lanes(f, &mut values, &gradients, &mut states);
            value[here.clone()].copy_from_slice(&values);
            for (copy, state) in states.iter().zip(&mut state) {
                state[here.clone()].copy_from_slice(copy);
            }
            at += LANES;
        }
        for i in whole..value.len() {
            let mut there = [0.0; S];
            for s in 0..S {
                there[s] = state[s][i];
            }
            let (new, kept) = f.eval(value[i], gradient[i], there);
            value[i] = new;
            for (state, kept) in state.iter_mut().zip(kept) {
                state[i] = kept;
            }
        }
    }
}

#[inline(always)]
fn lanes<const S: usize, U: Update<S>>(
    f: U,
    values: &mut [f32; LANES],
    gradients: &[f32; LANES],
    states: &mut [[f32; LANES]; S],
) {
    for i in 0..LANES {
        let mut there = [0.0; S];
        for s in 0..S {
            there[s] = states[s][i];
        }
        let (value, kept) = f.eval(values[i], gradients[i], there);
        values[i] = value;
        for (state, kept) in states.iter_mut().zip(kept) {
            state[i] = kept;
        }
    }
}

struct Rows<'a, const S: usize, U> {
    f: U,
    rows: &'a [i64],
    /// The row that the tables in `of` start with.
    first: usize,
    width: usize,
    of: Elements<'a, S>,
}

impl<const S: usize, U: Update<S>> Loop for Rows<'_, S, U> {
    type Out = ();
    #[inline(always)]
    fn run(self) {
        let Rows { f, rows, first, width, mut of } = self;
        for (&row, gradient) in rows.iter().zip(of.gradient.chunks_exact(width)) {
            let here = (row as usize - first) * width..(row as usize - first + 1) * width;
            let value = &mut of.value[here.clone()];
            let state = of.state.each_mut().map(|state| &mut state[here.clone()]);
            All { f, of: Elements { value, gradient, state } }.run();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::is_tested_here;

    /// Every number depends on every other, so that a mix-up of slices shows.
    #[derive(Clone, Copy)]
    struct Mix;
    impl Update<2> for Mix {
        #[inline(always)]
        fn eval(self, value: f32, gradient: f32, [a, b]: [f32; 2]) -> (f32, [f32; 2]) {
            (value - 0.5 * gradient + a, [a + gradient, 0.25 * b + value])
        }
    }

    #[derive(Clone, PartialEq, Debug)]
    struct Table {
        value: Vec<f32>,
        a: Vec<f32>,
        b: Vec<f32>,
    }

    impl Table {
        fn new(len: usize) -> Table {
            let numbers = |factor: usize| (0..len).map(|i| (i * factor % 1013) as f32).collect();
            Table { value: numbers(7919), a: numbers(31), b: numbers(613) }
        }

        fn elements<'a>(&'a mut self, gradient: &'a [f32]) -> Elements<'a, 2> {
            Elements { value: &mut self.value, gradient, state: [&mut self.a, &mut self.b] }
        }

        fn naive(&mut self, i: usize, gradient: f32) {
            let (value, [a, b]) = Mix.eval(self.value[i], gradient, [self.a[i], self.b[i]]);
            (self.value[i], self.a[i], self.b[i]) = (value, a, b);
        }
    }

    #[test]
    fn an_update_is_that_of_each_element() {
        for len in [0, 1, 15, 16, 17, 1000, parallel::ELEMENTS, 3 * parallel::ELEMENTS + 5] {
            let gradient: Vec<f32> = (0..len).map(|i| (i * 17 % 101) as f32).collect();
            let (mut table, mut expected) = (Table::new(len), Table::new(len));
            update(Mix, table.elements(&gradient));
            (0..len).for_each(|i| expected.naive(i, gradient[i]));
            assert!(table == expected, "{len} elements");
        }
    }

    #[test]
    fn rows_change_and_the_others_stay() {
        let cases = [(5, 1, 1), (100, 16, 7), (40, 19, 3), (60, 20, 2), (3, 400, 2), (9000, 50, 2), (3, 100_000, 2)];
        for (height, width, every) in
            cases.into_iter().chain([(4, 0, 1)]).filter(|case| is_tested_here(case.0 * case.1))
        {
            let rows: Vec<i64> =
                (0..height as i64).rev().step_by(every).collect::<Vec<_>>().into_iter().rev().collect();
            let gradient: Vec<f32> = (0..rows.len() * width).map(|i| (i * 17 % 101) as f32).collect();
            let (mut table, mut expected) = (Table::new(height * width), Table::new(height * width));
            update_rows(Mix, &rows, width, table.elements(&gradient));
            for (i, &g) in gradient.iter().enumerate() {
                expected.naive(rows[i / width] as usize * width + i % width, g);
            }
            assert!(table == expected, "{height} rows of {width}");
        }
    }

    #[test]
    #[should_panic(expected = "ascending, each once")]
    fn rows_that_are_not_coalesced_are_refused() {
        update_rows(Mix, &[1, 1], 2, Table::new(8).elements(&[0.0; 4]));
    }
}
