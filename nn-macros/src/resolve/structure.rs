//! Blocks, repeats and residuals, unrolled where they are used.

use syn::spanned::Spanned;
use syn::{Error, Expr};
use unrolled_shape::registry::{Row, find};
use unrolled_shape::rules::per_step;
use unrolled_shape::{Kind, Parameter};

use super::inputs::LineInputs;
use super::node::{LastPart, Start, unnamed};
use super::resolver::{LineContext, Named, Resolver};
use super::source::find_named;
use crate::arguments::{self, Callee};
use crate::ast::{self, Body, Call};
use crate::network::{Argument, ArgumentValue, Dim, Layer, Node, SkipConnection, ValueId};
use crate::operand::{Environment, Operand};
use crate::report::{mistake, say};
use crate::scope::{Scope, snake_case};

impl Resolver<'_> {
    /// A block, written out at its context.
    pub(super) fn block(
        &mut self,
        block: &ast::Block,
        used: &Call,
        start: Start,
        context: &mut LineContext<'_>,
    ) -> ValueId {
        let name = block.name.to_string();
        if let Some(begin) = self.open.iter().position(|open| *open == name) {
            let mut cycle = self.open[begin..].to_vec();
            cycle.push(name);
            self.report.error(used.name.span(), mistake::cycle(&cycle));
            return self.unknown(used.name.span());
        }
        if used.branches.is_some() {
            self.report.error(used.name.span(), mistake::no_branches(&used.name));
            return self.unknown(used.name.span());
        }
        let Some((environment, mut named)) = self.parameters(block, used, context) else {
            return self.unknown(used.name.span());
        };
        let arguments = named.iter().map(|argument| (argument.word.clone(), argument.value));
        let inputs = LineInputs { branches: Vec::new(), arguments: arguments.collect() };
        let title = start.title.unwrap_or_else(|| unnamed(&snake_case(&name), context.scope));
        // A block is hygienic: it sees its parameters and its own lines only.
        let mut inner =
            LineContext { environment: &environment, scope: context.scope, named: &mut named };
        self.open.push(name);
        let around = self.levels.clone();
        if !block.levels.is_empty() {
            self.levels = around.iter().chain(&block.levels).cloned().collect();
        }
        let output = match title.last_part {
            LastPart::None(at) => self.beside(&block.body, at, start.current, &mut inner),
            _ => self.copy(&block.body, &title.path, start.current, &mut inner),
        };
        self.levels = around;
        self.open.pop();
        self.inputs = inputs;
        output
    }

    /// The arguments of a block: expressions, and the named values among them. `None` where one is wrong,
    /// which is reported.
    pub(super) fn parameters(
        &mut self,
        block: &ast::Block,
        used: &Call,
        context: &LineContext<'_>,
    ) -> Option<(Environment, Vec<Named>)> {
        let around = context.environment;
        let given = used.arguments.as_deref().unwrap_or_default();
        if arguments::are_broken(given) {
            return None;
        }
        let names: Vec<String> = block.parameters.iter().map(|p| p.name.to_string()).collect();
        let parameters = block.parameters.iter().zip(&names).map(|(parameter, name)| {
            arguments::Parameter { name, required: parameter.default.is_none() }
        });
        let parameters = parameters.collect();
        let callee = Callee { name: &used.name, parameters, positional: names.len(), row: None };
        let slots = arguments::assign(&callee, given, self.report)?;
        let mut inside = around.of_block();
        let mut named = Vec::new();
        let mut correct = true;
        for ((parameter, name), slot) in block.parameters.iter().zip(names).zip(slots) {
            // A name can be a value of the network or a constant. Which one is meant shows where the block uses the
            // parameter, so that it is passed as both.
            let given = slot.and_then(arguments::plain_name);
            if let Some(found) = given.and_then(|given| find_named(given, context)) {
                let lines = found.lines.clone();
                let (value, node) = (self.aliases.add(found.value), found.node);
                named.push(Named { lines, ..Named::new(&parameter.name, value, node) });
            }
            let operand = match (slot, &parameter.default) {
                (Some(argument), _) => around.evaluate(&argument.value),
                // A default may use the parameters before it, of which one is missing after a mistake.
                (None, Some(_)) if !correct => continue,
                (None, Some(default)) => inside.evaluate(default),
                // Cannot be: `assign` reports what is missing.
                (None, None) => continue,
            };
            match operand {
                Ok(operand) => {
                    inside.parameters.insert(name, operand);
                }
                Err(error) => {
                    correct = false;
                    self.report.add(error);
                }
            }
        }
        correct.then_some((inside, named))
    }

    pub(super) fn repeat(
        &mut self,
        repeat: &ast::Repeat,
        start: Start,
        context: &mut LineContext<'_>,
    ) -> ValueId {
        let count = match self.count(repeat, context.environment) {
            Ok(count) => count,
            Err(error) => {
                self.report.add(error);
                return self.unknown(repeat.keyword.span());
            }
        };
        if count == 1 && matches!(repeat.count, Expr::Lit(_)) {
            let at = repeat.count.span();
            self.resolved.network.single_repeats.push((at, self.levels.clone()));
        }
        match self.is_shared(repeat, context.environment) {
            Ok(false) => {}
            Ok(true) => return self.repeat_shared(repeat, count, start, context),
            Err(error) => {
                self.report.add(error);
                return self.unknown(repeat.keyword.span());
            }
        }
        let Start { title, mut current } = start;
        let title = title.unwrap_or_else(|| unnamed("repeat", context.scope));
        let before = self.report.found();
        for copy in 0..count {
            // After a mistake in the first copy, the others have it too.
            if self.too_large || self.report.found() > before {
                break;
            }
            let path = match title.last_part {
                // The next lines of the list around it.
                LastPart::None(_) => context.scope.index(),
                // `stage1.0`, `stage1.1`: as in PyTorch's `nn.Sequential`.
                _ => format!("{}.{copy}", title.path),
            };
            current = Some(self.copy(&repeat.body, &path, current, context));
        }
        current.unwrap_or_else(|| self.unknown(repeat.keyword.span()))
    }

    /// Lines in brackets or braces, with names of their own.
    pub(super) fn sequential(
        &mut self,
        body: &Body,
        start: Start,
        context: &mut LineContext<'_>,
    ) -> ValueId {
        let title = start.title.unwrap_or_else(|| unnamed("sequential", context.scope));
        match title.last_part {
            LastPart::None(at) => self.beside(body, at, start.current, context),
            _ => self.inside(body, &title.path, start.current, context),
        }
    }

    pub(super) fn count(
        &self,
        repeat: &ast::Repeat,
        environment: &Environment,
    ) -> Result<usize, Error> {
        let operand: Operand = environment.evaluate(&repeat.count)?;
        match operand.size().and_then(|size| size.known()) {
            Some(0) => {
                Err(Error::new(operand.span, format!("`{}` {}", repeat.keyword, say::NO_COPIES)))
            }
            Some(count) => Ok(count),
            None => Err(Error::new(operand.span, say::LITERAL_COUNT)),
        }
    }

    /// Whether the copies of a repeat share their weights.
    fn is_shared(&self, repeat: &ast::Repeat, environment: &Environment) -> Result<bool, Error> {
        const SHARED: Parameter =
            Parameter { name: "shared", kind: Kind::Flag, default: None, shown: "" };
        let Some(argument) = &repeat.shared else { return Ok(false) };
        arguments::convert(&repeat.keyword, &SHARED, argument, environment).map(|it| it.is_true())
    }

    /// A body, its skip connection, and the `Add` that joins them.
    pub(super) fn residual(
        &mut self,
        residual: &ast::Residual,
        start: Start,
        context: &mut LineContext<'_>,
    ) -> ValueId {
        let at = residual.keyword.span();
        let Start { title, current } = start;
        let Some(input) = self.running(current, at) else { return self.unknown(at) };
        // Without a name it adds no level to the paths of its weights: its lines are named in the scope around it.
        let title = title.filter(|title| !matches!(title.last_part, LastPart::None(_)));
        let (body, skipped) = match &title {
            Some(title) => {
                let mut scope = Scope::of_residual(&title.path, residual, context.scope.repeated);
                let mut inner = LineContext {
                    environment: context.environment,
                    scope: &mut scope,
                    named: context.named,
                };
                self.parts(residual, input, &mut inner)
            }
            None => self.parts(residual, input, context),
        };
        let title = title.unwrap_or_else(|| unnamed("residual", context.scope));
        let node = self.node(title, &residual.keyword, context.scope);
        let kind =
            if residual.skip.is_some() { SkipConnection::Skip } else { SkipConnection::Input };
        // For all later stages it is an `Add`, except where they report mistakes of shapes.
        let row = find("Add").expect("a row of the registry");
        let layer = Layer::Known { row, arguments: Vec::new() };
        let source = residual.keyword.to_string();
        let inputs = vec![body, skipped];
        let spans = vec![residual.keyword.span(); 2];
        self.push(Node { layer, inputs, source, skip: kind, ..node }, spans)
    }

    /// Lines that are applied to each step of a sequence: they are between two views, and each step is a sample for them.
    pub(super) fn per_step(
        &mut self,
        per_step: &ast::PerStep,
        start: Start,
        context: &mut LineContext<'_>,
    ) -> ValueId {
        let ast::PerStep { keyword, body } = per_step;
        let Start { title, current } = start;
        let Some(input) = self.running(current, keyword.span()) else {
            return self.unknown(keyword.span());
        };
        // As a `Residual`: without a name it adds no level to the paths of its weights.
        let named = title.filter(|title| !matches!(title.last_part, LastPart::None(_)));
        let inside = named.as_ref().map(|title| title.path.clone());
        let title = named.unwrap_or_else(|| unnamed("per_step", context.scope));
        // The name of the field is free for a line that has the path of this one.
        let (begin, field) = (self.resolved.network.nodes.len(), keyword.clone());
        let first = self.node_with_field(title.clone(), field, keyword, context.scope);
        let first = Node { hidden: true, ..first };
        let one_step = Some(self.step_view(&per_step::BEGIN, first, input));
        let around = self.per_step.replace(begin);
        let output = match inside {
            Some(path) => self.inside(body, &path, one_step, context),
            None => self.nested(body.span, |this| this.body(body, one_step, context)),
        };
        self.per_step = around;
        if self.too_large {
            return output;
        }
        let last = self.node(title, keyword, context.scope);
        self.resolved.network.nodes[begin].field = last.field.clone();
        self.step_view(&per_step::END, last, output)
    }

    /// A view at one of the ends of a `PerStep`.
    fn step_view(&mut self, row: &'static Row, node: Node, input: ValueId) -> ValueId {
        // `infer_shapes` fills in the number of steps.
        let steps = Argument {
            value: ArgumentValue::Number(Dim::Known(1)),
            span: node.span,
            literal: false,
        };
        let arguments = vec![steps; row.parameters.len()];
        let layer = Layer::Known { row, arguments };
        let (source, spans) = ("PerStep".to_owned(), vec![node.span]);
        self.push(Node { layer, inputs: vec![input], source, ..node }, spans)
    }

    /// The outputs of the body and of the skip connection of a `Residual`.
    pub(super) fn parts(
        &mut self,
        residual: &ast::Residual,
        input: ValueId,
        context: &mut LineContext<'_>,
    ) -> (ValueId, ValueId) {
        let body = self.nested(residual.keyword.span(), |this| {
            this.body(&residual.body, Some(input), context)
        });
        let skipped = match &residual.skip {
            Some(skip) => {
                let path = match &skip.name {
                    Some(name) => self.named_path(name, context),
                    None => context.scope.number("skip"),
                };
                self.inside(&skip.body, &path, Some(input), context)
            }
            None => input,
        };
        (body, skipped)
    }
}
