//! The values of a reference case, and comparison with them.

use safetensors::SafeTensors;
use std::path::{Path, PathBuf};
use unrolled::Tensor;
use unrolled::prelude::*;

/// The largest allowed difference, relative to the largest value of the tensor.
const TOLERANCE: f64 = 1e-5;

/// The tensors of one case as 64-bit floats.
pub(crate) struct Case {
    name: String,
    bytes: Vec<u8>,
}

impl Case {
    /// The case of this name in `tests/reference`.
    pub(crate) fn read(name: &str) -> Self {
        let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/reference");
        Self::of(&folder.join(format!("{name}.safetensors")))
    }

    /// The case in a file.
    pub(crate) fn of(path: &Path) -> Self {
        let name = path.display().to_string();
        let bytes = std::fs::read(path).unwrap_or_else(|error| panic!("{name}: {error}"));
        Self { name, bytes }
    }

    pub(crate) fn names(&self, prefix: &str) -> Vec<String> {
        let file = SafeTensors::deserialize(&self.bytes).unwrap();
        let names = file.names();
        let mut all: Vec<String> =
            names.iter().filter_map(|n| n.strip_prefix(prefix).map(str::to_owned)).collect();
        all.sort();
        all
    }

    pub(crate) fn values(&self, name: &str) -> Vec<f64> {
        let file = SafeTensors::deserialize(&self.bytes).unwrap();
        let tensor = file.tensor(name).unwrap_or_else(|e| panic!("{}: {name}: {e}", self.name));
        let bytes = tensor.data().chunks_exact(8).map(|b| <[u8; 8]>::try_from(b).unwrap());
        match tensor.dtype() {
            safetensors::Dtype::F64 => bytes.map(f64::from_le_bytes).collect(),
            safetensors::Dtype::I64 => bytes.map(|b| i64::from_le_bytes(b) as f64).collect(),
            other => panic!("{}: {name}: unexpected {other:?}", self.name),
        }
    }

    pub(crate) fn samples<T: Inputs>(&self, prefix: &str) -> Vec<T> {
        let mut samples = Vec::new();
        for (index, &len) in T::LENS.iter().enumerate() {
            let values = self.values(&format!("{prefix}.{index}"));
            samples.resize(values.len() / len, T::zero());
            for (sample, values) in samples.iter_mut().zip(values.chunks_exact(len)) {
                if T::REAL[index] {
                    copy(values, sample.input_mut(index));
                } else {
                    copy_tokens(values, sample.input_mut(index));
                }
            }
        }
        samples
    }

    pub(crate) fn outputs<T: Values>(&self, name: &str) -> Vec<T> {
        let values = self.values(name);
        let mut outputs = vec![T::zeroed(); values.len() / T::LEN];
        for (output, values) in outputs.iter_mut().zip(values.chunks_exact(T::LEN)) {
            copy(values, output.as_floats_mut());
        }
        outputs
    }

    pub(crate) fn compare(&self, what: &str, ours: impl IntoIterator<Item = f32>) {
        let theirs = self.values(what);
        let ours: Vec<f64> = ours.into_iter().map(f64::from).collect();
        assert_eq!(ours.len(), theirs.len(), "{}: {what}: the number of elements", self.name);
        let scale = theirs.iter().fold(1e-3, |m: f64, t| m.max(t.abs()));
        for (i, (o, t)) in ours.iter().zip(&theirs).enumerate() {
            let error = (o - t).abs() / scale;
            assert!(error <= TOLERANCE, "{}: {what}[{i}]: {o}, PyTorch computes {t}", self.name);
        }
    }
}

pub(crate) fn copy(from: &[f64], to: &mut [f32]) {
    for (to, from) in to.iter_mut().zip(from) {
        *to = *from as f32;
    }
}

/// Token indices are passed as the bits of floats.
fn copy_tokens(from: &[f64], to: &mut [f32]) {
    for (to, from) in to.iter_mut().zip(from) {
        *to = f32::from_bits(*from as u32);
    }
}

pub(crate) fn floats<T: Values>(values: &[T]) -> impl Iterator<Item = f32> {
    values.iter().flat_map(|v| v.as_floats().iter().copied())
}

/// The offsets in memory of a tensor's elements, in the order of files.
pub(crate) fn offsets(tensor: &Tensor) -> Vec<usize> {
    let mut offsets = vec![tensor.offset];
    for axis in &tensor.axes {
        let order = axis.order.indices(axis.len);
        offsets = offsets
            .iter()
            .flat_map(|p| order.iter().map(move |entry| p + entry * axis.stride))
            .collect();
    }
    offsets
}

/// The offsets of the tensors of a network, by name.
pub(crate) struct Offsets {
    case: String,
    pub(crate) tensors: Vec<Tensor>,
}

impl Offsets {
    pub(crate) fn of<N: Network>(case: &Case) -> Self {
        Self { case: case.name.clone(), tensors: N::tensors() }
    }

    pub(crate) fn of_tensor(&self, name: &str) -> Vec<usize> {
        let tensor = self.tensors.iter().find(|t| t.name == name);
        offsets(tensor.unwrap_or_else(|| panic!("{}: no tensor {name}", self.case)))
    }
}

impl Case {
    /// A network with the case's weights.
    pub(crate) fn network<N: Network>(&self, offsets: &Offsets) -> Box<N> {
        let mut net = N::zeros();
        let names = self.names("weights.");
        assert_eq!(names.len(), offsets.tensors.len(), "{}: {names:?}", self.name);
        for tensor in &names {
            let values = self.values(&format!("weights.{tensor}"));
            for (offset, value) in offsets.of_tensor(tensor).into_iter().zip(values) {
                net.as_floats_mut()[offset] = value as f32;
            }
        }
        net
    }

    /// Compares the gradients of all weights with those named `prefix.*`.
    pub(crate) fn compare_weights<N: Network>(&self, prefix: &str, offsets: &Offsets, net: &N) {
        for tensor in self.names(&format!("{prefix}.")) {
            let values =
                offsets.of_tensor(&tensor).into_iter().map(|offset| net.as_floats()[offset]);
            self.compare(&format!("{prefix}.{tensor}"), values);
        }
    }
}
