//! Single elements picked along an axis by a tensor of indices, and the reverse.
//!
//! For axis 1 of three, and likewise for others:
//!
//! ```text
//! y = gather(x, 1, i)           y[a, b, c] = x[a, i[a, b, c], c]
//!                               dx = zeros, to which dx[a, i[a, b, c], c] += dy[a, b, c]
//! y = scatter_add(x, 1, i, v)   y = x, then y[a, i[a, b, c], c] += v[a, b, c]
//!                               dx = dy     dv[a, b, c] = dy[a, i[a, b, c], c]
//! y = scatter(x, 1, i, v)       y = x, then y[a, i[a, b, c], c] = v[a, b, c]
//!                               dx = dy, zero where it was written over
//!                               dv[a, b, c] = dy[a, i[a, b, c], c] if v[a, b, c] stayed, else 0
//! ```
//!
//! Only the indices are saved. Where several indices of a `scatter` lead to the same place, the last
//! in row-major order stays, and it alone gets a gradient.

use super::index_select::check_indices;
use crate::graph::{Grads, Op};
use crate::kernels::along::{self, Along, NOWHERE};
use crate::kernels::element::Element;
use crate::kernels::elementwise::{Binary, Operand};
use crate::kernels::parallel;
use crate::kernels::rows::{Plus, Put};
use crate::tensor::axes::resolve_axis;
use crate::tensor::{Dims, Tensor};

/// Where indices lead.
#[derive(Clone)]
struct Places {
    axis: usize,
    /// Packed; in range, or [`NOWHERE`].
    index: Tensor<i64>,
}

impl Places {
    /// The kernel's arguments, for a tensor with these strides.
    fn into<'a>(&'a self, strides: &'a Dims) -> Along<'a> {
        Along { index: self.index.slice(), shape: self.index.shape(), axis: self.axis, strides }
    }

    /// Puts each element of `values` (of the shape of the indices) where its index leads, by `f`.
    fn write<T: Element, F: Binary<T>>(&self, f: F, values: &Tensor<T>, out: &mut [T], shape: Dims) {
        let values = Operand { data: values.view(), strides: values.strides() };
        along::scatter(f, self.into(&shape.row_major_strides()), values, out);
    }

    /// The same places but that of those that meet, all but the last lead nowhere. `shape` is that of
    /// the tensor they lead into.
    fn last_of_each(self, shape: Dims) -> Places {
        let position = Tensor::from_fn(*self.index.shape(), |i| i as i64);
        let mut last = Tensor::full_of(shape, NOWHERE);
        self.write(Put, &position, last.slice_mut(), shape);
        let last = last.at(&self);
        let kept = |i: usize| if last.slice()[i] == i as i64 { self.index.slice()[i] } else { NOWHERE };
        Places { axis: self.axis, index: Tensor::from_fn(*self.index.shape(), kept) }
    }
}

// ---- gather ----

/// y = the elements that the places name.
#[derive(Clone)]
struct Gather {
    places: Places,
    /// The shape of x.
    from: Dims,
}

impl<T: Element> Op<T> for Gather {
    const NAME: &'static str = "gather";
    fn backward(self, dy: Tensor<T>, grads: &mut Grads<'_, T>) {
        grads.set(0, || dy.into_zeros(self.places, self.from));
    }
}

/// y = zeros, with elements added where the places say.
#[derive(Clone)]
struct IntoZeros {
    places: Places,
}

impl<T: Element> Op<T> for IntoZeros {
    const NAME: &'static str = "scatter_add";
    fn backward(self, dy: Tensor<T>, grads: &mut Grads<'_, T>) {
        grads.set(0, || dy.gathered(self.places));
    }
}

impl<T: Element> Tensor<T> {
    /// The elements at `places`, without history.
    fn at(&self, places: &Places) -> Tensor<T> {
        Tensor::build(*places.index.shape(), |out| along::gather(places.into(self.strides()), self.view(), out))
    }

    #[track_caller]
    fn gathered(&self, places: Places) -> Tensor<T> {
        self.at(&places).recorded([self], || Gather { places, from: *self.shape() })
    }

