//! The buffers of values: their names, and the code that takes slices of them.

use super::context::Context;
use super::shapes;
use crate::network::{Node, ValueId};
use crate::plan::{BufferPlan, Content, Location};
use crate::unique::Unique;
use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote};
use unrolled_shape::registry::Storage;

/// The name of each buffer of a layout.
pub(super) fn buffer_names(context: &Context, layout: &BufferPlan) -> Vec<Ident> {
    let mut unique = Unique::new(&["VALUES", "PLAN"]);
    let part = |node: usize| &context.names[node].constant;
    let buffers = layout.buffers.iter();
    buffers
        .map(|buffer| {
            let name = match buffer.content {
                Content::Value { node } => part(node).to_string(),
                Content::Gradient { node } => format!("D_{}", part(node)),
                Content::Contribution { node, nth } => format!("D_{}_X{nth}", part(node)),
            };
            format_ident!("{}", unique.name(name))
        })
        .collect()
}

/// The buffers that one node slices out of the network's values, each once.
pub(super) struct Views<'a> {
    context: &'a Context<'a>,
    holder: &'static str,
    names: &'a [Ident],
    taken: Vec<(usize, Ident)>,
}

impl<'a> Views<'a> {
    pub(super) fn new(context: &'a Context, holder: &'static str, names: &'a [Ident]) -> Self {
        Self { context, holder, names, taken: Vec::new() }
    }

    /// The variable with the slice of `buffer`: `name`, unless the buffer was taken under another one.
    pub(super) fn take(&mut self, buffer: usize, name: &str) -> Ident {
        // `take` in the runtime cuts slices that do not overlap: it cannot return a buffer twice.
        if let Some((_, variable)) = self.taken.iter().find(|(taken, _)| *taken == buffer) {
            return variable.clone();
        }
        let variable = Ident::new(&self.unused(name), Span::mixed_site());
        self.taken.push((buffer, variable.clone()));
        variable
    }

    /// `name`, or `name2` where another buffer has it.
    fn unused(&self, name: &str) -> String {
        let used = |name: &str| self.taken.iter().any(|(_, variable)| variable == name);
        let numbered = (2..).map(|number| format!("{name}{number}"));
        let mut names = std::iter::once(name.to_owned()).chain(numbered);
        names.find(|name| !used(name)).expect("numbers do not end")
    }

    /// The slice of a location; mutable, except for inputs.
    pub(super) fn read(&mut self, location: Location, name: &str) -> TokenStream {
        match location {
            Location::Input(input) => {
                let input = shapes::number(input);
                quote!(x[#input])
            }
            Location::Output => quote!(y),
            Location::Buffer(buffer) => {
                let variable = self.take(buffer, name);
                quote!(#variable)
            }
        }
    }

    /// `let [x0, out] = take(values, n, [__Train::CONV1, __Train::RELU]);`
    pub(super) fn emit(&self) -> Option<TokenStream> {
        if self.taken.is_empty() {
            return None;
        }
        let variables = self.taken.iter().map(|(_, variable)| variable);
        let buffers = self.taken.iter().map(|(buffer, _)| &self.names[*buffer]);
        let buffers = buffers.map(|name| self.context.constant(self.holder, name));
        Some(quote!(let [#(#variables),*] = __rt::take(values, n, [#(#buffers),*]);))
    }
}

/// Inputs and output of a node as expressions.
pub(super) struct Io {
    /// Empty for a node that works in place: `output` holds its input.
    pub(super) inputs: Vec<TokenStream>,
    pub(super) output: TokenStream,
    /// The copy that precedes a node that works in place, if its output has another location than its input.
    pub(super) copy: Option<TokenStream>,
}

impl Io {
    /// Those of `node`, whose output is `output`.
    pub(super) fn new(
        views: &mut Views,
        layout: &BufferPlan,
        node: &Node,
        output: ValueId,
    ) -> Self {
        let location = |value: usize| layout.values[value].expect("every value has a location");
        let to = location(output.0);
        if node.storage() != Storage::InPlace {
            let inputs = node.inputs.iter().enumerate();
            let inputs = inputs
                .map(|(nth, input)| views.read(location(input.0), &format!("x{nth}")))
                .collect();
            return Self { inputs, output: views.read(to, "out"), copy: None };
        }
        let from = location(node.inputs[0].0);
        // Where the input must stay as it is: it is the caller's, or has other readers.
        let copy = (from != to).then(|| {
            let (from, to) = (views.read(from, "x0"), views.read(to, "out"));
            quote!(#to.copy_from_slice(#from);)
        });
        Self { inputs: Vec::new(), output: views.read(to, "out"), copy }
    }
}
