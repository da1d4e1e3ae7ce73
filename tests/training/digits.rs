//! The digits of the examples are those that scikit-learn ships, byte for byte.

use unrolled_runtime::data::Idx;

const IMAGES: &[u8] = include_bytes!("../../examples/data/digits-images-idx3-ubyte");
const LABELS: &[u8] = include_bytes!("../../examples/data/digits-labels-idx1-ubyte");

/// The 64-bit FNV-1a hash.
fn checksum(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[test]
fn files_have_the_checksums_of_the_script() {
    assert_eq!((IMAGES.len(), LABELS.len()), (16 + 1797 * 64, 8 + 1797));
    assert_eq!(
        (checksum(IMAGES), checksum(LABELS)),
        (0x2241_f853_0b2a_e124, 0x05e4_f90c_8a44_f328)
    );
}

#[test]
fn digits_are_as_frequent_as_in_the_source() {
    let mut counts = [0; 10];
    for label in Idx::parse("labels", LABELS).unwrap().labels().unwrap() {
        counts[label as usize] += 1;
    }
    assert_eq!(counts, [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]);
}

#[test]
fn pixels_have_values_from_0_to_16() {
    let images = Idx::parse("images", IMAGES).unwrap();
    assert_eq!(images.dims(), [1797, 8, 8]);
    assert_eq!(images.values().iter().max(), Some(&16));
    // The first line of the source.
    assert_eq!(images.values()[..16], [0, 0, 5, 13, 9, 1, 0, 0, 0, 0, 13, 15, 10, 15, 5, 0]);
}