    #[track_caller]
    fn into_zeros(&self, places: Places, shape: Dims) -> Tensor<T> {
        let y = Tensor::build(shape, |out| {
            parallel::for_each_chunk(out, |_, out| out.fill(T::default()));
            places.write(Plus, self, out, shape);
        });
        y.recorded([self], || IntoZeros { places })
    }

    /// The elements that `index` names along `axis`, as `torch.gather`: for axis 1 of three,
    /// `y[a, b, c] = x[a, index[a, b, c], c]`. The result has the shape of `index`, which may be smaller
    /// than this tensor in the other axes.
    ///
    /// ```
    /// use autograd::Tensor;
    /// let probabilities = Tensor::from([[0.1, 0.9], [0.6, 0.4]]);
    /// let of_target = probabilities.gather(1, &Tensor::of([[1_i64], [0]]));
    /// assert_eq!(of_target.to_vec(), [0.9, 0.6]);
    /// ```
    ///
    /// # Panics
    /// If there is no such axis, `index` has another number of axes or is larger in one of the others,
    /// or an index is negative or too large.
    #[track_caller]
    pub fn gather(&self, axis: isize, index: &Tensor<i64>) -> Tensor<T> {
        self.gathered(self.places("gather", axis, index))
    }

    #[track_caller]
    fn places(&self, op: &str, axis: isize, index: &Tensor<i64>) -> Places {
        let axis = resolve_axis(op, axis, self.rank());
        let fits = |other: usize| other == axis || index.shape()[other] <= self.shape()[other];
        // An index tensor without elements leads nowhere, whatever its shape.
        assert!(
            index.rank() == self.rank() && (index.count() == 0 || (0..self.rank()).all(fits)),
            "{op}: indices of shape {} along axis {axis} of shape {}; they need as many axes, and in the others no \
             larger sizes",
            index.shape(),
            self.shape()
        );
        check_indices(op, index, self.shape()[axis], || format!("axis {axis} of shape {}", self.shape()));
        Places { axis, index: index.packed() }
    }
}

// ---- scatter_add ----

/// y = x, with v added where the places say.
#[derive(Clone)]
struct ScatterAdd {
    places: Places,
}

impl<T: Element> Op<T> for ScatterAdd {
    const NAME: &'static str = "scatter_add";
    fn backward(self, dy: Tensor<T>, grads: &mut Grads<'_, T>) {
        grads.set(1, || dy.gathered(self.places));
        grads.set(0, || dy);
    }
}

// ---- scatter ----

/// y = x, with v put where the places say.
#[derive(Clone)]
struct Scatter {
    /// Each leads elsewhere, or nowhere.
    places: Places,
}

impl<T: Element> Op<T> for Scatter {
    const NAME: &'static str = "scatter";
    fn backward(self, dy: Tensor<T>, grads: &mut Grads<'_, T>) {
        grads.set(1, || dy.gathered(self.places.clone()));
        grads.set(0, || {
            let zeros = Tensor::full_of(Dims::SCALAR, T::default()).expand(*self.places.index.shape());
            dy.written(self.places, &zeros, Put, |places| Scatter { places })
        });
    }
}

impl<T: Element> Tensor<T> {
    /// This tensor with `values` added where `index` leads along `axis`, as `torch.scatter_add`: for axis
    /// 1 of three, `y[a, index[a, b, c], c] += values[a, b, c]`. `values` may be larger than `index`;
    /// then its first elements are used. On masks, adding is or.
    ///
    /// ```
    /// use autograd::Tensor;
    /// let counts = Tensor::zeros([3]).scatter_add(0, &Tensor::of([2_i64, 0, 2]), &Tensor::ones([3]));
    /// assert_eq!(counts.to_vec(), [1.0, 0.0, 2.0]);
    /// ```
    ///
    /// # Panics
    /// As [`gather`](Tensor::gather), and if `values` has another number of axes than `index` or is
    /// smaller in one.
    #[track_caller]
    pub fn scatter_add(&self, axis: isize, index: &Tensor<i64>, values: &Tensor<T>) -> Tensor<T> {
        let places = self.places("scatter_add", axis, index);
        self.written(places, values, Plus, |places| ScatterAdd { places })
    }

