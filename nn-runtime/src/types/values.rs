//! [`Values`], [`Input`] and [`Inputs`]: ordinary arrays as flat slices of `f32`.

use super::lengths::Steps;
use unrolled_shape::{MAX_RANK, Shape};

/// A number, or an array of such values: `f32`, `[[f32; 28]; 28]`, `[u32; 64]`.
///
/// Everything between layers is `f32`. Class and token indices (`u32`) are passed as the bits of an `f32`, unchanged
/// from the network's input to the layer that reads them (`Embedding`).
///
/// # Safety
/// The type must consist of 32-bit numbers alone, without padding, aligned like one of them, and any bits must be a
/// valid value.
pub unsafe trait Values: Copy + Send + Sync + 'static {
    /// Its axes: `[[[f32; C]; W]; H]` is `[H, W, C]`, a single number has none.
    const SHAPE: Shape;

    /// Whether its elements are real numbers. Class and token indices have no gradient.
    const REAL: bool;

    /// The number of elements.
    const LEN: usize = size_of::<Self>() / size_of::<f32>();

    /// The elements in order.
    fn as_floats(&self) -> &[f32] {
        // SAFETY: by the trait's contract `Self` is `LEN` 32-bit numbers and `f32` takes any bits.
        unsafe { core::slice::from_raw_parts(core::ptr::from_ref(self).cast(), Self::LEN) }
    }

    /// The elements in order, mutable.
    fn as_floats_mut(&mut self) -> &mut [f32] {
        // SAFETY: by the trait's contract `Self` is `LEN` 32-bit numbers, and any bits written are a valid `Self`; the
        // borrow is unique.
        unsafe { core::slice::from_raw_parts_mut(core::ptr::from_mut(self).cast(), Self::LEN) }
    }

    /// A slice of elements as a value.
    ///
    /// # Panics
    /// When the slice has another length than `LEN`.
    fn from_floats(floats: &[f32]) -> &Self {
        assert_eq!(floats.len(), Self::LEN, "the length of the value");
        // SAFETY: the slice has `LEN` elements. By the trait's contract `Self` is so many 32-bit numbers, aligned like
        // one of them, and any bits are valid.
        unsafe { &*floats.as_ptr().cast() }
    }

    /// A slice of elements as a mutable value.
    ///
    /// # Panics
    /// When the slice has another length than `LEN`.
    fn from_floats_mut(floats: &mut [f32]) -> &mut Self {
        assert_eq!(floats.len(), Self::LEN, "the length of the value");
        // SAFETY: as in `from_floats`; any bits written are valid `f32`s, and the borrow is unique.
        unsafe { &mut *floats.as_mut_ptr().cast() }
    }

    /// A value of zeros.
    #[must_use]
    fn zeroed() -> Self {
        // SAFETY: any bits are a valid `Self`, by the trait's contract.
        unsafe { core::mem::zeroed() }
    }

    /// A value of zeros, allocated on the heap and never on the stack.
    #[cfg(feature = "std")]
    #[must_use]
    fn zeroed_box() -> Box<Self> {
        // SAFETY: any bits are a valid `Self`, by the trait's contract.
        unsafe { Box::new_zeroed().assume_init() }
    }

    /// `count` values of zeros, allocated on the heap and never on the stack.
    #[cfg(feature = "std")]
    #[must_use]
    fn zeroed_vec(count: usize) -> Vec<Self> {
        // SAFETY: any bits are a valid `Self`, by the trait's contract.
        unsafe { Box::new_zeroed_slice(count).assume_init() }.into_vec()
    }
}

// SAFETY: one 32-bit number, valid for any bits.
unsafe impl Values for f32 {
    const SHAPE: Shape = Shape::new(&[]);
    const REAL: bool = true;
}
// SAFETY: one 32-bit number, valid for any bits.
unsafe impl Values for u32 {
    const SHAPE: Shape = Shape::new(&[]);
    const REAL: bool = false;
}
// SAFETY: an array has the alignment of its elements and no padding between or after them, which are 32-bit numbers
// alone by the contract of `T`.
unsafe impl<T: Values, const N: usize> Values for [T; N] {
    const SHAPE: Shape = outer_axis(N, T::SHAPE);
    const REAL: bool = T::REAL;
}

