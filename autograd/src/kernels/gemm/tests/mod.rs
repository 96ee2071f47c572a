//! One runner drives every instruction set that this machine has against [`naive`](super::naive).

mod correctness;
mod determinism;
mod geometry;
mod properties;

use super::*;

/// Numbers from -1 to 1 that look random, the same for the same seed.
pub fn noise<T: GemmFloat>(len: usize, seed: usize) -> Vec<T> {
    let mut state = seed as u64 * 2 + 1;
    let mut next = || {
        // Knuth's MMIX generator; the high bits are the good ones.
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (state >> 40) as f64 / (1u64 << 23) as f64 - 1.0
    };
    (0..len).map(|_| T::from_f64(next())).collect()
}

/// How a matrix lies in its slice.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Layout {
    Row,
    Col,
    /// Rows that are longer than the matrix is wide: part of a larger matrix.
    RowPart,
    ColPart,
    /// No stride is one.
    Strided,
    /// One row, repeated.
    Broadcast,
}

impl Layout {
    pub const OUTPUT: [Layout; 5] = [Layout::Row, Layout::Col, Layout::RowPart, Layout::ColPart, Layout::Strided];
    pub const INPUT: [Layout; 6] =
        [Layout::Row, Layout::Col, Layout::RowPart, Layout::ColPart, Layout::Strided, Layout::Broadcast];

    pub fn strides(self, [rows, cols]: [usize; 2]) -> [usize; 2] {
        match self {
            Layout::Row => [cols, 1],
            Layout::Col => [1, rows],
            Layout::RowPart => [cols + 3, 1],
            Layout::ColPart => [1, rows + 5],
            Layout::Strided => [2 * cols + 1, 2],
            Layout::Broadcast => [0, 1],
        }
    }

    /// Elements that the slice must have.
    pub fn len(self, [rows, cols]: [usize; 2]) -> usize {
        let [row, col] = self.strides([rows, cols]);
        if rows == 0 || cols == 0 { 0 } else { (rows - 1) * row + (cols - 1) * col + 1 }
    }
}

/// A matrix that owns its slice.
#[derive(Clone)]
pub struct Owned<T> {
    pub data: Vec<T>,
    pub shape: [usize; 2],
    pub layout: Layout,
}

impl<T: GemmFloat> Owned<T> {
    pub fn noise(shape: [usize; 2], layout: Layout, seed: usize) -> Self {
        Owned { data: noise(layout.len(shape), seed), shape, layout }
    }

    pub fn view(&self) -> MatRef<'_, T> {
        MatRef::new(&self.data, self.shape, self.layout.strides(self.shape))
    }

    pub fn view_mut(&mut self) -> MatMut<'_, T> {
        MatMut::new(&mut self.data, self.shape, self.layout.strides(self.shape))
    }
}

/// One product to check.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    /// [m, n, k]
    pub shape: [usize; 3],
    /// Of A, B and C.
    pub layouts: [Layout; 3],
    pub alpha: f64,
    pub beta: f64,
    pub row_bias: bool,
    pub col_bias: bool,
    pub relu: bool,
}

impl Case {
    pub fn plain(shape: [usize; 3]) -> Case {
        Case { shape, layouts: [Layout::Row; 3], alpha: 1.0, beta: 0.0, row_bias: false, col_bias: false, relu: false }
    }

    /// What can multiply: matrices in place, operands packed before, or sources.
    pub const WAYS: [&str; 4] = ["matrices", "packed A", "packed B", "sources"];