    /// This tensor with `values` in place of its own where `index` leads along `axis`, as
    /// `torch.scatter`: for axis 1 of three, `y[a, index[a, b, c], c] = values[a, b, c]`. `values` may be
    /// larger than `index`; then its first elements are used.
    ///
    /// Where several indices lead to the same place, the last in row-major order stays, and it alone
    /// gets a gradient. (PyTorch leaves open which one stays, and gives all of them its gradient.)
    ///
    /// ```
    /// use autograd::Tensor;
    /// let x = Tensor::zeros([2, 2]);
    /// let y = x.scatter(1, &Tensor::of([[1_i64], [0]]), &Tensor::from([[5.0], [6.0]]));
    /// assert_eq!(y.to_vec(), [0.0, 5.0, 6.0, 0.0]);
    /// ```
    ///
    /// # Panics
    /// As [`scatter_add`](Tensor::scatter_add).
    #[track_caller]
    pub fn scatter(&self, axis: isize, index: &Tensor<i64>, values: &Tensor<T>) -> Tensor<T> {
        let mut places = self.places("scatter", axis, index);
        if values.has_history() {
            places = places.last_of_each(*self.shape());
        }
        self.written(places, values, Put, |places| Scatter { places })
    }

    /// [`scatter`](Tensor::scatter) of one value to all the places.
    ///
    /// # Panics
    /// As [`gather`](Tensor::gather).
    #[track_caller]
    pub fn scatter_value(&self, axis: isize, index: &Tensor<i64>, value: T) -> Tensor<T> {
        self.scatter(axis, index, &Tensor::full_of(Dims::SCALAR, value).expand(*index.shape()))
    }

