use super::*;
use flate2::Compression;
use flate2::write::GzEncoder;
use std::io::Write;

/// Two images of 2x3.
fn images() -> Vec<u8> {
    let mut bytes = vec![0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 3];
    bytes.extend([0, 51, 102, 153, 204, 255, 1, 2, 3, 4, 5, 6]);
    bytes
}

fn labels(labels: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0, 0, 8, 1];
    bytes.extend((labels.len() as u32).to_be_bytes());
    bytes.extend(labels);
    bytes
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn error(bytes: &[u8]) -> String {
    Idx::parse("X", bytes).unwrap_err().to_string()
}

#[test]
fn images_are_scaled_and_keep_their_order() {
    for bytes in [images(), gzip(&images())] {
        let idx = Idx::parse("X", &bytes).unwrap();
        assert_eq!(idx.dims(), [2, 2, 3]);
        let images = idx.images::<2, 3>().unwrap();
        assert_eq!(images[0], [[[0.0], [0.2], [0.4]], [[0.6], [0.8], [1.0]]]);
        assert_eq!(images[1][1][2], [6.0 / 255.0]);
        assert_eq!(images.len(), 2);
    }
}

#[test]
fn labels_are_joined_with_images() {
    let (images, seven) = (Idx::parse("X", &images()).unwrap(), labels(&[7, 255]));
    let data = images.labelled::<2, 3>(&Idx::parse("L", &gzip(&seven)).unwrap()).unwrap();
    assert_eq!(data.targets, [7, 255]);
    assert_eq!(data.inputs, images.images().unwrap());
    let three = Idx::parse("L", &labels(&[1, 2, 3])).unwrap();
    let error = images.labelled::<2, 3>(&three).unwrap_err().to_string();
    assert_eq!(error, "`L`, byte 4: expected 2 labels, one for each image, found 3");
}

#[test]
fn other_dimensions_are_refused_with_their_offset() {
    let images = Idx::parse("X", &images()).unwrap();
    let labels = Idx::parse("L", &labels(&[])).unwrap();
    let errors = [
        images.images::<3, 2>().unwrap_err(),
        images.images::<2, 2>().unwrap_err(),
        images.labels().unwrap_err(),
        labels.images::<2, 3>().unwrap_err(),
    ];
    let expected = [
        "`X`, byte 8: expected 3 rows, found 2",
        "`X`, byte 12: expected 2 columns, found 3",
        "`X`, byte 3: expected 1 dimension (labels), found 3",
        "`L`, byte 3: expected 3 dimensions (images), found 1",
    ];
    assert_eq!(errors.map(|error| error.to_string()), expected);
    assert!(labels.labels().unwrap().is_empty());
}

#[test]
fn a_file_cut_off_anywhere_is_refused_with_the_offset() {
    let bytes = images();
    for length in 0..bytes.len() {
        let expected = match length {
            0..4 => format!(
                "0: expected the magic number of IDX, 4 bytes, found the end of the file after {length}"
            ),
            4..16 => {
                let (i, rest) = (length / 4, length % 4);
                let begin = 4 * i;
                format!(
                    "{begin}: expected dimension {i} of 3, 4 bytes, found the end of the file after {rest}"
                )
            }
            _ => {
                let rest = length - 16;
                format!(
                    "16: expected 12 bytes of values ([2, 2, 3]), found the end of the file after {rest}"
                )
            }
        };
        assert_eq!(error(&bytes[..length]), format!("`X`, byte {expected}"));
    }
}

#[test]
fn compressed_files_cut_off_or_damaged_anywhere_are_refused() {
    let bytes = gzip(&images());
    for length in 0..bytes.len() {
        assert!(Idx::parse("X", &bytes[..length]).is_err(), "cut off after {length}");
    }
    // Files with a changed bit that are still read have the same content: the bit is one of the time stamp and the
    // operating system (6 bytes), the text flag, or padding of the last compressed byte.
    let whole = Idx::parse("X", &bytes).unwrap();
    let mut harmless = 0;
    for bit in 0..8 * bytes.len() {
        let mut damaged = bytes.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        if let Ok(idx) = Idx::parse("X", &damaged) {
            assert_eq!(idx, whole, "bit {bit} changed");
            harmless += 1;
        }
    }
    assert!(harmless <= 8 * 6 + 1 + 7, "{harmless} bits");
    let mut checksum = bytes.clone();
    let index = bytes.len() - 8;
    checksum[index] ^= 1;
    assert_eq!(
        error(&checksum),
        "`X`, byte 28: cannot be read: corrupt gzip stream does not have a matching checksum"
    );
}

#[test]
fn other_formats_are_refused() {
    let cases: [(&[u8], &str); 6] = [
        (
            b"PNG!",
            "0: expected the magic number of IDX, 00 00 08 and a count of dimensions, found 50 4e 47 21",
        ),
        (
            &[0, 0, 7, 1, 0],
            "0: expected the magic number of IDX, 00 00 08 and a count of dimensions, found 00 00 07 01",
        ),
        (&[0, 0, 13, 1, 0, 0, 0, 0], "2: expected values of type 8 (bytes), found type 13"),
        (&[0, 0, 8, 0], "3: expected one dimension or more, found none"),
        (
            &[0, 0, 8, 1, 0, 0, 0, 1, 5, 6],
            "9: expected the end of the file after 1 bytes of values ([1]), found more",
        ),
        (
            &[0, 0, 8, 1, 0, 0, 1, 0, 1],
            "8: expected 256 bytes of values ([256]), found the end of the file after 1",
        ),
    ];
    for (bytes, expected) in cases {
        assert_eq!(error(bytes), format!("`X`, byte {expected}"));
        assert_eq!(error(&gzip(bytes)), format!("`X`, byte {expected}"));
    }
    let mut huge = vec![0, 0, 8, 9];
    huge.extend([255; 36]);
    assert!(
        error(&huge).starts_with("`X`, byte 4: expected dimensions that fit into memory, found [")
    );
}

#[test]
fn compressed_files_have_a_limit() {
    // 1 GiB of values and one more, of which the file has only the first: the limit stops before it decompresses them.
    let mut bytes = vec![0, 0, 8, 1];
    bytes.extend((Idx::MAX_COMPRESSED as u32 + 1).to_be_bytes());
    bytes.push(1);
    assert_eq!(
        error(&gzip(&bytes)),
        "`X`, byte 4: expected at most 1073741824 bytes of values in a compressed file, found 1073741825 \
        ([1073741825]): decompress it first"
    );
}

#[test]
#[cfg(unix)]
fn only_regular_files_are_read() {
    let error = Idx::read("/dev/zero").unwrap_err().to_string();
    let expected = "`/dev/zero`, byte 0: cannot be read: it is a device, not a regular file";
    assert_eq!(error, expected);
}

#[test]
fn a_missing_file_is_named() {
    let error = Idx::read("no such folder/images").unwrap_err();
    assert!(
        error.to_string().starts_with("`no such folder/images`, byte 0: cannot be read: "),
        "{error}"
    );
    assert_eq!(error.offset(), 0);
}
