//! [`Linter`], which the files beside this one add checks to, and what several of them look for.

use proc_macro2::Span;
use unrolled_shape::registry::{Row, Storage};
use unrolled_shape::{Role, Shape};

use super::warnings::Finding;
use crate::network::{Argument, ArgumentValue, Dim, Layer, Network, Node, ValueId};

/// The warnings about a network without errors. `is_layer` says that another network uses it as a layer.
pub(crate) fn find_mistakes(network: &Network, is_layer: bool) -> Vec<Finding<'_>> {
    let mut readers = vec![0; network.values.len()];
    for input in network.nodes.iter().flat_map(|node| &node.inputs) {
        readers[input.0] += 1;
    }
    let mut linter = Linter { network, readers, found: Vec::new() };
    for (_, node) in network.written() {
        // What is wrong with a node that is applied again is reported at the first one.
        if let (Layer::Known { row, .. }, None) = (&node.layer, node.first) {
            linter.check_chain(node, row);
            linter.check_arguments(node, row);
            linter.check_input(node, row);
            // The network around a layer may have the positions.
            if !is_layer {
                linter.check_positions(node, row);
            }
        }
    }
    linter.check_depth();
    linter.check_repeats();
    // The outputs of a layer are values inside of the network that uses it.
    if !is_layer {
        linter.check_outputs();
    }
    linter.found
}

/// The search for common mistakes in one network.
pub(super) struct Linter<'a> {
    pub(super) network: &'a Network,
    /// How many inputs of nodes each value is.
    readers: Vec<usize>,
    found: Vec<Finding<'a>>,
}

impl<'a> Linter<'a> {
    /// Adds a warning about a node, at its name.
    pub(super) fn warn(&mut self, lint: &'static str, node: &'a Node, words: String) {
        self.warn_at(lint, node.span, node, words);
    }

    /// Adds a warning about a node, at one of its arguments.
    pub(super) fn warn_argument(
        &mut self,
        lint: &'static str,
        (node, argument): (&'a Node, &str),
        words: String,
    ) {
        let at = node.argument(argument).map_or(node.span, |argument| argument.span);
        self.warn_at(lint, at, node, words);
    }

    /// Adds a warning about a node, at another place.
    pub(super) fn warn_at(&mut self, lint: &'static str, at: Span, node: &'a Node, words: String) {
        self.found.push(Finding { lint, at, levels: &node.levels, words });
    }

    /// Adds a warning about something outside of all blocks, such as the header.
    pub(super) fn warn_header(&mut self, lint: &'static str, at: Span, words: String) {
        self.found.push(Finding { lint, at, levels: &self.network.levels, words });
    }

    fn check_repeats(&mut self) {
        for (at, levels) in &self.network.single_repeats {
            let words = "`Repeat(1)` has one copy of its lines\n  = help: write the lines without \
                         `Repeat`, or in a named block";
            let lint = "repeat_of_one";
            self.found.push(Finding { lint, at: *at, levels, words: words.into() });
        }
    }

    /// The node whose output a node reads, where nothing else reads it and it leaves the network nowhere.
    pub(super) fn before(&self, node: &Node) -> Option<&'a Node> {
        let value = *node.inputs.first()?;
        let is_output = self.network.outputs.iter().any(|output| output.value == value);
        let producer = self.network.producer(value)?;
        (self.readers[value.0] == 1 && !is_output).then(|| &self.network.nodes[producer])
    }

    /// As [`Self::before`], without the nodes that `is_skipped` holds for.
    pub(super) fn before_all(
        &self,
        node: &Node,
        is_skipped: impl Fn(&Node, &Row) -> bool,
    ) -> Option<&'a Node> {
        let mut before = self.before(node)?;
        while let Layer::Known { row, .. } = &before.layer
            && is_skipped(before, row)
        {
            before = self.before(before)?;
        }
        Some(before)
    }

    /// The shape of a value, where all of its sizes are literals.
    pub(super) fn shape(&self, value: ValueId) -> Option<Shape> {
        self.network.values[value.0].dims.known()
    }

    /// The shape of the first input of a node.
    pub(super) fn input_shape(&self, node: &Node) -> Option<Shape> {
        self.shape(*node.inputs.first()?)
    }
}

/// Whether a node has the same elements as its input, in another shape.
pub(super) fn is_view(node: &Node) -> bool {
    node.storage() == Storage::View
}

/// Whether a layer is a linear map with weights.
pub(super) fn is_linear(role: Role) -> bool {
    matches!(role, Role::Dense | Role::Convolution | Role::TransposedConvolution)
}

/// The value of a flag.
pub(super) fn flag(node: &Node, name: &str) -> bool {
    node.argument(name).is_some_and(Argument::is_true)
}

/// The value of a real number.
pub(super) fn real(node: &Node, name: &str) -> Option<f64> {
    match node.argument(name)?.value {
        ArgumentValue::Real(real) => Some(real),
        _ => None,
    }
}

/// The literal sizes of an argument: one of a layer over steps, two of a layer over images, three of one over volumes.
pub(super) fn sizes(node: &Node, name: &str) -> Option<Vec<usize>> {
    match &node.argument(name)?.value {
        ArgumentValue::Number(size) => Some(vec![size.known()?]),
        ArgumentValue::Pair(sizes) => sizes.iter().map(Dim::known).collect(),
        ArgumentValue::Triple(sizes) => sizes.iter().map(Dim::known).collect(),
        _ => None,
    }
}
