//! What editors see of the lines: each layer is a struct whose fields are its arguments, so is each block, and named values
//! are variables. By these, rust-analyzer completes, explains, finds and renames the user's tokens. They are made from the
//! syntax tree alone, so that they are there while a line is incomplete. rustc never sees them.

use std::collections::HashSet;

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;
use syn::spanned::Spanned;
use syn::{Expr, Generics};
use unrolled_shape::Kind;
use unrolled_shape::registry::{ROWS, find};

use crate::ast::{
    Argument, Block, Body, Branch, Call, Construct, File, Line, Network, Repeat, Shape,
};
use crate::emit::rule_type;
use crate::suggest::padding_words;
use crate::unique::raw;

/// Whether rust-analyzer expands the macro: the program is `rust-analyzer`, or its server for procedural macros.
pub(crate) fn is_editor() -> bool {
    let program = std::env::current_exe().unwrap_or_default();
    program.file_stem().is_some_and(|name| name.to_string_lossy().starts_with("rust-analyzer"))
}

/// The view of all blocks and networks.
pub(crate) fn emit_view(krate: &TokenStream, file: &File) -> TokenStream {
    let rt = quote!(#krate::__private);
    let layers = ROWS.iter().map(|row| rule_type(&rt, row));
    let view = View { blocks: &file.blocks };
    let of_blocks = file.blocks.iter().map(|block| view.block(block));
    let parameters = file.blocks.iter().map(emit_parameters);
    let of_networks = file.networks.iter().map(|network| view.network(network));
    quote! {
        #[allow(warnings)]
        const _: () = {
            mod layers {
                // Types of the user's that are layers.
                pub(super) use super::*;
                #(pub use #layers;)*
                /// Lines that are repeated: `Repeat(3) { .. }`.
                pub struct Repeat;
                /// Lines whose output is added to their input: `Residual { .. }`, `Residual { .. } skip { .. }`.
                pub struct Residual;
                /// Lines that are applied to each step of a sequence: `PerStep { .. }`.
                pub struct PerStep;
                /// An earlier line again, with its weights: `right: b => same(left)`.
                pub struct same;
                #(#parameters)*
            }
            #(#of_blocks)*
            #(#of_networks)*
        };
    }
}

/// A block as a struct of its parameters.
fn emit_parameters(block: &Block) -> TokenStream {
    let Block { docs, name, .. } = block;
    let names = block.parameters.iter().map(|parameter| raw(&parameter.name));
    quote!(#(#docs)* pub struct #name { #(pub #names: ()),* })
}

/// The blocks that lines may use.
struct View<'a> {
    blocks: &'a [Block],
}

/// The names of values in scope: inputs, parameters, lines above.
type Values = HashSet<String>;

impl View<'_> {
    fn block(&self, block: &Block) -> TokenStream {
        let names = block.parameters.iter().map(|parameter| &parameter.name);
        self.function(&Generics::default(), names.collect(), &block.body)
    }

    fn network(&self, network: &Network) -> Option<TokenStream> {
        let inputs = network.inputs.iter().flatten();
        let names = inputs.filter_map(|input| input.name.as_ref()).collect();
        Some(self.function(&network.generics, names, network.body.as_ref()?))
    }

    /// A function with the lines, in a scope of its own.
    fn function(&self, generics: &Generics, names: Vec<&Ident>, body: &Body) -> TokenStream {
        let mut values = names.iter().map(|name| name.to_string()).collect();
        let names = names.into_iter().map(raw);
        let lines = self.body(body, &mut values);
        quote!(const _: () = { fn lines #generics() { #(let #names = ();)* #lines } };)
    }

    fn body(&self, body: &Body, values: &mut Values) -> TokenStream {
        body.lines.iter().map(|line| self.line(line, values)).collect()
    }

    fn scope(&self, body: &Body, values: &Values) -> TokenStream {
        let lines = self.body(body, &mut values.clone());
        quote!({ #lines })
    }

    fn line(&self, line: &Line, values: &mut Values) -> TokenStream {
        let source = line.source.iter().map(raw);
        let construct = match &line.construct {
            Construct::Call(call) => self.call(call, values),
            construct => {
                let count = match construct {
                    Construct::Repeat(Repeat { count, shared, .. }) => {
                        let shared = shared.iter().map(|argument| &argument.value);
                        Some(quote!(let _ = (#count); #(let _ = (#shared);)*))
                    }
                    _ => None,
                };
                let bodies = construct.bodies().into_iter();
                count.into_iter().chain(bodies.map(|(_, body)| self.scope(body, values))).collect()
            }
        };
        let arrow = line.arrow.as_ref().map(emit_shape);
        let name = line.name.iter().map(raw);
        values.extend(line.name.iter().map(ToString::to_string));
        quote!(#(let _ = #source;)* #construct #arrow #(let #name = ();)*)
    }

    fn call(&self, call: &Call, values: &Values) -> TokenStream {
        let branches = call.branches.iter().flatten().map(|Branch { source, body }| {
            let (source, body) = (source.iter().map(raw), self.scope(body, values));
            quote!(#(let _ = #source;)* #body)
        });
        let branches: TokenStream = branches.collect();
        let arguments = call.arguments.iter().flatten();
        let Some(name) = call.plain_name() else {
            let layer = &call.layer;
            return quote!({ let _: #layer; } #branches);
        };
        if name == "same" {
            let lines = arguments.map(|argument| &argument.value);
            return quote!(let _ = layers::#name; #(let _ = (#lines);)* #branches);
        }
        let parameters = self.parameters(name);
        let (incomplete, arguments): (Vec<_>, Vec<_>) =
            arguments.enumerate().partition(|(_, argument)| is_incomplete(argument, values));
        let fields = arguments.iter().map(|(nth, it)| emit_field(&parameters, *nth, it));
        let incomplete = incomplete.iter().map(|(_, it)| emit_incomplete(&parameters, it));
        quote! {
            let _ = layers::#name { #(#fields)* ..loop {} };
            #(#incomplete)*
            #branches
        }
    }

    /// The names of the arguments of a layer or a block, and what they take.
    fn parameters(&self, name: &Ident) -> Vec<(String, Option<Kind>)> {
        if let Some(block) = self.blocks.iter().find(|block| block.name == *name) {
            let names = block.parameters.iter().map(|parameter| parameter.name.to_string());
            return names.map(|name| (name, None)).collect();
        }
        let row = find(&name.to_string());
        let parameters = row.into_iter().flat_map(|row| row.parameters);
        parameters.map(|parameter| (parameter.name.to_owned(), Some(parameter.kind))).collect()
    }
}

/// Whether an argument may be a name, of an argument or a value, that is not typed to its end. Constants begin with a
/// capital.
fn is_incomplete(argument: &Argument, values: &Values) -> bool {
    let name = match (&argument.name, &argument.value) {
        (None, Expr::Path(path)) => path.path.get_ident().map(ToString::to_string),
        _ => None,
    };
    name.is_some_and(|name| name.starts_with(char::is_lowercase) && !values.contains(&name))
}

/// An argument that is not typed to its end, where the names of all arguments are in scope.
fn emit_incomplete(parameters: &[(String, Option<Kind>)], argument: &Argument) -> TokenStream {
    let value = &argument.value;
    let span = hidden(value);
    let names = parameters.iter().map(|(name, _)| raw(&Ident::new(name, span)));
    quote!({ #(let #names = ();)* let _ = (#value); })
}

/// A field of the struct of a layer or a block, from its `nth` argument.
fn emit_field(
    parameters: &[(String, Option<Kind>)],
    nth: usize,
    argument: &Argument,
) -> Option<TokenStream> {
    let (name, kind) = match &argument.name {
        Some(name) => {
            let parameter = parameters.iter().find(|(parameter, _)| name == parameter);
            (raw(name), parameter.and_then(|(_, kind)| *kind))
        }
        None => {
            let (name, kind) = parameters.get(nth)?;
            (Ident::new(name, Span::call_site()), *kind)
        }
    };
    let value = emit_value(kind, &argument.value);
    Some(quote!(#name: { #value loop {} },))
}

/// The value of an argument, among the words that it takes. It is in parentheses: a statement cannot begin with `crate`, and
/// a value may be missing.
fn emit_value(kind: Option<Kind>, value: &Expr) -> TokenStream {
    let words: Vec<&str> = match kind {
        Some(Kind::Word(words)) => words.iter().map(|word| word.text).collect(),
        Some(kind) => padding_words(kind).to_vec(),
        None => Vec::new(),
    };
    let span = hidden(value);
    let words = words.into_iter().map(|word| Ident::new(word, span));
    quote!(#(let #words = ();)* let _ = (#value);)
}

/// A span that is in the scope of the user's expression, but not at its place.
fn hidden(value: &Expr) -> Span {
    Span::call_site().resolved_at(value.span())
}

fn emit_shape(shape: &Shape) -> TokenStream {
    let sizes = &shape.sizes;
    quote!(#(let _ = (#sizes);)*)
}
