//! [`StaticWeights`]: weights in the program, which expanded code makes of a file.

use super::weights::Weights;

/// The bytes of weights in a `static`. They begin a cache line: see `zeros_on_line`.
#[derive(Debug)]
#[repr(C, align(64))]
pub struct StaticWeights<const BYTES: usize>([u8; BYTES]);

impl<const BYTES: usize> StaticWeights<BYTES> {
    /// Zeros.
    pub const ZEROS: Self = Self([0; BYTES]);

    /// Weights whose elements are little-endian `f32`s in `bytes`.
    #[must_use]
    pub const fn new(bytes: &[u8; BYTES]) -> Self {
        Self(if cfg!(target_endian = "little") { *bytes } else { swapped(bytes) })
    }

    /// The weights as a layer or network of this size.
    #[must_use]
    pub const fn get<W: Weights>(&'static self) -> &'static W {
        // The length of a network checks its shapes.
        const {
            _ = W::LEN;
            assert!(size_of::<W>() == BYTES && align_of::<W>() <= align_of::<Self>())
        };
        // SAFETY: size and alignment are checked above, and any bits are a valid `W` by the contract of `Weights`.
        unsafe { &*core::ptr::from_ref(self).cast() }
    }
}

/// The bytes of each element in reverse order.
const fn swapped<const BYTES: usize>(bytes: &[u8; BYTES]) -> [u8; BYTES] {
    let mut swapped = [0; BYTES];
    let mut i = 0;
    while i < BYTES {
        // Elements have 4 bytes: the last two bits of an index are the place in one.
        swapped[i ^ 3] = bytes[i];
        i += 1;
    }
    swapped
}

#[cfg(test)]
mod tests {
    use super::*;

    static WEIGHTS: StaticWeights<12> = StaticWeights::new(b"\0\0\x80\x3f\0\0\0\xc0\0\0\0\0");

    #[test]
    fn bytes_are_weights() {
        assert_eq!(WEIGHTS.get::<[f32; 3]>(), &[1.0, -2.0, 0.0]);
        const FIRST: f32 = WEIGHTS.get::<[f32; 3]>()[0];
        assert_eq!(FIRST, 1.0);
    }

    #[test]
    fn elements_are_swapped_for_the_other_byte_order() {
        assert_eq!(swapped(&[1, 2, 3, 4, 5, 6, 7, 8]), [4, 3, 2, 1, 8, 7, 6, 5]);
    }
}
