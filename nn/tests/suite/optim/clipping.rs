//! Clipping against PyTorch's, and of what PyTorch does not take.

use super::fixture::{FIXTURE, array, floats, parameters, set_gradients};
use autograd::Tensor;
use autograd::graph::Gradient;
use nn::Parameter;
use nn::optim::*;

fn plain(named: Vec<(String, Parameter)>) -> Vec<Parameter> {
    named.into_iter().map(|(_, parameter)| parameter).collect()
}

#[test]
fn norms_and_clipped_gradients_agree_with_pytorch() {
    for case in array(&FIXTURE["clip_norm"]) {
        let named = parameters(false);
        set_gradients(&named, 0);
        let parameters = plain(named.clone());
        let norm_type = case["norm_type"].as_f64().unwrap_or(f64::INFINITY);
        let options = ClipOptions { norm_type, error_if_nonfinite: true };
        let norm = clip_grad_norm_with(&parameters, case["max_norm"].as_f64().unwrap(), options).expect("finite");
        let expected = case["norm"].as_f64().unwrap() as f32;
        // 17 numbers, whose powers and their sum are rounded a few times each, up to 3ε a power.
        let bound = 32.0 * f32::EPSILON;
        assert!((norm - expected).abs() <= bound * expected, "norm {norm_type}: {norm} and not {expected}");
        for (name, parameter) in named {
            for (x, expected) in parameter.grad().unwrap().iter().zip(floats(&case[&name])) {
                assert!(
                    (x - expected).abs() <= bound * expected.abs(),
                    "norm {norm_type}, {name}: {x}, not {expected}"
                );
            }
        }
    }
}

#[test]
fn clipped_values_agree_with_pytorch() {
    for case in array(&FIXTURE["clip_value"]) {
        let named = parameters(false);
        set_gradients(&named, 0);
        clip_grad_value(&[named[0].1.clone()], case["value"].as_f64().unwrap());
        assert_eq!(named[0].1.grad().unwrap().to_vec(), floats(&case["weight"]));
    }
}

#[test]
fn sparse_gradients_are_coalesced_first() {
    // Step 3 of the fixture has four rows, one of them twice or more.
    let (sparse, dense) = (parameters(true), parameters(true));
    set_gradients(&sparse, 3);
    let Some(Gradient::Sparse(rows)) = sparse[0].1.gradient() else { panic!("the fixture's table is sparse") };
    assert!(rows.coalesced().indices.count() < rows.indices.count());
    dense[0].1.set_gradient(Some(Gradient::Dense(rows.to_dense())));

    let (a, b) = (plain(sparse), plain(dense));
    let (norm, expected) = (clip_grad_norm(&a, 1.0), clip_grad_norm(&b, 1.0));
    // Both are the root of a sum of at most 18 squares that are not 0, added in another order.
    assert!((norm - expected).abs() <= 18.0 * f32::EPSILON * expected, "{norm}, {expected}");
    assert!(matches!(a[0].gradient(), Some(Gradient::Sparse(_))));
    for (x, expected) in a[0].grad().unwrap().iter().zip(b[0].grad().unwrap().iter()) {
        assert!((x - expected).abs() <= 18.0 * f32::EPSILON * expected.abs());
    }
    let (limit, before) = (0.1, a[0].grad().unwrap());
    clip_grad_value(&a, limit);
    let expected: Vec<f32> = before.iter().map(|x| x.clamp(-0.1, 0.1)).collect();
    assert_eq!(a[0].grad().unwrap().to_vec(), expected);
}

fn with_gradient(values: [f32; 2]) -> Parameter {
    let parameter = Parameter::new(Tensor::from([0.0, 0.0]));
    parameter.set_gradient(Some(Gradient::Dense(Tensor::from(values))));
    parameter
}

#[test]
fn a_norm_that_is_not_finite() {
    let ask = ClipOptions { error_if_nonfinite: true, ..Default::default() };
    for (bad, expected) in [(f32::NAN, [f32::NAN, f32::NAN]), (f32::INFINITY, [0.0, f32::NAN])] {
        let parameters = [with_gradient([1.0, bad])];
        let error = clip_grad_norm_with(&parameters, 1.0, ask).expect_err("not finite");
        assert_eq!(
            error.to_string(),
            format!("the gradients' total norm of order 2 is {bad}, so they cannot be clipped")
        );
        assert_eq!(parameters[0].grad().unwrap().value_at([0]), 1.0);
        assert!(!clip_grad_norm(&parameters, 1.0).is_finite());
        let bits = |x: &[f32]| x.iter().map(|x| if x.is_nan() { None } else { Some(x.to_bits()) }).collect::<Vec<_>>();
        assert_eq!(bits(&parameters[0].grad().unwrap().to_vec()), bits(&expected), "as PyTorch has it");
    }
}

#[test]
fn small_and_absent_gradients_stay() {
    let (small, none, empty) =
        (with_gradient([0.3, 0.4]), Parameter::new(Tensor::from([1.0])), Parameter::new(Tensor::zeros([0])));
    empty.set_gradient(Some(Gradient::Dense(Tensor::zeros([0]))));
    let all = [small.clone(), none.clone(), empty];
    assert_eq!(clip_grad_norm(&all, 1.0), 0.5);
    assert_eq!(grad_norm(&all, f64::INFINITY), 0.4);
    assert_eq!(small.grad().unwrap().to_vec(), [0.3, 0.4]);
    assert!(none.grad().is_none());
    assert_eq!(clip_grad_norm(&[none], 1.0), 0.0);
}

#[test]
fn a_gradient_that_someone_holds_does_not_change() {
    let parameter = with_gradient([3.0, 4.0]);
    let held = parameter.grad().unwrap();
    clip_grad_norm(std::slice::from_ref(&parameter), 1.0);
    assert_eq!(held.to_vec(), [3.0, 4.0]);
    assert_ne!(parameter.grad().unwrap().to_vec(), [3.0, 4.0]);
}
