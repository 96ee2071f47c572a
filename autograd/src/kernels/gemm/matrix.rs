//! Borrowed matrices: a slice, a shape and two strides.
//!
//! The constructors check once that every element lies inside the slice (and, for [`MatMut`], that no
//! two elements share a place), which is what makes the raw pointers of the kernels sound.

use std::marker::PhantomData;

/// A matrix to read: element (i, j) is `data[i * row_stride + j * col_stride]`.
///
/// A stride may be 0, which repeats one row or column: a broadcast.
#[derive(Clone, Copy, Debug)]
pub struct MatRef<'a, T> {
    data: &'a [T],
    pub(super) rows: usize,
    pub(super) cols: usize,
    pub(super) row_stride: usize,
    pub(super) col_stride: usize,
}

impl<'a, T> MatRef<'a, T> {
    /// The general case: `[rows, cols]` and `[row_stride, col_stride]`, counted in elements.
    ///
    /// # Panics
    /// If an element would lie outside of `data`.
    #[track_caller]
    #[inline]
    pub fn new(data: &'a [T], [rows, cols]: [usize; 2], [row_stride, col_stride]: [usize; 2]) -> Self {
        check_bounds(data.len(), [rows, cols], [row_stride, col_stride]);
        MatRef { data, rows, cols, row_stride, col_stride }
    }

    /// Rows one after the other.
    #[track_caller]
    #[inline]
    pub fn row_major(data: &'a [T], rows: usize, cols: usize) -> Self {
        Self::new(data, [rows, cols], [cols, 1])
    }

    /// Columns one after the other.
    #[track_caller]
    #[inline]
    pub fn col_major(data: &'a [T], rows: usize, cols: usize) -> Self {
        Self::new(data, [rows, cols], [1, rows])
    }

    /// The transpose: the same data with rows and columns exchanged.
    #[inline]
    pub fn t(self) -> Self {
        let MatRef { data, rows, cols, row_stride, col_stride } = self;
        MatRef { data, rows: cols, cols: rows, row_stride: col_stride, col_stride: row_stride }
    }

    /// Number of rows.
    #[inline]
    pub fn rows(self) -> usize {
        self.rows
    }

    /// Number of columns.
    #[inline]
    pub fn cols(self) -> usize {
        self.cols
    }

    /// Element (i, j).
    #[inline]
    pub fn at(self, i: usize, j: usize) -> T
    where
        T: Copy,
    {
        self.data[i * self.row_stride + j * self.col_stride]
    }

    /// Columns `start..start + cols` of this matrix.
    #[inline]
    pub(super) fn columns(self, start: usize, cols: usize) -> Self {
        debug_assert!(start + cols <= self.cols);
        // An empty matrix may have no element at its start.
        let data = self.data.get(start * self.col_stride..).unwrap_or(&[]);
        MatRef { data, cols, ..self }
    }

    /// Rows `start..start + rows` of this matrix.
    #[inline]
    pub(super) fn row_range(self, start: usize, rows: usize) -> Self {
        self.t().columns(start, rows).t()
    }

    #[inline]
    pub(super) fn as_ptr(self) -> *const T {
        self.data.as_ptr()
    }
}

/// A matrix to write, of which no two elements share a place.
#[derive(Debug)]
pub struct MatMut<'a, T> {
    pub(super) raw: RawMut<T>,
    borrow: PhantomData<&'a mut [T]>,
}

impl<'a, T: Copy> MatMut<'a, T> {
    /// The general case: `[rows, cols]` and `[row_stride, col_stride]`, counted in elements.
    ///
    /// # Panics
    /// If an element would lie outside of `data`, or if the lines of the matrix (its rows, or its
    /// columns, whichever have the smaller stride) interleave or overlap.
    #[track_caller]
    #[inline]
    pub fn new(data: &'a mut [T], [rows, cols]: [usize; 2], [row_stride, col_stride]: [usize; 2]) -> Self {
        check_bounds(data.len(), [rows, cols], [row_stride, col_stride]);
        assert!(
            lines_are_apart([rows, cols], [row_stride, col_stride]),
            "gemm: the output of shape [{rows}, {cols}] overlaps itself with strides [{row_stride}, {col_stride}]",
        );
        let raw = RawMut { start: data.as_mut_ptr(), rows, cols, row_stride, col_stride };
        MatMut { raw, borrow: PhantomData }
    }

    /// Rows one after the other.
    #[track_caller]
    #[inline]
    pub fn row_major(data: &'a mut [T], rows: usize, cols: usize) -> Self {
        Self::new(data, [rows, cols], [cols, 1])
    }

    /// Columns one after the other.
    #[track_caller]
    #[inline]
    pub fn col_major(data: &'a mut [T], rows: usize, cols: usize) -> Self {
        Self::new(data, [rows, cols], [1, rows])
    }

    /// The transpose: the same data with rows and columns exchanged.
    #[inline]
    pub fn t(self) -> Self {
        MatMut { raw: self.raw.t(), borrow: PhantomData }
    }

