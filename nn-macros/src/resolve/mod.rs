//! [`ast`](crate::ast) -> [`network`](crate::network): names are looked up, arguments matched,
//! blocks and repeats unrolled. Shapes are not looked at.

mod layer;
mod node;
mod outputs;
mod owner;
mod source;
mod structure;

use proc_macro2::Span;
use quote::ToTokens;
use std::collections::{HashMap, HashSet};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Expr, GenericParam, Ident};
use unrolled_shape::registry::{ROWS, Row, find};

use crate::ast::{self, Body, Construct, Line};
use crate::network::{Facade, Network, Output, ValueId};
use crate::operand::Environment;
use crate::report::{Report, mistake, say};
use crate::scope::{Fields, Scope};
use node::Title;

/// What looks like a layer and is structure.
const KEYWORDS: [&str; 2] = ["Repeat", "Residual"];
/// The most nodes of one network: more would keep the compiler busy for hours.
const MOST_STATIONS: usize = 4096;

/// The most lines looked at while unrolling.
const MOST_LINES: usize = 4 * MOST_STATIONS;

/// The deepest nesting of blocks, repeats and branches.
const DEEPEST: usize = 64;

/// A network whose names are resolved, and what `infer` has to know besides.
pub(crate) struct Resolved {
    pub(crate) network: Network,
    /// The nodes whose layer or arguments are wrong, which is reported.
    pub(crate) broken: Vec<bool>,
    /// Where the branches of a join stand, by the number of its node.
    pub(crate) branches: HashMap<usize, Vec<Span>>,
    /// The const generics.
    pub(crate) generics: Vec<String>,
}

/// What the lines of a `network!` can name besides layers and types.
pub(crate) struct Names<'a> {
    blocks: HashMap<String, &'a ast::Block>,
    /// The networks in it: types of the user's that need no `self::`.
    networks: HashMap<String, &'a Ident>,
    /// The layers of the language.
    pub(crate) layers: &'a [&'static Row],
}

impl Names<'_> {
    /// Whether it is the first network of its name.
    pub(crate) fn is_first(&self, network: &ast::Network) -> bool {
        let first = self.networks.get(&network.name.to_string());
        first.is_some_and(|first| std::ptr::eq(*first, &network.name))
    }
}

/// The names that a `network!` defines.
pub(crate) fn resolve_names<'a>(file: &'a ast::File, report: &mut Report) -> Names<'a> {
    let mut blocks: HashMap<String, &ast::Block> = HashMap::new();
    for block in &file.blocks {
        let name = block.name.to_string();
        if find(&name).is_some() || KEYWORDS.contains(&name.as_str()) {
            report.error(block.name.span(), mistake::block_like_layer(&block.name));
        } else if let Some(first) = blocks.get(&name) {
            report.twice("block", first.name.span(), &block.name);
        } else {
            blocks.insert(name, block);
        }
        check_parameters(block, report);
    }
    let mut networks: HashMap<String, &Ident> = HashMap::new();
    for network in &file.networks {
        let name = network.name.to_string();
        match networks.get(&name) {
            Some(first) => report.twice("network", first.span(), &network.name),
            None => {
                networks.insert(name, &network.name);
            }
        }
    }
    Names { blocks, networks, layers: ROWS }
}

/// Whether each parameter of a block has a name of its own.
fn check_parameters(block: &ast::Block, report: &mut Report) {
    for (nth, parameter) in block.parameters.iter().enumerate() {
        let before = &block.parameters[..nth];
        if let Some(first) = before.iter().find(|first| first.name == parameter.name) {
            report.twice("parameter", first.name.span(), &parameter.name);
        }
    }
}

/// The graph of one network. `None` where its header could not be parsed.
pub(crate) fn resolve(
    facade: &Facade,
    names: &Names<'_>,
    definition: &ast::Network,
    report: &mut Report,
) -> Option<Resolved> {
    let inputs = definition.inputs.as_ref()?;
    let body = definition.body.as_ref()?;
    let generics = resolve_generics(definition, report);
    let environment = Environment { parameters: Vec::new(), generics };
    let outputs = resolve_outputs(definition.output.as_ref()?, &environment, report)?;
    let network = Network {
        krate: facade.krate.clone(),
        features: facade.features,
        attributes: definition.attributes.clone(),
        visibility: definition.visibility.clone(),
        name: definition.name.clone(),
        generics: definition.generics.clone(),
        inputs: Vec::new(),
        outputs,
        output_value: ValueId(0),
        nodes: Vec::new(),
        values: Vec::new(),
    };
    let generics = environment.generics.clone();
    let resolved = Resolved { network, broken: Vec::new(), branches: HashMap::new(), generics };
    let mut resolver = Resolver {
        names,
        report,
        resolved,
        fields: Fields::default(),
        open: Vec::new(),
        depth: 0,
        lines: 0,
        too_large: false,
        definition: body,
        bodies: Vec::new(),
    };
    resolver.network(inputs, body, &environment)?;
    Some(resolver.resolved)
}

