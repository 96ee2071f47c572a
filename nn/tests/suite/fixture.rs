//! Reading the JSON that the scripts in `tests/fixtures/` wrote.

use autograd::{Float, Tensor};
use serde_json::Value;

/// The elements of a list.
pub fn array(value: &Value) -> &[Value] {
    value.as_array().expect("an array")
}

/// The numbers of a list.
pub fn numbers(value: &Value) -> Vec<f64> {
    array(value).iter().map(|x| x.as_f64().expect("a number")).collect()
}

/// Options of a case, which are PyTorch's default where the fixture does not give them.
pub struct Options<'a>(pub &'a Value);

impl Options<'_> {
    pub fn number(&self, name: &str, default: f64) -> f64 {
        self.0.get(name).map_or(default, |value| value.as_f64().expect("a number"))
    }

    pub fn flag(&self, name: &str) -> bool {
        self.0.get(name).is_some_and(|value| value.as_bool().expect("true or false"))
    }
}

/// The generator of `tests/fixtures/lcg.py`, with which script and test make the same numbers.
pub struct Lcg {
    state: u64,
}

impl Lcg {
    /// Where every script starts.
    pub fn new() -> Lcg {
        Lcg { state: 2026 }
    }

    fn next(&mut self) -> u64 {
        self.state = (1664525 * self.state + 1013904223) % (1 << 32);
        self.state >> 8
    }

    /// From [-scale/2, scale/2).
    pub fn uniform<T: Float>(&mut self, scale: f64, shape: &[usize]) -> Tensor<T> {
        Tensor::from_fn(shape, |_| T::from_f64((self.next() as f64 / (1 << 24) as f64 - 0.5) * scale))
    }

    /// From 0 to `bound` - 1.
    pub fn below(&mut self, bound: u64, shape: &[usize]) -> Tensor<i64> {
        Tensor::from_fn(shape, |_| (self.next() % bound) as i64)
    }
}
