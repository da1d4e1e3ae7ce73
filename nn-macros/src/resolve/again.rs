//! Lines that are applied again with their weights: `same(encoder)`, `Repeat(4, shared = true) { .. }`.

use std::collections::HashMap;
use syn::Ident;

use super::node::{LastPart, Start, Title, unnamed};
use super::resolver::{LineContext, Lines, Named, Resolver};
use super::source::find_named;
use crate::arguments;
use crate::ast::{self, Call};
use crate::network::{Node, ValueId};
use crate::report::{mistake, say};

impl Resolver<'_> {
    /// `same(encoder)`: copies of the nodes of the line `encoder`, which use its weights.
    pub(super) fn same(
        &mut self,
        used: &Call,
        start: Start,
        context: &mut LineContext<'_>,
    ) -> ValueId {
        let at = used.name.span();
        let Some(name) = self.name_of_line(used) else { return self.unknown(at) };
        let Some((lines, output)) = self.lines_of(name, context) else { return self.unknown(at) };
        let Some(current) = self.running(start.current, at) else { return self.unknown(at) };
        let title = match start.title {
            Some(title) if !matches!(title.last_part, LastPart::None(_)) => title,
            _ => unnamed(lines.path.rsplit('.').next().unwrap_or_default(), context.scope),
        };
        // All that the line reads of its input, by its name or not, is read of the new one. Other values stay.
        let mut values: HashMap<ValueId, ValueId> =
            lines.input.map(|input| (input, current)).into_iter().collect();
        // A `PerStep` in it is another one; the line itself is in the one that is open, if any.
        let mut per_steps: HashMap<usize, usize> = HashMap::new();
        for first in lines.nodes.clone() {
            if self.too_large {
                break;
            }
            per_steps.insert(first, self.resolved.network.nodes.len());
            let Node { path, layer, inputs, owner, skip, output, hidden, per_step, .. } =
                &self.resolved.network.nodes[first];
            let inside = per_step.and_then(|begin| per_steps.get(&begin).copied());
            let (per_step, hidden) = (inside.or(self.per_step), *hidden);
            let title = title_again(path, &lines.path, &title);
            let inputs = inputs.iter().map(|value| *values.get(value).unwrap_or(value)).collect();
            let (layer, owner, skip, output) = (layer.clone(), *owner, *skip, *output);
            let label = title.path.clone();
            let node = self.node(title, &used.name, context.scope);
            let first = Some(first);
            let node = Node { layer, inputs, owner, skip, label, first, hidden, per_step, ..node };
            values.insert(output, self.push(node, Vec::new()));
        }
        *values.get(&output).unwrap_or(&current)
    }

    /// The name in the parentheses of `same`.
    fn name_of_line<'u>(&mut self, used: &'u Call) -> Option<&'u Ident> {
        if used.branches.is_some() {
            self.report.error(used.name.span(), mistake::no_branches(&used.name));
            return None;
        }
        let given = used.arguments.as_deref().unwrap_or_default();
        if arguments::are_broken(given) {
            return None;
        }
        let name = match given {
            [only] if only.name.is_none() => arguments::plain_name(only),
            _ => None,
        };
        if name.is_none() {
            self.report.error(used.name.span(), say::SAME_OF_A_LINE);
        }
        name
    }

    /// The nodes of the line called `name`, and its output. `None` where there is no such line, or it has no weights.
    fn lines_of(&mut self, name: &Ident, context: &LineContext<'_>) -> Option<(Lines, ValueId)> {
        let given = context.environment.word(name).unwrap_or(name);
        let Some(found) = find_named(name, context) else {
            if !self.report.repeats(given.span()) {
                let known = context.named.iter().filter(|known| self.has_weights(known));
                let known: Vec<String> = known.map(|known| known.name.to_string()).collect();
                let known: Vec<&str> = known.iter().map(String::as_str).collect();
                let words = mistake::unknown_line(given, self.elsewhere(given), &known);
                self.report.error(given.span(), words);
            }
            return None;
        };
        let Some(lines) = &found.lines else {
            self.report.error(given.span(), mistake::input_again(given));
            return None;
        };
        if self.resolved.broken[lines.nodes.clone()].contains(&true) {
            return None;
        }
        if !self.has_weights(found) {
            self.report.error(given.span(), mistake::again_without_weights(given));
            return None;
        }
        let mut nodes = self.resolved.network.nodes[lines.nodes.clone()].iter();
        if !nodes.any(|node| node.inputs.iter().any(|value| Some(*value) == lines.input)) {
            self.report.error(given.span(), mistake::again_without_input(given));
            return None;
        }
        Some((lines.clone(), found.value))
    }

    fn has_weights(&self, line: &Named) -> bool {
        let nodes = line.lines.iter().flat_map(|lines| lines.nodes.clone());
        nodes.into_iter().any(|node| self.resolved.network.nodes[node].has_weights())
    }

    /// `Repeat(4, shared = true) { .. }`: the lines once, and then again with their weights.
    pub(super) fn repeat_shared(
        &mut self,
        repeat: &ast::Repeat,
        count: usize,
        start: Start,
        context: &mut LineContext<'_>,
    ) -> ValueId {
        let Start { title, current } = start;
        let title = title.unwrap_or_else(|| unnamed("repeat", context.scope));
        let (before, begin) = (self.report.found(), self.resolved.network.nodes.len());
        // One set of weights: its paths have no number of a copy.
        let (stem, mut output) = match title.last_part {
            LastPart::None(at) => ("repeat", self.beside(&repeat.body, at, current, context)),
            _ => (title.last(), self.inside(&repeat.body, &title.path, current, context)),
        };
        let nodes = begin..self.resolved.network.nodes.len();
        for _ in 1..count {
            // After a mistake in the first copy, the others have it too.
            if self.too_large || self.report.found() > before {
                break;
            }
            let path = context.scope.number(stem);
            // Lines that are applied again themselves know their nodes.
            let is_inside = self.again.is_some();
            if !is_inside {
                self.again = Some(nodes.clone());
            }
            output = self.copy(&repeat.body, &path, Some(output), context);
            if !is_inside {
                self.again = None;
            }
        }
        output
    }

    /// The node that a new one applies again: `first`, or the next one of a body that is repeated with its weights. Of nodes
    /// that are themselves applied again, the one that has the weights.
    pub(super) fn first_application(&mut self, first: Option<usize>) -> Option<usize> {
        let first = self.again.as_mut().map_or(first, Iterator::next)?;
        Some(self.resolved.network.nodes[first].first.unwrap_or(first))
    }
}

/// The title of a node that applies the one at `path` again, of the line at `line`, for a line with the title `title`.
fn title_again(path: &str, line: &str, title: &Title) -> Title {
    let last_part = LastPart::Line;
    let inside = match path.strip_prefix(line) {
        Some("") => {
            let (path, name) = (title.path.clone(), title.name.clone());
            return Title { path, name, last_part };
        }
        Some(inside) if inside.starts_with('.') => &inside[1..],
        // Branches of a type of the user's have their paths beside its own.
        _ => path,
    };
    Title { path: format!("{}.{inside}", title.path), name: None, last_part }
}
