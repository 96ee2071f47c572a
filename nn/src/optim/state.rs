//! What an optimiser or a schedule needs to continue: tensors and numbers by name.

use autograd::{Dims, Tensor};
use std::collections::BTreeMap;
use std::fmt;

/// Named tensors and numbers. Comes out of [`Optimizer::state`](super::Optimizer::state) and the like.
#[derive(Clone, Default)]
pub struct State {
    /// As `fc1.weight.exp_avg`.
    pub tensors: BTreeMap<String, Tensor>,
    /// As `fc1.weight.step`. A file must keep all bits of these.
    pub scalars: BTreeMap<String, f64>,
}

/// A state that does not fit what it is loaded into. Names are in alphabetical order.
#[derive(Clone, Debug, Default, PartialEq, thiserror::Error)]
pub struct StateError {
    /// What should be there and is not.
    pub missing: Vec<String>,
    /// What is there and should not be.
    pub unexpected: Vec<String>,
    /// What has another shape.
    pub misshapen: Vec<Misshapen>,
    /// Numbers that cannot be right, as a negative count of steps.
    pub invalid: Vec<(String, f64)>,
}

/// A tensor of another shape than expected.
#[derive(Clone, Debug, PartialEq)]
pub struct Misshapen {
    /// Its name.
    pub name: String,
    /// The shape that would have fitted.
    pub expected: Dims,
    /// The shape it has.
    pub found: Dims,
}

impl fmt::Display for StateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the state does not fit")?;
        for (what, names) in [("missing", &self.missing), ("unexpected", &self.unexpected)] {
            if !names.is_empty() {
                write!(f, "; {what}: {}", names.join(", "))?;
            }
        }
        for Misshapen { name, expected, found } in &self.misshapen {
            write!(f, "; {name} has shape {found}, expected {expected}")?;
        }
        for (name, number) in &self.invalid {
            write!(f, "; {name} is {number}")?;
        }
        Ok(())
    }
}

/// Takes entries out of a state by name and notes what does not fit.
pub(crate) struct Reader<'a> {
    tensors: BTreeMap<&'a str, &'a Tensor>,
    scalars: BTreeMap<&'a str, f64>,
    error: StateError,
}

impl<'a> Reader<'a> {
    pub fn new(state: &'a State) -> Reader<'a> {
        Reader {
            tensors: state.tensors.iter().map(|(name, tensor)| (name.as_str(), tensor)).collect(),
            scalars: state.scalars.iter().map(|(name, &number)| (name.as_str(), number)).collect(),
            error: StateError::default(),
        }
    }

    /// The number of this name, if it is there and `valid`.
    pub fn scalar(&mut self, name: String, valid: impl Fn(f64) -> bool) -> Option<f64> {
        match self.scalars.remove(name.as_str()) {
            Some(number) if valid(number) => return Some(number),
            Some(number) => self.error.invalid.push((name, number)),
            None => self.error.missing.push(name),
        }
        None
    }

    /// A whole number, not negative.
    pub fn count(&mut self, name: String) -> Option<u64> {
        // Beyond 2⁵³ not every whole number is an f64.
        self.scalar(name, |n| (0.0..=9_007_199_254_740_992.0).contains(&n) && n.fract() == 0.0).map(|n| n as u64)
    }

    /// The tensor of this name, if it is there and has this shape.
    pub fn tensor(&mut self, name: String, shape: Dims) -> Option<Tensor> {
        match self.tensors.remove(name.as_str()) {
            Some(tensor) if *tensor.shape() == shape => return Some(tensor.detach()),
            Some(tensor) => self.error.misshapen.push(Misshapen { name, expected: shape, found: *tensor.shape() }),
            None => self.error.missing.push(name),
        }
        None
    }

    /// All tensors whose names begin with `prefix`, by the rest of their names.
    pub fn inside(&mut self, prefix: &str) -> BTreeMap<String, Tensor> {
        let found: Vec<&str> = self.tensors.keys().copied().filter(|name| name.starts_with(prefix)).collect();
        found
            .iter()
            .map(|name| (name[prefix.len()..].to_string(), self.tensors.remove(name).expect("just seen").detach()))
            .collect()
    }

    /// What did not fit, with all that nobody took.
    pub fn finish(mut self) -> Result<(), StateError> {
        self.error.unexpected = self.tensors.into_keys().chain(self.scalars.into_keys()).map(String::from).collect();
        self.error.unexpected.sort();
        self.error.missing.sort();
        self.error.misshapen.sort_by(|a, b| a.name.cmp(&b.name));
        if self.error == StateError::default() { Ok(()) } else { Err(self.error) }
    }
}
