//! State that is saved and loaded.

use super::fixture::{STEPS, parameters, set_gradients};
use autograd::{Dims, Tensor};
use nn::Parameter;
use nn::optim::*;

fn bits(parameters: &[(String, Parameter)]) -> Vec<u32> {
    parameters.iter().flat_map(|(_, parameter)| parameter.value().to_vec()).map(f32::to_bits).collect()
}

/// Ten steps, saved, ten steps more; and the same ten by a new optimiser that loads what was saved.
fn resumes<R: Rule + Clone>(options: R, sparse: bool) {
    let first = parameters(sparse);
    let mut optimizer = Groups::new(first.clone(), options.clone());
    for step in 0..STEPS / 2 {
        set_gradients(&first, step);
        optimizer.step();
    }
    optimizer.set_lr(0.07);
    let saved = optimizer.state();

    let second = parameters(sparse);
    for ((_, to), (_, from)) in second.iter().zip(&first) {
        to.set(&from.value());
    }
    let mut resumed = Groups::new(second.clone(), options);
    // The first one goes on before the second one loads: what was saved must not change with it.
    for step in STEPS / 2..STEPS {
        set_gradients(&first, step);
        optimizer.step();
    }
    resumed.load_state(&saved).expect("its own state");
    assert_eq!(resumed.lr(), 0.07);
    for step in STEPS / 2..STEPS {
        set_gradients(&second, step);
        resumed.step();
    }
    assert_eq!(bits(&first), bits(&second), "{}", R::NAME);
}

#[test]
fn a_resumed_run_is_the_same_bit_for_bit() {
    resumes(SgdOptions { lr: 0.1, ..Default::default() }, false);
    resumes(SgdOptions { momentum: 0.9, dampening: 0.5, ..Default::default() }, false);
    resumes(AdamOptions { amsgrad: true, ..Default::default() }, false);
    resumes(AdamWOptions::default(), false);
    resumes(RmsPropOptions { momentum: 0.9, centered: true, ..Default::default() }, false);
    resumes(AdagradOptions { lr_decay: 0.1, ..Default::default() }, false);
    resumes(AdagradOptions { lr_decay: 0.1, ..Default::default() }, true);
    resumes(SparseAdamOptions::default(), true);
}

fn stepped() -> (Vec<(String, Parameter)>, Adam) {
    let parameters = parameters(false);
    let mut optimizer = Adam::new(parameters.clone(), AdamOptions::default());
    set_gradients(&parameters, 0);
    optimizer.step();
    (parameters, optimizer)
}

#[test]
fn names_are_those_of_parameters() {
    let (_, optimizer) = stepped();
    let state = optimizer.state();
    let tensors: Vec<_> = state.tensors.keys().map(String::as_str).collect();
    assert_eq!(tensors, ["bias.exp_avg", "bias.exp_avg_sq", "weight.exp_avg", "weight.exp_avg_sq"]);
    let scalars: Vec<_> = state.scalars.iter().map(|(name, &value)| (name.as_str(), value)).collect();
    assert_eq!(scalars, [("bias.step", 1.0), ("groups.0.lr", 1e-3), ("weight.step", 1.0)]);
}

#[test]
fn a_parameter_that_never_had_a_gradient_has_no_state() {
    let parameters = parameters(false);
    let mut optimizer = Adam::new(parameters.clone(), AdamOptions::default());
    set_gradients(&parameters[..1], 0);
    optimizer.step();
    let state = optimizer.state();
    assert_eq!(state.scalars["bias.step"], 0.0);
    assert!(!state.tensors.contains_key("bias.exp_avg"));
    assert_eq!(stepped().1.load_state(&state), Ok(()));
}

#[test]
fn all_that_does_not_fit_is_listed_and_nothing_changes() {
    let (parameters, mut optimizer) = stepped();
    let mut state = optimizer.state();
    state.tensors.remove("bias.exp_avg");
    state.scalars.remove("groups.0.lr");
    state.tensors.insert("weight.exp_avg".to_string(), Tensor::zeros([3, 4]));
    state.tensors.insert("head.exp_avg".to_string(), Tensor::zeros([1]));
    state.scalars.insert("head.step".to_string(), 1.0);
    state.scalars.insert("weight.step".to_string(), 1.5);
    let error = optimizer.load_state(&state).expect_err("it does not fit");
    assert_eq!(error.missing, ["bias.exp_avg", "groups.0.lr"]);
    assert_eq!(error.unexpected, ["head.exp_avg", "head.step"]);
    assert_eq!(error.invalid, [("weight.step".to_string(), 1.5)]);
    let misshapen =
        Misshapen { name: "weight.exp_avg".to_string(), expected: Dims::from([4, 3]), found: Dims::from([3, 4]) };
    assert_eq!(error.misshapen, [misshapen]);
    assert_eq!(
        error.to_string(),
        "the state does not fit; missing: bias.exp_avg, groups.0.lr; unexpected: head.exp_avg, head.step; \
         weight.exp_avg has shape [3, 4], expected [4, 3]; weight.step is 1.5"
    );

    let (others, mut other) = stepped();
    for (parameters, optimizer) in [(&parameters, &mut optimizer), (&others, &mut other)] {
        set_gradients(parameters, 1);
        optimizer.step();
    }
    assert_eq!(bits(&parameters), bits(&others));
}
