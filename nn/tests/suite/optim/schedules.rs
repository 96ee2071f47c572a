//! Learning rates against PyTorch's, by formula and by a scheduler that counts.

use super::fixture::{FIXTURE, Options, array};
use autograd::Tensor;
use nn::Parameter;
use nn::optim::*;
use serde_json::Value;

fn doubles(value: &Value) -> Vec<f64> {
    array(value).iter().map(|x| x.as_f64().expect("a number")).collect()
}

/// Two groups with learning rates of 0.1 and 0.02 and a momentum of 0.5, as the fixture has them.
fn two_groups() -> Sgd {
    let parameter = || Parameter::new(Tensor::from([0.0]));
    let options = |lr| SgdOptions { lr, momentum: 0.5, ..Default::default() };
    let mut optimizer = Sgd::new([parameter()], options(0.1));
    optimizer.add_group([parameter()], options(0.02));
    optimizer
}

fn schedule(name: &str) -> Box<dyn Schedule> {
    match name {
        "step" => Box::new(StepLr { step_size: 7, gamma: 0.3 }),
        "multi_step" => Box::new(MultiStepLr { gamma: 0.5, ..MultiStepLr::new([30, 11, 3, 11]) }),
        "exponential" => Box::new(ExponentialLr { gamma: 0.9 }),
        "cosine" => Box::new(CosineAnnealingLr { t_max: 15, eta_min: 0.01 }),
        "warm_restarts" => {
            Box::new(CosineAnnealingWarmRestarts { eta_min: 0.01, ..CosineAnnealingWarmRestarts::new(5) })
        }
        "warm_restarts_doubling" => {
            Box::new(CosineAnnealingWarmRestarts { t_mult: 2, ..CosineAnnealingWarmRestarts::new(4) })
        }
        "linear" => Box::new(LinearLr::default()),
        "linear_down" => Box::new(LinearLr { start_factor: 0.9, end_factor: 0.1, total_iters: 20 }),
        "lambda" => Box::new(LambdaLr(|step| 1.0 / (1.0 + 0.1 * step as f64))),
        "one_cycle" => Box::new(OneCycleLr::new(0.5, 40)),
        "one_cycle_linear" => Box::new(OneCycleLr {
            pct_start: 0.25,
            anneal: Anneal::Linear,
            base_momentum: 0.8,
            max_momentum: 0.9,
            div_factor: 10.0,
            final_div_factor: 100.0,
            ..OneCycleLr::new(0.5, 40)
        }),
        "one_cycle_three_phase" => Box::new(OneCycleLr { three_phase: true, ..OneCycleLr::new(0.5, 40) }),
        "linear_then_exponential" => {
            let warm_up = LinearLr { start_factor: 0.1, ..Default::default() };
            Box::new(SequentialLr::new(vec![Box::new(warm_up), Box::new(ExponentialLr { gamma: 0.9 })], [5]))
        }
        "linear_cosine_step" => {
            let linear = LinearLr { start_factor: 0.25, end_factor: 0.75, total_iters: 8 };
            let cosine = CosineAnnealingLr { t_max: 12, eta_min: 0.001 };
            let step = StepLr { step_size: 3, gamma: 0.5 };
            Box::new(SequentialLr::new(vec![Box::new(linear), Box::new(cosine), Box::new(step)], [6, 20]))
        }
        _ => panic!("{name}: a schedule that the fixture has and this test does not know"),
    }
}

/// PyTorch multiplies its way from each step to the next, a few roundings of half an ε of the number each,
/// up to 40 times. Where a cosine goes through its lowest point the factor is (1 + cos a)/(1 + cos b) with
/// both near 0: 1 + cos is then some (π/15)²/2 = 0.02, so its rounding weighs 50 times as much.
const BOUND: f64 = 40.0 * 4.0 * 50.0 * f64::EPSILON;

#[track_caller]
fn close(x: f64, expected: f64, largest: f64, what: &str) {
    assert!((x - expected).abs() <= BOUND * largest, "{what}: {x} and not {expected}");
}

#[test]
fn schedules_agree_with_pytorch() {
    let cases = FIXTURE["schedules"].as_object().unwrap();
    assert_eq!(cases.len(), 14);
    for (name, steps) in cases {
        let mut optimizer = two_groups();
        let mut scheduler = Scheduler::new(schedule(name), &mut optimizer);
        let formula = schedule(name);
        let largest = array(steps).iter().flat_map(doubles).fold(0.0, f64::max);
        for (step, expected) in array(steps).iter().map(doubles).enumerate() {
            let what = format!("{name} at step {step}");
            for (group, base) in [0.1, 0.02].into_iter().enumerate() {
                close(optimizer.group_lr(group), expected[group], largest, &what);
                assert_eq!(optimizer.group_lr(group), formula.lr_at(base, step), "{what}");
            }
            close(optimizer.options(0).momentum, expected[2], largest, &what);
            // The cycle's fixture ends with its last step.
            if step + 1 < array(steps).len() {
                scheduler.step(&mut optimizer);
            }
        }
    }
}

