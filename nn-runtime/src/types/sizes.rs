//! [`Array`]: arrays whose length is a type.
//!
//! Stable Rust has no `[f32; 2 * N + 1]` in generic code. The sizes of `typenum` are types, and types can be computed: a
//! hand-written layer that is generic over such a size can have an input of `N` and an output of `2N + 1` values. In a
//! `network!` block it is `refine: Refine::<U7>,`, and its shapes are numbers like those of all layers.
//!
//! ```
//! use unrolled_runtime::sizes::{Array, Size};
//! use unrolled_runtime::{Layer, Parameters, Tensor, Weights};
//! use core::ops::{Add, Mul};
//! use unrolled_runtime::typenum::{Prod, Sum, U1, U2, U7};
//!
//! /// `2N + 1`.
//! type Finer<N> = Sum<Prod<N, U2>, U1>;
//!
//! /// Inserts a weighted sum of the neighbours between each two values, and at both ends.
//! #[repr(C)]
//! struct Refine<N: Size> where N: Add<U1, Output: Size> {
//!     weight: Array<f32, Sum<N, U1>>,
//! }
//! # unsafe impl<N: Size> Weights for Refine<N> where N: Add<U1, Output: Size> {}
//! # impl<N: Size> Parameters for Refine<N> where N: Add<U1, Output: Size> {
//! #     fn named_tensors() -> Vec<Tensor> { Vec::new() }
//! # }
//!
//! impl<N: Size> Layer for Refine<N>
//! where
//!     N: Add<U1, Output: Size> + Mul<U2, Output: Add<U1, Output: Size>>,
//! {
//!     type Input = Array<f32, N>;
//!     type Output = Array<f32, Finer<N>>;
//!
//!     fn forward(&self, x: &Self::Input, y: &mut Self::Output) {
//!         for (i, x) in x.iter().enumerate() {
//!             y[2 * i] += self.weight[i] * x;
//!             y[2 * i + 1] = *x;
//!             y[2 * i + 2] += self.weight[i + 1] * x;
//!         }
//!     }
//!
//!     fn backward(
//!         &self,
//!         x: &Self::Input,
//!         _y: &Self::Output,
//!         d_y: &Self::Output,
//!         d_x: &mut Self::Input,
//!         d_self: &mut Self,
//!     ) {
//!         for i in 0..N::USIZE {
//!             d_x[i] += self.weight[i] * d_y[2 * i] + d_y[2 * i + 1];
//!             d_x[i] += self.weight[i + 1] * d_y[2 * i + 2];
//!             d_self.weight[i] += x[i] * d_y[2 * i];
//!             d_self.weight[i + 1] += x[i] * d_y[2 * i + 2];
//!         }
//!     }
//! }
//!
//! let mut y = Array::from_fn(|_| 0.0);
//! let mut layer = Refine::<U7>::zeros();
//! layer.weight.fill(0.5);
//! layer.forward(&Array::from_fn(|i| i as f32), &mut y);
//! assert_eq!(y[..6], [0.0, 0.0, 0.5, 1.0, 1.5, 2.0]);
//! assert_eq!(y.len(), 15);
//! ```

use super::parameters::Parameters;
#[cfg(feature = "std")]
use super::parameters::array_tensors;
use super::values::{Values, outer_axis};
use super::weights::Weights;
use core::fmt::{self, Debug, Formatter};
use core::ops::{Deref, DerefMut};
use typenum::{B0, B1, UInt, UTerm, Unsigned};
use unrolled_shape::Shape;
#[cfg(feature = "std")]
use unrolled_weights::Tensor;

/// The element type of an array.
pub trait Element: Copy + Send + Sync + 'static {}

impl<T: Copy + Send + Sync + 'static> Element for T {}

/// A size that is a type: `U7`, `Sum<N, U1>`.
///
/// # Safety
/// `Numbers<T>` must be `USIZE` consecutive values of `T` and nothing else.
pub unsafe trait Size: Unsigned + Send + Sync {
    /// `USIZE` values of `T`.
    type Numbers<T: Element>: Element;
}

/// Two halves and the remainder.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Halves<Half, Rest> {
    _halves: [Half; 2],
    _rest: Rest,
}

// SAFETY: `USIZE` is 0, and so is the number of elements of the array.
unsafe impl Size for UTerm {
    type Numbers<T: Element> = [T; 0];
}

// SAFETY: `UInt<N, B0>` is `2 N`, and that many values are two times `N`. `repr(C)` adds no padding, as all parts have
// the alignment of `T`, also those of no elements, and sizes that are multiples of it.
unsafe impl<N: Size> Size for UInt<N, B0> {
    type Numbers<T: Element> = Halves<N::Numbers<T>, [T; 0]>;
}

