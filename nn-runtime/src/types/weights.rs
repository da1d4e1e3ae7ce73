//! [`Weights`]: weights as one flat slice of `f32`.

#[cfg(feature = "std")]
use crate::system::pages;

/// The weights of a layer or a network: `f32`s and nothing else, so that an optimiser sees one slice and gradients have
/// the same type.
///
/// # Safety
/// The type must consist of `f32` alone, without padding and valid for any bits: `#[repr(C)]` with
/// every field `Weights` or an array of `f32`, or of size zero.
pub unsafe trait Weights: WeightSlice + Sized + Send + Sync + 'static {
    /// The number of elements.
    const LEN: usize = size_of::<Self>() / size_of::<f32>();

    /// Weights of zeros, allocated on the heap and never on the stack.
    #[cfg(feature = "std")]
    #[must_use]
    fn zeros() -> Box<Self> {
        // Not read here, but a struct whose fields do not fill it must not be made of zeros.
        const { Self::LEN };
        // From the allocator, which has zeroed pages for large sizes: nothing is written here.
        let mut zeros = Box::<Self>::new_zeroed();
        pages::prefer_large(core::slice::from_mut(&mut *zeros));
        // SAFETY: the memory is zeroed, and zero bits are a valid `Self` by the trait's contract.
        unsafe { zeros.assume_init() }
    }
}

/// The elements of [`Weights`] as a slice.
///
/// Every type with `Weights` has these methods. They are in a trait of their own, which is not in the prelude, because
/// arrays have methods of the same names from [`Values`](crate::Values). For networks,
/// [`InferenceExt::params`](crate::InferenceExt::params) is `as_floats`.
pub trait WeightSlice: Sized {
    /// All elements, in the order of the fields.
    fn as_floats(&self) -> &[f32];

    /// All elements, mutable.
    fn as_floats_mut(&mut self) -> &mut [f32];

    /// A slice of elements as weights.
    ///
    /// # Panics
    /// When the slice has another length than `LEN`.
    fn from_floats(floats: &[f32]) -> &Self;

    /// A slice of elements as mutable weights.
    ///
    /// # Panics
    /// When the slice has another length than `LEN`.
    fn from_floats_mut(floats: &mut [f32]) -> &mut Self;
}

impl<T: Weights> WeightSlice for T {
    fn as_floats(&self) -> &[f32] {
        if Self::LEN == 0 {
            return &[]; // a type of size zero need not be aligned like an `f32`
        }
        // SAFETY: by the trait's contract `Self` is `LEN` values of `f32`.
        unsafe { core::slice::from_raw_parts(core::ptr::from_ref(self).cast(), Self::LEN) }
    }

    fn as_floats_mut(&mut self) -> &mut [f32] {
        if Self::LEN == 0 {
            return &mut [];
        }
        // SAFETY: by the trait's contract `Self` is `LEN` values of `f32`, and any bits written are a valid `Self`; the
        // borrow is unique.
        unsafe { core::slice::from_raw_parts_mut(core::ptr::from_mut(self).cast(), Self::LEN) }
    }

    fn from_floats(floats: &[f32]) -> &Self {
        assert_eq!(floats.len(), Self::LEN, "the length of the weights");
        // SAFETY: the slice has `LEN` values of `f32`, which are a valid `Self` by the trait's contract, and its
        // alignment is that of `f32`.
        unsafe { &*floats.as_ptr().cast() }
    }

    fn from_floats_mut(floats: &mut [f32]) -> &mut Self {
        assert_eq!(floats.len(), Self::LEN, "the length of the weights");
        // SAFETY: as in `from_floats`, and the borrow is unique.
        unsafe { &mut *floats.as_mut_ptr().cast() }
    }
}

/// As many zeros, for code that does not depend on the type of the weights.
#[cfg(feature = "train")]
pub(crate) fn zeroed_floats(len: usize) -> Box<[f32]> {
    let mut zeros = Box::<[f32]>::new_zeroed_slice(len);
    pages::prefer_large(&mut zeros);
    // SAFETY: the memory is zeroed, and zero bits are a valid `f32`.
    unsafe { zeros.assume_init() }
}

/// [`Weights::zeros`] for a network that will be used: small ones begin a cache line. A box has the alignment of its
/// type and no more, so this allocates until an address happens to fit.
#[cfg(feature = "std")]
pub(crate) fn zeros_on_line<W: Weights>() -> Box<W> {
    let mut weights = W::zeros();
    // Kept until the end: freed at once, the same address would be returned again.
    let mut others = Vec::with_capacity(ATTEMPTS);
    while size_of::<W>() <= SMALL && !begins_line(&*weights) && others.len() < ATTEMPTS {
        // A block of about the same size comes from the same size class, and the next weights come after it.
        let gap = vec![0_u8; size_of::<W>() + 16 * others.len()];
        others.push((core::mem::replace(&mut weights, W::zeros()), gap));
    }
    weights
}

/// Bytes of weights that stay in the first-level cache. Where they do not begin a cache line, a vector may cross two of
/// them and takes twice as long to load: a network that takes nanoseconds became a fifth slower.
const SMALL: usize = 1 << 15;

/// The largest number of attempts. Common allocators place such blocks at multiples of 16 bytes, one after the other:
/// with gaps that grow by 16 bytes, some attempt begins a line.
const ATTEMPTS: usize = 32;

fn begins_line<T>(weights: &T) -> bool {
    const LINE: usize = 64;
    core::ptr::from_ref(weights).addr().is_multiple_of(LINE)
}

// SAFETY: one `f32`.
unsafe impl Weights for f32 {}
// SAFETY: an array has no padding between its elements, which are `f32`s alone by the contract of `T`.
unsafe impl<T: Weights, const N: usize> Weights for [T; N] {}

/// The `LEN` of a struct whose fields have `fields` elements together.
///
/// # Panics
/// When the struct has another size or alignment: it has a `repr` besides `C`, or an attribute macro has added a field.
#[must_use]
pub const fn len_of_fields<T>(fields: usize) -> usize {
    assert!(
        size_of::<T>() == fields * size_of::<f32>() && align_of::<T>() <= align_of::<f32>(),
        "weights are `repr(C)` structs of weights alone: remove other `repr`s, and attributes that add fields"
    );
    fields
}
