//! A matrix product with a bias, in one pass over the result.
//!
//! ```text
//! Y = X·Wᵀ + b        dX = dY·W        dW = dYᵀ·X        db = Σ dY over rows
//! ```
//!
//! X `[…, in]`, W `[out, in]` (PyTorch's layout), b `[out]`, Y `[…, out]`. The bias is added while a
//! tile of the product is still in registers.

use super::matmul::{Saved, matrix, set_product};
use crate::graph::{Grads, Op};
use crate::kernels::element::Float;
use crate::kernels::gemm::{Gemm, MatMut};
use crate::tensor::{Dims, Tensor};

#[derive(Clone)]
struct Linear<T: Float> {
    /// Each operand that the other's gradient needs.
    x: Option<Tensor<T>>,
    weight: Option<Tensor<T>>,
    has_bias: bool,
}

impl<T: Float> Op<T> for Linear<T> {
    const NAME: &'static str = "linear";
    fn backward(self, dy: Tensor<T>, grads: &mut Grads<'_, T>) {
        if let Some(weight) = &self.weight {
            set_product(grads, 0, [&dy, weight], false);
        }
        if let Some(x) = self.x.as_ref().filter(|_| grads.wants(1)) {
            set_product(grads, 1, [&dy.t(), x], false);
        }
        if self.has_bias {
            // The engine sums it over the rows.
            grads.set(2, || dy);
        }
    }
}

#[derive(Clone)]
struct AddMm<T: Float>(Saved<T>);

impl<T: Float> Op<T> for AddMm<T> {
    const NAME: &'static str = "addmm";
    fn backward(self, dy: Tensor<T>, grads: &mut Grads<'_, T>) {
        self.0.backward(&dy, grads);
        // The engine sums it over the rows.
        grads.set(2, || dy);
    }
}

impl<T: Float> Tensor<T> {
    /// A·B + bias in one pass, as `torch.addmm(bias, a, b)`: `[m, k]`, `[k, n]` and `[n]` to `[m, n]`.
    ///
    /// ```
    /// use autograd::Tensor;
    /// let a = Tensor::from([[1.0, 2.0]]);
    /// let b = Tensor::from([[1.0], [10.0]]);
    /// assert_eq!(a.addmm(&b, &Tensor::from([0.5])).to_vec(), [21.5]);
    /// ```
    ///
    /// # Panics
    /// If the shapes are others.
    // ANCHOR: addmm
    #[track_caller]
    pub fn addmm(&self, b: &Tensor<T>, bias: &Tensor<T>) -> Tensor<T> {
        let a = self;
        let fits = a.rank() == 2 && b.rank() == 2 && a.size(1) == b.size(0) && *bias.shape() == [b.size(1)];
        assert!(
            fits,
            "addmm: {} times {} plus {}; they must be [m, k], [k, n] and [n]",
            a.shape(),
            b.shape(),
            bias.shape()
        );
        let (m, n) = (a.size(0), b.size(1));
        let row = bias.packed();
        let y = Tensor::build(Dims::from([m, n]), |c| {
            Gemm::new(matrix(a, 0), matrix(b, 0)).col_bias(row.slice()).write(MatMut::row_major(c, m, n));
        });
        y.recorded([a, b, bias], || AddMm(Saved::of(a, b)))
    }
    // ANCHOR_END: addmm

    /// X·Wᵀ + bias, as `torch.nn.functional.linear`: `[…, in]`, `[out, in]` and `[out]` to `[…, out]`.
    ///
    /// # Panics
    /// If the shapes are others.
    #[track_caller]
    pub fn linear(&self, weight: &Tensor<T>, bias: Option<&Tensor<T>>) -> Tensor<T> {
        let fits = self.rank() >= 1 && weight.rank() == 2 && self.size(-1) == weight.size(1);
        assert!(
            fits,
            "linear: an input {} for a weight {}; they must be […, in] and [out, in]",
            self.shape(),
            weight.shape()
        );
        if let Some(bias) = bias {
            assert!(
                *bias.shape() == [weight.size(0)],
                "linear: a bias {} for a weight {}; they must be [out] and [out, in]",
                bias.shape(),
                weight.shape()
            );
        }
        if self.rank() != 2 {
            let rows = self.shape()[..self.rank() - 1].iter().product();
            let y = self.reshape(Dims::from([rows, weight.size(1)])).linear(weight, bias);
            return y.reshape(self.shape().replaced(&[self.rank() - 1], weight.size(0)));
        }
        let (m, n) = (self.size(0), weight.size(0));
        let row = bias.map(Tensor::packed);
        let y = Tensor::build(Dims::from([m, n]), |y| {
            let product = Gemm::new(matrix(self, 0), matrix(weight, 0).t());
            match &row {
                Some(row) => product.col_bias(row.slice()),
                None => product,
            }
            .write(MatMut::row_major(y, m, n));
        });
        let op = || Linear {
            x: weight.has_history().then(|| self.clone()),
            weight: self.has_history().then(|| weight.clone()),
            has_bias: bias.is_some(),
        };
        match bias {
            Some(bias) => y.recorded([self, weight, bias], op),
            None => y.recorded([self, weight], op),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::gradcheck::gradcheck_to_order;
    use crate::rng::Rng;
    use crate::tensor::Tensor;

    #[test]
    fn gradients() {
        let mut rng = Rng::seeded(6);
        for shape in [&[3][..], &[2, 3], &[2, 2, 3]] {
            let inputs = [
                Tensor::randn_of::<f64>(shape, &mut rng),
                Tensor::randn_of::<f64>([4, 3], &mut rng),
                Tensor::randn_of::<f64>([4], &mut rng),
            ];
            gradcheck_to_order(&|x| x[0].linear(&x[1], Some(&x[2])), &inputs, 3).unwrap();
            gradcheck_to_order(&|x| x[0].linear(&x[1], None), &inputs[..2], 3).unwrap();
        }
        let square = [Tensor::randn_of::<f64>([3, 3], &mut rng)];
        gradcheck_to_order(&|x| x[0].linear(&x[0], None), &square, 3).unwrap();
    }

    #[test]
    fn no_rows_no_inputs_and_a_bias_alone() {
        let leaf = |shape: [usize; 2]| Tensor::ones(shape).requires_grad();
        let bias = Tensor::from([1.0, 2.0]).requires_grad();
        let (w, none) = (leaf([2, 3]), leaf([2, 0]));
        assert_eq!(*Tensor::zeros([0, 3]).linear(&w, Some(&bias)).shape(), [0, 2]);
        Tensor::zeros([0, 3]).linear(&w, Some(&bias)).sum(..).backward();
        assert_eq!(w.grad().unwrap().to_vec(), [0.0; 6]);
        let y = Tensor::zeros([1, 0]).linear(&none, Some(&bias));
        assert_eq!(y.to_vec(), [1.0, 2.0]);
        y.sum(..).backward();
        Tensor::zeros([3, 3]).linear(&Tensor::zeros([2, 3]), Some(&bias)).sum(..).backward();
        assert_eq!(bias.grad().unwrap().to_vec(), [4.0, 4.0]);
    }

    #[test]
    #[should_panic(expected = "linear: a bias [3] for a weight [4, 3]; they must be [out] and [out, in]")]
    fn a_bias_of_another_size_is_refused() {
        Tensor::zeros([2, 3]).linear(&Tensor::zeros([4, 3]), Some(&Tensor::zeros([3])));
    }
}
