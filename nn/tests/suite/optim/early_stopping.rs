//! Early stopping: when it stops, and what it brings back.

use autograd::{Rng, Tensor};
use nn::optim::*;
use nn::{Buffer, Linear, Module, Parameter, impl_module};

fn stops_after(options: EarlyStoppingOptions, metrics: &[f64]) -> Option<usize> {
    let model = Parameter::new(Tensor::from([0.0]));
    let mut stopping = EarlyStopping::new(options);
    metrics.iter().position(|&metric| stopping.observe(metric, &model))
}

#[test]
fn it_stops_when_patience_is_over() {
    let options = EarlyStoppingOptions { patience: 2, ..Default::default() };
    assert_eq!(stops_after(options.clone(), &[3.0, 2.0, 2.5, 1.0, 1.5, 0.5]), None);
    assert_eq!(stops_after(options.clone(), &[3.0, 2.0, 2.0, 2.0, 1.0]), Some(3));
    assert_eq!(stops_after(options.clone(), &[f64::NAN, f64::NAN]), Some(1));
    let accuracy = EarlyStoppingOptions { goal: Goal::Max, ..options.clone() };
    assert_eq!(stops_after(accuracy, &[0.5, 0.6, 0.55, 0.58, 0.7]), Some(3));
    let delta = EarlyStoppingOptions { min_delta: 0.5, ..options };
    assert_eq!(stops_after(delta, &[3.0, 2.6, 2.5, 1.0]), Some(2), "by exactly min_delta is not enough");
}

struct Model {
    fc: Linear,
    mean: Buffer,
}
impl_module!(Model { fc, mean });

fn values(model: &Model) -> Vec<Vec<f32>> {
    model.state().into_iter().map(|(_, value)| value.to_vec()).collect()
}

#[test]
fn the_best_state_comes_back_and_training_can_go_on() {
    let model = Model { fc: Linear::new(3, 2, &mut Rng::seeded(1)), mean: Buffer::new(Tensor::zeros([2])) };
    let mut optimizer = Sgd::new(model.named_parameters(), SgdOptions { lr: 0.5, ..Default::default() });
    let epoch = |optimizer: &mut Sgd| {
        let loss = model.fc.forward(&Tensor::ones([4, 3])).sum(..);
        optimizer.zero_grad();
        loss.backward();
        optimizer.step();
        model.mean.set(&Tensor::from([loss.item(), 1.0]));
    };
    let mut stopping = EarlyStopping::new(EarlyStoppingOptions { patience: 2, ..Default::default() });
    stopping.restore(&model); // Nothing seen, so nothing happens.
    let mut best = Vec::new();
    for metric in [2.0, 1.0, 3.0, 4.0] {
        epoch(&mut optimizer);
        if metric == 1.0 {
            best = values(&model);
        }
        stopping.observe(metric, &model);
    }
    assert!(stopping.should_stop());
    assert_eq!((stopping.best(), stopping.best_at()), (Some(1.0), Some(1)));
    assert_ne!(values(&model), best);

    let mut other = EarlyStopping::new(EarlyStoppingOptions { patience: 2, ..Default::default() });
    other.load_state(&stopping.state()).expect("its own state");
    for stopping in [&stopping, &other] {
        epoch(&mut optimizer);
        stopping.restore(&model);
        assert_eq!(values(&model), best);
        assert!(model.fc.weight.is_trainable());
    }
    assert!(other.should_stop());
    assert_eq!(other.best(), Some(1.0));
}

#[test]
#[should_panic(expected = "restore: the module has other parameters")]
fn another_module_is_refused() {
    let mut rng = Rng::seeded(1);
    let mut stopping = EarlyStopping::new(EarlyStoppingOptions::default());
    stopping.observe(1.0, &Linear::new(3, 2, &mut rng));
    stopping.restore(&Linear::new(2, 2, &mut rng));
}
