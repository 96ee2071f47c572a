//! Anomaly mode: which operation, on which line, first made a NaN or an infinity.

use super::node::Node;
use crate::kernels::element::Element;
use crate::tensor::Tensor;
use std::panic::Location;

/// Panics if `output` has a NaN or an infinity although no input has.
#[track_caller]
pub(super) fn check_forward<T: Element>(
    name: &str,
    output: &Tensor<T>,
    inputs: &[&Tensor<T>],
    location: &Location<'_>,
) {
    if let Some(found) = first_anomaly(output)
        && inputs.iter().all(|x| first_anomaly(x).is_none())
    {
        let shapes: Vec<_> = inputs.iter().map(|x| x.shape()).collect();
        panic!("anomaly: forward of {name} at {location} made {found}; its inputs, of shapes {shapes:?}, were finite");
    }
}

/// Panics if `dx` has a NaN or an infinity although `dy` had none.
pub(super) fn check_backward<T: Element>(node: &dyn Node<T>, input: usize, dx: &Tensor<T>) {
    if let Some(found) = first_anomaly(dx) {
        panic!(
            "anomaly: backward of {} at {} made {found} in the gradient of its input {input}; \
             the gradient it was given was finite",
            node.name(),
            node.head().origin
        );
    }
}

/// What the first value that is not finite is, and where, in words.
pub(super) fn first_anomaly<T: Element>(x: &Tensor<T>) -> Option<String> {
    let (position, value) = x.iter().enumerate().find(|(_, value)| !value.is_finite())?;
    let mut rest = position;
    let mut index: Vec<usize> = x.shape().iter().rev().map(|&size| (rest % size, rest /= size).0).collect();
    index.reverse();
    Some(format!("{value} at index {index:?}"))
}
