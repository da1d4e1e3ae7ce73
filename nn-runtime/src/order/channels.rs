//! Where PyTorch has the channels of each value: first or last.

use super::flat::{FlatGraph, FlatNode};
use unrolled_shape::Shape;
use unrolled_shape::registry::{Channels, Features};

/// Where PyTorch has the channels of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    First,
    Last,
    /// Where the layers that read the value `source`, an input of the network or a reshaped value, need them.
    AsRead {
        source: usize,
    },
}

/// For each value, whether PyTorch has its channels first.
pub(super) fn channels_first(graph: &FlatGraph) -> Vec<bool> {
    let mut places: Vec<Place> =
        (0..graph.values.len()).map(|source| Place::AsRead { source }).collect();
    // For each source, where the first of its readers that need a certain place need it.
    let mut read: Vec<Option<bool>> = vec![None; graph.values.len()];
    for node in &graph.nodes {
        let needed = match node.channels {
            Channels::First => Some(true),
            Channels::Last => Some(false),
            Channels::AsInput => None,
        };
        for input in &node.inputs {
            if let Place::AsRead { source } = places[*input] {
                read[source] = read[source].or(needed);
            }
        }
        places[node.output] = match needed {
            Some(true) => Place::First,
            Some(false) => Place::Last,
            None => as_input(graph, node, &places, &mut read),
        };
    }
    let is_first = |place: &Place| match *place {
        Place::First => true,
        Place::Last => false,
        Place::AsRead { source } => read[source].unwrap_or_else(|| is_image(&graph.values[source])),
    };
    places.iter().map(is_first).collect()
}

/// Where no layer needs a certain place: PyTorch has the channels of images first, and those of steps last.
const fn is_image(shape: &Shape) -> bool {
    shape.rank() >= 3
}

/// The place in the output of a layer that leaves it as it is.
fn as_input(
    graph: &FlatGraph,
    node: &FlatNode,
    places: &[Place],
    read: &mut [Option<bool>],
) -> Place {
    let output = &graph.values[node.output];
    // Features alone: what reads them says nothing of the image that they were flattened from.
    if output.rank() == 1 {
        return Place::Last;
    }
    if node.features == Features::View && graph.values[node.inputs[0]].rank() == 1 {
        return Place::AsRead { source: node.output };
    }
    // Not of factors per channel, which have no pixels: squeeze-and-excite has those from linear layers.
    let whole = node.inputs.iter().filter(|input| {
        node.features == Features::View || graph.values[**input].rank() == output.rank()
    });
    let mut found: Option<Place> = None;
    for input in whole {
        let place = places[*input];
        found = Some(match (found, place) {
            (None, place) => place,
            (Some(Place::AsRead { source }), known) | (Some(known), Place::AsRead { source }) => {
                // A sum has the channels of its branches in one place.
                if let Place::First | Place::Last = known {
                    read[source] = read[source].or(Some(known == Place::First));
                }
                known
            }
            (Some(before), place) if before == place => place,
            // A PyTorch model has to transpose some of the branches; this assumes those with channels first.
            _ => Place::Last,
        });
    }
    found.unwrap_or(Place::AsRead { source: node.output })
}
