//! Attention that cannot tell one order of its steps from another.

use unrolled_shape::Role;
use unrolled_shape::registry::Row;

use super::linter::{Linter, flag, sizes};
use crate::network::{Layer, Network, Node};

impl<'a> Linter<'a> {
    /// `attention_without_positions`
    pub(super) fn check_positions(&mut self, node: &'a Node, row: &Row) {
        // The order of a memory is that of another sequence.
        let of_itself = node.inputs.len() == 1;
        if row.role != Role::Attention || !of_itself || knows_positions(self.network, node) {
            return;
        }
        let words = format!(
            "`{}` does not see the order of its steps: no layer before it depends on positions\n  = help: put \
             `PositionalEmbedding` or `PositionalEncoding` before it, or write `rotary = true`",
            node.label
        );
        self.warn("attention_without_positions", node, words);
    }
}

/// Whether a node, or a layer before it, depends on positions.
fn knows_positions(network: &Network, node: &Node) -> bool {
    let mut seen = vec![false; network.values.len()];
    let mut inputs = 0;
    if depends_on_positions(node) {
        return true;
    }
    let mut open = node.inputs.clone();
    while let Some(value) = open.pop() {
        if std::mem::replace(&mut seen[value.0], true) {
            continue;
        }
        match network.producer(value).map(|before| &network.nodes[before]) {
            Some(before) if depends_on_positions(before) => return true,
            Some(before) => open.extend(&before.inputs),
            None => inputs += 1,
        }
    }
    // One of several inputs may be positions.
    inputs > 1
}

fn depends_on_positions(node: &Node) -> bool {
    let Layer::Known { row, .. } = &node.layer else { return true };
    match row.role {
        Role::Positions => true,
        Role::Attention => flag(node, "rotary") || flag(node, "alibi"),
        // Patches that do not overlap are computed without their neighbours.
        Role::Convolution => match (sizes(node, "kernel"), sizes(node, "stride")) {
            (Some(kernel), Some(stride)) => kernel.iter().zip(&stride).any(|(k, s)| k > s),
            _ => true,
        },
        _ => false,
    }
}
