//! Where every value and every gradient stands in memory, and which phase each node runs in.
//!
//! Two layouts: in training, values wait for backward and gradients stand beside them; at inference
//! a value is overwritten as soon as nobody needs it.

use crate::fusion::{self, Pooled};
use crate::network::{Network, Node, ValueId};
use std::collections::BTreeSet;
use unrolled_shape::registry::Storage;

/// Where a value or a gradient is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Location {
    /// An input of the network: not ours to write.
    Input(usize),
    /// What the caller receives.
    Output,
    /// Number of [`BufferPlan::buffers`].
    Buffer(usize),
}

/// A segment of memory between nodes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Buffer {
    /// Something of this value's size.
    pub(crate) value: ValueId,
    pub(crate) content: Content,
    /// The first and the last moment at which it is in use.
    pub(crate) from: usize,
    pub(crate) to: usize,
}

/// What a [`Buffer`] holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Content {
    /// What a node gives.
    Value { node: usize },
    /// Its gradient.
    Gradient { node: usize },
    /// What a node adds to the gradient of its input `nth`.
    Contribution { node: usize, nth: usize },
}

/// The memory of one pass.
#[derive(Default)]
pub(crate) struct BufferPlan {
    pub(crate) buffers: Vec<Buffer>,
    /// Where each value is.
    pub(crate) values: Vec<Option<Location>>,
    /// Where the gradient of each value is, as far as it is needed.
    pub(crate) gradients: Vec<Option<Location>>,
}

/// Whether a gradient is needed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    /// No weight and no input that could ask for one is before it.
    Never,
    /// Only if the caller asks for the gradient of one of these inputs.
    IfAsked(BTreeSet<usize>),
    /// Weights stand before it.
    Always,
}

/// How the gradient of a node's input comes about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flow {
    /// Nobody needs it.
    Unneeded,
    /// It is where the output's gradient was.
    Same,
    /// The node is the first to write it.
    First(Location),
    /// It is there already, and the node's contribution is added; by way of a buffer, unless it
    /// stands where the output's gradient was.
    More { to: Location, by: Option<usize> },
}

/// A segment of nodes that run in the same phase, or one that takes several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum PhaseSegment {
    /// Run in phase number `phase`.
    Straight { phase: usize, nodes: Vec<usize> },
    /// Runs from phase number `phase` to the next one.
    Crossing { phase: usize, node: usize },
}

/// The plan of a network.
pub(crate) struct Plan {
    pub(crate) train: BufferPlan,
    pub(crate) infer: BufferPlan,
    /// What inference computes together.
    pub(crate) pooled: Vec<Pooled>,
    /// Whether the gradient of each value is needed.
    pub(crate) needs: Vec<Need>,
    /// For each node, the gradients of its inputs.
    pub(crate) flows: Vec<Vec<Flow>>,
    /// The input that leaves the network as it came, if there is one: it is copied.
    pub(crate) copied: Option<usize>,
    pub(crate) segments: Vec<PhaseSegment>,
}

/// Plans the memory and the phases of a network.
pub(crate) fn plan(network: &Network) -> Plan {
    let graph = Graph::new(network);
    let needs = graph.needs();
    let mut train = graph.train_values();
    let flows = graph.flows(&needs, &mut train);
    let pooled = fusion::pooled(network, |node| graph.only_reader(node));
    Plan {
        infer: graph.infer_values(&pooled),
        pooled,
        copied: graph.copied(),
        segments: segments(network),
        train,
        needs,
        flows,
    }
}

/// Cuts the chain of nodes at those that take several phases.
fn segments(network: &Network) -> Vec<PhaseSegment> {
    let mut phase = 0;
    let mut segments: Vec<PhaseSegment> = Vec::new();
    for (index, node) in network.nodes.iter().enumerate() {
        if node.storage() == Storage::View {
            continue;
        }
        if node.may_cross() {
            segments.push(PhaseSegment::Crossing { phase, node: index });
            phase += 1;
        } else if let Some(PhaseSegment::Straight { nodes, .. }) = segments.last_mut() {
            nodes.push(index);
        } else {
            segments.push(PhaseSegment::Straight { phase, nodes: vec![index] });
        }
    }
    segments
}

/// Who writes and reads what.
struct Graph<'a> {
    network: &'a Network,
    /// For each value the one whose numbers it shows: itself, or the input of a view.
    alias: Vec<usize>,
    /// The node that gives each value, if it is no input.
    producer: Vec<Option<usize>>,
    /// The nodes that read each value, also through views.
    readers: Vec<Vec<usize>>,
}

