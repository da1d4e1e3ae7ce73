//! What leaves a network: what its last line gives, or what several named lines do, side by side.

use proc_macro2::Span;
use syn::Ident;
use unrolled_shape::registry::find;

use super::node::unnamed;
use super::resolver::{LineContext, Resolver};
use super::source::find_named;
use crate::ast::Body;
use crate::network::{Layer, Node, ValueId};
use crate::report::mistake;

impl Resolver<'_> {
    /// Takes the outputs, of which `last` is one: it is what the last line of the network gives.
    pub(super) fn outputs(&mut self, body: &Body, last: ValueId, context: &mut LineContext<'_>) {
        let names = self.resolved.network.outputs.iter().map(|output| output.name.clone());
        let names: Vec<Option<Ident>> = names.collect();
        let mut flat = Vec::new();
        for (nth, name) in names.iter().enumerate() {
            let value = match name {
                Some(name) => self.head(name, body, context),
                None => last,
            };
            self.resolved.network.outputs[nth].value = value;
            flat.extend(name.as_ref().map(|name| self.flat(name, value, context)));
        }
        // One value, so that a network has one output slice however many outputs it has: docs/decisions/0013.
        let joined = match &names[..] {
            [Some(first), ..] => self.hidden("Concat", first, flat, context),
            _ => last,
        };
        self.resolved.network.output_value = joined;
    }

    /// What the line called `name` gives.
    fn head(&mut self, name: &Ident, body: &Body, context: &LineContext<'_>) -> ValueId {
        if let Some(found) = find_named(name, context) {
            return found.value;
        }
        let known = context.names();
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        let elsewhere = self.find_line(body, None, name);
        self.report.error(name.span(), mistake::no_such_output(name, elsewhere, &known));
        self.unknown(name.span())
    }

    /// An output with one axis.
    fn flat(&mut self, name: &Ident, value: ValueId, context: &mut LineContext<'_>) -> ValueId {
        self.hidden("Flatten", name, vec![value], context)
    }

    /// A layer without arguments that is none of the user's lines.
    fn hidden(
        &mut self,
        layer: &str,
        at: &Ident,
        inputs: Vec<ValueId>,
        context: &mut LineContext<'_>,
    ) -> ValueId {
        let row = find(layer).expect("a row of the registry");
        let title = unnamed("outputs", context.scope);
        let node = self.node(title, at, context.scope);
        let layer = Layer::Known { row, arguments: Vec::new() };
        let spans: Vec<Span> = inputs.iter().map(|_| at.span()).collect();
        let source = row.name.into();
        self.push(Node { layer, inputs, source, hidden: true, ..node }, spans)
    }
}
