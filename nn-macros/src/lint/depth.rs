//! Chains of layers that are too long to train.

use std::collections::BTreeMap;

use unrolled_shape::registry::Inputs;

use super::linter::{Linter, is_linear};
use crate::network::Layer;

/// The most layers with weights in a row that train well: VGG-19 has 19 (Simonyan and Zisserman, 2015), and 34 are worse
/// than 18 without skip connections (He and others, 2016).
const MOST_IN_A_ROW: usize = 20;

impl Linter<'_> {
    /// `deep_without_skip`
    pub(super) fn check_depth(&mut self) {
        let network = self.network;
        // For each value: the layers with weights in a row up to it, and the first that is too many.
        let mut rows = vec![(0, None); network.values.len()];
        let mut longest: BTreeMap<usize, usize> = BTreeMap::new();
        for (index, node) in network.written() {
            let Layer::Known { row, .. } = &node.layer else { continue };
            // A join ends the row: gradients have a second path from there.
            let joins = row.inputs == Inputs::Branches;
            let (before, too_many) = if joins { (0, None) } else { rows[node.inputs[0].0] };
            let depth = before + usize::from(is_linear(row.role));
            let too_many = too_many.or((depth > MOST_IN_A_ROW).then_some(index));
            if let Some(first) = too_many {
                longest.insert(first, longest.get(&first).map_or(depth, |most| depth.max(*most)));
            }
            rows[node.output.0] = (depth, too_many);
        }
        for (node, depth) in longest {
            let node = &network.nodes[node];
            let words = format!(
                "{depth} layers with weights in a row have no skip connection, and `{}` is number {}: \
                 gradients become too small or too large\n  = help: put `Residual {{ .. }}` around every \
                 two or three layers",
                node.label,
                MOST_IN_A_ROW + 1
            );
            self.warn("deep_without_skip", node, words);
        }
    }
}