impl<'a> Graph<'a> {
    fn new(network: &'a Network) -> Self {
        let count = network.values.len();
        let mut alias: Vec<usize> = (0..count).collect();
        let mut producer = vec![None; count];
        let mut readers = vec![Vec::new(); count];
        for (index, node) in network.nodes.iter().enumerate() {
            producer[node.output.0] = Some(index);
            if node.storage() == Storage::View {
                alias[node.output.0] = alias[node.inputs[0].0];
            } else {
                for input in &node.inputs {
                    readers[alias[input.0]].push(index);
                }
            }
        }
        Self { network, alias, producer, readers }
    }

    /// The value that leaves the network, seen through views.
    fn output(&self) -> usize {
        self.alias[self.network.output_value.0]
    }

    /// The number of the input that `value` is, if it is one.
    fn input(&self, value: usize) -> Option<usize> {
        self.network.inputs.iter().position(|input| input.value.0 == value)
    }

    fn copied(&self) -> Option<usize> {
        self.input(self.output())
    }

    /// Whether `node`, which works in place, is the only one to use its input.
    fn owns_input(&self, node: usize) -> bool {
        let input = self.alias[self.network.nodes[node].inputs[0].0];
        self.input(input).is_none()
            && input != self.output()
            && self.readers[input].as_slice() == [node]
    }

    /// The node that alone uses what `node` gives.
    fn only_reader(&self, node: usize) -> Option<usize> {
        let value = self.alias[self.network.nodes[node].output.0];
        match self.readers[value].as_slice() {
            [reader] if value != self.output() => Some(*reader),
            _ => None,
        }
    }

    /// For each value the first one in the same memory, where nodes that `join` work in place.
    fn groups(&self, join: impl Fn(usize) -> bool) -> Vec<usize> {
        let mut groups = self.alias.clone();
        for (index, node) in self.network.nodes.iter().enumerate() {
            let (input, output) = (node.inputs[0].0, node.output.0);
            groups[output] = match node.storage() {
                Storage::View => groups[input],
                Storage::InPlace if join(index) => groups[input],
                _ => output,
            };
        }
        groups
    }

    /// Moments: forward of each node, the copy of an output, and backward in reverse order.
    fn backward_of(&self, node: usize) -> usize {
        2 * self.network.nodes.len() + 1 - node
    }

    /// Places for groups of values: of inputs and output they are given. What nodes of `pooled` give has
    /// none.
    fn values(
        &self,
        groups: &[usize],
        pooled: &[Pooled],
        last_use: impl Fn(usize, &Node) -> [Option<usize>; 2],
    ) -> BufferPlan {
        let count = self.network.values.len();
        let mut layout = BufferPlan { values: vec![None; count], ..BufferPlan::default() };
        for (nth, input) in self.network.inputs.iter().enumerate() {
            layout.values[input.value.0] = Some(Location::Input(nth));
        }
        let output = groups[self.network.output_value.0];
        if self.input(output).is_none() {
            layout.values[output] = Some(Location::Output);
        }
        for (index, node) in self.network.nodes.iter().enumerate() {
            if pooled.iter().any(|it| it.hides(index)) {
                continue;
            }
            let group = groups[node.output.0];
            let place = *layout.values[group].get_or_insert_with(|| {
                let content = Content::Value { node: index };
                let value = node.output;
                layout.buffers.push(Buffer { value, content, from: index, to: index });
                Location::Buffer(layout.buffers.len() - 1)
            });
            layout.values[node.output.0] = Some(place);
            let [of_inputs, of_output] = last_use(index, node);
            let read = pooled.iter().find(|it| it.pool == index).map_or(index, |it| it.node);
            let uses =
                self.network.nodes[read].inputs.iter().map(|input| (groups[input.0], of_inputs));
            for (group, moment) in uses.chain([(group, of_output)]) {
                if let (Some(Location::Buffer(buffer)), Some(moment)) =
                    (layout.values[group], moment)
                {
                    let buffer = &mut layout.buffers[buffer];
                    buffer.to = buffer.to.max(moment);
                }
            }
        }
        layout
    }

    fn infer_values(&self, pooled: &[Pooled]) -> BufferPlan {
        let groups = self.groups(|node| self.owns_input(node));
        self.values(&groups, pooled, |index, node| {
            // A view reads nothing: those behind it do.
            let reads = node.storage() != Storage::View;
            [reads.then_some(index), None]
        })
    }

