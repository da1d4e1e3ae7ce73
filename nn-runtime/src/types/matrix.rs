//! [`AsMatrix`]: arrays as nalgebra's matrices and vectors, without copying.

use nalgebra::{Const, MatrixView, MatrixViewMut};

/// Views of arrays for nalgebra: weights, their gradients, inputs and outputs.
///
/// A `[[f32; C]; R]` is a matrix of `R` rows and `C` columns, a `[f32; N]` a column vector of `N` rows. Nothing is copied.
///
/// ```
/// use unrolled_runtime::AsMatrix;
///
/// let weight = [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]; // Of `Dense(3)` on 2 values.
/// let x = [10.0, 1.0];
/// let y = weight.view().tr_mul(&x.view());
/// assert_eq!(y.as_slice(), [14.0, 25.0, 36.0]);
/// assert!(weight.view().norm() > 9.0);
/// ```
pub trait AsMatrix {
    /// A view of the matrix or vector.
    type View<'a>
    where
        Self: 'a;
    /// A mutable view of the matrix or vector.
    type ViewMut<'a>
    where
        Self: 'a;

    /// The array as a matrix or vector.
    fn view(&self) -> Self::View<'_>;

    /// The array as a mutable matrix or vector.
    fn view_mut(&mut self) -> Self::ViewMut<'_>;
}

impl<const R: usize, const C: usize> AsMatrix for [[f32; C]; R] {
    type View<'a> = MatrixView<'a, f32, Const<R>, Const<C>, Const<C>, Const<1>>;
    type ViewMut<'a> = MatrixViewMut<'a, f32, Const<R>, Const<C>, Const<C>, Const<1>>;

    fn view(&self) -> Self::View<'_> {
        // Rows are contiguous here and columns in nalgebra: the strides are exchanged instead of the elements.
        let values = self.as_flattened();
        MatrixView::from_slice_with_strides_generic(values, Const, Const, Const, Const)
    }

    fn view_mut(&mut self) -> Self::ViewMut<'_> {
        let values = self.as_flattened_mut();
        MatrixViewMut::from_slice_with_strides_generic(values, Const, Const, Const, Const)
    }
}

impl<const N: usize> AsMatrix for [f32; N] {
    type View<'a> = MatrixView<'a, f32, Const<N>, Const<1>, Const<1>, Const<N>>;
    type ViewMut<'a> = MatrixViewMut<'a, f32, Const<N>, Const<1>, Const<1>, Const<N>>;

    fn view(&self) -> Self::View<'_> {
        MatrixView::from_slice_generic(self, Const, Const)
    }

    fn view_mut(&mut self) -> Self::ViewMut<'_> {
        MatrixViewMut::from_slice_generic(self, Const, Const)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn views_are_the_numbers_themselves() {
        let mut weight = [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]];
        assert_eq!(weight.view().shape(), (2, 3));
        assert_eq!(weight.view()[(1, 0)], 4.0);
        assert!(std::ptr::eq(&weight.view()[(0, 1)], &weight[0][1]));
        weight.view_mut().column_mut(2).fill(0.5);
        assert_eq!(weight, [[1.0, 2.0, 0.5], [4.0, 5.0, 0.5]]);
    }

    #[test]
    fn rows_of_an_array_are_columns_of_numbers() {
        let mut bias = [1.0, 2.0, 2.0];
        assert_eq!(bias.view().norm(), 3.0);
        assert!(std::ptr::eq(&bias.view()[2], &bias[2]));
        bias.view_mut().scale_mut(2.0);
        assert_eq!(bias, [2.0, 4.0, 4.0]);
    }

    #[test]
    fn products_are_those_of_loops() {
        let weight: [[f32; 7]; 5] =
            std::array::from_fn(|i| std::array::from_fn(|j| ((i * 7 + j * 3) % 5) as f32));
        let x: [f32; 5] = std::array::from_fn(|i| i as f32 - 2.0);
        let y = weight.view().tr_mul(&x.view());
        for j in 0..7 {
            let expected: f32 = (0..5).map(|i| weight[i][j] * x[i]).sum();
            assert_eq!(y[j], expected);
        }
    }

    #[test]
    fn empty_arrays_are_empty_matrices() {
        assert_eq!([[0.0; 0]; 3].view().shape(), (3, 0));
        assert_eq!([[0.0; 3]; 0].view().shape(), (0, 3));
        assert!([0.0_f32; 0].view().is_empty());
    }
}
