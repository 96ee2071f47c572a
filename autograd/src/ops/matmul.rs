//! Matrix products: vectors, matrices, and batches of them that broadcast.
//!
//! ```text
//! Y = A·B        dA = dY·Bᵀ        dB = Aᵀ·dY
//! ```
//!
//! Shapes: A `[…, m, k]`, B `[…, k, n]`, Y `[…, m, n]`. Transposing is free, since the kernel reads any
//! strides. If B has no batch axes, all batches of A are one tall matrix and the product is one call.

use crate::graph::{Grads, Op};
use crate::kernels::element::Float;
use crate::kernels::gemm::{Gemm, MatMut, MatRef};
use crate::kernels::{parallel, strided};
use crate::tensor::layout::broadcast_shapes;
use crate::tensor::{Dims, Tensor};

/// A product: what its backward needs.
#[derive(Clone)]
pub(super) struct Saved<T: Float> {
    /// Each operand that the other's gradient needs.
    a: Option<Tensor<T>>,
    b: Option<Tensor<T>>,
    /// Whether each lies in memory transposed, as the weight of a linear layer does. Then its gradient is made so that
    /// it lies like that, too: transposed back, as a weight's will be, its rows are rows in memory.
    transposed: [bool; 2],
}

impl<T: Float> Saved<T> {
    pub(super) fn of(a: &Tensor<T>, b: &Tensor<T>) -> Self {
        let transposed = |x: &Tensor<T>| x.rank() == 2 && x.strides()[0] == 1 && x.strides()[1] > 1;
        Saved {
            a: b.has_history().then(|| a.clone()),
            b: a.has_history().then(|| b.clone()),
            transposed: [transposed(a), transposed(b)],
        }
    }

    /// Sets dA and dB.
    pub(super) fn backward(self, dy: &Tensor<T>, grads: &mut Grads<'_, T>) {
        if let Some(b) = self.b.filter(|_| grads.wants(0)) {
            set_product(grads, 0, [dy, &b.t()], self.transposed[0]);
        }
        if let Some(a) = self.a.filter(|_| grads.wants(1)) {
            // A batch of products that all share one B is one product in the gradient, too.
            let shared = a.rank() > 2 && grads.shape(1).len() == 2;
            let (a, dy) = if shared { (as_matrix(&a), as_matrix(dy)) } else { (a, dy.clone()) };
            set_product(grads, 1, [&a.t(), &dy], self.transposed[1]);
        }
    }
}

/// Sets the gradient of an input to A·B, made `transposed` in memory or not, or adds A·B to what has reached it: an
/// input of several products, as the weight of a recurrent layer is, collects their sum in one tensor.
// ANCHOR: set_product
pub(super) fn set_product<T: Float>(grads: &mut Grads<T>, input: usize, [a, b]: [&Tensor<T>; 2], transposed: bool) {
    if a.rank() == 2
        && b.rank() == 2
        && let Some(sum) = grads.reached(input)
    {
        return Gemm::new(matrix(a, 0), matrix(b, 0)).accumulate(MatMut::row_major(sum, a.size(0), b.size(1)));
    }
    grads.set(input, || if transposed { b.t().matmul(&a.t()).t() } else { a.matmul(b) });
}
// ANCHOR_END: set_product

#[derive(Clone)]
struct MatMul<T: Float>(Saved<T>);

impl<T: Float> Op<T> for MatMul<T> {
    const NAME: &'static str = "matmul";
    fn backward(self, dy: Tensor<T>, grads: &mut Grads<'_, T>) {
        self.0.backward(&dy, grads);
    }
}

/// All batches as the rows of one matrix.
#[track_caller]
fn as_matrix<T: Float>(x: &Tensor<T>) -> Tensor<T> {
    x.reshape(Dims::from([x.shape()[..x.rank() - 1].iter().product(), x.size(-1)]))
}

/// The matrix at `offset` of a tensor whose last two axes are its rows and columns, for the kernel.
pub(super) fn matrix<T: Float>(x: &Tensor<T>, offset: usize) -> MatRef<'_, T> {
    let rank = x.rank();
    let (shape, strides) = (x.shape(), x.strides());
    MatRef::new(
        x.view().get(offset..).unwrap_or(&[]),
        [shape[rank - 2], shape[rank - 1]],
        [strides[rank - 2], strides[rank - 1]],
    )
}

