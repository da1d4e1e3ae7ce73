//! Reads weights from a file, tensor by tensor in the file's order.

use super::error::{Damage, LoadError, Mismatch};
use super::header::{self, HeaderError};
use super::input::Input;
use super::layout;
use super::number;
use crate::order::FileTensors;
use crate::system::open_regular;
use crate::types::Element;
use crate::types::Tensor;
use safetensors::Dtype;
use safetensors::tensor::{Metadata, TensorInfo};
use std::collections::{HashMap, HashSet};
use std::io::Read;
use std::path::Path;

/// A file has at most this many tensors more than twice those of the network: enough for useful errors about files of
/// other networks, and a bound for their size.
const MAX_MORE_TENSORS: usize = 1000;

/// The number of missing tensors for which an error suggests another name: each is compared with all unexpected ones.
const MAX_SUGGESTIONS: usize = 100;

/// Fills the tensors of the weights `floats` from the regular file `path`, and returns the JSON text stored with them.
/// An error leaves `floats` partly filled.
pub(super) fn read_file(
    path: &Path,
    net: &FileTensors,
    floats: &mut [f32],
) -> Result<Option<String>, LoadError> {
    let mut file = open_regular(path).map_err(|why| LoadError::Read { path: path.into(), why })?;
    read(path, &mut file, net, floats)
}

/// As [`read_file`], from any reader, which errors call `path`.
pub(super) fn read(
    path: &Path,
    reader: &mut dyn Read,
    FileTensors { tensors, conflict }: &FileTensors,
    floats: &mut [f32],
) -> Result<Option<String>, LoadError> {
    let in_file = |error| match error {
        HeaderError::Read(why) => LoadError::Read { path: path.into(), why },
        HeaderError::Foreign(why) => LoadError::Foreign { path: path.into(), why },
        HeaderError::Damaged(why) => LoadError::Damaged { path: path.into(), why },
        HeaderError::TooMany => LoadError::TooManyTensors {
            path: path.into(),
            expected: tensors.len(),
            max: max_tensors(tensors),
        },
    };
    let mut input = Input::new(reader);
    let header = header::read(&mut input, max_tensors(tensors)).map_err(in_file)?;
    match conflict {
        Some(why) if !header.has_own_order => {
            return Err(LoadError::Order { path: path.into(), why: why.clone() });
        }
        None if header.has_own_order => return Err(LoadError::OwnOrder { path: path.into() }),
        _ => {}
    }
    let mut mismatches = compare(tensors, &header.tensors);
    if mismatches.is_empty() {
        let contents = Contents { input, tensors, header: &header.tensors };
        mismatches = contents.read(floats).map_err(in_file)?;
    }
    if mismatches.is_empty() {
        return Ok(header.extra);
    }
    Err(LoadError::Mismatch { path: path.into(), mismatches })
}

const fn max_tensors(tensors: &[Tensor]) -> usize {
    2 * tensors.len() + MAX_MORE_TENSORS
}

/// The tensors of a file whose header `compare` has accepted.
struct Contents<'a, 'r> {
    input: Input<'r>,
    tensors: &'a [Tensor],
    header: &'a Metadata,
}

impl Contents<'_, '_> {
    /// Fills `floats`. Returns every tensor that differs from another tensor of the same weight.
    fn read(mut self, floats: &mut [f32]) -> Result<Vec<Mismatch>, HeaderError> {
        let tensors = self.tensors;
        let index_of: HashMap<&str, usize> =
            tensors.iter().enumerate().map(|(i, tensor)| (tensor.name.as_str(), i)).collect();
        let mut mismatches = Vec::new();
        let mut done: Vec<usize> = Vec::new();
        for name in self.header.offset_keys() {
            let index = index_of[name.as_str()];
            let tensor = &tensors[index];
            let same_weight = |other: &&usize| tensors[**other].is_weight_of(tensor);
            if let Some(other) = done.iter().find(same_weight) {
                // The owner of a weight comes before those that share it.
                let [owner, sharing] =
                    [index.min(*other), index.max(*other)].map(|i| tensors[i].name.clone());
                if let Some((i, read, in_memory)) = self.first_difference(tensor, floats)? {
                    let (found, expected) =
                        if index > *other { (read, in_memory) } else { (in_memory, read) };
                    let tensor = sharing;
                    mismatches.push(Mismatch::Differs { tensor, owner, index: i, found, expected });
                }
            } else {
                self.for_each_value(tensor, |_, index, value| floats[index] = value)?;
            }
            done.push(index);
        }
        if self.input.peek(1)?.is_empty() {
            return Ok(mismatches);
        }
        let expected = self.header.data_len();
        Err(HeaderError::Damaged(Damage::LongTensors { expected }))
    }

    /// The first value of the tensor that is another one in `floats`: its index in the tensor, and both values.
    fn first_difference(
        &mut self,
        tensor: &Tensor,
        floats: &[f32],
    ) -> Result<Option<(usize, f32, f32)>, HeaderError> {
        let mut first = None;
        self.for_each_value(tensor, |i, index, value| {
            let other = floats[index];
            let alike = value == other || (value.is_nan() && other.is_nan());
            if !alike && first.is_none() {
                first = Some((i, value, other));
            }
        })?;
        Ok(first)
    }

    /// Reads the next tensor. Calls `f` with the index of each value in the tensor, its index among the network's
    /// weights, and the value.
    fn for_each_value(
        &mut self,
        tensor: &Tensor,
        mut f: impl FnMut(usize, usize, f32),
    ) -> Result<(), HeaderError> {
        let info = self.header.info(&tensor.name).expect("the name is from the header");
        let (size, convert) =
            reader(tensor.element, info.dtype).expect("`compare` has found a readable type");
        let (mut i, mut result) = (0, Ok(()));
        layout::for_each_index(tensor, |index| {
            if result.is_err() {
                return;
            }
            match self.input.peek(size) {
                Ok(bytes) if bytes.len() == size => {
                    f(i, index, convert(bytes));
                    self.input.skip(size);
                    i += 1;
                }
                Ok(rest) => {
                    let found = info.data_offsets.0 + i * size + rest.len();
                    let expected = self.header.data_len();
                    result = Err(HeaderError::Damaged(Damage::ShortTensors { expected, found }));
                }
                Err(error) => result = Err(error.into()),
            }
        });
        result
    }
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
    let (mut mismatches, mut suggestions) = (Vec::new(), 0);
    for tensor in tensors {
        match metadata.info(&tensor.name) {
            Some(info) => mismatches.extend(compare_one(tensor, info)),
            // `safetensors.torch.save_model` writes a shared weight under one of its names.
            None if is_covered(tensor, tensors, metadata) => {}
            None => {
                let near = if suggestions < MAX_SUGGESTIONS { &unexpected[..] } else { &[] };
                suggestions += 1;
                mismatches.push(missing(tensor, near));
            }
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
