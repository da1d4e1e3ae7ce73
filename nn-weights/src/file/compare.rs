//! Compares the tensors of a file with those of a network.

use super::dtype::{self, Dtype};
use super::error::Mismatch;
use super::header::FileTensor;
use super::layout;
use crate::tensor::Tensor;
use std::collections::{HashMap, HashSet};
use unrolled_shape::Element;

/// The number of missing tensors for which an error suggests another name: each is compared with all unexpected ones.
const MAX_SUGGESTIONS: usize = 100;

/// Prefixes that PyTorch's wrappers put before all names: `DataParallel` and `DistributedDataParallel`, `torch.compile`.
const WRAPPERS: [&str; 2] = ["module.", "_orig_mod."];

/// The prefix that wrappers have put before all names of a file; empty if there is none. A network may have a layer that
/// is called `module` itself.
pub(super) fn wrapper_prefix(file: &[FileTensor], tensors: &[Tensor]) -> String {
    let in_file = common_prefix(file.iter().map(|tensor| tensor.name.as_str()));
    let own = common_prefix(tensors.iter().map(|tensor| tensor.name.as_str()));
    in_file.strip_suffix(&own).unwrap_or_default().to_owned()
}

/// The longest sequence of [`WRAPPERS`] that all names begin with.
fn common_prefix<'a>(names: impl Iterator<Item = &'a str> + Clone) -> String {
    let mut prefix = String::new();
    while let Some(wrapper) = WRAPPERS.iter().find(|wrapper| {
        let has_it = |name: &str| name[prefix.len()..].starts_with(**wrapper);
        names.clone().next().is_some() && names.clone().all(has_it)
    }) {
        prefix += wrapper;
    }
    prefix
}

/// The tensors of a file under the names that they have in the network.
pub(super) struct Names<'a> {
    tensors: HashMap<String, &'a FileTensor>,
    /// The tensors of the file that have no name in the network, or one that another tensor has.
    pub(super) skipped: Vec<String>,
}

impl<'a> Names<'a> {
    pub(super) fn new(file: &'a [FileTensor], rename: impl Fn(&str) -> Option<String>) -> Self {
        let mut names = Self { tensors: HashMap::new(), skipped: Vec::new() };
        for tensor in file {
            match rename(&tensor.name) {
                Some(new) if !names.tensors.contains_key(&new) => {
                    names.tensors.insert(new, tensor);
                }
                _ => names.skipped.push(tensor.name.clone()),
            }
        }
        names
    }

    fn find(&self, name: &str) -> Option<&'a FileTensor> {
        self.tensors.get(name).copied()
    }

    /// The name in the file of the tensor that is called `name` in the network.
    pub(super) fn in_file(&self, name: &str) -> Option<&str> {
        self.find(name).map(|tensor| tensor.name.as_str())
    }
}

/// The function that reads elements of type `dtype`, if the network's `element` can be of that type in files.
pub(super) fn reader(element: Element, dtype: Dtype) -> Option<dtype::Reader> {
    match element {
        Element::F32 => dtype::float_reader(dtype),
        Element::I64 => dtype::counter_reader(dtype),
    }
}

/// Every difference between the network's tensors and the file's.
pub(super) fn compare(tensors: &[Tensor], file: &Names<'_>) -> Vec<Mismatch> {
    let ours: HashSet<&str> = tensors.iter().map(|tensor| tensor.name.as_str()).collect();
    let theirs = file.tensors.iter().map(|(name, tensor)| (name.clone(), *tensor));
    let mut unexpected: Vec<_> = theirs.filter(|(name, _)| !ours.contains(name.as_str())).collect();
    unexpected.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
    let (mut mismatches, mut suggestions) = (Vec::new(), 0);
    for tensor in tensors {
        match file.find(&tensor.name) {
            Some(info) => mismatches.extend(compare_one(tensor, info)),
            // `safetensors.torch.save_model` writes a shared weight under one of its names.
            None if is_covered(tensor, tensors, file) => {}
            // Old versions of PyTorch had no `num_batches_tracked`.
            None if tensor.element == Element::I64 => {}
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
fn is_covered(tensor: &Tensor, tensors: &[Tensor], file: &Names<'_>) -> bool {
    let mut names = tensors.iter().filter(|other| other.shared && other.is_weight_of(tensor));
    tensor.shared || names.any(|other| file.find(&other.name).is_some())
}

fn compare_one(tensor: &Tensor, info: &FileTensor) -> Option<Mismatch> {
    let name = || tensor.name.clone();
    let expected = layout::shape(tensor);
    // A counter is a scalar, or a vector of one element.
    let is_counter = tensor.element == Element::I64 && info.shape == [1];
    if expected != info.shape && !is_counter {
        return Some(Mismatch::Shape { tensor: name(), expected, found: info.shape.clone() });
    }
    if reader(tensor.element, info.dtype).is_some() {
        return None;
    }
    let expected = match tensor.element {
        Element::F32 => dtype::FLOATS,
        Element::I64 => dtype::COUNTERS,
    };
    Some(Mismatch::Element { tensor: name(), expected, found: info.dtype.name.to_owned() })
}

/// A missing tensor, with the most similar name among the unexpected tensors of its shape.
fn missing(tensor: &Tensor, unexpected: &[(String, &FileTensor)]) -> Mismatch {
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
