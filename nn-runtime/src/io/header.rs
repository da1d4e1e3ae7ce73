//! The header of a safetensors file. A file is eight bytes with the length of the header (little-endian), the header in
//! JSON, and the tensors.

use super::error::{Damage, ForeignFormat};
use super::input::Input;
use safetensors::tensor::{Metadata, TensorInfo};
use serde::Deserialize;
use serde::de::{Deserializer, Error, MapAccess, Visitor};
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt;
use std::io;

/// The key of the value stored with the weights in the file's metadata.
pub(super) const EXTRA: &str = "extra";

/// The key of the order of features, and its value in files of networks that have no counterpart in PyTorch.
pub(super) const ORDER: &str = "order";
pub(super) const OWN_ORDER: &str = "unrolled";

/// The longest header: the limit of the format's own implementation.
pub(super) const MAX_LEN: u64 = 100_000_000;

/// The longest name of a tensor in bytes, and the largest number of its dimensions: errors contain both.
const MAX_NAME: usize = 4096;
const MAX_DIMS: usize = 64;

/// The header of a file.
pub(super) struct Header {
    pub(super) tensors: Metadata,
    /// The JSON text stored with the weights.
    pub(super) extra: Option<String>,
    /// Whether the features have an order of their own: [`OWN_ORDER`].
    pub(super) has_own_order: bool,
}

/// Why a header cannot be read.
#[derive(Debug)]
pub(super) enum HeaderError {
    Read(io::Error),
    Foreign(ForeignFormat),
    Damaged(Damage),
    /// It has more tensors than the limit.
    TooMany {
        max: usize,
    },
}

impl From<io::Error> for HeaderError {
    fn from(why: io::Error) -> Self {
        Self::Read(why)
    }
}

use HeaderError::{Damaged, Foreign};

/// The first bytes of common other formats.
const FORMATS: &[(&[u8], ForeignFormat)] = &[
    (b"PK\x03\x04", ForeignFormat::Zip),
    // The beginning of torch's magic number. `80 02` alone could be the length of a header, 640 bytes.
    (b"\x80\x02\x8a\x0a", ForeignFormat::Pickle),
    (b"\x89HDF", ForeignFormat::Hdf5),
    (b"GGUF", ForeignFormat::Gguf),
    (b"\x93NUMPY", ForeignFormat::NumPy),
    (b"\x1f\x8b", ForeignFormat::Gzip),
    (b"version https://git-lfs", ForeignFormat::GitLfs),
];

/// The longest of `FORMATS`.
const MAX_FORMAT: usize = 23;

/// Reads the header of a file with at most `max_tensors` tensors; the tensors are next.
pub(super) fn read(input: &mut Input<'_>, max_tensors: usize) -> Result<Header, HeaderError> {
    check_format(input.peek(MAX_FORMAT)?)?;
    let json = read_json(input)?;
    let mut entries = Entries { max_tensors, ..Entries::default() };
    // As a whole: the parser does not check text that it skips.
    let json = str::from_utf8(&json).map_err(|why| Damaged(Damage::Header { why: why.into() }))?;
    let mut deserializer = serde_json::Deserializer::from_str(json);
    let parsed = deserializer.deserialize_map(&mut entries).and_then(|()| deserializer.end());
    match (entries.refusal, parsed) {
        (Some(refusal), _) => Err(refusal),
        (None, Err(why)) => Err(Damaged(Damage::Header { why: why.into() })),
        (None, Ok(())) => {
            let mut tensors: Vec<_> = entries.tensors.into_iter().collect();
            tensors.sort_unstable_by_key(|(_, info)| info.data_offsets);
            let tensors = Metadata::new(None, tensors)
                .map_err(|why| Damaged(Damage::Header { why: why.into() }))?;
            let FileMetadata { extra, order } = entries.metadata.unwrap_or_default();
            Ok(Header { tensors, extra, has_own_order: order.as_deref() == Some(OWN_ORDER) })
        }
    }
}

/// Recognises other formats by their first bytes.
fn check_format(begin: &[u8]) -> Result<(), HeaderError> {
    if begin.is_empty() {
        return Err(Foreign(ForeignFormat::Empty));
    }
    match FORMATS.iter().find(|(format, _)| begin.starts_with(format)) {
        Some((_, format)) => Err(Foreign(*format)),
        None => Ok(()),
    }
}

fn read_json(input: &mut Input<'_>) -> Result<Vec<u8>, HeaderError> {
    let begin = input.peek(9)?;
    let Some((length, rest)) = begin.split_first_chunk() else {
        return Err(Damaged(Damage::NoLength { found: begin.len() }));
    };
    let length = u64::from_le_bytes(*length);
    if length > MAX_LEN || rest.first().is_some_and(|byte| *byte != b'{') {
        return Err(Foreign(ForeignFormat::Unknown));
    }
    input.skip(8);
    let json = input.read(length)?;
    if (json.len() as u64) < length {
        return Err(Damaged(Damage::ShortHeader { expected: length, found: json.len() as u64 }));
    }
    Ok(json)
}

/// The entries of a header while it is parsed. `Metadata` itself would keep the last of several entries of one name, and
/// read all entries before the first is known to be wrong.
#[derive(Default)]
struct Entries {
    tensors: HashMap<String, TensorInfo>,
    metadata: Option<FileMetadata>,
    max_tensors: usize,
    /// Why parsing stopped, if the reason is not the JSON.
    refusal: Option<HeaderError>,
}

/// The entry `__metadata__`, of which nothing else is used.
#[derive(Default, Deserialize)]
struct FileMetadata {
    extra: Option<String>,
    order: Option<String>,
}

impl<'de> Visitor<'de> for &mut Entries {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map of tensors")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(name) = map.next_key::<String>()? {
            let added = if name == "__metadata__" {
                self.set_metadata(name, map.next_value::<Option<FileMetadata>>()?)
            } else {
                self.add_tensor(name, map.next_value()?)
            };
            if let Err(refusal) = added {
                self.refusal = Some(refusal);
                return Err(A::Error::custom("refused"));
            }
        }
        Ok(())
    }
}

impl Entries {
    fn set_metadata(
        &mut self,
        name: String,
        metadata: Option<FileMetadata>,
    ) -> Result<(), HeaderError> {
        match self.metadata.replace(metadata.unwrap_or_default()) {
            Some(_) => Err(Damaged(Damage::DuplicateName { name })),
            None => Ok(()),
        }
    }

    fn add_tensor(&mut self, name: String, info: TensorInfo) -> Result<(), HeaderError> {
        if name.len() > MAX_NAME {
            return Err(Damaged(Damage::LongName { max: MAX_NAME, found: name.len() }));
        }
        if info.shape.len() > MAX_DIMS {
            let found = info.shape.len();
            return Err(Damaged(Damage::ManyDimensions { name, max: MAX_DIMS, found }));
        }
        let count = self.tensors.len();
        match self.tensors.entry(name) {
            Entry::Occupied(entry) => {
                Err(Damaged(Damage::DuplicateName { name: entry.key().clone() }))
            }
            Entry::Vacant(_) if count == self.max_tensors => {
                Err(HeaderError::TooMany { max: self.max_tensors })
            }
            Entry::Vacant(entry) => {
                entry.insert(info);
                Ok(())
            }
        }
    }
}
