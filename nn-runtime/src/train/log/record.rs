//! Records of a TFRecord file: bytes with their length and checksums.

/// Appends a record: the length of `data`, its checksum, `data`, and its checksum (TensorFlow's
/// `lib/io/record_writer.h`). All numbers are little-endian.
pub(super) fn add_record(data: &[u8], file: &mut Vec<u8>) {
    let len = (data.len() as u64).to_le_bytes();
    file.extend(len);
    file.extend(masked_crc(&len).to_le_bytes());
    file.extend(data);
    file.extend(masked_crc(data).to_le_bytes());
}

/// The checksum of a record. It is masked, because checksums of data that contain checksums are weak.
const fn masked_crc(data: &[u8]) -> u32 {
    crc32c(data).rotate_right(15).wrapping_add(0xa282_ead8)
}

/// CRC-32C (Castagnoli), with the polynomial and the register reflected.
const fn crc32c(data: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    let mut i = 0;
    while i < data.len() {
        crc = TABLE[(crc as u8 ^ data[i]) as usize] ^ (crc >> 8);
        i += 1;
    }
    !crc
}

/// The checksum of each byte.
const TABLE: [u32; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let mut crc = byte as u32;
        let mut bit = 0;
        while bit < 8 {
            crc = (crc >> 1) ^ if crc & 1 == 1 { 0x82f6_3b78 } else { 0 };
            bit += 1;
        }
        table[byte] = crc;
        byte += 1;
    }
    table
};

#[cfg(test)]
mod tests {
    use super::*;

    // RFC 3720, appendix B.4.
    #[test]
    fn checksums_are_those_of_the_standard() {
        assert_eq!(crc32c(b"123456789"), 0xe306_9283);
        assert_eq!(crc32c(&[0; 32]), 0x8a91_36aa);
        assert_eq!(crc32c(&[0xff; 32]), 0x62a8_ab43);
    }

    // Expected bytes: scripts/check_tensorboard.py, by the writer of the `tensorboard` package.
    #[test]
    fn a_record_has_the_bytes_of_tensorboard() {
        let mut file = Vec::new();
        add_record(b"abc", &mut file);
        assert_eq!(file, [3, 0, 0, 0, 0, 0, 0, 0, 176, 153, 73, 14, 97, 98, 99, 110, 87, 241, 33]);
    }
}
