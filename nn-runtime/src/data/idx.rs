//! [`Idx`]: IDX files, the format of MNIST and similar data sets, also compressed with the feature `gzip`.
//!
//! A file has two zero bytes, the type of its values (8: bytes, the only type read here) and the number of its
//! dimensions; then each dimension as a big-endian `u32`; then the values, the last dimension varying fastest.

use super::in_memory::Data;
use crate::system::open_regular;
use crate::types::Values;
use std::cmp::Ordering;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;
use thiserror::Error;

/// The first bytes of compressed files.
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// The code of the only type of values that is read.
const BYTES: u8 = 8;

/// An image with one channel, `[H, W, 1]`.
pub type Image<const H: usize, const W: usize> = [[[f32; 1]; W]; H];

/// The content of an IDX file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Idx {
    /// The path or the name in messages.
    name: String,
    dims: Vec<usize>,
    values: Vec<u8>,
}

impl Idx {
    /// The largest number of values in a compressed file. A small compressed file can state and contain any number of
    /// values; a larger one must be decompressed before.
    pub const MAX_COMPRESSED: usize = 1 << 30;

    /// Reads a regular file. Compressed files are recognised by their first bytes, not by their name.
    ///
    /// # Errors
    /// If it cannot be read, is no regular file, is malformed, or is compressed and has more than
    /// [`MAX_COMPRESSED`](Self::MAX_COMPRESSED) values.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, IdxError> {
        Self::read_file(path.as_ref())
    }

    fn read_file(path: &Path) -> Result<Self, IdxError> {
        let name = path.display().to_string();
        match open_regular(path) {
            Ok(file) => Self::named(name, &mut BufReader::new(file)),
            Err(why) => Err(IdxError::Unreadable { name, offset: 0, why }),
        }
    }

    /// Reads a file in memory, which messages call `name`.
    ///
    /// # Errors
    /// If it is malformed, or is compressed and has more than [`MAX_COMPRESSED`](Self::MAX_COMPRESSED) values.
    pub fn parse(name: &str, mut bytes: &[u8]) -> Result<Self, IdxError> {
        Self::named(name.into(), &mut bytes)
    }

    fn named(name: String, reader: &mut dyn BufRead) -> Result<Self, IdxError> {
        match parse_any(reader) {
            Ok((dims, values)) => Ok(Self { name, dims, values }),
            Err(cause) => Err(cause.in_file(name)),
        }
    }

    /// Its dimensions: `[count, height, width]` for images, `[count]` for labels.
    #[must_use]
    pub fn dims(&self) -> &[usize] {
        &self.dims
    }

    /// Its values, the last dimension varying fastest.
    #[must_use]
    pub fn values(&self) -> &[u8] {
        &self.values
    }

    /// Its values as images: `[count, H, W]` bytes, scaled to values from 0 to 1.
    ///
    /// # Errors
    /// If it has other dimensions.
    pub fn images<const H: usize, const W: usize>(&self) -> Result<Vec<Image<H, W>>, IdxError> {
        self.check_images(H, W)?;
        let each = self.values.chunks_exact((H * W).max(1));
        // Filled in place: an image may be larger than the stack.
        let mut images = Image::<H, W>::zeroed_vec(each.len());
        for (image, bytes) in images.iter_mut().zip(each) {
            for (x, byte) in image.as_floats_mut().iter_mut().zip(bytes) {
                *x = f32::from(*byte) / 255.0;
            }
        }
        Ok(images)
    }

    /// Its values as images of bytes: `[count, H, W]`. [`scaled_bytes`](super::scaled_bytes) converts single ones.
    ///
    /// # Errors
    /// If it has other dimensions.
    pub fn byte_images<const H: usize, const W: usize>(
        &self,
    ) -> Result<Vec<[[[u8; 1]; W]; H]>, IdxError> {
        self.check_images(H, W)?;
        let rows = self.values.as_chunks::<1>().0.as_chunks::<W>().0;
        Ok(rows.as_chunks::<H>().0.to_vec())
    }

    /// Checks that these are images of `height` rows and `width` columns.
    fn check_images(&self, height: usize, width: usize) -> Result<(), IdxError> {
        if self.dims.len() != 3 {
            return Err(self.wrong_rank(3, "images"));
        }
        for (offset, expected, found, axis) in
            [(8, height, self.dims[1], "rows"), (12, width, self.dims[2], "columns")]
        {
            if found != expected {
                return Err(self.malformed(offset, format!("{expected} {axis}"), found));
            }
        }
        Ok(())
    }

    /// Its values as class indices: `[count]` bytes. Losses check their range.
    ///
    /// # Errors
    /// If it has other dimensions.
    pub fn labels(&self) -> Result<Vec<u32>, IdxError> {
        if self.dims.len() != 1 {
            return Err(self.wrong_rank(1, "labels"));
        }
        Ok(self.values.iter().map(|byte| u32::from(*byte)).collect())
    }

    /// Its images with the labels of another file.
    ///
    /// # Errors
    /// If a file has other dimensions, or the numbers of images and labels differ.
    pub fn labelled<const H: usize, const W: usize>(
        &self,
        labels: &Self,
    ) -> Result<Data<Image<H, W>, u32>, IdxError> {
        let data = Data { inputs: self.images()?, targets: labels.labels()? };
        if data.inputs.len() != data.targets.len() {
            let expected = format!("{} labels, one for each image", data.inputs.len());
            return Err(labels.malformed(4, expected, data.targets.len()));
        }
        Ok(data)
    }

    fn wrong_rank(&self, expected: usize, what: &str) -> IdxError {
        let s = if expected == 1 { "" } else { "s" };
        self.malformed(3, format!("{expected} dimension{s} ({what})"), self.dims.len())
    }

    fn malformed(&self, offset: u64, expected: String, found: impl ToString) -> IdxError {
        malformed(offset, expected, found).in_file(self.name.clone())
    }
}

