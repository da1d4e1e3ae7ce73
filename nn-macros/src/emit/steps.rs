//! Sequences: which values count the steps of an input, and how a network runs one step at a time.

use super::forward::Views;
use super::{Context, memory::buffer_names, shapes};
use crate::network::{Layer, Network, Station, ValueId};
use crate::plan::Place;
use nn_shape::registry::{Flow, Row, Storage};
use proc_macro2::TokenStream;
use quote::quote;

/// `const STEPS`, where an input of the station counts the steps of a network's input.
pub(super) fn emit_steps(context: &Context, station: &Station) -> Option<TokenStream> {
    let steps: Vec<_> = station.inputs.iter().map(|it| steps_of(context.network, *it)).collect();
    if steps.iter().all(Option::is_none) {
        return None;
    }
    let steps = steps.into_iter().map(optional);
    Some(quote!(const STEPS: &'static [::core::option::Option<__rt::StepsOf>] = &[#(#steps),*];))
}

/// `const OUTPUT_STEPS`, where the network's output counts the steps of an input.
pub(super) fn emit_output_steps(context: &Context) -> Option<TokenStream> {
    let steps = optional(Some(steps_of(context.network, context.network.output_value)?));
    Some(quote!(const OUTPUT_STEPS: ::core::option::Option<__rt::StepsOf> = #steps;))
}

fn optional(steps: Option<TokenStream>) -> TokenStream {
    steps.unwrap_or_else(|| quote!(::core::option::Option::None))
}

/// From which input a value has its steps, an expression of an `Option<StepsOf>`; `None` where it is
/// no sequence.
fn steps_of(network: &Network, value: ValueId) -> Option<TokenStream> {
    let Some(station) = network.stations.iter().find(|station| station.output == value) else {
        return steps_of_input(network, value);
    };
    let mut sources = station.inputs.iter().map(|input| steps_of(network, *input));
    match &station.layer {
        Layer::Known { row, .. } => {
            keeps_steps(network, row, station).then(|| sources.find_map(|it| it)).flatten()
        }
        Layer::Custom(layer) => {
            let sources: Vec<TokenStream> = sources.map(optional).collect();
            Some(
                quote!(__rt::steps_through(<#layer as __rt::Shaped>::OUTPUT_STEPS, &[#(#sources),*])),
            )
        }
    }
}

/// An input is a sequence if it may be shorter than its shape, or has steps of features or of tokens.
fn steps_of_input(network: &Network, value: ValueId) -> Option<TokenStream> {
    let nth = network.inputs.iter().position(|input| input.value == value)?;
    let input = &network.inputs[nth];
    let rank = network.values[value.0].dims.sizes.len();
    let is_sequence = input.ragged || rank == 2 || (rank == 1 && input.index);
    let nth = shapes::number(nth);
    is_sequence
        .then(|| quote!(::core::option::Option::Some(__rt::StepsOf { input: #nth, maps: &[] })))
}

/// Whether the first axis of the output counts the same steps as that of the input.
fn keeps_steps(network: &Network, row: &Row, station: &Station) -> bool {
    let rank = |value: ValueId| network.values[value.0].dims.sizes.len();
    row.flows.leading == Flow::Keep && rank(station.output) >= rank(station.inputs[0])
}

/// Whether a layer can take its input step by step.
fn streams(station: &Station) -> bool {
    match &station.layer {
        Layer::Known { row, arguments } => row.streams(|name| {
            let nth = row.parameters.iter().position(|parameter| parameter.name == name);
            nth.is_some_and(|nth| arguments[nth].value.is_true())
        }),
        Layer::Custom(_) => false,
    }
}

/// Whether the network can: all its inputs are sequences, and all its layers can.
pub(super) fn network_streams(context: &Context) -> bool {
    let network = context.network;
    let mut inputs = network.inputs.iter();
    inputs.all(|input| steps_of_input(network, input.value).is_some())
        && network.stations.iter().all(streams)
}

/// How many numbers one step of a value has.
fn step_len(network: &Network, value: ValueId) -> TokenStream {
    let dims = &network.values[value.0].dims;
    if steps_of(network, value).is_none() {
        return shapes::len(&quote!(__rt), dims);
    }
    let (len, steps) = (shapes::len(&quote!(__rt), dims), shapes::size(&dims.sizes[0]));
    quote!((#len / #steps))
}

/// The type of one step of a value.
fn step_type(network: &Network, value: ValueId, element: &str) -> TokenStream {
    let mut dims = network.values[value.0].dims.clone();
    if steps_of(network, value).is_some() {
        dims.sizes.remove(0);
    }
    shapes::array_type(element, &dims)
}

/// `fn step`, for everybody to call.
pub(super) fn emit_step_method(context: &Context) -> Option<TokenStream> {
    if !network_streams(context) {
        return None;
    }
    let network = context.network;
    let (krate, visibility) = (&network.krate, &network.visibility);
    let types: Vec<TokenStream> = network
        .inputs
        .iter()
        .map(|input| step_type(network, input.value, if input.index { "u32" } else { "f32" }))
        .collect();
    let output = step_type(network, network.output_value, "f32");
    let (pattern, kind, names) = super::structure::by_reference(context, &types);
    Some(quote! {
        /// One step of a sequence, at inference, without allocation: `state` holds what the layers
        /// remember of the steps before, and receives what they remember of this one.
        #visibility fn step(
            &self,
            state: &mut #krate::__private::State<Self>,
            #pattern: #kind,
        ) -> #output {
            #krate::__private::step_one(
                self,
                state,
                &[#(#krate::__private::Values::as_floats(#names)),*],
            )
        }
    })
}

/// `impl Streaming`
pub(super) fn emit_streaming(context: &Context) -> Option<TokenStream> {
    if !network_streams(context) {
        return None;
    }
    let Context { arguments, turbofish, where_clause, .. } = context;
    let name = &context.network.name;
    let mut generics = context.network.generics.clone();
    generics.params.push(syn::parse_quote!(__S: __rt::Spec));
    let (impl_generics, _, _) = generics.split_for_impl();
    let stations: TokenStream =
        context.running().map(|(index, station)| step_station(context, index, station)).collect();
    let copy = context.plan.copied.map(|input| {
        let input = shapes::number(input);
        quote!(y.copy_from_slice(x[#input]);)
    });
    Some(quote! {
        impl #impl_generics __rt::Streaming<__S> for #name #arguments #where_clause {
            fn step(&self, x: &[&[f32]], y: &mut [f32], memory: __rt::WorkMemory<'_>) {
                let n = 1;
                let (values, mut memory) = memory.split_values(n * __Infer #turbofish::VALUES);
                #stations
                #copy
            }
        }
    })
}

fn step_station(context: &Context, index: usize, station: &Station) -> TokenStream {
    let names = buffer_names(context, &context.plan.infer);
    let mut views = Views::new(context, "__Infer", &names);
    let place =
        |value: ValueId| context.plan.infer.values[value.0].expect("every value has a place");
    let mut read = |value: ValueId, name: &str| {
        let numbers = views.read(place(value), name);
        match place(value) {
            Place::Buffer(_) => {
                let len = step_len(context.network, value);
                quote!(#numbers[..#len])
            }
            Place::Input(_) | Place::Output => quote!(#numbers[..]),
        }
    };
    let output = read(station.output, "out");
    let inputs = station.inputs.iter().enumerate();
    let in_place = station.storage() == Storage::InPlace;
    let inputs: Vec<TokenStream> = inputs
        .filter(|(_, input)| !in_place || place(**input) != place(station.output))
        .map(|(nth, input)| read(*input, &format!("x{nth}")))
        .collect();
    let taken = views.emit();
    let (place, value) = (context.place(index), context.value(index));
    if in_place {
        return quote! {{
            #taken
            #(#output.copy_from_slice(&#inputs);)*
            #place.infer(&#value, 1, &mut #output);
        }};
    }
    quote! {{
        #taken
        #place.step(&#value, &[#(&#inputs),*], &mut #output, &mut memory);
    }}
}
