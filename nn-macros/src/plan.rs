//! The memory plan: the location of every value and every gradient, and the phase of every node.
//!
//! There are two plans. In training, a value is stored until the backward pass has read it, and gradients have
//! buffers of their own. At inference, a value is overwritten after its last reader.
//!
//! This module decides which buffers exist and during which moments each is in use. Their offsets follow from
//! their lengths, by `unrolled_shape::plan`, which packs buffers that are never in use together into the same
//! memory: the compiler does that where sizes are constants of the user's.

use crate::fusion::{self, Fused};
use crate::network::{Network, Node, ValueId};
use std::collections::BTreeSet;
use unrolled_shape::registry::Storage;

/// The location of a value or a gradient.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Location {
    /// An input of the network, which belongs to the caller and is never written.
    Input(usize),
    /// The output, which the caller provides.
    Output,
    /// An index of [`BufferPlan::buffers`].
    Buffer(usize),
}

/// A piece of memory that holds one value, gradient or contribution.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Buffer {
    /// It has the size of this value, or of some of its lines.
    pub(crate) value: ValueId,
    /// The number of lines that it stores, if these are not all.
    pub(crate) lines: Option<usize>,
    pub(crate) content: Content,
    /// The first and the last moment at which it is in use.
    pub(crate) from: usize,
    pub(crate) to: usize,
}

/// What a [`Buffer`] holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Content {
    /// The output of a node.
    Value { node: usize },
    /// Its gradient.
    Gradient { node: usize },
    /// What a node adds to the gradient of its input `nth`, before it is added.
    Contribution { node: usize, nth: usize },
}

/// The memory of one pass.
#[derive(Default)]
pub(crate) struct BufferPlan {
    pub(crate) buffers: Vec<Buffer>,
    /// The location of each value.
    pub(crate) values: Vec<Option<Location>>,
    /// The location of the gradient of each value, as far as it is needed.
    pub(crate) gradients: Vec<Option<Location>>,
}

/// Whether a gradient is needed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    /// No: it depends on no weight, and on no input of real numbers.
    Never,
    /// Only if the caller requests the gradient of one of these inputs.
    IfRequested(BTreeSet<usize>),
    /// Yes: it depends on weights.
    Always,
}

/// How a node computes the gradient of one of its inputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flow {
    /// Not at all: no weight and no caller needs it.
    Unneeded,
    /// In place: it overwrites the gradient of the output.
    Same,
    /// The node is the first of the value's readers, in backward order, and writes it.
    First(Location),
    /// Another reader has written it already, and the node adds its contribution: from buffer `by`, or, where
    /// it works in place, from where the gradient of the output was.
    More { to: Location, by: Option<usize> },
}

/// Consecutive nodes that run in the same phase of a training step, or one node that takes several phases.
///
/// Phases are counted here as if each such node had two. A nested network may have any number: expanded code counts
/// them with `Phases`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum PhaseSegment {
    /// They run in phase `phase`.
    Straight { phase: usize, nodes: Vec<usize> },
    /// It runs from phase `phase` to the next one.
    Crossing { phase: usize, node: usize },
}

/// The plan of a network.
pub(crate) struct Plan {
    pub(crate) train: BufferPlan,
    pub(crate) infer: BufferPlan,
    /// What inference computes together.
    pub(crate) fused: Vec<Fused>,
    /// Whether the gradient of each value is needed.
    pub(crate) needs: Vec<Need>,
    /// For each node, the gradients of its inputs.
    pub(crate) flows: Vec<Vec<Flow>>,
    /// The input that is the output of the network, if there is one: it is copied.
    pub(crate) copied: Option<usize>,
    pub(crate) segments: Vec<PhaseSegment>,
}

/// Plans the memory and the phases of a network.
pub(crate) fn plan(network: &Network) -> Plan {
    let graph = Graph::new(network);
    let needs = graph.needs();
    let mut train = graph.train_values();
    let flows = graph.flows(&needs, &mut train);
    // At inference only: in training, backward may read what fused layers do not store.
    let fused = fusion::fused(network, |node| graph.only_reader(node));
    Plan {
        infer: graph.infer_values(&fused),
        fused,
        copied: graph.copied(),
        segments: segments(network),
        train,
        needs,
        flows,
    }
}

