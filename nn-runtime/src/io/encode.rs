//! Writes weights to a file, tensor by tensor.

use super::atomic;
use super::error::SaveError;
use super::header::{self, EXTRA, ORDER, OWN_ORDER};
use super::layout;
use crate::order::FileTensors;
use crate::types::{Axis, Element, Tensor};
use safetensors::Dtype;
use safetensors::tensor::{Metadata, TensorInfo};
use serde_json::Value;
use std::collections::HashSet;
use std::io::{self, BufWriter, Write};
use std::path::Path;

/// The bytes in memory before they are written.
const BUFFER: usize = 1 << 17;

/// Writes the tensors of the weights `floats` to `path`, and beside them `arrays`, each as a tensor of one axis.
pub(super) fn write_with_arrays(
    tensors: &FileTensors,
    floats: &[f32],
    arrays: &[(String, &[f32])],
    extra: Value,
    path: &Path,
) -> Result<(), SaveError> {
    let array = |(name, floats): &(String, &[f32])| FileTensors {
        tensors: vec![Tensor::new(name, 0, vec![Axis::plain(floats.len(), 1)])],
        conflict: None,
    };
    let array_tensors: Vec<FileTensors> = arrays.iter().map(array).collect();
    let mut parts = vec![(tensors, floats)];
    parts.extend(array_tensors.iter().zip(arrays).map(|(tensors, (_, floats))| (tensors, *floats)));
    let content = Content::new(&parts, Some(extra))?;
    atomic::write(path, |file| content.write(file))
        .map_err(|why| SaveError::Write { path: path.into(), why })
}

/// Writes the tensors of the weights `floats` to `path`.
pub(super) fn write(
    tensors: &FileTensors,
    floats: &[f32],
    extra: Option<Value>,
    path: &Path,
) -> Result<(), SaveError> {
    let content = Content::new(&[(tensors, floats)], extra)?;
    atomic::write(path, |file| content.write(file))
        .map_err(|why| SaveError::Write { path: path.into(), why })
}

/// The content of the file without a value stored with the weights.
pub(super) fn to_bytes(tensors: &FileTensors, floats: &[f32]) -> Result<Vec<u8>, SaveError> {
    let mut bytes = Vec::with_capacity(size_of_val(floats));
    let content = Content::new(&[(tensors, floats)], None)?;
    content.write(&mut bytes).expect("a vector takes all bytes");
    Ok(bytes)
}

/// The content of a file.
pub(super) struct Content<'a> {
    header: Vec<u8>,
    /// In the order of the file, each with the floats that it is a part of.
    tensors: Vec<(&'a Tensor, &'a [f32])>,
}

impl<'a> Content<'a> {
    /// The content of a file with several sets of tensors, each with its floats.
    pub(super) fn new(
        parts: &[(&'a FileTensors, &'a [f32])],
        extra: Option<Value>,
    ) -> Result<Self, SaveError> {
        let extra = extra.map(|extra| (EXTRA.to_owned(), extra.to_string()));
        let conflict = parts.iter().find_map(|(tensors, _)| tensors.conflict.as_ref());
        let order = conflict.map(|_| (ORDER.to_owned(), OWN_ORDER.to_owned()));
        let metadata: Vec<(String, String)> = extra.into_iter().chain(order).collect();
        // The order of `safetensors`: the largest elements first, so that all are aligned.
        let mut tensors: Vec<(&Tensor, &[f32])> = parts
            .iter()
            .flat_map(|(tensors, floats)| tensors.tensors.iter().map(|tensor| (tensor, *floats)))
            .collect();
        tensors.sort_by(|(a, _), (b, _)| dtype(b).cmp(&dtype(a)).then_with(|| a.name.cmp(&b.name)));
        let sorted: Vec<&Tensor> = tensors.iter().map(|(tensor, _)| *tensor).collect();
        let header = encode_header(&sorted, metadata).map_err(|why| SaveError::Header { why })?;
        Ok(Self { header, tensors })
    }

    pub(super) fn write(&self, to: impl Write) -> io::Result<()> {
        let mut to = BufWriter::with_capacity(BUFFER, to);
        to.write_all(&(self.header.len() as u64).to_le_bytes())?;
        to.write_all(&self.header)?;
        for (tensor, floats) in &self.tensors {
            let mut result = Ok(());
            layout::for_each_index(tensor, |index| {
                if result.is_ok() {
                    result = write_element(tensor.element, floats[index], &mut to);
                }
            });
            result?;
        }
        to.flush()
    }
}

fn write_element(element: Element, float: f32, to: &mut impl Write) -> io::Result<()> {
    match element {
        Element::F32 => to.write_all(&float.to_le_bytes()),
        Element::I64 => to.write_all(&(float as i64).to_le_bytes()),
    }
}

/// The header in JSON, padded with spaces to a multiple of 8 bytes. The metadata of almost all networks have at most one
/// entry; `safetensors` writes several in the random order of a hash map.
fn encode_header(
    tensors: &[&Tensor],
    metadata: Vec<(String, String)>,
) -> Result<Vec<u8>, Box<dyn std::error::Error + Send + Sync>> {
    let mut names = HashSet::new();
    if let Some(tensor) = tensors.iter().find(|tensor| !names.insert(&tensor.name)) {
        return Err(format!("two tensors have the name `{}`", tensor.name).into());
    }
    let metadata = (!metadata.is_empty()).then(|| metadata.into_iter().collect());
    let mut json = serde_json::to_vec(&Metadata::new(metadata, infos(tensors))?)?;
    json.resize(json.len().next_multiple_of(8), b' ');
    if json.len() as u64 > header::MAX_LEN {
        let found = json.len();
        return Err(format!("the header has {found} bytes, more than {}", header::MAX_LEN).into());
    }
    Ok(json)
}

/// The tensors' entries in the header.
fn infos(tensors: &[&Tensor]) -> Vec<(String, TensorInfo)> {
    let mut begin = 0;
    let info = |tensor: &&Tensor| {
        let (dtype, shape) = (dtype(tensor), layout::shape(tensor));
        let end = begin + shape.iter().product::<usize>() * dtype.bitsize() / 8;
        let data_offsets = (std::mem::replace(&mut begin, end), end);
        (tensor.name.clone(), TensorInfo { dtype, shape, data_offsets })
    };
    tensors.iter().map(info).collect()
}

const fn dtype(tensor: &Tensor) -> Dtype {
    match tensor.element {
        Element::F32 => Dtype::F32,
        Element::I64 => Dtype::I64,
    }
}
