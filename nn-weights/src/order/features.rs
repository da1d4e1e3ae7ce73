//! The order of the features of each value in PyTorch.

use super::channels::axes_before_channels;
use super::graph::{Graph, GraphNode};
use crate::feature_order::FeatureOrder;
use thiserror::Error;
use unrolled_shape::Shape;
use unrolled_shape::registry::Features;

/// Why no PyTorch model has the weights of a network.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
#[error(
    "PyTorch flattens channels first, so that features in two orders would meet at layer `{layer}`: \
     {expected}, and {found}"
)]
pub struct OrderConflict {
    /// The path of the layer.
    pub layer: String,
    expected: FeatureOrder,
    found: FeatureOrder,
}

/// The orders of all values.
#[derive(Debug)]
pub(super) struct FeatureOrders {
    /// For each value, one with the same order, or itself.
    same_as: Vec<usize>,
    /// The order of the values that no other one is the representative of; `None` where no layer determines it.
    orders: Vec<Option<FeatureOrder>>,
    /// The first conflict.
    pub(super) conflict: Option<OrderConflict>,
}

impl FeatureOrders {
    /// The orders in `graph`.
    pub(super) fn new(graph: &Graph<'_>) -> Self {
        let count = graph.values.len();
        let mut orders =
            Self { same_as: (0..count).collect(), orders: vec![None; count], conflict: None };
        orders.join_equal(graph);
        orders.set_known(graph);
        orders.derive(graph);
        orders
    }

    /// The order of a value.
    pub(super) fn of(&self, value: usize) -> FeatureOrder {
        self.known(value).cloned().unwrap_or_default()
    }

    fn representative(&self, mut value: usize) -> usize {
        while self.same_as[value] != value {
            value = self.same_as[value];
        }
        value
    }

    fn known(&self, value: usize) -> Option<&FeatureOrder> {
        self.orders[self.representative(value)].as_ref()
    }

    /// Sets the order of a value, or keeps the conflict with the one that it has.
    fn set(&mut self, value: usize, order: FeatureOrder, layer: &str) {
        let at = self.representative(value);
        match &self.orders[at] {
            Some(known) if *known != order => self.add_conflict(layer, order, known.clone()),
            _ => self.orders[at] = Some(order),
        }
    }

    fn add_conflict(&mut self, layer: &str, expected: FeatureOrder, found: FeatureOrder) {
        let conflict = OrderConflict { layer: layer.to_owned(), expected, found };
        self.conflict.get_or_insert(conflict);
    }

    /// Joins values that have the same order wherever it comes from.
    fn join_equal(&mut self, graph: &Graph<'_>) {
        for node in &graph.nodes {
            let features = graph.values[node.output].last();
            let same = matches!(node.features, Features::Same | Features::View);
            // A branch of one feature, such as a factor per pixel, has no order.
            let inputs =
                node.inputs.iter().filter(|input| graph.values[**input].last() == features);
            for input in inputs.filter(|_| same) {
                let (from, to) = (self.representative(*input), self.representative(node.output));
                self.same_as[from] = to;
            }
            self.join_again(graph, node);
        }
    }

    /// Joins the values of a layer that is applied again with those of its first application: a weight has one order.
    fn join_again(&mut self, graph: &Graph<'_>, node: &GraphNode<'_>) {
        let Some(first) = node.first.map(|first| &graph.nodes[first]) else { return };
        let inputs = node.inputs.iter().zip(&first.inputs);
        for (value, first) in inputs.chain([(&node.output, &first.output)]) {
            let (from, to) = (self.representative(*value), self.representative(*first));
            self.same_as[from] = to;
        }
    }

    /// Sets the orders that a single layer determines.
    fn set_known(&mut self, graph: &Graph<'_>) {
        for node in &graph.nodes {
            if node.features == Features::Fixed {
                for input in &node.inputs {
                    self.set(*input, FeatureOrder::PLAIN, &node.name);
                }
            }
            if node.features == Features::AnyInput {
                // Weights have the order of the first input; states and memories have none of their own.
                for input in node.inputs.iter().skip(1) {
                    self.set(*input, FeatureOrder::PLAIN, &node.name);
                }
            }
            if let Features::Fixed | Features::AnyInput = node.features {
                self.set(node.output, FeatureOrder::PLAIN, &node.name);
            }
        }
    }

