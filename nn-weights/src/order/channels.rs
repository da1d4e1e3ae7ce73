//! Where PyTorch has the channels of each value: first or last.

use super::graph::{Graph, GraphNode};
use unrolled_shape::Shape;
use unrolled_shape::registry::{Channels, Features};

/// Where PyTorch has the channels of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Position {
    First,
    Last,
    /// Where the layers that read the value `source`, an input of the network or a reshaped value, need them.
    AsRead {
        source: usize,
    },
}

/// For each value, whether PyTorch has its channels first.
pub(super) fn channels_first(graph: &Graph<'_>) -> Vec<bool> {
    let mut positions: Vec<Position> =
        (0..graph.values.len()).map(|source| Position::AsRead { source }).collect();
    // For each source, where the first of its readers that need a certain position need it.
    let mut read: Vec<Option<bool>> = vec![None; graph.values.len()];
    for node in &graph.nodes {
        let needed = match node.channels {
            Channels::First => Some(true),
            Channels::Last => Some(false),
            Channels::AsInput | Channels::Kept | Channels::Removed => None,
        };
        for input in &node.inputs {
            if let Position::AsRead { source } = positions[*input] {
                read[source] = read[source].or(needed);
            }
        }
        positions[node.output] = match node.channels {
            Channels::First => Position::First,
            Channels::Last | Channels::Removed => Position::Last,
            Channels::AsInput | Channels::Kept => as_input(graph, node, &positions, &mut read),
        };
    }
    let is_first = |position: &Position| match *position {
        Position::First => true,
        Position::Last => false,
        Position::AsRead { source } => {
            read[source].unwrap_or_else(|| is_image(&graph.values[source]))
        }
    };
    positions.iter().map(is_first).collect()
}

/// Where no layer needs a certain position: PyTorch has the channels of images first, and those of steps last.
const fn is_image(shape: &Shape) -> bool {
    shape.rank() >= 3
}

/// The position in the output of a layer that leaves it as it is.
fn as_input(
    graph: &Graph<'_>,
    node: &GraphNode<'_>,
    positions: &[Position],
    read: &mut [Option<bool>],
) -> Position {
    let output = &graph.values[node.output];
    // Features alone: what reads them says nothing of the image that they were flattened from.
    if output.rank() == 1 {
        return Position::Last;
    }
    if node.features == Features::View && graph.values[node.inputs[0]].rank() == 1 {
        return Position::AsRead { source: node.output };
    }
    // Not of factors per channel, which have no pixels: squeeze-and-excite has those from linear layers.
    let changes_rank = node.features == Features::View || node.channels == Channels::Kept;
    let is_whole = |input: &&usize| changes_rank || graph.values[**input].rank() == output.rank();
    let whole = node.inputs.iter().filter(is_whole);
    let mut found: Option<Position> = None;
    for input in whole {
        let position = positions[*input];
        found = Some(match (found, position) {
            (None, position) => position,
            (Some(Position::AsRead { source }), known)
            | (Some(known), Position::AsRead { source }) => {
                // A sum has the channels of its branches in one position.
                if let Position::First | Position::Last = known {
                    read[source] = read[source].or(Some(known == Position::First));
                }
                known
            }
            (Some(before), position) if before == position => position,
            // A PyTorch model has to transpose some of the branches; this assumes those with channels first.
            _ => Position::Last,
        });
    }
    found.unwrap_or(Position::AsRead { source: node.output })
}
