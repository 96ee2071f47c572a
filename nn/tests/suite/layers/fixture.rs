//! The numbers that `tests/fixtures/make_layers.py` wrote.

use autograd::{Dims, Float, Tensor};
use serde_json::Value;
use std::sync::LazyLock;

use crate::fixture::numbers;
pub use crate::fixture::{Options, array};

pub static FIXTURE: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(include_str!("../../fixtures/layers.json")).expect("valid JSON"));

pub fn shape(value: &Value) -> Dims {
    numbers(value).into_iter().map(|size| size as usize).collect()
}

pub fn floats<T: Float>(value: &Value) -> Tensor<T> {
    let values: Vec<T> = numbers(&value["values"]).into_iter().map(T::from_f64).collect();
    Tensor::from_slice(&values, shape(&value["shape"]))
}

pub fn integers(value: &Value) -> Tensor<i64> {
    let values: Vec<i64> = numbers(&value["values"]).into_iter().map(|x| x as i64).collect();
    Tensor::from_slice(&values, shape(&value["shape"]))
}

/// An option that is a tensor.
pub fn tensor_option<T: Float>(options: &Options<'_>, name: &str) -> Option<Tensor<T>> {
    options.0.get(name).map(floats)
}

/// Checks a tensor against PyTorch's, which was calculated in f64.
///
/// No number here comes of more than some two hundred operations, on numbers of size 30 at the most, and
/// none is the difference of numbers that nearly cancel: rounding each of them moves it by 200·30·ε/2 at the
/// most. For f64 this is 7·10⁻¹³, for f32 4·10⁻⁴; PyTorch's own digits in the fixture are good to 10⁻¹⁵.
#[track_caller]
pub fn assert_close<T: Float>(what: &str, ours: &Tensor<T>, theirs: &Value) {
    let theirs: Tensor<f64> = floats(theirs);
    assert_eq!(ours.shape(), theirs.shape(), "{what}: the shape");
    let bound = 3000.0 * T::EPSILON.to_f64();
    for (position, (ours, theirs)) in ours.iter().zip(theirs.iter()).enumerate() {
        let error = (ours.to_f64() - theirs).abs();
        assert!(error <= bound, "{what}: element {position} is {ours} and should be {theirs}");
    }
}

/// Runs backward from `y` with the gradient of a result, and compares value and gradients.
#[track_caller]
pub fn check<T: Float>(what: &str, y: &Tensor<T>, leaves: &[Option<Tensor<T>>], result: &Value) {
    assert_close(&format!("{what}: value"), y, &result["value"]);
    (y * floats(&result["dy"])).sum(..).backward();
    for (input, (leaf, expected)) in leaves.iter().zip(array(&result["gradients"])).enumerate() {
        if let Some(leaf) = leaf {
            let gradient = leaf.grad().unwrap_or_else(|| panic!("{what}: input {input} has no gradient"));
            assert_close(&format!("{what}: gradient of input {input}"), &gradient, expected);
        }
    }
}
