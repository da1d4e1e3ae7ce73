//! Which values count the steps of an input.

use crate::network::{Layer, Network};
use unrolled_shape::registry::Steps;

/// Where a value has its steps from.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    /// They are those of an input.
    Input(usize),
    /// A node makes others of its input's: a constant of its name says which.
    Node(usize),
}

/// For each value from where it has its steps; `None` where it is no sequence.
pub(super) fn sources(network: &Network) -> Vec<Option<Source>> {
    let mut sources = vec![None; network.values.len()];
    for (nth, input) in network.inputs.iter().enumerate() {
        sources[input.value.0] = is_sequence(network, nth).then_some(Source::Input(nth));
    }
    for (nth, node) in network.nodes.iter().enumerate() {
        let mut known = node.on_the_line().iter().filter_map(|input| sources[input.0]);
        sources[node.output.0] = known.next().and_then(|first| match &node.layer {
            Layer::Custom(_) => Some(Source::Node(nth)),
            Layer::Known { row, .. } => match row.steps {
                Steps::Kernel => Some(Source::Node(nth)),
                Steps::Each if known.any(|other| other != first) => Some(Source::Node(nth)),
                Steps::Each => Some(first),
                Steps::Valid => network.keeps_rank(node).then_some(first),
                Steps::All => None,
            },
        });
    }
    sources
}

/// An input is a sequence if it may be shorter than its shape, or has steps of features or of tokens.
fn is_sequence(network: &Network, nth: usize) -> bool {
    let input = &network.inputs[nth];
    let rank = network.values[input.value.0].dims.sizes.len();
    input.ragged || rank == 2 || (rank == 1 && input.index)
}