#[test]
fn adam_cycles_its_first_beta() {
    let mut adam = Adam::new([Parameter::new(Tensor::from([0.0]))], AdamOptions::default());
    let mut scheduler = Scheduler::new(OneCycleLr::new(0.5, 10), &mut adam);
    let expect = |adam: &Adam, beta1: f64, lr: f64| {
        close(adam.options(0).betas.0, beta1, 1.0, "the first beta");
        close(adam.lr(), lr, 1.0, "the learning rate");
        assert_eq!(adam.options(0).betas.1, 0.999);
    };
    expect(&adam, 0.95, 0.02);
    scheduler.step(&mut adam);
    scheduler.step(&mut adam);
    expect(&adam, 0.85, 0.5);
}

#[test]
#[should_panic(expected = "Adagrad has no momentum")]
fn a_cycle_of_momentum_needs_one() {
    let mut optimizer = Adagrad::new([Parameter::new(Tensor::from([0.0]))], AdagradOptions::default());
    Scheduler::new(OneCycleLr::new(0.5, 10), &mut optimizer);
}

#[test]
#[should_panic(expected = "OneCycleLr: step 11 of a cycle of 10 steps")]
fn a_cycle_ends() {
    OneCycleLr::new(0.5, 10).lr_at(0.1, 11);
}

#[test]
#[should_panic(expected = "2 milestones for 2 schedules")]
fn milestones_stand_between_schedules() {
    SequentialLr::new(vec![schedule("step"), schedule("step")], [1, 2]);
}

#[test]
fn a_scheduler_resumes() {
    let mut optimizer = two_groups();
    let mut scheduler = Scheduler::new(OneCycleLr::new(0.5, 10), &mut optimizer);
    (0..4).for_each(|_| scheduler.step(&mut optimizer));
    let saved = scheduler.state();

    let mut other = two_groups();
    other.set_lr(7.0);
    let mut resumed = Scheduler::new(OneCycleLr::new(0.5, 10), &mut other);
    resumed.load_state(&saved, &mut other).expect("its own state");
    for _ in 0..3 {
        let of = |optimizer: &Sgd| (optimizer.lr(), optimizer.group_lr(1), optimizer.options(0).momentum);
        assert_eq!(of(&other), of(&optimizer));
        scheduler.step(&mut optimizer);
        resumed.step(&mut other);
    }

    let mut wrong = saved.clone();
    wrong.scalars.remove("step");
    wrong.scalars.insert("groups.2.base_lr".to_string(), 0.1);
    let error = resumed.load_state(&wrong, &mut other).expect_err("it does not fit");
    assert_eq!((error.missing, error.unexpected), (vec!["step".to_string()], vec!["groups.2.base_lr".to_string()]));
}

fn plateau(options: &Value) -> ReduceLrOnPlateau {
    let o = Options(options);
    let by = o.number("threshold", 1e-4);
    ReduceLrOnPlateau::new(PlateauOptions {
        goal: if options.get("mode").is_some_and(|mode| mode == "max") { Goal::Max } else { Goal::Min },
        factor: o.number("factor", 0.1),
        patience: o.number("patience", 10.0) as usize,
        threshold: match options.get("threshold_mode") {
            Some(_) => Threshold::Absolute(by),
            None => Threshold::Relative(by),
        },
        cooldown: o.number("cooldown", 0.0) as usize,
        min_lr: o.number("min_lr", 0.0),
        eps: o.number("eps", 1e-8),
    })
}

#[test]
fn plateaus_agree_with_pytorch() {
    let metrics = doubles(&FIXTURE["metrics"]);
    let cases = FIXTURE["plateaus"].as_object().unwrap();
    assert_eq!(cases.len(), 5);
    for (name, case) in cases {
        let (mut optimizer, mut scheduler) = (two_groups(), plateau(&case["options"]));
        let mut falls = 0;
        for (epoch, &metric) in metrics.iter().enumerate() {
            // Half-way, another one takes over.
            if epoch == metrics.len() / 2 {
                let saved = scheduler.state();
                scheduler = plateau(&case["options"]);
                scheduler.load_state(&saved).expect("its own state");
            }
            falls += usize::from(scheduler.step(metric, &mut optimizer));
            let expected = doubles(&case["lrs"][epoch]);
            for (group, expected) in expected.into_iter().enumerate() {
                assert_eq!(optimizer.group_lr(group), expected, "{name}, group {group}, epoch {epoch}");
            }
        }
        assert!(falls > 1, "{name}: falls, or it tests nothing");
    }
}

#[test]
fn a_metric_of_nan_is_no_improvement() {
    let (mut optimizer, options) = (two_groups(), PlateauOptions { patience: 1, ..Default::default() });
    let mut scheduler = ReduceLrOnPlateau::new(options);
    assert!(!scheduler.step(f64::NAN, &mut optimizer));
    assert!(scheduler.step(f64::NAN, &mut optimizer));
}
