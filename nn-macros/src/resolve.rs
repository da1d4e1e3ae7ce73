//! [`ast`](crate::ast) -> [`network`](crate::network): names are looked up, arguments matched,
//! blocks and repeats unrolled. Shapes are not looked at.

use nn_shape::registry::{Inputs, ROWS, Row, find};
use proc_macro2::{Span, TokenStream};
use quote::ToTokens;
use std::collections::HashMap;
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Error, GenericParam, Ident, Type};

use crate::arguments::{self, Callee};
use crate::ast::{self, Body, Branch, Line, Node, Use};
use crate::network::{Argument, Dims, Layer, Network, Shortcut, Station, Value, ValueId};
use crate::operand::{Environment, Operand};
use crate::report::{Report, mistake, say};
use crate::scope::{Fields, Scope, snake_case};

/// The most stations of one network: more would keep the compiler busy for hours.
const MOST_STATIONS: usize = 4096;
/// The most lines looked at while unrolling.
const MOST_LINES: usize = 4 * MOST_STATIONS;
/// The deepest nesting of blocks, repeats and branches.
const DEEPEST: usize = 64;

/// A network whose names are resolved, and what `infer` has to know besides.
pub(crate) struct Resolved {
    pub(crate) network: Network,
    /// The stations whose layer or arguments are wrong, which is reported.
    pub(crate) broken: Vec<bool>,
    /// Where the branches of a join stand, by the number of its station.
    pub(crate) branches: HashMap<usize, Vec<Span>>,
    /// The const generics.
    pub(crate) generics: Vec<String>,
}

/// The blocks of a `network!` by name.
pub(crate) type Blocks<'a> = HashMap<String, &'a ast::Block>;

/// The blocks by name, after their names were checked.
pub(crate) fn resolve_blocks<'a>(file: &'a ast::File, report: &mut Report) -> Blocks<'a> {
    let mut blocks = Blocks::new();
    for block in &file.blocks {
        let name = block.name.to_string();
        if find(&name).is_some() {
            report.error(block.name.span(), mistake::block_like_layer(&block.name));
        } else if let Some(first) = blocks.get(&name) {
            report.twice("block", first.name.span(), &block.name);
        } else {
            blocks.insert(name, block);
        }
    }
    blocks
}

/// The graph of one network. `None` where its header could not be parsed.
pub(crate) fn resolve(
    krate: &TokenStream,
    blocks: &Blocks<'_>,
    definition: &ast::Network,
    report: &mut Report,
) -> Option<Resolved> {
    let inputs = definition.inputs.as_ref()?;
    let body = definition.body.as_ref()?;
    let generics = resolve_generics(definition, report);
    let environment = Environment { parameters: Vec::new(), generics };
    let output = definition.output.as_ref()?;
    let output = environment.shape(output).map_err(|error| report.add(error)).ok()?;
    let network = Network {
        krate: krate.clone(),
        attributes: definition.attributes.clone(),
        visibility: definition.visibility.clone(),
        name: definition.name.clone(),
        generics: definition.generics.clone(),
        inputs: Vec::new(),
        output,
        output_value: ValueId(0),
        stations: Vec::new(),
        values: Vec::new(),
    };
    let generics = environment.generics.clone();
    let resolved = Resolved { network, broken: Vec::new(), branches: HashMap::new(), generics };
    let mut resolver = Resolver {
        blocks,
        report,
        resolved,
        fields: Fields::default(),
        open: Vec::new(),
        depth: 0,
        lines: 0,
        too_large: false,
    };
    resolver.network(inputs, body, &environment)?;
    Some(resolver.resolved)
}

/// The names of the const generics.
fn resolve_generics(definition: &ast::Network, report: &mut Report) -> Vec<String> {
    let mut names = Vec::new();
    for parameter in &definition.generics.params {
        match parameter {
            GenericParam::Const(constant) if constant.ty == syn::parse_quote!(usize) => {
                names.push(constant.ident.to_string());
            }
            other => report.error(other.span(), say::NO_TYPE_PARAMETERS),
        }
    }
    names
}

