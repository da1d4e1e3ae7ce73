//! Shapes that the macro cannot compute, because sizes are the user's constants or const generics: constants that the
//! compiler evaluates, each of which fails with the message and on the token of the mistake.

use super::context::Context;
use super::shapes;
use crate::network::{
    BoundSize, Dim, Dims, Layer, Network, Node, ValueId, custom_output, given_const, shape_const,
};
use crate::operand::mentions;
use crate::trace::keeps_shape;
use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use std::cell::RefCell;
use syn::ext::IdentExt;
use unrolled_shape::registry::Storage;

/// The most steps of a trace. More would not fit into the message; without a limit, the code of a network would grow with
/// the square of its layers.
const MOST_STEPS: usize = 64;

/// The constants beside the struct.
pub(super) fn emit_shapes(context: &Context) -> TokenStream {
    let network = context.network;
    let rt = runtime(network);
    let sizes = network.bound_sizes.iter().map(|size| size_constants(&rt, size));
    let nodes = symbolic(network, false).map(|(index, node)| {
        let constants = node_constants(network, index, &quote!());
        let checks = node_checks(network, index, node);
        quote!(#constants #(const _: #rt::Shape = #checks;)*)
    });
    let header = header(network)
        .into_iter()
        .filter(|(_, dims)| dims.iter().all(|dims| !mentions_generics(network, dims)));
    let header = header.map(|(check, _)| quote!(const _: #rt::Shape = #check;));
    quote!(#(#sizes)* #(#nodes)* #(#header)*)
}

/// The value of an expression of the user's, its check, and the size that expanded code uses. The value is the length of
/// an array, not a `usize`: of a variable in the type of a constant, the compiler says how to make it a constant.
fn size_constants(rt: &TokenStream, size: &BoundSize) -> TokenStream {
    let BoundSize { constant, given, expression, span, written } = size;
    let check = quote!(#rt::checks::size(#given.len(), #written));
    let check = expect(rt, *span, &check, "", &quote!(#rt::Text::new()));
    quote! {
        const #given: [(); #expression] = [(); _];
        const #constant: usize = #rt::checks::size_or_stand_in(#given.len());
        const _: #rt::Shape = #check;
    }
}

/// Conditions under which one of these sizes is a stand-in for one that is too large.
fn oversized<'a>(sizes: impl IntoIterator<Item = &'a Dim>) -> Vec<TokenStream> {
    let bound = sizes.into_iter().filter_map(|size| {
        let Dim::Bound(bound) = size else { return None };
        let BoundSize { constant, given, .. } = &**bound;
        Some(quote!(#constant != #given.len()))
    });
    bound.collect()
}

/// The constants of the struct that depend on its const generics.
pub(super) fn emit_associated(context: &Context) -> TokenStream {
    let network = context.network;
    let hidden = quote!(#[doc(hidden)]);
    let nodes = symbolic(network, true);
    nodes.map(|(index, _)| node_constants(network, index, &hidden)).collect()
}

/// `const CHECKS`: evaluates them all when the network is used.
pub(super) fn emit_checks(context: &Context) -> Option<TokenStream> {
    let network = context.network;
    let mut checks: Vec<TokenStream> = symbolic(network, true)
        .flat_map(|(index, node)| node_checks(network, index, node))
        .collect();
    let header = header(network)
        .into_iter()
        .filter(|(_, dims)| dims.iter().any(|dims| mentions_generics(network, dims)));
    checks.extend(header.map(|(check, _)| check));
    if checks.is_empty() {
        return None;
    }
    Some(quote! {
        const CHECKS: () = {
            #(let _ = #checks;)*
        };
    })
}

/// The nodes whose rules cannot be evaluated while expanding, with their indices: those that depend on const generics, or
/// those that do not.
fn symbolic(network: &Network, generic: bool) -> impl Iterator<Item = (usize, &Node)> {
    let nodes = network.nodes.iter().enumerate();
    nodes.filter(move |(_, node)| is_symbolic(network, node) && node.generic == generic)
}

fn runtime(network: &Network) -> TokenStream {
    let krate = &network.krate;
    quote!(#krate::__private)
}

/// Whether a rule cannot be evaluated while expanding.
fn is_symbolic(network: &Network, node: &Node) -> bool {
    // What it takes is compared with what the first one takes.
    if node.first.is_some_and(|first| is_symbolic(network, &network.nodes[first])) {
        return true;
    }
    let known = |value: &ValueId| network.values[value.0].dims.known().is_some();
    let arrows = node.arrows.iter().all(|arrow| arrow.known().is_some());
    // A custom layer has no sizes that the macro knows.
    !(arrows && known(&node.output) && network.sizes(node, Dim::known).is_some())
}

/// Whether a shape depends on the user's const generics.
fn mentions_generics(network: &Network, dims: &Dims) -> bool {
    let parameters: Vec<String> =
        network.generics.const_params().map(|parameter| parameter.ident.to_string()).collect();
    let sizes = dims.sizes.iter().map(shapes::size).chain(dims.constant.clone());
    sizes.into_iter().any(|tokens| mentions(&tokens, &parameters))
}

/// The result of a node's rule, and the shape that its readers use. Neither fails: the checks do, once.
fn node_constants(network: &Network, index: usize, attributes: &TokenStream) -> TokenStream {
    let rt = runtime(network);
    let node = &network.nodes[index];
    let inputs: Vec<TokenStream> =
        node.inputs.iter().map(|input| value(network, *input, node.generic)).collect();
    // As `ShapeInference::ask` does with literals.
    let first = node.first.filter(|_| matches!(node.layer, Layer::Known { .. }));
    let given = match (&node.layer, node.skip.residual(&inputs)) {
        _ if first.is_some() => {
            let first = &network.nodes[network.first(index)];
            let expected = first.inputs.iter().map(|input| value(network, *input, node.generic));
            let (output, path) = (value(network, first.output, node.generic), &first.path);
            quote!(#rt::checks::again(&[#(#inputs),*], &[#(#expected),*], #output, #path))
        }
        (_, Some((input, body, skip))) => {
            let skip = match skip {
                Some(skip) => quote!(::core::option::Option::Some(#skip)),
                None => quote!(::core::option::Option::None),
            };
            quote!(#rt::checks::residual(#input, #body, #skip))
        }
        (Layer::Known { row, arguments }, None) => {
            let rule = shapes::rule(&rt, row, arguments);
            quote!(#rule.output(&[#(#inputs),*]))
        }
        (Layer::Custom(layer), None) => {
            quote!(#rt::check_inputs(&<#layer as #rt::Shaped>::SIGNATURE, &[#(#inputs),*]))
        }
    };
    // Not recursive: what follows from a lost value is an error itself.
    let before = [node.owner, node.first].into_iter().flatten();
    let before = before.map(|it| network.nodes[it].output);
    let needed = node.inputs.iter().copied().chain(before);
    let lost = needed.flat_map(|value| lost(network, value, node.generic));
    let lost: Vec<_> = lost.chain(oversized(&argument_sizes(node))).collect();
    let given = unless(&rt, &lost, given);
    let [given_name, shape_name] =
        [given_const(&network.name, index), shape_const(&network.name, index)];
    let (result, stand_in) = (network.given_constant(index), stand_in(network, node));
    quote! {
        #attributes
        const #given_name: ::core::result::Result<#rt::Shape, #rt::ShapeError> = #given;
        #attributes
        const #shape_name: #rt::Shape = #rt::checks::or_stand_in(#result, #stand_in);
    }
}

/// The sizes among the arguments of a layer.
fn argument_sizes(node: &Node) -> Vec<Dim> {
    let Layer::Known { arguments, .. } = &node.layer else { return Vec::new() };
    let sizes = RefCell::new(Vec::new());
    for argument in arguments {
        argument.with_sizes(|size| {
            sizes.borrow_mut().push(size.clone());
            Some(1)
        });
    }
    sizes.into_inner()
}

/// A shape for a node whose rule fails, so that the nodes after it report no errors.
fn stand_in(network: &Network, node: &Node) -> TokenStream {
    let rt = runtime(network);
    if let Layer::Custom(layer) = &node.layer {
        return custom_output(&network.krate, layer);
    }
    let dims = &network.values[node.output.0].dims;
    let sizes = dims.sizes.iter().map(|_| quote!(1));
    quote!(#rt::Shape::new(&[#(#sizes),*]))
}

/// Conditions under which a value has no shape because of a mistake; one is enough.
fn lost(network: &Network, value: ValueId, generic: bool) -> Vec<TokenStream> {
    let Some(index) = producer(network, value, generic) else {
        return lost_input(network, value, generic);
    };
    let (given, shape) = (network.given_constant(index), network.shape_constant(index));
    let arrows = network.nodes[index].arrows.iter().map(|arrow| {
        let declared = shapes::shape(&runtime(network), arrow);
        quote!(!#declared.same(&#shape))
    });
    [quote!(#given.is_err())].into_iter().chain(arrows).collect()
}

/// The condition under which an input of the network has no valid shape.
fn lost_input(network: &Network, value: ValueId, generic: bool) -> Vec<TokenStream> {
    let dims = &network.values[value.0].dims;
    let is_input = network.inputs.iter().any(|input| input.value == value);
    if !is_input || dims.known().is_some() || (!generic && mentions_generics(network, dims)) {
        return Vec::new();
    }
    let rt = runtime(network);
    let shape = shapes::shape(&rt, dims);
    let mut lost = oversized(&dims.sizes);
    lost.push(quote!(#rt::checks::header_input(#shape).is_err()));
    lost
}

/// `result`, unless a value that it depends on has no shape.
fn unless(rt: &TokenStream, lost: &[TokenStream], result: TokenStream) -> TokenStream {
    if lost.is_empty() {
        return result;
    }
    quote! {
        if #(#lost)||* { ::core::result::Result::Err(#rt::ShapeError::LOST) } else { #result }
    }
}

/// The checks of a node's rule and its arrows, which fail on the user's tokens.
fn node_checks(network: &Network, index: usize, node: &Node) -> Vec<TokenStream> {
    let rt = runtime(network);
    let given = network.given_constant(index);
    let before = trace(network, node.inputs[0], node.generic);
    let rule = expect(&rt, node.span, &given, &node.label, &before);
    let arrows = node.arrows.iter().map(|arrow| check_arrow(network, index, arrow));
    [rule].into_iter().chain(arrows).collect()
}

/// The check of an arrow.
fn check_arrow(network: &Network, index: usize, arrow: &Dims) -> TokenStream {
    let rt = runtime(network);
    let node = &network.nodes[index];
    let (label, declared) = (&node.label, shapes::shape(&rt, arrow));
    let inputs: Vec<TokenStream> =
        node.inputs.iter().map(|input| value(network, *input, node.generic)).collect();
    let input = &inputs[0];
    let how = match &node.layer {
        Layer::Known { row, arguments } if row.how.is_some() => {
            let rule = shapes::rule(&rt, row, arguments);
            quote!(#rule.how(&[#(#inputs),*]))
        }
        _ => quote!(#rt::Text::new()),
    };
    let view = node.storage() == Storage::View;
    let reader = network.reader(node.output);
    let (given, output) = (network.given_constant(index), network.shape_constant(index));
    let check = quote! {
        #rt::checks::arrow(&#rt::checks::Arrow {
            layer: #label,
            input: #input,
            output: #output,
            how: #how,
            declared: #declared,
            view: #view,
            reader: #reader,
        })
    };
    let mut lost = oversized(&arrow.sizes);
    lost.push(quote!(#given.is_err()));
    let check = unless(&rt, &lost, check);
    expect(&rt, arrow.span, &check, label, &trace(network, node.output, node.generic))
}

/// The checks of the header, each with the shapes it depends on, where they are not all literals.
fn header(network: &Network) -> Vec<(TokenStream, Vec<&Dims>)> {
    let rt = runtime(network);
    let mut checks = Vec::new();
    for input in &network.inputs {
        let dims = &network.values[input.value.0].dims;
        if dims.known().is_none() {
            let declared = shapes::shape(&rt, dims);
            let check = quote!(#rt::checks::header_input(#declared));
            checks
                .push((expect(&rt, dims.span, &check, "", &quote!(#rt::Text::new())), vec![dims]));
        }
    }
    for output in &network.outputs {
        let (found, promised) = (&network.values[output.value.0].dims, &output.promised);
        // Literals are compared while expanding.
        if found.known().is_some() && promised.known().is_some() {
            continue;
        }
        let generic = [found, promised].iter().any(|dims| mentions_generics(network, dims));
        let given = value(network, output.value, generic);
        let declared = shapes::shape(&rt, promised);
        let check = match &output.name {
            Some(name) => {
                let name = name.unraw().to_string();
                quote!(#rt::checks::named_output(#given, #declared, #name))
            }
            None => quote!(#rt::checks::header_output(#given, #declared)),
        };
        let mut lost = lost(network, output.value, generic);
        lost.extend(oversized(&promised.sizes));
        let check = unless(&rt, &lost, check);
        let trace = trace(network, output.value, generic);
        checks.push((expect(&rt, promised.span, &check, "", &trace), vec![found, promised]));
    }
    checks
}

/// The shape of a value: the constant of the node whose output it is.
fn value(network: &Network, value: ValueId, generic: bool) -> TokenStream {
    match producer(network, value, generic) {
        Some(node) => network.shape_constant(node),
        None => shapes::shape(&runtime(network), &network.values[value.0].dims),
    }
}

/// The node whose output a value is, if it has constants. A constant beside the struct (not `generic`) cannot refer to an
/// associated constant of the struct.
fn producer(network: &Network, value: ValueId, generic: bool) -> Option<usize> {
    network.producer(value).filter(|&node| {
        let node = &network.nodes[node];
        is_symbolic(network, node) && (generic || !node.generic)
    })
}

/// The trace to a value along first inputs, as an expression of text. In a constant beside the struct (not `generic`) the
/// trace begins after the last size that depends on const generics.
fn trace(network: &Network, to: ValueId, generic: bool) -> TokenStream {
    let rt = runtime(network);
    let mut steps = Vec::new();
    let mut at = to;
    while steps.len() < MOST_STEPS
        && let Some(producer) = network.producer(at).map(|node| &network.nodes[node])
    {
        let before = producer.inputs[0];
        if !generic && mentions_generics(network, &network.values[before.0].dims) {
            break;
        }
        if !keeps_shape(producer) {
            let (label, shape) = (&producer.label, value(network, at, generic));
            steps.push(quote!((#label, #shape)));
        }
        at = before;
    }
    steps.reverse();
    let begin = value(network, at, generic);
    quote!(#rt::trace(#begin, &[#(#steps),*]))
}

/// The shape, or a compile error at `span`: the compiler points at the call of `__expect`, whose tokens all have this span.
pub(super) fn expect(
    rt: &TokenStream,
    span: Span,
    result: &TokenStream,
    name: &str,
    trace: &TokenStream,
) -> TokenStream {
    // The compiler points at the whole call, from its first token to its last. A path or an expression in it would have
    // tokens of other places: hence an import and variables.
    let [function, found, path] =
        ["__expect", "__found", "__path"].map(|name| Ident::new(name, span));
    let call = quote_spanned!(span=> #function(#found, #name, #path));
    quote!({
        use #rt::expect as #function;
        let #found = #result;
        let #path = #trace;
        let #path = #path.as_str();
        #call
    })
}