    fn train_values(&self) -> BufferPlan {
        // What a node needs again in backward, the one behind it must not overwrite.
        let join = |node: usize| {
            let input = self.alias[self.network.nodes[node].inputs[0].0];
            let kept = self.producer[input].is_some_and(|p| self.network.nodes[p].needs().output);
            self.owns_input(node) && !kept
        };
        let groups = self.groups(join);
        self.values(&groups, &[], |index, node| {
            if node.storage() == Storage::View {
                return [None, None];
            }
            let backward = self.backward_of(index);
            let needs = node.needs();
            let of_inputs = if needs.input { backward } else { index };
            [Some(of_inputs), needs.output.then_some(backward)]
        })
    }

    /// Which gradients are needed.
    fn needs(&self) -> Vec<Need> {
        let mut needs = vec![Need::Never; self.network.values.len()];
        for (nth, input) in self.network.inputs.iter().enumerate() {
            if !input.index {
                needs[input.value.0] = Need::IfAsked(BTreeSet::from([nth]));
            }
        }
        for node in &self.network.nodes {
            needs[node.output.0] = if node.has_weights() {
                Need::Always
            } else {
                let inputs = node.inputs.iter().map(|input| needs[input.0].clone());
                inputs.fold(Need::Never, Need::or)
            };
        }
        needs
    }

    /// How gradients come about, and their places.
    fn flows(&self, needs: &[Need], layout: &mut BufferPlan) -> Vec<Vec<Flow>> {
        let groups = self.groups(|node| self.owns_input(node));
        let count = self.network.values.len();
        layout.gradients = vec![None; count];
        for (nth, input) in self.network.inputs.iter().enumerate() {
            layout.gradients[input.value.0] = Some(Location::Input(nth));
        }
        let mut written = vec![false; count];
        let output = groups[self.network.output_value.0];
        if self.input(output).is_none() {
            layout.gradients[output] = Some(Location::Output);
        }
        written[output] = true;
        let mut flows = vec![Vec::new(); self.network.nodes.len()];
        for (index, node) in self.network.nodes.iter().enumerate().rev() {
            self.end_gradient(groups[node.output.0], index, layout);
            if node.storage() == Storage::View {
                continue;
            }
            let inputs = node.inputs.iter().enumerate();
            flows[index] = inputs
                .map(|(nth, input)| {
                    let group = groups[input.0];
                    if needs[input.0] == Need::Never {
                        return Flow::Unneeded;
                    }
                    let in_place = node.storage() == Storage::InPlace;
                    if in_place && group == groups[node.output.0] {
                        return Flow::Same;
                    }
                    let moment = self.backward_of(index);
                    let place = self.begin_gradient(group, moment, layout);
                    if !std::mem::replace(&mut written[group], true) {
                        return Flow::First(place);
                    }
                    let by = (!in_place).then(|| {
                        let content = Content::Contribution { node: index, nth };
                        let value = *input;
                        layout.buffers.push(Buffer { value, content, from: moment, to: moment });
                        layout.buffers.len() - 1
                    });
                    Flow::More { to: place, by }
                })
                .collect();
        }
        layout.gradients = groups.iter().map(|&group| layout.gradients[group]).collect();
        flows
    }

    /// The place of the gradient of `group`, which is used at `moment`.
    fn begin_gradient(&self, group: usize, moment: usize, layout: &mut BufferPlan) -> Location {
        if let Some(place) = layout.gradients[group] {
            return place;
        }
        let node = self.producer[group].expect("a value that is no input has a producer");
        layout.buffers.push(Buffer {
            value: ValueId(group),
            content: Content::Gradient { node },
            from: moment,
            to: moment,
        });
        let place = Location::Buffer(layout.buffers.len() - 1);
        layout.gradients[group] = Some(place);
        place
    }

    /// The gradient of `group` is used in backward of node `index`.
    fn end_gradient(&self, group: usize, index: usize, layout: &mut BufferPlan) {
        if let Some(Location::Buffer(buffer)) = layout.gradients[group] {
            let to = &mut layout.buffers[buffer].to;
            *to = (*to).max(self.backward_of(index));
        }
    }
}

impl Need {
    fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::Always, _) | (_, Self::Always) => Self::Always,
            (Self::Never, need) | (need, Self::Never) => need,
            (Self::IfAsked(a), Self::IfAsked(b)) => Self::IfAsked(a.union(&b).copied().collect()),
        }
    }
}
