//! The numbers that `tests/fixtures/make_optim.py` wrote.

use autograd::Tensor;
use autograd::graph::{Gradient, SparseRows};
use nn::Parameter;
use serde_json::Value;
use std::sync::LazyLock;

use crate::fixture::numbers;
pub use crate::fixture::{Options, array};

pub static FIXTURE: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(include_str!("../../fixtures/optim.json")).expect("valid JSON"));

pub const STEPS: usize = 20;

pub fn floats(value: &Value) -> Vec<f32> {
    numbers(value).into_iter().map(|x| x as f32).collect()
}

/// The fixture's parameters: `weight` and `bias`, or `table` for sparse gradients.
pub fn parameters(sparse: bool) -> Vec<(String, Parameter)> {
    let shapes: &[(&str, &[usize])] =
        if sparse { &[("table", &[6, 3])] } else { &[("weight", &[4, 3]), ("bias", &[5])] };
    let new = |&(name, shape): &(&str, &[usize])| {
        (name.to_string(), Parameter::new(Tensor::from_slice(&floats(&FIXTURE["initial"][name]), shape)))
    };
    shapes.iter().map(new).collect()
}

/// The gradient that a parameter has at a step, counted from 0.
pub fn gradient(name: &str, parameter: &Parameter, step: usize) -> Gradient {
    if name != "table" {
        return Gradient::Dense(Tensor::from_slice(&floats(&FIXTURE["gradients"][name][step]), parameter.shape()));
    }
    let entry = &FIXTURE["sparse"][step];
    let rows: Vec<i64> = array(&entry["rows"]).iter().map(|row| row.as_i64().expect("a row")).collect();
    Gradient::Sparse(Box::new(SparseRows {
        indices: Tensor::from_slice(&rows, rows.len()),
        values: Tensor::from_slice(&floats(&entry["values"]), [rows.len(), 3]),
        shape: parameter.shape(),
    }))
}

pub fn set_gradients(parameters: &[(String, Parameter)], step: usize) {
    for (name, parameter) in parameters {
        parameter.set_gradient(Some(gradient(name, parameter, step)));
    }
}

/// Adam's, which are a pair.
pub fn betas_of(options: &Options<'_>) -> (f64, f64) {
    options.0.get("betas").map_or((0.9, 0.999), |betas| (numbers(betas)[0], numbers(betas)[1]))
}
