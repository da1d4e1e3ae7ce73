//! Numbers as bytes, for messages.

/// Types that are nothing but bits.
///
/// # Safety
/// Every byte of a value is initialised, and any bytes are a value.
pub(crate) unsafe trait Bits: Copy {}
// SAFETY: floats have no padding, and all patterns of bits are floats.
unsafe impl Bits for f32 {}
// SAFETY: as for `f32`.
unsafe impl Bits for f64 {}

/// The bytes of numbers, in the order of this machine.
pub(crate) fn bytes_of<T: Bits>(values: &[T]) -> &[u8] {
    // SAFETY: the same memory, which is initialised by the contract of `Bits`; bytes have an alignment of 1.
    unsafe { std::slice::from_raw_parts(values.as_ptr().cast(), size_of_val(values)) }
}

/// As [`bytes_of`], to be overwritten.
pub(crate) fn bytes_of_mut<T: Bits>(values: &mut [T]) -> &mut [u8] {
    // SAFETY: as in `bytes_of`; and whatever is written is a value, by the contract of `Bits`.
    unsafe { std::slice::from_raw_parts_mut(values.as_mut_ptr().cast(), size_of_val(values)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_those_of_the_numbers() {
        let mut values = [1.5_f32, -0.0, f32::NAN];
        let expected: Vec<u8> = values.iter().flat_map(|value| value.to_ne_bytes()).collect();
        assert_eq!(bytes_of(&values), expected);
        bytes_of_mut(&mut values)[4..8].copy_from_slice(&2.5_f32.to_ne_bytes());
        assert_eq!(values[1], 2.5);
        assert!(bytes_of::<f64>(&[]).is_empty());
    }
}
