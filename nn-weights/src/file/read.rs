//! Reads weights from a file, tensor by tensor in the file's order.

use super::compare::{Names, compare, reader, wrapper_prefix};
use super::error::{Damage, LoadError, Mismatch};
use super::header::{self, FileTensor, Header, HeaderError};
use super::input::Input;
use super::layout;
use super::report::LoadReport;
use crate::order::FileTensors;
use crate::tensor::{Axis, Tensor};
use std::collections::{HashMap, HashSet};
use std::io::Read;
use std::path::Path;

/// The beginning of the names of a checkpoint's arrays. Paths of layers have no slash.
pub const ARRAYS: &str = "checkpoint/";

/// Arrays with their names.
pub type Arrays = Vec<(String, Vec<f32>)>;

/// A file has at most this many tensors more than twice those of the network: enough for useful errors about files of
/// other networks, and a bound for their size.
const MAX_MORE_TENSORS: usize = 1000;

/// The JSON text stored in the metadata of the file `path`, whose tensors are not read.
///
/// # Errors
/// If `reader` fails, or has no safetensors file.
pub fn read_extra(path: &Path, reader: &mut dyn Read) -> Result<Option<String>, LoadError> {
    let header = header::read(&mut Input::new(reader), MAX_MATCHING_TENSORS);
    header.map(|header| header.extra).map_err(|error| in_file(error, path, &[]))
}

/// Fills the tensors of the weights `floats` from a file, which errors call `path`, and returns the JSON text stored with
/// them. A prefix of a PyTorch wrapper before all names is ignored.
///
/// # Errors
/// If `reader` fails, has no safetensors file, or one that does not fit `net`. Then `floats` is partly filled.
pub fn read(
    path: &Path,
    reader: &mut dyn Read,
    net: &FileTensors,
    floats: &mut [f32],
) -> Result<Option<String>, LoadError> {
    let tensors = &net.tensors;
    let in_file = |error| in_file(error, path, tensors);
    let mut input = Input::new(reader);
    let header = header::read(&mut input, max_tensors(tensors)).map_err(in_file)?;
    check_order(path, net, &header)?;
    let prefix = wrapper_prefix(&header.tensors, tensors);
    // A checkpoint has further arrays.
    let names = Names::new(&header.tensors, |name| {
        (!name.starts_with(ARRAYS)).then(|| name[prefix.len()..].to_owned())
    });
    let tensors = &with_aliases(net, &names);
    let mut mismatches = compare(tensors, &names);
    if mismatches.is_empty() {
        let chosen = choose(tensors, &names, |_| true);
        let contents = Contents { input, tensors, header: &header };
        mismatches = contents.read(&chosen, floats).map_err(in_file)?;
    }
    if mismatches.is_empty() {
        return Ok(header.extra);
    }
    Err(LoadError::Mismatch { path: path.into(), mismatches })
}

/// The arrays of a file of `len` bytes: the tensors of one axis whose names begin with [`ARRAYS`], by their names without
/// it, and the JSON text stored with them.
///
/// # Errors
/// If `reader` fails, or has no safetensors file.
pub fn read_arrays(
    path: &Path,
    reader: &mut dyn Read,
    len: u64,
) -> Result<(Arrays, Option<String>), LoadError> {
    let in_file = |error| in_file(error, path, &[]);
    let mut input = Input::new(reader);
    let header = header::read(&mut input, MAX_MATCHING_TENSORS).map_err(in_file)?;
    let (expected, found) = (header.data_len(), len as usize);
    // Before memory is allocated: a damaged header may describe any size.
    if expected > found {
        let why = Damage::ShortTensors { expected, found };
        return Err(LoadError::Damaged { path: path.into(), why });
    }
    let (tensors, end) = array_tensors(&header);
    let chosen = tensors.iter().enumerate().map(|(index, tensor)| (tensor.name.as_str(), index));
    let chosen: HashMap<&str, usize> = chosen.collect();
    let mut floats = vec![0.0; end];
    let contents = Contents { input, tensors: &tensors, header: &header };
    contents.read(&chosen, &mut floats).map_err(in_file)?;
    let array = |tensor: &Tensor| {
        let name = tensor.name[ARRAYS.len()..].to_owned();
        (name, floats[tensor.offset..][..tensor.axes[0].len].to_vec())
    };
    Ok((tensors.iter().map(array).collect(), header.extra))
}

/// The arrays of a header, one after the other, and their total length.
fn array_tensors(header: &Header) -> (Vec<Tensor>, usize) {
    let (mut tensors, mut end) = (Vec::new(), 0);
    for FileTensor { name, dtype, shape, .. } in &header.tensors {
        if let (true, "F32", &[len]) = (name.starts_with(ARRAYS), dtype.name, &shape[..]) {
            tensors.push(Tensor::new(name, end, vec![Axis::plain(len, 1)]));
            end += len;
        }
    }
    (tensors, end)
}

/// Fills the tensors that fit and are called in the network what `rename` returns for their names in the file.
///
/// # Errors
/// If `reader` fails, or has no safetensors file. Then `floats` is partly filled.
pub fn read_matching(
    path: &Path,
    reader: &mut dyn Read,
    rename: &dyn Fn(&str) -> Option<String>,
    net: &FileTensors,
    floats: &mut [f32],
) -> Result<LoadReport, LoadError> {
    let tensors = &net.tensors;
    let in_file = |error| in_file(error, path, tensors);
    let mut input = Input::new(reader);
    let header = header::read(&mut input, MAX_MATCHING_TENSORS).map_err(in_file)?;
    check_order(path, net, &header)?;
    let names = Names::new(&header.tensors, rename);
    let tensors = &with_aliases(net, &names);
    let mut mismatches = compare(tensors, &names);
    let refused: HashSet<&str> = mismatches.iter().map(Mismatch::tensor).collect();
    let chosen = choose(tensors, &names, |name| !refused.contains(name));
    let mut loaded: Vec<usize> = chosen.values().copied().collect();
    loaded.sort_unstable();
    let loaded = loaded.into_iter().map(|index| tensors[index].name.clone()).collect();
    let contents = Contents { input, tensors, header: &header };
    let differing = contents.read(&chosen, floats).map_err(in_file)?;
    mismatches.extend(differing);
    Ok(LoadReport { loaded, skipped: names.skipped, mismatches })
}

