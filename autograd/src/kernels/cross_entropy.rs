//! Cross-entropy of rows of logits with target distributions, and its gradient, in one pass.
//!
//! With q the target of a row, Q = Σ q and l = ln Σ eˣ,
//!
//! ```text
//! loss = Σ q·(l − x)          dx = Q·softmax(x) − q
//! ```
//!
//! A target is a sum of two parts, either of which may be missing: `rest`, written out over the classes,
//! and all that a class index stands for, which is never written out.

use super::element::Float;
use super::lanes;
use super::parallel;
use super::simd::{Loop, vectorised};
use super::softmax::{ROWS, Scratch, rows_at_a_time};

/// The target distributions of all rows.
#[derive(Clone, Copy)]
pub struct Targets<'a, T> {
    /// The class of each row, in range or `ignore_index`. Empty if there are no class indices.
    pub classes: &'a [i64],
    /// Rows of this class have no loss.
    pub ignore_index: i64,
    /// How much of a row's target stands at its class.
    pub confidence: T,
    /// A factor to that for each class.
    pub weight: Option<&'a [T]>,
    /// The other part of the target: `[rows, classes]`, or `[classes]` for all rows, or empty.
    pub rest: &'a [T],
}

/// The target of one row.
#[derive(Clone, Copy)]
struct Target<'a, T> {
    /// A class, and how much stands there.
    spike: Option<(usize, T)>,
    rest: &'a [T],
}

impl<'a, T: Float> Targets<'a, T> {
    /// The target of row `i` over `n` classes; `None` if the row is to be ignored.
    #[inline(always)]
    fn of_row(&self, i: usize, n: usize) -> Option<Target<'a, T>> {
        let rest = if self.rest.len() > n { &self.rest[i * n..(i + 1) * n] } else { self.rest };
        let Some(&class) = self.classes.get(i) else { return Some(Target { spike: None, rest }) };
        if class == self.ignore_index {
            return None;
        }
        let class = class as usize;
        let height = self.confidence * self.weight.map_or(T::ONE, |weight| weight[class]);
        Some(Target { spike: Some((class, height)), rest })
    }

    /// Writes the targets out, `[rows, n]`.
    pub fn write(&self, n: usize, out: &mut [T]) {
        out.fill(T::ZERO);
        for (i, q) in out.chunks_exact_mut(n.max(1)).enumerate() {
            let Some(Target { spike, rest }) = self.of_row(i, n) else { continue };
            q[..rest.len()].copy_from_slice(rest);
            if let Some((class, height)) = spike {
                q[class] += height;
            }
        }
    }
}

impl<T: Float> Targets<'_, T> {
    /// The negative log-likelihood of each row's class, given its `n` log-probabilities.
    pub fn likelihoods(&self, x: &[T], n: usize, losses: &mut [T]) {
        for (i, loss) in losses.iter_mut().enumerate() {
            let spike = self.of_row(i, n).and_then(|target| target.spike);
            *loss = spike.map_or(T::ZERO, |(class, height)| -(height * x[i * n + class]));
        }
    }
}

/// The loss of each row of `n` logits. If `gradient` is not empty, `scale`·d loss / d logits goes there.
#[inline(never)]
pub fn forward<T: Float>(
    logits: &[T],
    n: usize,
    targets: Targets<'_, T>,
    scale: T,
    losses: &mut [T],
    gradient: &mut [T],
) {
    assert!(logits.len() == losses.len() * n && (gradient.is_empty() || gradient.len() == logits.len()));
    let rows = parallel::chunk_len(logits.len()).div_ceil(n.max(1));
    let part = |i: usize, losses: &mut [T], gradient: &mut [T]| {
        let at = i * rows * n;
        let logits = &logits[at..at + losses.len() * n];
        vectorised(Rows { logits, n, first: i * rows, targets, scale, losses, gradient });
    };
    if gradient.is_empty() {
        parallel::for_each_block(losses, rows, logits.len(), |i, losses| part(i, losses, &mut []));
    } else {
        parallel::for_each_block_of_two((losses, gradient), (rows, rows * n), logits.len(), part);
    }
}

struct Rows<'a, T> {
    logits: &'a [T],
    n: usize,
    /// The number of the first of these rows.
    first: usize,
    targets: Targets<'a, T>,
    scale: T,
    losses: &'a mut [T],
    gradient: &'a mut [T],
}

impl<T: Float> Loop for Rows<'_, T> {
    type Out = ();
    #[inline(always)]
    fn run(self) {
        let Rows { logits, n, first, targets, scale, losses, gradient } = self;
        let mut scratch = Scratch::new();
        let rows = rows_at_a_time(n);
        for (block, losses) in losses.chunks_mut(rows).enumerate() {
            let here = block * rows * n..(block * rows + losses.len()) * n;
            let x = &logits[here.clone()];
            let dx = if gradient.is_empty() { &mut [][..] } else { &mut gradient[here] };
            scratch.exponentials(x, n, dx);

            let (mut weights, mut offsets) = ([T::ZERO; ROWS], [T::ZERO; ROWS]);
            for i in 0..losses.len() {
                let target = targets.of_row(first + block * rows + i, n);
                let dx = if dx.is_empty() { &mut [][..] } else { &mut dx[i * n..(i + 1) * n] };
                let Some(target) = target else {
                    dx.fill(T::ZERO);
                    // ln 1 = 0 whatever the logits are.
                    scratch.sums[i] = T::ONE;
                    continue;
                };
                (weights[i], offsets[i]) = target.moments(&x[i * n..(i + 1) * n], scratch.maxima[i]);
                if !dx.is_empty() {
                    target.subtract_from(dx, weights[i] / scratch.sums[i], scale);
                }
            }
            for (i, loss) in losses.iter_mut().enumerate() {
                *loss = weights[i] * T::ln(scratch.sums[i]) - offsets[i];
            }
        }
    }
}

impl<T: Float> Target<'_, T> {
    /// (Σ q, Σ q·(x − max))
    #[inline(always)]
    fn moments(&self, x: &[T], max: T) -> (T, T) {
        let mut moments = (T::ZERO, T::ZERO);
        if !self.rest.is_empty() {
            moments = (lanes::sum_of(self.rest, |q| q), lanes::sum_of_two(self.rest, x, |q, x| q * (x - max)));
        }
        if let Some((class, height)) = self.spike {
            moments.0 += height;
            moments.1 += height * (x[class] - max);
        }
        moments
    }

    /// dx = scale·(factor·e − q), where dx holds e.
    #[inline(always)]
    fn subtract_from(&self, dx: &mut [T], factor: T, scale: T) {
        if self.rest.is_empty() {
            lanes::scale(dx, factor * scale);
        } else {
            lanes::update(dx, self.rest, |e, q| (e * factor - q) * scale);
        }
        if let Some((class, height)) = self.spike {
            dx[class] = dx[class] - height * scale;
        }
    }
}
