//! Sequences that are shorter than their shape: which layers can take them.

use crate::network::{Layer, Network, Node};
use crate::report::{Report, mistake};
use unrolled_shape::registry::{Inputs, Steps};

/// Reports layers that cannot take sequences shorter than their shape, but get such.
pub(crate) fn check_lengths(network: &Network, report: &mut Report) {
    // The input, declared with `..`, whose steps a value counts.
    let mut ragged = vec![None; network.values.len()];
    for (nth, input) in network.inputs.iter().enumerate() {
        ragged[input.value.0] = input.ragged.then_some(nth);
    }
    // Not the hidden `Flatten` of several outputs, which may be sequences that end early.
    for (_, node) in network.written() {
        let mut line = network.on_the_line(node).iter();
        let steps = line.find_map(|input| ragged[input.0]);
        if steps.is_none() && node.inputs.iter().all(|input| ragged[input.0].is_none()) {
            continue;
        }
        let Layer::Known { row, .. } = &node.layer else { continue };
        if takes_single_numbers(network, node) {
            report.error(node.span, mistake::steps_as_features(&node.label));
            continue;
        }
        let kept = match network.steps(node, row) {
            Steps::Each | Steps::Kernel | Steps::End => true,
            Steps::Valid => network.keeps_rank(node),
            Steps::Begin => false,
            Steps::All => {
                report.error(node.span, mistake::takes_all_steps(&node.label));
                false
            }
        };
        ragged[node.output.0] = steps.filter(|_| kept);
    }
}

/// Whether a layer would read the steps of its input as features.
fn takes_single_numbers(network: &Network, node: &Node) -> bool {
    let Layer::Known { row, .. } = &node.layer else { return false };
    let dims = &network.values[network.on_the_line(node)[0].0].dims;
    row.inputs != Inputs::Indices && dims.constant.is_none() && dims.sizes.len() == 1
}
