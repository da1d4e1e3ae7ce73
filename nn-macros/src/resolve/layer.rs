//! Lines that are a layer, a block, or a type of the user's; branches of joins.

use proc_macro2::Span;
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::{Ident, Type};
use unrolled_shape::registry::{Inputs, Row};
use unrolled_shape::{Kind, Parameter};

use super::inputs::{BranchInput, LineInputs};
use super::names::{KEYWORDS, SAME};
use super::node::{LastPart, Start, Title, unnamed};
use super::resolver::{LineContext, Resolver};
use super::source::find_named;
use crate::arguments::{self, Callee};
use crate::ast::{self, Branch, Call};
use crate::blocks;
use crate::foreign;
use crate::network::{Argument, ArgumentValue, Dims, Layer, Node, ValueId};
use crate::operand::Environment;
use crate::report::{mistake, say};
use crate::scope::{Scope, snake_case};
use crate::suggest::renamed;

impl Resolver<'_> {
    /// A layer, a block, or a type of the user's.
    pub(super) fn used(
        &mut self,
        used: &Call,
        start: Start,
        context: &mut LineContext<'_>,
    ) -> ValueId {
        let Some(name) = used.plain_name() else {
            return self.custom(used, start, context);
        };
        if name == SAME {
            return self.same(used, start, context);
        }
        // The user's blocks come first: they may replace predefined ones. They cannot be called like a layer.
        if let Some(block) = self.names.blocks.get(&name.to_string()).copied() {
            return self.block(block, used, start, context);
        }
        if let Some(row) = self.names.layers.iter().find(|row| name == row.name) {
            return self.layer(row, used, start, context);
        }
        if let Some(block) = blocks::find(&name.to_string(), name.span()) {
            self.predefined = Some(used.name.clone());
            let output = self.block(&block, used, start, context);
            self.predefined = None;
            return output;
        }
        match self.misspelt(name, used) {
            Some(words) => {
                self.report.error(name.span(), words);
                self.unknown(name.span())
            }
            None => self.custom(used, start, context),
        }
    }

    /// What is wrong with a name that is neither a layer nor a block, if it cannot be a type.
    pub(super) fn misspelt(&self, name: &Ident, used: &Call) -> Option<String> {
        let mut known: Vec<&str> = self.names.layers.iter().map(|row| row.name).collect();
        known.extend(KEYWORDS);
        known.extend(self.names.blocks.keys().map(String::as_str));
        known.extend(blocks::names());
        known.sort_unstable();
        if let (true, Some([only])) = (name == "Activation", used.arguments.as_deref()) {
            return Some(mistake::activation_as_layer(&only.value.to_token_stream()));
        }
        // Types take no parentheses and no lines here, so that the name is neither a type nor known.
        if used.arguments.is_some()
            || used.lines.is_some() && foreign::layer(&name.to_string()).is_some()
        {
            return Some(mistake::unknown_layer(name, &known));
        }
        if self.names.networks.contains_key(&name.to_string()) {
            return None;
        }
        known.extend(self.names.networks.keys().map(String::as_str));
        known.sort_unstable();
        let meant = crate::suggest::closest(&name.to_string(), known)?;
        Some(mistake::layer_or_type(name, meant))
    }

    /// What to write for `nn::Linear(784, 10)`, where the last name is that of a layer, here or in other libraries.
    fn foreign_path(&self, used: &Call) -> Option<String> {
        let known = self.names.layers.iter().map(|row| row.name);
        let segments = match &used.layer {
            Type::Path(path) => path.path.segments.iter().rev(),
            _ => return None,
        };
        // `Dense::new(10)`
        let mut names = segments.map(|segment| segment.ident.to_string());
        let name = names.find(|name| name != "new")?;
        let meant = known.clone().find(|known| *known == name).or_else(|| renamed(&name, known))?;
        let path = mistake::tidy(&used.layer.to_token_stream());
        Some(mistake::path_of_a_layer(&path, meant))
    }

    /// A layer of the registry.
    pub(super) fn layer(
        &mut self,
        row: &'static Row,
        used: &Call,
        start: Start,
        context: &mut LineContext<'_>,
    ) -> ValueId {
        let arguments = self.arguments(row, used, context);
        let Start { title, current } = start;
        let title = title.unwrap_or_else(|| unnamed(row.stem, context.scope));
        let inputs = match (row.inputs, &used.branches) {
            (Inputs::One | Inputs::Indices | Inputs::OneAndIndices, None) => {
                self.running(current, used.name.span()).map(Branches::none)
            }
            (Inputs::One | Inputs::Indices | Inputs::OneAndIndices, Some(_)) => {
                self.report.error(used.name.span(), mistake::no_branches(&used.name));
                None
            }
            (Inputs::Branches, None) => {
                // Branches in parentheses are reported as arguments.
                if arguments.is_some() {
                    self.report.error(used.name.span(), mistake::needs_branches(&used.name));
                }
                None
            }
            (Inputs::Branches, Some(_)) => {
                self.branches(used, Paths::Inside(&title), current, context)
            }
        };
        let (Some(arguments), Some(branches)) = (arguments, inputs) else {
            return self.unknown(used.name.span());
        };
        let Branches { begins, values: mut inputs, spans } = branches;
        self.inputs = LineInputs { branches: begins, arguments: arguments.named(row) };
        let owner = arguments.owner;
        let arguments = arguments.append_to(&mut inputs);
        // A join has no weights, and needs no path for them.
        let title = match (title.last_part, row.inputs) {
            (LastPart::None(_), Inputs::Branches) => unnamed(row.stem, context.scope),
            _ => self.title_of_layer(title, row.stem, context),
        };
        let node = self.node(title, &used.name, context.scope);
        let source = source(used, context.environment);
        let layer = Layer::Known { row, arguments };
        self.push(Node { layer, inputs, owner, source, ..node }, spans)
    }

    /// The arguments of a layer, defaults filled in. `None` where one is wrong, which is reported.
    pub(super) fn arguments(
        &mut self,
        row: &'static Row,
        used: &Call,
        context: &LineContext<'_>,
    ) -> Option<Arguments> {
        let given = used.arguments.as_deref().unwrap_or_default();
        if arguments::are_broken(given) {
            return None;
        }
        let parameters = row.parameters.iter().map(|parameter| arguments::Parameter {
            name: parameter.name,
            required: parameter.default.is_none(),
        });
        let parameters = parameters.collect();
        let callee =
            Callee { name: &used.name, parameters, positional: row.positional, row: Some(row) };
        let slots = arguments::assign(&callee, given, self.report)?;
        let mut all = Arguments::default();
        let mut correct = true;
        for (parameter, slot) in row.parameters.iter().zip(slots) {
            let argument = match (slot, parameter.default) {
                (Some(argument), _) => match (parameter.kind, arguments::plain_name(argument)) {
                    (Kind::Input, Some(name)) => {
                        let value = self.named(name, context);
                        Ok(all.input(self.aliases.add(value), name.span()))
                    }
                    (Kind::Weight, Some(name)) => match self.owner(name, context) {
                        Some(owner) => Ok(all.weight(owner, name.span())),
                        None => {
                            correct = false;
                            continue;
                        }
                    },
                    _ => arguments::convert(&used.name, parameter, argument, context.environment),
                },
                (None, Some(value)) => Ok(arguments::default(value, used.name.span())),
                // It is reported as missing.
                (None, None) => return None,
            };
            match argument {
                Ok(argument) => all.values.push(argument),
                Err(error) => {
                    correct = false;
                    self.report.add(error);
                }
            }
        }
        correct.then_some(all)
    }

    /// The branches of a join.
    pub(super) fn branches(
        &mut self,
        used: &Call,
        paths: Paths<'_>,
        current: Option<ValueId>,
        context: &mut LineContext<'_>,
    ) -> Option<Branches> {
        let branches = used.branches.as_deref().unwrap_or_default();
        if let Some(lines) = used.lines {
            self.report.error(lines, say::NOT_A_BRANCH);
            return None;
        }
        if branches.len() < 2 {
            self.report.error(used.name.span(), say::TWO_BRANCHES);
            return None;
        }
        let mut own = paths.own();
        let mut begins = Vec::new();
        let one = |(nth, branch): (usize, &Branch)| {
            let begin = self.source(branch, current, context);
            let begin = self.aliases.add(begin);
            begins.push(BranchInput { alias: begin, named: branch.source.is_some() });
            if branch.body.lines.is_empty() {
                // `{}` or a name alone: the value itself.
                return begin;
            }
            match (&branch.source, paths.last_part()) {
                (None, LastPart::None(at)) => self.beside(&branch.body, at, Some(begin), context),
                (source, _) => {
                    let path = paths.branch(nth, source.as_ref(), context.scope, &mut own);
                    self.inside(&branch.body, &path, Some(begin), context)
                }
            }
        };
        let values = branches.iter().enumerate().map(one).collect();
        Some(Branches { begins, values, spans: branches.iter().map(Branch::span).collect() })
    }

    /// The value that a branch begins with.
    pub(super) fn source(
        &mut self,
        branch: &Branch,
        current: Option<ValueId>,
        context: &LineContext<'_>,
    ) -> ValueId {
        match (&branch.source, current) {
            (Some(source), _) => self.named(source, context),
            (None, Some(current)) => current,
            (None, None) => {
                self.report.error(branch.span(), say::BRANCH_NEEDS_SOURCE);
                self.unknown(branch.span())
            }
        }
    }

    /// A type of the user's.
    pub(super) fn custom(
        &mut self,
        used: &Call,
        start: Start,
        context: &mut LineContext<'_>,
    ) -> ValueId {
        if used.arguments.is_some() {
            let words = self.foreign_path(used).unwrap_or_else(|| say::CUSTOM_ARGUMENTS.into());
            self.report.error(used.name.span(), words);
            return self.unknown(used.name.span());
        }
        if used.plain_name() == Some(&self.resolved.network.name) {
            self.report.error(used.name.span(), say::INSIDE_ITSELF);
            return self.unknown(used.name.span());
        }
        if used.plain_name().is_some_and(|name| find_named(name, context).is_some()) {
            self.report.error(used.name.span(), mistake::value_as_layer(&used.name));
            return self.unknown(used.name.span());
        }
        let stem = snake_case(&used.name.to_string());
        let Start { title, current } = start;
        let title = title.unwrap_or_else(|| unnamed(&stem, context.scope));
        let inputs = match &used.branches {
            None => self.running(current, used.name.span()).map(Branches::none),
            Some(_) => self.branches(used, Paths::Beside(&title), current, context),
        };
        let Some(Branches { begins, values: inputs, spans }) = inputs else {
            return self.unknown(used.name.span());
        };
        self.inputs = LineInputs { branches: begins, arguments: Vec::new() };
        let title = self.title_of_layer(title, &stem, context);
        let node = self.node(title, &used.name, context.scope);
        let source = mistake::tidy(&used.layer.to_token_stream());
        let layer = Layer::Custom(Box::new(used.layer.clone()));
        self.push(Node { layer, inputs, source, ..node }, spans)
    }
}

