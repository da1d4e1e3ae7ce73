//! Lines that are applied again with their weights: `same(encoder)`, `Repeat(4, shared = true) { .. }`.

use proc_macro2::Span;
use std::collections::HashMap;
use syn::Ident;
use syn::spanned::Spanned;

use super::inputs::LineInputs;
use super::layer::Paths;
use super::node::{LastPart, Start, Title, unnamed};
use super::resolver::{LineContext, Lines, Named, Resolver};
use super::source::find_named;
use crate::arguments;
use crate::ast::{self, Call};
use crate::network::{Node, ValueId};
use crate::report::{mistake, say};

/// A use of `same`.
struct Again<'u> {
    used: &'u Call,
    /// The name of the line, as it is written there.
    name: &'u Ident,
    /// The line itself.
    lines: Lines,
    /// The title of the copy.
    title: Title,
    /// The value before it.
    current: Option<ValueId>,
}

impl Again<'_> {
    /// The word `same`.
    fn at(&self) -> Span {
        self.used.name.span()
    }
}

/// What the copies of a line's nodes read where its own nodes read a value, and the place that an error about it is pointed
/// at.
type Replaced = HashMap<ValueId, (ValueId, Span)>;

impl Resolver<'_> {
    /// `same(encoder)`, `same(mix) { a, b }`, `same(attention, memory = b)`: copies of the nodes of a line, which use its
    /// weights.
    pub(super) fn same(
        &mut self,
        used: &Call,
        start: Start,
        context: &mut LineContext<'_>,
    ) -> ValueId {
        let at = used.name.span();
        let Some(name) = self.name_of_line(used) else { return self.unknown(at) };
        let Some((lines, output)) = self.lines_of(name, context) else { return self.unknown(at) };
        let Start { title, current } = start;
        let title = match title {
            Some(title) if !matches!(title.last_part, LastPart::None(_)) => title,
            _ => unnamed(lines.path.rsplit('.').next().unwrap_or_default(), context.scope),
        };
        let again = Again { used, name, lines, title, current };
        let Some((values, inputs)) = self.replaced(&again, context) else {
            return self.unknown(at);
        };
        let output = self.copies(&again, values, context).remove(&output);
        self.inputs = inputs;
        output.map_or_else(|| self.unknown(at), |(output, _)| output)
    }

    /// Adds the copies of the nodes of a line. Returns `values`, and what the copies give in place of the nodes.
    fn copies(
        &mut self,
        again: &Again<'_>,
        mut values: Replaced,
        context: &LineContext<'_>,
    ) -> Replaced {
        let (at, lines) = (again.at(), &again.lines);
        // A `PerStep` in it is another one; the line itself is in the one that is open, if any.
        let mut per_steps: HashMap<usize, usize> = HashMap::new();
        for first in lines.nodes.clone() {
            if self.too_large {
                break;
            }
            per_steps.insert(first, self.resolved.network.nodes.len());
            let Node { path, layer, owner, skip, output, hidden, per_step, .. } =
                &self.resolved.network.nodes[first];
            let inside = per_step.and_then(|begin| per_steps.get(&begin).copied());
            let (per_step, hidden) = (inside.or(self.per_step), *hidden);
            let title = title_again(path, &lines.path, &again.title);
            let (layer, owner, skip, output) = (layer.clone(), *owner, *skip, *output);
            let reads = self.reads[first].iter();
            let (inputs, spans): (Vec<ValueId>, Vec<Span>) =
                reads.map(|read| self.find(&values, *read).unwrap_or((*read, at))).unzip();
            let span = if let [only] = spans[..] { only } else { at };
            let label = title.path.clone();
            let node = self.node(title, &again.used.name, context.scope);
            let first = Some(first);
            let node =
                Node { layer, inputs, owner, skip, label, first, hidden, per_step, span, ..node };
            values.insert(output, (self.push(node, spans), at));
        }
        values
    }

    /// What the copies of a line read in place of its inputs, and their own inputs. `None` where something is wrong, which
    /// is reported.
    fn replaced(
        &mut self,
        again: &Again<'_>,
        context: &mut LineContext<'_>,
    ) -> Option<(Replaced, LineInputs)> {
        let (at, lines) = (again.at(), &again.lines);
        let mut given = self.branches_again(again, context)?;
        given.extend(self.arguments_again(again, context)?);
        // What lines read of a branch's value, by its name or not, is read of the new one.
        let branches = lines.inputs.branches.iter().map(|branch| branch.alias);
        let mut values: Replaced = HashMap::new();
        for (alias, new) in branches.filter_map(|alias| Some((alias, *given.get(&alias)?))) {
            values.entry(self.aliases.canonical(alias)).or_insert(new);
        }
        let is_before = again.used.branches.is_none() && self.reads_before(lines);
        if let Some(input) = lines.input.filter(|_| is_before) {
            // So is what they read of the value before the line.
            values.insert(self.aliases.canonical(input), (self.running(again.current, at)?, at));
        } else if given.is_empty() {
            let name = context.environment.word(again.name).unwrap_or(again.name);
            let words = mistake::again_without_input(name, &self.known_inputs(lines));
            self.report.error(name.span(), words);
            return None;
        }
        let mut replace = |resolver: &mut Self, input: ValueId| {
            let new = given.remove(&input).or_else(|| resolver.find(&values, input));
            let (value, span) = new.unwrap_or((input, at));
            let alias = resolver.aliases.add(value);
            values.insert(input, (alias, span));
            alias
        };
        let mut inputs = lines.inputs.clone();
        for branch in &mut inputs.branches {
            branch.alias = replace(self, branch.alias);
        }
        for (_, alias) in &mut inputs.arguments {
            *alias = replace(self, *alias);
        }
        // Those that are left are values that the lines read by their names.
        values.extend(given);
        Some((values, inputs))
    }

    /// The branches of `same(mix) { a, b }`, by the inputs of the line `mix`.
    fn branches_again(
        &mut self,
        again: &Again<'_>,
        context: &mut LineContext<'_>,
    ) -> Option<Replaced> {
        let Again { used, name, lines, title, current } = again;
        let Some(branches) = &used.branches else { return Some(HashMap::new()) };
        let first = &lines.inputs.branches;
        let words = match (first.len(), branches.len()) {
            _ if used.lines.is_some() => None,
            (0, _) => Some(mistake::no_branches(name)),
            (expected, found) if expected == found => None,
            (expected, found) => Some(mistake::branches_again(name, expected, found)),
        };
        if let Some(words) = words {
            self.report.error(again.at(), words);
            return None;
        }
        let new = self.branches(used, Paths::Beside(title), *current, context)?;
        let new = new.values.into_iter().zip(new.spans);
        Some(first.iter().map(|branch| branch.alias).zip(new).collect())
    }

    /// The values of `same(attention, memory = b)`, by the inputs of the line `attention`.
    fn arguments_again(
        &mut self,
        again: &Again<'_>,
        context: &LineContext<'_>,
    ) -> Option<Replaced> {
        let mut given = HashMap::new();
        let mut names: HashMap<ValueId, Span> = HashMap::new();
        let before = self.report.found();
        for argument in again.used.arguments.iter().flatten().skip(1) {
            let Some(name) = &argument.name else { continue };
            let Some(input) = self.input_called(name, &again.lines, context) else {
                let known = self.known_inputs(&again.lines);
                self.report.explain(name.span(), || mistake::no_input(again.name, name, &known));
                continue;
            };
            if let Some(first) = names.insert(input, name.span()) {
                self.report.given_twice(&name.to_string(), first, name.span());
            }
            match arguments::plain_name(argument) {
                Some(value) => {
                    given.insert(input, (self.named(value, context), value.span()));
                }
                None => self.report.error(argument.value.span(), mistake::no_value(name)),
            }
        }
        (self.report.found() == before).then_some(given)
    }

    /// The input of a line that `name` stands for: an argument, or a value that its lines read by this name.
    fn input_called(
        &self,
        name: &Ident,
        lines: &Lines,
        context: &LineContext<'_>,
    ) -> Option<ValueId> {
        if let Some(argument) = lines.inputs.argument(name) {
            return Some(argument).filter(|it| self.reads(lines, *it));
        }
        let value = self.aliases.canonical(find_named(name, context)?.value);
        // The value before the line is written before `same`.
        let is_before = lines.input.is_some_and(|it| self.aliases.canonical(it) == value);
        Some(value).filter(|it| self.reads(lines, *it) && !(is_before && self.reads_before(lines)))
    }

    /// The inputs that `same` can give a line: the names of arguments, and `{ .. }` for branches.
    fn known_inputs(&self, lines: &Lines) -> Vec<String> {
        let LineInputs { branches, arguments } = &lines.inputs;
        let arguments = arguments.iter().filter(|(_, alias)| self.reads(lines, *alias));
        let arguments = arguments.map(|(name, _)| name.clone());
        arguments.chain((!branches.is_empty()).then(|| "{ .. }".to_owned())).collect()
    }

    /// Whether a line reads one of its inputs, or another value.
    fn reads(&self, lines: &Lines, input: ValueId) -> bool {
        let mut reads = self.reads[lines.nodes.clone()].iter().flatten();
        reads.any(|read| self.aliases.chain(*read).any(|value| value == input))
    }

    /// Whether a line reads the value before it, other than by an argument or a branch that names it.
    fn reads_before(&self, lines: &Lines) -> bool {
        let Some(before) = lines.input.map(|input| self.aliases.canonical(input)) else {
            return false;
        };
        let named: Vec<ValueId> = lines.inputs.named().collect();
        let mut reads = self.reads[lines.nodes.clone()].iter().flatten();
        reads.any(|read| {
            self.aliases.canonical(*read) == before
                && !self.aliases.chain(*read).any(|it| named.contains(&it))
        })
    }

    /// What is read in place of a value, if it is another one.
    fn find(&self, values: &Replaced, value: ValueId) -> Option<(ValueId, Span)> {
        self.aliases.chain(value).find_map(|value| values.get(&value).copied())
    }

    /// The first name in the parentheses of `same`; those after it have names of inputs.
    fn name_of_line<'u>(&mut self, used: &'u Call) -> Option<&'u Ident> {
        let given = used.arguments.as_deref().unwrap_or_default();
        if arguments::are_broken(given) {
            return None;
        }
        let name = match given {
            [line, inputs @ ..] if line.name.is_none() => arguments::plain_name(line)
                .filter(|_| inputs.iter().all(|input| input.name.is_some())),
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
        Some((lines.clone(), self.aliases.canonical(found.value)))
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