// SAFETY: `UInt<N, B1>` is `2 N + 1`: as above, and one value more.
unsafe impl<N: Size> Size for UInt<N, B1> {
    type Numbers<T: Element> = Halves<N::Numbers<T>, [T; 1]>;
}

/// `N` values of `T`: `[T; N]` with a size that is a type. Dereferences to a slice.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub struct Array<T: Element, N: Size>(N::Numbers<T>);

impl<T: Element, N: Size> Array<T, N> {
    /// The array of `value(0)`, `value(1)` and so on.
    #[must_use]
    pub fn from_fn(value: impl FnMut(usize) -> T) -> Self
    where
        T: Values,
    {
        let mut array = Self::zeroed();
        // In place, since `Halves` cannot be built from single elements.
        for (place, value) in array.iter_mut().zip((0..).map(value)) {
            *place = value;
        }
        array
    }
}

impl<T: Element, N: Size> Deref for Array<T, N> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        // SAFETY: the array is `USIZE` values of `T`, by the contract of `Size`.
        unsafe { core::slice::from_raw_parts(core::ptr::from_ref(self).cast(), N::USIZE) }
    }
}

impl<T: Element, N: Size> DerefMut for Array<T, N> {
    fn deref_mut(&mut self) -> &mut [T] {
        // SAFETY: the array is `USIZE` values of `T`, by the contract of `Size`; the borrow is unique.
        unsafe { core::slice::from_raw_parts_mut(core::ptr::from_mut(self).cast(), N::USIZE) }
    }
}

impl<T: Element + Debug, N: Size> Debug for Array<T, N> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

// SAFETY: `USIZE` consecutive values of `T` and nothing else, by the contract of `Size`.
unsafe impl<T: Values, N: Size> Values for Array<T, N> {
    const SHAPE: Shape = outer_axis(N::USIZE, T::SHAPE);
    const REAL: bool = T::REAL;
}

// SAFETY: `USIZE` consecutive values of `T` and nothing else, by the contract of `Size`.
unsafe impl<T: Weights + Copy, N: Size> Weights for Array<T, N> {}

#[diagnostic::do_not_recommend]
impl<T: Parameters + Copy, N: Size> Parameters for Array<T, N> {
    #[cfg(feature = "std")]
    fn named_tensors() -> Vec<Tensor> {
        array_tensors::<T>(N::USIZE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use typenum::{Prod, Sum, U0, U1, U2, U3, U5, U28, U1000};

    #[track_caller]
    fn holds<N: Size>() {
        assert_eq!(size_of::<Array<f32, N>>(), 4 * N::USIZE);
        assert_eq!(align_of::<Array<f32, N>>(), 4);
        assert_eq!(size_of::<Array<[u32; 3], N>>(), 12 * N::USIZE);
        let array = Array::<f32, N>::from_fn(|i| i as f32);
        let expected: Vec<f32> = (0..N::USIZE).map(|i| i as f32).collect();
        assert_eq!(array[..], expected);
        assert_eq!(Values::as_floats(&array), expected);
        assert_eq!(Array::<f32, N>::SHAPE, Shape::new(&[N::USIZE]));
    }

    #[test]
    fn any_size_is_that_many_values() {
        holds::<U0>();
        holds::<U1>();
        holds::<U2>();
        holds::<U3>();
        holds::<U5>();
        holds::<U1000>();
        holds::<Sum<Prod<Prod<U28, U28>, U2>, U1>>();
    }

    #[test]
    fn shapes_and_tensors_are_those_of_arrays() {
        type Matrix = Array<[f32; 4], U3>;
        assert_eq!(Matrix::SHAPE, <[[f32; 4]; 3]>::SHAPE);
        assert_eq!(Matrix::named_tensors(), <[[f32; 4]; 3]>::named_tensors());
        assert_eq!(<Matrix as Weights>::LEN, 12);
        assert_eq!(Values::as_floats(&[Array::<f32, U5>::zeroed(); 2]), [0.0; 10]);
        const { assert!(Array::<f32, U2>::REAL && !Array::<u32, U2>::REAL) };
    }

    #[test]
    fn values_are_written_where_they_stand() {
        let mut array = Array::<f32, U5>::zeroed();
        array[3] = 2.5;
        assert_eq!(Values::as_floats(&array), [0.0, 0.0, 0.0, 2.5, 0.0]);
        assert_eq!(format!("{array:?}"), "[0.0, 0.0, 0.0, 2.5, 0.0]");
    }
}
