//! Reading the JSON that the scripts in `tests/fixtures/` wrote.

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
