//! Checks an analytic gradient against a numeric one.
//!
//! Everything runs in `f64`. The outputs are multiplied by random weights `v` and summed: with plain
//! ones, softmax, whose outputs always sum to one, would have a gradient of zero whatever its backward
//! did. The derivative of that sum by each element of each input is then compared with the central
//! difference of fourth order,
//!
//! ```text
//! f'(x) ≈ (f(x − 2h) − 8 f(x − h) + 8 f(x + h) − f(x + 2h)) / 12h
//! ```
//!
//! whose error is about h⁴·f⁽⁵⁾/30 from the formula and 1.5·ε·|f|/h from rounding: with h = 10⁻³, some
//! 10⁻¹² each for functions of moderate size. The tolerance leaves that three orders of magnitude.

use crate::graph::{GradOptions, grad};
use crate::rng::Rng;
use crate::tensor::Tensor;
use std::fmt;

/// The step of the differences. Inputs should be at least twice that from any kink.
pub const STEP: f64 = 1e-3;
/// The largest error that passes, relative to the larger of 1 and the gradient.
pub const TOLERANCE: f64 = 1e-8;

/// Where an analytic and a numeric gradient differ.
#[derive(Clone, Debug, PartialEq)]
pub struct Mismatch {
    /// Which input.
    pub input: usize,
    /// Which of its elements, counted in row-major order.
    pub element: usize,
    /// What backward says.
    pub analytic: f64,
    /// What the differences say.
    pub numeric: f64,
    /// 1 for the gradient, 2 for the gradient of a gradient, and so on.
    pub order: usize,
    /// Whether backward ran under `create_graph`.
    pub create_graph: bool,
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Mismatch { input, element, analytic, numeric, order, create_graph } = self;
        let path = if *create_graph { "with" } else { "without" };
        write!(
            f,
            "derivative of order {order} by element {element} of input {input}: backward ({path} create_graph) says \
             {analytic:e}, differences say {numeric:e}"
        )
    }
}

impl std::error::Error for Mismatch {}

/// Compares the gradients of `f` at `inputs` with differences, both ways that backward can run: plain,
/// and under `create_graph`.
///
/// ```
/// use autograd::{Rng, Tensor, gradcheck::gradcheck};
/// let mut rng = Rng::seeded(0);
/// let (a, b) = (Tensor::randn_of::<f64>([2, 3], &mut rng), Tensor::randn_of::<f64>([3], &mut rng));
/// gradcheck(|x| &x[0] * &x[1], &[a, b]).unwrap();
/// ```
///
/// # Errors
/// The first element whose gradients differ.
#[track_caller]
pub fn gradcheck(f: impl Fn(&[Tensor<f64>]) -> Tensor<f64>, inputs: &[Tensor<f64>]) -> Result<(), Mismatch> {
    check_order(&f, inputs, 1)
}

/// [`gradcheck`] of the gradient itself: second derivatives.
///
/// # Errors
/// The first element whose derivatives differ.
///
/// # Panics
/// If there are no inputs.
#[track_caller]
pub fn gradgradcheck(f: impl Fn(&[Tensor<f64>]) -> Tensor<f64>, inputs: &[Tensor<f64>]) -> Result<(), Mismatch> {
    check_order(&gradient_of(&f), inputs, 2)
}

/// [`gradcheck`] of the derivatives of orders 1 to `order`.
///
/// # Errors
/// The first element whose derivatives differ.
///
/// # Panics
/// If there are no inputs, and `order` is above 1.
#[track_caller]
pub fn gradcheck_to_order(
    f: &dyn Fn(&[Tensor<f64>]) -> Tensor<f64>,
    inputs: &[Tensor<f64>],
    order: usize,
) -> Result<(), Mismatch> {
    check_up_to(f, inputs, 1, order)
}

#[track_caller]
fn check_up_to(
    f: &dyn Fn(&[Tensor<f64>]) -> Tensor<f64>,
    inputs: &[Tensor<f64>],
    order: usize,
    last: usize,
) -> Result<(), Mismatch> {
    check_order(f, inputs, order)?;
    if order < last { check_up_to(&gradient_of(f), inputs, order + 1, last) } else { Ok(()) }
}

