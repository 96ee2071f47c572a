//! Twenty steps of every optimiser with several sets of options.

use super::fixture::{FIXTURE, Options, STEPS, array, betas_of, floats, parameters, set_gradients};
use autograd::Tensor;
use nn::Parameter;
use nn::optim::*;
use serde_json::Value;

fn optimizer(name: &str, options: &Value, parameters: Vec<(String, Parameter)>) -> Box<dyn Optimizer> {
    let o = Options(options);
    let (betas, amsgrad, centered, nesterov) =
        (betas_of(&o), o.flag("amsgrad"), o.flag("centered"), o.flag("nesterov"));
    let (momentum, dampening) = (o.number("momentum", 0.0), o.number("dampening", 0.0));
    let (lr, eps, weight_decay) = (|x| o.number("lr", x), |x| o.number("eps", x), |x| o.number("weight_decay", x));
    match name {
        "SGD" => {
            let options = SgdOptions { lr: lr(1e-3), momentum, dampening, weight_decay: weight_decay(0.0), nesterov };
            Box::new(Sgd::new(parameters, options))
        }
        "Adam" => {
            let (lr, eps, weight_decay) = (lr(1e-3), eps(1e-8), weight_decay(0.0));
            Box::new(Adam::new(parameters, AdamOptions { lr, betas, eps, weight_decay, amsgrad }))
        }
        "AdamW" => {
            let (lr, eps, weight_decay) = (lr(1e-3), eps(1e-8), weight_decay(0.01));
            Box::new(AdamW::new(parameters, AdamWOptions { lr, betas, eps, weight_decay, amsgrad }))
        }
        "RMSprop" => {
            let (lr, alpha, eps, weight_decay) = (lr(1e-2), o.number("alpha", 0.99), eps(1e-8), weight_decay(0.0));
            let options = RmsPropOptions { lr, alpha, eps, weight_decay, momentum, centered };
            Box::new(RmsProp::new(parameters, options))
        }
        "Adagrad" => {
            let (lr, lr_decay, weight_decay) = (lr(1e-2), o.number("lr_decay", 0.0), weight_decay(0.0));
            let initial_accumulator_value = o.number("initial_accumulator_value", 0.0);
            let options = AdagradOptions { lr, lr_decay, weight_decay, initial_accumulator_value, eps: eps(1e-10) };
            Box::new(Adagrad::new(parameters, options))
        }
        "SparseAdam" => {
            Box::new(SparseAdam::new(parameters, SparseAdamOptions { lr: lr(1e-3), betas, eps: eps(1e-8) }))
        }
        _ => panic!("{name}: an optimiser that the fixture has and this test does not know"),
    }
}

#[test]
fn twenty_steps_agree_with_pytorch() {
    let kept: Vec<usize> = array(&FIXTURE["kept"]).iter().map(|step| step.as_u64().unwrap() as usize).collect();
    let mut names = Vec::new();
    for case in array(&FIXTURE["optimizers"]) {
        let name = case["optimizer"].as_str().unwrap();
        names.push(name);
        let parameters = parameters(case["sparse"].as_bool().unwrap());
        let mut optimizer = optimizer(name, &case["options"], parameters.clone());
        let (mut largest, mut farthest) = (vec![0.0_f32; 2], vec![0.0_f32; 2]);
        for step in 0..STEPS {
            set_gradients(&parameters, step);
            let before: Vec<_> = parameters.iter().map(|(_, parameter)| parameter.value().to_vec()).collect();
            optimizer.step();
            for (i, (key, parameter)) in parameters.iter().enumerate() {
                let now = parameter.value().to_vec();
                for (x, y) in now.iter().zip(&before[i]) {
                    largest[i] = largest[i].max(x.abs());
                    farthest[i] = farthest[i].max((x - y).abs());
                }
                let Some(position) = kept.iter().position(|&kept| kept == step + 1) else { continue };
                // At each step both libraries round the value once, by half an ε of it at most, and the
                // way it moves in about eight operations, some of them twice the error of their operands.
                let bound = (step + 1) as f32 * f32::EPSILON * (largest[i] + 16.0 * farthest[i]);
                for (x, expected) in now.iter().zip(floats(&case["values"][position][key])) {
                    assert!(
                        (x - expected).abs() <= bound,
                        "{name} {} {key} after step {}: {x} and not {expected}, bound {bound:e}",
                        case["options"],
                        step + 1
                    );
                }
            }
        }
    }
    names.dedup();
    assert_eq!(names, ["SGD", "Adam", "AdamW", "RMSprop", "Adagrad", "SGD", "Adagrad", "SparseAdam"]);
}

#[test]
fn defaults_are_those_of_pytorch() {
    // The cases without options in the fixture hold these too; this is the list to read.
    assert_eq!(betas_of(&Options(&Value::Null)), AdamOptions::default().betas);
    let sgd = SgdOptions { lr: 1e-3, momentum: 0.0, dampening: 0.0, weight_decay: 0.0, nesterov: false };
    assert_eq!(SgdOptions::default(), sgd);
    assert_eq!((AdamOptions::default().weight_decay, AdamWOptions::default().weight_decay), (0.0, 0.01));
    assert_eq!((RmsPropOptions::default().lr, RmsPropOptions::default().alpha), (0.01, 0.99));
    assert_eq!((AdagradOptions::default().lr, AdagradOptions::default().eps), (0.01, 1e-10));
    assert_eq!(SparseAdamOptions::default(), SparseAdamOptions { lr: 1e-3, betas: (0.9, 0.999), eps: 1e-8 });
}

