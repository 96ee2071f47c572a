//! Layer normalisation: each row gets the mean 0 and the variance 1, and is then scaled and shifted.
//!
//! ```text
//! x̂  = (x − mean) / √(variance + ε)            over the last axes of each x; the variance is that of the row itself (over n)
//! y  = w·x̂ + b
//! g  = w·dy
//! dx = rstd·(g − mean(g) − x̂·mean(g·x̂))        rstd = 1/√(variance + ε)
//! dw = Σ dy·x̂        db = Σ dy                 over the rows
//! ```
//!
//! The two means in dx take away what the normalisation would undo: a common shift of the row, and a
//! common factor.
//!
//! Saved are x and, of each row, mean and rstd, from which x̂ is one subtraction and one product away; y is
//! not kept. Forward and backward are one pass each. Under `create_graph` the formulas above run in tensor
//! operations on x.

use crate::graph::{Grads, Op};
use crate::kernels::element::Float;
use crate::kernels::layer_norm::{self as kernel, Affine, Saved};
use crate::tensor::{Dims, Tensor};

/// A layer normalisation that was calculated. Its inputs are x, then the weight and the bias if there are any.
#[derive(Clone)]
struct LayerNorm<T: Float> {
    x: Tensor<T>,
    weight: Option<Tensor<T>>,
    bias: bool,
    /// Mean and rstd of each row: `[rows, 2]`.
    moments: Tensor<T>,
    /// The number of elements of a row.
    n: usize,
    eps: T,
}

impl<T: Float> Op<T> for LayerNorm<T> {
    const NAME: &'static str = "layer_norm";
    fn backward(self, dy: Tensor<T>, grads: &mut Grads<'_, T>) {
        if grads.create_graph() { self.backward_composed(&dy, grads) } else { self.backward_fused(&dy, grads) }
    }
}

/// The positions of weight and bias, if there are any, among the inputs: behind x.
pub(super) fn positions(weight: bool, bias: bool) -> (Option<usize>, Option<usize>) {
    (weight.then_some(1), bias.then_some(1 + usize::from(weight)))
}

impl<T: Float> LayerNorm<T> {
    fn backward_fused(self, dy: &Tensor<T>, grads: &mut Grads<'_, T>) {
        let (weight_at, bias_at) = positions(self.weight.is_some(), self.bias);
        let wanted = |at: Option<usize>| at.filter(|&at| grads.wants(at));
        let (weight_at, bias_at) = (wanted(weight_at), wanted(bias_at));
        let (dy, x, n) = (dy.packed(), self.x.packed(), self.n);
        let weight = self.weight.as_ref().map(Tensor::packed);
        let saved = Saved {
            dy: dy.slice(),
            x: x.slice(),
            moments: self.moments.slice().as_chunks().0,
            weight: weight.as_ref().map_or(&[], |weight| weight.slice()),
        };
        let shape = if grads.wants(0) { *x.shape() } else { Dims::from([0]) };
        let sums = if weight_at.is_some() || bias_at.is_some() { [2, n] } else { [0, n] };
        let mut dw_db = Tensor::build(Dims::from(sums), |_| {});
        let dx = Tensor::build(shape, |dx| kernel::backward(saved, dx, dw_db.slice_mut()));
        grads.set(0, || dx);
        for (at, row) in [(weight_at, 0), (bias_at, 1)] {
            if let Some(at) = at {
                let shape = grads.shape(at);
                grads.set(at, || dw_db.narrow(0, row, 1).reshape(shape));
            }
        }
    }

    fn backward_composed(self, dy: &Tensor<T>, grads: &mut Grads<'_, T>) {
        let (weight_at, bias_at) = positions(self.weight.is_some(), self.bias);
        let rows = Dims::from([self.moments.size(0), self.n]);
        let (x, dy) = (self.x.reshape(rows), dy.reshape(rows));
        let centred = &x - x.mean_keepdim(-1);
        let rstd = (centred.square().mean_keepdim(-1) + self.eps).rsqrt();
        let normalised = centred * &rstd;
        grads.set(0, || {
            let g = match &self.weight {
                Some(weight) => &dy * weight.reshape(self.n),
                None => dy.clone(),
            };
            let along = (&g * &normalised).mean_keepdim(-1);
            ((&g - g.mean_keepdim(-1) - &normalised * along) * &rstd).reshape(self.x.shape())
        });
        if let Some(at) = weight_at.filter(|&at| grads.wants(at)) {
            let shape = grads.shape(at);
            grads.set(at, || (&dy * &normalised).sum(0).reshape(shape));
        }
        if let Some(at) = bias_at.filter(|&at| grads.wants(at)) {
            let shape = grads.shape(at);
            grads.set(at, || dy.sum(0).reshape(shape));
        }
    }
}

