//! The header of a safetensors file. A file is eight bytes with the length of the header (little-endian), the header in
//! JSON, and the tensors.

use safetensors::tensor::Metadata;

/// The key of the value stored with the weights in the file's metadata.
pub(super) const EXTRA: &str = "extra";

/// The longest header: the limit of the format's own implementation.
const MAX_HEADER: u64 = 100_000_000;

/// Why bytes cannot be read.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum HeaderError {
    /// They have another format.
    Foreign(String),
    /// They are truncated or inconsistent.
    Damaged(String),
}

use HeaderError::{Damaged, Foreign};

/// How to convert a file of `torch.save`.
const FROM_TORCH: &str = "; convert it in Python: `import torch, safetensors.torch as s; \
    s.save_file(torch.load('FILE', weights_only=True), 'FILE.safetensors')`";

/// Common other formats: their first bytes, their description, and what to do.
const FORMATS: &[(&[u8], &str, &str)] = &[
    (b"PK\x03\x04", "a zip archive, as `torch.save` writes", FROM_TORCH),
    // The beginning of torch's magic number. `80 02` alone could be the length of a header, 640 bytes.
    (b"\x80\x02\x8a\x0a", "a pickle, as old versions of `torch.save` write", FROM_TORCH),
    (b"\x89HDF", "an HDF5 file, as Keras writes", ""),
    (b"GGUF", "a GGUF file", ""),
    (b"\x93NUMPY", "a NumPy array", ""),
    (b"\x1f\x8b", "compressed with gzip", ""),
    (
        b"version https://git-lfs",
        "a pointer of Git LFS",
        "; `git lfs pull` fetches the file itself",
    ),
];

/// The offset of the tensors and the header.
pub(super) fn read(bytes: &[u8]) -> Result<(usize, Metadata), HeaderError> {
    check_format(bytes)?;
    let begin = tensors_begin(bytes)?;
    let header = &bytes[8..begin];
    let metadata: Metadata = serde_json::from_slice(header)
        .map_err(|why| Damaged(format!("its header cannot be read: {why}")))?;
    let (expected, found) = (metadata.data_len(), bytes.len() - begin);
    if found == expected {
        return Ok((begin, metadata));
    }
    let what = if found < expected { "is truncated" } else { "has bytes after them" };
    Err(Damaged(format!("expected {expected} bytes of tensors, found {found}: it {what}")))
}

/// Recognises other formats by their first bytes.
fn check_format(bytes: &[u8]) -> Result<(), HeaderError> {
    if bytes.is_empty() {
        return Err(Foreign("it is empty".into()));
    }
    match FORMATS.iter().find(|(begin, ..)| bytes.starts_with(begin)) {
        Some((_, what, to_do)) => Err(Foreign(format!("it is {what}{to_do}"))),
        None => Ok(()),
    }
}

/// The offset of the end of the header.
fn tensors_begin(bytes: &[u8]) -> Result<usize, HeaderError> {
    let Some((length, rest)) = bytes.split_first_chunk() else {
        let found = bytes.len();
        return Err(Damaged(format!(
            "expected the length of the header, 8 bytes, found {found}: it is truncated"
        )));
    };
    let length = u64::from_le_bytes(*length);
    if length > MAX_HEADER || rest.first().is_some_and(|byte| *byte != b'{') {
        return Err(Foreign(
            "it does not begin with the length of a header and a header in JSON".into(),
        ));
    }
    if length > rest.len() as u64 {
        let found = rest.len();
        return Err(Damaged(format!(
            "expected a header of {length} bytes, found {found}: it is truncated"
        )));
    }
    Ok(8 + length as usize)
}