/// The branches of a join.
pub(super) struct Branches {
    pub(super) begins: Vec<BranchInput>,
    /// What they give.
    pub(super) values: Vec<ValueId>,
    /// Their places in the user's code.
    pub(super) spans: Vec<Span>,
}

impl Branches {
    /// Those of a layer that reads `value` alone.
    fn none(value: ValueId) -> Self {
        Self { begins: Vec::new(), values: vec![value], spans: Vec::new() }
    }
}

/// The arguments of a layer, defaults filled in.
#[derive(Default)]
pub(super) struct Arguments {
    values: Vec<Argument>,
    /// The named values among them. `ArgumentValue::Input` counts these from 0 until [`Self::append_to`] knows how many
    /// inputs come before them.
    inputs: Vec<ValueId>,
    /// The node whose weight the layer shares.
    owner: Option<usize>,
}

impl Arguments {
    /// An argument that names a value.
    fn input(&mut self, value: ValueId, span: Span) -> Argument {
        self.inputs.push(value);
        Argument { value: ArgumentValue::Input(self.inputs.len() - 1), span, literal: false }
    }

    /// An argument that names a line whose weight the layer shares. `infer_shapes` fills in the shape.
    fn weight(&mut self, owner: usize, span: Span) -> Argument {
        self.owner = Some(owner);
        let shape = Dims { sizes: Vec::new(), span, constant: None };
        Argument { value: ArgumentValue::Weight(shape), span, literal: false }
    }

