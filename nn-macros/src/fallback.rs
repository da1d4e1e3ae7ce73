//! What stands for a network after a mistake: the struct and its methods, so that the program around
//! it is not told of mistakes that are none of its own.

use std::collections::HashSet;

use nn_shape::checks;
use proc_macro2::TokenStream;
use quote::quote;
use syn::{Ident, parse_quote};

use crate::ast;
use crate::emit::{Heads, input_type, shape};
use crate::network::Dims;
use crate::operand::Environment;

/// The stub of a network.
pub(crate) fn emit_stub(krate: &TokenStream, definition: &ast::Network) -> TokenStream {
    let ast::Network { attributes, visibility, name, generics, .. } = definition;
    if generics.type_params().next().is_some() || generics.lifetimes().next().is_some() {
        return emit_unsupported(definition);
    }
    let (impl_generics, arguments, where_clause) = generics.split_for_impl();
    let methods = match header(definition) {
        Some((inputs, outputs)) => emit_known(krate, definition, &inputs, &outputs),
        None => emit_unknown(definition),
    };
    quote! {
        #(#attributes)*
        #[repr(C)]
        #visibility struct #name #generics #where_clause {}
        // SAFETY: it has no fields.
        unsafe impl #impl_generics #krate::__private::Weights for #name #arguments #where_clause {}
        #methods
    }
}

/// A network with generics that networks cannot have: all of them are used, and nothing else.
fn emit_unsupported(definition: &ast::Network) -> TokenStream {
    let ast::Network { attributes, visibility, name, generics, .. } = definition;
    let (_, _, where_clause) = generics.split_for_impl();
    let types = generics.type_params().map(|parameter| &parameter.ident);
    let lifetimes = generics.lifetimes().map(|parameter| &parameter.lifetime);
    let methods = emit_unknown(definition);
    quote! {
        #(#attributes)*
        #visibility struct #name #generics #where_clause {
            __used: ::core::marker::PhantomData<(#(fn() -> #types,)* #(&#lifetimes (),)*)>,
        }
        #methods
    }
}

/// The methods of a network whose header is understood.
fn emit_known(
    krate: &TokenStream,
    definition: &ast::Network,
    inputs: &[Input],
    outputs: &[Output],
) -> TokenStream {
    let ast::Network { visibility, name, generics, .. } = definition;
    let (impl_generics, arguments, where_clause) = generics.split_for_impl();
    let rt = quote!(#krate::__private);
    let shapes = inputs.iter().map(|input| shape(&rt, &input.dims));
    let inputs: Vec<TokenStream> =
        inputs.iter().map(|input| input_type(&rt, "f32", &input.dims, input.ragged)).collect();
    let outputs = outputs.iter().map(|(name, dims)| (name.as_ref(), dims)).collect();
    let heads = Heads { visibility, network: name, generics, outputs };
    let (shape, output, heads) = (heads.emit_shape(&rt), heads.emit_type(), heads.emit_struct(&rt));
    let (by_value, by_reference) = match &inputs[..] {
        [input] => (input.clone(), quote!(&#input)),
        _ => (quote!((#(#inputs),*)), quote!((#(&#inputs),*))),
    };
    let mut with_spec = generics.clone();
    with_spec.params.push(parse_quote!(__S: #rt::Spec));
    let (station_generics, _, _) = with_spec.split_for_impl();
    quote! {
        #heads
        impl #impl_generics #name #arguments #where_clause {
            #[doc(hidden)]
            #visibility fn forward(&self, _input: #by_reference) -> #output {
                loop {}
            }
        }
        impl #station_generics #rt::Station<__S> for #name #arguments #where_clause {
            fn infer(&self, _: usize, _: &[&[f32]], _: &mut [f32], _: #rt::WorkMemory<'_>) {}
            fn forward(
                &self, _: &#rt::Pass, _: usize, _: &[&[f32]], _: &mut [f32], _: #rt::Memory<'_>,
            ) {}
            fn backward(
                &self, _: &#rt::Pass, _: usize, _: &[&[f32]], _: &[f32], _: &mut [f32],
                _: &mut [::core::option::Option<&mut [f32]>], _: #rt::Memory<'_>,
            ) {}
        }
        impl #impl_generics #rt::Shaped for #name #arguments #where_clause {
            const INPUTS: &'static [#rt::Shape] = &[#(#shapes),*];
            const OUTPUT: #rt::Shape = #shape;
        }
        impl #impl_generics #rt::Network for #name #arguments #where_clause {
            type Input = #by_value;
            type Output = #output;
        }
    }
}

/// The methods of a network whose header is not understood: they agree with every use.
fn emit_unknown(definition: &ast::Network) -> TokenStream {
    let ast::Network { visibility, name, generics, .. } = definition;
    let (impl_generics, arguments, where_clause) = generics.split_for_impl();
    quote! {
        impl #impl_generics #name #arguments #where_clause {
            #[doc(hidden)]
            #visibility fn new(_seed: u64) -> ::std::boxed::Box<Self> {
                loop {}
            }
            #[doc(hidden)]
            #visibility fn forward<__Input, __Output>(&self, _input: __Input) -> __Output {
                loop {}
            }
        }
    }
}

/// The shapes of the inputs and of the outputs, where the header is understood.
fn header(definition: &ast::Network) -> Option<(Vec<Input>, Vec<Output>)> {
    let environment = Environment::default();
    let dims = |shape: &ast::Shape| {
        let dims = environment.shape(shape).ok()?;
        let sound = dims.known().is_none_or(|shape| checks::header_input(shape).is_ok());
        sound.then_some(dims)
    };
    let inputs = definition.inputs.as_ref()?.iter();
    let inputs =
        inputs.map(|input| Some(Input { dims: dims(&input.shape)?, ragged: input.ragged }));
    let outputs = match definition.output.as_ref()? {
        ast::Output::One(shape) => vec![(None, dims(shape)?)],
        ast::Output::Several(outputs) => {
            let one =
                |(name, shape): &(Ident, ast::Shape)| Some((Some(name.clone()), dims(shape)?));
            let names: HashSet<&Ident> = outputs.iter().map(|(name, _)| name).collect();
            let unlike = names.len() == outputs.len();
            outputs.iter().map(one).collect::<Option<_>>().filter(|_: &Vec<_>| unlike)?
        }
    };
    Some((inputs.collect::<Option<_>>()?, outputs))
}

/// Name and shape of an output.
type Output = (Option<Ident>, Dims);

/// An input whose shape is understood.
struct Input {
    dims: Dims,
    ragged: bool,
}