    /// Number of rows.
    #[inline]
    pub fn rows(&self) -> usize {
        self.raw.rows
    }

    /// Number of columns.
    #[inline]
    pub fn cols(&self) -> usize {
        self.raw.cols
    }

    /// Element (i, j).
    #[inline]
    pub fn at(&mut self, i: usize, j: usize) -> &mut T {
        assert!(i < self.raw.rows && j < self.raw.cols, "gemm: element ({i}, {j}) is outside of the matrix");
        // SAFETY: inside the matrix, which the constructor found to lie inside the borrowed slice.
        unsafe { &mut *self.raw.at(i, j) }
    }
}

/// A [`MatMut`] without its borrow, so that threads can each write their own block of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct RawMut<T> {
    pub start: *mut T,
    pub rows: usize,
    pub cols: usize,
    pub row_stride: usize,
    pub col_stride: usize,
}

// SAFETY: a pointer and four numbers; whoever dereferences it says why nobody else writes there.
unsafe impl<T: Send> Send for RawMut<T> {}
// SAFETY: as above.
unsafe impl<T: Send> Sync for RawMut<T> {}

impl<T: Copy> RawMut<T> {
    #[inline]
    pub fn t(self) -> Self {
        let RawMut { start, rows, cols, row_stride, col_stride } = self;
        RawMut { start, rows: cols, cols: rows, row_stride: col_stride, col_stride: row_stride }
    }

    /// Where element (i, j) is.
    #[inline]
    pub fn at(self, i: usize, j: usize) -> *mut T {
        self.start.wrapping_add(i * self.row_stride + j * self.col_stride)
    }

    /// The block of `rows` by `cols` elements whose first element is (i, j).
    #[inline]
    pub fn block(self, [i, j]: [usize; 2], [rows, cols]: [usize; 2]) -> Self {
        debug_assert!(i + rows <= self.rows && j + cols <= self.cols);
        RawMut { start: self.at(i, j), rows, cols, ..self }
    }

    /// Whether neighbours in a row are neighbours in memory, as the kernels that write vectors need it.
    #[inline]
    pub fn has_contiguous_rows(self) -> bool {
        self.col_stride == 1 || self.cols <= 1
    }
}

/// Panics unless the last element of the matrix lies inside a slice of `len`.
#[track_caller]
#[inline]
fn check_bounds(len: usize, [rows, cols]: [usize; 2], [row_stride, col_stride]: [usize; 2]) {
    if rows == 0 || cols == 0 {
        return;
    }
    let row = (rows - 1).checked_mul(row_stride);
    let last = row.and_then(|row| (cols - 1).checked_mul(col_stride)?.checked_add(row));
    assert!(
        last.is_some_and(|last| last < len),
        "gemm: a matrix of shape [{rows}, {cols}] with strides [{row_stride}, {col_stride}] \
         needs more than the {len} elements given",
    );
}

/// Whether lines along the smaller stride end before the next line begins.
#[inline]
fn lines_are_apart([rows, cols]: [usize; 2], [row_stride, col_stride]: [usize; 2]) -> bool {
    if rows == 0 || cols == 0 {
        return true;
    }
    let by_rows = (cols <= 1 || col_stride >= 1) && (rows <= 1 || row_stride > (cols - 1).saturating_mul(col_stride));
    let by_cols = (rows <= 1 || row_stride >= 1) && (cols <= 1 || col_stride > (rows - 1).saturating_mul(row_stride));
    by_rows || by_cols
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn views_name_the_same_elements() {
        let data: Vec<i32> = (0..12).collect();
        let a = MatRef::row_major(&data, 3, 4);
        assert_eq!((a.at(1, 2), a.t().at(2, 1)), (6, 6));
        assert_eq!(MatRef::col_major(&data, 3, 4).at(1, 2), 7);
        assert_eq!(a.columns(1, 2).at(2, 1), 10);
        assert_eq!(a.row_range(1, 2).at(1, 3), 11);
        assert_eq!(MatRef::new(&data, [5, 3], [0, 1]).at(4, 2), 2);
    }

    #[test]
    #[should_panic(expected = "needs more than the 11 elements")]
    fn a_matrix_that_leaves_its_slice_is_refused() {
        MatRef::row_major(&[0.0f32; 11], 3, 4);
    }

    #[test]
    #[should_panic(expected = "needs more than")]
    fn strides_that_overflow_are_refused() {
        MatRef::new(&[0.0f32; 11], [usize::MAX, 4], [usize::MAX, 1]);
    }

    #[test]
    #[should_panic(expected = "overlaps itself")]
    fn an_output_that_repeats_a_row_is_refused() {
        MatMut::new(&mut [0.0f32; 12], [3, 4], [0, 1]);
    }

    #[test]
    fn outputs_that_do_not_overlap_are_accepted() {
        for (shape, strides) in
            [([3, 4], [4, 1]), ([3, 4], [1, 3]), ([1, 4], [0, 1]), ([0, 4], [0, 0]), ([2, 3], [7, 2])]
        {
            MatMut::new(&mut [0.0f32; 12], shape, strides);
        }
    }
}
