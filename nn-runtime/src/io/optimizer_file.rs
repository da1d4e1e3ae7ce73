//! The state of an optimiser to a file and back.

use super::LoadError;
use super::encode;
use super::error::SaveError;
use super::weights_file::{open_with_len, read_extra, read_file};
use crate::contract::Network;
use crate::optim::OptimizerState;
use crate::order::{FileTensors, NetworkInfo, file_tensors};
use crate::types::Tensor;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// What the file's metadata say about the state.
#[derive(Serialize, Deserialize)]
struct Description {
    optimizer: String,
    steps: u64,
    /// The names of its values.
    values: Vec<String>,
}

/// The largest number of values per weight that is read from a file which is too short to have them: a bound for the memory
/// that a file can request.
const MAX_VALUES: usize = 16;

/// Writes the state of an optimiser of networks of type `N` to `path`.
pub(crate) fn save_optimizer<N: Network>(
    state: OptimizerState,
    path: &Path,
) -> Result<(), SaveError> {
    let state = state.of_len(N::LEN).map_err(|why| SaveError::State { why })?;
    let OptimizerState { optimizer, steps, values } = state;
    let (names, values): (Vec<String>, Vec<Vec<f32>>) = values.into_iter().unzip();
    let tensors = state_tensors::<N>(&names);
    let description = Description { optimizer, steps, values: names };
    let extra = serde_json::to_value(description).expect("names and a number are JSON");
    encode::write(&tensors, &values.concat(), Some(extra), path)
}

/// The state of an optimiser of networks of type `N` in the file `path`.
pub(crate) fn load_optimizer<N: Network>(path: &Path) -> Result<OptimizerState, LoadError> {
    let no_state = || LoadError::NoState { path: path.into() };
    let extra = read_extra(path)?.ok_or_else(no_state)?;
    let (_, len) = open_with_len(path)?;
    let in_file = len as usize / size_of::<f32>() / N::PARAMS.max(1);
    let description = serde_json::from_str(&extra).ok();
    let Description { optimizer, steps, values: names } = description
        .filter(|description: &Description| description.values.len() <= MAX_VALUES.max(in_file))
        .ok_or_else(no_state)?;
    let mut floats = vec![0.0; names.len() * N::LEN];
    read_file(path, &state_tensors::<N>(&names), &mut floats)?;
    let values = names
        .into_iter()
        .zip(floats.chunks(N::LEN.max(1)))
        .map(|(name, part)| (name, part.to_vec()));
    Ok(OptimizerState { optimizer, steps, values: values.collect() })
}

/// For each trained weight and each name of values a tensor `fc1.weight.exp_avg` of the weight's layout. The values of
/// one name follow those of the one before.
fn state_tensors<N: Network>(names: &[String]) -> FileTensors {
    let FileTensors { tensors, conflict, .. } = file_tensors::<N>();
    let trained = NetworkInfo::of::<N>().trained_ranges();
    let is_trained = |tensor: &&Tensor| {
        !tensor.shared && trained.iter().any(|(_, range)| range.contains(&tensor.offset))
    };
    let of_weight = |tensor: &Tensor| -> Vec<Tensor> {
        let named = names.iter().enumerate();
        named.map(|(nth, name)| of_values(tensor, name, nth * N::LEN)).collect()
    };
    let tensors = tensors.iter().filter(is_trained).flat_map(of_weight).collect();
    FileTensors { tensors, aliases: Vec::new(), conflict }
}

/// The tensor of the values `name` of a weight, which begin at `offset`.
fn of_values(weight: &Tensor, name: &str, offset: usize) -> Tensor {
    Tensor {
        name: format!("{}.{name}", weight.name),
        offset: weight.offset + offset,
        ..weight.clone()
    }
}