    /// The named values among them, by their parameters.
    fn named(&self, row: &Row) -> Vec<(String, ValueId)> {
        let one = |(parameter, argument): (&Parameter, &Argument)| match argument.value {
            ArgumentValue::Input(nth) => Some((parameter.name.to_owned(), self.inputs[nth])),
            _ => None,
        };
        row.parameters.iter().zip(&self.values).filter_map(one).collect()
    }

    /// The arguments; the named values among them become further inputs of the layer, after `inputs`.
    fn append_to(self, inputs: &mut Vec<ValueId>) -> Vec<Argument> {
        let before = inputs.len();
        inputs.extend(self.inputs);
        let shifted = |argument: Argument| match argument.value {
            ArgumentValue::Input(nth) => {
                Argument { value: ArgumentValue::Input(before + nth), ..argument }
            }
            _ => argument,
        };
        self.values.into_iter().map(shifted).collect()
    }
}

/// Where the paths of branches are, seen from the layer that joins them.
#[derive(Clone, Copy)]
pub(super) enum Paths<'a> {
    /// Inside of its own.
    Inside(&'a Title),
    /// Beside its own, inside of which are the weights of a type of the user's, whatever their names.
    Beside(&'a Title),
}

impl Paths<'_> {
    /// The names inside of the layer.
    fn own(self) -> Scope {
        let (Self::Inside(title) | Self::Beside(title)) = self;
        Scope::inside(&title.path)
    }

    const fn last_part(self) -> LastPart {
        let (Self::Inside(title) | Self::Beside(title)) = self;
        title.last_part
    }

    /// The path of a branch, of which several may begin with the same source.
    fn branch(
        self,
        nth: usize,
        source: Option<&Ident>,
        around: &mut Scope,
        own: &mut Scope,
    ) -> String {
        let source = source.map(|source| source.unraw().to_string());
        match (self, source) {
            (
                // `Concat { image => { .. } }`: `image`, as if the join were not there.
                Self::Inside(Title { last_part: LastPart::Layer | LastPart::None(_), .. })
                | Self::Beside(Title { last_part: LastPart::Layer | LastPart::None(_), .. }),
                Some(source),
            ) => around.number(&source),
            // `join: Concat { image => { .. } }`: `join.image`.
            (Self::Inside(_), Some(source)) => own.number(&source),
            // `join: Concat { {}, { .. } }`: `join.1`; `concat.1` where it has no name.
            (Self::Inside(title), None) => format!("{}.{nth}", title.path),
            // `mix: Mix { image => { .. } }`: `mix_image`.
            (Self::Beside(title), Some(source)) => {
                around.number(&format!("{}_{source}", title.last()))
            }
            // `mix: Mix { {}, { .. } }`: `mix_1`.
            (Self::Beside(title), None) => around.number(&format!("{}_{nth}", title.last())),
        }
    }
}

/// A layer as the user wrote it, parameters of blocks replaced.
pub(super) fn source(used: &Call, environment: &Environment) -> String {
    let Some(arguments) = &used.arguments else { return used.name.to_string() };
    let one = |argument: &ast::Argument| {
        let value = match environment.evaluate(&argument.value) {
            Ok(operand) => mistake::tidy(&operand.tokens),
            // Reported where the argument is converted.
            Err(_) => mistake::tidy(&argument.value.to_token_stream()),
        };
        match &argument.name {
            Some(name) => format!("{name} = {value}"),
            None => value,
        }
    };
    let arguments: Vec<String> = arguments.iter().map(one).collect();
    format!("{}({})", used.name, arguments.join(", "))
}