/// `inner` with one more axis before the others.
pub(crate) const fn outer_axis(size: usize, inner: Shape) -> Shape {
    // One axis more than a shape may have: `Shape::new` reports too many axes with a message of its own.
    let mut axes = [0; MAX_RANK + 1];
    axes[0] = size;
    let mut i = 0;
    while i < inner.rank() {
        axes[i + 1] = inner.dim(i);
        i += 1;
    }
    Shape::new(axes.split_at(inner.rank() + 1).0)
}

/// One input of a network: an array, or a [`Sequence`](crate::Sequence).
pub trait Input: Copy + Send + Sync + 'static {
    /// Its axes.
    const SHAPE: Shape;
    /// Whether its elements are real numbers, which have a gradient.
    const REAL: bool;
    /// Whether it may be shorter than its shape.
    const RAGGED: bool;
    /// The number of elements of its shape.
    const LEN: usize = Self::SHAPE.len();

    /// All its elements as an array.
    type Ref<'a>: Copy;
    /// All its elements as a mutable array.
    type Mut<'a>;

    /// All zeros.
    fn zeros() -> Self;
    /// Its elements; zeros after its end.
    fn floats(&self) -> &[f32];
    /// Its elements, mutable.
    fn floats_mut(&mut self) -> &mut [f32];
    /// The number of valid steps.
    fn steps(&self) -> Steps<'_>;
    /// A slice of `LEN` elements as an array.
    fn seen(floats: &[f32]) -> Self::Ref<'_>;
    /// A slice of `LEN` elements as a mutable array.
    fn seen_mut(floats: &mut [f32]) -> Self::Mut<'_>;
}

impl<T: Values> Input for T {
    const SHAPE: Shape = <T as Values>::SHAPE;
    const REAL: bool = <T as Values>::REAL;
    const RAGGED: bool = false;
    type Ref<'a> = &'a T;
    type Mut<'a> = &'a mut T;

    fn zeros() -> Self {
        Self::zeroed()
    }
    fn floats(&self) -> &[f32] {
        self.as_floats()
    }
    fn floats_mut(&mut self) -> &mut [f32] {
        self.as_floats_mut()
    }
    fn steps(&self) -> Steps<'_> {
        Steps::Full
    }
    fn seen(floats: &[f32]) -> &T {
        T::from_floats(floats)
    }
    fn seen_mut(floats: &mut [f32]) -> &mut T {
        T::from_floats_mut(floats)
    }
}

/// The largest number of inputs of a network: [`Inputs`] is implemented for tuples of up to so many.
pub(crate) const MAX_INPUTS: usize = 8;

/// The inputs of a network for one sample: an [`Input`], or a tuple of several.
pub trait Inputs: Copy + Send + Sync + 'static {
    /// The number of elements of each input.
    const LENS: &'static [usize];

    /// The shape of each input.
    const SHAPES: &'static [Shape];

    /// Whether the elements of each input are real numbers, which have a gradient.
    const REAL: &'static [bool];

    /// Whether any input may be shorter than its shape.
    const RAGGED: bool;

    /// A reference to each input: `&A` for one input, `(&A, &B)` for two.
    type Refs<'a>: Copy;

    /// A mutable reference to each input.
    type Muts<'a>;

    /// A sample of zeros.
    #[must_use]
    fn zero() -> Self;

    /// The elements of input `index`.
    fn input(&self, index: usize) -> &[f32];

    /// The elements of input `index`, mutable.
    fn input_mut(&mut self, index: usize) -> &mut [f32];

    /// The valid steps of input `index`.
    fn steps(&self, index: usize) -> Steps<'_>;

    /// One slice per input as the inputs.
    ///
    /// # Panics
    /// When number or lengths of the slices differ from [`Self::LENS`].
    fn refs<'a>(floats: impl Iterator<Item = &'a [f32]>) -> Self::Refs<'a>;

    /// One mutable slice per input as the inputs.
    ///
    /// # Panics
    /// When number or lengths of the slices differ from [`Self::LENS`].
    fn muts<'a>(floats: impl Iterator<Item = &'a mut [f32]>) -> Self::Muts<'a>;
}