/// The tensors of the network, and those of its aliases that are in the file.
fn with_aliases(net: &FileTensors, names: &Names<'_>) -> Vec<Tensor> {
    let aliases = net.aliases.iter().filter(|alias| names.in_file(&alias.name).is_some());
    net.tensors.iter().chain(aliases).cloned().collect()
}

/// The tensors of the network that are read, by their names in the file.
fn choose<'a>(
    tensors: &[Tensor],
    names: &'a Names<'_>,
    is_chosen: impl Fn(&str) -> bool,
) -> HashMap<&'a str, usize> {
    let named = tensors.iter().enumerate().filter(|(_, tensor)| is_chosen(&tensor.name));
    named.filter_map(|(index, tensor)| Some((names.in_file(&tensor.name)?, index))).collect()
}

fn in_file(error: HeaderError, path: &Path, tensors: &[Tensor]) -> LoadError {
    match error {
        HeaderError::Read(why) => LoadError::Read { path: path.into(), why },
        HeaderError::Foreign(why) => LoadError::Foreign { path: path.into(), why },
        HeaderError::Damaged(why) => LoadError::Damaged { path: path.into(), why },
        HeaderError::TooMany { max } => {
            LoadError::TooManyTensors { path: path.into(), expected: tensors.len(), max }
        }
    }
}

/// Whether the features of the file's network have the order of the features of `net`.
fn check_order(path: &Path, net: &FileTensors, header: &Header) -> Result<(), LoadError> {
    match &net.conflict {
        Some(why) if !header.has_own_order => {
            Err(LoadError::Order { path: path.into(), why: why.clone() })
        }
        None if header.has_own_order => Err(LoadError::OwnOrder { path: path.into() }),
        _ => Ok(()),
    }
}

/// The largest number of tensors of a file of which a part is read.
const MAX_MATCHING_TENSORS: usize = 1_000_000;

const fn max_tensors(tensors: &[Tensor]) -> usize {
    2 * tensors.len() + MAX_MORE_TENSORS
}

/// The tensors of a file whose header `compare` has accepted.
struct Contents<'a, 'r> {
    input: Input<'r>,
    tensors: &'a [Tensor],
    header: &'a Header,
}

impl Contents<'_, '_> {
    /// Fills the tensors of `floats` that `chosen` has, by their names in the file, and skips the others. Returns every
    /// tensor that differs from another tensor of the same weight.
    fn read(
        mut self,
        chosen: &HashMap<&str, usize>,
        floats: &mut [f32],
    ) -> Result<Vec<Mismatch>, HeaderError> {
        let tensors = self.tensors;
        let mut mismatches = Vec::new();
        let mut done: Vec<usize> = Vec::new();
        for info in &self.header.tensors {
            let Some(&index) = chosen.get(info.name.as_str()) else {
                self.skip(info)?;
                continue;
            };
            let tensor = &tensors[index];
            let same_weight = |other: &&usize| tensors[**other].is_weight_of(tensor);
            if let Some(other) = done.iter().find(same_weight) {
                // The owner of a weight comes before those that share it.
                let [owner, sharing] =
                    [index.min(*other), index.max(*other)].map(|i| tensors[i].name.clone());
                if let Some((i, read, in_memory)) = self.first_difference(tensor, info, floats)? {
                    let (found, expected) =
                        if index > *other { (read, in_memory) } else { (in_memory, read) };
                    let tensor = sharing;
                    mismatches.push(Mismatch::Differs { tensor, owner, index: i, found, expected });
                }
            } else {
                self.for_each_value(tensor, info, |_, index, value| floats[index] = value)?;
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
        info: &FileTensor,
        floats: &[f32],
    ) -> Result<Option<(usize, f32, f32)>, HeaderError> {
        let mut first = None;
        self.for_each_value(tensor, info, |i, index, value| {
            let other = floats[index];
            let alike = value == other || (value.is_nan() && other.is_nan());
            if !alike && first.is_none() {
                first = Some((i, value, other));
            }
        })?;
        Ok(first)
    }

    /// Skips the next tensor.
    fn skip(&mut self, info: &FileTensor) -> Result<(), HeaderError> {
        let (begin, end) = (info.begin, info.end);
        let found = begin + self.input.skip_unread(end - begin)?;
        if found == end {
            return Ok(());
        }
        let expected = self.header.data_len();
        Err(HeaderError::Damaged(Damage::ShortTensors { expected, found }))
    }

    /// Reads the next tensor. Calls `f` with the index of each value in the tensor, its index among the network's
    /// weights, and the value.
    fn for_each_value(
        &mut self,
        tensor: &Tensor,
        info: &FileTensor,
        mut f: impl FnMut(usize, usize, f32),
    ) -> Result<(), HeaderError> {
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
                    let found = info.begin + i * size + rest.len();
                    let expected = self.header.data_len();
                    result = Err(HeaderError::Damaged(Damage::ShortTensors { expected, found }));
                }
                Err(error) => result = Err(error.into()),
            }
        });
        result
    }
}