    /// Derives the orders on one side of views and concatenations from those on the other, until all are known. Where
    /// nothing is known of a value, its order is the same as here.
    fn derive(&mut self, graph: &Graph<'_>) {
        let axes_before = axes_before_channels(graph);
        let is_derived = |node: &&GraphNode<'_>| match node.features {
            Features::Concat => true,
            Features::View => {
                graph.values[node.inputs[0]].last() != graph.values[node.output].last()
            }
            _ => false,
        };
        let mut pending: Vec<&GraphNode<'_>> = graph.nodes.iter().filter(is_derived).collect();
        while !pending.is_empty() {
            let before = pending.len();
            pending.retain(|node| !self.derive_node(graph, node, &axes_before));
            if pending.len() == before {
                // Nothing follows from what is known: assume the order of one value.
                let node = pending[0];
                let unknown = node.inputs.iter().find(|input| self.known(**input).is_none());
                let value = unknown.copied().unwrap_or(node.output);
                self.set(value, FeatureOrder::PLAIN, &node.name);
            }
        }
    }

    /// Derives the order of a node's output or input. Returns whether it was possible.
    fn derive_node(
        &mut self,
        graph: &Graph<'_>,
        node: &GraphNode<'_>,
        axes_before: &[Option<usize>],
    ) -> bool {
        if node.features == Features::Concat {
            return self.derive_concat(graph, node);
        }
        let (input, output) = (node.inputs[0], node.output);
        let (from, to) = (&graph.values[input], &graph.values[output]);
        match (pixels(from), pixels(to)) {
            (_, 1) => self.derive_flattened(node, from, axes_before[input]),
            (1, _) => self.derive_reshaped(node, to, axes_before[output]),
            _ => {
                // The same elements in both only if flattening both gives the same order.
                let flat = |shape, before: Option<usize>| {
                    before.map_or(FeatureOrder::PLAIN, |before| flattened(shape, before))
                };
                let (expected, found) =
                    (flat(to, axes_before[output]), flat(from, axes_before[input]));
                if expected != found {
                    self.add_conflict(&node.name, expected, found);
                }
                self.set(input, FeatureOrder::PLAIN, &node.name);
                self.set(output, FeatureOrder::PLAIN, &node.name);
                true
            }
        }
    }

    /// The output of a view that flattens an image or steps of the shape `from`.
    fn derive_flattened(
        &mut self,
        node: &GraphNode<'_>,
        from: &Shape,
        before: Option<usize>,
    ) -> bool {
        let (input, output) = (node.inputs[0], node.output);
        if let Some(before) = before {
            self.set(input, FeatureOrder::PLAIN, &node.name);
            self.set(output, flattened(from, before), &node.name);
            return true;
        }
        let Some(order) = self.known(input).cloned() else { return false };
        let steps = std::iter::repeat_n((&order, from.last()), pixels(from));
        self.set(output, FeatureOrder::concat(steps), &node.name);
        true
    }

    /// Both sides of a view that makes an image or steps of the shape `to` of features.
    fn derive_reshaped(&mut self, node: &GraphNode<'_>, to: &Shape, before: Option<usize>) -> bool {
        let (input, output) = (node.inputs[0], node.output);
        if let Some(before) = before {
            self.set(input, flattened(to, before), &node.name);
            self.set(output, FeatureOrder::PLAIN, &node.name);
            return true;
        }
        let Some(order) = self.known(input).cloned() else { return false };
        match order.split(pixels(to), to.last()) {
            Some(order) => self.set(output, order, &node.name),
            None => self.set(input, FeatureOrder::PLAIN, &node.name),
        }
        true
    }

    fn derive_concat(&mut self, graph: &Graph<'_>, node: &GraphNode<'_>) -> bool {
        let orders: Option<Vec<_>> =
            node.inputs.iter().map(|input| self.known(*input).cloned()).collect();
        let Some(orders) = orders else { return false };
        let lens = node.inputs.iter().map(|input| graph.values[*input].last());
        let order = FeatureOrder::concat(orders.iter().zip(lens));
        self.set(node.output, order, &node.name);
        true
    }
}

/// The order of the features of a value that PyTorch flattens, where its channels come after `before` of its axes.
fn flattened(shape: &Shape, before: usize) -> FeatureOrder {
    let (steps, step) = shape.dims().split_at(before);
    let step = Shape::new(step);
    let order = FeatureOrder::flattened(&step);
    let steps = std::iter::repeat_n((&order, step.len()), steps.iter().product());
    FeatureOrder::concat(steps)
}

/// The elements of a value per channel: pixels or steps.
fn pixels(shape: &Shape) -> usize {
    shape.len() / shape.last().max(1)
}
