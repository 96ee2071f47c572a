//! An operation of this example's own: many yes-or-no questions about hidden vectors, the heart of negative sampling
//! and of the hierarchical softmax.
//!
//! A *window* asks each of its inputs (rows h of `hidden`) about each of its outputs (rows o of `table`), and knows the
//! answer y, 1 or 0, of each output. The answer given is σ(h·o), and the loss its negative log-likelihood:
//!
//! ```text
//! z = h·o        loss = Σ softplus(z) − y·z        over all inputs and outputs of each window
//! g = σ(z) − y   dh += g·o·dloss     do += g·h·dloss
//! ```
//!
//! Forward and backward are fused. Forward reads a window's rows where they are and keeps g, a number for each
//! question. Backward makes each row of a gradient by itself, as a sum of rows whose factors are g: no two threads
//! write to one row, and the order of a sum is that of the text, so results are the same bits at any number of threads.
//! dtable is sparse: the rows used, ascending, each once.
//!
//! That the inputs of a window share its outputs is what makes it fast: six input words and six outputs are twelve
//! rows to read for 36 questions (Ji et al. 2016, "Parallelizing Word2Vec in Shared and Distributed Memory").

use crate::bag::{BLOCK, Sums, TermsOf};
use crate::lists::Lists;
use crate::rows::{Term, dots};
use autograd::graph::SparseRows;
use autograd::kernels::math::Math;
use autograd::kernels::parallel::for_each_block;
use autograd::kernels::simd::{Loop, vectorised};
use autograd::profile::timing;
use autograd::{Float, Grads, Op, Tensor};
use std::sync::Arc;

/// Numbers that are worked on at once.
const LANES: usize = 8;

/// What the windows of a mini-batch ask.
pub struct Questions {
    /// For each window, the rows of `hidden` that are asked.
    inputs: Lists,
    /// For each window, the rows of `table` that they are asked about,
    outputs: Lists,
    /// and the right answer of each.
    answers: Vec<bool>,
    /// Where each window's questions start, input by input; and how many there are.
    starts: Vec<u32>,
    window_of_input: Vec<u32>,
    window_of_output: Vec<u32>,
    /// For each row of `hidden`, its places among the inputs.
    places_of_hidden: Lists,
    /// The rows of `table` that are used, ascending,
    used: Tensor<i64>,
    /// and their places among the outputs.
    places_of_used: Lists,
}

impl Questions {
    /// Windows with their inputs, rows of a tensor of `hidden` rows, and outputs, each with its answer.
    pub fn new(inputs: Lists, outputs: Lists, answers: Vec<bool>, hidden: usize) -> Questions {
        assert_eq!(inputs.len(), outputs.len(), "Questions: lists of inputs and outputs for the same windows");
        assert_eq!(outputs.items().len(), answers.len(), "Questions: an answer for each output");
        let mut starts = Vec::with_capacity(inputs.len() + 1);
        let mut count = 0;
        starts.push(0);
        for window in 0..inputs.len() {
            count += inputs.range(window).len() * outputs.range(window).len();
            starts.push(count as u32);
        }
        let (used, places_of_used) = outputs.distinct_places();
        Questions {
            window_of_input: inputs.owners(),
            window_of_output: outputs.owners(),
            places_of_hidden: inputs.places(hidden),
            used: Tensor::from_slice(&used, used.len()),
            places_of_used,
            starts,
            inputs,
            outputs,
            answers,
        }
    }

    /// The inputs of each window.
    pub fn inputs(&self) -> &Lists {
        &self.inputs
    }

    /// The outputs of each window.
    pub fn outputs(&self) -> &Lists {
        &self.outputs
    }

    /// The right answers about the outputs of a window.
    #[inline]
    pub fn answers(&self, window: usize) -> &[bool] {
        &self.answers[self.outputs.range(window)]
    }

    /// How many questions there are.
    pub fn len(&self) -> usize {
        self.starts[self.inputs.len()] as usize
    }

    /// Changes the sign of whatever belongs to a question of these windows whose answer is yes.
    #[inline(always)]
    fn negate_yes<T: Float>(&self, windows: &std::ops::Range<usize>, values: &mut [T]) {
        let mut at = 0;
        for window in windows.clone() {
            let answers = &self.answers[self.outputs.range(window)];
            for _ in self.inputs.get(window) {
                for &yes in answers {
                    values[at] = if yes { -values[at] } else { values[at] };
                    at += 1;
                }
            }
        }
    }

