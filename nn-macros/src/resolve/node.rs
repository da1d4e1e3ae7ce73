//! Nodes and values, as they are added to the network.

use proc_macro2::{Span, TokenStream};
use syn::ext::IdentExt;
use syn::{Ident, Type};

use super::resolver::{LineContext, Resolver};
use crate::network::{Dims, Layer, Node, SkipConnection, Value, ValueId};
use crate::report::mistake;
use crate::scope::Scope;

/// The most nodes of one network: more would keep the compiler busy for hours.
pub(super) const MOST_NODES: usize = 4096;

/// The path and the name of a line's node.
#[derive(Clone)]
pub(super) struct Title {
    pub(super) path: String,
    /// The name that the user gave it.
    pub(super) name: Option<Ident>,
    pub(super) last_part: LastPart,
}

/// Where the last part of a path is from.
#[derive(Clone, Copy)]
pub(super) enum LastPart {
    /// The name of the line, or its index in brackets.
    Line,
    /// The layer's name, since the line has none.
    Layer,
    /// The line adds no part, because of the `_` at this place.
    None(Span),
}

/// What a construct of a line begins with.
pub(super) struct Start {
    /// Its title, unless it is named after its layer.
    pub(super) title: Option<Title>,
    /// The value that it reads; `None` at the beginning of a network of several inputs.
    pub(super) current: Option<ValueId>,
}

impl Title {
    /// The last part of its path.
    pub(super) fn last(&self) -> &str {
        self.path.rsplit('.').next().unwrap_or(&self.path)
    }
}

impl Resolver<'_> {
    /// A node without its layer and inputs.
    pub(super) fn node(&mut self, title: Title, at: &Ident, scope: &Scope) -> Node {
        // Editors rename the field with its line, if both have the same name.
        let same_name = title.name.as_ref().filter(|name| name.unraw() == title.path);
        let field = self.fields.name(&title.path, same_name.unwrap_or(at).span());
        self.node_with_field(title, field, at, scope)
    }

    /// The same with this field; of a node that never has weights, any name.
    pub(super) fn node_with_field(
        &self,
        title: Title,
        field: Ident,
        at: &Ident,
        scope: &Scope,
    ) -> Node {
        let label = match &title.name {
            // Several nodes may have the same name: only the path says which one is meant.
            _ if scope.repeated => title.path.clone(),
            Some(name) => name.unraw().to_string(),
            None => at.to_string(),
        };
        Node {
            path: title.path,
            field,
            // Placeholders, which the caller replaces; those of `unknown` stay, and are never emitted.
            layer: Layer::Custom(Box::new(Type::Verbatim(TokenStream::new()))),
            label,
            named: title.name.is_some(),
            source: String::new(),
            span: at.span(),
            inputs: Vec::new(),
            output: ValueId(0),
            owner: None,
            first: None,
            skip: SkipConnection::None,
            generic: false,
            hidden: false,
            arrows: Vec::new(),
            cost: None,
            levels: self.levels.clone(),
            predefined: self.predefined.clone(),
            per_step: self.per_step,
        }
    }

    /// The title of a layer. Without a level of its own, it has the path of its scope, which one layer can have.
    pub(super) fn title_of_layer(
        &mut self,
        title: Title,
        stem: &str,
        context: &mut LineContext<'_>,
    ) -> Title {
        match title.last_part {
            LastPart::None(at) if !context.scope.take_path() => {
                self.report.error(at, mistake::no_level_of_layer(&title.path));
                unnamed(stem, context.scope)
            }
            _ => title,
        }
    }

    pub(super) fn push(&mut self, node: Node, branches: Vec<Span>) -> ValueId {
        if self.resolved.network.nodes.len() == MOST_NODES {
            return self.give_up(node.span, mistake::too_large(MOST_NODES));
        }
        let number = self.resolved.network.nodes.len();
        let inputs = node.inputs.iter().map(|input| self.aliases.canonical(*input)).collect();
        let (reads, node) = (node.inputs.clone(), Node { inputs, ..node });
        let strange = self.find_strange(&node);
        let dims = Dims { sizes: Vec::new(), span: node.span, constant: None };
        let output = self.value(dims, Some(number));
        self.resolved.branches.insert(number, branches);
        let first = self.first_application(node.first);
        let source = match first {
            Some(first) => format!("same({})", self.resolved.network.nodes[first].path),
            None => node.source,
        };
        self.resolved.network.nodes.push(Node { output, first, source, ..node });
        self.resolved.broken.push(strange);
        self.reads.push(reads);
        output
    }

    /// Reports an input of a node in a `PerStep` that is no value of one step. Returns whether there is one.
    fn find_strange(&mut self, node: &Node) -> bool {
        let network = &self.resolved.network;
        let is_strange = |value: &&ValueId| network.per_step(**value) != node.per_step;
        let strange = node.inputs.iter().find(is_strange).filter(|_| !node.ends_steps());
        let words =
            strange.map(|value| mistake::outside_of_steps(&node.label, &network.name(*value)));
        let found = words.is_some();
        words.into_iter().for_each(|words| self.report.error(node.span, words));
        found
    }

    pub(super) fn value(&mut self, dims: Dims, producer: Option<usize>) -> ValueId {
        let values = &mut self.resolved.network.values;
        values.push(Value { dims, producer });
        ValueId(values.len() - 1)
    }

    /// The output of a layer that could not be resolved: of a node in its place, so that later lines have an input.
    /// Mistakes that follow from it are not reported.
    pub(super) fn unknown(&mut self, at: Span) -> ValueId {
        // Its number keeps its field apart from those of other such nodes, of which there may be thousands.
        let path = format!("broken.{}", self.resolved.network.nodes.len());
        let title = Title { path, name: None, last_part: LastPart::Layer };
        let name = Ident::new("broken", at);
        let scope = Scope::inside("");
        let node = self.node(title, &name, &scope);
        let output = self.push(node, Vec::new());
        if let Some(broken) = self.resolved.broken.last_mut() {
            *broken = true;
        }
        output
    }

    pub(super) fn give_up(&mut self, at: Span, words: String) -> ValueId {
        if !self.too_large {
            self.report.error(at, words);
        }
        // Any value will do, since nothing more is resolved: the first input exists.
        self.too_large = true;
        ValueId(0)
    }
}

/// The title of a line without a name.
pub(super) fn unnamed(stem: &str, scope: &mut Scope) -> Title {
    Title { path: scope.number(stem), name: None, last_part: LastPart::Layer }
}