/// A·B of tensors with at least two axes, without history.
fn product<T: Float>(a: &Tensor<T>, b: &Tensor<T>, batch: Dims) -> Tensor<T> {
    let (m, n) = (a.size(-2), b.size(-1));
    let shape: Dims = batch.iter().copied().chain([m, n]).collect();
    if batch.is_empty() {
        return Tensor::build(shape, |c| Gemm::new(matrix(a, 0), matrix(b, 0)).write(MatMut::row_major(c, m, n)));
    }
    if b.rank() == 2 {
        let a = as_matrix(&a.detach());
        return product(&a, b, Dims::SCALAR).with_shape(shape);
    }
    let batch_strides = |x: &Tensor<T>| {
        let mut outer = x.layout().permuted(&(0..x.rank() - 2).collect::<Vec<_>>());
        outer.offset = 0;
        outer.broadcast_to(batch).expect("batches broadcast").strides
    };
    let (strides_a, strides_b) = (batch_strides(a), batch_strides(b));
    let runs = strided::merged(&batch, [&strides_a, &strides_b]);
    let work = batch.count() * m * n * a.size(-1);
    Tensor::build(shape, |c| {
        if m * n == 0 {
            return;
        }
        // Either each product is large and uses the threads itself, or the batch is shared out.
        let each = m * n * a.size(-1);
        let large = each >= parallel::ELEMENTS * 16;
        parallel::for_each_block(c, m * n, if large { 0 } else { work / 8 }, |i, c| {
            let [at_a, at_b] = strided::offsets(&runs, i..i + 1).next().expect("one product of the batch");
            let product = Gemm::new(matrix(a, at_a), matrix(b, at_b));
            if large { product } else { product.serial() }.write(MatMut::row_major(c, m, n));
        });
    })
}