    /// Runs the case and compares it to the definition, in f64.
    ///
    /// The bound is that of any order of summation: a sum of k products, each rounded, is off by at most
    /// about k·ε times the sum of their magnitudes; then a few more roundings for alpha, beta and biases.
    pub fn check<T: GemmFloat>(self, set: &'static KernelSet<T>, way: &str) {
        let isa = set.isa;
        let [m, n, k] = self.shape;
        let a = Owned::<T>::noise([m, k], self.layouts[0], 1);
        let b = Owned::<T>::noise([k, n], self.layouts[1], 2);
        let mut c = Owned::<T>::noise([m, n], self.layouts[2], 3);
        let before = c.clone();
        if self.beta == 0.0 {
            // Must vanish.
            for i in 0..m {
                for j in 0..n {
                    *c.view_mut().at(i, j) = T::from_f64(f64::NAN);
                }
            }
        }
        let (row_bias, col_bias) = (noise::<T>(m, 4), noise::<T>(n, 5));

        let (packed_a, packed_b);
        let (source_a, source_b) = (Plain(a.view()), Plain(b.view().t()));
        let left: Left<T> = match way {
            "packed A" => {
                packed_a = PackedA::with_set(a.view(), set);
                (&packed_a).into()
            }
            "sources" => (&source_a as &dyn PackSource<T>).into(),
            _ => a.view().into(),
        };
        let right: Right<T> = match way {
            "packed B" => {
                packed_b = PackedB::with_set(b.view(), set);
                (&packed_b).into()
            }
            "sources" => (&source_b as &dyn PackSource<T>).into(),
            _ => b.view().into(),
        };
        let mut gemm = Gemm::new(left, right).alpha(T::from_f64(self.alpha)).beta(T::from_f64(self.beta)).with_set(set);
        if self.row_bias {
            gemm = gemm.row_bias(&row_bias);
        }
        if self.col_bias {
            gemm = gemm.col_bias(&col_bias);
        }
        if self.relu {
            gemm = gemm.relu();
        }
        gemm.write(c.view_mut());

        let epsilon = if size_of::<T>() == 4 { f32::EPSILON as f64 } else { f64::EPSILON };
        for i in 0..m {
            for j in 0..n {
                let (mut sum, mut magnitude) = (0.0, 0.0);
                for p in 0..k {
                    let product = a.view().at(i, p).to_f64() * b.view().at(p, j).to_f64();
                    sum += product;
                    magnitude += product.abs();
                }
                let c0 = before.view().at(i, j).to_f64();
                let bias = if self.row_bias { row_bias[i].to_f64() } else { 0.0 }
                    + if self.col_bias { col_bias[j].to_f64() } else { 0.0 };
                let want = self.alpha * sum + self.beta * c0 + bias;
                let want = if self.relu { want.max(0.0) } else { want };
                let scale = self.alpha.abs() * magnitude + (self.beta * c0).abs() + 2.0;
                let bound = (k + 8) as f64 * epsilon * scale;
                let got = c.view().at(i, j).to_f64();
                assert!(
                    (got - want).abs() <= bound,
                    "{isa:?} {way} {self:?}: C[{i}, {j}] is {got}, not {want} ± {bound:e}"
                );
            }
        }
        // What lies between the elements of C is not C's.
        let mut touched = vec![false; c.data.len()];
        let [row, col] = self.layouts[2].strides([m, n]);
        (0..m).for_each(|i| (0..n).for_each(|j| touched[i * row + j * col] = true));
        for (l, touched) in touched.into_iter().enumerate() {
            assert!(touched || c.data[l] == before.data[l], "{isa:?} {way} {self:?} wrote between the elements of C");
        }
    }
}

/// A matrix as a [`PackSource`]; its rows are lanes.
pub struct Plain<'a, T>(pub MatRef<'a, T>);

impl<T: GemmFloat> PackSource<T> for Plain<'_, T> {
    fn lanes(&self) -> usize {
        self.0.rows()
    }

    fn depth(&self) -> usize {
        self.0.cols()
    }

    fn pack(&self, panel: Panel<'_, T>) {
        for (p, out) in panel.depth.zip(panel.out.chunks_exact_mut(panel.width)) {
            for (lane, out) in panel.lanes.clone().zip(out) {
                *out = self.0.at(lane, p);
            }
        }
    }
}