/// The outputs that a header promises; nobody knows yet what gives them.
fn resolve_outputs(
    output: &ast::Output,
    environment: &Environment,
    report: &mut Report,
) -> Option<Vec<Output>> {
    let mut one = |name: Option<&Ident>, shape: &ast::Shape| {
        let promised = environment.shape(shape).map_err(|error| report.add(error)).ok()?;
        Some(Output { name: name.cloned(), promised, value: ValueId(0) })
    };
    let outputs: Vec<Output> = match output {
        ast::Output::One(shape) => vec![one(None, shape)?],
        ast::Output::Several(outputs) => {
            outputs.iter().map(|(name, shape)| one(Some(name), shape)).collect::<Option<_>>()?
        }
    };
    for (nth, output) in outputs.iter().enumerate() {
        let same = |other: &&Output| other.name.is_some() && other.name == output.name;
        if let (Some(first), Some(name)) = (outputs[..nth].iter().find(same), &output.name) {
            let first = first.name.as_ref().map_or(name.span(), Ident::span);
            report.twice("output", first, name);
        }
    }
    Some(outputs)
}

/// The names of the const generics.
fn resolve_generics(definition: &ast::Network, report: &mut Report) -> Vec<String> {
    let mut names = Vec::new();
    for parameter in &definition.generics.params {
        match parameter {
            GenericParam::Const(constant) if is_usize(&constant.ty) => {
                names.push(constant.ident.to_string());
            }
            other => report.error(other.span(), say::NO_TYPE_PARAMETERS),
        }
    }
    names
}

fn is_usize(ty: &syn::Type) -> bool {
    matches!(ty, syn::Type::Path(path) if path.qself.is_none() && path.path.is_ident("usize"))
}

struct Resolver<'a> {
    names: &'a Names<'a>,
    report: &'a mut Report,
    resolved: Resolved,
    fields: Fields,
    /// The blocks that are being unrolled, the outermost first.
    open: Vec<String>,
    depth: usize,
    lines: usize,
    /// Whether a limit was exceeded: then nothing is unrolled any more.
    too_large: bool,
    /// The lines of the network.
    definition: &'a Body,
    /// The bodies that are being resolved, the outermost first; compared, never read.
    bodies: Vec<*const Body>,
}

/// What lines see around them.
struct Place<'a> {
    environment: &'a Environment,
    scope: &'a mut Scope,
    /// The inputs and the named layers before the line.
    named: &'a mut Vec<Named>,
}

/// What lines behind it can take by its name.
#[derive(Clone)]
struct Named {
    name: Ident,
    value: ValueId,
    /// Its node, if it is a line of one layer.
    node: Option<usize>,
}