/// An IDX file that cannot be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum IdxError {
    /// A file that cannot be read or decompressed.
    #[error("`{name}`, byte {offset}: cannot be read: {why}")]
    Unreadable {
        /// The path of the file, or the name of a file in memory.
        name: String,
        /// The number of bytes read before, decompressed.
        offset: u64,
        /// The reason of the operating system or of the decompression.
        #[source]
        why: io::Error,
    },
    /// A file that is not as expected.
    #[error("`{name}`, byte {offset}: expected {expected}, found {found}")]
    Malformed {
        /// The path of the file, or the name of a file in memory.
        name: String,
        /// The offset in decompressed bytes.
        offset: u64,
        /// What was expected.
        expected: String,
        /// What was found.
        found: String,
    },
}

impl IdxError {
    /// The offset of the error in decompressed bytes.
    #[must_use]
    pub const fn offset(&self) -> u64 {
        match self {
            Self::Unreadable { offset, .. } | Self::Malformed { offset, .. } => *offset,
        }
    }
}

/// An [`IdxError`] without the file's name, which the parser does not need.
#[derive(Debug)]
enum Cause {
    Unreadable { offset: u64, why: io::Error },
    Malformed { offset: u64, expected: String, found: String },
}

impl Cause {
    fn in_file(self, name: String) -> IdxError {
        match self {
            Self::Unreadable { offset, why } => IdxError::Unreadable { name, offset, why },
            Self::Malformed { offset, expected, found } => {
                IdxError::Malformed { name, offset, expected, found }
            }
        }
    }
}

fn malformed(offset: u64, expected: impl Into<String>, found: impl ToString) -> Cause {
    Cause::Malformed { offset, expected: expected.into(), found: found.to_string() }
}

type Parsed = (Vec<usize>, Vec<u8>);

fn parse_any(reader: &mut dyn BufRead) -> Result<Parsed, Cause> {
    match reader.fill_buf() {
        Err(why) => Err(Cause::Unreadable { offset: 0, why }),
        Ok(begin) if begin.starts_with(&GZIP) => parse_compressed(reader),
        Ok(_) => parse_plain(reader, usize::MAX),
    }
}

