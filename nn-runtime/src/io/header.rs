//! Whether bytes are a whole safetensors file: eight bytes with the length of the header
//! (little-endian), the header in JSON, the tensors.

use safetensors::tensor::Metadata;

/// How long a header may be: what the format's own implementation allows.
const MAX_HEADER: u64 = 100_000_000;

/// Why bytes cannot be read.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum HeaderError {
    /// They are something else.
    Foreign(String),
    /// They are cut off or inconsistent.
    Damaged(String),
}

use HeaderError::{Damaged, Foreign};

/// How a file of `torch.save` becomes one that can be read here.
const FROM_TORCH: &str = "; convert it in Python: `import torch, safetensors.torch as s; \
    s.save_file(torch.load('FILE', weights_only=True), 'FILE.safetensors')`";

/// What people hand over by mistake: how it begins, what it is, and what to do.
const FORMATS: &[(&[u8], &str, &str)] = &[
    (b"PK\x03\x04", "a zip archive, as `torch.save` writes", FROM_TORCH),
    // The beginning of torch's magic number: `80 02` alone is a header of 640 bytes.
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

/// The header, and where the tensors begin.
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
    let what = if found < expected { "is cut off" } else { "has something behind them" };
    Err(Damaged(format!("its tensors take {expected} bytes, found {found}: it {what}")))
}

/// Recognises what is certainly another format.
fn check_format(bytes: &[u8]) -> Result<(), HeaderError> {
    if bytes.is_empty() {
        return Err(Foreign("it is empty".into()));
    }
    match FORMATS.iter().find(|(begin, ..)| bytes.starts_with(begin)) {
        Some((_, what, to_do)) => Err(Foreign(format!("it is {what}{to_do}"))),
        None => Ok(()),
    }
}

/// Where the header ends.
fn tensors_begin(bytes: &[u8]) -> Result<usize, HeaderError> {
    let Some((length, rest)) = bytes.split_first_chunk() else {
        let found = bytes.len();
        return Err(Damaged(format!(
            "expected a length of 8 bytes first, found {found}: it is cut off"
        )));
    };
    let length = u64::from_le_bytes(*length);
    if length > MAX_HEADER || rest.first().is_some_and(|byte| *byte != b'{') {
        return Err(Foreign("it does not begin with the length of a header and the header".into()));
    }
    if length > rest.len() as u64 {
        let found = rest.len();
        return Err(Damaged(format!(
            "its header has {length} bytes, found {found}: it is cut off"
        )));
    }
    Ok(8 + length as usize)
}