    /// Input row and output row of each question, for the composed form.
    fn flat(&self) -> [Vec<i64>; 2] {
        let (mut inputs, mut outputs) = (Vec::new(), Vec::new());
        for window in 0..self.inputs.len() {
            for &input in self.inputs.get(window) {
                inputs.extend(self.outputs.get(window).iter().map(|_| i64::from(input)));
                outputs.extend(self.outputs.get(window).iter().map(|&output| i64::from(output)));
            }
        }
        [inputs, outputs]
    }

    /// The answers of each question, for the composed form.
    fn flat_answers<T: Float>(&self) -> Vec<T> {
        let mut answers = Vec::new();
        for window in 0..self.inputs.len() {
            for _ in self.inputs.get(window) {
                answers.extend(self.answers[self.outputs.range(window)].iter().map(|&yes| T::from_f64(yes.into())));
            }
        }
        answers
    }
}

#[derive(Clone)]
struct Logistic<T: Float> {
    hidden: Tensor<T>,
    table: Tensor<T>,
    questions: Arc<Questions>,
    /// σ(z) − y of each question.
    errors: Tensor<T>,
}

// ANCHOR: forward
/// The loss of all answers together, a scalar: `hidden` `[H, D]`, `table` `[V, D]`.
#[track_caller]
pub fn logistic<T: Float>(hidden: &Tensor<T>, table: &Tensor<T>, questions: &Arc<Questions>) -> Tensor<T> {
    let _timing = timing("loops of logistic");
    check(hidden, table, questions);
    let (packed_hidden, packed_table) = (hidden.contiguous(), table.contiguous());
    let [h, o] = [&packed_hidden, &packed_table].map(|x| x.try_slice().expect("made contiguous"));
    let mut errors = Tensor::zeros_of([questions.len()]);
    let mut parts = Vec::with_capacity(questions.inputs.len().div_ceil(BLOCK));
    let mut rest = errors.slice_mut();
    for first in (0..questions.inputs.len()).step_by(BLOCK) {
        let last = (first + BLOCK).min(questions.inputs.len());
        let (errors, others) = rest.split_at_mut((questions.starts[last] - questions.starts[first]) as usize);
        parts.push(Answer { questions, windows: first..last, hidden: h, table: o, errors, loss: T::ZERO });
        rest = others;
    }
    let width = hidden.size(1);
    for_each_block(&mut parts, 1, questions.len() * width, |_, part| {
        let part = &mut part[0];
        part.loss = vectorised(part.reborrow());
    });
    let loss: T = parts.iter().map(|part| part.loss).sum();
    Tensor::full_of([], loss).recorded([hidden, table], || Logistic {
        hidden: hidden.clone(),
        table: table.clone(),
        questions: questions.clone(),
        errors,
    })
}
// ANCHOR_END: forward

#[track_caller]
fn check<T: Float>(hidden: &Tensor<T>, table: &Tensor<T>, questions: &Questions) {
    let (h, o) = (hidden.shape(), table.shape());
    let rows = questions.places_of_hidden.len();
    assert!(
        h.len() == 2 && o.len() == 2 && h[1] == o[1] && h[0] == rows,
        "logistic: hidden vectors of shape {h} and a table of shape {o}; [{rows}, D] and [V, D] are wanted"
    );
    let last = questions.used.iter().last().unwrap_or(-1);
    assert!(last < o[0] as i64, "logistic: row {last} of a table of shape {o}");
}

/// The forward pass of some windows.
struct Answer<'a, T> {
    questions: &'a Questions,
    windows: std::ops::Range<usize>,
    hidden: &'a [T],
    table: &'a [T],
    errors: &'a mut [T],
    loss: T,
}

impl<T: Float> Answer<'_, T> {
    fn reborrow(&mut self) -> Answer<'_, T> {
        Answer { windows: self.windows.clone(), errors: self.errors, ..*self }
    }
}