/// The gradients of `f`, each element weighted at random, as one number: a function to differentiate again.
fn gradient_of(f: &dyn Fn(&[Tensor<f64>]) -> Tensor<f64>) -> impl Fn(&[Tensor<f64>]) -> Tensor<f64> {
    move |inputs| {
        let gradients = analytic(f, inputs, true);
        let mut rng = Rng::seeded(2);
        gradients
            .iter()
            .map(|dx| (dx * Tensor::randn_of::<f64>(*dx.shape(), &mut rng)).sum(..))
            .reduce(|a, b| a + b)
            .expect("a function has inputs")
    }
}

/// f(inputs), weighted at random and summed.
fn weighted(f: &dyn Fn(&[Tensor<f64>]) -> Tensor<f64>, inputs: &[Tensor<f64>]) -> Tensor<f64> {
    let y = f(inputs);
    let v = Tensor::randn_of::<f64>(*y.shape(), &mut Rng::seeded(1));
    (y * v).sum(..)
}

fn analytic(f: &dyn Fn(&[Tensor<f64>]) -> Tensor<f64>, inputs: &[Tensor<f64>], create_graph: bool) -> Vec<Tensor<f64>> {
    let inputs: Vec<_> = inputs.iter().map(|x| if x.has_history() { x.clone() } else { x.requires_grad() }).collect();
    let y = weighted(f, &inputs);
    let references: Vec<_> = inputs.iter().collect();
    // A derivative of high order may no longer depend on anything.
    if !y.has_history() {
        return inputs.iter().map(|x| x.zeros_like()).collect();
    }
    grad(&[&y], &references, GradOptions { create_graph, allow_unused: true, ..Default::default() })
}

#[track_caller]
fn check_order(
    f: &dyn Fn(&[Tensor<f64>]) -> Tensor<f64>,
    inputs: &[Tensor<f64>],
    order: usize,
) -> Result<(), Mismatch> {
    let inputs: Vec<_> = inputs.iter().map(Tensor::detach).collect();
    let plain = analytic(f, &inputs, false);
    let recorded = analytic(f, &inputs, true);
    for (input, x) in inputs.iter().enumerate() {
        let mut values = x.to_vec();
        for element in 0..values.len() {
            let here = values[element];
            let mut at = |distance: f64| {
                values[element] = here + distance * STEP;
                let mut moved = inputs.clone();
                moved[input] = Tensor::from_slice(&values, *x.shape());
                weighted(f, &moved).item()
            };
            let numeric = (at(-2.0) - 8.0 * at(-1.0) + 8.0 * at(1.0) - at(2.0)) / (12.0 * STEP);
            values[element] = here;
            for (gradients, create_graph) in [(&plain, false), (&recorded, true)] {
                let analytic = gradients[input].contiguous().to_vec()[element];
                let error = (analytic - numeric).abs() / numeric.abs().max(1.0);
                if error > TOLERANCE || error.is_nan() {
                    return Err(Mismatch { input, element, analytic, numeric, order, create_graph });
                }
            }
        }
    }
    Ok(())
}

/// Checks f in all derivatives up to the third, over shapes and layouts: for the tests of operations.
#[cfg(test)]
#[track_caller]
pub(crate) fn check_unary(f: impl Fn(&Tensor<f64>) -> Tensor<f64>) {
    check_over_layouts(-2.0..2.0, 3, &f);
}

/// [`check_unary`] for an element-wise function, on inputs from `range`.
#[cfg(test)]
#[track_caller]
pub(crate) fn check_elementwise(range: std::ops::Range<f64>, f: impl Fn(&Tensor<f64>) -> Tensor<f64>) {
    check_over_layouts(range, 3, &f);
}

