//! The gradient check of a loss.

use autograd::gradcheck::gradcheck_to_order;
use autograd::{Reduction, Rng, Tensor};

/// Checks a loss of an input and a target of one shape, in both, up to derivatives of order `order`.
#[track_caller]
pub fn check(order: usize, loss: impl Fn(Reduction, &Tensor<f64>, &Tensor<f64>) -> Tensor<f64>) {
    check_from(order, |shape, rng| Tensor::randn_of::<f64>(shape, rng), loss);
}

/// [`check`] with a target made by `target`.
#[track_caller]
pub fn check_from(
    order: usize,
    target: impl Fn(&[usize], &mut Rng) -> Tensor<f64>,
    loss: impl Fn(Reduction, &Tensor<f64>, &Tensor<f64>) -> Tensor<f64>,
) {
    let mut rng = Rng::seeded(31);
    for shape in [&[4][..], &[2, 3]] {
        let inputs = [Tensor::randn_of::<f64>(shape, &mut rng), target(shape, &mut rng)];
        for reduction in [Reduction::None, Reduction::Mean, Reduction::Sum] {
            gradcheck_to_order(&|x| loss(reduction, &x[0], &x[1]), &inputs, order).unwrap();
        }
    }
}
