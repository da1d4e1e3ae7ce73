//! Weights of a network to a file and back.
//!
//! Functions that are generic over the network are compiled with each one. All work is in `unrolled_weights` and `encode`,
//! which are compiled once.

use super::atomic;
use super::dtype::Dtype;
use super::encode;
use super::error::SaveError;
use crate::contract::Network;
use crate::order::{FileTensors, file_tensors};
use crate::system::open_regular;
use crate::types::zeros_on_line;
use serde_json::Value;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use unrolled_weights::file::{self, ARRAYS, Arrays, LoadError, LoadReport};

/// Writes the weights of `net` and `extra`, the JSON value stored with them, to `path`.
pub(crate) fn save<N: Network>(
    net: &N,
    extra: Option<Value>,
    path: &Path,
) -> Result<(), SaveError> {
    save_floats(&file_tensors::<N>(), net.as_floats(), extra, path)
}

/// As [`save`], of floats of type `dtype`.
pub(crate) fn save_as<N: Network>(net: &N, dtype: Dtype, path: &Path) -> Result<(), SaveError> {
    encode::write_as(&file_tensors::<N>(), net.as_floats(), dtype, path)
}

/// As [`save`], of the weights `net` with these names.
pub(crate) fn save_floats(
    names: &FileTensors,
    net: &[f32],
    extra: Option<Value>,
    path: &Path,
) -> Result<(), SaveError> {
    encode::write(names, net, extra, path)
}

/// As [`save_floats`], with the values `arrays` under names of their own.
pub(crate) fn save_with_arrays(
    names: &FileTensors,
    net: &[f32],
    arrays: &[(&str, &[f32])],
    extra: Value,
    path: &Path,
) -> Result<(), SaveError> {
    let name = |(name, floats): &(&str, _)| (format!("{ARRAYS}{name}"), *floats);
    let arrays: Vec<(String, &[f32])> = arrays.iter().map(name).collect();
    encode::write_with_arrays(names, net, &arrays, extra, path)
}

/// The regular file `path` and its length.
pub(crate) fn open_with_len(path: &Path) -> Result<(File, u64), LoadError> {
    let file = open(path)?;
    let len = file.metadata().map_err(|why| LoadError::Read { path: path.into(), why })?.len();
    Ok((file, len))
}

/// The arrays of a file of `len` bytes that [`save_with_arrays`] has written, and the JSON text stored with them. Errors
/// call it `path`.
pub(crate) fn load_arrays(
    path: &Path,
    reader: &mut dyn Read,
    len: u64,
) -> Result<(Arrays, Option<String>), LoadError> {
    file::read_arrays(path, reader, len)
}

/// Removes the temporary file that a killed process may have left beside `path`.
pub(crate) fn remove_temporary(path: &Path) -> std::io::Result<()> {
    atomic::remove_temporary(path)
}

/// Opens the regular file `path`.
fn open(path: &Path) -> Result<File, LoadError> {
    open_regular(path).map_err(|why| LoadError::Read { path: path.into(), why })
}

/// Fills the tensors of the weights `floats` from the regular file `path`, and returns the JSON text stored with them.
/// An error leaves `floats` partly filled.
pub(super) fn read_file(
    path: &Path,
    net: &FileTensors,
    floats: &mut [f32],
) -> Result<Option<String>, LoadError> {
    file::read(path, &mut open(path)?, net, floats)
}

/// The JSON text stored in the metadata of the regular file `path`.
#[cfg(feature = "train")]
pub(super) fn read_extra(path: &Path) -> Result<Option<String>, LoadError> {
    file::read_extra(path, &mut open(path)?)
}

/// A network with the weights in the file `path`, and the JSON text stored with them.
pub(crate) fn load<N: Network>(path: &Path) -> Result<(Box<N>, Option<String>), LoadError> {
    let mut net = zeros_on_line::<N>();
    let extra = read_file(path, &file_tensors::<N>(), net.as_floats_mut())?;
    Ok((net, extra))
}

/// The content of the file that [`save_as`] writes.
pub(crate) fn to_bytes<N: Network>(net: &N, dtype: Dtype) -> Result<Vec<u8>, SaveError> {
    encode::to_bytes(&file_tensors::<N>(), net.as_floats(), dtype)
}

/// Fills the weights of `net` that fit tensors of the file `path`, with the names that `rename` returns.
pub(crate) fn load_matching<N: Network>(
    net: &mut N,
    path: &Path,
    rename: &dyn Fn(&str) -> Option<String>,
) -> Result<LoadReport, LoadError> {
    file::read_matching(path, &mut open(path)?, rename, &file_tensors::<N>(), net.as_floats_mut())
}

/// A network with the weights from `reader`, which errors call `name`.
pub(crate) fn load_from<N: Network>(
    name: impl AsRef<Path>,
    reader: &mut dyn Read,
) -> Result<Box<N>, LoadError> {
    let mut net = zeros_on_line::<N>();
    load_floats(name.as_ref(), reader, &file_tensors::<N>(), net.as_floats_mut())?;
    Ok(net)
}

/// Reads the weights `net` with these names.
pub(crate) fn load_floats(
    path: &Path,
    reader: &mut dyn Read,
    names: &FileTensors,
    net: &mut [f32],
) -> Result<(), LoadError> {
    file::read(path, reader, names, net).map(drop)
}

/// The JSON value stored with the weights, for callers that need one.
pub(crate) fn extra_of(extra: Option<String>, path: &Path) -> Result<Value, LoadError> {
    let extra = extra.ok_or_else(|| LoadError::NoExtra { path: path.into() })?;
    serde_json::from_str(&extra)
        .map_err(|why| LoadError::Extra { path: path.into(), why: why.into() })
}
