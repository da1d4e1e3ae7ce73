use super::encode::{Content, write};
use super::weights_file::read_file;
use super::{Dtype, ForeignFormat, LoadError, Mismatch};
use crate::order::FileTensors;
use crate::types::Tensor;
use crate::types::{Axis, Element, FeatureOrder};
use serde_json::{Value, json};
use std::fs;
use std::io;
use std::path::PathBuf;
use unrolled_shape::Shape;
use unrolled_weights::file::read;

/// A temporary file of one test.
struct TestFile(PathBuf);

impl TestFile {
    fn new(name: &str) -> Self {
        Self(std::env::temp_dir().join(format!("nn-runtime-io-{}-{name}", std::process::id())))
    }

    fn with(name: &str, bytes: &[u8]) -> Self {
        let file = Self::new(name);
        fs::write(&file.0, bytes).unwrap();
        file
    }

    /// The result of reading it, and the weights afterwards.
    fn read(&self, tensors: &[Tensor]) -> (Result<Option<String>, LoadError>, [f32; LEN]) {
        let mut floats = [7.0; LEN];
        let result = read_file(&self.0, &in_pytorch(tensors), &mut floats);
        (result, floats)
    }

    fn error(&self, tensors: &[Tensor]) -> String {
        self.read(tensors).0.unwrap_err().to_string().replace(&self.0.display().to_string(), "FILE")
    }
}

impl Drop for TestFile {
    fn drop(&mut self) {
        fs::remove_file(&self.0).ok();
    }
}

const LEN: usize = 21;

/// The tensors of a network that PyTorch could have.
fn in_pytorch(tensors: &[Tensor]) -> FileTensors {
    FileTensors { tensors: tensors.to_vec(), aliases: Vec::new(), conflict: None }
}

/// A dense layer with two units after a flattened 1x2x2, a counter, and the weights of a convolution.
fn tensors() -> Vec<Tensor> {
    let order = FeatureOrder::flattened(&Shape::new(&[1, 2, 2]));
    let columns = Axis { len: 4, stride: 2, order };
    let mut count = Tensor::new("norm.num_batches_tracked", 10, vec![]);
    count.element = Element::I64;
    let conv = vec![Axis::plain(2, 1), Axis::plain(1, 2), Axis::plain(1, 10), Axis::plain(5, 2)];
    vec![
        Tensor::new("fc.weight", 0, vec![Axis::plain(2, 1), columns]),
        Tensor::new("fc.bias", 8, vec![Axis::plain(2, 1)]),
        count,
        Tensor::new("conv.weight", 11, conv),
    ]
}

fn floats() -> [f32; LEN] {
    // Special values as well: the smallest subnormal, a negative zero, a NaN with a payload.
    let mut floats = std::array::from_fn(|i| i as f32 / 3.0 - 2.0);
    floats[0] = f32::from_bits(1);
    floats[3] = -0.0;
    floats[8] = f32::from_bits(0x7fc1_2345);
    floats[10] = 1234.0;
    floats
}

/// The content of a file of these tensors.
fn encode(tensors: &[Tensor], floats: &[f32], extra: Option<Value>) -> Vec<u8> {
    let mut bytes = Vec::new();
    Content::new(&[(&in_pytorch(tensors), floats)], Dtype::F32, extra)
        .unwrap()
        .write(&mut bytes)
        .unwrap();
    bytes
}

fn bits(floats: &[f32]) -> Vec<u32> {
    floats.iter().map(|float| float.to_bits()).collect()
}

/// A file whose tensors are zeros of the given types and shapes.
fn file_of(tensors: &[(&str, &str, &[usize], usize)]) -> Vec<u8> {
    let mut end = 0;
    let entries: Vec<String> = tensors
        .iter()
        .map(|(name, dtype, shape, bytes)| {
            let begin = end;
            end += bytes;
            format!(
                r#""{name}":{{"dtype":"{dtype}","shape":{shape:?},"data_offsets":[{begin},{end}]}}"#
            )
        })
        .collect();
    let header = format!("{{{}}}", entries.join(","));
    let mut file = (header.len() as u64).to_le_bytes().to_vec();
    file.extend(header.bytes());
    file.resize(file.len() + end, 0);
    file
}

