//! A loss that is no number ends the training, with a word on where it came from.

use anyhow::{Result, bail};
use autograd::{Tensor, detect_anomaly};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// An error if the loss of this step is not finite. `again` runs the step's forward and backward once more, in anomaly
/// mode, which names the operation that made the first NaN or infinity.
pub fn finite(loss: &Tensor, name: &str, step: usize, again: impl FnOnce()) -> Result<()> {
    let value = loss.item();
    if value.is_finite() {
        return Ok(());
    }
    let panic = catch_unwind(AssertUnwindSafe(|| detect_anomaly(again))).err();
    let found = panic.and_then(|panic| panic.downcast::<String>().ok());
    let found = found.map_or_else(|| "its inputs or weights were not finite before".to_string(), |found| *found);
    bail!("step {step}: {name} is {value}; training stops. {found}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_operation_is_named() {
        let x = Tensor::from([1.0, -1.0]).requires_grad();
        let loss = || x.log().sum(..);
        let error = finite(&loss(), "the loss", 7, || loss().backward()).unwrap_err().to_string();
        assert!(error.starts_with("step 7: the loss is NaN; training stops. anomaly: forward of log at"), "{error}");
        assert!(finite(&Tensor::from(1.0), "the loss", 8, || unreachable!()).is_ok());
    }
}
