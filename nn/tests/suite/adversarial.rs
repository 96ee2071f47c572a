//! Losses of a generator and a discriminator, and penalties, against PyTorch. `tests/fixtures/make_adversarial.py` made
//! the numbers.

use crate::fixture::{Lcg, array, numbers};
use autograd::{Conv2dOptions, ConvTranspose2dOptions, GradOptions, Tensor, grad};
use nn::losses::{GanLoss, PathLength, gradient_penalty_at, r1_penalty};
use serde_json::Value;
use std::sync::LazyLock;

static FIXTURE: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(include_str!("../fixtures/adversarial.json")).expect("valid JSON"));

/// Values of up to some tens, each from fewer than a thousand operations in double precision on numbers of that size,
/// whose roundings are 2⁻⁵³ of them: 1000·50·2⁻⁵³ = 6·10⁻¹².
const NEAR: f64 = 6e-12;

#[track_caller]
fn assert_near(found: &Tensor<f64>, expected: &Value) {
    let expected = if expected.is_array() { numbers(expected) } else { vec![expected.as_f64().expect("a number")] };
    assert_eq!(found.count(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        assert!((found - expected).abs() <= NEAR, "{found}, not {expected}");
    }
}

#[track_caller]
fn assert_gradients(penalty: &Tensor<f64>, weights: &[Tensor<f64>], case: &Value) {
    assert_near(penalty, &case["penalty"]);
    // More may be asked of the same graph, and a shift may be asked for that changes no slope.
    let options = GradOptions { retain_graph: true, allow_unused: true, ..Default::default() };
    let gradients = grad(&[penalty], &weights.iter().collect::<Vec<_>>(), options);
    for (gradient, expected) in gradients.iter().zip(array(&case["gradients"])) {
        assert_near(gradient, expected);
    }
}

/// Weights of these shapes.
fn weights<const N: usize>(lcg: &mut Lcg, shapes: [&[usize]; N]) -> [Tensor<f64>; N] {
    shapes.map(|shape| lcg.uniform(2.0, shape).requires_grad())
}

#[test]
fn games() {
    let losses =
        [GanLoss::Saturating, GanLoss::NonSaturating, GanLoss::LeastSquares, GanLoss::Hinge, GanLoss::Wasserstein];
    let cases = array(&FIXTURE["games"]);
    assert_eq!(cases.len(), losses.len());
    for (loss, case) in losses.into_iter().zip(cases) {
        let mut lcg = Lcg::new();
        let [real, fake] = [6, 4].map(|count| lcg.uniform::<f64>(8.0, &[count, 1]).requires_grad());
        let value = loss.discriminator(&real, &fake);
        assert_near(&value, &case["discriminator"]);
        let gradients = grad(&[&value], &[&real, &fake], GradOptions::default());
        assert_near(&gradients[0], &case["of_real"]);
        assert_near(&gradients[1], &case["of_fake"]);
        let value = loss.generator(&fake);
        assert_near(&value, &case["generator"]);
        assert_near(&grad(&[&value], &[&fake], GradOptions::default())[0], &case["of_generator"]);
    }
}

fn discriminator_weights(lcg: &mut Lcg) -> [Tensor<f64>; 3] {
    weights(lcg, [&[9, 4], &[4], &[4, 1]])
}

/// `[N, 1, 3, 3]` to `[N, 1]`.
fn discriminate(x: &Tensor<f64>, [a, bias, b]: &[Tensor<f64>; 3]) -> Tensor<f64> {
    (x.flatten(1).matmul(a) + bias).tanh().matmul(b)
}

#[test]
fn a_gradient_penalty_and_its_gradients() {
    let mut lcg = Lcg::new();
    let weights = discriminator_weights(&mut lcg);
    let [real, fake] = [(); 2].map(|()| lcg.uniform::<f64>(4.0, &[5, 1, 3, 3]));
    let share = lcg.uniform::<f64>(1.0, &[5, 1, 1, 1]) + 0.5;
    let points = (&share * &real + (-&share + 1.0) * &fake).requires_grad();
    let penalty = gradient_penalty_at(&discriminate(&points, &weights), &points);
    assert_gradients(&penalty, &weights, &FIXTURE["gradient_penalty"]);
}

#[test]
fn r1_and_its_gradients() {
    let mut lcg = Lcg::new();
    let weights = discriminator_weights(&mut lcg);
    let real = lcg.uniform::<f64>(4.0, &[5, 1, 3, 3]).requires_grad();
    let penalty = r1_penalty(&discriminate(&real, &weights), &real, 10.0);
    assert_gradients(&penalty, &weights, &FIXTURE["r1"]);
}

#[test]
fn path_lengths_and_their_gradients() {
    for case in array(&FIXTURE["path_length"]) {
        let mut lcg = Lcg::new();
        let weights = weights(&mut lcg, [&[6, 4], &[4, 9]]);
        let shape: Vec<usize> = numbers(&case["style"]).into_iter().map(|size| size as usize).collect();
        let mut path_length = PathLength::default();
        for step in array(&case["steps"]) {
            let styles = lcg.uniform::<f64>(4.0, &shape).requires_grad();
            let images = styles.flatten(1).matmul(&weights[0]).tanh().matmul(&weights[1]).reshape([5, 1, 3, 3]);
            let noise = lcg.uniform(2.0, &[5, 1, 3, 3]);
            let penalty = path_length.along(&images, &styles, &noise);
            assert_gradients(&penalty, &weights, step);
            assert!((path_length.mean - step["mean"].as_f64().expect("a number")).abs() <= NEAR);
        }
    }
}

/// Second derivatives through convolutions and batch norm in training mode.
#[test]
fn penalties_of_convolutional_networks() {
    let case = &FIXTURE["convolutional"];
    let mut lcg = Lcg::new();
    let critic = weights(&mut lcg, [&[4, 2, 4, 4], &[4], &[4], &[1, 4, 3, 3]]);
    let [first, scale, shift, last] = &critic;
    let x = lcg.uniform::<f64>(4.0, &[4, 2, 9, 9]).requires_grad();
    let convolved = x.conv2d(first, None, &Conv2dOptions::default().stride(2)); // [4, 4, 3, 3]
    let (hidden, _) = convolved.batch_norm(Some(scale), Some(shift), 1e-5);
    let outputs = hidden.leaky_relu(0.2).conv2d(last, None, &Conv2dOptions::default()); // [4, 1, 1, 1]
    assert_gradients(&gradient_penalty_at(&outputs, &x), &critic, &case["critic"][0]);
    assert_gradients(&r1_penalty(&outputs, &x, 10.0), &critic, &case["critic"][1]);

    let mut lcg = Lcg::new();
    let generator = weights(&mut lcg, [&[5, 27], &[3], &[3], &[3, 2, 4, 4]]);
    let [first, scale, shift, last] = &generator;
    let styles = lcg.uniform::<f64>(4.0, &[4, 5]).requires_grad();
    let (hidden, _) = styles.matmul(first).reshape([4, 3, 3, 3]).batch_norm(Some(scale), Some(shift), 1e-5);
    let options = ConvTranspose2dOptions { output_padding: [1, 1], ..Default::default() }.stride(2).padding(1);
    let images = hidden.leaky_relu(0.2).conv_transpose2d(last, None, &options).tanh(); // [4, 2, 7, 7]
    let noise = lcg.uniform(2.0, images.shape());
    let penalty = PathLength::default().along(&images, &styles, &noise);
    assert_gradients(&penalty, &generator, &case["generator"]);
}
