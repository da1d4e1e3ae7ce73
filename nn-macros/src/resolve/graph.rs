//! The graph of one network: its header, its inputs and outputs, and whether all values are used.

use quote::ToTokens;
use std::collections::{HashMap, HashSet};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Expr, GenericParam, Ident};

use super::inputs::{Aliases, LineInputs};
use super::names::Names;
use super::resolver::{LineContext, Named, Resolved, Resolver};
use crate::ast::{self, Body};
use crate::network::{Facade, Network, Output, ValueId};
use crate::operand::Environment;
use crate::report::{Report, mistake, say};
use crate::scope::{Fields, Scope};

/// The graph of one network. `None` where its header could not be parsed, and where it is too large.
pub(crate) fn resolve(
    facade: &Facade,
    names: &Names<'_>,
    definition: &ast::Network,
    report: &mut Report,
) -> Option<Resolved> {
    let inputs = definition.inputs.as_ref()?;
    let body = definition.body.as_ref()?;
    let generics = resolve_generics(definition, report);
    let environment = Environment::of_network(generics);
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
        single_repeats: Vec::new(),
        bound_sizes: Vec::new(),
        levels: definition.levels.clone().into(),
        budget: definition.budget.clone(),
    };
    let generics = environment.generics.clone();
    let resolved = Resolved { network, broken: Vec::new(), branches: HashMap::new(), generics };
    let mut resolver = Resolver {
        names,
        report,
        resolved,
        fields: Fields::default(),
        open: Vec::new(),
        levels: definition.levels.clone().into(),
        predefined: None,
        per_step: None,
        depth: 0,
        steps: 0,
        again: None,
        inputs: LineInputs::default(),
        aliases: Aliases::default(),
        reads: Vec::new(),
        too_large: false,
        definition: body,
        bodies: Vec::new(),
    };
    resolver.network(inputs, body, &environment)?;
    Some(resolver.resolved)
}

/// The outputs that a header declares. [`Resolver::outputs`] fills in their values.
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
        let word = |output: &Output| output.name.as_ref().map(IdentExt::unraw);
        let same = |other: &&Output| other.name.is_some() && word(other) == word(output);
        if let (Some(first), Some(name)) = (outputs[..nth].iter().find(same), &output.name) {
            let first = first.name.as_ref().map_or(name.span(), Ident::span);
            report.defined_twice("output", first, name);
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
    // No alias of it: a macro cannot look up what a name means.
    matches!(ty, syn::Type::Path(path) if path.qself.is_none() && path.path.is_ident("usize"))
}

impl Resolver<'_> {
    fn network(&mut self, inputs: &[ast::Input], body: &Body, around: &Environment) -> Option<()> {
        let mut named = self.inputs(inputs, around)?;
        // With several inputs, the first line has to say which of them it reads.
        let begin = (inputs.len() == 1).then_some(ValueId(0));
        let mut scope = Scope::new("", body, false);
        let mut context = LineContext { environment: around, scope: &mut scope, named: &mut named };
        let last = self.lines(body, begin, &mut context);
        if self.too_large {
            // All else would follow from the lines that are missing.
            return None;
        }
        self.outputs(body, last, &mut context);
        self.check_inputs_used(inputs);
        self.check_outputs_used();
        Some(())
    }

    /// The values of the inputs, by name.
    fn inputs(&mut self, inputs: &[ast::Input], environment: &Environment) -> Option<Vec<Named>> {
        let mut named: Vec<Named> = Vec::new();
        let mut correct = true;
        for input in inputs {
            let value = match environment.shape(&input.shape) {
                Ok(dims) => self.value(dims, None),
                Err(error) => {
                    self.report.add(error);
                    correct = false;
                    continue;
                }
            };
            let (name, ragged) = (input.name.clone(), input.ragged);
            let known = crate::network::Input { name, value, index: false, ragged };
            self.resolved.network.inputs.push(known);
            match &input.name {
                Some(name) => match named.iter().find(|known| known.name.unraw() == name.unraw()) {
                    Some(first) => self.report.defined_twice("input", first.name.span(), name),
                    None => named.push(Named::new(name, value, None)),
                },
                None if inputs.len() > 1 && correct => {
                    // Once, also for `28, 28, 1`.
                    let words = mistake::inputs_need_names(one_shape(inputs));
                    self.report.error(input.shape.span, words);
                    correct = false;
                }
                None => {}
            }
        }
        correct.then_some(named)
    }

    /// Reports inputs without a reader. A single input always has one: the first line.
    fn check_inputs_used(&mut self, inputs: &[ast::Input]) {
        let network = &self.resolved.network;
        // A line that could not be resolved may be the reader.
        if inputs.len() < 2 || self.resolved.broken.contains(&true) {
            return;
        }
        for input in &network.inputs {
            let used = network.nodes.iter().any(|node| node.inputs.contains(&input.value));
            if let (false, Some(name)) = (used, &input.name) {
                self.report.error(name.span(), mistake::unused_input(name));
            }
        }
    }

    /// Reports outputs without a reader: a join whose branches all begin elsewhere drops the line before it.
    fn check_outputs_used(&mut self) {
        let network = &self.resolved.network;
        if self.resolved.broken.contains(&true) {
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
}

/// The shape that was perhaps meant by inputs such as `28, 28, 1`, or `batch, 28, 28, 1`.
fn one_shape(inputs: &[ast::Input]) -> Option<String> {
    let is_batch = |input: &&ast::Input| {
        let words = ["batch", "batch_size", "None", "N", "B"];
        let is_word = |size: &Expr| words.contains(&size.to_token_stream().to_string().as_str());
        matches!(&input.shape.sizes[..], [size] if is_word(size))
    };
    let inputs = &inputs[usize::from(inputs.first().is_some_and(|first| is_batch(&first)))..];
    let size = |input: &ast::Input| match (&input.name, &input.shape.sizes[..]) {
        (None, [Expr::Lit(size)]) => Some(size.to_token_stream().to_string()),
        _ => None,
    };
    Some(inputs.iter().map(size).collect::<Option<Vec<String>>>()?.join("x"))
}
