//! Which optimisers take sparse gradients, and what the others say.

use super::fixture::{parameters, set_gradients};
use nn::optim::*;

#[test]
fn unused_rows_stay_and_are_not_decayed_by_time() {
    let parameters = parameters(true);
    let mut optimizer = SparseAdam::new(parameters.clone(), SparseAdamOptions { lr: 0.1, ..Default::default() });
    let before = parameters[0].1.value().to_vec();
    for step in 0..20 {
        set_gradients(&parameters, step);
        optimizer.step();
    }
    let after = parameters[0].1.value().to_vec();
    assert_eq!(before[15..], after[15..], "the fixture never uses row 5");
    assert!(before[..15].iter().zip(&after).all(|(x, y)| x != y), "and all others");
}

#[test]
fn a_step_without_rows_counts_but_changes_nothing() {
    use autograd::Tensor;
    use autograd::graph::{Gradient, SparseRows};
    let parameters = parameters(true);
    let table = &parameters[0].1;
    let before = table.value().to_vec();
    let none = SparseRows { indices: Tensor::zeros_of(0), values: Tensor::zeros([0, 3]), shape: table.shape() };
    table.set_gradient(Some(Gradient::Sparse(Box::new(none))));
    let mut optimizer = SparseAdam::new(parameters.clone(), SparseAdamOptions::default());
    optimizer.step();
    assert_eq!(table.value().to_vec(), before);
    assert_eq!(optimizer.state().scalars["table.step"], 1.0);
}

/// What the optimiser says to a gradient that it refuses.
fn refused(sparse: bool, new: impl FnOnce(Vec<(String, nn::Parameter)>) -> Box<dyn Optimizer>) -> String {
    let parameters = parameters(sparse);
    let before = parameters[0].1.value().to_vec();
    let mut optimizer = new(parameters.clone());
    set_gradients(&parameters, 0);
    let payload = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| optimizer.step())).expect_err("refused");
    assert_eq!(parameters[0].1.value().to_vec(), before);
    *payload.downcast::<String>().expect("a message")
}

#[test]
fn the_others_refuse_them_and_say_what_to_use() {
    let message = "Adam: table, of shape [6, 3]: takes no sparse gradients; use SparseAdam or Adagrad, or make the \
                   embedding dense";
    assert_eq!(refused(true, |p| Box::new(Adam::new(p, AdamOptions::default()))), message);
    let message = refused(true, |p| Box::new(AdamW::new(p, AdamWOptions::default())));
    assert!(message.starts_with("AdamW: table, of shape [6, 3]: takes no sparse gradients"), "{message}");
    let message = refused(true, |p| Box::new(RmsProp::new(p, RmsPropOptions::default())));
    assert!(message.starts_with("RmsProp: table, of shape [6, 3]: takes no sparse gradients"), "{message}");
    let options = SgdOptions { momentum: 0.9, ..Default::default() };
    let message = refused(true, |p| Box::new(Sgd::new(p, options)));
    assert!(message.starts_with("Sgd: table, of shape [6, 3]: takes sparse gradients only without"), "{message}");
    let options = AdagradOptions { weight_decay: 0.1, ..Default::default() };
    let message = refused(true, |p| Box::new(Adagrad::new(p, options)));
    assert!(message.starts_with("Adagrad: table, of shape [6, 3]: takes sparse gradients only without"), "{message}");
}

#[test]
fn sparse_adam_refuses_dense_gradients() {
    let message = refused(false, |p| Box::new(SparseAdam::new(p, SparseAdamOptions::default())));
    let expected = "SparseAdam: weight, of shape [4, 3]: takes no dense gradients; use Adam for them, or make the \
                    embedding sparse";
    assert_eq!(message, expected);
}
