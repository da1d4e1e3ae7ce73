//! Networks, their inputs and their results as files, for `tests/reference/random_networks.py`.

use super::Case;
use std::path::Path;

/// The folder that files are written to, one for each network.
const FOLDER: &str = "UNROLLED_RANDOM_NETWORKS";

/// A training step of a network, and inference before it. All arrays are flat.
pub(super) struct Results {
    pub(super) weights: Vec<f32>,
    /// All inputs of all samples, one sample after the other. Tokens are numbers.
    pub(super) inputs: Vec<f32>,
    pub(super) targets: Vec<f32>,
    /// Outputs at inference.
    pub(super) outputs: Vec<f32>,
    /// Outputs of the training step.
    pub(super) trained: Vec<f32>,
    pub(super) d_weights: Vec<f32>,
    pub(super) d_inputs: Vec<f32>,
}

/// The folder of exported networks, if they are asked for.
pub(super) fn folder() -> Option<std::ffi::OsString> {
    std::env::var_os(FOLDER)
}

/// Writes `SEED.json`.
pub(super) fn write(folder: impl AsRef<Path>, case: &Case, results: &Results) {
    let Results { weights, inputs, targets, outputs, trained, d_weights, d_inputs } = results;
    let (seed, source, network) = (case.seed, case.source, case.description);
    let text = format!(
        r#"{{"seed": {seed}, "source": {source:?}, "network": {network}, "weights": {weights:?}, "inputs": {inputs:?},
"targets": {targets:?}, "outputs": {outputs:?}, "trained": {trained:?}, "d_weights": {d_weights:?},
"d_inputs": {d_inputs:?}}}"#
    );
    std::fs::write(folder.as_ref().join(format!("{seed}.json")), text).expect("a file");
}
