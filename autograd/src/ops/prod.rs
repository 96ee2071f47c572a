//! Products over axes.
//!
//! ```text
//! y = Π x        dxᵢ = dy·Π_{j≠i} xⱼ
//! ```
//!
//! The product of the others is not y/xᵢ, which a zero would spoil: it is the product of what comes before
//! xᵢ times that of what comes after. Under `create_graph` the product is calculated again as a tree of
//! multiplications of two tensors, and that is differentiated.

use super::reduce::fold;
use super::rows::RowsAlong;
use crate::graph::{GradOptions, Grads, Op, grad};
use crate::kernels::element::{Float, Number};
use crate::kernels::reduce::Product;
use crate::kernels::scan;
use crate::tensor::{Axes, Dims, Tensor};

#[derive(Clone)]
struct Prod<T: Number> {
    x: Tensor<T>,
    axes: Dims,
}

impl<T: Float> Op<T> for Prod<T> {
    const NAME: &'static str = "prod";

    fn backward(self, dy: Tensor<T>, grads: &mut Grads<'_, T>) {
        let Prod { x, axes } = self;
        let along = RowsAlong::new(x.shape(), axes);
        if grads.create_graph() {
            grads.set(0, || {
                let rows = along.split(&x);
                let options =
                    GradOptions { grad_outputs: Some(vec![along.column(&dy)]), ..GradOptions::create_graph() };
                along.join(&grad(&[&composed(&rows)], &[&rows], options).remove(0))
            });
        } else {
            grads.set(0, || {
                let (x, dy) = (along.pack(&x), dy.packed());
                along.join(&Tensor::build(*x.shape(), |dx| {
                    scan::products_of_others(x.slice(), along.n, dy.slice(), dx);
                }))
            });
        }
    }
}

/// The product of each row, `[rows, 1]`: the first half of the columns times the second, again and again.
fn composed<T: Float>(rows: &Tensor<T>) -> Tensor<T> {
    let n = rows.shape()[1];
    match n {
        0 => rows.sum_keepdim(1) + T::ONE,
        1 => rows.clone(),
        _ => {
            let half = n / 2;
            let product = rows.narrow(1, 0, half) * rows.narrow(1, half, half);
            let product = composed(&product);
            if n.is_multiple_of(2) { product } else { product * rows.narrow(1, n - 1, 1) }
        }
    }
}

impl<T: Float> Tensor<T> {
    /// The product over `axes`, which disappear, as `torch.prod`: 1 over no elements.
    ///
    /// ```
    /// use autograd::Tensor;
    /// let x = Tensor::from([2.0, 0.0, 3.0]).requires_grad();
    /// let y = x.prod(..);
    /// y.backward();
    /// assert_eq!(x.grad().unwrap().to_vec(), [0.0, 6.0, 0.0]);
    /// ```
    ///
    /// # Panics
    /// If there is no such axis, or one is named twice.
    #[track_caller]
    pub fn prod(&self, axes: impl Axes) -> Tensor<T> {
        let axes = axes.resolve("prod", self.rank());
        self.prod_over(axes, self.shape().without(&axes))
    }

    /// [`prod`](Tensor::prod) over `axes`, which stay with size 1.
    ///
    /// # Panics
    /// If there is no such axis, or one is named twice.
    #[track_caller]
    pub fn prod_keepdim(&self, axes: impl Axes) -> Tensor<T> {
        let axes = axes.resolve("prod", self.rank());
        self.prod_over(axes, self.shape().replaced(&axes, 1))
    }

    #[track_caller]
    fn prod_over(&self, axes: Dims, shape: Dims) -> Tensor<T> {
        fold(Product, self, &axes).with_shape(shape).recorded([self], || Prod { x: self.clone(), axes })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gradcheck::{check_unary, gradcheck_to_order};

    #[test]
    fn gradients() {
        check_unary(|x| x.prod(..));
        check_unary(|x| x.prod(-1));
        check_unary(|x| x.prod_keepdim(0) * x);
    }

    #[test]
    fn gradients_at_zeros() {
        for x in [[2.0, 0.0, 3.0, 4.0], [0.0, 0.0, 3.0, 4.0], [0.0, 2.0, 0.0, 0.0]] {
            gradcheck_to_order(&|x| x[0].prod(..), &[Tensor::of(x)], 3).unwrap();
        }
    }

    #[test]
    fn gradients_of_one_factor_and_of_none() {
        for shape in [[3, 1], [3, 0]] {
            gradcheck_to_order(&|x| x[0].prod(1) * x[0].sum(..), &[Tensor::ones_of::<f64>(shape)], 2).unwrap();
        }
    }

    #[test]
    fn nothing_and_nan() {
        assert_eq!(Tensor::zeros([2, 0]).prod(1).to_vec(), [1.0, 1.0]);
        let x = Tensor::from([f32::NAN, 0.0, 3.0]).requires_grad();
        x.prod(0).backward();
        let dx = x.grad().unwrap().to_vec();
        assert!(dx[0] == 0.0 && dx[1].is_nan() && dx[2].is_nan(), "{dx:?}");
    }
}
