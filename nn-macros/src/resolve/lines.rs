//! Bodies and their lines, one after the other.

use proc_macro2::Span;
use syn::Ident;
use syn::ext::IdentExt;

use super::node::{LastPart, MOST_NODES, Start, Title};
use super::resolver::{LineContext, Lines, Named, Resolver};
use crate::ast::{self, Body, Construct, Line};
use crate::network::ValueId;
use crate::operand::Environment;
use crate::report::{mistake, say};
use crate::scope::{NameTaken, Scope};

/// The most lines and bodies looked at while unrolling: more than nodes, since the line of a block or a repeat makes no
/// node itself.
const MOST_STEPS: usize = 8 * MOST_NODES;

/// The deepest nesting of blocks, repeats and branches.
const DEEPEST: usize = 64;

impl Resolver<'_> {
    /// The lines of a body, one after the other, and what the last one gives.
    pub(super) fn body(
        &mut self,
        body: &Body,
        begin: Option<ValueId>,
        context: &mut LineContext<'_>,
    ) -> ValueId {
        let around = context.named.len();
        let value = self.lines(body, begin, context);
        context.named.truncate(around);
        value
    }

    /// As [`Self::body`], whose names are still known afterwards: a header names lines of the network as outputs.
    pub(super) fn lines(
        &mut self,
        body: &Body,
        begin: Option<ValueId>,
        context: &mut LineContext<'_>,
    ) -> ValueId {
        let mut current = begin;
        // An empty body, too: it may be repeated.
        if let Some(value) = self.step(body.span, context.environment) {
            return value;
        }
        if body.lines.is_empty() {
            self.report.error(body.span, say::NO_LAYERS);
            return self.unknown(body.span);
        }
        self.bodies.push(body);
        for line in &body.lines {
            if self.too_large {
                break;
            }
            let title = self.title(line, body.numbered, context);
            current = Some(self.line(line, Start { title, current }, context));
        }
        self.bodies.pop();
        current.unwrap_or_else(|| self.unknown(body.span))
    }

    /// Counts a line or a body. A value where the network is too large.
    fn step(&mut self, at: Span, environment: &Environment) -> Option<ValueId> {
        self.steps += 1;
        if environment.is_exhausted() {
            return Some(self.give_up(at, say::TOO_MANY_TOKENS.into()));
        }
        (self.steps > MOST_STEPS).then(|| self.give_up(at, mistake::too_large(MOST_NODES)))
    }

    /// The title of a line, unless it is named after its layer.
    fn title(
        &mut self,
        line: &Line,
        numbered: bool,
        context: &mut LineContext<'_>,
    ) -> Option<Title> {
        if let Some(at) = line.no_level {
            let path = context.scope.path().to_owned();
            return Some(Title { path, name: None, last_part: LastPart::None(at) });
        }
        // Lines with a name count as well, as PyTorch's modules do.
        let index = numbered.then(|| context.scope.index());
        let path = match &line.name {
            Some(name) => self.named_path(name, context),
            None => index?,
        };
        Some(Title { path, name: line.name.clone(), last_part: LastPart::Line })
    }

    fn line(&mut self, line: &Line, start: Start, context: &mut LineContext<'_>) -> ValueId {
        if let Some(value) = self.step(span_of(&line.construct), context.environment) {
            return value;
        }
        let current = match &line.source {
            Some(source) => Some(self.named(source, context)),
            None => start.current,
        };
        let path = start.title.as_ref().map(|title| title.path.clone());
        let begin = self.resolved.network.nodes.len();
        let start = Start { current, ..start };
        let output = match &line.construct {
            Construct::Call(used) => self.used(used, start, context),
            Construct::Repeat(repeat) => self.repeat(repeat, start, context),
            Construct::Residual(residual) => self.residual(residual, start, context),
            Construct::PerStep(per_step) => self.per_step(per_step, start, context),
            Construct::Sequential(body) => self.sequential(body, start, context),
            Construct::Broken(span) => self.unknown(*span),
        };
        let inputs = std::mem::take(&mut self.inputs);
        if let Some(arrow) = &line.arrow {
            self.arrow(arrow, output, context.environment);
        }
        if let (Some(name), Some(path)) = (&line.name, path) {
            // The last node of a block or a repeat has a longer path than its line: such a line is no single layer.
            let network = &self.resolved.network;
            let node = network.producer(output).filter(|node| network.nodes[*node].path == path);
            let nodes = begin..network.nodes.len();
            let lines = Lines { nodes, input: current, inputs, path };
            let lines = Some(lines);
            context.named.push(Named { lines, ..Named::new(name, output, node) });
        }
        output
    }

    pub(super) fn named_path(&mut self, name: &Ident, context: &mut LineContext<'_>) -> String {
        context.scope.name(name).unwrap_or_else(|taken| {
            match taken {
                NameTaken::By(first) => self.report.defined_twice("name", first, name),
                NameTaken::NoLevel { at, path } => {
                    self.report.error(at, mistake::path_twice(&path));
                }
            }
            // The line goes on with another path, so that mistakes in it are found too.
            context.scope.number(&name.unraw().to_string())
        })
    }

    pub(super) fn arrow(&mut self, arrow: &ast::Shape, output: ValueId, environment: &Environment) {
        match environment.shape(arrow) {
            Ok(dims) => {
                let network = &mut self.resolved.network;
                // A line that is a block or a repeat gives what its last node gives.
                if let Some(node) = network.producer(output) {
                    network.nodes[node].arrows.push(dims);
                }
            }
            Err(error) => self.report.add(error),
        }
    }

    /// A body in a scope of its own, of which there is one for each copy of the scope around it.
    pub(super) fn inside(
        &mut self,
        body: &Body,
        path: &str,
        begin: Option<ValueId>,
        context: &mut LineContext<'_>,
    ) -> ValueId {
        let scope = Scope::new(path, body, context.scope.repeated);
        self.in_scope(scope, body, begin, context)
    }

    /// A body of which there may be several copies: of a block or a repeat.
    pub(super) fn copy(
        &mut self,
        body: &Body,
        path: &str,
        begin: Option<ValueId>,
        context: &mut LineContext<'_>,
    ) -> ValueId {
        self.in_scope(Scope::new(path, body, true), body, begin, context)
    }

    /// A body whose lines have their paths in the scope around it, because of the `_` at `no_level`.
    pub(super) fn beside(
        &mut self,
        body: &Body,
        no_level: Span,
        begin: Option<ValueId>,
        context: &mut LineContext<'_>,
    ) -> ValueId {
        context.scope.include(body, no_level);
        self.nested(body.span, |this| this.body(body, begin, context))
    }

    fn in_scope(
        &mut self,
        mut scope: Scope,
        body: &Body,
        begin: Option<ValueId>,
        context: &mut LineContext<'_>,
    ) -> ValueId {
        let mut inner = LineContext {
            environment: context.environment,
            scope: &mut scope,
            named: context.named,
        };
        self.nested(body.span, |this| this.body(body, begin, &mut inner))
    }

    /// Goes one deeper, but not too deep.
    pub(super) fn nested(&mut self, at: Span, inner: impl FnOnce(&mut Self) -> ValueId) -> ValueId {
        if self.depth == DEEPEST {
            return self.give_up(at, mistake::too_deep(DEEPEST));
        }
        self.depth += 1;
        let value = inner(self);
        self.depth -= 1;
        value
    }

    /// The value that a layer reads. A network of several inputs begins without one, which is reported.
    pub(super) fn running(&mut self, current: Option<ValueId>, at: Span) -> Option<ValueId> {
        if current.is_none() {
            self.report.error(at, say::BEGINS_WITH_JOIN);
        }
        current
    }
}

fn span_of(construct: &Construct) -> Span {
    match construct {
        Construct::Call(used) => used.name.span(),
        Construct::Repeat(repeat) => repeat.keyword.span(),
        Construct::Residual(residual) => residual.keyword.span(),
        Construct::PerStep(per_step) => per_step.keyword.span(),
        Construct::Sequential(body) => body.span,
        Construct::Broken(span) => *span,
    }
}