impl<T: Input> Inputs for T {
    const LENS: &'static [usize] = &[T::LEN];
    const SHAPES: &'static [Shape] = &[T::SHAPE];
    const REAL: &'static [bool] = &[T::REAL];
    const RAGGED: bool = T::RAGGED;
    type Refs<'a> = T::Ref<'a>;
    type Muts<'a> = T::Mut<'a>;

    fn zero() -> Self {
        T::zeros()
    }

    fn input(&self, _index: usize) -> &[f32] {
        self.floats()
    }

    fn input_mut(&mut self, _index: usize) -> &mut [f32] {
        self.floats_mut()
    }

    fn steps(&self, _index: usize) -> Steps<'_> {
        Input::steps(self)
    }

    fn refs<'a>(mut floats: impl Iterator<Item = &'a [f32]>) -> T::Ref<'a> {
        T::seen(floats.next().expect(ONE_SLICE))
    }

    fn muts<'a>(mut floats: impl Iterator<Item = &'a mut [f32]>) -> T::Mut<'a> {
        T::seen_mut(floats.next().expect(ONE_SLICE))
    }
}

const ONE_SLICE: &str = "one slice per input";

macro_rules! tuple_inputs {
    ($($T:ident $index:tt),*) => {
        impl<$($T: Input),*> Inputs for ($($T,)*) {
            const LENS: &'static [usize] = &[$($T::LEN),*];
            const SHAPES: &'static [Shape] = &[$($T::SHAPE),*];
            const REAL: &'static [bool] = &[$($T::REAL),*];
            const RAGGED: bool = $($T::RAGGED)||*;
            type Refs<'a> = ($($T::Ref<'a>,)*);
            type Muts<'a> = ($($T::Mut<'a>,)*);

            fn zero() -> Self {
                ($($T::zeros(),)*)
            }

            fn input(&self, index: usize) -> &[f32] {
                match index {
                    $($index => self.$index.floats(),)*
                    _ => unreachable!("inputs are counted by LENS"),
                }
            }

            fn input_mut(&mut self, index: usize) -> &mut [f32] {
                match index {
                    $($index => self.$index.floats_mut(),)*
                    _ => unreachable!("inputs are counted by LENS"),
                }
            }

            fn steps(&self, index: usize) -> Steps<'_> {
                match index {
                    $($index => Input::steps(&self.$index),)*
                    _ => unreachable!("inputs are counted by LENS"),
                }
            }

            fn refs<'a>(mut floats: impl Iterator<Item = &'a [f32]>) -> Self::Refs<'a> {
                ($($T::seen(floats.next().expect(ONE_SLICE)),)*)
            }

            fn muts<'a>(mut floats: impl Iterator<Item = &'a mut [f32]>) -> Self::Muts<'a> {
                ($($T::seen_mut(floats.next().expect(ONE_SLICE)),)*)
            }
        }
    };
}

tuple_inputs!(A 0, B 1);
tuple_inputs!(A 0, B 1, C 2);
tuple_inputs!(A 0, B 1, C 2, D 3);
tuple_inputs!(A 0, B 1, C 2, D 3, E 4);
tuple_inputs!(A 0, B 1, C 2, D 3, E 4, F 5);
tuple_inputs!(A 0, B 1, C 2, D 3, E 4, F 5, G 6);
tuple_inputs!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7);
