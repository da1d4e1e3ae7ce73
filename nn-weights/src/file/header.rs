//! The header of a safetensors file. A file is eight bytes with the length of the header (little-endian), the header in
//! JSON, and the tensors.

use super::dtype::Dtype;
use super::error::{Damage, ForeignFormat};
use super::input::Input;
use super::json::{Json, JsonError};
use std::collections::HashSet;
use std::io;

/// The key of the value stored with the weights in the file's metadata.
pub const EXTRA: &str = "extra";

/// The key of the order of features, and its value in files of networks that have no counterpart in PyTorch.
pub const ORDER: &str = "order";
/// See [`ORDER`].
pub const OWN_ORDER: &str = "unrolled";

/// The longest header: the limit of the format's own implementation.
pub const MAX_LEN: u64 = 100_000_000;

/// The longest name of a tensor in bytes, and the largest number of its dimensions: errors contain both.
const MAX_NAME: usize = 4096;
const MAX_DIMS: usize = 64;

/// The header of a file.
pub(super) struct Header {
    /// In the order of the file, one after the other.
    pub(super) tensors: Vec<FileTensor>,
    /// The JSON text stored with the weights.
    pub(super) extra: Option<String>,
    /// Whether the features have an order of their own: [`OWN_ORDER`].
    pub(super) has_own_order: bool,
}

/// A tensor of a file.
#[derive(Debug)]
pub(super) struct FileTensor {
    pub(super) name: String,
    pub(super) dtype: Dtype,
    pub(super) shape: Vec<usize>,
    /// Its bytes, counted from the end of the header.
    pub(super) begin: usize,
    pub(super) end: usize,
}

