//! What the macro can find out about a layer whose sizes are not all literals: its rule is called with
//! numbers that stand in for them.

use std::cell::RefCell;
use unrolled_shape::registry::{Count, Row, Steps};
use unrolled_shape::{MAX_RANK, Shape, Value as RuleValue, checks};

use crate::network::{Argument, Dim, Layer, Network, Node, Sizes};

/// The inputs and arguments of a layer. Sizes that are not literals have stand-ins, the same for the same
/// tokens.
struct StandIn {
    sizes: Sizes,
    output: Shape,
}

impl StandIn {
    /// Stand-ins for the first, second, .. size. 2520 is the least common multiple of 1 to 10: most kernels
    /// fit into it and most numbers of groups divide it. Two of them are the same for all sizes, the third
    /// differs, since `channels / groups` is not 1 where both are unknown.
    const SIZES: [fn(usize) -> usize; 3] = [|_| 2520, |_| 5040, |nth| (5040 / (nth + 1)).max(1)];

    /// The layer of a node with these stand-ins, if its rule accepts them.
    fn new(network: &Network, node: &Node, size: fn(usize) -> usize) -> Option<Self> {
        let Layer::Known { row, .. } = &node.layer else { return None };
        let met = RefCell::new(Vec::new());
        let stand_in = |dim: &Dim| {
            // The same tokens are the same size: `groups = N` divides `N` channels.
            let Some(tokens) = dim.tokens() else { return dim.known() };
            let (tokens, mut met) = (tokens.to_string(), met.borrow_mut());
            let nth = met.iter().position(|it| *it == tokens);
            let nth = nth.unwrap_or_else(|| {
                met.push(tokens);
                met.len() - 1
            });
            Some(size(nth))
        };
        let sizes = network.sizes(node, stand_in)?;
        let output = apply(row, &sizes.inputs, &sizes.values)?;
        Some(Self { sizes, output })
    }
}

/// The output of a layer, if its rule accepts the inputs and arguments.
fn apply(row: &Row, inputs: &[Shape], values: &[RuleValue]) -> Option<Shape> {
    // Expanded code reports the others; rules take it for granted that there are axes, and that sizes are limited.
    inputs.iter().try_for_each(|input| checks::header_input(*input).map(|_| ())).ok()?;
    (row.rule)(inputs, values).ok()
}

impl Network {
    /// The rank of a registry layer's output, if it is known while expanding.
    pub(crate) fn rank(&self, node: &Node) -> Option<usize> {
        let [alike, ..] = StandIn::SIZES;
        // The number of axes does not depend on their sizes: one stand-in is enough.
        StandIn::new(self, node, alike).map(|stand_in| stand_in.output.rank())
    }

    /// Whether a registry layer's output has at least as many axes as an input of which the macro does not know how many it has:
    /// that of a type of the user's.
    pub(crate) fn keeps_any_rank(&self, node: &Node) -> bool {
        let Layer::Known { row, arguments } = &node.layer else { return true };
        let [alike, ..] = StandIn::SIZES;
        let values: Option<Vec<_>> = arguments.iter().map(Argument::stand_in).collect();
        // With the least number of axes that the layer takes: whether it removes axes does not depend on how many there are.
        let kept = (1..=MAX_RANK).find_map(|rank| {
            let unknown = Shape::new(&[alike(0); MAX_RANK][..rank]);
            let inputs = node.inputs.iter().map(|input| {
                let known =
                    self.values[input.0].dims.with_sizes(|dim| dim.known().or(Some(alike(0))));
                known.unwrap_or(unknown)
            });
            let output = apply(row, &inputs.collect::<Vec<_>>(), values.as_ref()?)?;
            Some(output.rank() >= rank)
        });
        kept.unwrap_or(true)
    }

    /// What a layer of this row does with short sequences.
    pub(crate) fn steps(&self, node: &Node, row: &Row) -> Steps {
        let [alike, ..] = StandIn::SIZES;
        let known = row.steps_for.and_then(|_| StandIn::new(self, node, alike));
        known.map_or(row.steps, |it| row.steps(&it.sizes.inputs, &it.sizes.values))
    }

    /// A count, if it is the same whatever the sizes are that are not literals.
    pub(crate) fn count(&self, node: &Node, count: &Count) -> Option<usize> {
        let [small, large, different] = StandIn::SIZES.map(|size| {
            let it = StandIn::new(self, node, size)?;
            Some(count(&it.sizes.inputs, &it.sizes.values))
        });
        small.filter(|_| small == large && large == different)
    }
}

impl Argument {
    /// The value for the rules, with a stand-in for each size that is not a literal.
    pub(crate) fn stand_in(&self) -> Option<RuleValue> {
        let [alike, ..] = StandIn::SIZES;
        self.with_sizes(|dim| dim.known().or(Some(alike(0))))
    }
}
