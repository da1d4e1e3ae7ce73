//! Where PyTorch has the channels of each value: first, after the steps of a `PerStep`, or last.

use super::graph::{Graph, GraphNode};
use unrolled_shape::Shape;
use unrolled_shape::registry::{Channels, Features};

/// The number of axes before the channels in PyTorch: 0 if they are first, more after the steps of a `PerStep`; `None` if they
/// are last.
type AxesBefore = Option<usize>;

/// Where PyTorch has the channels of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Position {
    Known(AxesBefore),
    /// Where the layers that read the value `source`, an input of the network or a reshaped value, need them.
    AsRead {
        source: usize,
        axes: Axes,
    },
}

/// How the first axes of a value differ from those of its source.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Axes {
    /// Steps that a `PerStep` has taken off.
    steps: usize,
    /// Others that were removed, and come before the channels only if these are after steps.
    reduced: usize,
    /// Steps that were added afterwards.
    added: usize,
}

impl Axes {
    /// The axes before the channels of the value, if there are `before` in the source.
    fn here(self, before: usize) -> usize {
        before.saturating_sub(self.steps + self.reduced) + self.added
    }

    /// The axes before the channels of the source, if there are `before` in the value.
    const fn at_source(self, before: usize) -> usize {
        before.saturating_sub(self.added) + self.steps
    }
}

impl Position {
    const FIRST: Self = Self::Known(Some(0));
    const LAST: Self = Self::Known(None);

    fn as_read(source: usize) -> Self {
        Self::AsRead { source, axes: Axes::default() }
    }

    /// Without axis `axis`, which is not that of the channels.
    fn without(self, axis: usize) -> Self {
        match self {
            Self::Known(Some(before)) if axis < before => Self::Known(Some(before - 1)),
            Self::AsRead { source, axes } if axis < axes.added => {
                Self::AsRead { source, axes: Axes { added: axes.added - 1, ..axes } }
            }
            Self::AsRead { source, axes } if axis == 0 => {
                Self::AsRead { source, axes: Axes { reduced: axes.reduced + 1, ..axes } }
            }
            other => other,
        }
    }

    /// Without the first axis, which counts steps.
    fn one_step(self) -> Self {
        match self {
            Self::AsRead { source, axes } if axes.added == 0 => {
                Self::AsRead { source, axes: Axes { steps: axes.steps + 1, ..axes } }
            }
            other => other.without(0),
        }
    }

    /// After a further first axis.
    fn all_steps(self) -> Self {
        match self {
            Self::Known(before) => Self::Known(before.map(|axes| axes + 1)),
            Self::AsRead { source, axes } => {
                Self::AsRead { source, axes: Axes { added: axes.added + 1, ..axes } }
            }
        }
    }
}

/// Of each value, what its readers need.
struct Read {
    /// Where the first reader that needs its channels in a certain position needs them.
    needed: Vec<Option<AxesBefore>>,
    /// The axes that are steps, since a `PerStep` takes them off.
    steps: Vec<usize>,
}

impl Read {
    /// A layer needs the channels of a value at `position` there.
    fn need(&mut self, position: Position, before: AxesBefore) {
        if let Position::AsRead { source, axes } = position {
            let before = before.map(|before| axes.at_source(before));
            self.needed[source] = self.needed[source].or(Some(before));
        }
    }

    /// A `PerStep` takes one step of a value at `position`.
    fn take_step(&mut self, position: Position) {
        if let Position::AsRead { source, axes: Axes { steps, added: 0, .. } } = position {
            self.steps[source] = self.steps[source].max(steps + 1);
        }
    }

    /// The axes before the channels of a value.
    fn axes_before(&self, position: Position, graph: &Graph<'_>) -> AxesBefore {
        match position {
            Position::Known(before) => before,
            Position::AsRead { source, axes } => {
                let steps = self.steps[source];
                // Where no layer needs a certain position: PyTorch has the channels of images first, and those of steps last.
                let is_image = graph.values[source].rank() >= steps + 3;
                let before = self.needed[source].unwrap_or_else(|| is_image.then_some(steps));
                before.map(|before| axes.here(before))
            }
        }
    }
}

/// For each value, the axes before its channels in PyTorch.
pub(super) fn axes_before_channels(graph: &Graph<'_>) -> Vec<AxesBefore> {
    let count = graph.values.len();
    let mut positions: Vec<Position> = (0..count).map(Position::as_read).collect();
    let mut read = Read { needed: vec![None; count], steps: vec![0; count] };
    for node in &graph.nodes {
        let needed = match node.channels {
            Channels::First => Some(Some(0)),
            Channels::Last => Some(None),
            _ => None,
        };
        for input in &node.inputs {
            needed.into_iter().for_each(|before| read.need(positions[*input], before));
        }
        let is_flat = graph.values[node.output].rank() == 1;
        positions[node.output] = match node.channels {
            Channels::First => Position::FIRST,
            Channels::Last | Channels::Removed => Position::LAST,
            Channels::OneStep => {
                read.take_step(positions[node.inputs[0]]);
                if is_flat { Position::LAST } else { positions[node.inputs[0]].one_step() }
            }
            Channels::AllSteps => match graph.values[node.inputs[0]].rank() {
                1 => Position::LAST,
                _ => positions[node.inputs[0]].all_steps(),
            },
            Channels::AsInput => as_input(graph, node, &positions, &mut read),
            Channels::Kept { removed } => {
                as_input(graph, node, &positions, &mut read).without(removed)
            }
        };
    }
    let axes_before = |(position, shape): (Position, &Shape)| {
        // A view may have fewer axes than its input.
        let most = shape.rank().saturating_sub(1);
        read.axes_before(position, graph).map(|axes| axes.min(most))
    };
    positions.into_iter().zip(&graph.values).map(axes_before).collect()
}

/// The position in the output of a layer that leaves it as it is.
fn as_input(
    graph: &Graph<'_>,
    node: &GraphNode<'_>,
    positions: &[Position],
    read: &mut Read,
) -> Position {
    let output = &graph.values[node.output];
    // Features alone: what reads them says nothing of the image that they were flattened from.
    if output.rank() == 1 {
        return Position::LAST;
    }
    if node.features == Features::View && graph.values[node.inputs[0]].rank() == 1 {
        return Position::as_read(node.output);
    }
    // Not of factors per channel, which have no pixels: squeeze-and-excite has those from linear layers.
    let changes_rank =
        node.features == Features::View || matches!(node.channels, Channels::Kept { .. });
    let is_whole = |input: &&usize| changes_rank || graph.values[**input].rank() == output.rank();
    let whole = node.inputs.iter().filter(is_whole);
    let mut found: Option<Position> = None;
    for input in whole {
        let position = positions[*input];
        found = Some(match (found, position) {
            (None, position) => position,
            (Some(other @ Position::AsRead { .. }), known)
            | (Some(known), other @ Position::AsRead { .. }) => {
                // A sum has the channels of its branches in one position.
                if let Position::Known(before) = known {
                    read.need(other, before);
                }
                known
            }
            (Some(before), position) if before == position => position,
            // A PyTorch model has to transpose some of the branches; this assumes those with channels first.
            _ => Position::LAST,
        });
    }
    found.unwrap_or(Position::as_read(node.output))
}
