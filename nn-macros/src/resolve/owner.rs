//! Lines whose weight a later one shares.

use syn::Ident;

use super::resolver::{LineContext, Named, Resolver};
use super::source::find_named;
use crate::network::{Layer, ValueId};
use crate::report::mistake;

impl Resolver<'_> {
    /// The node of the line called `name`, whose weight a layer can share. Of a line that shares a weight
    /// itself, or applies an earlier line again, the owner of that weight.
    pub(super) fn owner(&mut self, name: &Ident, context: &LineContext<'_>) -> Option<usize> {
        let Some(found) = find_named(name, context) else {
            let name = context.environment.word(name).unwrap_or(name);
            if self.report.repeats(name.span()) {
                return None;
            }
            let known = context.named.iter().filter(|known| self.lends(known));
            let known: Vec<String> = known.map(|known| known.name.to_string()).collect();
            let known: Vec<&str> = known.iter().map(String::as_str).collect();
            let words = mistake::unknown_owner(name, self.elsewhere(name), &known);
            self.report.error(name.span(), words);
            return None;
        };
        if self.lends(found) {
            let node = found.node?;
            let it = &self.resolved.network.nodes[node];
            return Some(it.owner.or(it.first).unwrap_or(node));
        }
        // Whether a line that could not be resolved has a weight is unknown.
        if !self.is_broken(self.aliases.canonical(found.value)) && !self.report.repeats(name.span())
        {
            let nodes = &self.resolved.network.nodes;
            let source = found.node.map(|node| nodes[node].source.as_str());
            let rows = self.names.layers.iter().filter(|row| row.weight.is_some());
            let layers: Vec<&str> = rows.map(|row| row.name).collect();
            self.report.error(name.span(), mistake::no_weight(name, source, &layers));
        }
        None
    }

    /// Whether a line has a weight that others can share.
    fn lends(&self, line: &Named) -> bool {
        let node = line.node.map(|node| &self.resolved.network.nodes[node]);
        node.is_some_and(
            |node| matches!(&node.layer, Layer::Known { row, .. } if row.weight.is_some()),
        )
    }

    /// Whether a value comes from a line that could not be resolved.
    fn is_broken(&self, value: ValueId) -> bool {
        let nodes = self.resolved.network.nodes.iter();
        nodes.zip(&self.resolved.broken).any(|(node, broken)| node.output == value && *broken)
    }
}