impl<T: Float> Loop for Answer<'_, T> {
    type Out = T;
    // ANCHOR: answer
    #[inline(always)]
    fn run(self) -> T {
        let Answer { questions, windows, hidden, table, errors, .. } = self;
        let width = hidden.len() / questions.places_of_hidden.len().max(1);
        let mut at = 0;
        for window in windows.clone() {
            let outputs = questions.outputs.get(window);
            for &input in questions.inputs.get(window) {
                let h = &hidden[input as usize * width..(input as usize + 1) * width];
                dots(h, outputs, table, &mut errors[at..at + outputs.len()]); // z = h·o
                at += outputs.len();
            }
        }
        // Where the answer is yes, softplus(z) − z = softplus(−z) and σ(z) − 1 = −σ(−z): the sign is changed before
        // and after.
        questions.negate_yes(&windows, errors);
        let mut losses = [T::ZERO; LANES];
        let (blocks, rest) = errors.as_chunks_mut::<LANES>();
        for block in blocks {
            for l in 0..LANES {
                losses[l] += Math::softplus(block[l]);
                block[l] = Math::sigmoid(block[l]);
            }
        }
        let mut loss = T::ZERO;
        for z in rest {
            loss += Math::softplus(*z);
            *z = Math::sigmoid(*z);
        }
        for l in 0..LANES {
            loss += losses[l];
        }
        questions.negate_yes(&windows, errors);
        loss
    }
    // ANCHOR_END: answer
}

impl<T: Float> Op<T> for Logistic<T> {
    const NAME: &'static str = "logistic";

    fn backward(self, dy: Tensor<T>, grads: &mut Grads<'_, T>) {
        if grads.create_graph() {
            return self.backward_composed(dy, grads);
        }
        let Logistic { hidden, table, questions, errors } = self;
        let (width, work, scale) = (hidden.size(1), questions.len() * hidden.size(1), dy.item());
        let errors = errors.try_slice().expect("made so");
        grads.set(0, || {
            let table = table.contiguous();
            let source = table.try_slice().expect("made contiguous");
            let mut dhidden = Tensor::zeros_of(*hidden.shape());
            for_each_block(dhidden.slice_mut(), BLOCK * width, work, |block, out| {
                let terms_of = OfHidden { questions: &questions, errors, scale };
                vectorised(Sums { terms_of, first: block * BLOCK, source, width, out });
            });
            dhidden
        });
        grads.set_rows(1, || {
            let hidden = hidden.contiguous();
            let source = hidden.try_slice().expect("made contiguous");
            let mut values = Tensor::zeros_of([questions.places_of_used.len(), width]);
            for_each_block(values.slice_mut(), BLOCK * width, work, |block, out| {
                let terms_of = OfTable { questions: &questions, errors, scale };
                vectorised(Sums { terms_of, first: block * BLOCK, source, width, out });
            });
            SparseRows { indices: questions.used.clone(), values, shape: *table.shape() }
        });
    }
}

/// dhidden\[row\] = Σ g·o over all questions to this row.
struct OfHidden<'a, T> {
    questions: &'a Questions,
    errors: &'a [T],
    scale: T,
}

impl<T: Float> TermsOf<T> for OfHidden<'_, T> {
    #[inline(always)]
    fn push(&self, row: usize, terms: &mut Vec<Term<T>>) {
        let &OfHidden { questions, errors, scale } = self;
        for &place in questions.places_of_hidden.get(row) {
            let window = questions.window_of_input[place as usize] as usize;
            let outputs = questions.outputs.range(window);
            let input = place as usize - questions.inputs.range(window).start;
            let start = questions.starts[window] as usize + input * outputs.len();
            let errors = &errors[start..start + outputs.len()];
            for (&error, &row) in errors.iter().zip(&questions.outputs.items()[outputs]) {
                terms.push(Term { factor: error * scale, row });
            }
        }
    }
}

/// dtable\[row\] = Σ g·h over all questions about this row.
struct OfTable<'a, T> {
    questions: &'a Questions,
    errors: &'a [T],
    scale: T,
}

impl<T: Float> TermsOf<T> for OfTable<'_, T> {
    #[inline(always)]
    fn push(&self, used: usize, terms: &mut Vec<Term<T>>) {
        let &OfTable { questions, errors, scale } = self;
        for &place in questions.places_of_used.get(used) {
            let window = questions.window_of_output[place as usize] as usize;
            let outputs = questions.outputs.range(window);
            let mut at = questions.starts[window] as usize + place as usize - outputs.start;
            for &row in questions.inputs.get(window) {
                terms.push(Term { factor: errors[at] * scale, row });
                at += outputs.len();
            }
        }
    }
}