impl Header {
    /// The bytes of all tensors.
    pub(super) fn data_len(&self) -> usize {
        self.tensors.last().map_or(0, |tensor| tensor.end)
    }
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

impl From<JsonError> for HeaderError {
    fn from(why: JsonError) -> Self {
        Damaged(Damage::Header { why: why.into() })
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
    // As a whole: invalid text may be in parts that are skipped.
    let text = str::from_utf8(&json).map_err(|why| Damaged(Damage::Header { why: why.into() }))?;
    let mut entries = Entries { max_tensors, ..Entries::default() };
    let mut json = Json::new(text);
    json.object(|json, name| entries.add(json, name))?;
    json.end()?;
    let Entries { mut tensors, metadata, .. } = entries;
    tensors.sort_by_key(|tensor| (tensor.begin, tensor.end));
    check_bytes(&tensors)?;
    let FileMetadata { extra, order } = metadata.unwrap_or_default();
    Ok(Header { tensors, extra, has_own_order: order.as_deref() == Some(OWN_ORDER) })
}

/// Checks that the tensors follow each other without gaps, and that each has the bytes of its shape.
fn check_bytes(tensors: &[FileTensor]) -> Result<(), HeaderError> {
    let mut before = 0;
    for FileTensor { name, dtype, shape, begin, end } in tensors {
        if *begin != before || end < begin {
            let why = format!(
                "`{name}` has the bytes {begin} to {end}, but the tensors before it end at {before}"
            );
            return Err(damaged(why));
        }
        // In 128 bits, so that neither side overflows on a target of 32 bits.
        let bits = dtype.bits as u128;
        let bits = shape.iter().try_fold(bits, |bits, &axis| bits.checked_mul(axis as u128));
        if bits != Some((end - begin) as u128 * 8) {
            let why = format!(
                "`{name}` has {} bytes, which is not the size of {} {shape:?}",
                end - begin,
                dtype.name
            );
            return Err(damaged(why));
        }
        before = *end;
    }
    Ok(())
}

fn damaged(why: String) -> HeaderError {
    Damaged(Damage::Header { why: why.into() })
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

/// The entries of a header while it is parsed.
#[derive(Default)]
struct Entries {
    tensors: Vec<FileTensor>,
    names: HashSet<String>,
    metadata: Option<FileMetadata>,
    max_tensors: usize,
}

/// The entry `__metadata__`, of which nothing else is used.
#[derive(Default)]
struct FileMetadata {
    extra: Option<String>,
    order: Option<String>,
}

impl Entries {
    /// Reads the entry `name`.
    fn add(&mut self, json: &mut Json<'_>, name: String) -> Result<(), HeaderError> {
        if name == "__metadata__" {
            return match self.metadata.replace(FileMetadata::read(json)?) {
                Some(_) => Err(Damaged(Damage::DuplicateName { name })),
                None => Ok(()),
            };
        }
        if name.len() > MAX_NAME {
            return Err(Damaged(Damage::LongName { max: MAX_NAME, found: name.len() }));
        }
        let tensor = FileTensor::read(json, name)?;
        let name = &tensor.name;
        if !self.names.insert(name.clone()) {
            return Err(Damaged(Damage::DuplicateName { name: name.clone() }));
        }
        if self.tensors.len() == self.max_tensors {
            return Err(HeaderError::TooMany { max: self.max_tensors });
        }
        self.tensors.push(tensor);
        Ok(())
    }
}

impl FileMetadata {
    fn read(json: &mut Json<'_>) -> Result<Self, HeaderError> {
        let mut metadata = Self::default();
        if json.null() {
            return Ok(metadata);
        }
        json.object(|json, key| {
            let value = match key.as_str() {
                EXTRA => &mut metadata.extra,
                ORDER => &mut metadata.order,
                _ => return Ok(json.skip()?),
            };
            set(value, key, json.string("a text in quotation marks")?)
        })?;
        Ok(metadata)
    }
}

impl FileTensor {
    fn read(json: &mut Json<'_>, name: String) -> Result<Self, HeaderError> {
        let (mut dtype, mut shape, mut bytes) = (None, None, None);
        json.object(|json, key| match key.as_str() {
            "dtype" => {
                let found = json.string("a type in quotation marks")?;
                let known = Dtype::find(&found);
                let known = known.ok_or_else(|| {
                    damaged(format!("`{name}` has the unknown type `{found:.32}`"))
                })?;
                set(&mut dtype, key, known)
            }
            "shape" => {
                let (found, numbers) = numbers::<MAX_DIMS>(json)?;
                if found > MAX_DIMS {
                    let name = name.clone();
                    return Err(Damaged(Damage::ManyDimensions { name, max: MAX_DIMS, found }));
                }
                set(&mut shape, key, numbers)
            }
            "data_offsets" => {
                let (found, numbers) = numbers::<2>(json)?;
                match numbers[..] {
                    [begin, end] if found == 2 => set(&mut bytes, key, [begin, end]),
                    _ => {
                        Err(damaged(format!("`{name}` has other `data_offsets` than two numbers")))
                    }
                }
            }
            _ => Ok(json.skip()?),
        })?;
        let missing = |what| damaged(format!("`{name}` has no `{what}`"));
        let dtype = dtype.ok_or_else(|| missing("dtype"))?;
        let shape = shape.ok_or_else(|| missing("shape"))?;
        let [begin, end] = bytes.ok_or_else(|| missing("data_offsets"))?;
        Ok(Self { name, dtype, shape, begin, end })
    }
}

/// Sets the value of `key`, unless there is one already.
fn set<T>(to: &mut Option<T>, key: String, value: T) -> Result<(), HeaderError> {
    match to.replace(value) {
        Some(_) => Err(Damaged(Damage::DuplicateName { name: key })),
        None => Ok(()),
    }
}

/// The length of a list of numbers, and the first `MAX` of them: a damaged list may have millions.
fn numbers<const MAX: usize>(json: &mut Json<'_>) -> Result<(usize, Vec<usize>), HeaderError> {
    let (mut found, mut numbers) = (0, Vec::new());
    json.array(|json| {
        let number = json.number()?;
        if found < MAX {
            numbers.push(number);
        }
        found += 1;
        Ok::<_, HeaderError>(())
    })?;
    Ok((found, numbers))
}