/// Its length has the first bytes of a pickle.
#[test]
fn a_header_of_640_bytes_is_not_taken_for_a_pickle() {
    let name = "n".repeat(640 - r#"{"":{"dtype":"F32","shape":[],"data_offsets":[0,4]}}"#.len());
    let bytes = file_of(&[(&name, "F32", &[], 4)]);
    assert!(bytes.starts_with(b"\x80\x02"));
    let (result, floats) = TestFile::with("640", &bytes).read(&[Tensor::new(&name, 0, vec![])]);
    assert_eq!((result.unwrap(), floats[0]), (None, 0.0));
}

#[test]
fn what_is_written_is_read_bit_by_bit() {
    let file = TestFile::new("roundtrip");
    write(&in_pytorch(&tensors()), &floats(), Some(json!({"a": 1})), &file.0).unwrap();
    let (extra, read) = file.read(&tensors());
    assert_eq!(extra.unwrap().as_deref(), Some("{\"a\":1}"));
    assert_eq!(bits(&read), bits(&floats()));
    assert_eq!(fs::read(&file.0).unwrap(), encode(&tensors(), &floats(), Some(json!({"a": 1}))));
}

#[test]
fn files_have_pytorchs_order() {
    let bytes = encode(&tensors(), &floats(), None);
    let file = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let weight = file.tensor("fc.weight").unwrap();
    assert_eq!(weight.shape(), [2, 4]);
    // Memory: rows of two units, inputs (pixel, channel) = 00 01 10 11; file: 00 10 01 11 per unit.
    let expected = [0, 4, 2, 6, 1, 5, 3, 7].map(|index| floats()[index]);
    let expected: Vec<u8> = expected.iter().flat_map(|float| float.to_le_bytes()).collect();
    assert_eq!(weight.data(), expected);
    let count = file.tensor("norm.num_batches_tracked").unwrap();
    assert!(count.shape().is_empty());
    assert_eq!(count.data(), 1234_i64.to_le_bytes());
}

#[test]
fn a_file_truncated_anywhere_is_refused() {
    let bytes = encode(&tensors(), &floats(), Some(json!("extra")));
    let header = 8 + u64::from_le_bytes(*bytes.first_chunk().unwrap()) as usize;
    for length in 0..bytes.len() {
        let error = TestFile::with("truncated", &bytes[..length]).error(&tensors());
        let expected = match length {
            0 => "`FILE` is not a safetensors file: it is empty".into(),
            1..8 => format!(
                "`FILE` is damaged: expected the length of the header, 8 bytes, found {length}: it is truncated"
            ),
            _ if length < header => {
                let found = length - 8;
                format!(
                    "`FILE` is damaged: expected a header of {} bytes, found {found}: it is truncated",
                    header - 8
                )
            }
            _ => format!(
                "`FILE` is damaged: expected 88 bytes of tensors, found {}: it is truncated",
                length - header
            ),
        };
        assert_eq!(error, expected);
    }
}

#[test]
fn no_changed_byte_of_the_header_makes_it_panic() {
    let bytes = encode(&tensors(), &floats(), None);
    let header = 8 + u64::from_le_bytes(*bytes.first_chunk().unwrap()) as usize;
    let file = TestFile::new("changed");
    let mut refused = 0;
    for index in 0..header {
        for change in [1, 4, 0x80] {
            let mut changed = bytes.clone();
            changed[index] ^= change;
            fs::write(&file.0, changed).unwrap();
            refused += usize::from(file.read(&tensors()).0.is_err());
        }
    }
    // The rest are changes that keep the meaning: other white space, `E` instead of `e`.
    assert!(refused > 3 * header * 95 / 100, "{refused} of {}", 3 * header);
}

#[test]
fn other_formats_are_named() {
    let cases: [(&[u8], &str); 5] = [
        (
            b"PK\x03\x04 and so on",
            "it is a zip archive, as `torch.save` writes; convert it in Python: \
            `import torch, safetensors.torch as s; s.save_file(torch.load('FILE', weights_only=True), \
            'FILE.safetensors')`",
        ),
        (b"\x1f\x8b\x08 and so on", "it is compressed with gzip"),
        (
            b"version https://git-lfs.github.com/spec/v1",
            "it is a pointer of Git LFS; `git lfs pull` fetches the file itself",
        ),
        (b"once upon a time", "it does not begin with the length of a header and a header in JSON"),
        (
            &[2, 0, 0, 0, 0, 0, 0, 0, b'[', b']'],
            "it does not begin with the length of a header and a header in JSON",
        ),
    ];
    for (bytes, why) in cases {
        let error = TestFile::with("foreign", bytes).error(&tensors());
        assert_eq!(error, format!("`FILE` is not a safetensors file: {why}"));
    }
    let lengths = [u64::MAX, u64::MAX - 7, 1 << 40, 100_000_001];
    for length in lengths {
        let mut bytes = encode(&tensors(), &floats(), None);
        bytes[..8].copy_from_slice(&length.to_le_bytes());
        let error = TestFile::with("length", &bytes).error(&tensors());
        assert!(error.contains("does not begin with the length of a header"), "{error}");
    }
}

#[test]
fn inconsistent_headers_are_refused() {
    let headers = [
        // Outside the file, overlapping, a shape that overflows, a size that is not the shape's.
        (r#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#, 4),
        (
            r#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#,
            4,
        ),
        (r#"{"a":{"dtype":"F32","shape":[4294967296,4294967296,4],"data_offsets":[0,4]}}"#, 4),
        (r#"{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,4]}}"#, 4),
        (
            r#"{"a":{"dtype":"F32","shape":[4294967296,4294967296,4],"data_offsets":[0,4611686018427387904]}}"#,
            4,
        ),
        (r#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4,4]}}"#, 4),
        (r#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}}"#, 4),
        (r#"{"a":{"dtype":"F99","shape":[1],"data_offsets":[0,4]}}"#, 4),
        (r#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#, 5),
    ];
    for (header, data) in headers {
        let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
        bytes.extend(header.bytes());
        bytes.resize(bytes.len() + data, 0);
        // A network that the header fits, if it is consistent.
        let len = if header.contains("[2]") { 2 } else { 1 };
        let tensors = [Tensor::new("a", 0, vec![Axis::plain(len, 1)])];
        let error = TestFile::with("inconsistent", &bytes).error(&tensors);
        assert!(error.starts_with("`FILE` is damaged: "), "{header}: {error}");
    }
}

#[test]
fn all_differences_are_reported_at_once() {
    let bytes = file_of(&[
        ("conv.weight", "F32", &[2, 5], 40),
        ("dense.bias", "F32", &[2], 8),
        ("fc.weight", "I8", &[2, 4], 8),
        ("norm.num_batches_tracked", "F32", &[], 4),
        ("other.bias", "F32", &[3], 12),
    ]);
    let error = TestFile::with("differences", &bytes).error(&tensors());
    let expected = "\
`FILE` does not fit this network, 5 differences:
  type of `fc.weight`: expected F32 (or F64, F16, BF16), found I8
  missing: `fc.bias` [2] (in the file it may be `dense.bias`)
  shape of `conv.weight`: expected [2, 1, 1, 5], found [2, 5]
  unexpected: `dense.bias` [2]
  unexpected: `other.bias` [3]";
    assert_eq!(error, expected);
}

#[test]
fn the_nearest_name_of_the_same_shape_is_suggested() {
    let bytes = file_of(&[
        ("block.1.weight", "F32", &[2], 8),
        ("block.2.bias", "F32", &[2], 8),
        ("block.2.weight", "F32", &[2], 8),
        ("block.3.weight", "F32", &[3], 12),
    ]);
    let wanted = [Tensor::new("blocks.2.weight", 0, vec![Axis::plain(2, 1)])];
    let (result, _) = TestFile::with("nearest", &bytes).read(&wanted);
    let Err(LoadError::Mismatch { mismatches, .. }) = result else { panic!("{result:?}") };
    let near = Some("block.2.weight".to_owned());
    let expected = Mismatch::Missing { tensor: "blocks.2.weight".into(), shape: vec![2], near };
    assert_eq!(mismatches[0], expected);
    assert_eq!(mismatches.len(), 5);
}

#[test]
fn other_floats_are_converted() {
    let mut bytes =
        file_of(&[("a", "F16", &[1], 2), ("b", "BF16", &[1], 2), ("c", "F64", &[1], 8)]);
    let data = bytes.len() - 12;
    bytes[data..].copy_from_slice(&[0x00, 0x3e, 0x40, 0xc0, 0, 0, 0, 0, 0, 0, 0xd0, 0x3f]);
    let wanted: Vec<Tensor> = ["a", "b", "c"]
        .iter()
        .enumerate()
        .map(|(i, name)| Tensor::new(*name, i, vec![Axis::plain(1, 1)]))
        .collect();
    let (result, floats) = TestFile::with("floats", &bytes).read(&wanted);
    assert_eq!(result.unwrap(), None);
    assert_eq!(floats[..3], [1.5, -3.0, 0.25]);
}

/// A reader that yields one byte at a time.
struct Slow<'a>(&'a [u8]);

impl io::Read for Slow<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = buffer.len().min(1);
        self.0.read(&mut buffer[..count])
    }
}

#[test]
fn readers_are_read_to_their_end() {
    let bytes = encode(&tensors(), &floats(), None);
    let read = |bytes| {
        let mut found = [7.0; LEN];
        let result = read("pipe".as_ref(), &mut Slow(bytes), &in_pytorch(&tensors()), &mut found);
        result.map(|_| bits(&found)).map_err(|error| error.to_string())
    };
    assert_eq!(read(&bytes), Ok(bits(&floats())));
    assert_eq!(
        read(&bytes[..bytes.len() - 1]),
        Err("`pipe` is damaged: expected 88 bytes of tensors, found 87: it is truncated".into())
    );
    let longer = [&bytes[..], b"?"].concat();
    assert_eq!(
        read(&longer),
        Err("`pipe` is damaged: expected 88 bytes of tensors, found more: it has bytes after them"
            .into())
    );
}

#[test]
fn tensors_longer_than_the_buffer_are_read_and_written() {
    let floats: Vec<f32> = (0..100_003_u32).map(|i| i as f32).collect();
    let tensors = [
        Tensor::new("a", 1, vec![Axis::plain(2, 50_000), Axis::plain(50_000, 1)]),
        Tensor::new("b", 0, vec![]),
        Tensor::new("c", 100_001, vec![Axis::plain(2, 1)]),
    ];
    let bytes = encode(&tensors, &floats, None);
    let mut found = vec![7.0; floats.len()];
    read("x".as_ref(), &mut &bytes[..], &in_pytorch(&tensors), &mut found).unwrap();
    assert_eq!(found, floats);
}

#[test]
fn writing_gives_the_bytes_of_safetensors() {
    let bytes = encode(&tensors(), &floats(), Some(json!([1, "x"])));
    let file = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let metadata = [("extra".to_owned(), r#"[1,"x"]"#.to_owned())].into_iter().collect();
    assert_eq!(safetensors::serialize(file.iter(), Some(metadata)).unwrap(), bytes);
}

#[test]
fn tensors_of_one_name_are_not_written() {
    let same = [Tensor::new("a", 0, vec![]), Tensor::new("a", 1, vec![])];
    let error = Content::new(&[(&in_pytorch(&same), &floats())], Dtype::F32, None)
        .err()
        .unwrap()
        .to_string();
    let expected = "the weights do not fit a safetensors file: two tensors have the name `a`";
    assert_eq!(error, expected);
}

/// A file with this header and no tensors.
fn header_only(header: impl AsRef<[u8]>) -> Vec<u8> {
    let header = header.as_ref();
    [&(header.len() as u64).to_le_bytes(), header].concat()
}

#[test]
fn headers_that_are_not_utf8_are_refused() {
    // In an entry that is not used.
    let bytes = header_only(b"{\"__metadata__\":{\"format\":\"\xd5\"}}");
    let error = TestFile::with("utf8", &bytes).error(&[]);
    assert!(
        error.starts_with("`FILE` is damaged: its header cannot be read: invalid utf-8"),
        "{error}"
    );
}

#[test]
fn duplicate_names_in_the_header_are_refused() {
    let entry = r#""a":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}"#;
    let metadata = r#""__metadata__":{}"#;
    for (entry, name) in [(entry, "a"), (metadata, "__metadata__")] {
        let bytes = header_only(format!("{{{entry},{entry}}}"));
        let error = TestFile::with(name, &bytes).error(&tensors());
        assert_eq!(error, format!("`FILE` is damaged: its header has two entries `{name}`"));
    }
    let twice = header_only(r#"{"__metadata__":{"extra":"1","extra":"2"}}"#);
    let error = TestFile::with("extra", &twice).error(&[]);
    assert!(error.ends_with("its header has two entries `extra`"), "{error}");
}

#[test]
fn headers_with_many_foreign_tensors_have_short_errors() {
    // 50,000 entries, of which the last is no JSON: reading ends before.
    let entries: String = (0..50_000)
        .map(|i| format!(r#""{i}":{{"dtype":"F32","shape":[],"data_offsets":[0,0]}},"#))
        .collect();
    let error = TestFile::with("many", &header_only(format!("{{{entries}"))).error(&tensors());
    assert_eq!(error, "`FILE` does not fit this network: expected 4 tensors, found more than 1008");

    let entries: Vec<_> = (0..900).map(|i| (format!("{i}"), "F32", [1], 4)).collect();
    let entries: Vec<_> = entries.iter().map(|(n, t, s, b)| (n.as_str(), *t, &s[..], *b)).collect();
    let error = TestFile::with("listed", &file_of(&entries)).error(&tensors());
    assert!(error.lines().count() == 32 && error.ends_with("\n  and 873 more"), "{error}");

    let long = "x".repeat(10_000);
    let error = TestFile::with("name", &file_of(&[(&long, "F32", &[], 4)])).error(&tensors());
    let what = "expected names of at most 4096 bytes in its header, found one of 10000";
    assert_eq!(error, format!("`FILE` is damaged: {what}"));
    let error = TestFile::with("dims", &file_of(&[("x", "F32", &[1; 100], 4)])).error(&tensors());
    let what = "expected tensors of at most 64 dimensions, found 100 in `x`";
    assert_eq!(error, format!("`FILE` is damaged: {what}"));
}

#[test]
fn weights_under_two_names_must_be_equal() {
    let mut tensors = vec![
        Tensor::new("z.weight", 0, vec![Axis::plain(2, 1)]),
        Tensor::new("a.weight", 0, vec![Axis::plain(2, 1)]),
    ];
    tensors[1].shared = true;
    let mut bytes = file_of(&[("a.weight", "F32", &[2], 8), ("z.weight", "F32", &[2], 8)]);
    assert!(TestFile::with("equal", &bytes).read(&tensors).0.is_ok());
    let end = bytes.len();
    bytes[end - 4..].copy_from_slice(&0.5_f32.to_le_bytes());
    // The tensor that shares the weight comes first in the file; the message is the same.
    let error = TestFile::with("differ", &bytes).error(&tensors);
    let expected = "`FILE` does not fit this network, 1 difference:\n  `a.weight` and `z.weight` \
        share one weight here, but differ: value 1 is 0 and 0.5";
    assert_eq!(error, expected);
}

#[test]
#[cfg(unix)]
fn only_regular_files_are_loaded() {
    let error =
        read_file("/dev/zero".as_ref(), &in_pytorch(&tensors()), &mut [7.0; LEN]).unwrap_err();
    let expected = "cannot read `/dev/zero`: it is a device, not a regular file";
    assert_eq!(error.to_string(), expected);
}

#[test]
fn reasons_are_sources() {
    let (result, _) = TestFile::with("source", b"GGUF and so on").read(&tensors());
    let error = result.unwrap_err();
    let reason = std::error::Error::source(&error).unwrap();
    assert_eq!(reason.downcast_ref(), Some(&ForeignFormat::Gguf));
}

#[test]
fn counters_are_exact_up_to_two_to_the_24() {
    let mut floats = floats();
    floats[10] = 16_777_216.0;
    let bytes = encode(&tensors(), &floats, None);
    let file = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let count = file.tensor("norm.num_batches_tracked").unwrap();
    assert_eq!(count.data(), 16_777_216_i64.to_le_bytes());
}

#[test]
fn a_missing_file_is_named() {
    let (result, _) = TestFile::new("none").read(&tensors());
    assert!(matches!(result, Err(LoadError::Read { .. })), "{result:?}");
}