impl<T: Float> Logistic<T> {
    /// In tensor operations, from the inputs, so that it can be differentiated again.
    fn backward_composed(self, dy: Tensor<T>, grads: &mut Grads<'_, T>) {
        let Logistic { hidden, table, questions, .. } = self;
        let count = questions.len();
        let [inputs, outputs] = questions.flat().map(|rows| Tensor::from_slice(&rows, count));
        let answers = Tensor::from_slice(&questions.flat_answers::<T>(), count);
        let (h, o) = (hidden.embedding(&inputs), table.embedding(&outputs)); // [Q, D] each
        let g = (((&h * &o).sum(-1).sigmoid() - answers) * dy).unsqueeze(1); // [Q, 1]
        grads.set(0, || Tensor::zeros_of(*hidden.shape()).index_add(0, &inputs, &(&g * &o)));
        grads.set(1, || Tensor::zeros_of(*table.shape()).index_add(0, &outputs, &(&g * &h)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use autograd::gradcheck::gradcheck_to_order;
    use autograd::{GradOptions, Rng, grad};

    /// Three windows that share inputs and outputs, and one with a single question.
    fn questions() -> Arc<Questions> {
        let inputs = Lists::from([&[0, 2, 3][..], &[3], &[2, 0], &[4]]);
        let outputs = Lists::from([&[5, 1][..], &[1, 0, 5, 8, 2, 3, 7], &[5, 5], &[6]]);
        let answers = [1, 0, 1, 0, 0, 0, 0, 0, 0, 1, 0, 1].map(|answer| answer == 1);
        Arc::new(Questions::new(inputs, outputs, answers.to_vec(), 5))
    }

    /// The definition, in tensor operations.
    fn composed(hidden: &Tensor<f64>, table: &Tensor<f64>, questions: &Questions) -> Tensor<f64> {
        let count = questions.len();
        let [inputs, outputs] = questions.flat().map(|rows| Tensor::from_slice(&rows, count));
        let answers = Tensor::from_slice(&questions.flat_answers::<f64>(), count);
        let z = (hidden.embedding(&inputs) * table.embedding(&outputs)).sum(-1); // [Q]
        (z.exp().log1p() - answers * &z).sum(..)
    }

    #[test]
    fn gradients() {
        let mut rng = Rng::seeded(1);
        let inputs = [Tensor::randn_of::<f64>([5, 11], &mut rng), Tensor::randn_of([9, 11], &mut rng)];
        gradcheck_to_order(&|x| logistic(&x[0], &x[1], &questions()), &inputs, 2).unwrap();
    }

    #[test]
    fn a_profile_has_a_row_for_the_loops() {
        let (hidden, table) = (Tensor::zeros([5, 3]), Tensor::zeros([9, 3]));
        let (_, profile) = autograd::profile(|| logistic(&hidden, &table, &questions()));
        let calls = |name: &str| {
            let table = profile.table();
            table.rows.iter().find(|row| row.name == name).map(|row| row.forward.calls)
        };
        assert_eq!([calls("loops of logistic"), calls("logistic")], [Some(1); 2]);
    }

    #[test]
    fn agrees_with_the_definition() {
        let mut rng = Rng::seeded(2);
        for width in [1, 8, 50, 100] {
            let hidden = Tensor::randn_of::<f64>([5, width], &mut rng).requires_grad();
            let table = (Tensor::randn_of::<f64>([9, width], &mut rng) * 0.3).requires_grad();
            let all = |loss: Tensor<f64>| {
                let mut numbers = loss.to_vec();
                for dx in grad(&[&(loss * 0.5)], &[&hidden, &table], GradOptions::default()) {
                    numbers.extend(dx.to_vec());
                }
                numbers
            };
            let fused = all(logistic(&hidden, &table, &questions()));
            let expected = all(composed(&hidden, &table, &questions()));
            // Sums of fewer than 30·width products of numbers below 20, in another order.
            let tolerance = 30.0 * width as f64 * 20.0 * f64::EPSILON;
            for (a, b) in fused.iter().zip(&expected) {
                assert!((a - b).abs() <= tolerance, "{a} {b}");
            }
        }
    }
}