impl Resolver<'_> {
    fn network(&mut self, inputs: &[ast::Input], body: &Body, around: &Environment) -> Option<()> {
        let mut named = self.inputs(inputs, around)?;
        let begin = (inputs.len() == 1).then_some(ValueId(0));
        let mut scope = Scope::new("", body, false);
        let mut place = Place { environment: around, scope: &mut scope, named: &mut named };
        let last = self.lines(body, begin, &mut place);
        self.outputs(body, last, &mut place);
        self.check_inputs_used(inputs);
        self.check_outputs_used();
        Some(())
    }

    /// The values of the inputs, by name.
    fn inputs(&mut self, inputs: &[ast::Input], environment: &Environment) -> Option<Vec<Named>> {
        let mut named: Vec<Named> = Vec::new();
        let mut correct = true;
        for input in inputs {
            match environment.shape(&input.shape) {
                Ok(dims) => {
                    let value = self.value(dims);
                    let name = input.name.clone();
                    let ragged = input.ragged;
                    let input = crate::network::Input { name, value, index: false, ragged };
                    self.resolved.network.inputs.push(input);
                }
                Err(error) => {
                    self.report.add(error);
                    correct = false;
                }
            }
            match &input.name {
                Some(name) => match named.iter().find(|known| known.name == *name) {
                    Some(first) => self.report.twice("input", first.name.span(), name),
                    None => {
                        let value = ValueId(named.len());
                        named.push(Named { name: name.clone(), value, node: None });
                    }
                },
                None if inputs.len() > 1 && correct => {
                    let words = mistake::inputs_need_names(one_shape(inputs));
                    self.report.error(input.shape.span, words);
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
            let used = network.nodes.iter().any(|node| node.inputs.contains(&input.value));
            if let (false, Some(name)) = (used, &input.name) {
                self.report.error(name.span(), mistake::unused_input(name));
            }
        }
    }

    /// What a layer gives must go somewhere; a join whose branches all begin elsewhere drops it.
    fn check_outputs_used(&mut self) {
        let network = &self.resolved.network;
        if self.too_large || self.resolved.broken.contains(&true) {
            return;
        }
        let used: HashSet<ValueId> =
            network.nodes.iter().flat_map(|node| &node.inputs).copied().collect();
        for node in &network.nodes {
            if node.output != network.output_value && !used.contains(&node.output) {
                self.report.error(node.span, mistake::unused_output(&node.label));
            }
        }
    }

    /// The lines of a body, one after the other, and what the last one gives.
    fn body(&mut self, body: &Body, begin: Option<ValueId>, place: &mut Place<'_>) -> ValueId {
        let around = place.named.len();
        let value = self.lines(body, begin, place);
        place.named.truncate(around);
        value
    }

    /// The same, whose names are still known afterwards.
    fn lines(&mut self, body: &Body, begin: Option<ValueId>, place: &mut Place<'_>) -> ValueId {
        let mut current = begin;
        if body.lines.is_empty() {
            self.report.error(body.span, say::NO_LAYERS);
            return self.unknown(body.span);
        }
        self.bodies.push(body);
        for line in &body.lines {
            if self.too_large {
                break;
            }
            current = Some(self.line(line, current, place));
        }
        self.bodies.pop();
        current.unwrap_or_else(|| self.unknown(body.span))
    }

    fn line(&mut self, line: &Line, current: Option<ValueId>, place: &mut Place<'_>) -> ValueId {
        self.lines += 1;
        if self.lines > MOST_LINES {
            return self.give_up(span_of(&line.construct), mistake::too_large(MOST_STATIONS));
        }
        let current = match &line.source {
            Some(source) => Some(self.named(source, place)),
            None => current,
        };
        let path = line.name.as_ref().map(|name| self.named_path(name, place));
        let name = line.name.as_ref().map(|name| name.unraw().to_string());
        let title = path.clone().map(|path| Title { path, name });
        let output = match &line.construct {
            Construct::Call(used) => self.used(used, title, current, place),
            Construct::Repeat(repeat) => self.repeat(repeat, title, current, place),
            Construct::Residual(residual) => self.residual(residual, title, current, place),
            Construct::Broken(span) => self.unknown(*span),
        };
        if let Some(arrow) = &line.arrow {
            self.arrow(arrow, output, place.environment);
        }
        if let (Some(name), Some(path)) = (&line.name, path) {
            let nodes = &self.resolved.network.nodes;
            let node = nodes.iter().rposition(|it| it.output == output && it.path == path);
            place.named.push(Named { name: name.clone(), value: output, node });
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
                let nodes = self.resolved.network.nodes.iter_mut();
                if let Some(node) = nodes.rev().find(|node| node.output == output) {
                    node.arrows.push(dims);
                }
            }
            Err(error) => self.report.add(error),
        }
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
}

/// The shape that was perhaps meant by inputs such as `28, 28, 1`.
fn one_shape(inputs: &[ast::Input]) -> Option<String> {
    let size = |input: &ast::Input| match (&input.name, &input.shape.sizes[..]) {
        (None, [Expr::Lit(size)]) => Some(size.to_token_stream().to_string()),
        _ => None,
    };
    Some(inputs.iter().map(size).collect::<Option<Vec<String>>>()?.join("x"))
}

fn span_of(construct: &Construct) -> Span {
    match construct {
        Construct::Call(used) => used.name.span(),
        Construct::Repeat(repeat) => repeat.keyword.span(),
        Construct::Residual(residual) => residual.keyword.span(),
        Construct::Broken(span) => *span,
    }
}
