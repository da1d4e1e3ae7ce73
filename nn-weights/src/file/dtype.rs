//! [`Dtype`]: the element types of files, and how they are read as `f32`.

use unrolled_shape::half::from_half;

/// The types that can be read as weights.
pub(super) const FLOATS: &str = "F32 (or F64, F16, BF16)";

/// The types that can be read as a counter.
pub(super) const COUNTERS: &str = "I64 (or another type of integers or floats)";

/// An element type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Dtype {
    /// Its name in headers.
    pub(super) name: &'static str,
    /// The size of an element.
    pub(super) bits: usize,
}

/// All types of the format.
const DTYPES: &[(&str, usize)] = &[
    ("BOOL", 8),
    ("F4", 4),
    ("F6_E2M3", 6),
    ("F6_E3M2", 6),
    ("U8", 8),
    ("I8", 8),
    ("F8_E5M2", 8),
    ("F8_E4M3", 8),
    ("F8_E8M0", 8),
    ("F8_E4M3FNUZ", 8),
    ("F8_E5M2FNUZ", 8),
    ("I16", 16),
    ("U16", 16),
    ("F16", 16),
    ("BF16", 16),
    ("I32", 32),
    ("U32", 32),
    ("F32", 32),
    ("C64", 64),
    ("F64", 64),
    ("I64", 64),
    ("U64", 64),
];

impl Dtype {
    /// The type that headers call `name`.
    pub(super) fn find(name: &str) -> Option<Self> {
        let found = DTYPES.iter().find(|(known, _)| *known == name);
        found.map(|&(name, bits)| Self { name, bits })
    }
}

/// The size of an element type in bytes, and the function that reads an element.
pub(super) type Reader = (usize, fn(&[u8]) -> f32);

/// The reader of floats of type `dtype`, if that is a type of floats.
pub(super) fn float_reader(dtype: Dtype) -> Option<Reader> {
    Some(match dtype.name {
        "F32" => (4, |bytes| f32::from_le_bytes(array(bytes))),
        "F64" => (8, |bytes| f64::from_le_bytes(array(bytes)) as f32),
        "BF16" => (2, |bytes| f32::from_bits(u32::from(u16::from_le_bytes(array(bytes))) << 16)),
        "F16" => (2, |bytes| from_half(u16::from_le_bytes(array(bytes)))),
        _ => return None,
    })
}

/// The reader of counters of type `dtype`, if that is a type of numbers: checkpoints that were converted as a whole have
/// them as floats.
pub(super) fn counter_reader(dtype: Dtype) -> Option<Reader> {
    Some(match dtype.name {
        "I64" => (8, |bytes| i64::from_le_bytes(array(bytes)) as f32),
        "U64" => (8, |bytes| u64::from_le_bytes(array(bytes)) as f32),
        "I32" => (4, |bytes| i32::from_le_bytes(array(bytes)) as f32),
        "U32" => (4, |bytes| u32::from_le_bytes(array(bytes)) as f32),
        "I16" => (2, |bytes| f32::from(i16::from_le_bytes(array(bytes)))),
        "U16" => (2, |bytes| f32::from(u16::from_le_bytes(array(bytes)))),
        "I8" => (1, |bytes| f32::from(i8::from_le_bytes(array(bytes)))),
        "U8" => (1, |bytes| f32::from(u8::from_le_bytes(array(bytes)))),
        _ => return float_reader(dtype),
    })
}

fn array<const N: usize>(bytes: &[u8]) -> [u8; N] {
    bytes.try_into().expect("slices have the size of the element type")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_floats_are_read_too() {
        let dtype = |name| Dtype::find(name).unwrap();
        let read = |name, bytes: &[u8]| float_reader(dtype(name)).unwrap().1(bytes);
        assert_eq!(read("BF16", &[0x40, 0xc0]), -3.0);
        assert_eq!(read("F32", &1.5_f32.to_le_bytes()), 1.5);
        assert_eq!(read("F64", &0.1_f64.to_le_bytes()), 0.1_f32);
        assert!(float_reader(dtype("I8")).is_none());
    }
}