fn parameter(values: [f32; 2]) -> Parameter {
    Parameter::new(Tensor::from(values))
}

#[test]
fn parameters_without_a_gradient_stay() {
    let (used, unused, frozen) = (parameter([1.0, 2.0]), parameter([3.0, 4.0]), parameter([5.0, 6.0]));
    frozen.set_trainable(false);
    let all = vec![used.clone(), unused.clone(), frozen.clone()];
    let mut optimizer = AdamW::new(all, AdamWOptions { weight_decay: 0.5, ..Default::default() });
    (used.value() * frozen.value()).sum(..).backward();
    optimizer.step();
    assert_ne!(used.value().to_vec(), [1.0, 2.0]);
    assert_eq!(unused.value().to_vec(), [3.0, 4.0]);
    assert_eq!(frozen.value().to_vec(), [5.0, 6.0]);
    optimizer.zero_grad();
    assert!(used.grad().is_none());
}

#[test]
fn groups_have_their_own_options() {
    let (a, b) = (parameter([1.0, 1.0]), parameter([1.0, 1.0]));
    let mut optimizer = Sgd::new([a.clone()], SgdOptions { lr: 0.5, ..Default::default() });
    optimizer.add_group([b.clone()], SgdOptions { lr: 0.25, weight_decay: 1.0, ..Default::default() });
    let step = |optimizer: &mut Sgd| {
        optimizer.zero_grad();
        (a.value() + b.value()).sum(..).backward(); // Its gradient is a view of one number.
        optimizer.step();
        (a.value().to_vec()[1], b.value().to_vec()[1])
    };
    assert_eq!(step(&mut optimizer), (0.5, 0.5));
    assert_eq!((optimizer.lr(), optimizer.group_lr(1)), (0.5, 0.25));
    optimizer.set_lr(0.125);
    assert_eq!(step(&mut optimizer), (0.375, 0.5 - 0.125 * 1.5));
    let options = SgdOptions { lr: 1.0, ..optimizer.options(1).clone() };
    optimizer.set_options(1, SgdOptions { weight_decay: 0.0, ..options });
    assert_eq!(step(&mut optimizer), (0.25, 0.5 - 0.125 * 1.5 - 1.0));
}

#[test]
fn a_value_that_a_forward_pass_read_does_not_change() {
    let w = parameter([1.0, 2.0]);
    let before = w.value();
    let mut optimizer = Sgd::new([w.clone()], SgdOptions { lr: 1.0, ..Default::default() });
    before.sum(..).backward();
    optimizer.step();
    assert_eq!((before.to_vec(), w.value().to_vec()), (vec![1.0, 2.0], vec![0.0, 1.0]));
}

#[test]
fn weight_decay_of_zero_leaves_infinite_values() {
    let w = parameter([f32::INFINITY, 1.0]);
    let mut optimizer = Sgd::new([w.clone()], SgdOptions { lr: 1.0, ..Default::default() });
    w.value().sum(..).backward();
    optimizer.step();
    assert_eq!(w.value().to_vec(), [f32::INFINITY, 0.0]);
}

#[test]
#[should_panic(expected = "Sgd: 0 and 1 are one parameter")]
fn a_parameter_in_two_places_is_refused() {
    let w = parameter([1.0, 2.0]);
    Sgd::new([w.clone()], SgdOptions::default()).add_group([w], SgdOptions::default());
}

#[test]
#[should_panic(expected = "Adam: two parameters are called weight")]
fn two_parameters_of_one_name_are_refused() {
    let named = || ("weight".to_string(), parameter([1.0, 2.0]));
    Adam::new(vec![named(), named()], AdamOptions::default());
}

#[test]
#[should_panic(expected = "RmsProp: no parameters")]
fn no_parameters_are_refused() {
    RmsProp::new(Vec::<Parameter>::new(), RmsPropOptions::default());
}

#[test]
#[should_panic(expected = "Adam: betas.1 is 1, and must be at least 0 and below 1")]
fn a_beta_of_one_is_refused() {
    Adam::new([parameter([1.0, 2.0])], AdamOptions { betas: (0.9, 1.0), ..Default::default() });
}

#[test]
#[should_panic(expected = "nesterov takes a momentum above 0")]
fn nesterov_without_momentum_is_refused() {
    Sgd::new([parameter([1.0, 2.0])], SgdOptions { nesterov: true, ..Default::default() });
}

#[test]
#[should_panic(expected = "Adagrad has no momentum")]
fn momentum_is_refused_where_there_is_none() {
    Adagrad::new([parameter([1.0, 2.0])], AdagradOptions::default()).set_momentum(0.5);
}
