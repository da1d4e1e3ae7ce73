//! Weights as one flat run of numbers.

#[cfg(feature = "std")]
use crate::system::pages;

/// A layer's or a network's weights: `f32`s and nothing else, so that an optimiser sees one slice
/// and gradients have the same type.
///
/// # Safety
/// The type must consist of `f32` alone, without padding and valid for any bits: `#[repr(C)]` with
/// every field `Weights` or an array of `f32`, or of size zero.
pub unsafe trait Weights: Sized + Send + Sync + 'static {
    /// How many numbers it holds.
    const LEN: usize = size_of::<Self>() / size_of::<f32>();

    /// All numbers, in the order of the fields.
    fn as_floats(&self) -> &[f32] {
        if Self::LEN == 0 {
            return &[]; // a type of size zero need not be aligned like an `f32`
        }
        // SAFETY: by the trait's contract `Self` is `LEN` values of `f32`.
        unsafe { core::slice::from_raw_parts(core::ptr::from_ref(self).cast(), Self::LEN) }
    }

    /// All numbers, to be written.
    fn as_floats_mut(&mut self) -> &mut [f32] {
        if Self::LEN == 0 {
            return &mut [];
        }
        // SAFETY: as above, and any bits are a valid `Self`.
        unsafe { core::slice::from_raw_parts_mut(core::ptr::from_mut(self).cast(), Self::LEN) }
    }

    /// These numbers seen as weights.
    ///
    /// # Panics
    /// When there are not exactly `LEN` of them.
    fn from_floats(floats: &[f32]) -> &Self {
        assert_eq!(floats.len(), Self::LEN, "as many numbers as the weights have");
        // SAFETY: `LEN` values of `f32`, aligned for `f32`, are a valid `Self`.
        unsafe { &*floats.as_ptr().cast() }
    }

    /// These numbers seen as weights, to be written.
    ///
    /// # Panics
    /// When there are not exactly `LEN` of them.
    fn from_floats_mut(floats: &mut [f32]) -> &mut Self {
        assert_eq!(floats.len(), Self::LEN, "as many numbers as the weights have");
        // SAFETY: as above, and the borrow is unique.
        unsafe { &mut *floats.as_mut_ptr().cast() }
    }

    /// Weights of zeros, made in place on the heap and never on the stack.
    #[cfg(feature = "std")]
    #[must_use]
    fn zeros() -> Box<Self> {
        let mut zeros = Box::<Self>::new_zeroed();
        pages::prefer_large(core::slice::from_mut(&mut *zeros));
        // SAFETY: zero bits are a valid `Self`.
        unsafe { zeros.assume_init() }
    }
}

/// [`Weights::zeros`] for a network that will be used, which begin a cache line where that counts: a box is aligned
/// as its type and no better, so this asks for memory until it happens to be.
#[cfg(feature = "std")]
pub(crate) fn zeros_on_line<W: Weights>() -> Box<W> {
    let mut weights = W::zeros();
    let mut others = Vec::with_capacity(ATTEMPTS);
    while size_of::<W>() <= SMALL && !begins_line(&*weights) && others.len() < ATTEMPTS {
        // As large as the weights and some more: it comes from where they do, and they come behind it.
        let gap = vec![0_u8; size_of::<W>() + 16 * others.len()];
        others.push((core::mem::replace(&mut weights, W::zeros()), gap));
    }
    weights
}

/// Bytes of weights that stay in the first cache. Where they do not begin a cache line, a vector of them may
/// lie in two, and takes twice as long to read: a network of nanoseconds feels that.
const SMALL: usize = 1 << 15;

/// How often it asks. Common allocators place such memory at multiples of 16 bytes, and each behind the one before:
/// with gaps that grow by so much, some attempt begins a line.
const ATTEMPTS: usize = 32;

fn begins_line<T>(weights: &T) -> bool {
    const LINE: usize = 64;
    core::ptr::from_ref(weights).addr().is_multiple_of(LINE)
}

// SAFETY: one `f32`.
unsafe impl Weights for f32 {}
// SAFETY: an array of weights has no padding.
unsafe impl<T: Weights, const N: usize> Weights for [T; N] {}

/// The `LEN` of a struct whose fields hold `fields` numbers.
///
/// # Panics
/// When the struct holds anything else, or is aligned otherwise: it is not `repr(C)` alone.
#[must_use]
pub const fn len_of_fields<T>(fields: usize) -> usize {
    assert!(
        size_of::<T>() == fields * size_of::<f32>() && align_of::<T>() <= align_of::<f32>(),
        "a network is `repr(C)` and nothing else: remove the other `repr`"
    );
    fields
}