impl<T: Float> Tensor<T> {
    /// Each part of shape `normalized_shape` (the last axes) with the mean 0 and the variance 1, times `weight`,
    /// plus `bias`, which are of that shape; as `torch.nn.functional.layer_norm`. `eps`, usually 10⁻⁵, is added
    /// to the variance, which is divided by n, not n − 1.
    ///
    /// ```
    /// use autograd::Tensor;
    /// let x = Tensor::from([[1.0, 3.0], [20.0, 10.0]]);
    /// let y = x.layer_norm(2, None, None, 0.0);
    /// assert_eq!(y.to_vec(), [-1.0, 1.0, 1.0, -1.0]);
    /// ```
    ///
    /// # Panics
    /// If the last axes of this tensor, the weight or the bias have another shape than `normalized_shape`, or
    /// that has no axes.
    #[track_caller]
    pub fn layer_norm(
        &self,
        normalized_shape: impl Into<Dims>,
        weight: Option<&Tensor<T>>,
        bias: Option<&Tensor<T>>,
        eps: f64,
    ) -> Tensor<T> {
        let shape: Dims = normalized_shape.into();
        assert!(
            !shape.is_empty() && self.shape().ends_with(&shape),
            "layer_norm: an input of shape {} for a normalized_shape of {shape}, which must be its last axes, at \
             least one",
            self.shape()
        );
        for (name, parameter) in [("weight", weight), ("bias", bias)] {
            if let Some(parameter) = parameter {
                assert!(
                    *parameter.shape() == shape,
                    "layer_norm: a {name} of shape {} for a normalized_shape of {shape}; they must be the same",
                    parameter.shape()
                );
            }
        }
        let n = shape.count();
        let rows = self.shape()[..self.rank() - shape.len()].iter().product();
        let eps = T::from_f64(eps);
        let (x, packed_weight, packed_bias) = (self.packed(), weight.map(Tensor::packed), bias.map(Tensor::packed));
        let affine = Affine {
            weight: packed_weight.as_ref().map_or(&[], |weight| weight.slice()),
            bias: packed_bias.as_ref().map_or(&[], |bias| bias.slice()),
        };
        let mut moments = Tensor::build(Dims::from([rows, 2]), |_| {});
        let y = Tensor::build(*self.shape(), |y| {
            if !y.is_empty() {
                kernel::forward(x.slice(), n, eps, affine, y, moments.slice_mut().as_chunks_mut().0);
            }
        });
        let inputs: Vec<_> = [Some(self), weight, bias].into_iter().flatten().collect();
        y.recorded_from(&inputs, || LayerNorm {
            x: self.clone(),
            weight: weight.cloned(),
            bias: bias.is_some(),
            moments,
            n,
            eps,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gradcheck::gradcheck_to_order;
    use crate::graph::{GradOptions, grad};
    use crate::rng::Rng;

    const EPS: f64 = 1e-5;

    #[test]
    fn gradients() {
        let mut rng = Rng::seeded(21);
        let mut random = |shape: &[usize]| Tensor::randn_of::<f64>(shape, &mut rng);
        for (shape, normalized) in [(&[5][..], &[5][..]), (&[3, 4], &[4]), (&[2, 3, 4], &[3, 4]), (&[2, 2, 3], &[3])] {
            let inputs = [random(shape), random(normalized), random(normalized)];
            gradcheck_to_order(&|x| x[0].layer_norm(normalized, Some(&x[1]), Some(&x[2]), EPS), &inputs, 3).unwrap();
            gradcheck_to_order(&|x| x[0].layer_norm(normalized, Some(&x[1]), None, EPS), &inputs[..2], 2).unwrap();
            gradcheck_to_order(&|x| x[0].layer_norm(normalized, None, Some(&x[1]), EPS), &inputs[..2], 2).unwrap();
            gradcheck_to_order(&|x| x[0].layer_norm(normalized, None, None, EPS), &inputs[..1], 2).unwrap();
        }
        let transposed = [random(&[4, 3]), random(&[4])];
        gradcheck_to_order(&|x| x[0].t().layer_norm(4, Some(&x[1]), None, EPS), &transposed, 2).unwrap();
    }

    /// The definition, in tensor operations.
    fn composed(x: &Tensor<f64>, weight: &Tensor<f64>, bias: &Tensor<f64>, eps: f64) -> Tensor<f64> {
        let centred = x - x.mean_keepdim(-1);
        let variance = centred.square().mean_keepdim(-1);
        centred * (variance + eps).rsqrt() * weight + bias
    }

    fn largest(x: &Tensor<f64>) -> f64 {
        x.iter().fold(0.0, |largest, x| largest.max(x.abs()))
    }

    /// Rows of every length up to two vectors and beyond, and enough of them for several blocks.
    #[test]
    fn kernels_agree_with_the_definition() {
        let mut rng = Rng::seeded(22);
        let shapes = (1..40).map(|n| (3, n)).chain([(2000, 100), (70_000, 2), (3, 50_000), (300, 301)]);
        for (rows, n) in shapes {
            let x = Tensor::randn_of::<f64>([rows, n], &mut rng) + 3.0;
            let [weight, bias] = [(); 2].map(|()| Tensor::randn_of::<f64>([n], &mut rng));
            let dy = Tensor::randn_of::<f64>([rows, n], &mut rng);
            let inputs = [x, weight, bias].map(|x| x.requires_grad());
            let run = |y: Tensor<f64>| {
                let options = GradOptions { grad_outputs: Some(vec![dy.clone()]), ..Default::default() };
                let gradients = grad(&[&y], &[&inputs[0], &inputs[1], &inputs[2]], options);
                std::iter::once(y).chain(gradients).collect::<Vec<_>>()
            };
            // A large ε, so that rstd is at most 3.2.
            let (eps, rstd) = (0.1, 3.2);
            let ours = run(inputs[0].layer_norm(n, Some(&inputs[1]), Some(&inputs[2]), eps));
            let definition = run(composed(&inputs[0], &inputs[1], &inputs[2], eps));
            // Both add up sums of n terms in an order of their own, each wrong by up to n·ε/2 of their sizes, and
            // round a few times besides: that is the error of x̂. dx is made of sums of g and x̂, times rstd;
            // dw and db are sums over the rows, where |x̂| ≤ √n.
            let rounding = f64::EPSILON * (n + 8) as f64;
            let normal = 2.0 * rounding * largest(&inputs[0]) * rstd;
            let (w, dy_max, many) = (largest(&inputs[1]).max(1.0), largest(&dy), rows as f64);
            let sum = f64::EPSILON * many * (n as f64).sqrt();
            let bounds = [
                w * normal + rounding * (largest(&inputs[2]) + w * (n as f64).sqrt()),
                4.0 * rstd * w * dy_max * (normal + rounding * (n as f64).sqrt()),
                many * dy_max * (normal + sum),
                many * dy_max * sum,
            ];
            for ((what, bound), (a, b)) in ["y", "dx", "dw", "db"].iter().zip(bounds).zip(ours.iter().zip(&definition))
            {
                let error = largest(&(a - b));
                assert!(error <= bound, "{what} of [{rows}, {n}]: {error:e} > {bound:e}");
            }
        }
    }

    #[test]
    fn a_mean_far_from_zero_does_not_hide_the_variance() {
        let x = Tensor::from([10_000.0, 10_001.0, 10_002.0, 10_003.0]);
        let y = x.layer_norm(4, None, None, 0.0).to_vec();
        // Deviations of ±1.5 and ±0.5 over √1.25; all exact but the root and the last products.
        for (y, exact) in y.iter().zip([-1.341_640_8, -0.447_213_6, 0.447_213_6, 1.341_640_8_f32]) {
            assert!((y - exact).abs() <= 2.0 * f32::EPSILON, "{y} is not {exact}");
        }
    }

    #[test]
    fn only_what_is_wanted_is_calculated() {
        let x = Tensor::from([[1.0, 2.0, 4.0], [0.0, 1.0, 5.0]]);
        let weight = Tensor::from([1.0, 2.0, 3.0]);
        let gradients = |x: &Tensor, weight: &Tensor| {
            x.layer_norm(3, Some(weight), None, EPS).square().sum(..).backward();
            (x.grad().map(|g| g.to_vec()), weight.grad().map(|g| g.to_vec()))
        };
        let (dx, dw) = gradients(&x.requires_grad(), &weight.requires_grad());
        assert_eq!(gradients(&x.requires_grad(), &weight), (dx, None));
        assert_eq!(gradients(&x, &weight.requires_grad()), (None, dw));
    }

    #[test]
    fn empty_tensors_are_no_trouble() {
        let weight = Tensor::ones([3]).requires_grad();
        Tensor::zeros([0, 3]).layer_norm(3, Some(&weight), None, EPS).sum(..).backward();
        assert_eq!(weight.grad().unwrap().to_vec(), [0.0; 3]);
        assert_eq!(*Tensor::zeros([2, 0]).layer_norm(0, None, None, EPS).shape(), [2, 0]);
    }

    #[test]
    #[should_panic(expected = "layer_norm: an input of shape [2, 3] for a normalized_shape of [2], which must be its \
                               last axes, at least one")]
    fn another_shape_is_refused() {
        Tensor::zeros([2, 3]).layer_norm(2, None, None, EPS);
    }
}
