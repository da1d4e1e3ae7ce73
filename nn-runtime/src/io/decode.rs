//! Reads weights from the bytes of a file.

use super::error::{LoadError, Mismatch};
use super::header::{self, EXTRA, HeaderError};
use super::layout;
use super::number;
use crate::types::Element;
use crate::types::Tensor;
use safetensors::Dtype;
use safetensors::tensor::{Metadata, TensorInfo};
use std::collections::HashSet;
use std::path::Path;

/// Fills the tensors of the weights `floats` from the file `path`, and returns the JSON text stored with them. An error
/// leaves `floats` unchanged.
pub(super) fn read(
    path: &Path,
    tensors: &[Tensor],
    floats: &mut [f32],
) -> Result<Option<String>, LoadError> {
    let bytes = std::fs::read(path).map_err(|why| LoadError::Read { path: path.into(), why })?;
    let (begin, metadata) = header::read(&bytes).map_err(|error| match error {
        HeaderError::Foreign(why) => LoadError::Foreign { path: path.into(), why },
        HeaderError::Damaged(why) => LoadError::Damaged { path: path.into(), why },
    })?;
    let mut mismatches = compare(tensors, &metadata);
    if mismatches.is_empty() {
        mismatches = compare_shared(tensors, &metadata, &bytes[begin..]);
    }
    if !mismatches.is_empty() {
        return Err(LoadError::Mismatch { path: path.into(), mismatches });
    }
    for tensor in tensors {
        // The file may have one tensor for a weight that several layers share.
        if let Some(mut values) = values(tensor, &metadata, &bytes[begin..]) {
            layout::for_each_index(tensor, |index| {
                floats[index] = values.next().expect("`compare` has found equal shapes");
            });
        }
    }
    Ok(metadata.metadata().as_ref().and_then(|entries| entries.get(EXTRA).cloned()))
}

/// The values of a tensor that `compare` has accepted, if the file has it.
fn values<'a>(
    tensor: &Tensor,
    metadata: &Metadata,
    data: &'a [u8],
) -> Option<impl Iterator<Item = f32> + use<'a>> {
    let info = metadata.info(&tensor.name)?;
    let (size, read) =
        reader(tensor.element, info.dtype).expect("`compare` has found a readable type");
    let (begin, end) = info.data_offsets;
    Some(data[begin..end].chunks_exact(size).map(read))
}

fn reader(element: Element, dtype: Dtype) -> Option<number::Reader> {
    match element {
        Element::F32 => number::float_reader(dtype),
        Element::I64 => number::counter_reader(dtype),
    }
}

/// Every difference between the network's tensors and the file's.
fn compare(tensors: &[Tensor], metadata: &Metadata) -> Vec<Mismatch> {
    let ours: HashSet<&str> = tensors.iter().map(|tensor| tensor.name.as_str()).collect();
    let theirs = metadata.tensors().into_iter();
    let mut unexpected: Vec<_> = theirs.filter(|(name, _)| !ours.contains(name.as_str())).collect();
    unexpected.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
    let mut mismatches = Vec::new();
    for tensor in tensors {
        match metadata.info(&tensor.name) {
            Some(info) => mismatches.extend(compare_one(tensor, info)),
            // `safetensors.torch.save_model` writes a shared weight under one of its names.
            None if is_covered(tensor, tensors, metadata) => {}
            None => mismatches.push(missing(tensor, &unexpected)),
        }
    }
    mismatches.extend(
        unexpected
            .into_iter()
            .map(|(tensor, info)| Mismatch::Unexpected { tensor, shape: info.shape.clone() }),
    );
    mismatches
}

/// Whether a missing tensor needs no error of its own: the file has its weight under another name, or the error names the
/// owner of the weight.
fn is_covered(tensor: &Tensor, tensors: &[Tensor], metadata: &Metadata) -> bool {
    let mut names = tensors.iter().filter(|other| other.shared && other.is_weight_of(tensor));
    tensor.shared || names.any(|other| metadata.info(&other.name).is_some())
}

/// Every tensor that differs from another tensor of the same weight. All of them have passed `compare`.
fn compare_shared(tensors: &[Tensor], metadata: &Metadata, data: &[u8]) -> Vec<Mismatch> {
    let differs = |tensor: &Tensor| {
        let found = values(tensor, metadata, data)?;
        let mut others = tensors.iter().take_while(|other| other.name != tensor.name);
        let (owner, expected) = others.find_map(|other| {
            Some((other, values(other, metadata, data).filter(|_| other.is_weight_of(tensor))?))
        })?;
        let alike = |a: f32, b: f32| a == b || (a.is_nan() && b.is_nan());
        let mut pairs = found.zip(expected).enumerate();
        let (index, (found, expected)) =
            pairs.find(|(_, (found, expected))| !alike(*found, *expected))?;
        let (tensor, owner) = (tensor.name.clone(), owner.name.clone());
        Some(Mismatch::Differs { tensor, owner, index, found, expected })
    };
    tensors.iter().filter(|tensor| tensor.shared).filter_map(differs).collect()
}

fn compare_one(tensor: &Tensor, info: &TensorInfo) -> Option<Mismatch> {
    let name = || tensor.name.clone();
    let expected = layout::shape(tensor);
    if expected != info.shape {
        return Some(Mismatch::Shape { tensor: name(), expected, found: info.shape.clone() });
    }
    if reader(tensor.element, info.dtype).is_some() {
        return None;
    }
    let expected = match tensor.element {
        Element::F32 => number::FLOATS,
        Element::I64 => number::COUNTERS,
    };
    Some(Mismatch::Element { tensor: name(), expected, found: info.dtype.to_string() })
}

/// A missing tensor, with the most similar name among the unexpected tensors of its shape.
fn missing(tensor: &Tensor, unexpected: &[(String, &TensorInfo)]) -> Mismatch {
    let shape = layout::shape(tensor);
    let near = unexpected
        .iter()
        .filter(|(name, info)| info.shape == shape && kind(name) == kind(&tensor.name))
        .max_by_key(|(name, _)| similarity(name, &tensor.name))
        .map(|(name, _)| name.clone());
    Mismatch::Missing { tensor: tensor.name.clone(), shape, near }
}

/// The last part of a tensor's name: `weight`, `running_mean`.
fn kind(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or(name)
}

/// The number of characters that two names share at their beginnings and ends.
fn similarity(a: &str, b: &str) -> usize {
    let begin = a.chars().zip(b.chars()).take_while(|(a, b)| a == b).count();
    let end = a.chars().rev().zip(b.chars().rev()).take_while(|(a, b)| a == b).count();
    begin + end
}