    /// This tensor, written to by `f` at `places`.
    #[track_caller]
    fn written<O: Op<T>>(
        &self,
        places: Places,
        values: &Tensor<T>,
        f: impl Binary<T>,
        op: impl FnOnce(Places) -> O,
    ) -> Tensor<T> {
        let (name, mut values) = (O::NAME, values.clone());
        let shape = *places.index.shape();
        let fits = values.rank() == shape.len() && shape.iter().zip(values.shape().iter()).all(|(i, v)| i <= v);
        assert!(
            fits,
            "{name}: values of shape {} for indices of shape {shape}, which must not be larger",
            values.shape()
        );
        for (axis, &size) in shape.iter().enumerate() {
            if size < values.shape()[axis] {
                values = values.sliced(axis, 0, 1, size);
            }
        }
        let mut y = self.detach();
        places.write(f, &values, y.slice_mut(), *self.shape());
        y.recorded([self, &values], || op(places))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gradcheck::gradcheck_to_order;
    use crate::rng::Rng;

    fn check(f: impl Fn(&[Tensor<f64>]) -> Tensor<f64>, inputs: &[Tensor<f64>]) {
        if let Err(mismatch) = gradcheck_to_order(&f, inputs, 2) {
            panic!("shapes {:?}: {mismatch}", inputs.iter().map(Tensor::shape).collect::<Vec<_>>());
        }
    }

    /// Shapes of (x, indices, v), and the axis.
    const CASES: [(&[usize], &[usize], &[usize], isize); 5] = [
        (&[4], &[6], &[6], 0),
        (&[3, 4], &[3, 2], &[3, 2], 1),
        (&[3, 4], &[2, 3], &[4, 3], 0),
        (&[2, 3, 2], &[2, 4, 2], &[2, 4, 2], -2),
        (&[2, 3, 3], &[1, 2, 4], &[2, 2, 5], -1),
    ];

    #[test]
    fn gradients() {
        let mut rng = Rng::seeded(6);
        for (x, shape, v, axis) in CASES {
            let n = x[(axis + x.len() as isize) as usize % x.len()] as i64;
            let index = Tensor::randint(0, n, shape, &mut rng);
            let x = Tensor::randn_of::<f64>(x, &mut rng);
            let v = Tensor::randn_of::<f64>(v, &mut rng);
            check(|x| x[0].gather(axis, &index), std::slice::from_ref(&x));
            check(|x| (&x[0] * &x[0]).gather(axis, &index), std::slice::from_ref(&x));
            let inputs = [x, v];
            check(|x| x[0].scatter_add(axis, &index, &(&x[1] * &x[1])), &inputs);
            check(|x| (&x[0] * &x[0]).scatter(axis, &index, &(&x[1] * &x[1])), &inputs);
            check(|x| (&x[0] * &x[0]).scatter(axis, &index, &inputs[1]), &inputs[..1]);
            check(|x| (&x[0] * &x[0]).scatter_value(axis, &index, 2.0), &inputs[..1]);
            // Stored the other way round, with gaps.
            let layout = |x: &Tensor<f64>| {
                let x = x.transpose(0, -1);
                Tensor::cat(&[&x, &x], -1).transpose(0, -1).sliced(0, 0, 1, x.size(-1))
            };
            check(|x| layout(&x[0]).gather(axis, &index), &inputs[..1]);
            check(|x| layout(&x[0]).scatter_add(axis, &index, &layout(&x[1])), &inputs);
            check(|x| layout(&x[0]).scatter(axis, &index, &layout(&x[1])), &inputs);
        }
    }

    #[test]
    fn where_several_meet_the_last_stays() {
        let index = Tensor::of([1_i64, 0, 1]);
        let v = Tensor::from([5.0, 6.0, 7.0]).requires_grad();
        let x = Tensor::from([1.0, 2.0, 3.0]).requires_grad();
        let y = x.scatter(0, &index, &v);
        assert_eq!(y.to_vec(), [6.0, 7.0, 3.0]);
        (y * Tensor::from([10.0, 20.0, 30.0])).sum(..).backward();
        assert_eq!(v.grad().unwrap().to_vec(), [0.0, 10.0, 20.0]);
        assert_eq!(x.grad().unwrap().to_vec(), [0.0, 0.0, 30.0]);
    }

    #[test]
    fn any_element_type_and_no_elements_at_all() {
        let words = Tensor::of([[10_i64, 20], [30, 40]]);
        let index = Tensor::of([[1_i64, 1], [0, 0]]);
        assert_eq!(words.gather(1, &index).to_vec(), [20, 20, 30, 30]);
        assert_eq!(words.scatter_add(0, &index, &words).to_vec(), [40, 60, 40, 60]);
        let mask = Tensor::of([[true, false], [false, false]]);
        assert_eq!(mask.scatter_add(1, &index, &mask.t()).to_vec(), [true, true, false, false]);
        assert_eq!(mask.scatter_value(1, &index, true).to_vec(), [true, true, true, false]);
        let none = Tensor::from_slice::<i64>(&[], [0, 2]);
        assert_eq!(*Tensor::zeros([3, 2]).gather(0, &none).shape(), [0, 2]);
        assert_eq!(Tensor::ones([1, 2]).scatter_add(0, &none, &Tensor::zeros([0, 2])).to_vec(), [1.0, 1.0]);
    }

    #[test]
    #[should_panic(
        expected = "gather: indices of shape [3, 1] along axis 1 of shape [2, 5]; they need as many axes, and \
                               in the others no larger sizes"
    )]
    fn indices_larger_elsewhere_are_refused() {
        Tensor::zeros([2, 5]).gather(1, &Tensor::zeros_of::<i64>([3, 1]));
    }

    #[test]
    #[should_panic(
        expected = "scatter: index -1, at [0, 1] of the indices, is outside axis 0 of shape [2, 5]; indices \
                               go from 0 to 1"
    )]
    fn an_index_outside_is_refused() {
        Tensor::zeros([2, 5]).scatter(0, &Tensor::of([[0_i64, -1]]), &Tensor::zeros([1, 2]));
    }

    #[test]
    #[should_panic(expected = "scatter_add: values of shape [1] for indices of shape [2], which must not be larger")]
    fn too_few_values_are_refused() {
        Tensor::zeros([2]).scatter_add(0, &Tensor::of([0_i64, 1]), &Tensor::zeros([1]));
    }
}
