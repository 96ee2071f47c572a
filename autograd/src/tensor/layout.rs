//! Where the elements of a tensor lie in its storage.

use super::dims::Dims;

// ANCHOR: layout
/// Element `[i, j, …]` lies at `offset + i·strides[0] + j·strides[1] + …`.
///
/// A stride of 0 repeats one element along its axis: that is how broadcasting copies nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// The size of each axis.
    pub shape: Dims,
    /// How far apart neighbours along each axis are, in elements.
    pub strides: Dims,
    /// Where the first element is.
    pub offset: usize,
}
// ANCHOR_END: layout

impl Layout {
    /// The row-major layout that starts at 0.
    #[inline]
    pub fn row_major(shape: Dims) -> Layout {
        Layout { shape, strides: shape.row_major_strides(), offset: 0 }
    }

    /// Whether the elements lie one behind the other in row-major order.
    #[inline]
    pub fn is_contiguous(&self) -> bool {
        let mut expected = 1;
        for (&size, &stride) in self.shape.iter().zip(self.strides.iter()).rev() {
            // Where there is but one index, the stride is never used.
            if size != 1 && stride != expected {
                return self.shape.count() == 0;
            }
            expected *= size;
        }
        true
    }

    /// The axes in the order of `axes`.
    pub fn permuted(&self, axes: &[usize]) -> Layout {
        Layout {
            shape: axes.iter().map(|&axis| self.shape[axis]).collect(),
            strides: axes.iter().map(|&axis| self.strides[axis]).collect(),
            offset: self.offset,
        }
    }

    /// Indices `start, start + step, …` along `axis`, `count` of them.
    pub fn sliced(&self, axis: usize, start: usize, step: usize, count: usize) -> Layout {
        let mut layout = *self;
        layout.shape[axis] = count;
        layout.strides[axis] *= step;
        if count > 0 {
            layout.offset += start * self.strides[axis];
        }
        layout
    }

    // ANCHOR: broadcast
    /// The one rule of broadcasting (NumPy's): shapes are aligned at their last axes; an axis of size 1,
    /// or one that is missing in front, is repeated. `None` if `shape` cannot be reached.
    pub fn broadcast_to(&self, shape: Dims) -> Option<Layout> {
        let missing = shape.len().checked_sub(self.shape.len())?;
        let mut strides = Dims::repeat(0, shape.len());
        for (axis, (&size, &stride)) in self.shape.iter().zip(self.strides.iter()).enumerate() {
            if size == shape[missing + axis] {
                strides[missing + axis] = stride;
            } else if size != 1 {
                return None;
            }
        }
        Some(Layout { shape, strides, offset: self.offset })
    }
    // ANCHOR_END: broadcast

    /// The same elements in the same order under another shape, if strides can express that.
    ///
    /// Axes that lie one behind the other in memory are first merged into runs; each new axis must then
    /// divide a run, from the inside out.
    pub fn reshaped(&self, shape: Dims) -> Option<Layout> {
        if self.is_contiguous() {
            return Some(Layout { shape, strides: shape.row_major_strides(), offset: self.offset });
        }
        let runs = merged(&self.shape, [&self.strides]);
        let mut strides = Dims::repeat(0, shape.len());
        let mut runs = runs.iter().rev();
        let (mut left, mut stride) = (1, 0);
        for axis in (0..shape.len()).rev() {
            if shape[axis] == 1 {
                continue;
            }
            if left == 1 {
                let run = runs.next()?;
                (left, stride) = (run.size, run.strides[0]);
            }
            if left % shape[axis] != 0 {
                return None;
            }
            strides[axis] = stride;
            stride *= shape[axis];
            left /= shape[axis];
        }
        Some(Layout { shape, strides, offset: self.offset })
    }
}

/// The shape that two shapes broadcast to, or `None`.
#[inline]
pub fn broadcast_shapes(a: &Dims, b: &Dims) -> Option<Dims> {
    if a == b {
        return Some(*a);
    }
    let (long, short) = if a.len() >= b.len() { (a, b) } else { (b, a) };
    let mut shape = *long;
    let missing = long.len() - short.len();
    for (size, &other) in shape[missing..].iter_mut().zip(short.iter()) {
        match (*size, other) {
            (x, y) if x == y => {}
            (1, y) => *size = y,
            (_, 1) => {}
            _ => return None,
        }
    }
    Some(shape)
}

pub use crate::kernels::strided::merged;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn broadcasting_follows_numpy() {
        let shape = |a: &[usize], b: &[usize]| broadcast_shapes(&a.into(), &b.into());
        assert_eq!(shape(&[3, 1], &[4]), Some([3, 4].into()));
        assert_eq!(shape(&[], &[4]), Some([4].into()));
        assert_eq!(shape(&[2, 1, 5], &[7, 1]), Some([2, 7, 5].into()));
        assert_eq!(shape(&[0], &[1]), Some([0].into()));
        assert_eq!(shape(&[3], &[4]), None);
    }

    #[test]
    fn a_transposed_matrix_is_reshaped_only_where_strides_allow() {
        let transposed = Layout::row_major([4, 6].into()).permuted(&[1, 0]); // [6, 4], strides [1, 6]
        assert!(!transposed.is_contiguous());
        assert_eq!(transposed.reshaped([24].into()), None);
        let split = transposed.reshaped([3, 2, 4].into()).unwrap();
        assert_eq!(split.strides, [2, 1, 6]);
        assert_eq!(transposed.reshaped([6, 2, 2].into()).unwrap().strides, [1, 12, 6]);
    }
}