struct Resolver<'a> {
    blocks: &'a Blocks<'a>,
    report: &'a mut Report,
    resolved: Resolved,
    fields: Fields,
    /// The blocks that are being unrolled, the outermost first.
    open: Vec<String>,
    depth: usize,
    lines: usize,
    /// Whether a limit was exceeded: then nothing is unrolled any more.
    too_large: bool,
}

/// What lines see around them.
struct Place<'a> {
    environment: &'a Environment,
    scope: &'a mut Scope,
    /// The inputs and the named layers before the line.
    named: &'a mut Vec<(Ident, ValueId)>,
}

/// What a line's station is called.
struct Title {
    path: String,
    /// The name that the user gave it.
    name: Option<String>,
}

impl Resolver<'_> {
    fn network(&mut self, inputs: &[ast::Input], body: &Body, around: &Environment) -> Option<()> {
        let mut named = self.inputs(inputs, around)?;
        let begin = (inputs.len() == 1).then_some(ValueId(0));
        let mut scope = Scope::new("", body, false);
        let mut place = Place { environment: around, scope: &mut scope, named: &mut named };
        self.resolved.network.output_value = self.body(body, begin, &mut place);
        self.check_inputs_used(inputs);
        Some(())
    }

    /// The values of the inputs, by name.
    fn inputs(
        &mut self,
        inputs: &[ast::Input],
        environment: &Environment,
    ) -> Option<Vec<(Ident, ValueId)>> {
        let mut named: Vec<(Ident, ValueId)> = Vec::new();
        let mut correct = true;
        for input in inputs {
            match environment.shape(&input.shape) {
                Ok(dims) => {
                    let value = self.value(dims);
                    let name = input.name.clone();
                    let input = crate::network::Input { name, value, index: false };
                    self.resolved.network.inputs.push(input);
                }
                Err(error) => {
                    self.report.add(error);
                    correct = false;
                }
            }
            match &input.name {
                Some(name) => match named.iter().find(|(known, _)| known == name) {
                    Some((first, _)) => self.report.twice("input", first.span(), name),
                    None => named.push((name.clone(), ValueId(named.len()))),
                },
                None if inputs.len() > 1 => {
                    self.report.error(input.shape.span, say::INPUTS_NEED_NAMES);
                    correct = false;
                }
                None => {}
            }
        }
        correct.then_some(named)
    }

    fn check_inputs_used(&mut self, inputs: &[ast::Input]) {
        let network = &self.resolved.network;
        if self.too_large || inputs.len() < 2 || self.resolved.broken.contains(&true) {
            return;
        }
        for input in &network.inputs {
            let used = network.stations.iter().any(|station| station.inputs.contains(&input.value));
            if let (false, Some(name)) = (used, &input.name) {
                self.report.error(name.span(), mistake::unused_input(name));
            }
        }
    }

    /// The lines of a body, one after the other, and what the last one gives.
    fn body(&mut self, body: &Body, begin: Option<ValueId>, place: &mut Place<'_>) -> ValueId {
        let around = place.named.len();
        let mut current = begin;
        if body.lines.is_empty() {
            self.report.error(body.span, say::NO_LAYERS);
            return self.unknown(body.span);
        }
        for line in &body.lines {
            if self.too_large {
                break;
            }
            current = Some(self.line(line, current, place));
        }
        place.named.truncate(around);
        current.unwrap_or_else(|| self.unknown(body.span))
    }

    fn line(&mut self, line: &Line, current: Option<ValueId>, place: &mut Place<'_>) -> ValueId {
        self.lines += 1;
        if self.lines > MOST_LINES {
            return self.give_up(span_of(&line.node), mistake::too_large(MOST_STATIONS));
        }
        let path = line.name.as_ref().map(|name| self.named_path(name, place));
        let name = line.name.as_ref().map(|name| name.unraw().to_string());
        let title = path.map(|path| Title { path, name });
        let output = match &line.node {
            Node::Use(used) => self.used(used, title, current, place),
            Node::Repeat(repeat) => self.repeat(repeat, title, current, place),
            Node::Residual(residual) => self.residual(residual, title, current, place),
            Node::Broken(span) => self.unknown(*span),
        };
        if let Some(arrow) = &line.arrow {
            self.arrow(arrow, output, place.environment);
        }
        if let Some(name) = &line.name {
            place.named.push((name.clone(), output));
        }
        output
    }

    fn named_path(&mut self, name: &Ident, place: &mut Place<'_>) -> String {
        place.scope.name(name).unwrap_or_else(|first| {
            self.report.twice("name", first, name);
            place.scope.number(&name.to_string())
        })
    }

    fn arrow(&mut self, arrow: &ast::Shape, output: ValueId, environment: &Environment) {
        match environment.shape(arrow) {
            Ok(dims) => {
                let stations = self.resolved.network.stations.iter_mut();
                if let Some(station) = stations.rev().find(|station| station.output == output) {
                    station.arrows.push(dims);
                }
            }
            Err(error) => self.report.add(error),
        }
    }

    /// A layer, a block, or a type of the user's.
    fn used(
        &mut self,
        used: &Use,
        title: Option<Title>,
        current: Option<ValueId>,
        place: &mut Place<'_>,
    ) -> ValueId {
        let Some(name) = used.plain_name() else {
            return self.custom(used, title, current, place);
        };
        if let Some(block) = self.blocks.get(&name.to_string()).copied() {
            return self.block(block, used, title, current, place);
        }
        if let Some(row) = find(&name.to_string()) {
            return self.layer(row, used, title, current, place);
        }
        match self.misspelt(name, used) {
            Some(words) => {
                self.report.error(name.span(), words);
                self.unknown(name.span())
            }
            None => self.custom(used, title, current, place),
        }
    }

    /// What is wrong with a name that is neither a layer nor a block, if it cannot be a type.
    fn misspelt(&self, name: &Ident, used: &Use) -> Option<String> {
        let mut known: Vec<&str> = ROWS.iter().map(|row| row.name).collect();
        known.extend(["Repeat", "Residual"]);
        known.extend(self.blocks.keys().map(String::as_str));
        known.sort_unstable();
        if used.arguments.is_some() {
            return Some(mistake::unknown_layer(name, &known));
        }
        let meant = crate::suggest::closest(&name.to_string(), known)?;
        Some(mistake::layer_or_type(name, meant))
    }

    /// A layer of the registry.
    fn layer(
        &mut self,
        row: &'static Row,
        used: &Use,
        title: Option<Title>,
        current: Option<ValueId>,
        place: &mut Place<'_>,
    ) -> ValueId {
        let arguments = self.arguments(row, used, place.environment);
        let title = title.unwrap_or_else(|| unnamed(row.stem, place.scope));
        let inputs = match (row.inputs, &used.branches) {
            (Inputs::One, None) => {
                self.running(current, used.name.span()).map(|x| (vec![x], vec![]))
            }
            (Inputs::One, Some(_)) => {
                self.report.error(used.name.span(), mistake::no_branches(&used.name));
                None
            }
            (Inputs::Branches, None) => {
                self.report.error(used.name.span(), mistake::needs_branches(&used.name));
                None
            }
            (Inputs::Branches, Some(branches)) => {
                self.branches(used, branches, &title, current, place)
            }
        };
        let (Some(arguments), Some((inputs, spans))) = (arguments, inputs) else {
            return self.unknown(used.name.span());
        };
        let station = self.station(title, &used.name, place.scope);
        let source = source(used, place.environment);
        let layer = Layer::Known { row, arguments };
        self.push(Station { layer, inputs, source, ..station }, spans)
    }

    /// The arguments of a layer, defaults filled in. `None` where one is wrong, which is reported.
    fn arguments(
        &mut self,
        row: &'static Row,
        used: &Use,
        environment: &Environment,
    ) -> Option<Vec<Argument>> {
        let given = used.arguments.as_deref().unwrap_or_default();
        if arguments::are_broken(given) {
            return None;
        }
        let parameters = row.parameters.iter().map(|parameter| arguments::Parameter {
            name: parameter.name,
            required: parameter.default.is_none(),
        });
        let parameters = parameters.collect();
        let callee = Callee { name: &used.name, parameters, positional: row.positional };
        let slots = arguments::assign(&callee, given, self.report)?;
        let mut all = Vec::new();
        let mut correct = true;
        for (parameter, slot) in row.parameters.iter().zip(slots) {
            match (slot, parameter.default) {
                (Some(argument), _) => {
                    match arguments::convert(&used.name, parameter, argument, environment) {
                        Ok(argument) => all.push(argument),
                        Err(error) => {
                            correct = false;
                            self.report.add(error);
                        }
                    }
                }
                (None, Some(value)) => all.push(arguments::default(value, used.name.span())),
                (None, None) => correct = false,
            }
        }
        correct.then_some(all)
    }

    /// The values of the branches of a join, and where the branches stand.
    fn branches(
        &mut self,
        used: &Use,
        branches: &[Branch],
        title: &Title,
        current: Option<ValueId>,
        place: &mut Place<'_>,
    ) -> Option<(Vec<ValueId>, Vec<Span>)> {
        if let Some(lines) = used.lines {
            self.report.error(lines, say::NOT_A_BRANCH);
            return None;
        }
        if branches.len() < 2 {
            self.report.error(used.name.span(), say::TWO_BRANCHES);
            return None;
        }
        let one = |(nth, branch): (usize, &Branch)| {
            let begin = self.source(branch, current, place);
            let path = match (&branch.source, &title.name) {
                (Some(source), None) => place.scope.number(&source.to_string()),
                (Some(source), Some(_)) => format!("{}.{source}", title.path),
                (None, _) => format!("{}.{nth}", title.path),
            };
            match branch.body.lines.is_empty() {
                true => begin,
                false => self.inside(&branch.body, &path, Some(begin), place, false),
            }
        };
        let values = branches.iter().enumerate().map(one).collect();
        Some((values, branches.iter().map(Branch::span).collect()))
    }

    /// The value that a branch begins with.
    fn source(&mut self, branch: &Branch, current: Option<ValueId>, place: &Place<'_>) -> ValueId {
        let Some(source) = &branch.source else {
            return current.unwrap_or_else(|| {
                self.report.error(branch.span(), say::BRANCH_NEEDS_SOURCE);
                self.unknown(branch.span())
            });
        };
        let known = place.named.iter().rev().find(|(name, _)| name == source);
        known.map(|(_, value)| *value).unwrap_or_else(|| {
            let names: Vec<String> = place.named.iter().map(|(name, _)| name.to_string()).collect();
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            self.report.error(source.span(), mistake::unknown_source(source, &names));
            self.unknown(source.span())
        })
    }

    /// A type of the user's.
    fn custom(
        &mut self,
        used: &Use,
        title: Option<Title>,
        current: Option<ValueId>,
        place: &mut Place<'_>,
    ) -> ValueId {
        if used.arguments.is_some() {
            self.report.error(used.name.span(), say::CUSTOM_ARGUMENTS);
            return self.unknown(used.name.span());
        }
        let stem = snake_case(&used.name.to_string());
        let title = title.unwrap_or_else(|| unnamed(&stem, place.scope));
        let inputs = match &used.branches {
            None => self.running(current, used.name.span()).map(|value| (vec![value], vec![])),
            Some(branches) => self.branches(used, branches, &title, current, place),
        };
        let Some((inputs, spans)) = inputs else { return self.unknown(used.name.span()) };
        let station = self.station(title, &used.name, place.scope);
        let source = mistake::tidy(&used.layer.to_token_stream());
        let layer = Layer::Custom(Box::new(used.layer.clone()));
        self.push(Station { layer, inputs, source, ..station }, spans)
    }

    /// A block, written out at its place.
    fn block(
        &mut self,
        block: &ast::Block,
        used: &Use,
        title: Option<Title>,
        current: Option<ValueId>,
        place: &mut Place<'_>,
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
        let Some(environment) = self.parameters(block, used, place.environment) else {
            return self.unknown(used.name.span());
        };
        let title = title.unwrap_or_else(|| unnamed(&snake_case(&name), place.scope));
        // A block sees nothing but its own lines.
        let mut inner = Place { environment: &environment, scope: place.scope, named: &mut vec![] };
        self.open.push(name);
        let output = self.inside(&block.body, &title.path, current, &mut inner, true);
        self.open.pop();
        output
    }

    /// What the parameters of a block stand for. `None` where one is wrong, which is reported.
    fn parameters(
        &mut self,
        block: &ast::Block,
        used: &Use,
        around: &Environment,
    ) -> Option<Environment> {
        let given = used.arguments.as_deref().unwrap_or_default();
        if arguments::are_broken(given) {
            return None;
        }
        let names: Vec<String> = block.parameters.iter().map(|p| p.name.to_string()).collect();
        let parameters = block.parameters.iter().zip(&names).map(|(parameter, name)| {
            arguments::Parameter { name, required: parameter.default.is_none() }
        });
        let parameters = parameters.collect();
        let callee = Callee { name: &used.name, parameters, positional: names.len() };
        let slots = arguments::assign(&callee, given, self.report)?;
        let mut inside = Environment { parameters: Vec::new(), generics: around.generics.clone() };
        let mut correct = true;
        for ((parameter, name), slot) in block.parameters.iter().zip(names).zip(slots) {
            let operand = match (slot, &parameter.default) {
                (Some(argument), _) => around.evaluate(&argument.value),
                // A default may use the parameters before it.
                (None, Some(default)) => inside.evaluate(default),
                (None, None) => continue,
            };
            match operand {
                Ok(operand) => inside.parameters.push((name, operand)),
                Err(error) => {
                    correct = false;
                    self.report.add(error);
                }
            }
        }
        correct.then_some(inside)
    }

    fn repeat(
        &mut self,
        repeat: &ast::Repeat,
        title: Option<Title>,
        current: Option<ValueId>,
        place: &mut Place<'_>,
    ) -> ValueId {
        let count = match self.count(repeat, place.environment) {
            Ok(count) => count,
            Err(error) => {
                self.report.add(error);
                return self.unknown(repeat.keyword.span());
            }
        };
        let title = title.unwrap_or_else(|| unnamed("repeat", place.scope));
        let mut current = current;
        for copy in 0..count {
            if self.too_large {
                break;
            }
            let path = format!("{}.{copy}", title.path);
            current = Some(self.inside(&repeat.body, &path, current, place, true));
        }
        current.unwrap_or_else(|| self.unknown(repeat.keyword.span()))
    }

    fn count(&self, repeat: &ast::Repeat, environment: &Environment) -> Result<usize, Error> {
        let operand: Operand = environment.evaluate(&repeat.count)?;
        match operand.size().and_then(|size| size.known()) {
            Some(0) => {
                Err(Error::new(operand.span, format!("`{}` {}", repeat.keyword, say::NO_COPIES)))
            }
            Some(count) => Ok(count),
            None => Err(Error::new(operand.span, say::LITERAL_COUNT)),
        }
    }

    /// A body, its shortcut, and the `Add` that joins them.
    fn residual(
        &mut self,
        residual: &ast::Residual,
        title: Option<Title>,
        current: Option<ValueId>,
        place: &mut Place<'_>,
    ) -> ValueId {
        let at = residual.keyword.span();
        let Some(input) = self.running(current, at) else { return self.unknown(at) };
        let (body, shortcut) = match &title {
            Some(title) => {
                let mut scope = Scope::new(&title.path, &residual.body, place.scope.repeated);
                let mut inner =
                    Place { environment: place.environment, scope: &mut scope, named: place.named };
                self.parts(residual, input, &mut inner)
            }
            None => self.parts(residual, input, place),
        };
        let title = title.unwrap_or_else(|| unnamed("residual", place.scope));
        let station = self.station(title, &residual.keyword, place.scope);
        let kind = if residual.skip.is_some() { Shortcut::Skip } else { Shortcut::Input };
        let row = find("Add").expect("a row of the registry");
        let layer = Layer::Known { row, arguments: Vec::new() };
        let source = residual.keyword.to_string();
        let inputs = vec![body, shortcut];
        let spans = vec![residual.keyword.span(); 2];
        self.push(Station { layer, inputs, source, shortcut: kind, ..station }, spans)
    }

    /// What the body and the shortcut of a `Residual` give.
    fn parts(
        &mut self,
        residual: &ast::Residual,
        input: ValueId,
        place: &mut Place<'_>,
    ) -> (ValueId, ValueId) {
        let body = self
            .nested(residual.keyword.span(), |this| this.body(&residual.body, Some(input), place));
        let shortcut = match &residual.skip {
            Some(skip) => {
                let path = place.scope.number("skip");
                self.inside(skip, &path, Some(input), place, false)
            }
            None => input,
        };
        (body, shortcut)
    }

    /// A body in a scope of its own.
    fn inside(
        &mut self,
        body: &Body,
        path: &str,
        begin: Option<ValueId>,
        place: &mut Place<'_>,
        repeated: bool,
    ) -> ValueId {
        let repeated = repeated || place.scope.repeated;
        let mut scope = Scope::new(path, body, repeated);
        let mut inner =
            Place { environment: place.environment, scope: &mut scope, named: place.named };
        self.nested(body.span, |this| this.body(body, begin, &mut inner))
    }

    /// Goes one deeper, but not too deep.
    fn nested(&mut self, at: Span, inner: impl FnOnce(&mut Self) -> ValueId) -> ValueId {
        if self.depth == DEEPEST {
            return self.give_up(at, mistake::too_deep(DEEPEST));
        }
        self.depth += 1;
        let value = inner(self);
        self.depth -= 1;
        value
    }

    /// The value that a layer reads, unless a network of several inputs begins with it.
    fn running(&mut self, current: Option<ValueId>, at: Span) -> Option<ValueId> {
        if current.is_none() {
            self.report.error(at, say::BEGINS_WITH_JOIN);
        }
        current
    }

    /// A station without its layer and inputs.
    fn station(&mut self, title: Title, at: &Ident, scope: &Scope) -> Station {
        let label = match &title.name {
            _ if scope.repeated => title.path.clone(),
            Some(name) => name.clone(),
            None => at.to_string(),
        };
        let field = self.fields.name(&title.path, at.span());
        Station {
            path: title.path,
            field,
            layer: Layer::Custom(Box::new(Type::Verbatim(TokenStream::new()))),
            label,
            named: title.name.is_some(),
            source: String::new(),
            span: at.span(),
            inputs: Vec::new(),
            output: ValueId(0),
            shortcut: Shortcut::None,
            generic: false,
            arrows: Vec::new(),
            cost: None,
        }
    }

    fn push(&mut self, station: Station, branches: Vec<Span>) -> ValueId {
        if self.resolved.network.stations.len() == MOST_STATIONS {
            return self.give_up(station.span, mistake::too_large(MOST_STATIONS));
        }
        let output = self.value(Dims { sizes: Vec::new(), span: station.span, constant: None });
        let number = self.resolved.network.stations.len();
        self.resolved.branches.insert(number, branches);
        self.resolved.network.stations.push(Station { output, ..station });
        self.resolved.broken.push(false);
        output
    }

    fn value(&mut self, dims: Dims) -> ValueId {
        let values = &mut self.resolved.network.values;
        values.push(Value { dims, features: Vec::new() });
        ValueId(values.len() - 1)
    }

    /// What a layer gives that could not be resolved: nobody knows what.
    fn unknown(&mut self, at: Span) -> ValueId {
        let title = Title { path: String::from("broken"), name: None };
        let name = Ident::new("broken", at);
        let scope = Scope::new("", &Body { lines: Vec::new(), span: at }, false);
        let station = self.station(title, &name, &scope);
        let output = self.push(station, Vec::new());
        if let Some(broken) = self.resolved.broken.last_mut() {
            *broken = true;
        }
        output
    }

    fn give_up(&mut self, at: Span, words: String) -> ValueId {
        if !self.too_large {
            self.report.error(at, words);
        }
        self.too_large = true;
        ValueId(0)
    }
}

/// The title of a line without a name.
fn unnamed(stem: &str, scope: &mut Scope) -> Title {
    Title { path: scope.number(stem), name: None }
}

fn span_of(node: &Node) -> Span {
    match node {
        Node::Use(used) => used.name.span(),
        Node::Repeat(repeat) => repeat.keyword.span(),
        Node::Residual(residual) => residual.keyword.span(),
        Node::Broken(span) => *span,
    }
}

/// A layer as the user wrote it, parameters of blocks replaced.
fn source(used: &Use, environment: &Environment) -> String {
    let Some(arguments) = &used.arguments else { return used.name.to_string() };
    let one = |argument: &ast::Argument| {
        let value = match environment.evaluate(&argument.value) {
            Ok(operand) => mistake::tidy(&operand.tokens),
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