/// Checks f up to derivatives of order `order` on random inputs from `range`: contiguous, transposed, sliced.
#[cfg(test)]
#[track_caller]
pub(crate) fn check_over_layouts(
    range: std::ops::Range<f64>,
    order: usize,
    // A trait object, so that the tests do not compile all this once for each operation.
    f: &dyn Fn(&Tensor<f64>) -> Tensor<f64>,
) {
    type View = fn(&Tensor<f64>) -> Tensor<f64>;
    let layouts: [(&str, View); 3] = [
        ("contiguous", |x| x.clone()),
        ("transposed", |x| x.transpose(0, -1)),
        ("sliced", |x| x.sliced(x.rank() - 1, 0, 2, x.size(-1).div_ceil(2))),
    ];
    let mut rng = Rng::seeded(11);
    for shape in [&[5][..], &[3, 5], &[2, 3, 5]] {
        let x = Tensor::rand_of::<f64>(shape, &mut rng) * (range.end - range.start) + range.start;
        for (layout, view) in layouts {
            let composed = |inputs: &[Tensor<f64>]| f(&view(&inputs[0]));
            if let Err(mismatch) = gradcheck_to_order(&composed, std::slice::from_ref(&x), order) {
                panic!("{layout} input of shape {shape:?}: {mismatch}");
            }
        }
    }
}

/// Checks f of two tensors in all derivatives up to the third, over broadcasts and layouts.
#[cfg(test)]
#[track_caller]
pub(crate) fn check_binary(f: impl Fn(&Tensor<f64>, &Tensor<f64>) -> Tensor<f64>) {
    check_over_broadcasts(&f);
}

#[cfg(test)]
#[track_caller]
fn check_over_broadcasts(f: &dyn Fn(&Tensor<f64>, &Tensor<f64>) -> Tensor<f64>) {
    let mut rng = Rng::seeded(12);
    let shapes: [(&[usize], &[usize]); 6] =
        [(&[3], &[3]), (&[2, 3], &[2, 3]), (&[2, 3], &[3]), (&[], &[2]), (&[2, 1], &[1, 3]), (&[2, 1, 2], &[3, 1])];
    for (shape_a, shape_b) in shapes {
        let a = Tensor::randn_of::<f64>(shape_a, &mut rng);
        let b = Tensor::randn_of::<f64>(shape_b, &mut rng);
        if let Err(mismatch) = gradcheck_to_order(&|x| f(&x[0], &x[1]), &[a.clone(), b.clone()], 3) {
            panic!("shapes {shape_a:?} and {shape_b:?}: {mismatch}");
        }
        if shape_a.len() >= 2 {
            let transposed = |x: &[Tensor<f64>]| f(&x[0].t().contiguous().t(), &x[1]);
            if let Err(mismatch) = gradcheck_to_order(&transposed, &[a, b], 2) {
                panic!("shapes {shape_a:?} (stored transposed) and {shape_b:?}: {mismatch}");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::{Grads, Op};

    /// y = x², with a backward that forgets the 2.
    #[derive(Clone)]
    struct WrongSquare(Tensor<f64>);
    impl Op<f64> for WrongSquare {
        const NAME: &'static str = "wrong_square";
        fn backward(self, dy: Tensor<f64>, grads: &mut Grads<'_, f64>) {
            grads.set(0, || self.0 * dy);
        }
    }

    #[test]
    fn a_wrong_backward_is_found() {
        let f = |x: &[Tensor<f64>]| (x[0].detach() * x[0].detach()).recorded([&x[0]], || WrongSquare(x[0].clone()));
        let mismatch = gradcheck(f, &[Tensor::of([1.0, 3.0])]).unwrap_err();
        assert_eq!((mismatch.input, mismatch.element, mismatch.order), (0, 0, 1));
        assert!((mismatch.numeric / mismatch.analytic - 2.0).abs() < 1e-8, "{mismatch}");
    }

    /// y = x³, right once, wrong in its second derivative: what was saved has lost its history.
    #[derive(Clone)]
    struct DetachedCube(Tensor<f64>);
    impl Op<f64> for DetachedCube {
        const NAME: &'static str = "detached_cube";
        fn backward(self, dy: Tensor<f64>, grads: &mut Grads<'_, f64>) {
            let x = self.0.detach();
            grads.set(0, || &x * &x * 3.0 * dy);
        }
    }

    #[test]
    fn a_wrong_second_derivative_is_found() {
        let f = |x: &[Tensor<f64>]| {
            let value = x[0].detach();
            (&value * &value * &value).recorded([&x[0]], || DetachedCube(x[0].clone()))
        };
        let x = [Tensor::of([1.0, 3.0])];
        gradcheck(f, &x).unwrap();
        assert_eq!(gradgradcheck(f, &x).unwrap_err().order, 2);
    }
}