impl<T: Float> Tensor<T> {
    /// The matrix product, as `torch.matmul`:
    ///
    /// | this | `b` | result |
    /// |---|---|---|
    /// | `[m, k]` | `[k, n]` | `[m, n]` |
    /// | `[k]` | `[k]` | a scalar |
    /// | `[m, k]` | `[k]` | `[m]` |
    /// | `[k]` | `[k, n]` | `[n]` |
    /// | `[…, m, k]` | `[…, k, n]` | `[…, m, n]`, batches broadcast |
    ///
    /// ```
    /// use autograd::Tensor;
    /// let a = Tensor::from([[1.0, 2.0], [3.0, 4.0]]);
    /// assert_eq!(a.matmul(&Tensor::from([1.0, 10.0])).to_vec(), [21.0, 43.0]);
    /// ```
    ///
    /// # Panics
    /// If an operand is a scalar, the inner sizes differ, or the batches do not broadcast.
    #[track_caller]
    pub fn matmul(&self, b: &Tensor<T>) -> Tensor<T> {
        let a = self;
        if a.rank() == 0 || b.rank() == 0 {
            panic!("matmul: shapes {} and {}; a scalar has no matrix product, use *", a.shape(), b.shape());
        }
        // A vector is a matrix of one row on the left, of one column on the right.
        if a.rank() == 1 || b.rank() == 1 {
            assert!(
                a.size(-1) == b.size(if b.rank() == 1 { -1 } else { -2 }),
                "matmul: {} times {}; the last axis of the left must equal the {} of the right",
                a.shape(),
                b.shape(),
                if b.rank() == 1 { "only one" } else { "last but one" }
            );
        }
        if a.rank() == 1 {
            return a.unsqueeze(0).matmul(b).squeeze(if b.rank() == 1 { 0 } else { -2 });
        }
        if b.rank() == 1 {
            return a.matmul(&b.unsqueeze(1)).squeeze(-1);
        }
        let (rank_a, rank_b) = (a.rank(), b.rank());
        let batches: [Dims; 2] = [a.shape()[..rank_a - 2].into(), b.shape()[..rank_b - 2].into()];
        let batch = broadcast_shapes(&batches[0], &batches[1]);
        let (Some(batch), true) = (batch, a.size(-1) == b.size(-2)) else {
            panic!(
                "matmul: {} times {}; the last axis of the left must equal the last but one of the right, and the axes \
                 before them must broadcast",
                a.shape(),
                b.shape()
            )
        };
        product(a, b, batch).recorded([a, b], || MatMul(Saved::of(a, b)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gradcheck::gradcheck_to_order;
    use crate::rng::Rng;

    #[test]
    fn gradients() {
        let cases: &[(&[usize], &[usize])] = &[
            (&[2, 3], &[3, 4]),
            (&[3], &[3]),
            (&[2, 3], &[3]),
            (&[3], &[3, 2]),
            (&[2, 2, 3], &[3, 2]),
            (&[2, 2, 3], &[2, 3, 2]),
            (&[2, 1, 2, 3], &[3, 3, 2]),
            (&[2, 3], &[2, 3, 2]),
            (&[3], &[2, 3, 2]),
            (&[2, 2, 3], &[3]),
        ];
        let mut rng = Rng::seeded(3);
        for (a, b) in cases {
            let inputs = [Tensor::randn_of::<f64>(*a, &mut rng), Tensor::randn_of::<f64>(*b, &mut rng)];
            gradcheck_to_order(&|x| x[0].matmul(&x[1]), &inputs, 3)
                .unwrap_or_else(|e| panic!("{a:?} times {b:?}: {e}"));
        }
        let inputs = [Tensor::randn_of::<f64>([3, 2], &mut rng), Tensor::randn_of::<f64>([4, 3], &mut rng)];
        gradcheck_to_order(&|x| x[0].t().matmul(&x[1].t()), &inputs, 3).unwrap();
    }

    #[test]
    fn the_gradient_of_a_transposed_operand_lies_as_the_operand_does() {
        let mut rng = Rng::seeded(5);
        let (x, w) = (Tensor::randn([3, 4], &mut rng), Tensor::randn([2, 4], &mut rng).requires_grad());
        let (wt, b) = (w.t(), Tensor::zeros([2]));
        for y in [x.matmul(&wt), x.addmm(&wt, &b)] {
            let [dwt] = &crate::grad(&[&y.sum(..)], &[&wt], Default::default())[..] else { panic!("one gradient") };
            assert_eq!((dwt.shape().to_vec(), dwt.strides().to_vec()), (vec![4, 2], vec![1, 4]));
        }
    }

    #[test]
    fn the_gradient_of_an_operand_of_several_products_is_their_sum() {
        let mut rng = Rng::seeded(6);
        // W₁ is the right operand of products, the left of one, both of another, and part of a sum.
        let inputs = [&[4, 4][..], &[4, 4], &[3, 4], &[3]].map(|shape| Tensor::randn_of::<f64>(shape, &mut rng));
        let f = |t: &[Tensor<f64>]| {
            let [x, w1, w2, b] = t else { unreachable!("four inputs") };
            let y = x.matmul(w1).tanh().matmul(w1) + w1.matmul(x) + w1.matmul(w1) + w1;
            y.linear(w2, Some(b)) + x.linear(w2, None)
        };
        gradcheck_to_order(&f, &inputs, 2).unwrap();
    }

    #[test]
    fn a_gradient_that_somebody_holds_is_not_written_over() {
        let mut rng = Rng::seeded(7);
        let x = Tensor::randn([3, 3], &mut rng).requires_grad();
        let w = Tensor::randn([3, 3], &mut rng);
        let dy = Tensor::randn([3, 3], &mut rng);
        let before = dy.to_vec();
        // The sum hands dy on to X as it is, before the product adds to it.
        let y = x.matmul(&w) + &x;
        let gradient = Some(dy.clone());
        y.backward_with(crate::BackwardOptions { gradient, ..Default::default() });
        assert_eq!(dy.to_vec(), before);
        let expected = dy.matmul(&w.t()) + &dy;
        assert_eq!(x.grad().unwrap().to_vec(), expected.to_vec());
    }

    #[test]
    fn batches_agree_with_products_one_by_one() {
        let mut rng = Rng::seeded(4);
        let a = Tensor::randn_of::<f64>([3, 1, 4, 5], &mut rng);
        let b = Tensor::randn_of::<f64>([2, 5, 6], &mut rng);
        let y = a.matmul(&b);
        assert_eq!(*y.shape(), [3, 2, 4, 6]);
        for i in 0..3 {
            for j in 0..2 {
                let one = a.narrow(0, i, 1).reshape([4, 5]).matmul(&b.narrow(0, j, 1).reshape([5, 6]));
                assert_eq!(y.narrow(0, i, 1).narrow(1, j, 1).to_vec(), one.to_vec());
            }
        }
    }

    #[test]
    #[should_panic(expected = "matmul: [3] times [4, 2]; the last axis of the left must equal the last but one of")]
    fn a_vector_that_does_not_fit_is_refused_in_its_own_shape() {
        Tensor::zeros([3]).matmul(&Tensor::zeros([4, 2]));
    }

    #[test]
    #[should_panic(expected = "matmul: [2, 3] times [2, 3]; the last axis of the left")]
    fn shapes_that_do_not_fit_are_named() {
        Tensor::zeros([2, 3]).matmul(&Tensor::zeros([2, 3]));
    }
}