#[cfg(feature = "gzip")]
fn parse_compressed(reader: &mut dyn BufRead) -> Result<Parsed, Cause> {
    parse_plain(&mut flate2::bufread::MultiGzDecoder::new(reader), Idx::MAX_COMPRESSED)
}

#[cfg(not(feature = "gzip"))]
fn parse_compressed(_reader: &mut dyn BufRead) -> Result<Parsed, Cause> {
    const PLAIN: &str = "an IDX file that is not compressed (decompress it, or build `unrolled` with the feature `gzip`)";
    Err(malformed(0, PLAIN, "gzip"))
}

/// Reads a file of at most `max` values.
fn parse_plain(reader: &mut dyn Read, max: usize) -> Result<Parsed, Cause> {
    let mut bytes = Bytes { reader, offset: 0 };
    let rank = check_magic(bytes.exactly("the magic number of IDX, 4 bytes")?)?;
    let mut dims = Vec::with_capacity(rank);
    for i in 1..=rank {
        let dim = bytes.exactly(&format!("dimension {i} of {rank}, 4 bytes"))?;
        dims.push(u32::from_be_bytes(dim) as usize);
    }
    let values = bytes.values(&dims, max)?;
    Ok((dims, values))
}

/// Returns the number of dimensions.
fn check_magic(magic: [u8; 4]) -> Result<usize, Cause> {
    match magic {
        [0, 0, BYTES, 0] => Err(malformed(3, "one dimension or more", "none")),
        [0, 0, BYTES, rank] => Ok(rank.into()),
        [0, 0, kind @ (9 | 11..=14), _] => {
            Err(malformed(2, format!("values of type {BYTES} (bytes)"), format!("type {kind}")))
        }
        other => {
            let found = other.map(|byte| format!("{byte:02x}")).join(" ");
            Err(malformed(0, "the magic number of IDX, 00 00 08 and a count of dimensions", found))
        }
    }
}

/// A reader with the number of bytes read.
struct Bytes<'a> {
    reader: &'a mut dyn Read,
    offset: u64,
}

impl Bytes<'_> {
    /// The next `count` bytes, or all that are left.
    fn up_to(&mut self, count: u64) -> Result<Vec<u8>, Cause> {
        let mut bytes = Vec::new();
        let read = (&mut self.reader).take(count).read_to_end(&mut bytes);
        let end = self.offset + bytes.len() as u64;
        read.map_err(|why| Cause::Unreadable { offset: end, why })?;
        Ok(bytes)
    }

    /// The next `N` bytes, which errors call `what`.
    fn exactly<const N: usize>(&mut self, what: &str) -> Result<[u8; N], Cause> {
        let bytes = self.up_to(N as u64)?;
        let found = bytes.len();
        let ended = |_| malformed(self.offset, what, format!("the end of the file after {found}"));
        let bytes = bytes.try_into().map_err(ended)?;
        self.offset += N as u64;
        Ok(bytes)
    }

    /// The values up to the end of the file, at most `max`.
    fn values(&mut self, dims: &[usize], max: usize) -> Result<Vec<u8>, Cause> {
        let count = dims.iter().try_fold(1_usize, |product, dim| product.checked_mul(*dim));
        let Some(count) = count.filter(|count| isize::try_from(*count).is_ok()) else {
            return Err(malformed(4, "dimensions that fit into memory", format!("{dims:?}")));
        };
        if count > max {
            let expected = format!("at most {max} bytes of values in a compressed file");
            return Err(malformed(4, expected, format!("{count} ({dims:?}): decompress it first")));
        }
        // One byte more than expected: it finds surplus bytes, and the decompressor checks its checksum only at the end.
        let values = self.up_to(count as u64 + 1)?;
        let expected = format!("{count} bytes of values ({dims:?})");
        match values.len().cmp(&count) {
            Ordering::Equal => Ok(values),
            Ordering::Less => {
                let found = format!("the end of the file after {}", values.len());
                Err(malformed(self.offset, expected, found))
            }
            Ordering::Greater => {
                let end = self.offset + count as u64;
                Err(malformed(end, format!("the end of the file after {expected}"), "more"))
            }
        }
    }
}

#[cfg(test)]
#[path = "idx_tests.rs"]
mod tests;
