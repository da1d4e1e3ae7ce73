//! Writes weights to the bytes of a file.

use super::atomic;
use super::error::SaveError;
use super::header::EXTRA;
use super::layout;
use crate::types::Element;
use crate::types::Tensor;
use safetensors::{Dtype, View};
use serde_json::Value;
use std::borrow::Cow;
use std::path::Path;

/// Writes the tensors of the weights `floats` to `path`.
pub(super) fn write(
    tensors: &[Tensor],
    floats: &[f32],
    extra: Option<Value>,
    path: &Path,
) -> Result<(), SaveError> {
    let bytes = encode(tensors, floats, extra)?;
    atomic::write(path, &bytes).map_err(|why| SaveError::Write { path: path.into(), why })
}

/// The bytes of the file. The metadata have at most one entry, because `safetensors` writes several in the random order of
/// a hash map.
pub(super) fn encode(
    tensors: &[Tensor],
    floats: &[f32],
    extra: Option<Value>,
) -> Result<Vec<u8>, SaveError> {
    let views = tensors.iter().map(|tensor| (tensor.name.as_str(), TensorOf::new(tensor, floats)));
    let metadata = extra.map(|extra| [(EXTRA.to_owned(), extra.to_string())].into_iter().collect());
    safetensors::serialize(views, metadata).map_err(|why| SaveError::Header { why: why.into() })
}

/// A tensor with the weights that contain it.
struct TensorOf<'a> {
    tensor: &'a Tensor,
    shape: Vec<usize>,
    floats: &'a [f32],
}

impl<'a> TensorOf<'a> {
    fn new(tensor: &'a Tensor, floats: &'a [f32]) -> Self {
        Self { tensor, shape: layout::shape(tensor), floats }
    }
}

impl View for TensorOf<'_> {
    fn dtype(&self) -> Dtype {
        match self.tensor.element {
            Element::F32 => Dtype::F32,
            Element::I64 => Dtype::I64,
        }
    }

    fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn data(&self) -> Cow<'_, [u8]> {
        let mut bytes = Vec::with_capacity(self.data_len());
        layout::for_each_index(self.tensor, |index| match self.tensor.element {
            Element::F32 => bytes.extend(self.floats[index].to_le_bytes()),
            Element::I64 => bytes.extend((self.floats[index] as i64).to_le_bytes()),
        });
        bytes.into()
    }

    fn data_len(&self) -> usize {
        self.shape.iter().product::<usize>() * self.dtype().bitsize() / 8
    }
}