/// Cuts the chain of nodes at those that take several phases. Views have no code and are left out.
fn segments(network: &Network) -> Vec<PhaseSegment> {
    let mut phase = 0;
    let mut segments: Vec<PhaseSegment> = Vec::new();
    for (index, node) in network.nodes.iter().enumerate() {
        if node.storage() == Storage::View {
            continue;
        }
        if node.may_cross() {
            segments.push(PhaseSegment::Crossing { phase, node: index });
            // Its last phase is the phase of the nodes after it, and the first phase of the next such node.
            phase += 1;
        } else if let Some(PhaseSegment::Straight { nodes, .. }) = segments.last_mut() {
            nodes.push(index);
        } else {
            segments.push(PhaseSegment::Straight { phase, nodes: vec![index] });
        }
    }
    segments
}

/// The producer and the readers of each value.
struct Graph<'a> {
    network: &'a Network,
    /// For each value the one that holds its elements: itself, or the input of a view.
    alias: Vec<usize>,
    /// The node whose output each value is; `None` for inputs.
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
            // Nodes are in the order in which they run: aliases of inputs are final.
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

    /// The value that leaves the network, through views.
    fn output(&self) -> usize {
        self.alias[self.network.output_value.0]
    }

    /// The index of the input that `value` is, if it is one.
    fn input(&self, value: usize) -> Option<usize> {
        self.network.inputs.iter().position(|input| input.value.0 == value)
    }

    fn copied(&self) -> Option<usize> {
        self.input(self.output())
    }

    /// Whether `node`, which works in place, may overwrite its input: it is the only reader, and the input
    /// belongs neither to the caller nor to the output.
    fn owns_input(&self, node: usize) -> bool {
        let input = self.alias[self.network.nodes[node].inputs[0].0];
        self.input(input).is_none()
            && input != self.output()
            && self.readers[input].as_slice() == [node]
    }

    /// The only reader of the output of `node`.
    fn only_reader(&self, node: usize) -> Option<usize> {
        let value = self.alias[self.network.nodes[node].output.0];
        match self.readers[value].as_slice() {
            [reader] if value != self.output() => Some(*reader),
            _ => None,
        }
    }

    /// For each value the first one in the same memory: views and the nodes that `join` accepts share the memory
    /// of their input.
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

    /// The moment of the backward pass of a node. Moments count the forward passes of all nodes, then the copy
    /// of an output, then the backward passes in reverse order.
    fn backward_of(&self, node: usize) -> usize {
        2 * self.network.nodes.len() + 1 - node
    }

    /// Assigns locations to groups of values. `last_use` returns the moments until which a node needs its inputs
    /// and its output. Values that `fused` hides are never stored and have none.
    fn values(
        &self,
        groups: &[usize],
        fused: &[Fused],
        last_use: impl Fn(usize, &Node) -> [Option<usize>; 2],
    ) -> BufferPlan {
        let count = self.network.values.len();
        let mut plan = BufferPlan { values: vec![None; count], ..BufferPlan::default() };
        for (nth, input) in self.network.inputs.iter().enumerate() {
            plan.values[input.value.0] = Some(Location::Input(nth));
        }
        let output = groups[self.network.output_value.0];
        if self.input(output).is_none() {
            // If all nodes are views, the output is a copy of an input: see `copied`.
            plan.values[output] = Some(Location::Output);
        }
        for (index, node) in self.network.nodes.iter().enumerate() {
            if fused.iter().any(|it| it.hides(index)) {
                continue;
            }
            let group = groups[node.output.0];
            // The first node of a group makes its buffer, the others extend its use.
            let location = *plan.values[group].get_or_insert_with(|| {
                let content = Content::Value { node: index };
                let value = node.output;
                plan.buffers.push(Buffer { value, lines: None, content, from: index, to: index });
                Location::Buffer(plan.buffers.len() - 1)
            });
            plan.values[node.output.0] = Some(location);
            let [of_inputs, of_output] = last_use(index, node);
            // The last node reads what all of them read.
            let together = fused.iter().find(|it| it.last() == index);
            let read = together.map_or(node.inputs.clone(), Fused::inputs);
            let uses = read.iter().map(|input| (groups[input.0], of_inputs));
            for (group, moment) in uses.chain([(group, of_output)]) {
                if let (Some(Location::Buffer(buffer)), Some(moment)) = (plan.values[group], moment)
                {
                    let buffer = &mut plan.buffers[buffer];
                    buffer.to = buffer.to.max(moment);
                }
            }
            together.into_iter().for_each(|it| self.store_lines(it, &mut plan));
        }
        plan
    }

    /// Adds the buffers for the lines between the stages of `fused`.
    fn store_lines(&self, fused: &Fused, plan: &mut BufferPlan) {
        for stage in &fused.stages {
            let Some(lines) = stage.lines else { continue };
            let (node, now) = (stage.last(), fused.last());
            let (value, content) = (self.network.nodes[node].output, Content::Value { node });
            plan.values[value.0] = Some(Location::Buffer(plan.buffers.len()));
            plan.buffers.push(Buffer { value, lines: Some(lines), content, from: now, to: now });
        }
    }

    fn infer_values(&self, fused: &[Fused]) -> BufferPlan {
        let groups = self.groups(|node| self.owns_input(node));
        self.values(&groups, fused, |index, node| {
            // A view reads nothing: its readers do.
            let reads = node.storage() != Storage::View;
            [reads.then_some(index), None]
        })
    }

    fn train_values(&self) -> BufferPlan {
        // Its reader must not overwrite an output that the backward pass of the producer reads.
        let join = |node: usize| {
            let input = self.alias[self.network.nodes[node].inputs[0].0];
            let read_again =
                self.producer[input].is_some_and(|p| self.network.nodes[p].needs().output);
            self.owns_input(node) && !read_again
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
            // Token indices have no gradient.
            if !input.index {
                needs[input.value.0] = Need::IfRequested(BTreeSet::from([nth]));
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

    /// How gradients are computed, and their locations.
    fn flows(&self, needs: &[Need], plan: &mut BufferPlan) -> Vec<Vec<Flow>> {
        // Unlike values, gradients may always be overwritten in place: no pass reads one twice.
        let groups = self.groups(|node| self.owns_input(node));
        let count = self.network.values.len();
        plan.gradients = vec![None; count];
        for (nth, input) in self.network.inputs.iter().enumerate() {
            plan.gradients[input.value.0] = Some(Location::Input(nth));
        }
        let mut written = vec![false; count];
        let output = groups[self.network.output_value.0];
        if self.input(output).is_none() {
            plan.gradients[output] = Some(Location::Output);
        }
        // The loss has written the gradient of the output before the backward pass begins.
        written[output] = true;
        let mut flows = vec![Vec::new(); self.network.nodes.len()];
        for (index, node) in self.network.nodes.iter().enumerate().rev() {
            self.end_gradient(groups[node.output.0], index, plan);
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
                    let location = self.begin_gradient(group, moment, plan);
                    if !std::mem::replace(&mut written[group], true) {
                        return Flow::First(location);
                    }
                    // Kernels overwrite the gradients that they compute, so a second contribution needs memory
                    // of its own, for as long as the node runs.
                    let by = (!in_place).then(|| {
                        let content = Content::Contribution { node: index, nth };
                        let value = *input;
                        plan.buffers.push(Buffer {
                            value,
                            lines: None,
                            content,
                            from: moment,
                            to: moment,
                        });
                        plan.buffers.len() - 1
                    });
                    Flow::More { to: location, by }
                })
                .collect();
        }
        plan.gradients = groups.iter().map(|&group| plan.gradients[group]).collect();
        flows
    }

    /// The location of the gradient of `group`, whose first writer runs at `moment`.
    fn begin_gradient(&self, group: usize, moment: usize, plan: &mut BufferPlan) -> Location {
        if let Some(location) = plan.gradients[group] {
            return location;
        }
        let node = self.producer[group].expect("every value but the inputs has a producer");
        plan.buffers.push(Buffer {
            value: ValueId(group),
            lines: None,
            content: Content::Gradient { node },
            from: moment,
            to: moment,
        });
        // `end_gradient` extends its use.
        let location = Location::Buffer(plan.buffers.len() - 1);
        plan.gradients[group] = Some(location);
        location
    }

    /// Keeps the gradient of `group` in use until the backward pass of node `index` has read it.
    fn end_gradient(&self, group: usize, index: usize, plan: &mut BufferPlan) {
        if let Some(Location::Buffer(buffer)) = plan.gradients[group] {
            let to = &mut plan.buffers[buffer].to;
            *to = (*to).max(self.backward_of(index));
        }
    }
}

impl Need {
    fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::Always, _) | (_, Self::Always) => Self::Always,
            (Self::Never, need) | (need, Self::Never) => need,
            (Self::IfRequested(a), Self::IfRequested(b)) => {
                Self::IfRequested(a.union(&b).copied().collect())
            }
        }
    }
}
