//! Models of other packages: their weights load without renaming, give PyTorch's outputs, and are saved again.

use crate::case::{Case, copy};
use std::path::{Path, PathBuf};
use unrolled::prelude::*;

/// The names and shapes of a network's tensors, as the scripts write them.
pub(crate) fn names<N: Network>() -> String {
    let line = |tensor: &unrolled::Tensor| {
        let shape: Vec<usize> = tensor.axes.iter().map(|axis| axis.len).collect();
        format!("{} {shape:?}\n", tensor.name)
    };
    N::tensors().iter().map(line).collect()
}

/// Inference on one sample after the other.
pub(crate) fn infer<N: Network<Input: Values>>(net: &N, case: &Case) -> Vec<f32> {
    let (mut input, mut output) = (N::Input::zeroed_box(), N::Output::zeroed());
    let mut outputs = Vec::new();
    for x in case.values("input.0").chunks_exact(N::Input::LEN) {
        copy(x, input.as_floats_mut());
        net.forward_into(&input, &mut output);
        outputs.extend_from_slice(output.as_floats());
    }
    outputs
}

/// Loads weights that a script wrote to `folder`, and compares outputs with those of PyTorch.
fn check<N: Network>(folder: &Path, name: &str, infer: impl Fn(&N, &Case) -> Vec<f32>) -> Box<N> {
    let net = N::load(folder.join(format!("{name}.safetensors"))).expect("no renaming");
    let case = Case::of(&folder.join(format!("{name}_case.safetensors")));
    case.compare("inference", infer(&net, &case));
    net
}

/// Checks a small model in `tests/reference`, and that it is saved byte for byte as PyTorch wrote it.
pub(crate) fn check_small<N: Network>(name: &str, infer: impl Fn(&N, &Case) -> Vec<f32>) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reference");
    let net = check(&folder, name, infer);
    let theirs = std::fs::read(folder.join(format!("{name}.safetensors"))).unwrap();
    assert!(net.to_bytes() == theirs, "{name}: byte for byte");
}

/// The environment variable that names a folder in which a script wrote weights and outputs.
const FOLDER: &str = "UNROLLED_MODELS";

/// Checks a model in that folder, and saves the weights again for the script to load.
pub(crate) fn check_in_folder<N: Network>(name: &str, infer: impl Fn(&N, &Case) -> Vec<f32>) {
    let folder = std::env::var_os(FOLDER).unwrap_or_else(|| panic!("{FOLDER} names no folder"));
    let folder = PathBuf::from(folder);
    let net = check(&folder, name, infer);
    net.save(folder.join(format!("{name}_again.safetensors"))).expect("a writable folder");
}
