//! For each value of a network, where its steps come from.

use crate::network::{Layer, Network, ValueId};
use std::collections::BTreeSet;
use unrolled_shape::registry::Steps;

/// Where the steps of a value come from.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    /// They are those of an input.
    Input(usize),
    /// A node changes their number: a constant with its name states how.
    Node(usize),
}

/// For each value, where its steps come from; `None` if it is no sequence.
pub(super) fn sources(network: &Network) -> Vec<Option<Source>> {
    let mut sources = vec![None; network.values.len()];
    for (nth, input) in network.inputs.iter().enumerate() {
        sources[input.value.0] = is_sequence(network, nth).then_some(Source::Input(nth));
    }
    for (nth, node) in network.nodes.iter().enumerate() {
        let mut known = network.on_the_line(node).iter().filter_map(|input| sources[input.0]);
        sources[node.output.0] = known.next().and_then(|first| match &node.layer {
            // Its type knows, not the macro: `Shaped::OUTPUT_STEPS`.
            Layer::Custom(_) => Some(Source::Node(nth)),
            Layer::Known { row, .. } => match network.steps(node, row) {
                Steps::Kernel => Some(Source::Node(nth)),
                // A join of branches whose steps come from different places: `StepsOf::joined` compares them.
                Steps::Each if known.any(|other| other != first) => Some(Source::Node(nth)),
                Steps::Each | Steps::End => Some(first),
                Steps::Valid => network.keeps_rank(node).then_some(first),
                Steps::All | Steps::Begin => None,
            },
        });
    }
    sources
}

/// Whether an input is a sequence: it may be shorter than its shape, or has steps of features or of tokens.
fn is_sequence(network: &Network, nth: usize) -> bool {
    let input = &network.inputs[nth];
    let rank = network.values[input.value.0].dims.sizes.len();
    input.ragged || rank == 2 || (rank == 1 && input.index) || is_taken_apart(network, input.value)
}

/// Whether a `PerStep` takes the steps of an input apart, also after layers that compute each step by itself.
fn is_taken_apart(network: &Network, input: ValueId) -> bool {
    let mut values = BTreeSet::from([input]);
    network.nodes.iter().any(|node| {
        let Layer::Known { row, .. } = &node.layer else { return false };
        let reads = values.contains(&node.inputs[0]);
        if reads && row.steps == Steps::Each {
            values.insert(node.output);
        }
        reads && node.begins_steps()
    })
}
