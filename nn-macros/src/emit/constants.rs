//! Shapes that the macro cannot compute, because sizes are constants or const generics of the user's:
//! constants that the compiler evaluates, each of which fails with the message and at the place of the
//! mistake.

use super::{Context, shapes};
use crate::network::{Dims, Layer, Network, Shortcut, Station, ValueId, shape_const};
use crate::operand::mentions;
use crate::trace::keeps_shape;
use nn_shape::registry::Storage;
use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};

/// The constants beside the struct.
pub(super) fn emit_shapes(context: &Context) -> TokenStream {
    let network = context.network;
    let rt = runtime(network);
    let stations = network.stations.iter().enumerate();
    let stations =
        stations.filter(|(_, station)| is_symbolic(network, station) && !station.generic);
    let stations = stations.map(|(index, station)| {
        let (name, shape) = (shape_const(&network.name, index), station_shape(network, station));
        quote!(const #name: #rt::Shape = #shape;)
    });
    let header = header(network)
        .into_iter()
        .filter(|(_, dims)| dims.iter().all(|dims| !mentions_generics(network, dims)));
    let header = header.map(|(check, _)| quote!(const _: #rt::Shape = #check;));
    quote!(#(#stations)* #(#header)*)
}

/// The constants of the struct that depend on its const generics.
pub(super) fn emit_associated(context: &Context) -> TokenStream {
    let network = context.network;
    let rt = runtime(network);
    let stations = network.stations.iter().enumerate();
    let stations = stations.filter(|(_, station)| is_symbolic(network, station) && station.generic);
    let stations = stations.map(|(index, station)| {
        let (name, shape) = (shape_const(&network.name, index), station_shape(network, station));
        quote!(#[doc(hidden)] const #name: #rt::Shape = #shape;)
    });
    quote!(#(#stations)*)
}

/// `const CHECKS`: evaluates them all when the network is used.
pub(super) fn emit_checks(context: &Context) -> Option<TokenStream> {
    let network = context.network;
    let stations = network.stations.iter().enumerate();
    let generic: Vec<Ident> = stations
        .filter(|(_, station)| is_symbolic(network, station) && station.generic)
        .map(|(index, _)| shape_const(&network.name, index))
        .collect();
    let header: Vec<TokenStream> = header(network)
        .into_iter()
        .filter(|(_, dims)| dims.iter().any(|dims| mentions_generics(network, dims)))
        .map(|(check, _)| check)
        .collect();
    if generic.is_empty() && header.is_empty() {
        return None;
    }
    Some(quote! {
        const CHECKS: () = {
            #(let _ = Self::#generic;)*
            #(let _ = #header;)*
        };
    })
}

fn runtime(network: &Network) -> TokenStream {
    let krate = &network.krate;
    quote!(#krate::__private)
}

/// Whether the rules cannot be asked while expanding.
fn is_symbolic(network: &Network, station: &Station) -> bool {
    let known = |value: &ValueId| network.values[value.0].dims.known().is_some();
    let arguments = match &station.layer {
        Layer::Custom(_) => return true,
        Layer::Known { arguments, .. } => arguments,
    };
    let arrow = station.arrows.iter().all(|arrow| arrow.known().is_some());
    !(arrow
        && station.inputs.iter().all(known)
        && known(&station.output)
        && arguments.iter().all(|argument| argument.value.known().is_some()))
}

/// Whether a shape depends on const generics of the user's.
fn mentions_generics(network: &Network, dims: &Dims) -> bool {
    let parameters: Vec<String> =
        network.generics.const_params().map(|parameter| parameter.ident.to_string()).collect();
    let sizes = dims.sizes.iter().map(shapes::size).chain(dims.constant.clone());
    sizes.into_iter().any(|tokens| mentions(&tokens, &parameters))
}

/// The output shape of a station, or the message that says why there is none.
fn station_shape(network: &Network, station: &Station) -> TokenStream {
    let rt = runtime(network);
    let inputs: Vec<TokenStream> =
        station.inputs.iter().map(|input| value(network, *input, station.generic)).collect();
    let label = &station.label;
    let before = trace(network, station.inputs[0], None, station.generic);
    let given = match (&station.layer, station.shortcut) {
        (_, Shortcut::Input) => {
            let [body, input] = [&inputs[0], &inputs[1]];
            quote!(#rt::checks::residual(#input, #body, ::core::option::Option::None))
        }
        (_, Shortcut::Skip) => {
            let [body, skip] = [&inputs[0], &inputs[1]];
            quote!(#rt::checks::residual(#skip, #body, ::core::option::Option::Some(#skip)))
        }
        (Layer::Known { row, arguments }, Shortcut::None) => {
            let rule = shapes::rule(&rt, row, arguments);
            quote!(#rule.output(&[#(#inputs),*]))
        }
        (Layer::Custom(layer), Shortcut::None) => {
            quote!(#rt::check_inputs::<#layer>(&[#(#inputs),*]))
        }
    };
    let given = expect(&rt, station.span, &given, label, &before);
    let arrows = station.arrows.iter().map(|arrow| check_arrow(network, station, arrow));
    quote!({ let output = #given; #(#arrows)* output })
}

/// The check of an arrow; `output` is what comes out.
fn check_arrow(network: &Network, station: &Station, arrow: &Dims) -> TokenStream {
    let rt = runtime(network);
    let (label, declared) = (&station.label, shapes::shape(&rt, arrow));
    let inputs: Vec<TokenStream> =
        station.inputs.iter().map(|input| value(network, *input, station.generic)).collect();
    let input = &inputs[0];
    let how = match &station.layer {
        Layer::Known { row, arguments } => {
            let rule = shapes::rule(&rt, row, arguments);
            quote!(#rule.how(&[#(#inputs),*]))
        }
        Layer::Custom(_) => quote!(#rt::Text::new()),
    };
    let view = station.storage() == Storage::View;
    let reader = network.reader(station.output);
    let check = quote! {
        #rt::checks::arrow(&#rt::checks::Arrow {
            layer: #label,
            input: #input,
            output,
            how: #how,
            declared: #declared,
            view: #view,
            reader: #reader,
        })
    };
    let check = expect(
        &rt,
        arrow.span,
        &check,
        label,
        &trace(network, station.output, Some(station.output), station.generic),
    );
    quote!(let output = #check;)
}

/// The checks of the header, each with the shapes it looks at, where they are not all literals.
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
    let (found, promised) = (&network.values[network.output_value.0].dims, &network.output);
    if found.known().is_none() || promised.known().is_none() {
        let generic = [found, promised].iter().any(|dims| mentions_generics(network, dims));
        let given = value(network, network.output_value, generic);
        let declared = shapes::shape(&rt, promised);
        let check = quote!(#rt::checks::header_output(#given, #declared));
        let trace = trace(network, network.output_value, None, generic);
        checks.push((expect(&rt, promised.span, &check, "", &trace), vec![found, promised]));
    }
    checks
}

/// The shape of a value: the constant of the station that gives it, so that a mistake is told once.
/// A constant beside the struct (not `generic`) cannot ask one of the struct's; it does without.
fn value(network: &Network, value: ValueId, generic: bool) -> TokenStream {
    let producer = network.stations.iter().position(|station| station.output == value);
    let producer = producer.filter(|&station| {
        let station = &network.stations[station];
        is_symbolic(network, station) && (generic || !station.generic)
    });
    match producer {
        Some(station) => network.shape_constant(station),
        None => shapes::shape(&runtime(network), &network.values[value.0].dims),
    }
}

/// The way to a value along first inputs, as an expression of text. Of the value `computing` the
/// shape is in the variable `output`. In a constant beside the struct (not `generic`) the way begins
/// behind the last size that depends on const generics.
fn trace(network: &Network, to: ValueId, computing: Option<ValueId>, generic: bool) -> TokenStream {
    let rt = runtime(network);
    let mut steps = Vec::new();
    let mut at = to;
    while let Some(producer) = network.stations.iter().find(|it| it.output == at) {
        let before = producer.inputs[0];
        if !generic && mentions_generics(network, &network.values[before.0].dims) {
            break;
        }
        if !keeps_shape(producer) {
            let label = &producer.label;
            let shape =
                if computing == Some(at) { quote!(output) } else { value(network, at, generic) };
            steps.push(quote!((#label, #shape)));
        }
        at = before;
    }
    steps.reverse();
    let begin = value(network, at, generic);
    quote!(#rt::trace(#begin, &[#(#steps),*]))
}

/// The shape, or a compile error at `span`: the compiler points at the call of `__expect`, all tokens
/// of which stand there.
fn expect(
    rt: &TokenStream,
    span: Span,
    result: &TokenStream,
    name: &str,
    trace: &TokenStream,
) -> TokenStream {
    let [function, found, way] =
        ["__expect", "__found", "__way"].map(|name| Ident::new(name, span));
    let call = quote_spanned!(span=> #function(#found, #name, #way));
    quote!({
        use #rt::expect as #function;
        let #found = #result;
        let #way = #trace;
        let #way = #way.as_str();
        #call
    })
}
