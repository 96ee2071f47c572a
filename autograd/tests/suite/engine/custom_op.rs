//! Operations that a user adds from outside the crate.

use super::panics::message;
use autograd::gradcheck::{gradcheck, gradgradcheck};
use autograd::{Float, Grads, Op, Rng, Tensor};

/// y = a²·b, of any float type, with one fused backward and one that can be differentiated.
#[derive(Clone)]
struct SquareTimes<T: Float> {
    a: Tensor<T>,
    b: Tensor<T>,
}

impl<T: Float> Op<T> for SquareTimes<T> {
    const NAME: &'static str = "square_times";

    fn backward(self, dy: Tensor<T>, grads: &mut Grads<T>) {
        let SquareTimes { a, b } = self;
        if grads.create_graph() {
            grads.set(0, || &a * &b * (T::ONE + T::ONE) * &dy);
            grads.set(1, || &a * &a * &dy);
        } else {
            let product = |f: fn(T, T) -> T| {
                let values: Vec<T> = a.iter().zip(b.iter()).zip(dy.iter()).map(|((a, b), dy)| f(a, b) * dy).collect();
                Tensor::from_slice(&values, a.shape())
            };
            grads.set(0, || product(|a, b| a * b + a * b));
            grads.set(1, || product(|a, _| a * a));
        }
    }
}

fn square_times<T: Float>(a: &Tensor<T>, b: &Tensor<T>) -> Tensor<T> {
    let y = a.detach() * a.detach() * b.detach();
    y.recorded([a, b], || SquareTimes { a: a.clone(), b: b.clone() })
}

/// y = eˣ, which is its own derivative.
#[derive(Clone)]
struct Exp;

impl Op<f64> for Exp {
    const NAME: &'static str = "my_exp";
    const SAVES_OUTPUT: bool = true;

    fn backward(self, dy: Tensor<f64>, grads: &mut Grads<f64>) {
        let y = grads.output();
        grads.set(0, || y * dy);
    }
}

fn exp(x: &Tensor<f64>) -> Tensor<f64> {
    Tensor::from_fn(x.shape(), |i| x.to_vec()[i].exp()).recorded([x], || Exp)
}

/// The sum of any number of tensors.
#[derive(Clone)]
struct Total {
    count: usize,
}

impl Op<f64> for Total {
    const NAME: &'static str = "total";
    fn backward(self, dy: Tensor<f64>, grads: &mut Grads<f64>) {
        for input in 0..self.count {
            grads.set(input, || dy.clone());
        }
    }
}

fn total(parts: &[&Tensor<f64>]) -> Tensor<f64> {
    let sum = parts.iter().map(|part| part.detach()).reduce(|a, b| a + b).unwrap();
    sum.recorded_from(parts, || Total { count: parts.len() })
}

#[test]
fn gradients_of_both_orders() {
    let mut rng = Rng::seeded(5);
    let mut draw = || Tensor::randn_of::<f64>([2, 3], &mut rng);
    let inputs = [draw(), draw()];
    gradcheck(|x| square_times(&x[0], &x[1]), &inputs).unwrap();
    gradgradcheck(|x| square_times(&x[0], &x[1]), &inputs).unwrap();
    gradcheck(|x| exp(&x[0]), &inputs[..1]).unwrap();
    gradgradcheck(|x| exp(&x[0]) * &x[0], &inputs[..1]).unwrap();
    gradcheck(|x| total(&[&x[0], &x[1], &x[0]]) * &x[1], &inputs).unwrap();
}

#[test]
fn it_is_an_operation_like_any_other() {
    let (a, b) = (Tensor::from([2.0]).requires_grad(), Tensor::from([5.0]));
    let y = square_times(&a, &b);
    assert_eq!(y.op_name(), Some("square_times"));
    y.sum(..).backward();
    assert_eq!((a.grad().unwrap().item(), b.grad().is_none()), (20.0, true));
    assert!(!square_times(&b, &b).has_history());
}

/// A gradient in the shape that an input was broadcast to is summed by the engine.
#[test]
fn broadcasting_is_undone_by_the_engine() {
    let (a, b) = (Tensor::of([[1.0_f64, 2.0], [3.0, 4.0]]), Tensor::of([10.0_f64, 20.0]).requires_grad());
    total(&[&a, &b]).sum(..).backward();
    assert_eq!(b.grad().unwrap().to_vec(), [2.0, 2.0]);
}

#[derive(Clone)]
struct Wrong;

impl Op<f32> for Wrong {
    const NAME: &'static str = "wrong";
    fn backward(self, _: Tensor, grads: &mut Grads<f32>) {
        grads.set(0, || Tensor::zeros(7));
    }
}

#[test]
fn a_gradient_of_a_wrong_shape_is_named() {
    let x = Tensor::from([1.0, 2.0]).requires_grad();
    let line = line!() + 1;
    let y = x.detach().recorded([&x], || Wrong);
    let message = message(|| y.sum(..).backward());
    let expected =
        format!("backward: wrong at {}:{line}:24 gave input 0, of shape [2], a gradient of shape [7]", file!());
    assert_eq!(message, expected);
}

#[derive(Clone)]
struct Forgetful;

impl Op<f32> for Forgetful {
    const NAME: &'static str = "forgetful";
    fn backward(self, dy: Tensor, grads: &mut Grads<f32>) {
        grads.set(0, || dy);
    }
}

/// A gradient that an operation does not give is not taken for zero.
#[test]
fn a_gradient_that_is_forgotten_is_named() {
    let (a, b) = (Tensor::from(1.0).requires_grad(), Tensor::from(2.0).requires_grad());
    let line = line!() + 1;
    let forgetful = |a: &Tensor, b: &Tensor| a.detach().recorded([a, b], || Forgetful);
    let message = message(|| forgetful(&a, &b).backward());
    let expected = format!(
        "backward: forgetful at {}:{line}:57 set no gradient of its input 1; if there is none, it must set zeros",
        file!()
    );
    assert_eq!(message, expected);
    // Nobody asks for the gradient of a constant.
    forgetful(&a, &b.detach()).backward();
    assert_eq!(a.grad().unwrap().item(), 1.0);
}
