//! Ordinary arrays, seen as flat runs of numbers.

/// A number, or an array of such values: `f32`, `[[f32; 28]; 28]`, `[u32; 64]`.
///
/// Everything between layers is `f32`. Class and token numbers (`u32`) travel as the bits of one,
/// untouched from the network's input to the layer that reads them (`Embedding`).
///
/// # Safety
/// A value must consist of 32-bit numbers alone, valid for any bits, without padding.
pub unsafe trait Values: Copy + Send + Sync + 'static {
    /// How many numbers a value holds.
    const LEN: usize = size_of::<Self>() / size_of::<f32>();

    /// The numbers in order.
    fn as_floats(&self) -> &[f32] {
        // SAFETY: by the trait's contract `Self` is `LEN` 32-bit numbers and `f32` takes any bits.
        unsafe { std::slice::from_raw_parts(std::ptr::from_ref(self).cast(), Self::LEN) }
    }

    /// The numbers in order, to be written.
    fn as_floats_mut(&mut self) -> &mut [f32] {
        // SAFETY: as above, and any bits written are a valid `Self`.
        unsafe { std::slice::from_raw_parts_mut(std::ptr::from_mut(self).cast(), Self::LEN) }
    }

    /// A value of zeros.
    #[must_use]
    fn zeroed() -> Self {
        // SAFETY: any bits are a valid `Self`.
        unsafe { std::mem::zeroed() }
    }
}

// SAFETY: one 32-bit number.
unsafe impl Values for f32 {}
// SAFETY: one 32-bit number.
unsafe impl Values for u32 {}
// SAFETY: an array has no padding between or behind its elements.
unsafe impl<T: Values, const N: usize> Values for [T; N] {}

/// What a network takes for one sample: an array, or a tuple of arrays for several inputs.
pub trait Inputs: Copy + Send + Sync + 'static {
    /// How many numbers each input has.
    const LENS: &'static [usize];

    /// A sample of zeros.
    #[must_use]
    fn zero() -> Self;

    /// The numbers of input `index`.
    fn input(&self, index: usize) -> &[f32];

    /// The numbers of input `index`, to be written.
    fn input_mut(&mut self, index: usize) -> &mut [f32];
}

impl<T: Values> Inputs for T {
    const LENS: &'static [usize] = &[T::LEN];

    fn zero() -> Self {
        Self::zeroed()
    }

    fn input(&self, _index: usize) -> &[f32] {
        self.as_floats()
    }

    fn input_mut(&mut self, _index: usize) -> &mut [f32] {
        self.as_floats_mut()
    }
}

macro_rules! tuple_inputs {
    ($($T:ident $index:tt),*) => {
        impl<$($T: Values),*> Inputs for ($($T,)*) {
            const LENS: &'static [usize] = &[$($T::LEN),*];

            fn zero() -> Self {
                ($($T::zeroed(),)*)
            }

            fn input(&self, index: usize) -> &[f32] {
                match index {
                    $($index => self.$index.as_floats(),)*
                    _ => unreachable!("inputs are counted by LENS"),
                }
            }

            fn input_mut(&mut self, index: usize) -> &mut [f32] {
                match index {
                    $($index => self.$index.as_floats_mut(),)*
                    _ => unreachable!("inputs are counted by LENS"),
                }
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
