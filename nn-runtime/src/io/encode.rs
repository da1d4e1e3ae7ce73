//! Writes weights to a file, tensor by tensor.

use super::atomic;
use super::dtype::{Dtype, Encoded};
use super::error::SaveError;
use crate::order::FileTensors;
use crate::types::{Axis, Element, Tensor};
use serde_json::Value;
use std::collections::HashSet;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use unrolled_weights::file::{EXTRA, MAX_LEN, ORDER, OWN_ORDER, layout};

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
        aliases: Vec::new(),
        conflict: None,
    };
    let array_tensors: Vec<FileTensors> = arrays.iter().map(array).collect();
    let mut parts = vec![(tensors, floats)];
    parts.extend(array_tensors.iter().zip(arrays).map(|(tensors, (_, floats))| (tensors, *floats)));
    Content::new(&parts, Dtype::F32, Some(extra))?.save(path)
}

/// Writes the tensors of the weights `floats` to `path`.
pub(super) fn write(
    tensors: &FileTensors,
    floats: &[f32],
    extra: Option<Value>,
    path: &Path,
) -> Result<(), SaveError> {
    Content::new(&[(tensors, floats)], Dtype::F32, extra)?.save(path)
}

/// Writes the tensors of the weights `floats` to `path`, rounded to `dtype`.
pub(super) fn write_as(
    tensors: &FileTensors,
    floats: &[f32],
    dtype: Dtype,
    path: &Path,
) -> Result<(), SaveError> {
    Content::new(&[(tensors, floats)], dtype, None)?.save(path)
}

/// The content of the file without a value stored with the weights, rounded to `dtype`.
pub(super) fn to_bytes(
    tensors: &FileTensors,
    floats: &[f32],
    dtype: Dtype,
) -> Result<Vec<u8>, SaveError> {
    let mut bytes = Vec::with_capacity(floats.len() * dtype.size());
    let content = Content::new(&[(tensors, floats)], dtype, None)?;
    content.write(&mut bytes).expect("a vector takes all bytes");
    Ok(bytes)
}

/// The content of a file.
pub(super) struct Content<'a> {
    header: Vec<u8>,
    /// The type of tensors of floats. Counters stay integers, as those of `half()` in PyTorch.
    dtype: Dtype,
    /// In the order of the file, each with the floats that it is a part of.
    tensors: Vec<(&'a Tensor, &'a [f32])>,
}

impl<'a> Content<'a> {
    /// The content of a file with several sets of tensors, each with its floats, which are rounded to `dtype`.
    ///
    /// # Errors
    /// If the header is too long, or a float overflows.
    pub(super) fn new(
        parts: &[(&'a FileTensors, &'a [f32])],
        dtype: Dtype,
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
        let size = |tensor: &Tensor| size(tensor.element, dtype);
        tensors.sort_by(|(a, _), (b, _)| size(b).cmp(&size(a)).then_with(|| a.name.cmp(&b.name)));
        let sorted: Vec<&Tensor> = tensors.iter().map(|(tensor, _)| *tensor).collect();
        let header =
            encode_header(&sorted, dtype, &metadata).map_err(|why| SaveError::Header { why })?;
        let content = Self { header, dtype, tensors };
        content.check_range()?;
        Ok(content)
    }

    /// Refuses finite floats that would be infinite in the file, before the first one is written.
    fn check_range(&self) -> Result<(), SaveError> {
        let dtype = self.dtype;
        if dtype == Dtype::F32 {
            return Ok(());
        }
        for (tensor, floats) in &self.tensors {
            if let Some(value) = tensor.find_float(floats, |value| dtype.overflows(value)) {
                return Err(SaveError::Overflow { tensor: tensor.name.clone(), value, dtype });
            }
        }
        Ok(())
    }

    /// Writes it to the file `path`.
    fn save(&self, path: &Path) -> Result<(), SaveError> {
        atomic::write(path, |file| self.write(file))
            .map_err(|why| SaveError::Write { path: path.into(), why })
    }

    pub(super) fn write(&self, to: impl Write) -> io::Result<()> {
        let mut to = BufWriter::with_capacity(BUFFER, to);
        to.write_all(&(self.header.len() as u64).to_le_bytes())?;
        to.write_all(&self.header)?;
        for (tensor, floats) in &self.tensors {
            let mut result = Ok(());
            layout::for_each_index(tensor, |index| {
                if result.is_ok() {
                    result = self.write_element(tensor.element, floats[index], &mut to);
                }
            });
            result?;
        }
        to.flush()
    }

    fn write_element(&self, element: Element, float: f32, to: &mut impl Write) -> io::Result<()> {
        match element {
            Element::F32 => match self.dtype.encode(float) {
                Encoded::Four(bytes) => to.write_all(&bytes),
                Encoded::Two(bytes) => to.write_all(&bytes),
            },
            Element::I64 => to.write_all(&(float as i64).to_le_bytes()),
        }
    }
}

/// The header in JSON, padded with spaces to a multiple of 8 bytes.
fn encode_header(
    tensors: &[&Tensor],
    dtype: Dtype,
    metadata: &[(String, String)],
) -> Result<Vec<u8>, Box<dyn std::error::Error + Send + Sync>> {
    let mut names = HashSet::new();
    if let Some(tensor) = tensors.iter().find(|tensor| !names.insert(&tensor.name)) {
        return Err(format!("two tensors have the name `{}`", tensor.name).into());
    }
    let mut entries = Vec::new();
    if !metadata.is_empty() {
        let pairs: Vec<String> =
            metadata.iter().map(|(key, value)| format!("{}:{}", text(key), text(value))).collect();
        entries.push(format!(r#""__metadata__":{{{}}}"#, pairs.join(",")));
    }
    let mut begin = 0;
    for tensor in tensors {
        let len = tensor.axes.iter().map(|axis| axis.len).product::<usize>();
        let end = begin + len * size(tensor.element, dtype);
        entries.push(entry(tensor, dtype, begin, end));
        begin = end;
    }
    let mut json = format!("{{{}}}", entries.join(",")).into_bytes();
    json.resize(json.len().next_multiple_of(8), b' ');
    if json.len() as u64 > MAX_LEN {
        let found = json.len();
        return Err(format!("the header has {found} bytes, more than {MAX_LEN}").into());
    }
    Ok(json)
}

/// The entry of a tensor with the bytes `begin` to `end`.
fn entry(tensor: &Tensor, dtype: Dtype, begin: usize, end: usize) -> String {
    let shape: Vec<String> = tensor.axes.iter().map(|axis| axis.len.to_string()).collect();
    let (name, shape) = (text(&tensor.name), shape.join(","));
    let dtype = match tensor.element {
        Element::F32 => dtype.to_string(),
        Element::I64 => "I64".into(),
    };
    format!(r#"{name}:{{"dtype":"{dtype}","shape":[{shape}],"data_offsets":[{begin},{end}]}}"#)
}

/// A text in JSON.
fn text(text: &str) -> String {
    Value::from(text).to_string()
}

/// The size of an element in bytes, where floats have the type `dtype`.
const fn size(element: Element, dtype: Dtype) -> usize {
    match element {
        Element::F32 => dtype.size(),
        Element::I64 => 8,
    }
}
